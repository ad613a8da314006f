import { expect, test } from 'vitest'
import { bootstrap, bootstrapEach, bootstrapMean, quantile } from './bootstrap.ts'
import { average, meanInterval } from './intervals.ts'
import { generator } from './random.ts'

test('both methods agree with the t interval on normal data, and the seed decides everything', () => {
  const random = generator(3)
  const values = Array.from({ length: 200 }, () => random.normal())
  const t = meanInterval(values)
  for (const method of ['percentile', 'bca'] as const) {
    const interval = bootstrapMean(values, { seed: 1, method })
    expect(interval.low).toBeCloseTo(t.low, 1)
    expect(interval.high).toBeCloseTo(t.high, 1)
    expect(bootstrapMean(values, { seed: 1, method })).toEqual(interval)
    expect(bootstrapMean(values, { seed: 2, method })).not.toEqual(interval)
  }
})

test('BCa moves to the long tail of a skewed statistic', () => {
  const random = generator(4)
  const values = Array.from({ length: 40 }, () => Math.exp(random.normal()))
  const plain = bootstrapMean(values, { seed: 1 })
  const corrected = bootstrapMean(values, { seed: 1, method: 'bca' })
  expect(corrected.high).toBeGreaterThan(plain.high)
  expect(corrected.low).toBeGreaterThan(plain.low)
})

test('BCa of many values jackknifes blocks of them: the same tails, and no call for every value', () => {
  const random = generator(5)
  const values = Array.from({ length: 800 }, () => Math.exp(1.5 * random.normal()))
  let calls = 0
  const mean = (sample: readonly number[]) => {
    calls++
    return average(sample)
  }
  const corrected = bootstrap(values, mean, { seed: 1, method: 'bca', resamples: 500 })
  expect(calls).toBe(1 + 500 + 200)
  const plain = bootstrap(values, average, { seed: 1, resamples: 500 })
  expect(corrected.high).toBeGreaterThan(plain.high)
  expect(corrected.low).toBeGreaterThan(plain.low)
})

test('whole clusters are drawn together', () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ value: Math.floor(i / 10), group: `g${Math.floor(i / 10)}` }))
  const mean = (sample: readonly { value: number }[]) => average(sample.map((r) => r.value))
  const alone = bootstrap(rows, mean, { seed: 1 })
  const clustered = bootstrap(rows, mean, { seed: 1, cluster: (r) => r.group })
  expect(clustered.n).toBe(4)
  expect(clustered.high - clustered.low).toBeGreaterThan(2 * (alone.high - alone.low))
})

test('a statistic without a value has no interval; a few degenerate resamples are left out', () => {
  expect(bootstrap([1, 2], () => NaN, { seed: 1 }).low).toBeNaN()
  const ratio = bootstrap([0, 1, 1, 1, 1], (s) => average(s) / s.reduce((x, y) => Math.max(x, y), 0), { seed: 1 })
  expect(Number.isFinite(ratio.low)).toBe(true)
})

test('few clusters are not taken for many: ten values get nearly the t interval, one an infinite one', () => {
  const values = [3.1, 0.2, 1.7, 2.4, -0.6, 1.1, 0.9, 2.2, 1.4, 0.3]
  const t = meanInterval(values)
  const boot = bootstrapMean(values, { seed: 1, resamples: 5000 })
  expect((boot.high - boot.low) / (t.high - t.low)).toBeCloseTo(1, 1)
  expect(bootstrapMean([1, 2], { seed: 1, clusters: ['x', 'x'] })).toEqual({
    value: 1.5,
    low: -Infinity,
    high: Infinity,
    n: 1,
  })
})

test('quantiles interpolate', () => {
  expect(quantile([0, 10], 0.25)).toBe(2.5)
  expect(quantile([7], 0.9)).toBe(7)
})

test('several statistics at once have the intervals that each has alone', () => {
  const random = generator(5)
  const items = Array.from({ length: 40 }, (_, i) => ({ value: random.normal(), cluster: String(i % 20) }))
  const mean = (sample: readonly { value: number }[]) => average(sample.map(({ value }) => value))
  const most = (sample: readonly { value: number }[]) => Math.max(...sample.map(({ value }) => value))
  const options = { seed: 3, resamples: 300, cluster: ({ cluster }: { cluster: string }) => cluster }
  const both = bootstrapEach(items, (sample) => [mean(sample), most(sample)], options)
  expect(both).toEqual([bootstrap(items, mean, options), bootstrap(items, most, options)])
})
