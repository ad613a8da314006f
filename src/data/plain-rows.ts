// Rows that need no parsing: one flat JSON object of texts, written as RFC 8785 would write them but for spaces and the order
// of the fields. Such a row's canonical form is its own bytes in another order. Anything else, and every fault, goes the
// long way, by `parseJson` and the schemas; what is taken here is what those would accept unchanged.
import { isUtf8 } from 'node:buffer'
import { type Kind, normalise } from './normalise.ts'

/** Fields of a row, and lists of fields in a file. Beyond them rows go the long way. */
const MOST_FIELDS = 64
const MOST_LISTS = 64

const QUOTE = 34
const COMMA = 44
const COLON = 58
const BACKSLASH = 92
const OPEN = 0x7b
const CLOSE = 0x7d
/** Escapes that JSON.stringify writes too: \" \\ \b \f \n \r \t */
const IS_ESCAPE = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
)

/** A list of fields that the schema accepts with any texts that are not blank. */
type Fields = {
  shape: string
  /** The names in the order of the file. */
  names: Buffer[]
  /** For each field in canonical order: which of the file's it is, and what stands before its value. */
  order: { field: number; before: Buffer }[]
}

export class PlainRows {
  /** Bytes of the canonical form of the row that was read last. */
  size = 0
  /** Its shape, as `normalise` names it. */
  shape = ''
  private bytes: Buffer = Buffer.alloc(0)
  /** Names without quotes, values with them: where each begins and ends. */
  private readonly names = new Int32Array(2 * MOST_FIELDS)
  private readonly values = new Int32Array(2 * MOST_FIELDS)
  private count = 0
  private fields: Fields | undefined
  private readonly known = new Map<string, Fields | undefined>()
  private readonly kind: Kind

  constructor(kind: Kind) {
    this.kind = kind
  }

  /** False for a row that is not plain. */
  read(bytes: Buffer): boolean {
    this.bytes = bytes
    if (!this.cut()) return false
    if (!this.fields || !this.hasNames(this.fields.names)) this.fields = this.lookUp()
    if (!this.fields) return false
    this.size = 1
    for (let i = 0; i < this.count; i++)
      this.size += this.fields.order[i]!.before.length + this.values[2 * i + 1]! - this.values[2 * i]!
    this.shape = this.fields.shape
    return true
  }

  /** Writes the canonical form of the row that was read last; answers where it ends. */
  write(to: Buffer, at: number): number {
    const { bytes, values } = this
    for (const { field, before } of this.fields!.order) {
      for (let i = 0; i < before.length; i++) to[at++] = before[i]!
      at += bytes.copy(to, at, values[2 * field], values[2 * field + 1])
    }
    to[at] = CLOSE
    return at + 1
  }

  /** Finds names and values; false for a row that is not plain. */
  private cut(): boolean {
    const { bytes } = this
    this.count = 0
    let at = skipSpace(bytes, 0)
    if (bytes[at] !== OPEN) return false
    do {
      if (this.count === MOST_FIELDS) return false
      const name = skipSpace(bytes, at + 1)
      const nameEnd = nameEndOf(bytes, name)
      const colon = skipSpace(bytes, nameEnd + 1)
      if (nameEnd < 0 || bytes[colon] !== COLON) return false
      const value = skipSpace(bytes, colon + 1)
      const valueEnd = textEndOf(bytes, value)
      if (valueEnd < 0) return false
      this.names[2 * this.count] = name + 1
      this.names[2 * this.count + 1] = nameEnd
      this.values[2 * this.count] = value
      this.values[2 * this.count + 1] = valueEnd
      this.count++
      at = skipSpace(bytes, valueEnd)
    } while (bytes[at] === COMMA)
    return bytes[at] === CLOSE && skipSpace(bytes, at + 1) === bytes.length && isUtf8(bytes)
  }

  private hasNames(names: Buffer[]): boolean {
    if (names.length !== this.count) return false
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      const from = this.names[2 * i]!
      if (this.names[2 * i + 1]! - from !== name.length) return false
      for (let j = 0; j < name.length; j++) if (this.bytes[from + j] !== name[j]) return false
    }
    return true
  }

  private lookUp(): Fields | undefined {
    const names = Array.from({ length: this.count }, (_, i) =>
      this.bytes.toString('latin1', this.names[2 * i], this.names[2 * i + 1]),
    )
    const key = names.join('"')
    if (!this.known.has(key) && this.known.size < MOST_LISTS) this.known.set(key, fieldsOf(names, this.kind))
    return this.known.get(key)
  }
}

/** Asks the schema once: texts that it takes as they are stand for all texts, since it tells none from another. */
function fieldsOf(names: string[], kind: Kind): Fields | undefined {
  if (new Set(names).size < names.length || names.includes('__proto__')) return undefined
  const result = normalise(Object.fromEntries(names.map((name) => [name, 'text'])), kind)
  if (!('row' in result)) return undefined
  const row = Object.entries(result.row)
  if (row.length !== names.length || row.some(([name, value]) => !names.includes(name) || value !== 'text'))
    return undefined
  const order = [...names.keys()].sort((a, b) => (names[a]! < names[b]! ? -1 : 1))
  return {
    shape: result.shape,
    names: names.map((name) => Buffer.from(name)),
    order: order.map((field, i) => ({ field, before: Buffer.from(`${i ? ',' : '{'}"${names[field]}":`) })),
  }
}

function skipSpace(bytes: Buffer, at: number): number {
  for (;;) {
    const byte = bytes[at]
    if (byte !== 32 && byte !== 9 && byte !== 10 && byte !== 13) return at
    at++
  }
}

/** Where a name's closing quote is: of printable ASCII without escapes; -1 otherwise. */
function nameEndOf(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) return -1
  for (let i = at + 1; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) return i
    if (byte < 32 || byte > 126 || byte === BACKSLASH) return -1
  }
  return -1
}

/** Behind a text's closing quote: of a text in canonical form that has a letter, digit or sign of ASCII, so that it is not blank; -1 otherwise. */
function textEndOf(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) return -1
  let hasInk = false
  for (let i = at + 1; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) return hasInk ? i + 1 : -1
    if (byte === BACKSLASH) {
      if (IS_ESCAPE[bytes[++i]!] !== 1) return -1
    } else if (byte > 32) hasInk ||= byte < 127
    else if (byte < 32) return -1
  }
  return -1
}
