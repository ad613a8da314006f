import { expect, test } from 'vitest'
import { fixtureReport } from '../../tests/report-fixture.ts'
import { Report, STEPS } from './report.ts'

// The keys that programs outside read, by section; renaming one breaks them.
const READ_BY_OTHERS = {
  demonstrations: 'version rows setAside checks',
  sft: 'lossFirst lossLast heldOutLoss floor gate perplexity',
  protocol: 'annotators alpha majorityAccuracy aggregateAccuracy',
  reward: 'accuracy agreement ceiling ece bestOfN',
  rl: 'steps kl goldBefore goldAfter goldGain proxyBefore proxyAfter stoppedBy alarms terms marks unbudgeted',
  evaluation: 'winRate criteria violations gates verdict',
  seconds: 'perStep total',
}

test('a report keeps the keys that other programs read', () => {
  const report = Report.parse(fixtureReport())
  for (const [section, keys] of Object.entries(READ_BY_OTHERS))
    expect(Object.keys(report[section as keyof typeof READ_BY_OTHERS]!)).toEqual(
      expect.arrayContaining(keys.split(' ')),
    )
  expect(Object.keys(report)).toEqual(expect.arrayContaining(['objectives', 'lineage']))
  expect(Object.keys(report.rl!.marks[0]!)).toEqual(
    expect.arrayContaining(['step', 'kl', 'winSft', 'winBest', 'accuracy', 'decision']),
  )
  expect(Object.keys(report.rl!.unbudgeted!)).toEqual(expect.arrayContaining(['points', 'alarmAt']))
  expect(Object.keys(report.evaluation!.violations)).toEqual(['n', 'before', 'after', 'increaseHigh'])
})

test('any section may be absent; an unknown key, a number that is none, or a step too few may not', () => {
  const report = fixtureReport()
  for (const step of STEPS) delete report[step]
  expect(Report.safeParse(report).success).toBe(true)
  expect(Report.safeParse({ ...report, surprise: 1 }).success).toBe(false)
  expect(Report.safeParse({ ...report, seconds: { perStep: {}, total: Number.NaN } }).success).toBe(false)
  expect(Report.safeParse({ ...report, steps: report.steps.slice(1) }).success).toBe(false)
})

test('a report survives being written and read', () => {
  const report = Report.parse(fixtureReport())
  expect(Report.parse(JSON.parse(JSON.stringify(report)))).toEqual(report)
})
