import { expect, test } from 'vitest'
import { correlationInterval, kendall, pearson, type Point, quadraticKappa, ranks, spearman } from './correlation.ts'
import { generator } from './random.ts'

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

test('Kendall of many points with ties is what counting every pair gives', () => {
  const random = generator(3)
  for (const n of [2, 3, 7, 64, 501]) {
    const many = Array.from({ length: n }, (): Point => ({ x: random.int(20), y: random.int(30) }))
    let [score, untiedX, untiedY] = [0, 0, 0]
    for (const [i, p] of many.entries())
      for (const q of many.slice(0, i)) {
        const [dx, dy] = [Math.sign(p.x - q.x), Math.sign(p.y - q.y)]
        score += dx * dy
        untiedX += dx * dx
        untiedY += dy * dy
      }
    expect(kendall(many)).toBeCloseTo(score / Math.sqrt(untiedX * untiedY), 12)
  }
})

test('quadratic kappa is 1 - weighted disagreement over that of chance', () => {
  const random = generator(4)
  const rated = Array.from({ length: 200 }, (): Point => {
    const x = 1 + random.int(5)
    return { x, y: Math.min(5, x + random.int(3)) }
  })
  const square = (pairs: Point[]) => pairs.reduce((sum, { x, y }) => sum + (x - y) ** 2, 0) / pairs.length
  const chance = rated.flatMap(({ x }) => rated.map(({ y }) => ({ x, y })))
  expect(quadraticKappa(rated)).toBeCloseTo(1 - square(rated) / square(chance), 12)
  expect(quadraticKappa(rated.map(({ x }) => ({ x, y: x })))).toBe(1)
  expect(quadraticKappa(rated.map(({ x }) => ({ x, y: 6 - x })))).toBeLessThan(-0.9)
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
