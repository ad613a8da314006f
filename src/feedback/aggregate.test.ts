import { expect, test } from 'vitest'
import { ConfigError, DataError } from '#errors'
import type { Comparison, Judgement } from '#schema'
import { average, deriveSeed, generator } from '#stats'
import { aggregate } from './aggregate.ts'
import { assign } from './assignment.ts'
import { AGGREGATION_METHODS } from './pair-models.ts'
import { qualify } from './qualification.ts'

type Person = { id: string; left: number; right: number }

/** A crowd with planted coins judging items whose `a` or `b` is better by lot. */
function crowd({ people, items, overlap, seed }: { people: Person[]; items: number; overlap: number; seed: number }) {
  const random = generator(deriveSeed(seed, 'crowd'))
  const comparisons: Comparison[] = []
  const isABetter = new Map<string, boolean>()
  for (let i = 0; i < items; i++) {
    comparisons.push({ item: `i${i}`, prompt: `prompt ${i}`, a: `first ${i}`, b: `second ${i}` })
    isABetter.set(`i${i}`, random.uniform() < 0.5)
  }
  const byItem = new Map(comparisons.map((c) => [c.item, c]))
  const byId = new Map(people.map((p) => [p.id, p]))
  const judgements = assign({ items: comparisons, annotators: people, overlap, seed }).map(
    ({ item, annotator, isALeft }): Judgement => {
      const { a, b, prompt } = byItem.get(item)!
      const isLeftBetter = isABetter.get(item) === isALeft
      const { left, right } = byId.get(annotator)!
      const saysLeft = random.uniform() < (isLeftBetter ? left : 1 - right)
      return {
        item,
        annotator,
        prompt,
        left: isALeft ? a : b,
        right: isALeft ? b : a,
        choice: saysLeft ? 'left' : 'right',
      }
    },
  )
  return { comparisons, judgements, isABetter }
}

function mixed(seed: number): Person[] {
  const random = generator(seed)
  return Array.from({ length: 16 }, (_, i) => {
    const id = `p${i}`
    if (i < 3) return { id, left: 0.5, right: 0.5 } // spammers
    if (i < 6) return { id, left: 0.95, right: 0.6 } // lean to the left
    if (i === 15) return { id, left: 0.2, right: 0.2 } // adversary
    const skill = 0.7 + 0.2 * random.uniform()
    return { id, left: skill, right: skill }
  })
}

function accuracy(preferences: { item: string; probability: number }[], isABetter: Map<string, boolean>): number {
  const scores = preferences.map(({ item, probability }) =>
    probability === 0.5 ? 0.5 : probability > 0.5 === isABetter.get(item) ? 1 : 0,
  )
  return average(scores)
}

test('on a mixed crowd Dawid-Skene is chosen, beats the majority, and finds side bias and skill', () => {
  const { judgements, comparisons, isABetter } = crowd({ people: mixed(1), items: 1000, overlap: 3, seed: 1 })
  const chosen = aggregate({ judgements, comparisons, seed: 1 })
  expect(chosen.method).toBe('dawid-skene')
  expect(chosen.evidence.map((e) => e.method)).toEqual([...AGGREGATION_METHODS])
  const majority = aggregate({ judgements, comparisons, method: 'majority', seed: 1 })
  expect(chosen.preferences).toHaveLength(1000)
  const gain = accuracy(chosen.preferences, isABetter) - accuracy(majority.preferences, isABetter)
  expect(gain).toBeGreaterThan(0.02)
  const of = new Map(chosen.annotators.map((a) => [a.annotator, a]))
  expect(of.get('p4')!.sideLean).toBeGreaterThan(0.1)
  expect(of.get('p10')!.skill.low).toBeGreaterThan(of.get('p0')!.skill.value)
  expect(of.get('p0')!.skill.value).toBeLessThan(0.62)
})

test('an item has the log-odds that the answers to it weigh together, where answers are weighed by coins', () => {
  const { judgements, comparisons } = crowd({ people: mixed(1), items: 200, overlap: 3, seed: 1 })
  const { preferences, annotators } = aggregate({ judgements, comparisons, method: 'one-coin', seed: 1 })
  const weights = new Map(annotators.map((a) => [a.annotator, a.answerWeight!]))
  expect(weights.get('p15')).toBeLessThan(0)
  for (const { item, a, probability } of preferences) {
    const answers = judgements.filter((j) => j.item === item)
    const sum = answers.reduce((total, { annotator, choice, left }) => {
      const isTowardsA = (choice === 'left') === (left === a)
      return total + (isTowardsA ? 1 : -1) * weights.get(annotator)!
    }, 0)
    expect(Math.log(probability / (1 - probability))).toBeCloseTo(sum, 9)
  }
  const { annotators: others } = aggregate({ judgements, comparisons, method: 'glad', seed: 1 })
  expect(others.every((o) => o.answerWeight === undefined)).toBe(true)
})

test('posteriors are calibrated: of those near 0.9, nine in ten are right', () => {
  const { judgements, comparisons, isABetter } = crowd({ people: mixed(2), items: 1500, overlap: 3, seed: 2 })
  const { preferences } = aggregate({ judgements, comparisons, seed: 2 })
  const sure = preferences
    .map((p) => ({
      p: Math.max(p.probability, 1 - p.probability),
      right: p.probability > 0.5 === isABetter.get(p.item),
    }))
    .filter(({ p }) => p > 0.85 && p < 0.95)
  expect(sure.length).toBeGreaterThan(150)
  expect(sure.filter((s) => s.right).length / sure.length).toBeGreaterThan(0.85)
  expect(sure.filter((s) => s.right).length / sure.length).toBeLessThan(0.95)
})

test('where everyone is alike the majority is kept', () => {
  const people = Array.from({ length: 60 }, (_, i) => ({ id: `p${i}`, left: 0.75, right: 0.75 }))
  for (let seed = 0; seed < 2; seed++) {
    const { judgements } = crowd({ people, items: 120, overlap: 3, seed })
    expect(aggregate({ judgements, seed }).method).toBe('majority')
  }
})

test('the majority method decides as votes do, and calls even votes even', () => {
  const rows = (item: string, ...choices: Judgement['choice'][]) =>
    choices.map((choice, i): Judgement => ({ item, annotator: `p${i}`, prompt: 'q', left: 'x', right: 'y', choice }))
  const { preferences, setAside } = aggregate({
    judgements: [
      ...rows('won', 'left', 'left', 'right'),
      ...rows('even', 'left', 'right'),
      ...rows('tied', 'tie', 'both-bad'),
      ...rows('skipped', 'cannot-judge'),
    ],
    method: 'majority',
    seed: 1,
  })
  expect(preferences.map((p) => p.item)).toEqual(['won', 'even', 'tied'])
  expect(preferences[0]!.probability).toBeGreaterThan(0.5)
  expect(preferences[1]!.probability).toBeCloseTo(0.5, 12)
  expect(preferences[2]!.probability).toBeCloseTo(0.5, 12)
  expect(preferences.map((p) => p.judgements)).toEqual([3, 2, 2])
  expect(setAside).toEqual([{ item: 'skipped', reason: 'no judgement says anything' }])
})

test('shares of ties and of both bad, and strength towards the side that won, are kept with the preference', () => {
  type Said = [Judgement['choice'], number?]
  const rows = (item: string, ...said: Said[]) =>
    said.map(([choice, strength], i): Judgement => {
      const row = { item, annotator: `p${i}`, prompt: 'q', left: 'x', right: 'y', choice }
      return strength === undefined ? row : { ...row, strength }
    })
  const won = rows('won', ['left', 4], ['left', 3], ['right', 1], ['tie'])
  const mixed = rows('mixed', ['right', 2], ['both-bad'], ['cannot-judge'], ['right'])
  const { preferences } = aggregate({ judgements: [...won, ...mixed], method: 'majority', seed: 1 })
  expect(preferences[0]).toMatchObject({ tie: 0.25, bothBad: 0, strength: (4 + 3 - 1 + 0) / 4 })
  expect(preferences[1]).toMatchObject({ tie: 0, bothBad: 1 / 3, strength: (2 + 0) / 2 })

  const plain = aggregate({ judgements: rows('plain', ['left'], ['right']), method: 'majority', seed: 1 })
  for (const key of ['tie', 'bothBad', 'strength']) expect(plain.preferences[0]).not.toHaveProperty(key)

  const passed = (annotator: string, isPassed: boolean) => ({
    annotator,
    accuracy: { value: 0.9, low: 0.8, high: 1, level: 0.95, n: 10 },
    confusion: { left: { left: 5, right: 0 }, right: { left: 0, right: 5 } },
    passed: isPassed,
  })
  const qualification = ['p0', 'p1', 'p2', 'p3'].map((name, i) => passed(name, i === 0 || i === 3))
  const weighed = aggregate({ judgements: won, method: 'majority', seed: 1, qualification })
  expect(weighed.preferences[0]).toMatchObject({ weight: 0.5, tie: 0.5, strength: 2 })
})

test('naming the completions the other way round, or shuffling rows, changes nothing but the names', () => {
  const { judgements, comparisons } = crowd({ people: mixed(3), items: 200, overlap: 3, seed: 3 })
  const swapped = comparisons.map(({ a, b, ...rest }) => ({ ...rest, a: b, b: a }))
  const one = aggregate({ judgements, comparisons, method: 'dawid-skene', seed: 1 })
  const other = aggregate({ judgements: judgements.toReversed(), comparisons: swapped, method: 'dawid-skene', seed: 1 })
  one.preferences.forEach(({ probability }, i) =>
    expect(other.preferences[i]!.probability).toBeCloseTo(1 - probability, 9),
  )
})

test('gold results enter as prior knowledge and as weight', () => {
  const people = mixed(4)
  const train = crowd({ people, items: 300, overlap: 3, seed: 4 })
  const exam = crowd({ people, items: 60, overlap: 16, seed: 5 })
  const gold = exam.comparisons.map(({ item, a, b }) => ({ item, better: exam.isABetter.get(item) ? a : b }))
  const qualification = qualify({ judgements: exam.judgements, gold, passMark: 0.65 })
  const { preferences, annotators, setAside } = aggregate({ ...train, seed: 1, qualification })
  expect(annotators.find((a) => a.annotator === 'p0')!.qualified).toBe(false)
  expect(preferences.some((p) => p.weight < 1)).toBe(true)
  expect(preferences.every((p) => p.weight > 0)).toBe(true)
  expect(preferences.length + setAside.length).toBe(300)
  for (const { weight, judgements } of preferences) expect((weight * judgements) % 1).toBeCloseTo(0, 9)
  const weighted = aggregate({ ...train, seed: 1, qualification, method: 'weighted-majority' })
  const majority = aggregate({ ...train, seed: 1, method: 'majority' })
  expect(accuracy(weighted.preferences, train.isABetter)).toBeGreaterThan(
    accuracy(majority.preferences, train.isABetter),
  )
  expect(() => aggregate({ ...train, seed: 1, method: 'weighted-majority' })).toThrow(ConfigError)
})

test('a comparison of equal texts makes no preference, however it is judged', () => {
  const comparisons = [
    { item: 'same', prompt: 'q', a: 'x', b: 'x' },
    { item: 'other', prompt: 'q', a: 'x', b: 'y' },
  ]
  const judgements = comparisons.map(
    ({ item, a, b }): Judgement => ({ item, annotator: 'p', left: a, right: b, choice: 'left' }),
  )
  const { preferences, setAside } = aggregate({ judgements, comparisons, seed: 1, method: 'majority' })
  expect(preferences.map((p) => p.item)).toEqual(['other'])
  expect(setAside.map((s) => s.item)).toEqual(['same'])
})

test('a judgement that does not fit its item is refused with its line', () => {
  const comparisons = [{ item: 'i', prompt: 'q', a: 'x', b: 'y' }]
  const row = { item: 'i', annotator: 'p', left: 'x', right: 'y', choice: 'left' as const }
  const refused = (judgements: Judgement[], message: RegExp) => {
    expect(() => aggregate({ judgements, comparisons, seed: 1 })).toThrow(DataError)
    expect(() => aggregate({ judgements, comparisons, seed: 1 })).toThrow(message)
  }
  refused([row, { ...row, annotator: 'q', right: 'z' }], /line 2: right: .*not the two completions of item i/)
  refused([{ ...row, item: 'other' }], /line 1: item: item other is in no comparison/)
  refused([row, row], /line 2: annotator: annotator p judged item i twice/)
  refused([row, { ...row, annotator: 'q', criterion: 'tone' }], /line 2: criterion: .*criterion none in row 1 and tone/)
  refused([{ ...row, right: 'x' }], /line 1: right: .*not the two completions/)
  expect(() => aggregate({ judgements: [{ ...row, right: 'x' }], seed: 1 })).toThrow(/same text twice/)
  refused([{ ...row, prompt: 'another' }], /prompt is not the one/)
  expect(() => aggregate({ judgements: [row], seed: 1 })).toThrow(/no prompt is known for item i/)
  expect(() => aggregate({ judgements: [], comparisons, seed: 1 })).toThrow(/at least one judgement/)
})
