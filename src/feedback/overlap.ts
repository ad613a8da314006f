// Adaptive overlap: an item is judged until its posterior passes a threshold, up to a cap. Easy items cost few judgements and hard
// ones get what is saved. The posterior is that of annotators' coins, gold included, so two good annotators may do where three
// middling ones would not.
import { ConfigError } from '#errors'
import { knownOf } from './adjudicated.ts'
import type { Item, Vote } from './items.ts'
import { type CoinCounts, type Coins, fitCoins, posteriorOf } from './two-coin.ts'

export type OverlapRule = {
  /** Enough once one side is this probable; above 0.5, below 1. */
  threshold: number
  /** Judgements that every item gets. */
  least: number
  /** No item gets more. */
  cap: number
}
export type OverlapDecision = {
  item: string
  judgements: number
  /** P(a is better). */
  probability: number
  /** Whether to ask one more person. */
  wantsMore: boolean
  because: 'below least' | 'uncertain' | 'certain' | 'cap'
}

export const OVERLAP_RULE: OverlapRule = { threshold: 0.9, least: 2, cap: 5 }

/** The decision on one item from its votes so far. Cannot-judge counts towards `least` and `cap`, and says nothing. */
export function decideOverlap(
  item: { item: string; votes: readonly Vote[] },
  coinsOf: (annotator: string) => Coins,
  rule: OverlapRule = OVERLAP_RULE,
): OverlapDecision {
  const { threshold, least, cap } = rule
  if (
    !(
      threshold > 0.5 &&
      threshold < 1 &&
      Number.isInteger(least) &&
      Number.isInteger(cap) &&
      1 <= least &&
      least <= cap
    )
  )
    throw new ConfigError(
      `adaptive overlap needs a threshold inside (0.5, 1) and whole 1 <= least <= cap, got ${threshold}, ${least}, ${cap}`,
    )
  const judgements = item.votes.length
  const probability = posteriorOf(item.votes, coinsOf)
  const because =
    judgements < least
      ? 'below least'
      : Math.max(probability, 1 - probability) >= threshold
        ? 'certain'
        : judgements >= cap
          ? 'cap'
          : 'uncertain'
  return {
    item: item.item,
    judgements,
    probability,
    wantsMore: because === 'below least' || because === 'uncertain',
    because,
  }
}

/** The coins of everyone, fitted on items that nothing settles, with what gold and adjudicators say beforehand. */
export function coinsOfCrowd(items: readonly Item[]): (annotator: string) => Coins {
  const open = items.filter(({ gold, adjudication }) => gold === undefined && !adjudication)
  const known = knownOf(items)
  return fitCoins(open, 'two-coin', known && { known }).coinsOf
}

/** Decisions on all items, coins fitted on all votes so far; `known` is what gold items showed of each annotator. */
export function decideOverlaps(
  items: readonly Item[],
  { rule = OVERLAP_RULE, known }: { rule?: OverlapRule; known?: ReadonlyMap<string, CoinCounts> } = {},
): OverlapDecision[] {
  const { coinsOf } = fitCoins(items, 'two-coin', known && { known })
  return items.map((item) => decideOverlap(item, coinsOf, rule))
}
