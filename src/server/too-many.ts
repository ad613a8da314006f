// Asked too often: 429 with Retry-After.
import { HttpError } from '#errors'

/** 429, and when to come again. */
export class TooMany extends HttpError {
  readonly seconds: number
  constructor(seconds: number, message: string) {
    super(429, message)
    this.seconds = seconds
  }
}
