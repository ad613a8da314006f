import { expect, test } from 'vitest'
import { ConfigError } from '#errors'
import { binomialTest } from '#stats'
import { assign } from './assignment.ts'

const items = Array.from({ length: 500 }, (_, i) => ({ item: `i${i}` }))
const annotators = Array.from({ length: 7 }, (_, i) => ({ id: `p${i}` }))

function countBy<T>(rows: readonly T[], key: (row: T) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const row of rows) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1)
  return counts
}

test('every item gets its overlap, nobody meets it twice, loads differ by at most one', () => {
  const assigned = assign({ items, annotators, overlap: 3, seed: 1 })
  expect(assigned).toHaveLength(1500)
  expect(new Set(assigned.map(({ item, annotator }) => `${item} ${annotator}`)).size).toBe(1500)
  expect([...countBy(assigned, (r) => r.item).values()].every((n) => n === 3)).toBe(true)
  const loads = [...countBy(assigned, (r) => r.annotator).values()]
  expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
})

test('the same seed gives the same plan; sides are a fair coin and stay when items are added', () => {
  const assigned = assign({ items, annotators, overlap: 3, seed: 1 })
  expect(assign({ items, annotators, overlap: 3, seed: 1 })).toEqual(assigned)
  expect(binomialTest(assigned.filter((r) => r.isALeft).length, 1500)).toBeGreaterThan(0.001)
  const more = assign({ items: [...items, { item: 'new' }], annotators, overlap: 7, seed: 1 })
  const sides = new Map(more.map((r) => [`${r.item} ${r.annotator}`, r.isALeft]))
  for (const r of assigned) expect(sides.get(`${r.item} ${r.annotator}`)).toBe(r.isALeft)
})

test('a second round respects the first, in meetings and in loads', () => {
  const first = assign({ items, annotators, overlap: 2, seed: 1 })
  const second = assign({ items, annotators, overlap: 2, seed: 2, already: first })
  const met = new Set(first.map(({ item, annotator }) => `${item} ${annotator}`))
  expect(second.some(({ item, annotator }) => met.has(`${item} ${annotator}`))).toBe(false)
  const loads = [...countBy([...first, ...second], (r) => r.annotator).values()]
  expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(2)
})

test('domains route to those qualified; an item nobody can take is said', () => {
  const staff = [...annotators.map((a) => ({ ...a, domains: ['billing'] })), { id: 'clinician', domains: ['clinic'] }]
  const routed = assign({
    items: [
      { item: 'x', domain: 'clinic', overlap: 1 },
      { item: 'y', domain: 'billing' },
    ],
    annotators: staff,
    overlap: 3,
    seed: 1,
  })
  expect(routed.find((r) => r.item === 'x')!.annotator).toBe('clinician')
  expect(routed.filter((r) => r.item === 'y').every((r) => r.annotator !== 'clinician')).toBe(true)
  const short = () => assign({ items: [{ item: 'x', domain: 'clinic' }], annotators: staff, overlap: 2, seed: 1 })
  expect(short).toThrow(ConfigError)
  expect(short).toThrow(/item x wants 2 judgements, but 1 annotators are free and qualified for clinic/)
})
