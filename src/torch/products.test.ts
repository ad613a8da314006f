// Matrix products: values and gradients as plain ops give them, of any strides; the same bits on any number of threads, and for a row
// whatever rows lie beside it.
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  add,
  backward,
  describe as describeLibrary,
  forbidLeaks,
  fromArray,
  gradients,
  linear,
  manualGenerator,
  matrixProduct,
  narrow,
  packedAttention,
  randn,
  scope,
  setThreads,
  t,
  type Tensor,
  toCopy,
  toFloat32,
  toFloat64,
  tokenLogprobs,
} from './index.ts'

forbidLeaks({ beforeEach, afterEach })

/** SHA-256 of the output and of each gradient of `work` on seeded inputs of these shapes. */
function bitsOf(shapes: number[][], work: (inputs: Tensor[]) => Tensor): string[] {
  return scope(() => {
    const generator = manualGenerator(7)
    const inputs = shapes.map((shape) => randn(shape, generator))
    for (const x of inputs) x.requiresGrad = true
    const out = work(inputs)
    backward([out], [randn(out.shape, generator)])
    generator.free()
    return [out, ...inputs.map((x) => x.grad!)].map((x) => createHash('sha256').update(toFloat32(x)).digest('hex'))
  })
}

function onThreads<T>(threads: number, work: () => T): T {
  const before = describeLibrary().threads
  setThreads(threads)
  try {
    return work()
  } finally {
    setThreads(before)
  }
}

const LENGTHS = [1, 2, 5, 6, 7, 16, 31, 40, 77, 300, 311, 857]
const WIDTHS: [number, number][] = [
  [128, 384],
  [128, 128],
  [256, 128],
  [128, 1],
  [576, 192],
]

test.each(WIDTHS)('a product from %i to %i has the same bits on 1, 2 and 3 threads', (inner, outer) => {
  for (const T of LENGTHS) {
    const [one, ...others] = [1, 2, 3].map((threads) =>
      onThreads(threads, () =>
        bitsOf(
          [
            [T, inner],
            [outer, inner],
          ],
          ([x, w]) => matrixProduct(x!, w!),
        ),
      ),
    )
    for (const other of others) expect(other, `${T} rows`).toEqual(one)
  }
})

test('a row has the same bits alone and among others', () => {
  scope(() => {
    const generator = manualGenerator(5)
    for (const [I, O] of [...WIDTHS, [900, 50], [128, 1344]] as const) {
      const [x, w] = [randn([700, I], generator), randn([O, I], generator)]
      const all = toFloat32(matrixProduct(x, w))
      for (const [from, count] of [
        [0, 1],
        [5, 3],
        [100, 77],
        [699, 1],
      ] as const)
        expect(toFloat32(matrixProduct(narrow(x, 0, from, count), w)), `${count} rows of ${I}`).toEqual(
          all.subarray(from * O, (from + count) * O),
        )
    }
    generator.free()
  })
})

test.each([3, 40, 311, 700])('log-probabilities of %i rows have the same bits on 1, 2 and 3 threads', (T) => {
  const targets = fromArray(Int32Array.from({ length: T }, (_, i) => i))
  const [one, ...others] = [1, 2, 3].map((threads) =>
    onThreads(threads, () =>
      bitsOf(
        [
          [T, 128],
          [1344, 128],
        ],
        ([x, w]) => tokenLogprobs(x!, w!, targets).logprobs_T,
      ),
    ),
  )
  targets.free()
  for (const other of others) expect(other).toEqual(one)
})

test('attention has the same bits on 1, 2 and 3 threads', () => {
  const offsets = fromArray(new Int32Array([0, 100, 220, 300, 301, 500, 857]))
  const shape = [857, 4, 32]
  const [one, ...others] = [1, 2, 3].map((threads) =>
    onThreads(threads, () =>
      bitsOf([shape, shape, shape], ([q, k, v]) => packedAttention(q!, k!, v!, { offsets, scale: 0.2 })),
    ),
  )
  offsets.free()
  for (const other of others) expect(other).toEqual(one)
})

test.each([
  [1, 8, 8],
  [3, 5, 7],
  [70, 130, 260],
  [257, 300, 129],
  [13, 900, 1100],
])('values and gradients of [%i,%i] x [%i] are those of linear, weights transposed or not', (T, I, O) => {
  const generator = manualGenerator(3)
  const make = (shape: number[]): Tensor => randn(shape, generator, { dtype: 'float64' })
  const [x, weight, turned, bias, up] = [make([T, I]), make([O, I]), make([I, O]), make([O]), make([T, O])]
  generator.free()
  const answers = (f: (...inputs: Tensor[]) => Tensor, inputs: Tensor[], dtype: 'float32' | 'float64'): number[][] =>
    scope(() => {
      const leaves = inputs.map((input) => toCopy(input, { dtype }))
      for (const leaf of leaves) leaf.requiresGrad = true
      const out = f(...leaves)
      return [out, ...gradients([out], leaves, [toCopy(up, { dtype })])].map((y) => [...toFloat64(y)])
    })
  const hold = (
    ours: (...inputs: Tensor[]) => Tensor,
    plain: (...inputs: Tensor[]) => Tensor,
    inputs: Tensor[],
  ): void => {
    const expected = answers(plain, inputs, 'float64')
    for (const [dtype, bound] of [
      ['float32', 1e-5],
      ['float64', 1e-12],
    ] as const)
      answers(ours, inputs, dtype).forEach((got, i) => {
        const scale = expected[i]!.reduce((most, y) => Math.max(most, Math.abs(y)), 1)
        const worst = got.reduce((most, y, j) => Math.max(most, Math.abs(y - expected[i]![j]!)), 0)
        expect(worst / scale, `${dtype}, output or gradient ${i}`).toBeLessThan(bound)
      })
  }
  hold(
    (a, w, b) => matrixProduct(a!, w!, b!),
    (a, w, b) => add(linear(a!, w!), b!),
    [x, weight, bias],
  )
  hold(
    (a, w) => matrixProduct(a!, t(w!)),
    (a, w) => linear(a!, t(w!)),
    [x, turned],
  )
  for (const tensor of [x, weight, turned, bias, up]) tensor.free()
})

test('operands that do not fit are refused by name of the op', () => {
  scope(() => {
    const generator = manualGenerator(1)
    expect(() => matrixProduct(randn([3, 4], generator), randn([5, 6], generator))).toThrow(
      /matrix_product.*\[3, ?4\]/s,
    )
    generator.free()
  })
})
