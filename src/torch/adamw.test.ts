import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  adamWStep,
  clone,
  forbidLeaks,
  fromArray,
  gradientNorm,
  manualGenerator,
  randn,
  scope,
  type Tensor,
  toFloat64,
  zeros,
} from './index.ts'
import { plainAdamW } from './plain.ts'

forbidLeaks({ beforeEach, afterEach })

const OPTIONS = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 }

test('ten steps equal the plain formula, in float32 and float64, over tensors of odd sizes', () => {
  for (const [dtype, tolerance] of [
    ['float32', 3e-6],
    ['float64', 1e-12],
  ] as const)
    scope(() => {
      const generator = manualGenerator(1)
      const shapes = [[1], [37, 41], [70_000], [0]]
      const make = () => shapes.map((shape) => randn(shape, generator, { dtype }))
      const state = () => shapes.map((shape) => zeros(shape, { dtype }))
      const params = make()
      const copies = params.map((p) => clone(p))
      const [moments, plainMoments] = [
        { first: state(), second: state() },
        { first: state(), second: state() },
      ]
      for (let step = 1; step <= 10; step++) {
        const grads = make()
        adamWStep(params, grads, moments, { ...OPTIONS, step, gradientScale: 0.5 })
        plainAdamW(copies, grads, plainMoments, { ...OPTIONS, step, gradientScale: 0.5 })
      }
      const worst = (a: Tensor[], b: Tensor[]) =>
        Math.max(...a.flatMap((t, i) => distance(toFloat64(t), toFloat64(b[i]!))))
      expect(worst(params, copies)).toBeLessThan(tolerance)
      expect(worst(moments.first, plainMoments.first)).toBeLessThan(tolerance)
      expect(worst(moments.second, plainMoments.second)).toBeLessThan(tolerance)
    })
})

function distance(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0)
}

test('the first step moves by the learning rate against the sign of the gradient, after decay', () => {
  scope(() => {
    const p = fromArray(Float32Array.of(1, 1, 1))
    const [first, second] = [[zeros([3])], [zeros([3])]]
    adamWStep([p], [fromArray(Float32Array.of(1e4, -1e-4, 0))], { first, second }, { ...OPTIONS, step: 1 })
    expect([...toFloat64(p)]).toEqual([0.999 - 0.01, 0.999 + 0.01, 0.999].map((x) => expect.closeTo(x, 5)))
  })
})

test('lists that do not fit each other are refused', () => {
  scope(() => {
    const a = zeros([2])
    const moments = { first: [a], second: [a] }
    expect(() => adamWStep([a], [], moments, { ...OPTIONS, step: 1 })).toThrow(/one length/)
    expect(() => adamWStep([a], [zeros([3])], moments, { ...OPTIONS, step: 1 })).toThrow(/one shape/)
    expect(() => adamWStep([a], [a], moments, { ...OPTIONS, step: 0 })).toThrow(/count from 1/)
  })
})

test('the norm is joint, exact at extremes, and tells what is not finite', () => {
  scope(() => {
    const many = fromArray(new Float32Array(200_000).fill(1e4))
    expect(gradientNorm([many, fromArray(Float64Array.of(3e6))])).toBeCloseTo(
      Math.hypot(1e4 * Math.sqrt(200_000), 3e6),
      4,
    )
    expect(gradientNorm([fromArray(Float32Array.of(3)), fromArray(Float32Array.of(4))])).toBe(5)
    expect(gradientNorm([fromArray(Float32Array.of(1e30, 1e30))])).toBeCloseTo(Math.SQRT2 * 1e30, -24)
    expect(gradientNorm([fromArray(Float32Array.of(1, Infinity))])).toBe(Infinity)
    expect(gradientNorm([fromArray(Float32Array.of(1, Number.NaN))])).toBe(Number.NaN)
    expect(gradientNorm([])).toBe(0)
  })
})
