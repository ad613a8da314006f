import { expect, test } from 'vitest'
import { binomialTest, holm, mcnemar, pairedPermutation } from './hypothesis.ts'
import { generator } from './random.ts'

test('exact binomial p values as R gives them', () => {
  expect(binomialTest(3, 10)).toBeCloseTo(0.34375, 10)
  expect(binomialTest(682, 925, 0.75)).toBeCloseTo(0.3825, 4) // Conover 1971, as in R's help of binom.test
  expect(binomialTest(5, 10)).toBe(1)
  expect(binomialTest(0, 0)).toBeCloseTo(1, 12)
})

test('McNemar counts discordant pairs only', () => {
  expect(mcnemar(1, 9)).toBeCloseTo(0.021484375, 10)
  expect(mcnemar(0, 0)).toBe(1)
})

test('Holm steps down and never falls', () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06])
  expect(holm([0.5, 0.9])).toEqual([1, 1])
})

test('the paired permutation test sees a shift and holds its level without one', () => {
  const random = generator(9)
  const shifted = Array.from({ length: 60 }, () => random.normal() + 0.6)
  expect(pairedPermutation(shifted, { seed: 1 })).toBeLessThan(0.01)
  let rejected = 0
  for (let trial = 0; trial < 200; trial++) {
    const differences = Array.from({ length: 30 }, () => random.normal())
    if (pairedPermutation(differences, { seed: trial, permutations: 400 }) < 0.05) rejected++
  }
  expect(rejected).toBeGreaterThanOrEqual(2)
  expect(rejected).toBeLessThanOrEqual(20)
})
