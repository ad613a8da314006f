// Parquet's encodings, each as a function that gives the next value: nothing is allocated by a length that a file declares
// but does not hold. github.com/apache/parquet-format, Encodings.md. Left out: the deprecated BIT_PACKED.
import { DataError } from '#errors'
import { type Cursor, damaged } from './cursor.ts'
import type { Column } from './footer.ts'

/** A value as it lies in the file: INT64 as bigint, bytes as bytes. */
export type Raw = boolean | number | bigint | Buffer

/** Lengths of texts stand before all of them, and equal ones take no room: they alone are held. */
const MOST_LENGTHS = 4_000_000

export function plainValues(column: Column, cursor: Cursor): () => Raw {
  const { bytes } = cursor
  switch (column.type) {
    case 'BOOLEAN': {
      let bit = 8
      let byte = 0
      return () => {
        if (bit === 8) {
          byte = cursor.byte()
          bit = 0
        }
        return ((byte >> bit++) & 1) === 1
      }
    }
    case 'INT32':
      return () => bytes.readInt32LE(cursor.skip(4))
    case 'INT64':
      return () => bytes.readBigInt64LE(cursor.skip(8))
    case 'INT96':
      return () => cursor.take(12)
    case 'FLOAT':
      return () => bytes.readFloatLE(cursor.skip(4))
    case 'DOUBLE':
      return () => bytes.readDoubleLE(cursor.skip(8))
    case 'BYTE_ARRAY':
      return () => cursor.take(bytes.readUInt32LE(cursor.skip(4)))
    case 'FIXED':
      if (!(column.length > 0)) damaged('values of no length')
      return () => cursor.take(column.length)
    case undefined:
      return damaged('values of a group')
    default:
      return column.type satisfies never
  }
}

/** The hybrid of runs and bit-packed groups: levels, indices into a dictionary, booleans. */
export function runs(cursor: Cursor, width: number): () => number {
  if (width > 32) damaged(`numbers of ${width} bits`)
  if (width === 0) return () => 0
  let left = 0
  let value = 0
  let isRun = true
  let bit = 0
  let bitEnd = 0
  const begin = (): number => {
    const head = cursor.varint()
    isRun = head % 2 === 0
    const count = isRun ? head / 2 : 8 * Math.floor(head / 2)
    if (isRun) {
      const bytes = Math.ceil(width / 8)
      value = cursor.bytes.readUIntLE(cursor.skip(bytes), bytes)
    } else {
      // Some writers cut the padding of the last group.
      bit = 8 * cursor.at
      cursor.skip(Math.min(cursor.left, (count / 8) * width))
      bitEnd = 8 * cursor.at
    }
    return count
  }
  return () => {
    while (left === 0) left = begin()
    left--
    if (isRun) return value
    if (bit + width > bitEnd) damaged('fewer numbers than it says')
    const number = bitsAt(cursor.bytes, bit, width)
    bit += width
    return number
  }
}

function bitsAt(bytes: Buffer, bit: number, width: number): number {
  let value = 0
  for (let taken = 0; taken < width; ) {
    const within = (bit + taken) & 7
    const count = Math.min(8 - within, width - taken)
    value += ((bytes[(bit + taken) >> 3]! >> within) & ((1 << count) - 1)) * 2 ** taken
    taken += count
  }
  return value
}

/** DELTA_BINARY_PACKED. Arithmetic wraps at 64 bits, and for INT32 at 32. */
export function deltas(cursor: Cursor): { total: number; next: () => bigint } {
  const blockSize = cursor.varint()
  const miniblocks = cursor.varint()
  const total = cursor.varint()
  const size = blockSize / miniblocks
  if (!(miniblocks >= 1 && miniblocks <= cursor.end && Number.isInteger(size) && size % 8 === 0 && size > 0))
    damaged('blocks of deltas of an impossible size')
  let value = wideZigzag(cursor)
  let given = 0
  let least = 0n
  let widths: Buffer = Buffer.alloc(0)
  let miniblock = miniblocks
  let within = size
  let bit = 0
  const begin = () => {
    if (++miniblock >= miniblocks) {
      least = wideZigzag(cursor)
      widths = cursor.take(miniblocks)
      miniblock = 0
    }
    within = 0
    const width = widths[miniblock]!
    if (width > 64) damaged(`deltas of ${width} bits`)
    bit = 8 * cursor.skip(Math.min(cursor.left, (size / 8) * width))
  }
  return {
    total,
    next: () => {
      if (given === total) damaged('fewer deltas than values')
      if (given++ === 0) return value
      if (within === size) begin()
      const width = widths[miniblock]!
      if (bit + width > 8 * cursor.at) damaged('fewer deltas than it says')
      value = BigInt.asIntN(64, value + least + wideBitsAt(cursor.bytes, bit, width))
      within++
      bit += width
      return value
    },
  }
}

function wideBitsAt(bytes: Buffer, bit: number, width: number): bigint {
  if (width <= 32) return BigInt(bitsAt(bytes, bit, width))
  return BigInt(bitsAt(bytes, bit, 32)) | (BigInt(bitsAt(bytes, bit + 32, width - 32)) << 32n)
}

function wideZigzag(cursor: Cursor): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = cursor.byte()
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
  }
  return damaged('a number of more than 64 bits')
}

function lengthsOf(cursor: Cursor, most: number): Int32Array {
  const { total, next } = deltas(cursor)
  if (total > most) damaged('more texts than values')
  if (total > MOST_LENGTHS)
    throw new DataError(`expected at most ${MOST_LENGTHS} texts in a page, got ${total}: write smaller pages`)
  const lengths = new Int32Array(total)
  // An empty page still has its first value.
  for (let i = 0; i < total; i++) lengths[i] = Number(next())
  return lengths
}

/** DELTA_LENGTH_BYTE_ARRAY: `most` values at most. */
export function deltaLengthTexts(cursor: Cursor, most: number): () => Buffer {
  const lengths = lengthsOf(cursor, most)
  let i = 0
  return () => cursor.take(lengths[i++] ?? -1)
}

/** DELTA_BYTE_ARRAY: each begins as the one before it. `mostBytes`: of one. */
export function deltaTexts(cursor: Cursor, most: number, mostBytes: number): () => Buffer {
  const shared = lengthsOf(cursor, most)
  const suffix = deltaLengthTexts(cursor, most)
  let i = 0
  let before: Buffer = Buffer.alloc(0)
  return () => {
    const length = shared[i++] ?? -1
    const end = suffix()
    if (length < 0 || length > before.length) damaged('a text that shares more than there is')
    if (length + end.length > mostBytes) damaged('a text longer than a row may be')
    before = length === 0 ? end : Buffer.concat([before.subarray(0, length), end])
    return before
  }
}

/** BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones. */
export function splitValues(column: Column, cursor: Cursor): () => Raw {
  const width = { INT32: 4, FLOAT: 4, INT64: 8, DOUBLE: 8, FIXED: column.length }[column.type as string] ?? 0
  if (!(width > 0 && width <= cursor.left && cursor.left % width === 0)) damaged('split bytes of an impossible length')
  const count = cursor.left / width
  const from = cursor.at
  const { bytes } = cursor
  let i = 0
  return () => {
    if (i === count) damaged('fewer values than it says')
    const one = Buffer.alloc(width)
    for (let b = 0; b < width; b++) one[b] = bytes[from + b * count + i]!
    i++
    if (column.type === 'INT32') return one.readInt32LE()
    if (column.type === 'FLOAT') return one.readFloatLE()
    if (column.type === 'INT64') return one.readBigInt64LE()
    if (column.type === 'DOUBLE') return one.readDoubleLE()
    return one
  }
}
