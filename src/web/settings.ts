// How this person has the judging screen: part of who they are, kept on the server, changed at once on this page.
import { useQueryClient } from '@tanstack/react-query'
import type { Settings } from '#schema'
import type { AnswerOf } from '#server/contract'
import { call } from './api.ts'
import { useMe } from './who.ts'

type State = AnswerOf<'GET /api/state'>
const STATE_KEY = ['GET /api/state', {}, {}]
/** One after the other, so that the last choice is the one that stays. */
let last: Promise<unknown> = Promise.resolve()

export function useSettings(): { settings: Settings; change: (change: Partial<Settings>) => Promise<void> } {
  const { settings } = useMe()
  const queries = useQueryClient()
  const change = async (change: Partial<Settings>): Promise<void> => {
    await queries.cancelQueries({ queryKey: STATE_KEY })
    // What another key has changed a moment ago is there already.
    const body = { ...(queries.getQueryData<State>(STATE_KEY)?.me?.settings ?? settings), ...change }
    queries.setQueryData<State>(
      STATE_KEY,
      (state) => state && { ...state, me: state.me && { ...state.me, settings: body } },
    )
    const sent = last.then(() => call('PUT /api/me/settings', { body }))
    // Not kept: the next look at the state brings back what is.
    last = sent.catch(() => {})
    await sent
  }
  return { settings, change }
}
