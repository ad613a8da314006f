// Bytes in order, never past their end, and Thrift's compact protocol over them, as far as Parquet's footer and page headers
// need it: fields that nobody asks for are skipped without being kept, so that memory goes by what is asked for.
// github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
import { DataError } from '#errors'

const MOST_DEPTH = 24
const STOP = 0
const TRUE = 1
const FALSE = 2
const BYTE = 3
const I64 = 6
const DOUBLE = 7
const BINARY = 8
const LIST = 9
const SET = 10
const STRUCT = 12

/** What a sound writer never writes. */
export function damaged(what: string): never {
  throw new DataError(`expected sound Parquet, got ${what}: copy the file again, or write it anew`)
}

export class Cursor {
  readonly bytes: Buffer
  at: number
  readonly end: number

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    if (at < 0 || end > bytes.length || at > end) damaged('a length that leads out of the file')
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get left(): number {
    return this.end - this.at
  }

  /** Steps over so many bytes and answers where they begin. */
  skip(count: number): number {
    if (!(count >= 0 && count <= this.left)) damaged('a length that leads past the end')
    const from = this.at
    this.at += count
    return from
  }

  byte(): number {
    return this.bytes[this.skip(1)]!
  }

  take(count: number): Buffer {
    const from = this.skip(count)
    return this.bytes.subarray(from, from + count)
  }

  /** Below 2^53 exact; above it damaged. */
  varint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 64; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    return damaged('a number of more than 64 bits')
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

/** Reads a struct: `read` takes the fields that it knows, of the type that it is told, and answers false to the others. */
export function readStruct(cursor: Cursor, read: (id: number, type: number) => boolean, depth = 0): void {
  if (depth > MOST_DEPTH) damaged(`more than ${MOST_DEPTH} levels of structs`)
  for (let id = 0; ; ) {
    const head = cursor.byte()
    const type = head & 15
    if (type === STOP) return
    id = head >> 4 ? id + (head >> 4) : cursor.zigzag()
    if (!read(id, type)) skipValue(cursor, type, depth)
  }
}

export function readInteger(cursor: Cursor, type: number): number {
  if (type === BYTE) return (cursor.byte() << 24) >> 24
  if (type < BYTE || type > I64) damaged('another value where a whole number stands')
  return cursor.zigzag()
}

export function readText(cursor: Cursor, type: number): string {
  if (type !== BINARY) damaged('another value where a text stands')
  return cursor.take(cursor.varint()).toString('utf8')
}

export function isTrue(type: number): boolean {
  if (type !== TRUE && type !== FALSE) damaged('another value where yes or no stands')
  return type === TRUE
}

export function mustBeStruct(type: number): void {
  if (type !== STRUCT) damaged('another value where a struct stands')
}

export function readList(cursor: Cursor, type: number, each: (type: number) => void): void {
  if (type !== LIST) damaged('another value where a list stands')
  const head = cursor.byte()
  const size = head >> 4 === 15 ? cursor.varint() : head >> 4
  // An element takes a byte or more.
  if (size > cursor.left) damaged('a list longer than the file')
  for (let i = 0; i < size; i++) each(head & 15)
}

function skipValue(cursor: Cursor, type: number, depth: number): void {
  if (depth > MOST_DEPTH) damaged(`more than ${MOST_DEPTH} levels of values`)
  if (type === TRUE || type === FALSE) return
  if (type === BYTE) cursor.skip(1)
  else if (type > BYTE && type <= I64) cursor.varint()
  else if (type === DOUBLE) cursor.skip(8)
  else if (type === BINARY) cursor.skip(cursor.varint())
  else if (type === STRUCT) readStruct(cursor, () => false, depth + 1)
  else if (type === LIST || type === SET)
    readList(cursor, LIST, (element) => {
      if (element === TRUE || element === FALSE) cursor.skip(1)
      else skipValue(cursor, element, depth + 1)
    })
  else damaged(`a value of the unknown type ${type}`)
}
