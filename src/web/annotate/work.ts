// What the server says of one person's work in a campaign, and whether it said anything.
import type { AnswerOf } from '#server/contract'
import { ApiError } from '../api.ts'
import type { Submit } from './answer.ts'

export type Work = AnswerOf<Submit>

/** Whether the server refused, in contrast to not answering. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status !== 0
}
