// The estimators' bias and spread between N(0, 1) and N(1, 1), whose KL is a half, and between N(0, 1) and N(0.1, 1).
import { expect, test } from 'vitest'
import { generator } from '#stats'
import { klEstimates } from './kl.ts'

/** Relative bias and standard deviation, in units of the true KL, of each estimator for N(0, 1) against N(shift, 1). */
function figures(shift: number, draws: number) {
  const random = generator(5)
  const truth = shift ** 2 / 2
  const sums = { k1: [0, 0], k2: [0, 0], k3: [0, 0] }
  for (let i = 0; i < draws; i++) {
    const x = random.normal()
    const estimates = klEstimates(Float64Array.of((-x * x) / 2), Float64Array.of(-((x - shift) ** 2) / 2))
    for (const key of ['k1', 'k2', 'k3'] as const) {
      sums[key][0]! += estimates[key] / truth / draws
      sums[key][1]! += (estimates[key] / truth) ** 2 / draws
    }
  }
  const figure = ([mean, square]: number[]) => ({ bias: mean! - 1, deviation: Math.sqrt(square! - mean! ** 2) })
  return { k1: figure(sums.k1), k2: figure(sums.k2), k3: figure(sums.k3) }
}

test('at a KL of 0.5: k1 unbiased with deviation 2.00, k2 biased by 25% with 1.73, k3 unbiased with 1.70', () => {
  const { k1, k2, k3 } = figures(1, 200_000)
  expect(Math.abs(k1.bias)).toBeLessThan(0.02)
  expect(Math.abs(k1.deviation - 2)).toBeLessThan(0.02)
  expect(Math.abs(k2.bias - 0.25)).toBeLessThan(0.02)
  expect(Math.abs(k2.deviation - 1.73)).toBeLessThan(0.02)
  expect(Math.abs(k3.bias)).toBeLessThan(0.02)
  expect(Math.abs(k3.deviation - 1.7)).toBeLessThan(0.05) // heavy tails: e to the log-ratio
})

test('at a KL of 0.005: k1 has deviation 20, k2 and k3 have 1.42', () => {
  const { k1, k2, k3 } = figures(0.1, 200_000)
  expect(Math.abs(k1.deviation - 20)).toBeLessThan(0.2)
  expect(Math.abs(k2.deviation - 1.42)).toBeLessThan(0.02)
  expect(Math.abs(k3.deviation - 1.42)).toBeLessThan(0.02)
  expect(Math.abs(k2.bias - 0.002)).toBeLessThan(0.01)
  expect(Math.abs(k3.bias)).toBeLessThan(0.01)
})

test('k3 is never negative, 0 for equal distributions, and finite at any log-ratio', () => {
  const d = Float64Array.of(-1e4, -30, -1, -1e-9, 0, 1e-9, 1, 30, 1e4)
  for (const x of d) {
    const { k3 } = klEstimates(Float64Array.of(x), Float64Array.of(0))
    expect(k3).toBeGreaterThanOrEqual(0)
    expect(Number.isFinite(k3)).toBe(true)
  }
  expect(klEstimates(Float32Array.of(-3, -2), Float32Array.of(-3, -2))).toEqual({ k1: 0, k2: 0, k3: 0 })
})
