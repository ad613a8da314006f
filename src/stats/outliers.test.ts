import { expect, test } from 'vitest'
import { outliers } from './outliers.ts'
import { deriveSeed, generator } from './random.ts'

const alike = (run: number, n: number) => {
  const random = generator(deriveSeed(run, 'alike'))
  return Array.from({ length: n }, () => ({ value: 3 + 2 * random.normal(), error: 0 }))
}

test('in groups of alike members somebody is named at the level, at each size', () => {
  for (const n of [4, 7, 12, 30]) {
    let named = 0
    for (let run = 0; run < 2000; run++)
      named += Number(outliers(alike(run, n), { side: 'both' }).some(({ adjusted }) => adjusted < 0.05))
    expect(named / 2000).toBeGreaterThan(0.035)
    expect(named / 2000).toBeLessThan(0.065)
  }
})

test('three of twelve that stand far out are named, and nobody else; the side counts', () => {
  const members = alike(1, 12)
  for (const i of [2, 5, 7]) members[i]!.value = 60 + i
  const named = (side: 'both' | 'low' | 'high') =>
    outliers(members, { side }).flatMap(({ adjusted }, i) => (adjusted < 0.01 ? [i] : []))
  expect(named('both')).toEqual([2, 5, 7])
  expect(named('high')).toEqual([2, 5, 7])
  expect(named('low')).toEqual([])
})

test('a value no surer than its error names nobody, however alike the others are', () => {
  const members = [0, 0, 0, 0, 0, 0, 1].map((value) => ({ value, error: 1 }))
  for (const { adjusted } of outliers(members, { side: 'both' })) expect(adjusted).toBeGreaterThan(0.5)
  expect(() => outliers(members.slice(0, 3), { side: 'both' })).toThrow(/at least 4 members, got 3/)
})
