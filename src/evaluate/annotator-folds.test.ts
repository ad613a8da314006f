import { expect, test } from 'vitest'
import { gatherItems } from '#feedback'
import type { Judgement } from '#schema'
import { generator } from '#stats'
import { accuracyByFold, type FoldAnswer, foldAnswers, groupAnnotators } from './annotator-folds.ts'

const FOLDS = 5
const o = { folds: FOLDS, seed: 3, resamples: 300 }

/** Three answers to each of 400 prompts; a model sides with whom it heard with one chance, with others with another. */
function planted({ heard, unheard }: { heard: number; unheard: number }): FoldAnswer[] {
  const random = generator(7)
  return Array.from({ length: 1200 }, (_, i) => {
    const fold = random.int(FOLDS)
    const agrees_K = Array.from({ length: FOLDS }, (_, k) => Number(random.uniform() < (k === fold ? unheard : heard)))
    return { fold, agrees_K, cluster: `p${Math.floor(i / 3)}` }
  })
}

test('models that side with those they were trained on show it, pooled and in each fold', () => {
  const { folds, all } = accuracyByFold(planted({ heard: 0.8, unheard: 0.6 }), o)
  expect(all.answers).toBe(1200)
  expect(all.heldOut.n).toBe(400)
  expect(all.heldOut.low < 0.6 && 0.6 < all.heldOut.high).toBe(true)
  expect(all.trained.low < 0.8 && 0.8 < all.trained.high).toBe(true)
  expect(all.difference.low < -0.2 && -0.2 < all.difference.high).toBe(true)
  expect(all.difference.high).toBeLessThan(-0.1)
  expect(all.difference.value).toBeCloseTo(all.heldOut.value - all.trained.value, 12)
  expect(folds).toHaveLength(FOLDS)
  expect(folds.reduce((sum, { answers }) => sum + answers, 0)).toBe(1200)
  for (const { difference } of folds) expect(difference.high).toBeLessThan(0)
})

test('models that do not care whom they heard show an interval that holds 0', () => {
  const { all } = accuracyByFold(planted({ heard: 0.7, unheard: 0.7 }), o)
  expect(all.difference.low < 0 && 0 < all.difference.high).toBe(true)
  expect(all.difference.high - all.difference.low).toBeLessThan(0.1)
})

test('a fold without an answer is refused: nothing measures its model', () => {
  const some = planted({ heard: 0.7, unheard: 0.7 }).filter(({ fold }) => fold !== 2)
  expect(() => accuracyByFold(some, o)).toThrow(/got none of fold 3/)
})

test("an answer is held against each model's scores; ties, and who is in no group, are left out", () => {
  const vote = (annotator: string, choice: Judgement['choice'], isTurned = false): Judgement => {
    const [left, right] = isTurned ? ['y', 'x'] : ['x', 'y']
    return { item: 'i', annotator, left: left!, right: right!, choice }
  }
  const [item] = gatherItems([
    vote('ann', 'left'),
    vote('bo', 'left', true),
    vote('cy', 'tie'),
    vote('dee', 'cannot-judge'),
    vote('eve', 'right'),
  ])
  const scores_K = [
    { a: 2, b: 1 },
    { a: 1, b: 2 },
    { a: 1, b: 1 },
  ]
  expect(foldAnswers([{ item: item!, cluster: 'p', scores_K }], [['ann', 'dee'], ['cy'], ['bo']])).toEqual([
    { fold: 0, cluster: 'p', agrees_K: [1, 0, 0.5] },
    { fold: 2, cluster: 'p', agrees_K: [0, 1, 0.5] },
  ])
})

test('groups have about as many answers, go by the seed, and not by the order of rows', () => {
  const answers = new Map(Array.from({ length: 13 }, (_, i): [string, number] => [`ann-${i}`, i < 2 ? 100 : 20]))
  const groups = groupAnnotators(answers, { folds: 5, seed: 1 })
  const sizes = groups.map((names) => names.reduce((sum, name) => sum + answers.get(name)!, 0))
  expect(groups.flat().sort()).toEqual([...answers.keys()].sort())
  // 420 answers in five: the two who gave 100 are alone, the others are four, four and three.
  expect(sizes.sort((a, b) => a - b)).toEqual([60, 80, 80, 100, 100])
  expect(groupAnnotators(new Map([...answers].reverse()), { folds: 5, seed: 1 })).toEqual(groups)
  const seeds = [2, 3, 4].map((seed) => JSON.stringify(groupAnnotators(answers, { folds: 5, seed })))
  expect(new Set([...seeds, JSON.stringify(groups)]).size).toBeGreaterThan(1)
  expect(groupAnnotators(answers, { folds: 13, seed: 1 }).every((names) => names.length === 1)).toBe(true)
})
