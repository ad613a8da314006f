import { expect, test } from 'vitest'
import type { Judgement } from '#schema'
import { gatherItems } from './items.ts'
import { agreementMatrix, ANSWER_KINDS, PACE_EDGES, tallyOf } from './tallies.ts'

/** Shown the other way round to `ben`, so that left of one is right of the other. */
const say = (
  item: number,
  annotator: string,
  choice: Judgement['choice'],
  over: Partial<Judgement> = {},
): Judgement => ({
  item: `i${item}`,
  annotator,
  left: annotator === 'ben' ? `b${item}` : `a${item}`,
  right: annotator === 'ben' ? `a${item}` : `b${item}`,
  choice,
  ...over,
})

test('two people agree where both chose the same completion, or neither; gold and cannot judge are left out', () => {
  const items = gatherItems([
    say(1, 'ann', 'left'),
    say(1, 'ben', 'right'),
    say(2, 'ann', 'left'),
    say(2, 'ben', 'left'),
    say(3, 'ann', 'tie'),
    say(3, 'ben', 'both-bad'),
    say(4, 'ann', 'left'),
    say(4, 'ben', 'cannot-judge'),
    say(5, 'ann', 'left', { gold: 'left' }),
    say(5, 'ben', 'left', { gold: 'right' }),
    say(6, 'cem', 'left'),
    say(6, 'ann', 'left'),
  ])
  const matrix = agreementMatrix(items)
  expect(matrix.map(({ first, second, agreed }) => [first, second, agreed.n])).toEqual([
    ['ann', 'ben', 3],
    ['ann', 'cem', 1],
  ])
  expect(matrix[0]!.agreed.value).toBeCloseTo(2 / 3, 9)
  expect(matrix[1]!.agreed.value).toBe(1)
})

test('tallies count each answer once, at its edge and kind, own apart from the others', () => {
  const items = gatherItems([
    say(1, 'ann', 'left', { strength: 4, time: 1.9 }),
    say(2, 'ann', 'right', { strength: 1, time: 2 }),
    say(3, 'ann', 'tie', { time: 1000 }),
    say(4, 'ann', 'left'),
    say(1, 'ben', 'both-bad', { time: 300 }),
    say(2, 'cem', 'cannot-judge', { time: 5 }),
  ])
  const { pace, answers } = tallyOf(items, 'ann')
  const by = (keys: readonly (string | number)[], counts: number[]) =>
    Object.fromEntries(keys.map((key, i) => [key, counts[i]]).filter(([, count]) => count))
  expect(by(ANSWER_KINDS, answers.own)).toEqual({ strong: 1, slight: 1, tie: 1, unstated: 1 })
  expect(by(ANSWER_KINDS, answers.others)).toEqual({ 'both-bad': 1, 'cannot-judge': 1 })
  expect(by(PACE_EDGES, pace.own)).toEqual({ 0: 1, 2: 1, 256: 1 })
  expect(by(PACE_EDGES, pace.others)).toEqual({ 256: 1, 4: 1 })
})
