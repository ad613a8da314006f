import { expect, test } from 'vitest'
import type { Judgement } from '#schema'
import { generator } from '#stats'
import { reportAnnotators } from './annotators.ts'

/** 200 items, the better one known to four honest people; `choose` is what the fifth does. */
function withFifth(
  choose: (side: { isGoodLeft: boolean; isLongLeft: boolean }, u: number) => 'left' | 'right',
): Judgement[] {
  const random = generator(12)
  return Array.from({ length: 200 }, (_, i) => {
    const isGoodLeft = random.uniform() < 0.5
    const isLongLeft = random.uniform() < 0.5
    const [left, right] = isLongLeft ? [`long long long ${i}`, `short ${i}`] : [`short ${i}`, `long long long ${i}`]
    return Array.from({ length: 5 }, (_, p): Judgement => {
      const honest = random.uniform() < 0.85 === isGoodLeft ? 'left' : 'right'
      const choice = p === 4 ? choose({ isGoodLeft, isLongLeft }, random.uniform()) : honest
      return { item: `i${i}`, annotator: `p${p}`, left: left!, right: right!, choice, time: 10 + p }
    })
  }).flat()
}

test('leaning to the left is found in the one who leans, and in nobody else', () => {
  const reports = reportAnnotators(withFifth((_, u) => (u < 0.8 ? 'left' : 'right')))
  expect(reports[4]!.leftShare!.low).toBeGreaterThan(0.5)
  expect(reports[4]!.leftShare!.adjusted).toBeLessThan(0.001)
  for (const { leftShare } of reports.slice(0, 4)) expect(leftShare!.adjusted).toBeGreaterThan(0.05)
})

test('leaning to length is told apart from agreeing with the others', () => {
  const reports = reportAnnotators(withFifth(({ isLongLeft }, u) => (u < 0.8 === isLongLeft ? 'left' : 'right')))
  expect(reports[4]!.lengthLean!.low).toBeGreaterThan(0)
  expect(reports[4]!.withOthers!.high).toBeLessThan(reports[0]!.withOthers!.low)
  for (const { lengthLean } of reports.slice(0, 4)) expect(lengthLean!.low).toBeLessThan(0)
  expect(reports.map((r) => r.medianTime)).toEqual([10, 11, 12, 13, 14])
})

test('ties are counted, and a lone judge has no others to agree with', () => {
  const row = { annotator: 'p', left: 'x', right: 'y' }
  const [report] = reportAnnotators([
    { ...row, item: '1', choice: 'tie' },
    { ...row, item: '2', choice: 'both-bad' },
    { ...row, item: '3', choice: 'cannot-judge' },
    { ...row, item: '4', choice: 'left' },
  ])
  expect(report).toMatchObject({ judgements: 4, ties: 1, bothBad: 1, cannotJudge: 1 })
  expect(report!.withOthers).toBeUndefined()
  expect(report!.lengthLean).toBeUndefined()
  expect(report!.leftShare!.value).toBe(1)
})
