// The safetensors format: 8 bytes little-endian header length, a JSON header, then the tensors' bytes with no gap.
// https://huggingface.co/docs/safetensors; every rule of it is checked before a byte of data is touched, and each
// breach is a DataError. The header is read by a parser of its own (safetensors-header.ts). Tensors are read when asked
// for, so a model is never in memory twice. Left out: sub-byte dtypes (F4, F6), refused by name.
import fs from 'node:fs'
import { DataError, invariant } from '#errors'
import { type Content, type Disk, writeDurable, type Written } from '#files'
import { DTYPE_BYTES, type Dtype, type HeaderTensor, parseHeader, RESERVED } from './safetensors-header.ts'

export { DTYPE_BYTES, type Dtype }

/** `bytes()`: a fresh copy, little-endian, row-major, read from the file at each call; its buffer starts at offset 0. */
export type StoredTensor = { dtype: Dtype; shape: number[]; byteLength: number; bytes: () => Uint8Array }
export type Safetensors = { metadata: Record<string, string>; tensors: Map<string, StoredTensor> }

/** What is to be written; `bytes` may be a function, called when its turn comes, so that not all tensors lie in memory at once. */
export type TensorEntry = {
  name: string
  dtype: Dtype
  shape: readonly number[]
  bytes: Uint8Array | (() => Uint8Array)
}

/** The format's own limit for a header. */
export const HEADER_LIMIT = 100_000_000
const LENGTH_BYTES = 8

/** Reads and checks the header. Any breach of the format, or a file that cannot be read, is a DataError naming file and tensor. */
export function readSafetensors(path: string): Safetensors {
  const fd = open(path)
  try {
    const size = fs.fstatSync(fd).size
    const headerBytes = headerLength(fd, size, path)
    const text = decodeHeader(readRange(fd, LENGTH_BYTES, headerBytes, path), path)
    const dataStart = LENGTH_BYTES + headerBytes
    const { metadata, tensors } = parseHeader(text, path)
    checkLayout(tensors, size - dataStart, path)
    const stored = new Map<string, StoredTensor>()
    for (const [name, { dtype, shape, begin, end }] of tensors) {
      const bytes = () => readTensor(path, dataStart + begin, end - begin)
      stored.set(name, { dtype, shape, byteLength: end - begin, bytes })
    }
    return { metadata, tensors: stored }
  } finally {
    fs.closeSync(fd)
  }
}

/** Writes the file durably. Widest dtype first, then by name, so that every tensor is aligned and the bytes do not depend on the order given. */
export function writeSafetensors(
  path: string,
  entries: Iterable<TensorEntry>,
  metadata: Record<string, string> = {},
  disk: Disk = fs,
): Written {
  return writeDurable(path, encodeSafetensors(entries, metadata), disk)
}

/** The file as a stream of pieces: header, then each tensor. It says how long it will be. */
export function encodeSafetensors(entries: Iterable<TensorEntry>, metadata: Record<string, string>): Content {
  const sorted = [...entries].sort((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype] || (a.name < b.name ? -1 : 1))
  let offset = 0
  const members = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : []
  const names = new Set<string>()
  for (const { name, dtype, shape } of sorted) {
    invariant(!names.has(name) && !RESERVED.has(name), `tensor name ${name} is reserved or used twice`)
    names.add(name)
    const end = offset + byteLengthOf(dtype, shape)
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`)
    offset = end
  }
  const header = Buffer.from(`{${members.join(',')}}`)
  // Spaces after the header bring the data to a multiple of 8.
  const padded = Math.ceil(header.byteLength / 8) * 8
  const head = Buffer.alloc(LENGTH_BYTES + padded, ' ')
  head.writeBigUInt64LE(BigInt(padded), 0)
  head.set(header, LENGTH_BYTES)
  return { byteLength: head.byteLength + offset, [Symbol.iterator]: () => pieces(head, sorted) }
}

function* pieces(head: Uint8Array, entries: TensorEntry[]): Generator<Uint8Array> {
  yield head
  for (const { name, dtype, shape, bytes } of entries) {
    const content = typeof bytes === 'function' ? bytes() : bytes
    const expected = byteLengthOf(dtype, shape)
    invariant(content.byteLength === expected, `${name} needs ${expected} bytes, got ${content.byteLength}`)
    yield content
  }
}

function byteLengthOf(dtype: Dtype, shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, DTYPE_BYTES[dtype])
}

function open(path: string): number {
  try {
    return fs.openSync(path, 'r')
  } catch (cause) {
    throw new DataError('cannot be opened; expected a safetensors file', { file: path }, { cause })
  }
}

function headerLength(fd: number, size: number, file: string): number {
  if (size < LENGTH_BYTES) throw new DataError(`expected at least ${LENGTH_BYTES} bytes, got ${size}`, { file })
  const length = Buffer.from(readRange(fd, 0, LENGTH_BYTES, file).buffer).readBigUInt64LE(0)
  if (length > BigInt(HEADER_LIMIT))
    throw new DataError(
      `expected a header of at most ${HEADER_LIMIT} bytes, got ${length}; is this a safetensors file?`,
      {
        file,
      },
    )
  if (length > BigInt(size - LENGTH_BYTES))
    throw new DataError(
      `expected a header within the file's ${size} bytes, got length ${length}; is the file cut off?`,
      {
        file,
      },
    )
  return Number(length)
}

function decodeHeader(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new DataError('expected a header in UTF-8', { file }, { cause })
  }
}

/** Tensors must tile the data exactly: each begins where the one before ended, the last ends with the file. */
function checkLayout(tensors: Map<string, HeaderTensor>, dataBytes: number, file: string): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  let at = 0
  for (const [name, { dtype, shape, begin, end }] of inOrder) {
    const fail = (message: string) => new DataError(message, { file, field: name })
    if (end < begin) throw fail(`expected data_offsets to ascend, got [${begin}, ${end}]`)
    if (end > dataBytes) throw fail(`expected data within ${dataBytes} bytes, got end ${end}; is the file cut off?`)
    if (begin < at) throw fail(`overlaps the tensor before it: begins at ${begin}, expected ${at}`)
    if (begin > at) throw fail(`leaves a hole: begins at ${begin}, expected ${at}`)
    const needed = exactBytes(dtype, shape)
    if (needed !== BigInt(end - begin))
      throw fail(`${dtype} of shape [${shape.join(', ')}] needs ${needed} bytes, got ${end - begin}`)
    at = end
  }
  if (at !== dataBytes) throw new DataError(`expected tensors to fill ${dataBytes} bytes, got ${at}`, { file })
}

/** Exact whatever the shape: a product of doubles could round to a length that fits. */
function exactBytes(dtype: Dtype, shape: number[]): bigint {
  return shape.reduce((product, n) => product * BigInt(n), BigInt(DTYPE_BYTES[dtype]))
}

function readTensor(path: string, start: number, length: number): Uint8Array {
  const fd = open(path)
  try {
    return readRange(fd, start, length, path)
  } finally {
    fs.closeSync(fd)
  }
}

function readRange(fd: number, start: number, length: number, file: string): Uint8Array {
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let done = 0
  while (done < length) {
    const read = readSome(fd, bytes.subarray(done), start + done, file)
    if (read === 0) throw new DataError(`ended at byte ${start + done}; it was cut off while in use`, { file })
    done += read
  }
  return bytes
}

function readSome(fd: number, into: Uint8Array, position: number, file: string): number {
  try {
    return fs.readSync(fd, into, 0, into.byteLength, position)
  } catch (cause) {
    throw new DataError('cannot be read; expected a safetensors file', { file }, { cause })
  }
}
