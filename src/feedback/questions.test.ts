// One file holds the answers to several questions; what reads it takes one of them.
import { expect, test } from 'vitest'
import type { Judgement } from '#schema'
import { aggregate, reportAgreementBy, rowsOfQuestion } from './index.ts'

const judged = (item: string, annotator: string, choice: Judgement['choice'], criterion?: string): Judgement => ({
  item,
  annotator,
  prompt: `Q of ${item}`,
  left: `a of ${item}`,
  right: `b of ${item}`,
  choice,
  ...(criterion !== undefined && { criterion }),
})
const ITEMS = ['one', 'two', 'three', 'four']
/** All agree overall and on `tone`, where the others' favourite loses; on `fact` two never agree. */
const rows = ITEMS.flatMap((item, i) => [
  ...['x', 'y'].map((who) => judged(item, who, i % 2 === 0 ? 'left' : 'right')),
  ...['x', 'y'].map((who) => judged(item, who, i % 2 === 0 ? 'right' : 'left', 'tone')),
  ...['x', 'y'].map((who) => judged(item, who, who === 'x' ? 'left' : 'right', 'fact')),
])

test('the overall question is taken unless a criterion is named; rows of criteria alone are left to their reader', () => {
  expect(rowsOfQuestion(rows)).toHaveLength(8)
  expect(rowsOfQuestion(rows).every(({ criterion }) => criterion === undefined)).toBe(true)
  expect(rowsOfQuestion(rows, 'fact').map(({ criterion }) => criterion)).toEqual(Array(8).fill('fact'))
  expect(rowsOfQuestion(rows, 'nothing')).toEqual([])
  const only = rows.filter(({ criterion }) => criterion !== undefined)
  expect(rowsOfQuestion(only)).toHaveLength(16)
  expect(() => aggregate({ judgements: rowsOfQuestion(only), seed: 1 })).toThrow('choose one criterion')
})

test('each question has preferences and an agreement of its own', () => {
  const of = (criterion?: string) =>
    aggregate({ judgements: rowsOfQuestion(rows, criterion), seed: 1, method: 'majority' }).preferences
  const [overall, tone] = [of(), of('tone')].map((all) => all.map(({ probability }) => probability))
  overall!.forEach((probability, i) => expect(probability + tone![i]!).toBeCloseTo(1, 9))
  expect(overall![0]).toBeGreaterThan(0.5)
  const parts = reportAgreementBy('criterion', rows, { seed: 0, resamples: 50 })
  expect(parts.map(({ part, judgements }) => [part, judgements])).toEqual([
    [undefined, 8],
    ['tone', 8],
    ['fact', 8],
  ])
  expect(parts.map((part) => 'report' in part && part.report.percent.value)).toEqual([1, 1, 0])
})
