import { expect, test } from 'vitest'
import { minimise } from './minimise.ts'

test('Rosenbrock in twenty dimensions ends at ones, from far away', () => {
  const rosenbrock = (x: Float64Array, gradient: Float64Array) => {
    let sum = 0
    for (let i = 0; i + 1 < x.length; i++) {
      const u = x[i + 1]! - x[i]! ** 2
      const v = 1 - x[i]!
      sum += 100 * u * u + v * v
      gradient[i]! += -400 * x[i]! * u - 2 * v
      gradient[i + 1]! += 200 * u
    }
    return sum
  }
  const { x, isConverged, steps } = minimise(rosenbrock, new Array<number>(20).fill(-1.2))
  expect(isConverged).toBe(true)
  expect(steps).toBeLessThan(500)
  for (const at of x) expect(at).toBeCloseTo(1, 6)
})

test('a quadratic of condition 1e4 is solved, and the start is left alone', () => {
  const scales = Array.from({ length: 21 }, (_, i) => 10 ** (i / 5))
  const start = scales.map(() => 1)
  const { x, value } = minimise((at, gradient) => {
    let sum = 0
    scales.forEach((s, i) => {
      sum += 0.5 * s * (at[i]! - i) ** 2
      gradient[i] = s * (at[i]! - i)
    })
    return sum
  }, start)
  expect(value).toBeLessThan(1e-12)
  x.forEach((at, i) => expect(at).toBeCloseTo(i, 5))
  expect(start).toEqual(scales.map(() => 1))
})

test('a start without a finite value is refused', () => {
  expect(() => minimise(() => NaN, [0])).toThrow(/finite value/)
})
