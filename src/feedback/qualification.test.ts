import { expect, test } from 'vitest'
import { DataError } from '#errors'
import type { Judgement } from '#schema'
import { aggregate } from './aggregate.ts'
import { passes, qualify } from './qualification.ts'

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

test('a pass mark is a count of right answers or a bound of their share', () => {
  const judgements = exam('expert', (i, isGoodLeft) => (i < 17 ? right(isGoodLeft) : i < 18 ? 'tie' : 'cannot-judge'))
  const [report] = qualify({ judgements, gold })
  expect(report!.accuracy.value * 20).toBeCloseTo(17.5, 9)
  expect([17, 18].map((n) => passes(report!, { right: n }))).toEqual([true, false])
  const { low } = report!.accuracy
  expect([low, low + 0.01].map((bound) => passes(report!, { low: bound }))).toEqual([true, false])
})

test('rows with a gold answer tell of their authors and make no preference', () => {
  const say = (annotator: string, choice: Judgement['choice']): Judgement => ({
    item: 'open',
    annotator,
    prompt: 'Q',
    left: 'x',
    right: 'y',
    choice,
  })
  const examined = [
    ...exam('expert', (_, isGoodLeft) => right(isGoodLeft)),
    ...exam('guesser', (i, isGoodLeft) => right(i % 4 < 2 ? isGoodLeft : !isGoodLeft)),
  ].map((row): Judgement => ({ ...row, gold: row.left.startsWith('good') ? 'left' : 'right' }))
  const judgements = [...examined, say('expert', 'left'), say('guesser', 'right')]
  const made = aggregate({ judgements, seed: 1, method: 'dawid-skene' })
  expect(made.preferences.map(({ item }) => item)).toEqual(['open'])
  expect(made.preferences[0]!.probability).toBeGreaterThan(0.8)
  expect(made.preferences[0]!.weight).toBe(1)
  expect(made.setAside).toHaveLength(20)
  const plain = aggregate({ judgements: judgements.slice(-2), seed: 1, method: 'dawid-skene' })
  expect(plain.preferences[0]!.probability).toBeCloseTo(0.5, 9)
  // The same by a report beside the rows.
  const qualification = qualify({ judgements: examined, gold })
  const beside = aggregate({ judgements: judgements.slice(-2), seed: 1, method: 'dawid-skene', qualification })
  expect(beside.preferences[0]!.probability).toBeCloseTo(made.preferences[0]!.probability, 9)
  const contradicted = examined.map((row, i): Judgement => (i === 20 ? { ...row, gold: 'right' } : row))
  expect(() => aggregate({ judgements: contradicted, seed: 1 })).toThrow(/two gold answers/)
})
