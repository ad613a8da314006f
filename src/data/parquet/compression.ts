// Pages of Parquet decompressed into exactly the bytes that their headers declare, never more: Snappy here, because the
// decoders at hand trust lengths; gzip and Brotli by zlib; zstd by fzstd. Left out: LZO, LZ4.
import { createContext, Script } from 'node:vm'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { decompress } from 'fzstd'
import { DataError } from '#errors'
import { Cursor, damaged } from './cursor.ts'
import type { Chunk } from './footer.ts'

/** `size`: of the result, bytes; the caller bounds it. Throws DataError without a place. */
export function decompressPage(bytes: Buffer, codec: Chunk['codec'], size: number): Buffer {
  const page = size === 0 ? Buffer.alloc(0) : unpack(bytes, codec, size)
  if (page.length !== size) damaged(`a page of ${page.length} bytes where its header says ${size}`)
  return page
}

function unpack(bytes: Buffer, codec: Chunk['codec'], size: number): Buffer {
  switch (codec) {
    case 'UNCOMPRESSED':
      return bytes
    case 'SNAPPY':
      return unpackSnappy(bytes, size)
    case 'GZIP':
      return sound(() => gunzipSync(bytes, { maxOutputLength: size }))
    case 'BROTLI':
      return sound(() => brotliDecompressSync(bytes, { maxOutputLength: size }))
    case 'ZSTD':
      return unpackZstd(bytes, size)
    case 'LZO':
    case 'LZ4':
    case 'LZ4_RAW':
      throw new DataError(
        `expected Snappy, gzip, zstd, Brotli or no compression, got ${codec}: write it with one of them`,
      )
    default:
      return codec satisfies never
  }
}

/** The decompressors of others say in their own ways what is wrong. */
function sound<T>(unpackOne: () => T): T {
  try {
    return unpackOne()
  } catch {
    return damaged('a page that cannot be decompressed')
  }
}

/** A page of 1 MiB takes some 10 ms. */
const ZSTD_MILLISECONDS = 10_000
const ZSTD_BYTES_A_MILLISECOND = 4096
const timed = createContext({ unpack: () => new Uint8Array() })
const unpackTimed = new Script('unpack()')

/**
 * fzstd writes nothing past the end but counts on: a block of 20 bytes may say gigabytes, and take minutes. It asks for room
 * a block at a time; what one block takes, only a clock can bound.
 */
function unpackZstd(bytes: Buffer, size: number): Buffer {
  const page = new Uint8Array(size)
  const room = (from: number, to: number) => {
    if (from > size) damaged('a zstd page that grows too long')
    return Uint8Array.prototype.subarray.call(page, from, to)
  }
  Object.defineProperty(page, 'subarray', { value: room })
  timed.unpack = () => decompress(bytes, page)
  const timeout = ZSTD_MILLISECONDS + Math.ceil(size / ZSTD_BYTES_A_MILLISECOND)
  const unpacked = sound(() => unpackTimed.runInContext(timed, { timeout }) as Uint8Array)
  if (unpacked !== page) damaged('a zstd page of several frames')
  return Buffer.from(page.buffer)
}

/** github.com/google/snappy, format_description.txt. */
function unpackSnappy(bytes: Buffer, size: number): Buffer {
  const cursor = new Cursor(bytes)
  if (cursor.varint() !== size) damaged('a Snappy page of another length than its header says')
  const page = Buffer.alloc(size)
  let at = 0
  while (cursor.left) {
    const tag = cursor.byte()
    if ((tag & 3) === 0) {
      const short = tag >> 2
      const length = 1 + (short < 60 ? short : readLittle(cursor, short - 59))
      if (length > size - at) damaged('a Snappy page that grows too long')
      const from = cursor.skip(length)
      bytes.copy(page, at, from, from + length)
      at += length
      continue
    }
    const length = (tag & 3) === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const back = (tag & 3) === 1 ? ((tag >> 5) << 8) | cursor.byte() : readLittle(cursor, (tag & 3) === 2 ? 2 : 4)
    if (back < 1 || back > at || length > size - at) damaged('a Snappy page that refers outside itself')
    if (back >= length) page.copy(page, at, at - back, at - back + length)
    else for (let i = 0; i < length; i++) page[at + i] = page[at + i - back]!
    at += length
  }
  return page.subarray(0, at)
}

function readLittle(cursor: Cursor, count: number): number {
  const from = cursor.skip(count)
  return cursor.bytes.readUIntLE(from, count)
}
