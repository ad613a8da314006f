// Detection and false accusations over many crowds are a trial (npm run trials -- people); here two crowds and the edges.
import { expect, test } from 'vitest'
import { plantedCrowd } from '../../trials/worlds/crowd.ts'
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
