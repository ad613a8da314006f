import { expect, test } from 'vitest'
import type { Judgement } from '#schema'
import { deriveSeed, generator } from '#stats'
import { reportAgreementBy } from './agreement-report.ts'
import { compareGuidelines } from './compare-guidelines.ts'

/** 120 items a version, three judges right with the version's skill; `shared`: both versions on the same items. */
function rounds(seed: number, skills: { old: number; new: number }, shared = false): Judgement[] {
  const random = generator(deriveSeed(seed, 'rounds'))
  return Object.entries(skills).flatMap(([guideline, skill]) =>
    Array.from({ length: 120 }, (_, i) =>
      Array.from({ length: 3 }, (_, p): Judgement => {
        const item = `${shared ? '' : guideline}${i}`
        const choice = random.uniform() < skill ? 'left' : 'right'
        const sides = i % 2 === 0 ? { left: 'good', right: 'bad' } : { left: 'good', right: 'worse' }
        return { item, annotator: `p${p}`, ...sides, choice, guideline }
      }),
    ).flat(),
  )
}
const gold = Array.from({ length: 120 }, (_, i) => ({ item: `${i}`, better: 'good' }))
const versions = { before: 'old', after: 'new', seed: 1, resamples: 500 }

test('a change that helps is shown, with its interval and on gold; one that does nothing is not', () => {
  // Which side is good varies, so that a right answer is not always the same category.
  const turned = (rows: Judgement[]) =>
    rows.map((row): Judgement => {
      if (Number(row.item.replace(/\D/g, '')) % 3 !== 0) return row
      return { ...row, left: row.right, right: row.left, choice: row.choice === 'left' ? 'right' : 'left' }
    })
  const rows = turned(rounds(1, { old: 0.7, new: 0.9 }, true))
  const better = compareGuidelines(rows, { ...versions, gold })
  expect(better.items).toEqual({ before: 120, after: 120, both: 120 })
  expect(better.goldAccuracy!.change.low).toBeGreaterThan(0.1)
  expect(better.goldAccuracy!.change.high).toBeLessThan(0.3)
  expect(better.percent.change.value).toBeCloseTo(better.percent.after - better.percent.before, 12)
  expect(better.percent.change.low).toBeGreaterThan(0)
  const same = compareGuidelines(rounds(2, { old: 0.8, new: 0.8 }), versions)
  expect(same.verdict).toBe('not shown')
  expect(same.goldAccuracy).toBeUndefined()
  expect(same.items).toEqual({ before: 120, after: 120, both: 0 })
})

test('no verdict rests on a handful of items, and gold that is neither completion is refused', () => {
  const few = rounds(5, { old: 0.5, new: 1 }, true).filter(
    ({ item, guideline }) => guideline === 'new' || Number(item) < 6,
  )
  expect(compareGuidelines(few, versions)).toMatchObject({ verdict: 'not shown', items: { before: 6, after: 120 } })
  const wrong = gold.map((row) => ({ ...row, better: 'neither' }))
  expect(() => compareGuidelines(rounds(6, { old: 0.8, new: 0.8 }, true), { ...versions, gold: wrong })).toThrow(
    /gold answer of item 0 is neither of its completions/,
  )
})

test('a version that nobody shared is refused by name, with those that there are', () => {
  expect(() => compareGuidelines(rounds(3, { old: 0.8, new: 0.8 }), { ...versions, after: 'newest' })).toThrow(
    /under guideline newest, got none; guidelines in these rows: old, new/,
  )
})

test('agreement by criterion, stratum and guideline; a part judged once says so', () => {
  const rows = rounds(4, { old: 0.6, new: 0.95 })
  const byGuideline = reportAgreementBy('guideline', rows, { seed: 1, resamples: 100 })
  expect(byGuideline.map(({ part, judgements }) => [part, judgements])).toEqual([
    ['old', 360],
    ['new', 360],
  ])
  const percent = byGuideline.map((of) => ('report' in of ? of.report.percent.value : NaN))
  expect(percent[1]!).toBeGreaterThan(percent[0]! + 0.2)
  const criteria = rows.slice(0, 90).map((row, i) => ({ ...row, criterion: i % 3 === 0 ? 'tone' : 'fact' }))
  const byCriterion = reportAgreementBy('criterion', criteria, { seed: 1, resamples: 100 })
  expect(byCriterion[0]).toEqual({ part: 'tone', judgements: 30, reason: 'no item was judged by two annotators' })
  expect(byCriterion[1]).toMatchObject({ part: 'fact', report: { items: 30 } })
  const comparisons = [...new Map(rows.map((row) => [row.item, row])).values()].map(({ item, left, right }, i) => ({
    item,
    prompt: 'q',
    a: left,
    b: right,
    stratum: i % 2 === 0 ? 'easy' : 'hard',
  }))
  const byStratum = reportAgreementBy('stratum', rows, { comparisons, seed: 1, resamples: 100 })
  expect(byStratum.map(({ part }) => part)).toEqual(['easy', 'hard'])
})
