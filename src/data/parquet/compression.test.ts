import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decompressPage } from './compression.ts'

/** Literals, then copies that overlap themselves and that do not, with offsets of one, two and four bytes. */
const SNAPPY = Buffer.from([
  19,
  (4 << 2) | 0,
  ...Buffer.from('abcde'),
  0b000_001_01,
  5, // 5 bytes from 5 back
  (2 << 2) | 2,
  1,
  0, // 3 bytes from 1 back
  (1 << 2) | 3,
  13,
  0,
  0,
  0, // 2 bytes from 13 back
  60 << 2,
  3,
  ...Buffer.from('wxyz'),
])

test('Snappy copies what it refers to', () => {
  expect(decompressPage(SNAPPY, 'SNAPPY', 19).toString()).toBe('abcdeabcdeeeeabwxyz')
})

test.each<[string, number[], number]>([
  ['of another length than declared', [...SNAPPY], 18],
  ['cut', [...SNAPPY.subarray(0, -1)], 19],
  ['longer than it says', [2, (4 << 2) | 0, ...Buffer.from('abcde')], 2],
  ['shorter than it says', [9, (4 << 2) | 0, ...Buffer.from('abcde')], 9],
  ['that copies from before its beginning', [6, 0, 97, 0b000_001_01, 2], 6],
  ['that copies from nowhere', [6, 0, 97, 0b000_001_01, 0], 6],
  ['with a literal of 4 GiB', [6, 63 << 2, 0xf0, 0xff, 0xff, 0xff, 97], 6],
])('Snappy %s is damaged', (_, bytes, size) => {
  expect(() => decompressPage(Buffer.from(bytes), 'SNAPPY', size)).toThrow(/expected sound Parquet/)
})

/** 2000 matches of 65,539 bytes or more in 14 bytes, as often as wanted. */
function zstd(blocks: number): Buffer {
  const body = [0, 128 + (2000 >> 8), 2000 & 255, 0x54, 0, 0, 52, 0, 0, 0, 0, 1]
  const block = (isLast: boolean) => [(body.length << 3) | (2 << 1) | (isLast ? 1 : 0), 0, 0, ...body]
  const all = Array.from({ length: blocks }, (_, i) => block(i === blocks - 1)).flat()
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 200, ...all])
}

test('zstd that says more than its page is given up at the next block', () => {
  // Each block takes a tenth of a second or so: a thousand would outlast the test.
  expect(() => decompressPage(zstd(1000), 'ZSTD', 200)).toThrow(/expected sound Parquet/)
})

test('gzip and Brotli are cut off where the page should end', () => {
  expect(decompressPage(brotliCompressSync('x'.repeat(100)), 'BROTLI', 100).toString()).toBe('x'.repeat(100))
  expect(() => decompressPage(brotliCompressSync('x'.repeat(101)), 'BROTLI', 100)).toThrow(/cannot be decompressed/)
  expect(decompressPage(gzipSync('x'.repeat(100)), 'GZIP', 100)).toHaveLength(100)
  expect(() => decompressPage(gzipSync('x'.repeat(101)), 'GZIP', 100)).toThrow(/cannot be decompressed/)
})

test.each(['LZO', 'LZ4', 'LZ4_RAW'] as const)('%s is refused by name', (codec) => {
  expect(() => decompressPage(Buffer.from('x'), codec, 1)).toThrow(codec)
})
