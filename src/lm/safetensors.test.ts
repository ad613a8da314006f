import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DataError } from '#errors'
import { fuzzSafetensors } from '../../trials/safetensors-fuzz.ts'
import { readSafetensors, type TensorEntry, writeSafetensors } from './safetensors.ts'

let folder: string
let path: string
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-safetensors-'))
  path = join(folder, 'a.safetensors')
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

/** A file of this header (text, or an object to be written as JSON) and that many zero bytes of data. */
function put(header: unknown, dataBytes: number, headerBytes?: bigint): void {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(headerBytes ?? BigInt(text.length))
  fs.writeFileSync(path, Buffer.concat([length, text, Buffer.alloc(dataBytes)]))
}

const u8 = (begin: number, end: number) => ({ dtype: 'U8', shape: [end - begin], data_offsets: [begin, end] })

test('what is written is read back, aligned, and does not depend on the order given', () => {
  const values = new Float32Array([1.5, -2, 3, 0.25])
  const entries: TensorEntry[] = [
    { name: 'flags', dtype: 'U8', shape: [3], bytes: Uint8Array.from([1, 2, 3]) },
    { name: 'empty', dtype: 'F32', shape: [0, 4], bytes: new Uint8Array(0) },
    { name: 'ids', dtype: 'I64', shape: [1], bytes: new Uint8Array(new BigInt64Array([-5n]).buffer) },
    { name: 'weight', dtype: 'F32', shape: [2, 2], bytes: () => new Uint8Array(values.buffer) },
  ]
  writeSafetensors(path, entries, { format: 'pt', 'ä"': 'ö' })
  const first = fs.readFileSync(path)
  writeSafetensors(path, entries.toReversed(), { format: 'pt', 'ä"': 'ö' })
  expect(fs.readFileSync(path).equals(first)).toBe(true)

  const { metadata, tensors } = readSafetensors(path)
  expect(metadata).toEqual({ format: 'pt', 'ä"': 'ö' })
  expect([...tensors.keys()].sort()).toEqual(['empty', 'flags', 'ids', 'weight'])
  const weight = tensors.get('weight')!
  expect(weight).toMatchObject({ dtype: 'F32', shape: [2, 2], byteLength: 16 })
  expect(new Float32Array(weight.bytes().buffer)).toEqual(values)
  expect([...new BigInt64Array(tensors.get('ids')!.bytes().buffer)]).toEqual([-5n])

  const headerBytes = Number(first.readBigUInt64LE(0))
  expect(headerBytes % 8).toBe(0)
  const header = JSON.parse(first.toString('utf8', 8, 8 + headerBytes)) as Record<string, { data_offsets: number[] }>
  expect(header['ids']!.data_offsets[0]! % 8).toBe(0)
  expect(header['weight']!.data_offsets[0]! % 4).toBe(0)
})

const CASES: [expected: string, header: unknown, dataBytes: number, headerBytes?: bigint][] = [
  [`begins with '{'`, '', 0],
  [`begins with '{'`, '[]', 0],
  [`begins with '{'`, ' {}', 0],
  ['header within the file', '{}', 0, 3n],
  ['header within the file', '{}', 0, 99_999_999n],
  ['at most 100000000 bytes, got 100000001', '{}', 0, 100_000_001n],
  ['at most 100000000 bytes, got 18446744073709551615', '{}', 0, 2n ** 64n - 1n],
  [
    'each name once',
    '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
    0,
  ],
  ['leaves a hole: begins at 2, expected 1', { a: u8(0, 1), b: u8(2, 3) }, 3],
  ['leaves a hole: begins at 1', { a: u8(1, 3) }, 3],
  ['overlaps', { a: u8(0, 2), b: u8(1, 3) }, 3],
  ['overlaps', { a: u8(0, 2), b: u8(0, 2) }, 2],
  ['data within 2 bytes, got end 3', { a: u8(0, 3) }, 2],
  ['tensors to fill 4 bytes, got 3', { a: u8(0, 3) }, 4],
  ['tensors to fill 1 bytes, got 0', {}, 1],
  ['to ascend', { a: { dtype: 'U8', shape: [0], data_offsets: [2, 1] } }, 2],
  ['whole number', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}', 1],
  ['whole number', '{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}', 1],
  ['whole number', '{"a":{"dtype":"U8","shape":[9007199254740992],"data_offsets":[0,1]}}', 1],
  ['whole number', '{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1],
  ['whole number', '{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', 1],
  ['whole number', '{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}', 1],
  ['needs 8 bytes, got 4', { a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4],
  ['needs 4 bytes, got 0', { a: { dtype: 'F32', shape: [], data_offsets: [0, 0] } }, 0],
  // 2^32 * 2^32 is 0 in 64 bits.
  [
    'needs 18446744073709551616 bytes, got 0',
    { a: { dtype: 'U8', shape: [2 ** 32, 2 ** 32], data_offsets: [0, 0] } },
    0,
  ],
  ['a dtype of', { a: { dtype: 'F4', shape: [2], data_offsets: [0, 1] } }, 1],
  ['a dtype of', { a: { dtype: 'toString', shape: [1], data_offsets: [0, 1] } }, 1],
  ['a tensor with dtype', { a: { dtype: 'U8', shape: [1] } }, 1],
  ['two data_offsets', { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1, 1] } }, 1],
  ['each once', { a: { ...u8(0, 1), strides: [1] } }, 1],
  ['each once', '{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
  ['a tensor name, got __proto__', '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
  ['no reserved one', '{"__metadata__":{"__proto__":"x"}}', 0],
  ['string in double quotes', '{"__metadata__":{"a":1}}', 0],
  [`'{'`, '{"__metadata__":null}', 0],
  ['each metadata key once', '{"__metadata__":{"a":"1","a":"2"}}', 0],
  ['__metadata__ again', '{"__metadata__":{},"__metadata__":{}}', 0],
  ['only spaces after', '{}\n', 0],
  ['only spaces after', '{}\0', 0],
  ['string in double quotes', '{"a', 0],
  ['a JSON string', '{"\\x":1}', 0],
  ['a JSON string', '{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0],
  ['a JSON string', '{"a\nb":1}', 0],
  ['string in double quotes', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}', 1],
  [`'['`, `{"a":{"shape":${'{"a":'.repeat(50_000)}`, 1],
  ['at most 64 numbers', { a: { dtype: 'U8', shape: new Array(65).fill(1), data_offsets: [0, 1] } }, 1],
]

test.each(CASES)('a file that breaks the format is refused: %s', (expected, header, dataBytes, headerBytes) => {
  put(header, dataBytes, headerBytes)
  const before = process.memoryUsage().arrayBuffers
  expect(() => readSafetensors(path)).toThrow(DataError)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * fs.statSync(path).size + 2 ** 16)
  expect(() => readSafetensors(path)).toThrow(expected)
  expect(() => readSafetensors(path)).toThrow(path)
})

test('no UTF-8, too short, a folder, nothing at all', () => {
  fs.writeFileSync(path, Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([0x7b, 0xff, 0x7d])]))
  expect(() => readSafetensors(path)).toThrow('expected a header in UTF-8')
  fs.writeFileSync(path, '1234567')
  expect(() => readSafetensors(path)).toThrow('expected at least 8 bytes, got 7')
  expect(() => readSafetensors(folder)).toThrow(DataError)
  expect(() => readSafetensors(join(folder, 'none'))).toThrow(DataError)
})

test('a file that shrinks between header and data is a DataError and not zeros', () => {
  put({ a: u8(0, 100) }, 100)
  const { tensors } = readSafetensors(path)
  fs.truncateSync(path, fs.statSync(path).size - 1)
  expect(() => tensors.get('a')!.bytes()).toThrow('cut off while in use')
  fs.rmSync(path)
  expect(() => tensors.get('a')!.bytes()).toThrow(DataError)
})

test('a wrong length of bytes, or a reserved or repeated name, is never written', () => {
  const entry: TensorEntry = { name: 'a', dtype: 'F32', shape: [2], bytes: new Uint8Array(7) }
  fs.rmSync(path, { force: true })
  expect(() => writeSafetensors(path, [entry])).toThrow('a needs 8 bytes, got 7')
  expect(() => writeSafetensors(path, [{ ...entry, name: '__proto__' }])).toThrow('reserved')
  expect(() => writeSafetensors(path, [entry, entry])).toThrow('twice')
  expect(fs.readdirSync(folder)).toEqual([])
})

test('mutated files are read exactly or refused', () => {
  const { files, accepted, wrong } = fuzzSafetensors({ count: 3000, seed: 11 })
  expect(wrong).toEqual([])
  expect(files).toBe(3000)
  expect(accepted).toBeGreaterThan(100)
})
