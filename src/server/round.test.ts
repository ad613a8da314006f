// What the ratings of several models are worked out of: answers by the models that wrote them, without pairs that say nothing.
import { expect, test } from 'vitest'
import type { Judgement } from '#schema'
import type { Adjudication, StoredJudgement } from '#store'
import type { Pair } from './pairs.ts'
import { roundNames, roundOf } from './round.ts'

const MODELS = ['base', 'runs/x', 'runs/y'].map((name) => ({ name }))
const wrote = [
  [0, 1],
  [2, 0],
  [1, 2],
  [0, 1],
] as const
const pairs = wrote.map((both, i): Pair => {
  const comparison = { item: `pair-${i + 1}`, prompt: 'Q', a: `a${i}`, b: i === 3 ? `a${i}` : `b${i}` }
  return { comparison, wrote: both, isFirstA: both[0] < both[1], row: 0 }
})
const said = (item: string, choice: Judgement['choice'], criterion?: string): Judgement => {
  const { a, b } = pairs.find(({ comparison }) => comparison.item === item)!.comparison
  return {
    item,
    annotator: 'ann',
    left: a,
    right: b,
    choice,
    ...(criterion !== undefined && { criterion }),
  } as Judgement
}
const round = (rows: Judgement[], over: { criterionRows?: Judgement[]; settled?: Partial<Adjudication>[] } = {}) =>
  roundOf(pairs, rows as unknown as StoredJudgement[], {
    models: MODELS,
    seed: 1,
    rows,
    criterionRows: over.criterionRows ?? [],
    criteria: ['fact', 'tone'],
    settled: (over.settled ?? []) as Adjudication[],
  })
const ALL = [said('pair-1', 'left'), said('pair-2', 'right'), said('pair-3', 'tie')]

test('every pair names who wrote its sides; equal texts need no answer, and others do', () => {
  const { parts, models, anchor, rows, facts } = round(ALL)!
  expect([models, anchor, rows]).toEqual([['base', 'runs-x', 'runs-y'], 'runs-x', 4])
  expect(parts.map(({ criterion }) => criterion)).toEqual([undefined])
  expect(parts[0]!.pairs.map((pair) => pair.models)).toEqual([
    ['base', 'runs-x'],
    ['runs-y', 'base'],
    ['runs-x', 'runs-y'],
    ['base', 'runs-x'],
  ])
  expect(facts).toEqual({ equal: 1, 'cannot-judge': 0, adjudicated: 0, excluded: 0 })
  expect(round(ALL.slice(1))).toBeUndefined()
})

test('what nobody could judge and what was called wrong is in no rating, and counted', () => {
  const rows = [said('pair-1', 'cannot-judge'), ...ALL.slice(1)]
  const { parts, facts } = round(rows, { settled: [{ item: 'pair-3', outcome: 'excluded' }] })!
  expect(parts[0]!.pairs.map(({ item }) => item)).toEqual(['pair-2', 'pair-4'])
  expect(parts[0]!.judgements.map(({ item }) => item)).toEqual(['pair-2'])
  expect(facts).toEqual({ equal: 1, 'cannot-judge': 1, adjudicated: 0, excluded: 1 })
})

test('a criterion is rated by its own answers, where they join all models', () => {
  const fact = ALL.map(({ item, choice }) => said(item, choice, 'fact'))
  const tone = ALL.map(({ item }) => said(item, item === 'pair-1' ? 'left' : 'cannot-judge', 'tone'))
  const { parts } = round(ALL, { criterionRows: [...fact, ...tone] })!
  expect(parts.map(({ criterion, pairs: own }) => [criterion, own.length])).toEqual([
    [undefined, 4],
    ['fact', 4],
  ])
  expect(parts[1]!.judgements).toEqual(fact)
})

test('two models that ratings would call the same are refused', () => {
  expect(() => roundNames([...MODELS, { name: 'runs.x' }])).toThrow(/two of them would be called runs-x/)
})
