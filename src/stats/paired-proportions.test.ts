import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { pairedRateChange } from './paired-proportions.ts'
import { generator } from './random.ts'

test('one discordant pair of 44 (the contact lens trial of Tango 1998): the interval holds 0 and is not symmetric', () => {
  const { value, low, high } = pairedRateChange({ onlyBefore: 1, onlyAfter: 0, n: 44 })
  expect([value, low, high].map((x) => Number(x.toFixed(3)))).toEqual([-0.023, -0.118, 0.059])
})

test('nothing changed: the upper bound is z^2 / (n + z^2), not 0', () => {
  const z2 = 1.6448536269514722 ** 2
  const { low, high } = pairedRateChange({ onlyBefore: 0, onlyAfter: 0, n: 2000 }, 0.9)
  expect(high).toBeCloseTo(z2 / (2000 + z2), 9)
  expect(low).toBeCloseTo(-high, 12)
})

test('swapping before and after mirrors the interval; extremes stay in [-1, 1]', () => {
  const up = pairedRateChange({ onlyBefore: 20, onlyAfter: 40, n: 160 })
  const down = pairedRateChange({ onlyBefore: 40, onlyAfter: 20, n: 160 })
  expect(up.low).toBeCloseTo(-down.high, 10)
  expect(pairedRateChange({ onlyBefore: 0, onlyAfter: 5, n: 5 }).high).toBe(1)
  expect(() => pairedRateChange({ onlyBefore: 3, onlyAfter: 3, n: 5 })).toThrow(DataError)
})

test('the 95% interval covers a true change in 92% to 98% of 400 simulations', () => {
  const random = generator(21)
  let covered = 0
  for (let trial = 0; trial < 400; trial++) {
    let onlyBefore = 0
    let onlyAfter = 0
    for (let i = 0; i < 200; i++) {
      const u = random.uniform()
      if (u < 0.03) onlyBefore++
      else if (u < 0.08) onlyAfter++
    }
    const { low, high } = pairedRateChange({ onlyBefore, onlyAfter, n: 200 })
    if (low <= 0.02 && 0.02 <= high) covered++
  }
  expect(covered).toBeGreaterThan(368)
  expect(covered).toBeLessThan(392)
})
