// GGUF's metadata: keys with values of thirteen kinds (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
// An array stays as the bytes it came in until it is asked for, so that a hostile file costs no more memory than its
// length. Left out: arrays of arrays, which llama.cpp refuses too.
import { DataError } from '#errors'
import type { HeaderBytes } from './header-bytes.ts'

/** By the number that stands for a kind in the file. Bytes: of one value; a string has its length before it. */
const KINDS = [
  { name: 'uint8', bytes: 1, read: (v: DataView, at: number) => v.getUint8(at) },
  { name: 'int8', bytes: 1, read: (v: DataView, at: number) => v.getInt8(at) },
  { name: 'uint16', bytes: 2, read: (v: DataView, at: number) => v.getUint16(at, true) },
  { name: 'int16', bytes: 2, read: (v: DataView, at: number) => v.getInt16(at, true) },
  { name: 'uint32', bytes: 4, read: (v: DataView, at: number) => v.getUint32(at, true) },
  { name: 'int32', bytes: 4, read: (v: DataView, at: number) => v.getInt32(at, true) },
  { name: 'float32', bytes: 4, read: (v: DataView, at: number) => v.getFloat32(at, true) },
  { name: 'bool', bytes: 1, read: (v: DataView, at: number) => v.getUint8(at) !== 0 },
  { name: 'string', bytes: 8 },
  { name: 'array', bytes: 12 },
  { name: 'uint64', bytes: 8, read: (v: DataView, at: number) => Number(v.getBigUint64(at, true)) },
  { name: 'int64', bytes: 8, read: (v: DataView, at: number) => Number(v.getBigInt64(at, true)) },
  { name: 'float64', bytes: 8, read: (v: DataView, at: number) => v.getFloat64(at, true) },
] as const

type Kind = (typeof KINDS)[number]
export type KindName = Kind['name']
/** An array as it lies in the file. */
export type Packed = { kind: Kind; count: number; bytes: Uint8Array }
/** 64-bit numbers above 2^53 are rounded: no key of a model needs one. */
export type Value = string | number | boolean | Packed
export type Metadata = ReadonlyMap<string, Value>

/** Real files have some dozens. */
const MOST_KEYS = 10_000
/** The format's own limit. */
const KEY_BYTES = 65_535
/** A key's length, its kind, and a byte of value. */
const LEAST_BYTES = 13

/** The next `count` keys and values. A breach of the format is a DataError that names the key. */
export function readMetadata(header: HeaderBytes, count: number): Metadata {
  const { file } = header
  if (count > MOST_KEYS || count * LEAST_BYTES > header.left())
    throw new DataError(`expected at most ${MOST_KEYS} keys that fit the file, got ${count}`, { file })
  const metadata = new Map<string, Value>()
  for (let i = 0; i < count; i++) {
    const key = readString(header, { what: `key ${i + 1} of the metadata`, most: KEY_BYTES })
    if (metadata.has(key)) throw new DataError('expected each key once, got it again', { file, field: key })
    metadata.set(key, readValue(header, key))
  }
  return metadata
}

/** A string with its length before it, in UTF-8. */
export function readString(header: HeaderBytes, { what, most }: { what: string; most: number }): string {
  const length = readCount(header, what)
  if (length > most || length > header.left())
    throw new DataError(`expected ${what} of at most ${most} bytes within the file, got ${length}`, {
      file: header.file,
    })
  return decodeText(header.take(length, what), { what, file: header.file })
}

/** A whole number of 64 bits. Above 2^53 it is rounded, and is too much for whatever it counts. */
export function readCount(header: HeaderBytes, what: string): number {
  return Number(viewOf(header.take(8, what)).getBigUint64(0, true))
}

export function readWord(header: HeaderBytes, what: string): number {
  return viewOf(header.take(4, what)).getUint32(0, true)
}

/** The numbers of an array. */
export function numbersOf({ kind, count, bytes }: Packed): number[] {
  const view = viewOf(bytes)
  if (!('read' in kind)) throw new Error(`invariant: an array of numbers, not of ${kind.name}`)
  return Array.from({ length: count }, (_, i) => Number(kind.read(view, i * kind.bytes)))
}

/** The strings of an array. Bytes that are no UTF-8 are a DataError. */
export function* stringsOf({ count, bytes }: Packed, { what, file }: { what: string; file: string }): Iterable<string> {
  const view = viewOf(bytes)
  let at = 0
  for (let i = 0; i < count; i++) {
    const end = at + 8 + Number(view.getBigUint64(at, true))
    yield decodeText(bytes.subarray(at + 8, end), { what, file })
    at = end
  }
}

function readValue(header: HeaderBytes, key: string): Value {
  const kind = readKind(header, key)
  if (kind.name === 'array') return readArray(header, key)
  if (kind.name === 'string') return readString(header, { what: key, most: header.left() })
  return kind.read(viewOf(header.take(kind.bytes, key)), 0)
}

function readArray(header: HeaderBytes, key: string): Packed {
  const { file } = header
  const kind = readKind(header, key)
  const count = readCount(header, key)
  if (kind.name === 'array') throw new DataError('is an array of arrays, which is not read', { file, field: key })
  if (count * kind.bytes > header.left())
    throw new DataError(`expected values within the file, got a count of ${count}; is it cut off?`, {
      file,
      field: key,
    })
  if (kind.name !== 'string') return { kind, count, bytes: header.take(count * kind.bytes, key) }
  const start = header.at
  for (let i = 0; i < count; i++) {
    const length = readCount(header, key)
    if (length > header.left())
      throw new DataError(`expected string ${i + 1} within the file, got a length of ${length}`, { file, field: key })
    header.take(length, key)
  }
  return { kind, count, bytes: header.since(start) }
}

function readKind(header: HeaderBytes, key: string): Kind {
  const number = readWord(header, key)
  const kind = KINDS[number]
  if (!kind)
    throw new DataError(`expected a kind of value from 0 to ${KINDS.length - 1}, got ${number}`, {
      file: header.file,
      field: key,
    })
  return kind
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeText(bytes: Uint8Array, { what, file }: { what: string; file: string }): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new DataError(`expected ${what} in UTF-8`, { file }, { cause })
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
