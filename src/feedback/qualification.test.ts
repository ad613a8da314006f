import { expect, test } from 'vitest'
import { DataError } from '#errors'
import type { Judgement } from '#schema'
import { qualify } from './qualification.ts'

/** Gold items whose better completion 'good' is on the left for even i. */
function exam(annotator: string, answer: (i: number, isGoodLeft: boolean) => Judgement['choice']): Judgement[] {
  return Array.from({ length: 20 }, (_, i) => {
    const isGoodLeft = i % 2 === 0
    const [left, right] = isGoodLeft ? [`good ${i}`, `poor ${i}`] : [`poor ${i}`, `good ${i}`]
    return { item: `g${i}`, annotator, left: left!, right: right!, choice: answer(i, isGoodLeft) }
  })
}
const gold = Array.from({ length: 20 }, (_, i) => ({ item: `g${i}`, better: `good ${i}` }))
const right = (isGoodLeft: boolean) => (isGoodLeft ? 'left' : 'right')

test('pass mark, Wilson interval, and confusion by the better side', () => {
  const judgements = [
    ...exam('expert', (i, isGoodLeft) => (i < 18 ? right(isGoodLeft) : right(!isGoodLeft))),
    ...exam('lefty', () => 'left'),
    ...exam('undecided', () => 'tie'),
    ...exam('silent', (i, isGoodLeft) => (i < 10 ? right(isGoodLeft) : 'cannot-judge')),
  ]
  const reports = new Map(qualify({ judgements, gold }).map((r) => [r.annotator, r]))
  const expert = reports.get('expert')!
  expect([expert.accuracy.value, expert.passed]).toEqual([0.9, true])
  expect(expert.accuracy.low).toBeCloseTo(0.699, 3)
  expect(expert.confusion).toEqual({ left: { left: 9, right: 1 }, right: { left: 1, right: 9 } })
  expect(reports.get('lefty')!.confusion).toEqual({ left: { left: 10, right: 0 }, right: { left: 10, right: 0 } })
  expect(reports.get('lefty')!.passed).toBe(false)
  expect(reports.get('undecided')!.accuracy.value).toBe(0.5)
  expect(reports.get('silent')!.accuracy.value).toBe(0.5)
})

test('too few gold items do not qualify anyone; other items are not looked at', () => {
  const few = exam('expert', (_, isGoodLeft) => right(isGoodLeft)).slice(0, 5)
  const other: Judgement = { item: 'not gold', annotator: 'expert', left: 'x', right: 'y', choice: 'left' }
  const [report] = qualify({ judgements: [...few, other], gold })
  expect([report!.accuracy.value, report!.accuracy.n, report!.passed]).toEqual([1, 5, false])
})

test('a gold answer that is neither completion is refused', () => {
  const judgements = exam('expert', () => 'left').slice(0, 1)
  expect(() => qualify({ judgements, gold: [{ item: 'g0', better: 'else' }] })).toThrow(DataError)
})
