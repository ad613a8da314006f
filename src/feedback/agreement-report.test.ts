import { expect, test } from 'vitest'
import type { Judgement } from '#schema'
import { generator } from '#stats'
import { ratingsOf, reportAgreement } from './agreement-report.ts'
import { gatherItems } from './items.ts'

function judgements(rightShare: number, agreeing: number, annotators = 3): Judgement[] {
  const random = generator(3)
  return Array.from({ length: 200 }, (_, i) => {
    const truth = random.uniform() < rightShare ? 'right' : 'left'
    return Array.from({ length: annotators }, (_, a): Judgement => {
      const choice = random.uniform() < agreeing ? truth : truth === 'left' ? 'right' : 'left'
      return { item: `i${i}`, annotator: `p${a}`, prompt: 'q', left: 'x', right: 'y', choice }
    })
  }).flat()
}

test('every coefficient has its value inside its interval, and the seed decides', () => {
  const ratings = ratingsOf(gatherItems(judgements(0.5, 0.85)))
  const report = reportAgreement(ratings, { seed: 1, resamples: 300 })
  for (const { value, low, high, n } of [
    report.percent,
    report.alpha,
    report.alphaOrdinal,
    report.fleiss,
    report.gwetAC1,
  ]) {
    expect(low < value && value < high).toBe(true)
    expect(n).toBe(200)
  }
  expect(report.judgements).toBe(600)
  expect(report.cohen).toBeUndefined()
  expect(report.warning).toBeUndefined()
  expect(reportAgreement(ratings, { seed: 1, resamples: 300 })).toEqual(report)
})

test('where nothing varies kappa is not defined, and nothing is warned of', () => {
  const ratings = ['one', 'two'].flatMap((item) => ['x', 'y'].map((annotator) => ({ item, annotator, value: 1 })))
  const report = reportAgreement(ratings, { seed: 1, resamples: 50 })
  expect(report.percent.value).toBe(1)
  expect(report.fleiss.value).toBeNaN()
  expect(report.warning).toBeUndefined()
})

test('a rare category brings the warning; two annotators bring Cohen', () => {
  const report = reportAgreement(ratingsOf(gatherItems(judgements(0.02, 0.97, 2))), { seed: 1, resamples: 200 })
  expect(report.warning).toMatch(/kappa misleads: .* read AC1/)
  expect(report.cohen!.value).toBeLessThan(report.gwetAC1.value)
})

test('agreement is of completions, not of sides', () => {
  const rows: Judgement[] = [
    { item: 'i', annotator: 'p', left: 'x', right: 'y', choice: 'left' },
    { item: 'i', annotator: 'q', left: 'y', right: 'x', choice: 'right' },
    { item: 'i', annotator: 'r', left: 'y', right: 'x', choice: 'cannot-judge' },
  ]
  expect(ratingsOf(gatherItems(rows)).map((r) => r.value)).toEqual([1, 1])
  expect(() => reportAgreement(ratingsOf(gatherItems(rows.slice(0, 1))), { seed: 1 })).toThrow(/two annotators/)
})
