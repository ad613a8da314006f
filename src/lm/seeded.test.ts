import { expect, test } from 'vitest'
import { normals, rowSeed } from './seeded.ts'

test('normals have mean 0, deviation 1, and depend on seed and purpose alone', () => {
  const x = normals(3, 'a', 20_001)
  const mean = x.reduce((a, b) => a + b, 0) / x.length
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length
  expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(x.length))
  expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / x.length))
  expect(normals(3, 'a', 100)).toEqual(x.slice(0, 100))
  expect(normals(3, 'b', 100)).not.toEqual(x.slice(0, 100))
  expect(normals(3 + 2 ** 32, 'a', 100)).not.toEqual(x.slice(0, 100))
})

test('row seeds are distinct safe integers', () => {
  const seeds = new Set<number>()
  for (let seed = 0; seed < 100; seed++)
    for (let index = 0; index < 100; index++) {
      const made = rowSeed(seed, index)
      expect(Number.isSafeInteger(made)).toBe(true)
      seeds.add(made)
    }
  expect(seeds.size).toBe(10_000)
})
