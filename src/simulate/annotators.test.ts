// The crowd behaves as its settings say; the gold here is a stub world of numbers: a reply's score is its first number.
import { expect, test } from 'vitest'
import {
  type CrowdSettings,
  type SimulatedAnnotator,
  judge,
  judgePairs,
  preferenceLogit,
  simulatedAnnotators,
  trueAccuracies,
} from './annotators.ts'
import type { GoldReading, SimulatedGold } from './gold.ts'

const scoreIn = (reply: string) => Number(/-?\d+/.exec(reply)?.[0] ?? 0)
const gold = {
  simulated: true,
  read: (_: string, reply: string) =>
    ({ parts: { fact: scoreIn(reply) }, score: scoreIn(reply) }) as unknown as GoldReading,
} as unknown as SimulatedGold

const settings: CrowdSettings = {
  regular: { count: 5, skill: [1, 2] },
  leaning: { count: 2, skill: [1, 1], leftBias: [3, 3] },
  spammer: { count: 2, leftBiasDeviation: 0 },
  adversary: { count: 1, skill: -3 },
  lengthLiking: 0.5,
  lengthUpTo: 20,
  attention: { fact: 2 },
}
const crowd = simulatedAnnotators(3, settings)
const one = (kind: SimulatedAnnotator['kind']) => crowd.find((a) => a.kind === kind)!
const share = (annotator: SimulatedAnnotator, left: string, right: string) => {
  let n = 0
  for (let seed = 0; seed < 2000; seed++)
    if (judge({ gold, annotator, prompt: 'p', left, right, seed }).choice === 'left') n++
  return n / 2000
}

test('a crowd has the people of its settings, equal for equal seeds, all of them called simulated', () => {
  expect(crowd).toHaveLength(10)
  expect(crowd).toEqual(simulatedAnnotators(3, settings))
  expect(crowd.map((a) => a.kind)).not.toEqual(simulatedAnnotators(4, settings).map((a) => a.kind))
  expect(crowd.every((a) => a.simulated && a.id.startsWith('simulated-'))).toBe(true)
})

test('choices follow the logit: skill and attention, side, length up to the limit', () => {
  const regular = one('regular')
  expect(preferenceLogit({ gold, annotator: regular, prompt: 'p', left: '1', right: '0' })).toBeCloseTo(
    2 * regular.skill,
  )
  expect(share(regular, '1', '0')).toBeCloseTo(1 / (1 + Math.exp(-2 * regular.skill)), 1)
  expect(share(one('leaning'), '0', '0')).toBeGreaterThan(0.9)
  expect(share(one('spammer'), '5', '0')).toBeCloseTo(0.5, 1)
  expect(share(one('adversary'), '5', '0')).toBeLessThan(0.01)
  const words = (n: number) => 'a '.repeat(n)
  const liking = (left: number, right: number) =>
    preferenceLogit({ gold, annotator: regular, prompt: 'p', left: words(left), right: words(right) })
  expect(liking(20, 10)).toBeCloseTo(0.5)
  expect(liking(90, 20)).toBe(0)
})

test('the true accuracy is how often an annotator names the better, either side first; pairs equal in gold do not count', () => {
  const pairs = [
    { item: 'x', prompt: 'p', a: '1', b: '0' },
    { item: 'y', prompt: 'p', a: '-1', b: '1' },
    { item: 'z', prompt: 'p', a: '3', b: '3' },
  ]
  const truths = trueAccuracies(crowd, { pairs, gold })
  for (const kind of ['regular', 'leaning', 'spammer', 'adversary'] as const) {
    const annotator = one(kind)
    const right = [share(annotator, '1', '0'), 1 - share(annotator, '0', '1')]
    const rightOfOther = [share(annotator, '1', '-1'), 1 - share(annotator, '-1', '1')]
    const mean = [...right, ...rightOfOther].reduce((sum, x) => sum + x, 0) / 4
    // Three standard errors of four shares of 2,000 draws.
    expect(Math.abs(truths.get(annotator.id)! - mean), kind).toBeLessThan(0.017)
  }
  expect(trueAccuracies(crowd, { pairs: pairs.slice(2), gold }).size).toBe(0)
})

test('pairs are judged by different people, loads differ by one, sides come out even, every row says simulated', () => {
  const pairs = Array.from({ length: 400 }, (_, i) => ({ item: `i${i}`, prompt: 'p', a: '1', b: '0', group: `g${i}` }))
  const rows = judgePairs(pairs, { gold, annotators: crowd, overlap: 3, seed: 5, guideline: 'g/1' })
  expect(rows).toHaveLength(1200)
  expect(rows).toEqual(judgePairs(pairs, { gold, annotators: crowd, overlap: 3, seed: 5, guideline: 'g/1' }))
  for (const { item } of pairs)
    expect(new Set(rows.filter((r) => r.item === item).map((r) => r.annotator)).size).toBe(3)
  const loads = crowd.map((a) => rows.filter((r) => r.annotator === a.id).length)
  expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
  expect(rows.filter((r) => r.left === '1').length / 1200).toBeCloseTo(0.5, 1)
  expect(rows.every((r) => r.simulated === true && r.guideline === 'g/1')).toBe(true)
  expect(rows.every((r) => r.strength! >= 1 && r.strength! <= 4 && r.time! >= 0)).toBe(true)
})

test('only the qualified judge, and too few of them is refused', () => {
  const qualified = crowd.slice(0, 3).map((a) => a.id)
  const pairs = [{ item: 'i', prompt: 'p', a: '1', b: '0' }]
  const rows = judgePairs(pairs, { gold, annotators: crowd, overlap: 3, seed: 1, qualified })
  expect(rows.map((r) => r.annotator).sort()).toEqual([...qualified].sort())
  expect(() => judgePairs(pairs, { gold, annotators: crowd, overlap: 4, seed: 1, qualified })).toThrow(/overlap 4/)
})
