import { expect, test } from 'vitest'
import { smooth } from './smooth.ts'

test('a constant stays itself from its first point, and weight 0 changes nothing', () => {
  expect(smooth([3, 3, 3, 3], 0.9).every((value) => Math.abs(value - 3) < 1e-12)).toBe(true)
  expect(smooth([1, 5, -2], 0)).toEqual([1, 5, -2])
})

test('a step is followed more slowly the more it is smoothed', () => {
  const step = [...Array<number>(20).fill(0), ...Array<number>(20).fill(1)]
  const [little, much] = [smooth(step, 0.5), smooth(step, 0.95)]
  expect(little[21]!).toBeGreaterThan(much[21]!)
  expect(much[39]!).toBeGreaterThan(0.3)
  expect(much[39]!).toBeLessThan(1)
})
