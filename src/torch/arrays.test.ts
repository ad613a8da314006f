import { afterEach, beforeEach, expect, test } from 'vitest'
import { EngineError } from '#errors'
import {
  type DType,
  forbidLeaks,
  fromArray,
  fromBytes,
  scope,
  toBigInt64,
  toBytes,
  toCopy,
  toFloat32,
  toFloat64,
  toInt32,
  transpose,
  zeros,
} from './index.ts'

forbidLeaks({ beforeEach, afterEach })

test('typed arrays come back as they went, with shape and dtype', () => {
  scope(() => {
    const n = 1000
    const floats = Float32Array.from({ length: n }, (_, i) => Math.sin(i) * 1e4)
    const doubles = Float64Array.from({ length: n }, (_, i) => Math.cos(i) * 1e-300)
    const ints = Int32Array.from({ length: n }, (_, i) => i * 2_147_483 - 1_000_000_000)
    const longs = BigInt64Array.from({ length: n }, (_, i) => BigInt(i) * 9_007_199_254_740_993n)
    expect(toFloat32(fromArray(floats, [10, 100]))).toEqual(floats)
    expect(toFloat64(fromArray(doubles))).toEqual(doubles)
    expect(toInt32(fromArray(ints))).toEqual(ints)
    expect(toBigInt64(fromArray(longs))).toEqual(longs)
    expect(fromArray(floats, [10, 100]).shape).toEqual([10, 100])
    expect([floats, doubles, ints, longs].map((a) => fromArray(a).dtype)).toEqual([
      'float32',
      'float64',
      'int32',
      'int64',
    ])
  })
})

test('a view into a larger buffer is read from its own start', () => {
  scope(() => {
    const whole = Float32Array.from({ length: 10 }, (_, i) => i)
    expect(toFloat32(fromArray(whole.subarray(3, 6)))).toEqual(Float32Array.of(3, 4, 5))
  })
})

test('raw bytes keep every dtype bit for bit', () => {
  scope(() => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => (i * 37) & 127)
    const dtypes: [DType, number][] = [
      ['float32', 4],
      ['float64', 8],
      ['float16', 2],
      ['bfloat16', 2],
      ['int64', 8],
      ['int32', 4],
      ['int16', 2],
      ['int8', 1],
      ['uint8', 1],
    ]
    for (const [dtype, size] of dtypes) {
      const t = fromBytes(bytes, [bytes.length / size], dtype)
      expect(t.dtype).toBe(dtype)
      expect(toBytes(t)).toEqual(bytes)
    }
    expect(toFloat32(fromBytes(Uint8Array.of(0x80, 0x3f, 0, 0xc0), [2], 'bfloat16'))).toEqual(Float32Array.of(1, -2))
  })
})

test('a transposed view leaves in row-major order; other dtypes are converted', () => {
  scope(() => {
    const t = transpose(fromArray(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]), 0, 1)
    expect(toInt32(t)).toEqual(Int32Array.of(1, 4, 2, 5, 3, 6))
    expect(toFloat64(t)).toEqual(Float64Array.of(1, 4, 2, 5, 3, 6))
    expect(toFloat32(toCopy(fromArray(Float32Array.of(1.5, -2)), { dtype: 'bfloat16' }))).toEqual(
      Float32Array.of(1.5, -2),
    )
  })
})

test('empty and zero-dimensional arrays pass', () => {
  scope(() => {
    expect(toFloat32(fromArray(new Float32Array(0)))).toEqual(new Float32Array(0))
    expect(toFloat32(zeros([0, 3]))).toEqual(new Float32Array(0))
    expect(toFloat32(fromArray(Float32Array.of(2), []))).toEqual(Float32Array.of(2))
  })
})

test('a shape that does not fit its array is refused with both sizes', () => {
  expect(() => fromArray(new Float32Array(6), [2, 4])).toThrow(EngineError)
  expect(() => fromArray(new Float32Array(6), [2, 4])).toThrow(/shape \[2, 4\] needs 32 bytes, got 24/)
  expect(() => fromArray(new Float32Array(6), [-2, -3])).toThrow(/negative/)
  expect(() => fromArray(new Float32Array(1), [2 ** 40, 2 ** 40])).toThrow(/needs/)
  expect(() => fromBytes(new Uint8Array(3), [1], 'float32')).toThrow(/needs 4 bytes, got 3/)
})
