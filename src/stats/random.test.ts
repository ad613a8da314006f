import { expect, test } from 'vitest'
import { chiSquaredQuantile } from './distributions.ts'
import { average } from './intervals.ts'
import { deriveSeed, generator } from './random.ts'

test('the sequence of a seed is fixed for good', () => {
  const random = generator(1)
  expect([random.uniform(), random.uniform(), random.int(1000)]).toMatchInlineSnapshot(`
    [
      0.35354639903399787,
      0.0859026783280139,
      759,
    ]
  `)
  expect(deriveSeed(1, 'sample', 2)).toMatchInlineSnapshot(`8379615083551184`)
})

test('derived seeds differ with every part, its type and its place', () => {
  const seeds = [
    deriveSeed(1),
    deriveSeed(2),
    deriveSeed(1, 'a'),
    deriveSeed(1, 'ab', 'c'),
    deriveSeed(1, 'a', 'bc'),
    deriveSeed(1, 1),
    deriveSeed(1, '1'),
    deriveSeed(1, 0, 1),
    deriveSeed(1, 1, 0),
  ]
  expect(new Set(seeds).size).toBe(seeds.length)
  for (const seed of seeds) expect(Number.isSafeInteger(seed) && seed >= 0).toBe(true)
  const many = new Set(Array.from({ length: 100_000 }, (_, i) => deriveSeed(7, 'sample', i)))
  expect(many.size).toBe(100_000)
})

test('first draws of neighbouring seeds are uniform and unrelated', () => {
  const counts = new Array<number>(20).fill(0)
  const draws: number[] = []
  for (let seed = 0; seed < 20_000; seed++) {
    const u = generator(seed).uniform()
    draws.push(u)
    counts[Math.floor(u * 20)]!++
  }
  const chi = counts.reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0)
  expect(chi).toBeLessThan(chiSquaredQuantile(0.9999, 19))
  const products = draws.slice(1).map((u, i) => (u - 0.5) * (draws[i]! - 0.5) * 12)
  expect(Math.abs(average(products))).toBeLessThan(0.03) // 4 standard errors
})

test('normals have mean 0 and variance 1; a shuffle keeps what it shuffles', () => {
  const random = generator(11)
  const values = Array.from({ length: 20_000 }, () => random.normal())
  expect(Math.abs(average(values))).toBeLessThan(0.03)
  expect(average(values.map((v) => v * v))).toBeCloseTo(1, 1)
  const items = [1, 2, 3, 4, 5, 6]
  expect(random.shuffle(items).toSorted((x, y) => x - y)).toEqual(items)
})
