// Detection and false accusations over many crowds are a trial (npm run trials -- people); here two crowds and the edges.
import { expect, test } from 'vitest'
import { plantedCrowd } from '../../trials/worlds/crowd.ts'
import type { Judgement } from '#schema'
import { gatherItems, votesByAnnotator } from './items.ts'
import { PEOPLE_TESTS, reportPeople } from './people.ts'

test('planted faults are named, honest people are not', () => {
  const { people, judgements, comparisons, gold } = plantedCrowd({ seed: 4 })
  const report = reportPeople(judgements, { comparisons, gold, seed: 4 })
  const accused = (fault?: string) =>
    people
      .filter((person) => person.fault === fault)
      .flatMap(({ id }) => report.people.find(({ annotator }) => annotator === id)!.findings)
      .flatMap(({ test: name, isAccused, says }) => (isAccused ? [{ name, says }] : []))
  expect(accused()).toEqual([])
  expect(accused('side').map(({ name }) => name)).toContain('side')
  expect(accused('speed').map(({ name }) => name)).toContain('pace')
  expect(accused('drift').map(({ name }) => name)).toContain('drift')
  expect(accused('spam').map(({ name }) => name)).toContain('knowledge')
  expect(accused('adversary').find(({ name }) => name === 'knowledge')!.says).toContain('wrong way round')
  expect(report.tests.map(({ name }) => name)).toEqual(Object.keys(PEOPLE_TESTS))
  expect(report.tests.reduce((sum, { level }) => sum + level, 0)).toBeCloseTo(report.rate, 12)
  const charts = report.people.flatMap(({ goldChart }) => goldChart ?? [])
  expect(charts).toHaveLength(12)
  const leftOut = report.people.filter(({ isLeftOut }) => isLeftOut).map(({ annotator }) => annotator)
  expect(leftOut.sort()).toEqual(
    people.flatMap(({ id, fault }) => (fault === 'spam' || fault === 'adversary' ? [id] : [])).sort(),
  )
})

test('a crowd without faults is not accused, and the report is the same each time', () => {
  const { judgements, comparisons } = plantedCrowd({ seed: 5, faults: [], each: 200 })
  const report = reportPeople(judgements, { comparisons, seed: 5 })
  expect(report.people.flatMap(({ findings }) => findings.filter((f) => f.isAccused))).toEqual([])
  expect(report.tests.map(({ name }) => name)).not.toContain('gold')
  expect(reportPeople(judgements, { comparisons, seed: 5 })).toEqual(report)
})

test('few people and few judgements make only the tests that they can carry', () => {
  const { judgements } = plantedCrowd({ seed: 6, size: 3, faults: [], each: 10, overlap: 3 })
  const report = reportPeople(judgements, { seed: 1 })
  expect(report.tests.map(({ name }) => name)).toEqual(['side', 'knowledge'])
  expect(() => reportPeople(judgements, { seed: 1, rate: 0 })).toThrow(/inside \(0, 1\), got 0/)
})

test('people are followed in the order in which they judged, whatever the order of the items', () => {
  const rows = ['i0', 'i1', 'i2'].map((item) => judgement('p1', item))
  const reversed = ['i2', 'i1', 'i0'].map((item) => judgement('p2', item))
  const byPerson = votesByAnnotator(gatherItems([...rows, ...reversed]))
  const order = (name: string) => byPerson.get(name)!.map(({ item }) => item.item)
  expect([order('p1'), order('p2')]).toEqual([
    ['i0', 'i1', 'i2'],
    ['i2', 'i1', 'i0'],
  ])
})

test('who judged alone has no skill, and an even clock accuses nobody', () => {
  const alone = Array.from({ length: 12 }, (_, i) => judgement('p1', `i${i}`))
  expect(reportPeople(alone, { seed: 1 }).people[0]!.skill).toBeUndefined()
  const even = Array.from({ length: 60 }, (_, i) =>
    ['p1', 'p2', 'p3', 'p4'].map((who) => ({ ...judgement(who, `i${i}`), time: who === 'p4' ? 4.9 : 5 })),
  ).flat()
  const { people } = reportPeople(even, { seed: 1 })
  expect(people.flatMap(({ findings }) => findings.filter((f) => f.isAccused && f.test === 'pace'))).toEqual([])
})

test('who answers faster than anybody reads is told so, though the whole crowd does, and a reader is not', () => {
  const text = 'word '.repeat(60)
  const rows = Array.from({ length: 40 }, (_, i) =>
    ['p1', 'p2', 'p3', 'p4'].map((who): Judgement => {
      const [left, right] = [`${text}left ${i}`, `${text}right ${i}`]
      return { item: `i${i}`, annotator: who, left, right, choice: 'left', time: who === 'p4' ? 20 : 3 + (i % 3) }
    }),
  ).flat()
  const paceOf = (name: string) =>
    reportPeople(rows, { seed: 1 })
      .people.find(({ annotator }) => annotator === name)!
      .findings.find(({ test: of }) => of === 'pace')!
  for (const name of ['p1', 'p2', 'p3']) {
    expect(paceOf(name)).toMatchObject({ isAccused: true })
    expect(paceOf(name).says).toMatch(/characters a second; nobody reads more than 70/)
  }
  expect(paceOf('p4').isAccused).toBe(false)
})

function judgement(annotator: string, item: string): Judgement {
  return { item, annotator, left: `${item} a`, right: `${item} b`, choice: 'left' }
}
