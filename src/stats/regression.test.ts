import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { generator } from './random.ts'
import { leastSquares, logisticRegression } from './regression.ts'

test("the line through Anscombe's first quartet: y = 3 + 0.5 x, standard error 0.1179", () => {
  const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
  const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
  const { slope, intercept } = leastSquares(x.map((value, i) => ({ x: value, y: y[i]! })))
  expect(slope.value).toBeCloseTo(0.5001, 4)
  expect(intercept).toBeCloseTo(3.0001, 4)
  expect((slope.high - slope.value) / 2.2621571628).toBeCloseTo(0.1179, 4)
  expect(() => leastSquares([1, 2, 3].map((y) => ({ x: 1, y })))).toThrow(DataError)
})

test('a logistic model recovers what was planted, and separable data stay finite', () => {
  const random = generator(7)
  const rows = Array.from({ length: 4000 }, () => {
    const features = [random.normal(), random.normal()]
    const eta = -0.5 + 1.2 * features[0]!
    return { features, outcome: random.uniform() < 1 / (1 + Math.exp(-eta)) ? 1 : 0 }
  })
  const [intercept, first, second] = logisticRegression(rows)
  expect(intercept!.low < -0.5 && -0.5 < intercept!.high).toBe(true)
  expect(first!.low < 1.2 && 1.2 < first!.high).toBe(true)
  expect(second!.low < 0 && 0 < second!.high).toBe(true)
  const separable = logisticRegression([-2, -1, 1, 2].map((x) => ({ features: [x], outcome: x > 0 ? 1 : 0 })))
  expect(Number.isFinite(separable[1]!.value)).toBe(true)
})
