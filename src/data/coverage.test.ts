import { expect, test } from 'vitest'
import { coverage } from './index.ts'

const TOPICS = {
  refund: 'please pay back the money for the broken kettle to my card',
  delivery: 'the courier never brought my parcel so where is it now',
  account: 'i forgot the password and no reset mail reaches my inbox',
  invoice: 'the invoice shows a wrong tax number for our company',
}
type Topic = keyof typeof TOPICS

/** Rows that begin alike and differ in a few words. */
function about(topic: Topic, count: number, from = 0) {
  const fillers = ['today', 'again', 'really', 'friend', 'urgent', 'soon', 'thanks', 'hello']
  return Array.from({ length: count }, (_, i) => {
    const [one, other] = [fillers[(i + from) % 8]!, fillers[(3 * i + from + 1) % 8]!]
    return { stratum: topic, prompt: `${one} ${TOPICS[topic]} ${other} ${one}${i + from}`, completion: 'Of course.' }
  })
}
const OPTIONS = { seed: 1, similarity: 0.5 }
const clusterOf = (topic: Topic, found: ReturnType<typeof coverage>) =>
  found.clusters.filter(({ examples }) => examples[0]!.text.includes(TOPICS[topic]))

test('what nobody has demonstrated comes first, by its own words, the largest first', () => {
  const prompts = [...about('refund', 20), ...about('delivery', 30), ...about('account', 10), ...about('invoice', 20)]
  const found = coverage(prompts, [...about('refund', 5, 100), ...about('invoice', 4, 100)], OPTIONS)
  expect(found).toMatchObject({ prompts: 80, demonstrations: 9, covered: 40, outside: 0 })
  const missing = [...clusterOf('delivery', found), ...clusterOf('account', found)]
  expect(found.clusters.slice(0, missing.length).map(({ demonstrations }) => demonstrations)).toEqual(
    missing.map(() => 0),
  )
  expect(missing.reduce((sum, { prompts: own }) => sum + own, 0)).toBe(40)
  const sizes = found.clusters.slice(0, missing.length).map(({ prompts: own }) => own)
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
  const words = clusterOf('delivery', found).flatMap((cluster) => cluster.words)
  expect(words).toEqual(expect.arrayContaining(['courier', 'parcel']))
  expect(words).not.toContain('kettle')
})

test('counts add up, by cluster and by stratum', () => {
  const prompts = [...about('refund', 20), ...about('delivery', 30), ...about('account', 10)]
  const found = coverage(prompts, [...about('refund', 5, 100), ...about('invoice', 4, 100)], OPTIONS)
  for (const part of [found.clusters, found.strata.filter(({ stratum }) => stratum !== 'invoice')]) {
    const sum = (name: 'prompts' | 'covered') => part.reduce((all, counts) => all + counts[name], 0)
    expect([sum('prompts'), sum('covered')]).toEqual([found.prompts, found.covered])
  }
  expect(found.strata).toEqual([
    { stratum: 'delivery', prompts: 30, demonstrations: 0, covered: 0 },
    { stratum: 'account', prompts: 10, demonstrations: 0, covered: 0 },
    { stratum: 'refund', prompts: 20, demonstrations: 5, covered: 20 },
    { stratum: 'invoice', prompts: 0, demonstrations: 4, covered: 0 },
  ])
})

test('the same seed gives the same map, and the order of demonstrations does not matter', () => {
  const prompts = [...about('refund', 20), ...about('delivery', 30), ...about('account', 10)]
  const shown = [...about('refund', 5, 100), ...about('account', 4, 100)]
  expect(coverage(prompts, shown, OPTIONS)).toEqual(coverage(prompts, shown.toReversed(), OPTIONS))
})

test('a prompt is counted once however often it comes, and turns are read as their words', () => {
  const prompts = [
    { prompt: 'where is my parcel' },
    { prompt: ' where  is my parcel' },
    { prompt: [{ role: 'user' as const, content: 'where is the parcel' }] },
  ]
  const found = coverage(prompts, [{ prompt: 'where is my parcel', completion: 'Here.' }], OPTIONS)
  expect(found).toMatchObject({ prompts: 2, demonstrations: 1, strata: [] })
})

test('a closer likeness covers less, a demonstration of the same words covers at any', () => {
  const prompts = [...about('refund', 20), ...about('delivery', 30)]
  const shown = about('refund', 1)
  const covered = [0.1, 0.5, 0.9, 1].map((similarity) => coverage(prompts, shown, { seed: 1, similarity }).covered)
  expect(covered).toEqual([...covered].sort((a, b) => b - a))
  expect(covered.at(-1)).toBe(1)
  expect(covered[0]).toBeGreaterThan(1)
})

test('a prompt that is like few others is no cluster of its own', () => {
  const strays = [{ prompt: 'zebra quagga okapi' }, { prompt: 'zebra okapi quagga' }]
  for (let seed = 1; seed <= 10; seed++) {
    const found = coverage([...about('refund', 20), ...about('delivery', 20), ...strays], [], { ...OPTIONS, seed })
    expect(found.prompts).toBe(42)
    expect(found.clusters.filter(({ words, prompts }) => words.length > 0 && prompts < 3)).toEqual([])
  }
})

test('prompts without a word in common, one prompt, none, and demonstrations of something else', () => {
  const apart = coverage([{ prompt: 'alpha' }, { prompt: '???' }], about('refund', 2), OPTIONS)
  expect(apart).toMatchObject({ prompts: 2, demonstrations: 2, covered: 0, outside: 2 })
  expect(apart.clusters).toMatchObject([{ words: [], prompts: 2, demonstrations: 0, covered: 0 }])
  const same = coverage([{ prompt: 'alpha' }], [{ prompt: 'Alpha', completion: 'Yes.' }], OPTIONS)
  expect(same).toMatchObject({ covered: 1, outside: 1, clusters: [{ words: [], covered: 1 }] })
  expect(coverage([{ prompt: 'alpha' }], [], OPTIONS).clusters).toHaveLength(1)
  expect(coverage([], about('refund', 2), OPTIONS)).toMatchObject({ prompts: 0, demonstrations: 2, clusters: [] })
})
