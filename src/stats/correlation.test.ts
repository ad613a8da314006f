import { expect, test } from 'vitest'
import { correlationInterval, kendall, pearson, ranks, spearman } from './correlation.ts'

// IQ and hours of television of ten people: the worked example of Wikipedia's article on Spearman's coefficient.
const points = [
  [106, 7],
  [100, 27],
  [86, 2],
  [101, 50],
  [99, 28],
  [103, 29],
  [97, 20],
  [113, 12],
  [112, 6],
  [110, 17],
].map(([x, y]) => ({ x: x!, y: y! }))

test('Spearman and Kendall of the worked example', () => {
  expect(spearman(points)).toBeCloseTo(-29 / 165, 12)
  expect(kendall(points)).toBeCloseTo(-1 / 9, 12)
})

test('ties take their mean rank', () => {
  expect(ranks([10, 20, 20, 5])).toEqual([2, 3.5, 3.5, 1])
  expect(
    kendall([
      { x: 1, y: 1 },
      { x: 1, y: 2 },
      { x: 2, y: 3 },
    ]),
  ).toBeCloseTo(2 / Math.sqrt(6), 12)
})

test('the interval holds the value; a constant side has none', () => {
  const { value, low, high } = correlationInterval(points, spearman, { seed: 1, resamples: 500 })
  expect(low < value && value < high).toBe(true)
  expect(
    pearson([
      { x: 1, y: 2 },
      { x: 1, y: 3 },
    ]),
  ).toBeNaN()
})
