import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { bradleyTerry, type PairCount, winProbability } from './bradley-terry.ts'
import { generator } from './random.ts'

test('two players: the difference of ratings is the log odds, its variance 1 / (n p q)', () => {
  const { ratings, covariance } = bradleyTerry([{ a: 'x', b: 'y', wins: 75, n: 100 }])
  expect(ratings.map((r) => r.name)).toEqual(['x', 'y'])
  expect(ratings[0]!.value - ratings[1]!.value).toBeCloseTo(Math.log(3), 9)
  const variance = covariance[0]![0]! + covariance[1]![1]! - 2 * covariance[0]![1]!
  expect(variance).toBeCloseTo(1 / (100 * 0.75 * 0.25), 9)
})

test('baseball 1987, American League East (Agresti, Categorical Data Analysis, table 10.10): the published ratings', () => {
  // Wins of the first over the second of 13 games.
  const wins: [string, string, number][] = [
    ['Milwaukee', 'Detroit', 7],
    ['Milwaukee', 'Toronto', 9],
    ['Milwaukee', 'New York', 7],
    ['Milwaukee', 'Boston', 7],
    ['Milwaukee', 'Cleveland', 9],
    ['Milwaukee', 'Baltimore', 11],
    ['Detroit', 'Toronto', 7],
    ['Detroit', 'New York', 5],
    ['Detroit', 'Boston', 11],
    ['Detroit', 'Cleveland', 9],
    ['Detroit', 'Baltimore', 9],
    ['Toronto', 'New York', 7],
    ['Toronto', 'Boston', 7],
    ['Toronto', 'Cleveland', 8],
    ['Toronto', 'Baltimore', 12],
    ['New York', 'Boston', 6],
    ['New York', 'Cleveland', 7],
    ['New York', 'Baltimore', 10],
    ['Boston', 'Cleveland', 7],
    ['Boston', 'Baltimore', 12],
    ['Cleveland', 'Baltimore', 6],
  ]
  const { ratings } = bradleyTerry(wins.map(([a, b, w]) => ({ a, b, wins: w, n: 13 })))
  const of = new Map(ratings.map((r) => [r.name, r.value]))
  const above = (name: string) => Number((of.get(name)! - of.get('Baltimore')!).toFixed(3))
  expect(['Milwaukee', 'Detroit', 'Toronto', 'New York', 'Boston', 'Cleveland'].map(above)).toEqual([
    1.581, 1.436, 1.294, 1.248, 1.108, 0.684,
  ])
})

test('95% intervals cover planted ratings', () => {
  const planted = [-1, -0.4, 0.1, 0.4, 0.9]
  const random = generator(17)
  let covered = 0
  for (let trial = 0; trial < 60; trial++) {
    const pairs: PairCount[] = []
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < i; j++) {
        let wins = 0
        for (let game = 0; game < 40; game++) if (random.uniform() < winProbability(planted[i]!, planted[j]!)) wins++
        pairs.push({ a: String(i), b: String(j), wins, n: 40 })
      }
    for (const { name, low, high } of bradleyTerry(pairs).ratings)
      if (low <= planted[Number(name)]! && planted[Number(name)]! <= high) covered++
  }
  expect(covered / 300).toBeGreaterThan(0.92)
  expect(covered / 300).toBeLessThan(0.98)
})

test('without links both ways there is no maximum: said, unless a prior is set', () => {
  const swept = [{ a: 'x', b: 'y', wins: 10, n: 10 }]
  expect(() => bradleyTerry(swept)).toThrow(/add comparisons or set a prior/)
  expect(() => bradleyTerry([{ a: 'x', b: 'x', wins: 1, n: 2 }])).toThrow(DataError)
  const { ratings } = bradleyTerry(swept, { prior: 0.1 })
  expect(ratings[0]!.name).toBe('x')
  expect(Number.isFinite(ratings[0]!.high)).toBe(true)
})
