import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { bootstrapMean } from './bootstrap.ts'
import { boundedMean } from './bounded-mean.ts'
import { clopperPearson } from './intervals.ts'
import { generator } from './random.ts'

const unit = { bounds: [0, 1], seed: 1 } as const

test('all clusters alike: an interval with a width, that of Clopper and Pearson at the ends', () => {
  for (const n of [2, 5, 40]) {
    const clusters = Array.from({ length: 3 * n }, (_, i) => `c${i % n}`)
    const ones = boundedMean(new Array<number>(3 * n).fill(1), { ...unit, clusters })
    expect([ones.value, ones.high, ones.n]).toEqual([1, 1, n])
    expect(ones.low).toBeCloseTo(clopperPearson(n, n).low, 12)
    const none = boundedMean(new Array<number>(3 * n).fill(0), { ...unit, clusters })
    expect([none.value, none.low]).toEqual([0, 0])
    expect(none.high).toBeCloseTo(clopperPearson(0, n).high, 12)
  }
  const half = boundedMean([0.5, 0.5, 0.5, 0.5], unit)
  expect(half.low < 0.5 && half.high > 0.5).toBe(true)
  expect(half.high - 0.5).toBeCloseTo(0.5 - half.low, 12)
})

test('one cluster of unlike scores knows little, but not less than the bounds', () => {
  const { low, high, n } = boundedMean([0, 1, 1, 0.5], { ...unit, clusters: ['a', 'a', 'a', 'a'] })
  expect([low, high, n]).toEqual([0, 1, 1])
})

test('where clusters differ it is the bootstrap over them', () => {
  const random = generator(3)
  const values = Array.from({ length: 60 }, () => random.uniform())
  const clusters = values.map((_, i) => `c${i % 20}`)
  expect(boundedMean(values, { ...unit, clusters })).toEqual(bootstrapMean(values, { seed: 1, clusters }))
})

test('a rare failure is covered as often as promised, also when no failure was seen', () => {
  const random = generator(4)
  let covered = 0
  const trials = 400
  for (let t = 0; t < trials; t++) {
    const values = Array.from({ length: 20 }, () => Number(random.uniform() < 0.97))
    const { low, high } = boundedMean(values, { ...unit, seed: t, resamples: 200 })
    covered += Number(low <= 0.97 && high >= 0.97)
  }
  // 54% of such samples hold no failure, and a bare bootstrap gives those no width.
  expect(covered / trials).toBeGreaterThan(0.9)
})

test('a score outside the bounds is refused', () => {
  expect(() => boundedMean([0.5, 1.5], unit)).toThrow(DataError)
  expect(() => boundedMean([Number.NaN], unit)).toThrow(/expected scores from 0 to 1, got NaN/)
})
