// Draws are named by their parts, and distributions are what they say.
import { expect, test } from 'vitest'
import { random } from './random.ts'

test('equal parts give equal draws, other parts others', () => {
  const take = (...parts: (string | number)[]) => {
    const draw = random(...parts)
    return Array.from({ length: 5 }, () => draw.next())
  }
  expect(take(1, 'a')).toEqual(take(1, 'a'))
  expect(take(1, 'a')).not.toEqual(take(1, 'b'))
  expect(take(1, 1)).not.toEqual(take(11))
})

test('neighbouring seeds are unrelated', () => {
  const first = Array.from({ length: 2000 }, (_, seed) => random(seed, 'x').next())
  const mean = first.reduce((sum, x) => sum + x, 0) / first.length
  const product = first.slice(1).reduce((sum, x, i) => sum + (x - mean) * (first[i]! - mean), 0) / first.length
  expect(mean).toBeCloseTo(0.5, 1)
  expect(Math.abs(product / (1 / 12))).toBeLessThan(0.08)
})

test('weighted draws follow their weights, shuffles keep every element, normals have unit variance', () => {
  const draw = random(7)
  const counts = [0, 0, 0]
  for (let i = 0; i < 30_000; i++) counts[draw.weighted([1, 0, 3])]!++
  expect(counts[1]).toBe(0)
  expect(counts[0]! / 30_000).toBeCloseTo(0.25, 1.5)
  expect(draw.shuffled([1, 2, 3, 4]).sort((a, b) => a - b)).toEqual([1, 2, 3, 4])
  const normals = Array.from({ length: 30_000 }, () => draw.normal())
  expect(normals.reduce((sum, x) => sum + x * x, 0) / normals.length).toBeCloseTo(1, 1)
})
