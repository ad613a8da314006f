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

/** 422, and the message of each field that is wrong, by its path. */
export class WrongFields extends HttpError {
  readonly fields: Record<string, string>
  constructor(fields: Record<string, string>) {
    super(
      422,
      Object.entries(fields)
        .map(([path, message]) => `${path}: ${message}`)
        .join('; '),
    )
    this.fields = fields
  }
}
