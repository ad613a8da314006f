import { expect, test } from 'vitest'
import { gatherItems } from '#feedback'
import type { Judgement } from '#schema'
import { generator } from '#stats'
import { accuracyByAnnotator, FEWEST_ANSWERS } from './annotator-accuracy.ts'
import { rewardTicket, type ScoredPair } from './reward-ticket.ts'

/** 300 items; ann sides with the reward in nine of ten, bo in six, cy answers the first dozen. */
function crowd() {
  const random = generator(2)
  const pairs = Array.from(
    { length: 300 },
    (_, i): ScoredPair => ({
      item: `i${i}`,
      group: `p${Math.floor(i / 3)}`,
      scoreA: 1,
      scoreB: 0,
      probability: 0.9,
      lengthA: 5,
      lengthB: 5,
    }),
  )
  const answers = (annotator: string, chance: number, n = 300) =>
    pairs.slice(0, n).map(({ item }, i): Judgement => {
      const side = random.uniform() < chance ? 'left' : 'right'
      // Shown either way round: the first row of an item says which text is a.
      const [left, right] = annotator === 'bo' && i % 2 ? ['y', 'x'] : ['x', 'y']
      const choice = left === 'x' ? side : side === 'left' ? 'right' : 'left'
      return { item, annotator, left, right, choice: i % 10 === 9 ? 'tie' : choice }
    })
  return { pairs, items: gatherItems([...answers('ann', 0.9), ...answers('bo', 0.6), ...answers('cy', 1, 12)]) }
}

test('each annotator has a row of their own answers and their own ceiling; who answered little is one row', () => {
  const { pairs, items } = crowd()
  const { byAnnotator, annotators } = accuracyByAnnotator(pairs, items, { seed: 1, resamples: 200 })
  const [ann, bo, others] = byAnnotator
  expect(byAnnotator.map(({ name }) => name)).toEqual(['ann', 'bo', 'others (1)'])
  expect(ann!.low < 0.9 && 0.9 < ann!.high).toBe(true)
  expect(bo!.low < 0.6 && 0.6 < bo!.high).toBe(true)
  expect(others).toMatchObject({ value: 1 })
  expect(ann!.n).toBe(100)
  // ann and bo side with each other in 0.9 x 0.6 + 0.1 x 0.4 of the items.
  expect(ann!.ceiling!.low < 0.58 && 0.58 < ann!.ceiling!.high).toBe(true)
  expect(annotators).toBeUndefined()
  expect(byAnnotator.some((row) => 'inTraining' in row)).toBe(false)
  expect(FEWEST_ANSWERS).toBe(20)
  expect(accuracyByAnnotator([], items, { seed: 1 })).toEqual({ byAnnotator: [] })
})

test('where it is known whom the model was trained on, the others are held out', () => {
  const { pairs, items } = crowd()
  const o = { seed: 1, resamples: 200 }
  const { byAnnotator, annotators } = accuracyByAnnotator(pairs, items, { ...o, trainedOn: new Set(['ann', 'cy']) })
  expect(byAnnotator.map(({ inTraining }) => inTraining)).toEqual([true, false, undefined])
  expect(annotators!.heldOut!.value).toBeCloseTo(byAnnotator[1]!.value, 12)
  expect(annotators!.trained!.value).toBeGreaterThan(annotators!.heldOut!.high)
  const all = accuracyByAnnotator(pairs, items, { ...o, trainedOn: new Set(['ann', 'bo', 'cy']) })
  expect(all.annotators!.heldOut).toBeUndefined()
})

test('strata show where the reward model is right and where it is not', () => {
  const { pairs } = crowd()
  const placed = pairs.map((pair, i): ScoredPair => {
    if (i % 3 === 0) return { ...pair, stratum: 'billing' }
    return i % 3 === 1 ? { ...pair, stratum: 'refund', scoreA: i % 2, scoreB: 1 - (i % 2) } : pair
  })
  const o = { seed: 1, resamples: 200 }
  const { byStratum, ...others } = rewardTicket(placed, o)
  expect(byStratum!.map(({ name, value, n }) => [name, value, n])).toEqual([
    ['billing', 1, 100],
    ['refund', 0.5, 100],
    ['(none)', 1, 100],
  ])
  const unplaced = placed.map((pair, i) => ({ ...pairs[i]!, scoreA: pair.scoreA, scoreB: pair.scoreB }))
  expect(rewardTicket(unplaced, o)).toEqual(others)
  expect(
    rewardTicket(
      pairs.map((pair) => ({ ...pair, stratum: 'one' })),
      o,
    ).byStratum,
  ).toBeUndefined()
})
