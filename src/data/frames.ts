// Cuts a byte stream into rows without reading any of them: lines of JSONL, elements of a JSON array, records of CSV.
// Works on bytes, because no byte of a UTF-8 character of two or more bytes is ASCII; each row is decoded once, whole.
import { isUtf8 } from 'node:buffer'
import { DataError, type Place } from '#errors'
import type { TextFormat } from './bytes.ts'
import { MOST_ROW_BYTES } from './limits.ts'

/** `isRow`: `line` counts rows, in a format that has no lines. `flaw`: known before it is decoded. */
type FramePlace = { file: string; line: number; column: number; isRow?: boolean; flaw?: DataError }

/** One row's bytes and the place of its first character; decoded when asked for. */
export class Frame {
  readonly bytes: Buffer
  readonly line: number
  readonly column: number
  readonly file: string
  private readonly isRow: boolean
  private decoded: { text: string; flaw?: DataError } | undefined

  constructor(bytes: Buffer, { file, line, column, isRow = false, flaw }: FramePlace) {
    this.bytes = bytes
    this.file = file
    this.line = line
    this.column = column
    this.isRow = isRow
    if (flaw) {
      const { field } = flaw.place
      const message = field === undefined ? flaw.message : flaw.message.slice(field.length + 2)
      this.decoded = { text: '', flaw: new DataError(message, { ...this.place, ...flaw.place }, { cause: flaw }) }
    }
  }

  get place(): Place {
    return this.isRow ? { file: this.file, row: this.line } : { file: this.file, line: this.line }
  }

  get text(): string {
    return this.decode().text
  }

  /** Why it could not be decoded; its text is then empty. */
  get flaw(): DataError | undefined {
    return this.decode().flaw
  }

  private decode(): { text: string; flaw?: DataError } {
    return (this.decoded ??= decode(this.bytes, this))
  }
}

export interface Framer {
  /** The rows that end in this chunk. */
  push(chunk: Buffer): Frame[]
  /** The last row, if the file does not end in a line break; throws when the file stops inside something. */
  end(): Frame[]
  /** Line being read, from 1. */
  readonly line: number
}

const NEWLINE = 10
const RETURN = 13
const QUOTE = 34
const COMMA = 44
const BACKSLASH = 92

/** `mostBytes`: of one row. */
export function framer(format: TextFormat, file: string, mostBytes = MOST_ROW_BYTES): Framer {
  const kept = new Kept(file, mostBytes)
  if (format === 'json') return jsonFramer(file, kept)
  return lineFramer(file, kept, format === 'csv')
}

/** Lines; with `quoted`, line breaks inside CSV quotes do not end a record. Blank lines are skipped. */
function lineFramer(file: string, kept: Kept, quoted: boolean): Framer {
  let line = 1
  let from = 1
  let state: 'start' | 'bare' | 'quoted' | 'closed' = 'start'
  const take = (bytes: Buffer): Frame[] => {
    const frame = kept.take(bytes, from, 1)
    from = line
    return isInk(frame.bytes[0]) || frame.flaw || frame.text.trim() ? [frame] : []
  }
  /** True when the byte ends a record. */
  const endsRecord = (byte: number): boolean => {
    if (state === 'quoted') {
      if (byte === QUOTE) state = 'closed'
      return false
    }
    if (byte === QUOTE && (state === 'start' || state === 'closed')) state = 'quoted'
    else state = byte === COMMA || byte === NEWLINE ? 'start' : 'bare'
    return byte === NEWLINE
  }
  const cutLines = (chunk: Buffer): Frame[] => {
    const frames: Frame[] = []
    let begin = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, begin)) {
      line++
      for (const frame of take(chunk.subarray(begin, at))) frames.push(frame)
      begin = at + 1
    }
    kept.keep(chunk.subarray(begin), from)
    return frames
  }
  const cutRecords = (chunk: Buffer): Frame[] => {
    const frames: Frame[] = []
    let begin = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      const ends = endsRecord(byte)
      if (byte === NEWLINE) line++
      if (!ends) continue
      for (const frame of take(chunk.subarray(begin, at))) frames.push(frame)
      begin = at + 1
    }
    kept.keep(chunk.subarray(begin), from)
    return frames
  }
  return {
    push: quoted ? cutRecords : cutLines,
    end() {
      if (state === 'quoted')
        throw new DataError('expected " at the end of a quoted cell, got the end of the file: close the quote', {
          file,
          line: from,
        })
      return take(Buffer.alloc(0))
    },
    get line() {
      return line
    },
  }
}

/** Elements of `[...]`, or of the `data` array of `{"data": [...]}`. What lies between elements is checked here. */
function jsonFramer(file: string, kept: Kept): Framer {
  let line = 1
  let column = 1
  let expects: 'document' | 'key' | 'colon' | 'member' | 'element' | 'first' | 'comma' | 'end' = 'document'
  let isWrapped = false
  let key = ''
  let sawData = false
  // While a value is being cut:
  let what: 'element' | 'key' | 'member' | undefined
  let start = { line: 1, column: 1 }
  let depth = 0
  let inString = false
  let isEscaped = false

  const fail = (message: string): never => {
    throw new DataError(message, { file, line, column })
  }
  const got = (byte: number) => (byte > 32 && byte < 127 ? String.fromCharCode(byte) : `byte 0x${byte.toString(16)}`)
  const begin = (kind: 'element' | 'key' | 'member', byte: number) => {
    what = kind
    start = { line, column }
    depth = 0
    inString = false
    isEscaped = false
    inside(byte)
  }
  /** Follows a value byte by byte; true when this byte is its last. */
  const inside = (byte: number): boolean => {
    if (isEscaped) isEscaped = false
    else if (inString) {
      if (byte === BACKSLASH) isEscaped = true
      else if (byte === QUOTE) {
        inString = false
        return depth === 0
      }
    } else if (byte === QUOTE) inString = true
    else if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) return --depth === 0
    return false
  }
  /** A bare word or number ends before a delimiter. */
  const endsBefore = (byte: number) =>
    depth === 0 && !inString && (byte === COMMA || byte === 0x5d || byte === 0x7d || byte <= 32)
  const between = (byte: number): void => {
    if (byte === 32 || byte === 9 || byte === NEWLINE || byte === RETURN) return
    if (expects === 'document') {
      if (byte === 0x5b) expects = 'first'
      else if (byte === 0x7b) {
        isWrapped = true
        expects = 'key'
      } else fail(`expected [ or {, got ${got(byte)}`)
    } else if (expects === 'key') {
      if (byte !== QUOTE) fail(`expected a key in double quotes, got ${got(byte)}`)
      begin('key', byte)
    } else if (expects === 'colon') {
      if (byte !== 0x3a) fail(`expected :, got ${got(byte)}`)
      expects = 'member'
    } else if (expects === 'member') {
      if (key === 'data' && byte === 0x5b) {
        if (sawData) fail('expected the key data once, got it twice: keep one')
        sawData = true
        expects = 'first'
      } else begin('member', byte)
    } else if (expects === 'first' && byte === 0x5d) closeArray()
    else if (expects === 'first' || expects === 'element') {
      if (byte === COMMA || byte === 0x5d || byte === 0x7d)
        fail(`expected a row, got ${got(byte)}: remove the comma that has no row behind it`)
      begin('element', byte)
    } else if (expects === 'comma') afterValue(byte)
    else fail(`expected the end of the file, got ${got(byte)}`)
  }
  let inArray = false
  const closeArray = () => {
    inArray = false
    expects = isWrapped ? 'comma' : 'end'
  }
  const afterValue = (byte: number) => {
    if (byte === COMMA) expects = inArray ? 'element' : 'key'
    else if (byte === 0x5d && inArray) closeArray()
    else if (byte === 0x7d && !inArray) {
      if (!sawData) fail('expected rows under the key data, got an object without it: {"data": [...]} or [...]')
      expects = 'end'
    } else fail(`expected , or the end of the ${inArray ? 'array' : 'object'}, got ${got(byte)}`)
  }
  const finish = (bytes: Buffer, frames: Frame[]) => {
    const frame = kept.take(bytes, start.line, start.column)
    if (what === 'element') {
      inArray = true
      expects = 'comma'
      frames.push(frame)
    } else if (what === 'key') {
      key = frame.text.slice(1, -1)
      expects = 'colon'
    } else expects = 'comma'
    what = undefined
  }
  return {
    push(chunk) {
      const frames: Frame[] = []
      let from = 0
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at]!
        if (what === undefined) {
          between(byte)
          if (what !== undefined) from = at
        } else if (endsBefore(byte)) {
          finish(chunk.subarray(from, at), frames)
          between(byte)
        } else if (inside(byte)) finish(chunk.subarray(from, at + 1), frames)
        if (byte === NEWLINE) {
          line++
          column = 1
        } else if ((byte & 0xc0) !== 0x80) column += byte >= 0xf0 ? 2 : 1
      }
      if (what !== undefined) kept.keep(chunk.subarray(from), start.line)
      return frames
    },
    end() {
      if (expects !== 'end' || what !== undefined)
        fail('expected the end of the JSON document, got the end of the file: the file is cut short')
      return []
    },
    get line() {
      return line
    },
  }
}

/** The part of a row that came with earlier chunks, bounded. */
class Kept {
  private parts: Buffer[] = []
  private bytes = 0
  private readonly file: string
  private readonly mostBytes: number

  constructor(file: string, mostBytes: number) {
    this.file = file
    this.mostBytes = mostBytes
  }

  keep(part: Buffer, line: number): void {
    if (!part.length) return
    this.bytes += part.length
    if (this.bytes > this.mostBytes)
      throw new DataError(`expected rows of at most ${this.mostBytes / 2 ** 20} MiB, got a longer one: split it`, {
        file: this.file,
        line,
      })
    this.parts.push(part)
  }

  take(last: Buffer, line: number, column: number): Frame {
    this.keep(last, line)
    const whole = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts)
    this.parts = []
    this.bytes = 0
    return new Frame(whole, { file: this.file, line, column })
  }
}

/** Most rows begin with a sign of ASCII, and are not blank whatever follows. */
function isInk(byte: number | undefined): boolean {
  return byte !== undefined && byte > 32 && byte < 127
}

function decode(
  bytes: Buffer,
  { file, line, column }: { file: string; line: number; column: number },
): { text: string; flaw?: DataError } {
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8')
    return { text: text.endsWith('\r') ? text.slice(0, -1) : text }
  }
  const { offset, units } = firstFlaw(bytes)
  const flaw = new DataError(
    `expected UTF-8, got byte 0x${(bytes[offset] ?? 0).toString(16)}: save the file as UTF-8`,
    {
      file,
      line,
      column: column + units,
    },
  )
  return { text: '', flaw }
}

/** Where lossy decoding first had to put U+FFFD: in bytes, and in UTF-16 units. */
function firstFlaw(bytes: Buffer): { offset: number; units: number } {
  const text = bytes.toString('utf8')
  let offset = 0
  for (let units = 0; units < text.length; units++) {
    const unit = text.charCodeAt(units)
    const isReplaced =
      unit === 0xfffd && !(bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd)
    if (isReplaced) return { offset, units }
    // Each half of a surrogate pair stands for two of its four bytes.
    offset += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3
  }
  return { offset, units: text.length }
}
