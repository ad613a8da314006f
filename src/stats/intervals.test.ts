import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { clopperPearson, meanInterval, wilson } from './intervals.ts'
import { generator } from './random.ts'

test('8 of 10: Wilson and Clopper-Pearson as in the tables of Brown, Cai and DasGupta', () => {
  const score = wilson(8, 10)
  expect([score.value, score.low, score.high].map((x) => Number(x.toFixed(4)))).toEqual([0.8, 0.4902, 0.9433])
  const exact = clopperPearson(8, 10)
  expect([exact.low, exact.high].map((x) => Number(x.toFixed(4)))).toEqual([0.4439, 0.9748])
})

test('none of n: the exact upper bound is 1 - (alpha / 2)^(1 / n)', () => {
  for (const n of [1, 30, 2000]) {
    expect(clopperPearson(0, n).low).toBe(0)
    expect(clopperPearson(0, n).high).toBeCloseTo(1 - 0.025 ** (1 / n), 12)
    expect(clopperPearson(n, n).low).toBeCloseTo(0.025 ** (1 / n), 12)
  }
})

test('intervals stay in [0, 1] and hold their value', () => {
  for (const interval of [wilson, clopperPearson])
    for (let k = 0; k <= 12; k++) {
      const { value, low, high } = interval(k, 12)
      expect(low).toBeGreaterThanOrEqual(0)
      expect(high).toBeLessThanOrEqual(1)
      expect(low <= value && value <= high).toBe(true)
    }
  expect(() => wilson(0, 0)).toThrow(DataError)
  expect(() => wilson(4, 3)).toThrow(DataError)
})

test('the clustered interval is wider when rows of a cluster repeat each other', () => {
  const random = generator(5)
  const perCluster = Array.from({ length: 20 }, () => random.normal())
  const values = perCluster.flatMap((v) => [v, v, v, v])
  const clusters = values.map((_, i) => String(Math.floor(i / 4)))
  const naive = meanInterval(values)
  const clustered = meanInterval(values, { clusters })
  const alone = meanInterval(perCluster)
  expect(clustered.n).toBe(20)
  expect(clustered.high - clustered.low).toBeGreaterThan(1.8 * (naive.high - naive.low))
  expect(clustered.low).toBeCloseTo(alone.low, 10)
})
