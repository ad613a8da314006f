// The few errors of hone. A message says what was expected, what came, and what to do; `cause` keeps the original.
// Left out: codes and hierarchies. Anything else thrown is a defect.

/** A setting, flag or config file is wrong, or would be ignored. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** `row`: in files without lines. */
export type Place = { file?: string; line?: number; column?: number; row?: number; field?: string }

/** Data read from outside is wrong. The message begins with the place: `file:line: field: ...` or `file: row 3: field: ...`; all count from 1. */
export class DataError extends Error {
  override readonly name = 'DataError'
  readonly place: Place
  constructor(message: string, place: Place = {}, options?: ErrorOptions) {
    super(`${describePlace(place)}${message}`, options)
    this.place = place
  }
}

/** An operation of the engine failed: native op, shapes, dtypes and device are in the message. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
}

/** A remote or local HTTP exchange failed. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** What cannot happen: a failed invariant is a defect of hone, not of its input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`)
}

function describePlace({ file, line, column, row, field }: Place): string {
  let place = file ?? ''
  if (line !== undefined) place += `${place ? ':' : 'line '}${line}`
  if (column !== undefined) place += `:${column}`
  if (row !== undefined) place += `${place ? ': ' : ''}row ${row}`
  if (field !== undefined) place += `${place ? ': ' : ''}${field}`
  return place ? `${place}: ` : ''
}
