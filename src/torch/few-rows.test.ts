// Products of few rows with a stored matrix, against plain ops in float64 over the same stored numbers.
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  describe,
  type DType,
  fewRows,
  forbidLeaks,
  fromArray,
  manualGenerator,
  memory,
  mulScalar,
  narrow,
  panelCopy,
  randn,
  scope,
  setThreads,
  t,
  toCopy,
  toFloat32,
  toFloat64,
  weightCopy,
} from './index.ts'
import { plainFewRows } from './plain.ts'

forbidLeaks({ beforeEach, afterEach })

const hasPairs = describe().instructionSets.includes('avx512_bf16')
const DTYPES: DType[] = ['float32', 'bfloat16', 'int8']

/** x [B,I], a weight [O,I] of the dtype, scales where it is int8, a bias. */
function made(B: number, { O, I, dtype }: { O: number; I: number; dtype: DType }) {
  const generator = manualGenerator(B + O + I)
  const x = randn([B, I], generator)
  const weight = toCopy(mulScalar(randn([O, I], generator), dtype === 'int8' ? 40 : 1), { dtype })
  const scales = mulScalar(randn([O], generator), 0.02)
  const bias = randn([O], generator)
  generator.free()
  return { x, weight, o: { bias, ...(dtype === 'int8' && { scales }) } }
}

const SIZES = [
  { B: 1, O: 1, I: 1 },
  { B: 1, O: 49, I: 576 },
  { B: 2, O: 8, I: 31 },
  { B: 3, O: 13, I: 100 },
  { B: 7, O: 300, I: 1536 },
  { B: 100, O: 21, I: 65 },
]
test.each(
  DTYPES.flatMap((dtype) => SIZES.map((size) => ({ dtype, ...size }))),
)('few rows equal plain ops: $B rows, $O outputs, $I inputs, $dtype', ({ B, ...size }) => {
  scope(() => {
    const { x, weight, o } = made(B, size)
    const expected = toFloat64(plainFewRows(toCopy(x, { dtype: 'float64' }), weight, o))
    const scale = expected.reduce((most, y) => Math.max(most, Math.abs(y)), 1)
    const worst = (got: Float64Array) => got.reduce((most, y, i) => Math.max(most, Math.abs(y - expected[i]!)), 0)
    expect(worst(toFloat64(fewRows(x, weight, o))) / scale).toBeLessThan(2e-6)
    const wide = toFloat64(fewRows(toCopy(x, { dtype: 'float64' }), weight, o))
    expect(worst(wide) / scale).toBeLessThan(1e-12)
  })
})

test.each(
  SIZES,
)('bfloat16 on both sides equals plain ops on rounded rows, where there are units for it: $B rows, $O outputs, $I inputs', ({
  B,
  ...size
}) => {
  scope(() => {
    const { x, weight, o } = made(B, { ...size, dtype: 'bfloat16' })
    const read = hasPairs ? toCopy(x, { dtype: 'bfloat16' }) : x
    const expected = toFloat64(plainFewRows(toCopy(read, { dtype: 'float64' }), weight, o))
    const scale = expected.reduce((most, y) => Math.max(most, Math.abs(y)), 1)
    const got = toFloat64(fewRows(x, weight, { ...o, rounds: true }))
    expect(got.reduce((most, y, i) => Math.max(most, Math.abs(y - expected[i]!)), 0) / scale).toBeLessThan(2e-6)
  })
})

test.each([
  ...DTYPES.map((dtype) => ({ dtype, rounds: false })),
  { dtype: 'bfloat16' as const, rounds: true },
])('a row answers the same bits alone and among others, on one thread and on two: $dtype, rounded $rounds', ({
  dtype,
  rounds,
}) => {
  scope(() => {
    const { x, weight, o: given } = made(50, { O: 501, I: 333, dtype })
    const o = { ...given, rounds }
    const all = toFloat32(fewRows(x, weight, o))
    for (const [from, count] of [
      [0, 1],
      [7, 1],
      [11, 2],
      [20, 5],
      [49, 1],
    ] as const)
      expect(toFloat32(fewRows(narrow(x, 0, from, count), weight, o))).toEqual(
        all.subarray(from * 501, (from + count) * 501),
      )
    setThreads(2)
    try {
      expect(toFloat32(fewRows(x, weight, o))).toEqual(all)
      expect(toFloat32(fewRows(narrow(x, 0, 3, 1), weight, o))).toEqual(all.subarray(3 * 501, 4 * 501))
    } finally {
      setThreads(1)
    }
  })
})

test.each([
  { B: 1, O: 1, I: 1 },
  { B: 9, O: 49, I: 800 },
  { B: 100, O: 21, I: 65 },
  { B: 500, O: 33, I: 128 },
])('panels of a weight answer as it does: $B rows, $O outputs, $I inputs', ({ B, O, I }) => {
  scope(() => {
    const { x, weight } = made(B, { O, I, dtype: 'float32' })
    const expected = toFloat64(plainFewRows(toCopy(x, { dtype: 'float64' }), weight, {}))
    const scale = expected.reduce((most, y) => Math.max(most, Math.abs(y)), 1)
    for (const panels of [panelCopy(weight), panelCopy(t(toCopy(t(weight))))]) {
      const got = fewRows(x, panels)
      expect(got.shape[1]).toBe(panels.shape[0]! * panels.shape[2]!)
      const answers = toFloat64(narrow(got, 1, 0, O))
      expect(answers.reduce((most, y, i) => Math.max(most, Math.abs(y - expected[i]!)), 0) / scale).toBeLessThan(2e-6)
      const last = toFloat32(fewRows(narrow(x, 0, B - 1, 1), panels))
      expect(last, 'a row among others').toEqual(toFloat32(got).subarray((B - 1) * last.length))
    }
    expect(() => fewRows(x, panelCopy(weight), { bias: weight })).toThrow(/panels/)
    expect(() => panelCopy(toCopy(weight, { dtype: 'bfloat16' }))).toThrow(/float32/)
  })
})

test('extremes pass: infinities and NaN as in a sum of products, large numbers within float32', () => {
  scope(() => {
    const weight = toCopy(fromArray(Float32Array.of(1e4, -1e4, 1, 0), [2, 2]), { dtype: 'bfloat16' })
    const large = toFloat32(fewRows(fromArray(Float32Array.of(1e4, 1e4, 1e30, 0), [2, 2]), weight))
    expect(large[0]).toBe(0)
    expect(large[3]).toBe(Math.fround(1e30))
    const odd = toFloat32(fewRows(fromArray(Float32Array.of(Infinity, 0, NaN, 1), [2, 2]), weight))
    expect(odd[1]).toBe(Infinity)
    expect(odd[2]).toBeNaN()
  })
})

test('what does not fit is one error that says what was expected', () => {
  scope(() => {
    const { x, weight } = made(2, { O: 3, I: 4, dtype: 'int8' })
    expect(() => fewRows(x, weight)).toThrow(/scales go with int8/)
    expect(() => fewRows(x, weight, { scales: fromArray(Float32Array.of(1)) })).toThrow(/one scale for each of 3/)
    expect(() => fewRows(x, toCopy(weight, { dtype: 'int32' }))).toThrow(/float32, bfloat16 or int8/)
    expect(() => fewRows(fromArray(new Float32Array(6), [2, 3]), weight)).toThrow(/expected x \[B,I\]/)
  })
})

test('copies of weights hold the numbers, count as memory while they live, and outlive one another', () => {
  scope(() => {
    const generator = manualGenerator(3)
    const x = randn([700, 512], generator)
    generator.free()
    const before = memory().live
    const copies = Array.from({ length: 30 }, (_, i) => scope(() => weightCopy(mulScalar(x, i), 'bfloat16')))
    expect(memory().live - before).toBeGreaterThanOrEqual(30 * 700 * 512 * 2)
    for (const copy of copies.slice(0, 29)) copy.free()
    scope(() => {
      const last = toFloat32(toCopy(copies[29]!, { dtype: 'float32' }))
      expect(last).toEqual(toFloat32(toCopy(toCopy(mulScalar(x, 29), { dtype: 'bfloat16' }), { dtype: 'float32' })))
    })
    copies[29]!.free()
    expect(memory().live - before).toBeLessThan(700 * 512 * 8)
  })
})
