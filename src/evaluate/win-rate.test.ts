import { expect, test } from 'vitest'
import { DataError } from '#errors'
import type { Comparison, Judgement } from '#schema'
import { generator } from '#stats'
import { winRate } from './win-rate.ts'

/** Three votes an item; the candidate (a) is preferred with probability p; sides are drawn by lot. */
function trial(p: number, n: number, seed: number): { comparisons: Comparison[]; judgements: Judgement[] } {
  const random = generator(seed)
  const comparisons = Array.from({ length: n }, (_, i) => ({ item: `i${i}`, prompt: 'q', a: 'new', b: 'old' }))
  const judgements = comparisons.flatMap(({ item, a, b }) =>
    ['x', 'y', 'z'].map((annotator): Judgement => {
      const isALeft = random.uniform() < 0.5
      const prefersA = random.uniform() < p
      return {
        item,
        annotator,
        left: isALeft ? a : b,
        right: isALeft ? b : a,
        choice: prefersA === isALeft ? 'left' : 'right',
      }
    }),
  )
  return { comparisons, judgements }
}

test('the rate is the share of votes, side by side undone, with its interval and a sign test', () => {
  const result = winRate({ ...trial(0.65, 400, 1), seed: 1 })
  expect(result.value).toBeCloseTo(0.65, 1)
  expect(result.low).toBeGreaterThan(0.5)
  expect(result.p).toBeLessThan(0.001)
  expect([result.n, result.wins + result.losses + result.ties]).toEqual([400, 400])
})

test('A against A: the 95% interval leaves out a half in few of 60 trials', () => {
  let flagged = 0
  for (let seed = 0; seed < 60; seed++) {
    const { low, high } = winRate({ ...trial(0.5, 100, seed), seed })
    if (low > 0.5 || high < 0.5) flagged++
  }
  expect(flagged).toBeGreaterThanOrEqual(1)
  expect(flagged).toBeLessThanOrEqual(8)
})

test('a candidate that wins every item has an interval with a width', () => {
  const comparisons = Array.from({ length: 12 }, (_, i) => ({ item: `i${i}`, prompt: 'q', a: 'good', b: 'bad' }))
  const judgements = comparisons.map(({ item, a, b }) => ({
    item,
    annotator: 'x',
    left: a,
    right: b,
    choice: 'left' as const,
  }))
  const { value, low, high } = winRate({ comparisons, judgements, seed: 1 })
  expect([value, high]).toEqual([1, 1])
  expect(low).toBeCloseTo(0.025 ** (1 / 12), 12)
})

test('a decided item counts as it was decided, a subjective one by its votes', () => {
  const { comparisons, judgements } = trial(0, 10, 3)
  const word = (item: string, choice: Judgement['choice'], adjudication: 'decided' | 'subjective'): Judgement => {
    return { item, annotator: 'adjudicator', left: 'new', right: 'old', choice, adjudication }
  }
  const words = [
    word('i0', 'left', 'decided'),
    word('i1', 'both-bad', 'decided'),
    word('i2', 'cannot-judge', 'subjective'),
  ]
  const result = winRate({ comparisons, judgements: [...judgements, ...words], seed: 1 })
  expect([result.wins, result.ties, result.losses]).toEqual([1, 1, 8])
  expect(result.value).toBeCloseTo(0.15, 12)
  // Nobody judged it, and it was decided nevertheless.
  const only = winRate({ comparisons: comparisons.slice(0, 1), judgements: words.slice(0, 1), seed: 1 })
  expect(only.value).toBe(1)
})

test('equal texts tie without a judgement; prompts of one group are resampled together; a missing judgement is said', () => {
  const { comparisons, judgements } = trial(1, 10, 2)
  const grouped = comparisons.map((c, i) => ({ ...c, group: `customer ${i % 2}` }))
  const same = { item: 'same', prompt: 'q', a: 'alike', b: 'alike', group: 'customer 0' }
  const result = winRate({ comparisons: [...grouped, same], judgements, seed: 1 })
  expect([result.n, result.wins, result.ties]).toEqual([2, 10, 1])
  expect(result.value).toBeCloseTo(10.5 / 11, 12)
  expect(() => winRate({ comparisons, judgements: judgements.slice(3), seed: 1 })).toThrow(DataError)
  expect(() => winRate({ comparisons, judgements: judgements.slice(3), seed: 1 })).toThrow(/item i0 has no judgement/)
})
