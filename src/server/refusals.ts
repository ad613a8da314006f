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

/** Of files and of Postgres (53100, 58030), by the code of what failed or of what that was caused by. */
const DISK: Record<string, string> = {
  ...Object.fromEntries(['ENOSPC', 'EDQUOT', '53100'].map((code) => [code, 'the disk is full: free some space there'])),
  ...Object.fromEntries(['EIO', 'EROFS', '58030'].map((code) => [code, 'the disk reports an error: check it'])),
}

/** What the server's disk could not do, in words for whoever asked; undefined: it is another error. */
export function diskTrouble(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const words = DISK[(at as NodeJS.ErrnoException).code ?? '']
    if (words !== undefined) return `on the server ${words}, then send this again`
  }
  return undefined
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
