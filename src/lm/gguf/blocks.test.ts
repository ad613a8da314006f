import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { BLOCK_TYPES } from './block-types.ts'
import { encodeBF16, encodeF16, encodeF32, encodeQ8_0 } from './encode-blocks.ts'
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from './half.ts'

type Golden = { input: string; types: Record<string, { blocks: string; values: string }> }
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens', 'blocks.json'), 'utf8')) as Golden
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const floats = (base64: string) => new Float32Array(bytesOf(base64).buffer)
const PLACE = { file: 'model', field: 'tensor' }

test.each(
  [...BLOCK_TYPES.values()].filter(({ name }) => name !== 'Q8_K'),
)('$name is read to the bits of the gguf package', ({ name, values, bytes, decode }) => {
  const blocks = bytesOf(golden.types[name]!.blocks)
  const expected = floats(golden.types[name]!.values)
  expect(blocks.length / bytes).toBe(expected.length / values)
  const found = new Float32Array(expected.length)
  decode(blocks, found)
  expect(new Uint32Array(found.buffer)).toEqual(new Uint32Array(expected.buffer))
})

test('Q8_K, which the gguf package does not read, is a float32 scale and signed bytes', () => {
  const { bytes, decode } = BLOCK_TYPES.get(15)!
  const blocks = new Uint8Array(2 * bytes)
  const view = new DataView(blocks.buffer)
  view.setFloat32(0, 0.1, true)
  view.setInt8(4, -128)
  view.setInt8(4 + 255, 127)
  view.setFloat32(bytes, -3e20, true)
  view.setInt8(bytes + 5, 7)
  const found = new Float32Array(512)
  decode(blocks, found)
  const expected = new Float32Array(512)
  expected.set([Math.fround(0.1) * -128], 0)
  expected.set([Math.fround(0.1) * 127], 255)
  expected.fill(-0, 256)
  expected.set([Math.fround(-3e20) * 7], 257)
  expect(found).toEqual(expected)
})

test.each([
  ['F32', encodeF32],
  ['F16', encodeF16],
  ['BF16', encodeBF16],
  ['Q8_0', encodeQ8_0],
] as const)('%s is written to the bytes of the gguf package', (name, encode) => {
  // The last row holds numbers below binary16's least, whose scale is 0 then.
  expect(encode(floats(golden.input), PLACE)).toEqual(bytesOf(golden.types[name]!.blocks))
})

test('every 16-bit float comes back from float32 with its bits', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const [half, brain] = [fromHalf(bits), fromBfloat16(bits)]
    if (Number.isNaN(half)) expect(toHalf(half) & 0x7e00).toBe(0x7e00)
    else if (toHalf(half) !== bits) expect.fail(`binary16 ${bits}`)
    if (Number.isNaN(brain)) expect(toBfloat16(brain) & 0x7fc0).toBe(0x7fc0)
    else if (toBfloat16(brain) !== bits) expect.fail(`bfloat16 ${bits}`)
  }
})

test('between two 16-bit floats the nearest is taken, half way the even one', () => {
  for (const bits of [0, 1, 2, 0x3ff, 0x400, 0x3c00, 0x3c01, 0x7bfe]) {
    const [low, high] = [fromHalf(bits), fromHalf(bits + 1)]
    const middle = (low + high) / 2
    expect(toHalf(middle)).toBe(bits % 2 === 0 ? bits : bits + 1)
    expect(toHalf(-middle)).toBe(0x8000 | (bits % 2 === 0 ? bits : bits + 1))
    expect(toHalf(middle * (1 - 2 ** -20))).toBe(bits)
    expect(toHalf(middle * (1 + 2 ** -20))).toBe(bits + 1)
  }
  expect(toHalf(65_519)).toBe(0x7bff)
  expect(toHalf(65_520)).toBe(0x7c00)
  expect(toBfloat16(1 + 2 ** -8)).toBe(0x3f80)
  expect(toBfloat16(1 + 3 * 2 ** -8)).toBe(0x3f82)
})

test('a number that a type cannot hold is refused by name', () => {
  const large = new Float32Array(32).fill(1)
  large[3] = 1e6
  expect(() => encodeF16(large, PLACE)).toThrow(DataError)
  expect(() => encodeF16(large, PLACE)).toThrow('model: tensor: expected numbers within 65,504, got 1000000')
  large[3] = 1e7
  expect(() => encodeQ8_0(large, PLACE)).toThrow(DataError)
  large[3] = Number.NaN
  expect(() => encodeQ8_0(large, PLACE)).toThrow(DataError)
  expect(() => encodeBF16(large, PLACE)).toThrow(DataError)
})
