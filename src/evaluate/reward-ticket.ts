// The ticket a reward model needs to enter reinforcement learning: accuracy against the measured human ceiling, calibration, biases of
// length, the best-of-n curve. Accuracy alone is no ticket: models at 0.92 and 0.94 have ended best-of-2048 far apart.
import { DataError } from '#errors'
import type { Item } from '#feedback'
import {
  average,
  bestOfN,
  bestOfNKl,
  bootstrap,
  boundedMean,
  bootstrapMean,
  deriveSeed,
  expectedCalibrationError,
  type Interval,
  pairedPermutation,
  type Point,
  type Prediction,
  reliability,
  type ReliabilityBin,
} from '#stats'
import { crossFitted, fitTemperature } from './temperature.ts'
import { agreementWithOthers } from './annotator-accuracy.ts'

/** A held-out pair and what the reward model says of it. */
export type ScoredPair = {
  item: string
  scoreA: number
  scoreB: number
  /** P(a is better) as annotation found it. */
  probability: number
  /** P(a is better) as a gold score knows it; only in simulated worlds. */
  gold?: number
  /** Tokens. */
  lengthA: number
  lengthB: number
  /** Resampled together (the prompt); default the item. */
  group?: string
  /** Part of the domain that the prompt belongs to. */
  stratum?: string
}

export type RewardTicket = {
  /** Against gold where every pair has it, else against the labels. */
  accuracy: Interval
  /** With the aggregated labels. */
  agreement: Interval
  /** The ceiling in a simulated world: how often the labels themselves are right. Elsewhere ask humanCeiling. */
  labelAccuracy?: Interval
  /** By certainty of the label: near a half, clear, sure. */
  byMargin: ({ name: string } & Interval)[]
  /** Agreement in each stratum, where pairs name two or more; those that name none are one more. */
  byStratum?: ({ name: string } & Interval)[]
  /** Expected calibration error at one temperature, which the other half of the prompts chose; BCa, since resampling adds to it. */
  ece: Interval
  /** The same without a temperature. */
  eceAsScored: Interval
  /** What all pairs together ask for: above 1, scores are too sure. */
  temperature: number
  /** At the temperature. */
  reliability: ReliabilityBin[]
  /** Reward a 10 tokens, in standard deviations of the reward. */
  lengthSlope: Interval
  /** Pairs whose lengths differ by at most a tenth; absent where there are none. */
  lengthMatched?: Interval
  /** Share of decided pairs of unequal length of which the longer is preferred: by the reward model, by the labels. */
  longerPreferred?: { reward: Interval; labels: Interval }
  /** Two-sided p of the agreement when labels are turned round at random, prompt by prompt: chance alone. */
  permutationP: number
  pairs: number
}

export type TicketOptions = {
  seed: number
  /** Logits a unit of score: undoes the scaling to standard deviation 1 before probabilities are read off. */
  logitsPerUnit?: number
  level?: number
  resamples?: number
}

const MARGINS = [
  { name: 'near (up to 0.2)', from: 0, to: 0.2 },
  { name: 'clear (0.2 to 0.4)', from: 0.2, to: 0.4 },
  { name: 'sure (0.4 and more)', from: 0.4, to: 0.5 + 1e-9 },
]
const MATCHED_WITHIN = 0.1

/** All figures of the ticket that come from scored pairs; pairs whose label is exactly a half decide nothing and are left out of accuracies. */
export function rewardTicket(pairs: readonly ScoredPair[], options: TicketOptions): RewardTicket {
  const { seed, logitsPerUnit = 1 } = options
  if (pairs.length < 3) throw new DataError(`a reward ticket needs at least three held-out pairs, got ${pairs.length}`)
  const share = (name: string, from: readonly ScoredPair[], hit: (pair: ScoredPair) => number) =>
    boundedMean(from.map(hit), {
      bounds: [0, 1],
      seed: deriveSeed(seed, 'ticket', name),
      clusters: from.map(groupOf),
      resamples: options.resamples ?? 1000,
      level: options.level ?? 0.95,
    })
  const decided = pairs.filter((pair) => pair.probability !== 0.5)
  if (decided.length === 0) throw new DataError('every held-out pair is a tie: nothing to be accurate about')
  const goldDecided = pairs.filter((pair) => pair.gold !== undefined && pair.gold !== 0.5)
  const agrees = (pair: ScoredPair) => hit(pair, pair.probability)
  const agreement = share('agreement', decided, agrees)
  const hasGold = pairs.every((pair) => pair.gold !== undefined) && goldDecided.length > 0
  const matched = decided.filter(
    ({ lengthA, lengthB }) => Math.abs(lengthA - lengthB) <= MATCHED_WITHIN * Math.max(lengthA, lengthB),
  )
  const unequal = decided.filter(({ lengthA, lengthB }) => lengthA !== lengthB)
  const longer = (pair: ScoredPair, towardsA: number) => (pair.lengthA > pair.lengthB ? towardsA : 1 - towardsA)
  const strata = strataOf(decided)
  const logits = pairs.map((pair) => (pair.scoreA - pair.scoreB) * logitsPerUnit)
  const judged = pairs.map((pair, i) => ({ ...pair, logit: logits[i]!, group: groupOf(pair) }))
  const tempered = predictionsOf(pairs, crossFitted(judged, { seed }))
  return {
    accuracy: hasGold ? share('gold', goldDecided, (pair) => hit(pair, pair.gold!)) : agreement,
    agreement,
    ...(hasGold && {
      labelAccuracy: share(
        'labels',
        goldDecided,
        ({ probability, gold }) => (1 + Math.sign(probability - 0.5) * Math.sign(gold! - 0.5)) / 2,
      ),
    }),
    byMargin: MARGINS.flatMap(({ name, from, to }) => {
      const inside = decided.filter(({ probability: p }) => Math.abs(p - 0.5) >= from && Math.abs(p - 0.5) < to)
      return inside.length === 0 ? [] : [{ name, ...share(name, inside, agrees) }]
    }),
    ...(strata.length > 1 && {
      byStratum: strata.map(({ name, own }) => ({ name, ...share(`stratum ${name}`, own, agrees) })),
    }),
    ece: calibrationError(tempered, options),
    eceAsScored: calibrationError(predictionsOf(pairs, logits), options),
    temperature: fitTemperature(judged),
    reliability: reliability(tempered),
    lengthSlope: lengthSlope(pairs, options),
    ...(matched.length > 0 && { lengthMatched: share('matched', matched, agrees) }),
    ...(unequal.length > 0 && {
      longerPreferred: {
        reward: share('longer', unequal, (pair) => longer(pair, (1 + Math.sign(pair.scoreA - pair.scoreB)) / 2)),
        labels: share('longer', unequal, (pair) => longer(pair, pair.probability > 0.5 ? 1 : 0)),
      },
    }),
    permutationP: pairedPermutation(
      decided.map((pair) => agrees(pair) - 0.5),
      { seed: deriveSeed(seed, 'ticket', 'permutation'), clusters: decided.map(groupOf) },
    ),
    pairs: pairs.length,
  }
}

/**
 * The human ceiling where no gold is known: how often a single annotator agrees with the majority of the others of the item. A reward
 * model trained on such judgements that agrees more often than people do has learnt their noise. Ties of either side count half.
 */
export function humanCeiling(
  items: readonly Item[],
  { seed, level = 0.95 }: { seed: number; level?: number },
): Interval {
  const meetings = items.flatMap(({ item, votes }) =>
    votes.flatMap((vote) => {
      const agrees = agreementWithOthers(vote, votes)
      return agrees === undefined ? [] : [{ item, agrees }]
    }),
  )
  if (meetings.length === 0)
    throw new DataError('the human ceiling needs items judged by two annotators or more; raise the overlap')
  return boundedMean(
    meetings.map((m) => m.agrees),
    {
      bounds: [0, 1],
      seed: deriveSeed(seed, 'ceiling'),
      level,
      resamples: 1000,
      clusters: meetings.map((m) => m.item),
    },
  )
}

export type BestOfNPoint = { n: number; kl: number; proxy: number; gold?: number; goldInterval?: Interval }

/**
 * Proxy and gold of the best of n by proxy, averaged over prompts, for n = 1, 2, 4, ... up to the fewest samples of a prompt. Unbiased over subsets;
 * the interval of gold is by bootstrap over prompts.
 */
export function bestOfNCurve(
  prompts: readonly (readonly { proxy: number; gold?: number }[])[],
  { seed, level = 0.95 }: { seed: number; level?: number },
): BestOfNPoint[] {
  if (prompts.length === 0) throw new DataError('a best-of-n curve needs the samples of at least one prompt, got none')
  const most = Math.min(...prompts.map((samples) => samples.length))
  const hasGold = prompts.every((samples) => samples.every((sample) => sample.gold !== undefined))
  const points: BestOfNPoint[] = []
  for (let n = 1; n <= most; n *= 2) {
    const best = (key: 'proxy' | 'gold') =>
      prompts.map((samples) =>
        bestOfN(
          samples.map((s) => ({ proxy: s.proxy, value: s[key]! })),
          n,
        ),
      )
    const point: BestOfNPoint = { n, kl: bestOfNKl(n), proxy: average(best('proxy')) }
    if (hasGold) {
      point.goldInterval = bootstrapMean(best('gold'), {
        seed: deriveSeed(seed, 'best-of-n', n),
        level,
        resamples: 1000,
      })
      point.gold = point.goldInterval.value
    }
    points.push(point)
  }
  return points
}

function strataOf(pairs: readonly ScoredPair[]): { name: string; own: ScoredPair[] }[] {
  const names = [...new Set(pairs.map(({ stratum }) => stratum))]
  return names.map((name) => ({ name: name ?? '(none)', own: pairs.filter(({ stratum }) => stratum === name) }))
}

/** 1 when the scores order the pair as the label does, half when the scores are equal. */
function hit({ scoreA, scoreB }: ScoredPair, label: number): number {
  return (1 + Math.sign(scoreA - scoreB) * Math.sign(label - 0.5)) / 2
}

type Predicted = Prediction & { group: string }

/** From the side of the completion with the higher score, so that names a and b do not matter. `logits`: of P(a is better). */
function predictionsOf(pairs: readonly ScoredPair[], logits: readonly number[]): Predicted[] {
  return pairs.map((pair, i) => ({
    probability: 1 / (1 + Math.exp(-Math.abs(logits[i]!))),
    outcome: logits[i]! >= 0 ? pair.probability : 1 - pair.probability,
    group: groupOf(pair),
  }))
}

function calibrationError(
  predictions: readonly Predicted[],
  { seed, level = 0.95, resamples = 1000 }: TicketOptions,
): Interval {
  const found = bootstrap(predictions, expectedCalibrationError, {
    seed: deriveSeed(seed, 'ticket', 'calibration'),
    level,
    resamples,
    method: 'bca',
    cluster: ({ group }) => group,
  })
  // Near 0 the correction for the bias may leave the figure itself outside: then the interval reaches out to it.
  return { ...found, low: Math.min(found.low, found.value), high: Math.max(found.high, found.value) }
}

function lengthSlope(pairs: readonly ScoredPair[], { seed, level = 0.95, resamples = 1000 }: TicketOptions): Interval {
  const scores = pairs.flatMap((pair) => [pair.scoreA, pair.scoreB])
  const mean = average(scores)
  const sd = Math.sqrt(average(scores.map((score) => (score - mean) ** 2)))
  if (sd === 0) return { value: 0, low: 0, high: 0, n: pairs.length }
  const slope = (sample: readonly ScoredPair[]) =>
    slopeOf(
      sample.flatMap((p) => [
        { x: p.lengthA / 10, y: p.scoreA / sd },
        { x: p.lengthB / 10, y: p.scoreB / sd },
      ]),
    )
  return bootstrap(pairs, slope, { seed: deriveSeed(seed, 'ticket', 'length'), level, resamples, cluster: groupOf })
}

function groupOf({ group, item }: ScoredPair): string {
  return group ?? item
}

/** Least-squares slope; 0 when x never varies. */
function slopeOf(points: readonly Point[]): number {
  const meanX = average(points.map((p) => p.x))
  const meanY = average(points.map((p) => p.y))
  let xy = 0
  let xx = 0
  for (const { x, y } of points) {
    xy += (x - meanX) * (y - meanY)
    xx += (x - meanX) ** 2
  }
  return xx === 0 ? 0 : xy / xx
}
