// The values of one leaf of a row group, page by page: at most one page and its dictionary are in memory. Each value comes
// with its levels, as the Dremel paper has them (research.google/pubs/pub36632). Checksums of pages are not looked at.
import fs from 'node:fs'
import { DataError } from '#errors'
import type { Json } from '../json.ts'
import { MOST_BYTES, MOST_PAGES_HELD_BYTES, MOST_ROW_BYTES } from '../limits.ts'
import { decompressPage } from './compression.ts'
import { Cursor, damaged, isTrue, mustBeStruct, readInteger, readStruct } from './cursor.ts'
import { deltaLengthTexts, deltas, deltaTexts, plainValues, type Raw, runs, splitValues } from './encodings.ts'
import { type Chunk, type Column, TYPES } from './footer.ts'
import { meaningOf } from './values.ts'

const PLAIN = 0
const PLAIN_DICTIONARY = 2
const RLE = 3
const DELTA_BINARY_PACKED = 5
const DELTA_LENGTH_BYTE_ARRAY = 6
const DELTA_BYTE_ARRAY = 7
const RLE_DICTIONARY = 8
const BYTE_STREAM_SPLIT = 9
/** Enough for the header of a page, mostly; with statistics of long texts it may take more. */
const HEADER_BYTES = 1 << 16
const MOST_HEADER_BYTES = 1 << 24

/** What the pages of a file take: `held` in memory now, `read` in all, in bytes after decompression. */
export type Room = { held: number; read: number }

type Header = {
  type: number
  packed: number
  size: number
  values: number
  encoding: number
  /** Of the second version of pages: bytes of levels, and whether what follows them is compressed. */
  repetition: number
  definition: number
  isPacked: boolean
}

export class Values {
  /** Of the value that was taken last: how much of its path is there, and the value where all of it is. */
  definition = 0
  value: Json = null
  /** Why the value that was taken last cannot be said. */
  flaw: DataError | undefined
  readonly column: Column
  private readonly fd: number
  private readonly chunk: Chunk
  private readonly room: Room
  private readonly say: (raw: Raw) => Json
  private at: number
  private given = 0
  private left = 0
  private ahead = -1
  private pageBytes = 0
  private repetitions: () => number = () => 0
  private definitions: () => number = () => 0
  private next: () => Json = () => null
  private dictionary: ((index: number) => Json) | undefined
  private dictionaryBytes = 0

  constructor(fd: number, { column, chunk, room }: { column: Column; chunk: Chunk; room: Room }) {
    this.fd = fd
    this.column = column
    this.chunk = chunk
    this.room = room
    this.at = chunk.start
    this.say = meaningOf(column)
  }

  /** The level at which the next value goes on with a list, 0 where it begins a row; -1 after the last. */
  peek(): number {
    if (this.ahead >= 0) return this.ahead
    while (this.left === 0) {
      if (this.given === this.chunk.values) return -1
      this.turnPage()
    }
    const level = this.repetitions()
    if (level > this.column.lists) damaged('a level deeper than its column')
    return (this.ahead = level)
  }

  take(): void {
    if (this.peek() < 0) damaged('fewer values than rows')
    this.ahead = -1
    this.left--
    this.given++
    this.flaw = undefined
    this.value = null
    this.definition = this.definitions()
    if (this.definition > this.column.definition) damaged('a level deeper than its column')
    if (this.definition < this.column.definition) return
    try {
      this.value = this.next()
    } catch (error) {
      if (!(error instanceof Unsaid)) throw error
      this.flaw = error.reason
    }
  }

  close(): void {
    this.room.held -= this.pageBytes + this.dictionaryBytes
    this.pageBytes = this.dictionaryBytes = 0
  }

  private turnPage(): void {
    this.room.held -= this.pageBytes
    this.pageBytes = 0
    const header = this.readHeader()
    if (header.packed < 0 || header.size < 0 || this.at + header.packed > this.chunk.end)
      damaged('a page that leads out of its column')
    const from = this.at
    this.at += header.packed
    // An index page says nothing about values.
    if (header.type === 1) return
    this.makeRoom(header.size)
    const bytes = readBytes(this.fd, from, header.packed)
    if (header.type === 2) {
      const page = decompressPage(bytes, this.chunk.codec, header.size)
      this.readDictionary(page, header)
      return
    }
    this.pageBytes = header.size
    this.left = header.values
    if (header.values < 0 || this.given + header.values > this.chunk.values) damaged('more values than its column has')
    if (header.type === 0) this.readPage(decompressPage(bytes, this.chunk.codec, header.size), header)
    else if (header.type === 3) this.readPage2(bytes, header)
    else damaged('a page of an unknown type')
  }

  private makeRoom(size: number): void {
    this.room.held += size
    this.room.read += size
    if (this.room.held > MOST_PAGES_HELD_BYTES)
      throw new DataError(
        `expected pages that take at most ${MOST_PAGES_HELD_BYTES / 2 ** 20} MiB at once, got more: write smaller pages`,
      )
    if (this.room.read > MOST_BYTES)
      throw new DataError(`expected at most ${MOST_BYTES / 2 ** 30} GiB after decompression, got more: split the file`)
  }

  private readHeader(): Header {
    const most = this.chunk.end - this.at
    if (most <= 0) damaged('fewer values than its column has')
    const bytes = readBytes(this.fd, this.at, Math.min(HEADER_BYTES, most))
    try {
      return this.parseHeader(bytes)
    } catch (error) {
      if (!(error instanceof DataError) || most <= HEADER_BYTES) throw error
      return this.parseHeader(readBytes(this.fd, this.at, Math.min(MOST_HEADER_BYTES, most)))
    }
  }

  private parseHeader(bytes: Buffer): Header {
    const cursor = new Cursor(bytes)
    const header: Header = {
      type: -1,
      packed: -1,
      size: -1,
      values: -1,
      encoding: -1,
      repetition: 0,
      definition: 0,
      isPacked: true,
    }
    readStruct(cursor, (id, type) => {
      if (id === 1) header.type = readInteger(cursor, type)
      else if (id === 2) header.size = readInteger(cursor, type)
      else if (id === 3) header.packed = readInteger(cursor, type)
      else if (id === 5 || id === 7) {
        mustBeStruct(type)
        readStruct(cursor, (field, inner) => {
          if (field === 1) header.values = readInteger(cursor, inner)
          else if (field === 2) header.encoding = readInteger(cursor, inner)
          else if (id === 5 && (field === 3 || field === 4)) {
            if (readInteger(cursor, inner) !== RLE && this.column.definition + this.column.lists > 0)
              throw new DataError('expected levels as runs, got the deprecated BIT_PACKED: write the file anew')
          } else return false
          return true
        })
      } else if (id === 8) {
        mustBeStruct(type)
        readStruct(cursor, (field, inner) => {
          if (field === 1) header.values = readInteger(cursor, inner)
          else if (field === 4) header.encoding = readInteger(cursor, inner)
          else if (field === 5) header.definition = readInteger(cursor, inner)
          else if (field === 6) header.repetition = readInteger(cursor, inner)
          else if (field === 7) header.isPacked = isTrue(inner)
          else return false
          return true
        })
      } else return false
      return true
    })
    this.at += cursor.at
    return header
  }

  private readPage(page: Buffer, header: Header): void {
    const cursor = new Cursor(page)
    const levels = (most: number) => {
      if (most === 0) return () => 0
      const length = page.readUInt32LE(cursor.skip(4))
      const from = cursor.skip(length)
      return runs(new Cursor(page, from, from + length), bitsOf(most))
    }
    this.repetitions = levels(this.column.lists)
    this.definitions = levels(this.column.definition)
    this.readValues(cursor, header)
  }

  private readPage2(bytes: Buffer, header: Header): void {
    const cursor = new Cursor(bytes)
    const levels = (most: number, length: number) => {
      const from = cursor.skip(length)
      return most === 0 ? () => 0 : runs(new Cursor(bytes, from, from + length), bitsOf(most))
    }
    this.repetitions = levels(this.column.lists, header.repetition)
    this.definitions = levels(this.column.definition, header.definition)
    const size = header.size - cursor.at
    if (size < 0) damaged('levels longer than their page')
    const rest = bytes.subarray(cursor.at)
    this.readValues(new Cursor(decompressPage(rest, header.isPacked ? this.chunk.codec : 'UNCOMPRESSED', size)), header)
  }

  private readValues(cursor: Cursor, { encoding, values }: Header): void {
    const { column } = this
    const said = (next: () => Raw) => () => this.sayOne(next())
    const mustBe = (...types: Column['type'][]) => {
      if (!types.includes(column.type)) damaged(`the encoding ${encoding} for ${column.type ?? TYPES[0]}`)
    }
    if (encoding === PLAIN) this.next = said(plainValues(column, cursor))
    else if (encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY) {
      const dictionary = this.dictionary ?? damaged('indices without their dictionary')
      if (cursor.left === 0) this.next = () => damaged('fewer values than it says')
      else {
        const index = runs(cursor, cursor.byte())
        this.next = () => dictionary(index())
      }
    } else if (encoding === RLE) {
      mustBe('BOOLEAN')
      if (cursor.left >= 4) cursor.skip(4)
      const bits = runs(cursor, 1)
      this.next = said(() => bits() === 1)
    } else if (encoding === DELTA_BINARY_PACKED) {
      mustBe('INT32', 'INT64')
      const { next } = deltas(cursor)
      this.next = said(column.type === 'INT32' ? () => Number(BigInt.asIntN(32, next())) : next)
    } else if (encoding === DELTA_LENGTH_BYTE_ARRAY) {
      mustBe('BYTE_ARRAY')
      this.next = said(deltaLengthTexts(cursor, values))
    } else if (encoding === DELTA_BYTE_ARRAY) {
      mustBe('BYTE_ARRAY', 'FIXED')
      this.next = said(deltaTexts(cursor, values, MOST_ROW_BYTES))
    } else if (encoding === BYTE_STREAM_SPLIT) this.next = said(splitValues(column, cursor))
    else damaged(`the unknown encoding ${encoding}`)
  }

  private sayOne(raw: Raw): Json {
    try {
      return this.say(raw)
    } catch (error) {
      if (error instanceof DataError) throw new Unsaid(error)
      throw error
    }
  }

  /** Values are found now, which bounds their number by the page, and said when first asked for. */
  private readDictionary(page: Buffer, { values, size }: Header): void {
    if (this.dictionary) damaged('two dictionaries for one column')
    this.dictionaryBytes = size
    const cursor = new Cursor(page)
    if (values < 0 || values > page.length) damaged('a dictionary of more values than bytes')
    const starts = new Uint32Array(values)
    const next = plainValues(this.column, cursor)
    for (let i = 0; i < values; i++) {
      starts[i] = cursor.at
      next()
    }
    const known = new Map<number, Json>()
    this.dictionary = (index) => {
      if (index >= values) damaged('an index outside its dictionary')
      let value = known.get(index)
      if (value === undefined) {
        value = this.sayOne(plainValues(this.column, new Cursor(page, starts[index]))())
        known.set(index, value)
      }
      return value
    }
  }
}

/** Wrong with a row, not with the file. */
class Unsaid extends Error {
  readonly reason: DataError
  constructor(reason: DataError) {
    super(reason.message)
    this.reason = reason
  }
}

function bitsOf(most: number): number {
  return 32 - Math.clz32(most)
}

/** Throws DataError where the file has become shorter. */
export function readBytes(fd: number, from: number, count: number): Buffer {
  const bytes = Buffer.alloc(count)
  let at = 0
  while (at < count) {
    const read = fs.readSync(fd, bytes, at, count - at, from + at)
    if (read === 0) damaged('the end of the file')
    at += read
  }
  return bytes
}
