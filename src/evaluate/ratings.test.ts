import { expect, test } from 'vitest'
import { DataError } from '#errors'
import type { Judgement } from '#schema'
import { bradleyTerry, generator } from '#stats'
import { judgedStyles, LENGTH, RATINGS } from '../../trials/worlds/judged-styles.ts'
import { type ModelPair, rateModels } from './ratings.ts'
import { styleDifference, styleOf } from './style.ts'

const MODELS = Object.keys(RATINGS)
const rate = (given: ReturnType<typeof judgedStyles>, o: { seed?: number; resamples?: number; level?: number } = {}) =>
  rateModels({ ...given, models: MODELS, anchor: 'sft', seed: 1, ...o })

test('intervals hold planted ratings and a planted liking for length; without control the one who writes most is overrated', () => {
  const trials = 30
  const held = new Map<string, number>()
  const count = (name: string, { low, high }: { low: number; high: number }, truth: number) =>
    held.set(name, (held.get(name) ?? 0) + Number(low <= truth && truth <= high))
  for (let seed = 0; seed < trials; seed++) {
    const { ratings, controlled, style } = rate(judgedStyles(120, seed), { seed, resamples: 100 })
    for (const rating of controlled.ratings) count('controlled', rating, RATINGS[rating.name]!)
    count('as judged', ratings.find(({ name }) => name === 'candidate')!, RATINGS.candidate!)
    for (const effect of style) count(effect.name, effect, effect.name === 'length' ? LENGTH * effect.unit : 0)
  }
  const share = (name: string) => held.get(name)! / trials
  expect([...held.keys()].sort()).toEqual(['as judged', 'controlled', 'length', 'lists'])
  expect(share('controlled') / 3).toBeGreaterThan(0.88)
  expect(share('controlled') / 3).toBeLessThan(0.995)
  expect(share('length')).toBeGreaterThan(0.8)
  expect(share('lists')).toBeGreaterThan(0.8)
  expect(share('as judged')).toBeLessThan(0.8)
})

test('as judged they are the ratings of the counts, fall, and say how often each would beat the anchor', () => {
  const given = judgedStyles(200, 7)
  const { ratings, implied, controlled, 'win-rates': rates } = rate(given)
  expect(ratings.map(({ name }) => name)).toEqual(['candidate', 'current', 'sft'])
  expect(controlled.ratings.map(({ name }) => name)).toEqual(['candidate', 'current', 'sft'])
  const share = { left: 1, right: 0, tie: 0.5 } as Record<string, number>
  const counts = bradleyTerry(
    given.pairs.map(({ models: [a, b] }, i) => ({ a, b, wins: share[given.judgements[i]!.choice]!, n: 1 })),
  )
  const counted = (model: string) => counts.ratings.find(({ name }) => name === model)!.value
  for (const { name, value } of ratings) expect(value).toBeCloseTo(counted(name), 3)
  expect(implied.map(({ name }) => name)).toEqual(['candidate', 'current'])
  for (const { name, value } of implied)
    expect(value).toBeCloseTo(1 / (1 + Math.exp(counted('sft') - counted(name))), 3)
  expect(rates.map(({ name, n }) => [name, n])).toEqual([
    ['candidate-over-current', 200],
    ['candidate-over-sft', 200],
    ['current-over-sft', 200],
  ])
  const met = given.pairs.flatMap(({ models: [a, b] }, i) => {
    if (a === 'current' || b === 'current') return []
    return [a === 'candidate' ? share[given.judgements[i]!.choice]! : 1 - share[given.judgements[i]!.choice]!]
  })
  expect(rates[1]!.value).toBeCloseTo(met.reduce((x, y) => x + y) / 200, 12)
})

test('answers alike in style: control changes nothing', () => {
  const { pairs, judgements } = judgedStyles(40, 3)
  const codes = Array.from('abcdefghijkl')
  const random = generator(4)
  const text = () => Array.from({ length: 12 }, () => random.pick(codes)).join('')
  const texts = pairs.map(() => [text(), text()] as const)
  const { ratings, implied, controlled, style } = rate({
    pairs: pairs.map((pair, i) => ({ ...pair, a: texts[i]![0], b: texts[i]![1] })),
    judgements: judgements.map((row, i) => ({ ...row, left: texts[i]![0], right: texts[i]![1] })),
  })
  expect(style).toEqual([])
  expect(controlled).toEqual({ ratings, implied })
})

test('prompts are resampled whole: copies of every pair narrow nothing', () => {
  const { pairs, judgements } = judgedStyles(60, 5)
  const once = rate({ pairs, judgements })
  const copy = <T extends { item: string }>(row: T) => ({ ...row, item: `${row.item} again` })
  const twice = rate({
    pairs: [...pairs, ...pairs.map(copy)],
    judgements: [...judgements, ...judgements.map(copy)],
  })
  const width = ({ low, high }: { low: number; high: number }) => high - low
  expect(width(twice.controlled.ratings[0]!) / width(once.controlled.ratings[0]!)).toBeGreaterThan(0.9)
  expect(twice.controlled.ratings[0]!.n).toBe(60)
})

test('who was never judged, is unknown, or is linked to nobody is a clear error', () => {
  const given = judgedStyles(4, 1)
  const options = { ...given, models: MODELS, anchor: 'sft', seed: 1 }
  expect(() => rateModels({ ...options, models: [...MODELS, 'new'] })).toThrow(/new is in no judged pair/)
  expect(() => rateModels({ ...options, models: ['candidate', 'sft'] })).toThrow(/current, which is none of the models/)
  expect(() => rateModels({ ...options, anchor: 'base' })).toThrow(
    /anchor to be one of candidate, current, sft, got base/,
  )
  expect(() => rateModels({ ...options, models: ['sft'] })).toThrow(DataError)
  expect(() => rate({ ...given, judgements: given.judgements.slice(1) })).toThrow(/item pair-1 has no judgement/)
  const pair = (item: string, models: [string, string]): ModelPair => ({ item, prompt: 'q', a: 'x', b: 'x', models })
  const apart = [pair('1', ['a', 'b']), pair('2', ['c', 'd'])]
  expect(() =>
    rateModels({ pairs: apart, judgements: [], models: ['a', 'b', 'c', 'd'], anchor: 'a', seed: 1 }),
  ).toThrow(/no chain of pairs links c to a/)
})

test('a clean sweep is finite and says that its distance is not known', () => {
  const { pairs } = judgedStyles(20, 1)
  const judgements = pairs.map(({ item, a, b, models }): Judgement => {
    const isAhead = MODELS.indexOf(models[0]) < MODELS.indexOf(models[1])
    return { item, annotator: 'x', left: a, right: b, choice: isAhead ? 'left' : 'right' }
  })
  const { ratings, controlled, warning, 'win-rates': rates } = rate({ pairs, judgements })
  expect(
    [...ratings, ...controlled.ratings].every(({ low, high }) => Number.isFinite(low) && Number.isFinite(high)),
  ).toBe(true)
  expect(warning).toMatch(/only who is ahead/)
  expect(rates[0]).toMatchObject({ value: 1, high: 1 })
  expect(rates[0]!.low).toBeLessThan(0.9)
  expect(rate(judgedStyles(20, 1)).warning).toBeUndefined()
})

test('style that foretells every pair is said to', () => {
  const { pairs } = judgedStyles(30, 2)
  const judgements = pairs.map(({ item, a, b }): Judgement => {
    return { item, annotator: 'x', left: a, right: b, choice: a.length > b.length ? 'left' : 'right' }
  })
  const { warning, style } = rate({ pairs, judgements })
  expect(warning).toMatch(/style and models together foretell every answer/)
  expect(style.every(({ low, high }) => Number.isFinite(low) && Number.isFinite(high))).toBe(true)
})

test('style counts characters and markdown, none of it in code', () => {
  const text = '# Title\n\n- one\n2. two\n  * **three**\n\n```md\n# no\n- no **no**\n```\n__b__ and **c**'
  expect(styleOf(text)).toEqual({ length: text.length, headers: 1, lists: 3, bold: 3 })
  expect(styleOf('👩 #1 a-b ** c **d')).toEqual({ length: 17, headers: 0, lists: 0, bold: 1 })
  expect(styleOf('~~~\n# open')).toMatchObject({ headers: 0 })
  expect(styleDifference('# a\nbc', 'xy')).toEqual([0.5, 1, 0, 0])
  expect(styleDifference('', '')).toEqual([0, 0, 0, 0])
})
