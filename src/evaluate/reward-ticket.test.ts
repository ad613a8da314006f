import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { gatherItems } from '#feedback'
import type { Judgement } from '#schema'
import { generator } from '#stats'
import { bestOfNCurve, humanCeiling, rewardTicket, type ScoredPair } from './reward-ticket.ts'

/** Pairs whose gold difference is normal; labels and reward see it through noise, the reward also through length. */
function pairs({ n = 600, noise = 1, lengthWeight = 0, seed = 1 }): ScoredPair[] {
  const random = generator(seed)
  return Array.from({ length: n }, (_, i) => {
    const quality = 2 * random.normal()
    const lengthA = 20 + random.int(20)
    const lengthB = 20 + random.int(20)
    const p = 1 / (1 + Math.exp(-quality))
    const isABetter = random.uniform() < p
    return {
      item: `i${i}`,
      scoreA: quality + noise * random.normal() + lengthWeight * lengthA,
      scoreB: lengthWeight * lengthB,
      probability: isABetter ? 0.9 : 0.1,
      gold: quality > 0 ? 1 : 0,
      lengthA,
      lengthB,
    }
  })
}

test('a good reward model: accurate, calibrated, no taste for length, and beyond chance', () => {
  const ticket = rewardTicket(pairs({ noise: 0.5, seed: 2 }), { seed: 1, resamples: 200 })
  expect(ticket.accuracy.low).toBeGreaterThan(0.85)
  expect(ticket.agreement.low).toBeGreaterThan(0.7)
  expect(ticket.accuracy.value).toBeGreaterThan(ticket.agreement.value)
  expect(ticket.labelAccuracy!.value).toBeGreaterThan(ticket.agreement.value)
  expect(ticket.ece.value).toBeLessThan(0.12)
  expect(ticket.ece).toMatchObject({ n: 600 })
  expect(ticket.ece.low < ticket.ece.value && ticket.ece.value < ticket.ece.high).toBe(true)
  expect(Math.abs(ticket.lengthSlope.value)).toBeLessThan(0.12) // three standard errors
  expect(ticket.lengthSlope.high - ticket.lengthSlope.low).toBeLessThan(0.2)
  expect(ticket.permutationP).toBeLessThan(0.001)
  expect(ticket.byMargin.map((b) => b.name)).toEqual(['sure (0.4 and more)'])
  expect(ticket.lengthMatched!.n).toBeLessThan(600)
  expect(rewardTicket(pairs({ noise: 0.5, seed: 2 }), { seed: 1, resamples: 200 })).toEqual(ticket)
})

test('a taste for length shows as slope and as a preference that people do not share', () => {
  const ticket = rewardTicket(pairs({ lengthWeight: 0.4 }), { seed: 1, resamples: 200 })
  expect(ticket.lengthSlope.low).toBeGreaterThan(0.3)
  expect(ticket.longerPreferred!.reward.low).toBeGreaterThan(ticket.longerPreferred!.labels.high)
})

test('labels that have nothing to do with the scores: agreement holds a half, and p says chance', () => {
  const random = generator(8)
  const dealt = pairs({}).map((p) => ({ ...p, probability: random.uniform() < 0.5 ? 0.9 : 0.1 }))
  const { agreement, permutationP } = rewardTicket(dealt, { seed: 1, resamples: 200 })
  expect(agreement.low < 0.5 && 0.5 < agreement.high).toBe(true)
  expect(permutationP).toBeGreaterThan(0.05)
  // Ready-made preferences name the better one `a` throughout: that alone must not look like skill or like a fault.
  const chosenFirst = pairs({}).map((p) =>
    p.probability > 0.5 ? p : { ...p, scoreA: p.scoreB, scoreB: p.scoreA, probability: 0.9 },
  )
  expect(rewardTicket(chosenFirst, { seed: 1, resamples: 200 }).agreement.value).toBeCloseTo(
    rewardTicket(pairs({}), { seed: 1, resamples: 200 }).agreement.value,
    12,
  )
})

test('scores that were scaled are calibrated only after logitsPerUnit undoes it', () => {
  const scaled = pairs({ noise: 0.2 }).map((p) => ({ ...p, scoreA: p.scoreA / 4, scoreB: p.scoreB / 4 }))
  const blind = rewardTicket(scaled, { seed: 1, resamples: 50 })
  const told = rewardTicket(scaled, { seed: 1, resamples: 50, logitsPerUnit: 4 })
  expect(told.eceAsScored.high).toBeLessThan(blind.eceAsScored.low)
  expect(told.agreement).toEqual(blind.agreement)
  // A temperature undoes any scale, whoever forgot it.
  expect(told.ece.value).toBeCloseTo(blind.ece.value, 10)
  expect(blind.temperature * 4).toBeCloseTo(told.temperature, 10)
  expect(blind.ece.high).toBeLessThan(blind.eceAsScored.low)
})

test('exchanging the names a and b changes no figure; equal scores are half right', () => {
  const rows = pairs({})
  const exchanged = rows.map((p) => ({
    ...p,
    scoreA: p.scoreB,
    scoreB: p.scoreA,
    probability: 1 - p.probability,
    gold: 1 - p.gold!,
    lengthA: p.lengthB,
    lengthB: p.lengthA,
  }))
  const [one, other] = [rows, exchanged].map((r) => rewardTicket(r, { seed: 1, resamples: 50 }))
  expect(other!.accuracy).toEqual(one!.accuracy)
  expect(other!.ece.value).toBeCloseTo(one!.ece.value, 12)
  const flat = rewardTicket(
    rows.map((p) => ({ ...p, scoreA: 0, scoreB: 0 })),
    { seed: 1, resamples: 50 },
  )
  expect([flat.agreement.value, flat.lengthSlope.value]).toEqual([0.5, 0])
  expect(() => rewardTicket([], { seed: 1 })).toThrow(DataError)
})

test('the ceiling is how often one annotator sides with the majority of the others', () => {
  const random = generator(4)
  const judgements = Array.from({ length: 400 }, (_, i) =>
    ['p', 'q', 'r'].map((annotator): Judgement => {
      const choice = random.uniform() < 0.8 ? 'left' : 'right'
      return { item: `i${i}`, annotator, left: 'x', right: 'y', choice }
    }),
  ).flat()
  // Others agree on the right one in 0.64 and on the wrong one in 0.04; then one agrees in (0.64 * 0.8 + 0.04 * 0.2) / 0.68.
  const ceiling = humanCeiling(gatherItems(judgements), { seed: 1 })
  expect(ceiling.low < 0.7647 && 0.7647 < ceiling.high).toBe(true)
  expect(ceiling.n).toBeLessThanOrEqual(400)
  expect(() => humanCeiling(gatherItems(judgements.slice(0, 1)), { seed: 1 })).toThrow(/raise the overlap/)
})

test('best of n: the proxy never falls, gold turns over where the proxy is wrong at its top, KL is exact', () => {
  const random = generator(5)
  const prompts = Array.from({ length: 30 }, () =>
    Array.from({ length: 16 }, () => {
      const proxy = random.normal()
      return { proxy, gold: proxy < 1 ? proxy : 1 - 3 * (proxy - 1) }
    }),
  )
  const curve = bestOfNCurve(prompts, { seed: 1 })
  expect(curve.map((p) => p.n)).toEqual([1, 2, 4, 8, 16])
  expect(curve[4]!.kl).toBeCloseTo(Math.log(16) - 15 / 16, 12)
  for (let i = 1; i < 5; i++) expect(curve[i]!.proxy).toBeGreaterThan(curve[i - 1]!.proxy)
  expect(curve[1]!.gold!).toBeGreaterThan(curve[0]!.gold!)
  expect(curve[4]!.gold!).toBeLessThan(curve[2]!.gold!)
  expect(bestOfNCurve([[{ proxy: 1 }, { proxy: 2 }]], { seed: 1 })[1]).toEqual({
    n: 2,
    kl: Math.log(2) - 0.5,
    proxy: 2,
  })
})
