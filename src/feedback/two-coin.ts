// Latent-truth models of pairwise judgements by EM: each annotator names the better side with a probability of their own (Dawid and
// Skene 1979, with Beta priors). Three tyings of one model: everyone alike (decides as a majority does), one coin an annotator,
// two coins (one when the left side is better, one when the right is), so that leaning to a side is told apart from knowing.
import { betaQuantile, type Interval } from '#stats'
import type { Item, Vote } from './items.ts'

export type Tying = 'alike' | 'one-coin' | 'two-coin'
/** P(says left | left is better) and P(says right | right is better). */
export type Coins = { left: number; right: number }
/** Counts of right and wrong answers, by the side that is better: a prior, or what gold items showed. */
export type CoinCounts = { left: { right: number; wrong: number }; right: { right: number; wrong: number } }
export type Fit = {
  /** P(a is better) of each item, in the order given. */
  posterior: number[]
  coinsOf: (annotator: string) => Coins
  /** Expected counts, prior included. */
  countsOf: (annotator: string) => CoinCounts
}

const ROUNDS = 50
/** Beta(4, 2) on every coin: two thirds right, worth six answers; it also says which of the two mirror-image solutions is meant. */
const PRIOR = { right: 4, wrong: 2 }

/**
 * Fits by EM, starting from the posterior under the prior coins (without `known`: the majority); with `rounds` 0 it stays there, which
 * weighs votes by gold accuracy alone. Either completion is better beforehand with probability 0.5, for sides and names are drawn by
 * lot. A tie counts as half an answer to each side. `known` adds an annotator's gold results to the prior.
 */
export function fitCoins(
  items: readonly Item[],
  tying: Tying,
  { known, rounds = ROUNDS }: { known?: ReadonlyMap<string, CoinCounts>; rounds?: number } = {},
): Fit {
  const keyOf = (annotator: string) => (tying === 'alike' ? 'everyone' : annotator)
  const keys = new Set(items.flatMap((item) => item.votes.map((vote) => keyOf(vote.annotator))))
  const prior = (key: string) => priorCounts(tying === 'alike' ? undefined : known?.get(key))
  let counts = new Map([...keys].map((key) => [key, prior(key)]))
  const coinsOf = (annotator: string) => coinsFrom(counts.get(keyOf(annotator)) ?? prior(annotator), tying)
  const infer = () => {
    const coins = new Map([...counts].map(([key, c]) => [key, coinsFrom(c, tying)]))
    return items.map((item) => posteriorOf(item.votes, (annotator) => coins.get(keyOf(annotator))!))
  }
  let posterior = infer()
  for (let round = 0; round < rounds; round++) {
    counts = new Map([...keys].map((key) => [key, prior(key)]))
    items.forEach((item, i) => {
      for (const vote of item.votes) count(counts.get(keyOf(vote.annotator))!, vote, posterior[i]!)
    })
    posterior = infer()
  }
  return { posterior, coinsOf, countsOf: (annotator) => counts.get(keyOf(annotator)) ?? prior(annotator) }
}

/** What each annotator did on items whose posterior another model found: two coins each. */
export function coinsGiven(
  items: readonly Item[],
  posterior: readonly number[],
  known?: ReadonlyMap<string, CoinCounts>,
): Pick<Fit, 'coinsOf' | 'countsOf'> {
  const counts = new Map<string, CoinCounts>()
  items.forEach(({ votes }, i) => {
    for (const vote of votes) {
      if (!counts.has(vote.annotator)) counts.set(vote.annotator, priorCounts(known?.get(vote.annotator)))
      count(counts.get(vote.annotator)!, vote, posterior[i]!)
    }
  })
  const countsOf = (annotator: string) => counts.get(annotator) ?? priorCounts(known?.get(annotator))
  return { countsOf, coinsOf: (annotator) => coinsFrom(countsOf(annotator), 'two-coin') }
}

/** P(a is better) by Bayes' rule from votes of annotators whose coins are given. */
export function posteriorOf(votes: readonly Vote[], coinsOf: (annotator: string) => Coins): number {
  let logOdds = 0
  for (const { annotator, isALeft, towardsA } of votes) {
    if (towardsA === undefined) continue
    const { left, right } = coinsOf(annotator)
    // Chance of saying "left" if a is better, and if b is.
    const ifA = isALeft ? left : 1 - right
    const ifB = isALeft ? 1 - right : left
    const saidLeft = isALeft ? towardsA : 1 - towardsA
    logOdds += saidLeft * Math.log(ifA / ifB) + (1 - saidLeft) * Math.log((1 - ifA) / (1 - ifB))
  }
  return 1 / (1 + Math.exp(-logOdds))
}

/** Mean of the two coins (right whichever side is better) with an interval from its Beta posterior. */
export function skillOf(counts: CoinCounts, level = 0.95): Interval {
  const right = counts.left.right + counts.right.right
  const wrong = counts.left.wrong + counts.right.wrong
  const tail = (1 - level) / 2
  const value = right / (right + wrong)
  return {
    value,
    low: betaQuantile(tail, right, wrong),
    high: betaQuantile(1 - tail, right, wrong),
    n: Math.round(right + wrong),
  }
}

/** What an annotator would have shown without any evidence. */
export function priorCounts(gold?: CoinCounts): CoinCounts {
  return {
    left: { right: PRIOR.right + (gold?.left.right ?? 0), wrong: PRIOR.wrong + (gold?.left.wrong ?? 0) },
    right: { right: PRIOR.right + (gold?.right.right ?? 0), wrong: PRIOR.wrong + (gold?.right.wrong ?? 0) },
  }
}

/** Adds a vote to its annotator's counts, as far as it was right. */
export function count(counts: CoinCounts, { isALeft, towardsA }: Vote, probabilityOfA: number): void {
  if (towardsA === undefined) return
  const leftBetter = isALeft ? probabilityOfA : 1 - probabilityOfA
  const saidLeft = isALeft ? towardsA : 1 - towardsA
  counts.left.right += leftBetter * saidLeft
  counts.left.wrong += leftBetter * (1 - saidLeft)
  counts.right.right += (1 - leftBetter) * (1 - saidLeft)
  counts.right.wrong += (1 - leftBetter) * saidLeft
}

function coinsFrom({ left, right }: CoinCounts, tying: Tying): Coins {
  if (tying === 'two-coin')
    return { left: left.right / (left.right + left.wrong), right: right.right / (right.right + right.wrong) }
  const skill = (left.right + right.right) / (left.right + left.wrong + right.right + right.wrong)
  return { left: skill, right: skill }
}
