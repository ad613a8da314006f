// Refusals that say more than a status: when to come again, or what stands instead.
import { HttpError } from '#errors'

/** 429, and when to come again. */
export class TooMany extends HttpError {
  readonly seconds: number
  constructor(seconds: number, message: string) {
    super(429, message)
    this.seconds = seconds
  }
}

/** 409, and what is there instead. */
export class Conflict extends HttpError {
  readonly detail: unknown
  constructor(message: string, detail: unknown) {
    super(409, message)
    this.detail = detail
  }
}
