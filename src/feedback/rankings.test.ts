// Rankings as pairs: how many, which way, and together in every split.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitRows } from '#data'
import { aggregate, gatherItems, pairsOfRanking } from './index.ts'

const ranking = fc.integer({ min: 2, max: 9 }).chain((K) =>
  fc.record({
    completions: fc.constant(Array.from({ length: K }, (_, k) => `completion ${k}`)),
    places: fc.array(fc.integer({ min: 1, max: K }), { minLength: K, maxLength: K }),
    shown: fc.shuffledSubarray(
      Array.from({ length: K }, (_, k) => k),
      { minLength: K, maxLength: K },
    ),
  }),
)

test('K (K - 1) / 2 pairs, each won by the better place, the earlier on the screen to the left', () => {
  fc.assert(
    fc.property(ranking, ({ completions, places, shown }) => {
      const rows = pairsOfRanking({
        item: 'i',
        annotator: 'x',
        prompt: 'Q',
        group: 'g',
        completions,
        places,
        shown,
      })
      const K = completions.length
      expect(rows).toHaveLength((K * (K - 1)) / 2)
      expect(new Set(rows.map(({ item }) => item)).size).toBe(rows.length)
      for (const { left, right, choice } of rows) {
        const [l, r] = [completions.indexOf(left), completions.indexOf(right)]
        expect(shown[l]!).toBeLessThan(shown[r]!)
        const [a, b] = [places[l]!, places[r]!]
        expect(choice).toBe(a === b ? 'tie' : a < b ? 'left' : 'right')
      }
      // Whoever gathers them finds every pair whole.
      expect(gatherItems(rows)).toHaveLength(rows.length)
    }),
    { numRuns: 200 },
  )
})

test('pairs of one prompt are on one side of every split, whatever the seed, the shares and who ranked', () => {
  fc.assert(
    fc.property(
      fc.array(ranking, { minLength: 20, maxLength: 40 }),
      fc.nat(1000),
      fc.double({ min: 0.4, max: 0.6, noNaN: true }),
      (rankings, seed, share) => {
        const rows = rankings.flatMap(({ completions, places, shown }, i) =>
          ['x', 'y'].flatMap((annotator) =>
            pairsOfRanking({
              item: `item-${i}`,
              annotator,
              // Two items of one prompt have one group.
              prompt: `Q${i % 15}`,
              group: `g${i % 15}`,
              completions,
              places,
              shown,
            }),
          ),
        )
        const { splits } = splitRows(rows, { seed, shares: { train: share, validation: 1 - share }, stratified: true })
        const groups = Object.values(splits).map((side) => new Set(side.map(({ group }) => group)))
        expect([...groups[0]!].filter((group) => groups[1]!.has(group))).toEqual([])
        expect(Object.values(splits).flat()).toHaveLength(rows.length)
      },
    ),
    { numRuns: 50 },
  )
})

test('what most put first is preferred to what most put last', () => {
  const completions = ['good', 'fair', 'poor']
  const shown = [2, 0, 1]
  const judgements = ['x', 'y', 'z'].flatMap((annotator, i) =>
    pairsOfRanking({
      item: 'one',
      annotator,
      prompt: 'Q',
      group: 'g',
      completions,
      places: i === 2 ? [1, 3, 2] : [1, 2, 3],
      shown,
    }),
  )
  const { preferences } = aggregate({ judgements, seed: 1, method: 'majority' })
  const of = (better: string, worse: string): number => {
    const found = preferences.find(({ a, b }) => [a, b].includes(better) && [a, b].includes(worse))!
    return found.a === better ? found.probability : 1 - found.probability
  }
  expect(of('good', 'poor')).toBeGreaterThan(0.5)
  expect(of('good', 'fair')).toBeGreaterThan(0.5)
  expect(of('fair', 'poor')).toBeGreaterThan(0.5)
  expect(() =>
    pairsOfRanking({ item: 'i', annotator: 'x', prompt: 'Q', group: 'g', completions, places: [1, 2], shown }),
  ).toThrow('a place and a position')
})
