import { expect, test } from 'vitest'
import type { Comparison, Judgement, Objective } from '#schema'
import { generator } from '#stats'
import { weightedChange, weightedWinRate } from './weighted.ts'
import { winRate } from './win-rate.ts'

const texts = { definition: 'd', good: 'g', bad: 'b', borderline: 'l', owner: 'o', source: 'user promise' as const }
const criterion = (name: string, weight: number, over = {}): Objective['criteria'][number] => ({
  name,
  ...texts,
  scale: { low: 0, high: 1 },
  weight,
  constraint: false,
  targets: [],
  ...over,
})
const objective = (...criteria: Objective['criteria']): Objective => ({
  name: 'o',
  version: '1',
  summary: 's',
  criteria,
})

const random = generator(3)
const scores = (name: string, shift: number, n = 200) => {
  const before = Array.from({ length: n }, () => random.uniform() / 2)
  return { name, before, after: before.map((b) => b + shift + 0.1 * random.normal()) }
}
const clusters = Array.from({ length: 200 }, (_, i) => `prompt ${i >> 1}`)

test('the weighted mean of the changes, as shares of each scale; a constraint is in no sum', () => {
  const [fact, tone, limit] = [scores('fact', 0.1), scores('tone', -0.05), scores('limit', -0.3)]
  const weighted = weightedChange(
    objective(
      criterion('fact', 3),
      criterion('tone', 1, { scale: { low: 0, high: 2 } }),
      criterion('limit', 5, { constraint: true }),
      criterion('form', 4),
    ),
    [fact, tone, limit],
    { seed: 1, clusters },
  )!
  const mean = ({ before, after }: typeof fact) => after.reduce((sum, a, i) => sum + a - before[i]!, 0) / 200
  expect(weighted.value).toBeCloseTo((3 * mean(fact) + mean(tone) / 2) / 4, 12)
  expect(weighted).toMatchObject({ n: 100, standing: 'ahead', holds: true, weights: { fact: 0.75, tone: 0.25 } })
  expect(weighted.ofWeight).toBe(0.5)
  expect(weighted.low < weighted.value && weighted.value < weighted.high).toBe(true)
})

test('each weight a fifth up and down, renormalised; who is ahead may depend on it', () => {
  const [fact, tone] = [scores('fact', 0.1), scores('tone', -0.1)]
  const mean = ({ before, after }: typeof fact) => after.reduce((sum, a, i) => sum + a - before[i]!, 0) / 200
  const of = (a: number, b: number) =>
    weightedChange(objective(criterion('fact', a), criterion('tone', b)), [fact, tone], { seed: 1, clusters })!
  const even = of(1, 1)
  expect(even.sensitivity.map(({ criterion: name, times }) => [name, times])).toEqual([
    ['fact', 0.8],
    ['fact', 1.2],
    ['tone', 0.8],
    ['tone', 1.2],
  ])
  expect(even.sensitivity[1]!.value).toBeCloseTo((1.2 * mean(fact) + mean(tone)) / 2.2, 12)
  expect(even.sensitivity[1]!.low).toBeCloseTo(of(1.2, 1).low, 12)
  expect(even.holds).toBe(false)
  // All at once reaches further than one at a time.
  expect(even.range.high).toBeCloseTo((1.2 * mean(fact) + 0.8 * mean(tone)) / 2, 12)
  expect(even.range.low).toBeCloseTo((0.8 * mean(fact) + 1.2 * mean(tone)) / 2, 12)
  expect(of(3, 1)).toMatchObject({ standing: 'ahead', holds: true })
})

test('no weights near these do better or worse than the range', () => {
  const rows = [0.2, -0.1, 0.05, 0.3].map((shift, i) => scores(`c${i}`, shift))
  const weights = [1, 2, 0.5, 3]
  const means = rows.map(({ before, after }) => after.reduce((sum, a, i) => sum + a - before[i]!, 0) / 200)
  const { range } = weightedChange(objective(...rows.map(({ name }, c) => criterion(name, weights[c]!))), rows, {
    seed: 1,
    clusters,
  })!
  for (let trial = 0; trial < 500; trial++) {
    const near = weights.map((weight) => weight * (0.8 + 0.4 * random.uniform()))
    const total = near.reduce((sum, weight) => sum + weight, 0)
    const value = near.reduce((sum, weight, c) => sum + weight * means[c]!, 0) / total
    expect(value).toBeGreaterThanOrEqual(range.low)
    expect(value).toBeLessThanOrEqual(range.high)
  }
})

test('win rates by criterion: equal weights give their mean; what could not be judged is in no mean; all alike keeps a width', () => {
  const comparisons: Comparison[] = Array.from({ length: 40 }, (_, i) => ({
    item: `i${i}`,
    prompt: 'p',
    a: `a${i}`,
    b: `b${i}`,
  }))
  const said = (name: string, choice: (i: number) => Judgement['choice']): Judgement[] =>
    comparisons.map(({ item, a: left, b: right }, i) => ({
      item,
      annotator: 'x',
      left,
      right,
      choice: choice(i),
      criterion: name,
    }))
  const fact = said('fact', (i) => (i % 4 === 0 ? 'right' : 'left'))
  const tone = said('tone', (i) => (i < 10 ? 'cannot-judge' : i % 2 === 0 ? 'left' : 'right'))
  const two = objective(criterion('fact', 1), criterion('tone', 1))
  const found = weightedWinRate(two, { judgements: [...fact, ...tone], comparisons, seed: 1 })!
  const rate = (judgements: Judgement[], some: Comparison[]) =>
    winRate({ judgements, comparisons: some, seed: 1 }).value
  expect(found.value).toBeCloseTo((rate(fact, comparisons) + rate(tone.slice(10), comparisons.slice(10))) / 2, 12)
  expect(found.standing).toBe('ahead')
  const always = [...said('fact', () => 'left'), ...said('tone', () => 'left')]
  const alike = weightedWinRate(two, { judgements: always, comparisons, seed: 1 })!
  expect([alike.value, alike.high]).toEqual([1, 1])
  expect(alike.low).toBeCloseTo(0.025 ** (1 / 40), 12)
  expect(weightedWinRate(two, { judgements: fact, comparisons, seed: 1 })).toBeUndefined()
})
