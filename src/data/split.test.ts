import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitRows } from './index.ts'

const rows = (count: number, groups: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `r${i}`,
    group: `g${i % groups}`,
    stratum: i % groups < groups / 10 ? 'rare' : 'common',
    prompt: `prompt ${i}`,
  }))

test('no group is in two splits, no row is lost', () => {
  fc.assert(
    fc.property(fc.integer({ min: 30, max: 300 }), fc.nat(1000), fc.boolean(), (groups, seed, stratified) => {
      const all = rows(groups * 3, groups)
      const { splits } = splitRows(all, { seed, stratified, shares: { train: 0.6, test: 0.4 } })
      const sides = Object.values(splits).map((side) => new Set(side.map((row) => row.group)))
      expect([...sides[0]!].filter((group) => sides[1]!.has(group))).toEqual([])
      expect(Object.values(splits).flat().length).toBe(all.length)
    }),
    { numRuns: 50 },
  )
})

test('a group keeps its side when rows are added, and the plan is named by its hash', () => {
  const few = splitRows(rows(500, 100), { seed: 1 })
  const more = splitRows(rows(2000, 400), { seed: 1 })
  for (const [name, side] of Object.entries(few.splits)) {
    const later = new Set(more.splits[name]!.map((row) => row.group))
    expect(side.every((row) => later.has(row.group))).toBe(true)
  }
  expect(splitRows(rows(500, 100), { seed: 1 }).report.hash).toBe(few.report.hash)
  expect(splitRows(rows(500, 100), { seed: 2 }).report.hash).not.toBe(few.report.hash)
  expect(more.report.sizes.train!.share).toBeCloseTo(0.8, 1)
})

test('stratified splits keep the share of each stratum', () => {
  const { report } = splitRows(rows(1000, 200), { seed: 3, stratified: true })
  expect(report.sizes.train!.strata).toEqual({ rare: 80, common: 720 })
  expect(report.sizes.test!.strata).toEqual({ rare: 10, common: 90 })
})

test('rows without a group stay with their prompt', () => {
  const all = Array.from({ length: 300 }, (_, i) => ({ prompt: `p${i % 100}`, completion: `c${i}` }))
  const { splits, report } = splitRows(all, { seed: 1 })
  expect(report).toMatchObject({ groups: 100, ungrouped: 300 })
  const train = new Set(splits.train!.map((row) => row.prompt))
  expect(splits.test!.some((row) => train.has(row.prompt))).toBe(false)
})

test('an empty split or wrong shares are refused', () => {
  expect(() => splitRows(rows(10, 1), { seed: 1 })).toThrow('expected rows for every split, got none for')
  expect(() => splitRows(rows(10, 10), { seed: 1, shares: { train: 0.9, test: 0.2 } })).toThrow('add up to 1')
})
