// What becomes of settled items, on crowds whose truth is known: what was decided holds, subjective items keep their shares and
// accuse nobody, and only items on which people differ are put to an adjudicator.
import { expect, test } from 'vitest'
import type { Judgement } from '#schema'
import { generator } from '#stats'
import { aggregate } from './aggregate.ts'
import { findDisputes } from './disputes.ts'
import { gatherItems } from './items.ts'

const say = (item: number, annotator: string, choice: Judgement['choice'], over: Partial<Judgement> = {}) => ({
  item: `i${item}`,
  annotator,
  prompt: `prompt ${item}`,
  left: `first ${item}`,
  right: `second ${item}`,
  choice,
  ...over,
})

/** Of even items the left side is better, of odd ones the right. */
const better = (item: number) => (item % 2 === 0 ? 'left' : 'right')
const worse = (item: number) => better(item + 1)

/** 40 items on which three good annotators agree but now and then. */
function agreed(): Judgement[] {
  const random = generator(3)
  return Array.from({ length: 40 }, (_, i) =>
    ['ann', 'ben', 'cem'].map((name) => say(100 + i, name, random.uniform() < 0.9 ? better(i) : worse(i))),
  ).flat()
}

test('a decided item holds as the adjudicator is reliable, whatever the votes', () => {
  const votes = [say(1, 'ann', 'left'), say(1, 'ben', 'left'), say(1, 'cem', 'right')]
  const decided = say(1, 'rev', 'right', { adjudication: 'decided', strength: 3 })
  const of = (rows: Judgement[]) =>
    aggregate({ judgements: rows, seed: 1, method: 'dawid-skene' }).preferences.find(({ item }) => item === 'i1')!
  expect(of([...agreed(), ...votes]).probability).toBeGreaterThan(0.5)
  const settled = of([...agreed(), ...votes, decided])
  expect(settled.probability).toBeCloseTo(0.1, 9)
  expect(settled).toMatchObject({ weight: 1, judgements: 3, strength: 3, adjudication: 'decided' })
  expect(settled.annotators).toEqual(['ann', 'ben', 'cem', 'rev'])
  // Who is seen to be right is believed more, who is seen to be wrong less.
  const own = (choose: typeof better) => Array.from({ length: 40 }, (_, i) => say(100 + i, 'rev', choose(i)))
  expect(of([...agreed(), ...own(better), ...votes, decided]).probability).toBeLessThan(0.1)
  expect(of([...agreed(), ...own(worse), ...votes, decided]).probability).toBeGreaterThan(0.3)
})

test('a decided tie is even and a decided both bad is bad', () => {
  const rows = [...agreed(), say(1, 'ann', 'left'), say(2, 'ann', 'right')]
  const { preferences } = aggregate({
    judgements: [
      ...rows,
      say(1, 'rev', 'tie', { adjudication: 'decided' }),
      say(2, 'rev', 'both-bad', { adjudication: 'decided' }),
      say(3, 'rev', 'left', { adjudication: 'decided' }),
    ],
    seed: 1,
  })
  const of = (item: string) => preferences.find((p) => p.item === item)!
  expect(of('i1')).toMatchObject({ probability: 0.5, tie: 1, bothBad: 0 })
  expect(of('i2')).toMatchObject({ probability: 0.5, tie: 0, bothBad: 1 })
  // Nobody but the adjudicator said anything of it, and it is settled all the same.
  expect(of('i3')).toMatchObject({ judgements: 0, weight: 1, tie: 0 })
})

test('a subjective item keeps the shares of its votes, where a model of one truth would sharpen them', () => {
  const votes = ['ann', 'ben', 'cem', 'dan'].map((name) => say(1, name, name === 'dan' ? 'right' : 'left'))
  const of = (rows: Judgement[]) =>
    aggregate({ judgements: rows, seed: 1, method: 'one-coin' }).preferences.find(({ item }) => item === 'i1')!
  const subjective = say(1, 'rev', 'cannot-judge', { adjudication: 'subjective' })
  expect(of([...agreed(), ...votes]).probability).toBeGreaterThan(0.9)
  expect(of([...agreed(), ...votes, subjective])).toMatchObject({
    probability: 0.75,
    weight: 1,
    adjudication: 'subjective',
  })
})

test('decided items tell of their voters; subjective ones accuse nobody', () => {
  const items = Array.from({ length: 20 }, (_, i) => i)
  const votes = items.flatMap((i) => [say(i, 'ann', 'left'), say(i, 'bad', 'right')])
  const skills = (as: Judgement['adjudication']) =>
    new Map(
      aggregate({
        judgements: [...votes, ...items.map((i) => say(i, 'rev', 'left', { adjudication: as }))],
        seed: 1,
        method: 'dawid-skene',
      }).annotators.map(({ annotator, skill }) => [annotator, skill.value]),
    )
  const decided = skills('decided')
  expect(decided.get('ann')!).toBeGreaterThan(0.75)
  expect(decided.get('bad')!).toBeLessThan(0.4)
  const subjective = skills('subjective')
  expect(subjective.get('ann')).toBe(subjective.get('bad'))
})

test('where everything is settled there is no model to choose, and the preferences are there', () => {
  const rows = [say(1, 'ann', 'left'), say(1, 'rev', 'right', { adjudication: 'decided' })]
  const { preferences, method, evidence } = aggregate({ judgements: rows, seed: 1 })
  expect(preferences).toHaveLength(1)
  expect([method, evidence]).toEqual(['majority', []])
  const twice = [...rows, say(1, 'lea', 'left', { adjudication: 'decided' })]
  expect(() => aggregate({ judgements: twice, seed: 1 })).toThrow(/adjudicated twice/)
})

test('disputed are items on which people differ, or which most cannot judge; the least certain first', () => {
  const rows = [
    // Nobody differs on these.
    ...Array.from({ length: 10 }, (_, i) => ['ann', 'ben', 'cem'].map((name) => say(100 + i, name, better(i)))).flat(),
    ...['ann', 'ben', 'cem'].map((name) => say(1, name, name === 'cem' ? 'right' : 'left')),
    say(2, 'ann', 'left'),
    say(2, 'ben', 'right'),
    ...['ann', 'ben', 'cem'].map((name) => say(3, name, name === 'cem' ? 'left' : 'cannot-judge')),
    ...['ann', 'ben', 'cem'].map((name) => say(4, name, 'tie')),
    say(5, 'ann', 'left'),
    say(6, 'ann', 'left'),
    say(6, 'ben', 'right'),
    say(6, 'rev', 'cannot-judge', { adjudication: 'subjective' }),
  ]
  const disputes = findDisputes(gatherItems(rows), { threshold: 0.99 })
  expect(Object.fromEntries(disputes.map(({ item, because }) => [item, because]))).toEqual({
    i1: 'split',
    i2: 'split',
    i3: 'cannot judge',
  })
  const distances = disputes.map(({ probability }) => Math.abs(probability - 0.5))
  expect(distances).toEqual([...distances].sort((x, y) => x - y))
  expect(findDisputes(gatherItems(rows), { threshold: 0.6 }).map(({ item }) => item)).not.toContain('i1')
})
