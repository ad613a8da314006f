import { expect, test } from 'vitest'
import { expectedCalibrationError, reliability } from './calibration.ts'
import { generator } from './random.ts'

test('bins, their means and the error by hand', () => {
  const predictions = [
    { probability: 0.9, outcome: 1 },
    { probability: 0.9, outcome: 0 },
    { probability: 0.2, outcome: 0 },
    { probability: 1, outcome: 1 },
  ]
  const bins = reliability(predictions, 5)
  expect(bins.map((b) => [b.low, b.n])).toEqual([
    [0.2, 1],
    [0.8, 3],
  ])
  expect(bins[1]!.observed.value).toBeCloseTo(2 / 3, 12)
  expect(expectedCalibrationError(predictions, 5)).toBeCloseTo((0.2 + 3 * Math.abs(2.8 / 3 - 2 / 3)) / 4, 12)
})

test('honest probabilities have a small error, boasted ones the size of the boast', () => {
  const random = generator(2)
  const honest = Array.from({ length: 20_000 }, () => {
    const probability = random.uniform()
    return { probability, outcome: random.uniform() < probability ? 1 : 0 }
  })
  expect(expectedCalibrationError(honest)).toBeLessThan(0.02)
  const boast = honest.map(({ outcome }) => ({ probability: 0.95, outcome }))
  expect(expectedCalibrationError(boast)).toBeCloseTo(0.45, 1)
})
