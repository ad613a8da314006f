// Blind win rate of a candidate over a baseline: annotators' votes on pairs of their completions, sides drawn by lot and
// names hidden, averaged by item, with an interval by bootstrap over prompts. Where an adjudicator decided an item, that is what
// came of it, whatever the votes were; one that is truly subjective keeps their shares.
import { DataError } from '#errors'
import { gatherItems, type Item } from '#feedback'
import type { Comparison, Judgement } from '#schema'
import { average, binomialTest, boundedMean, deriveSeed, type Interval } from '#stats'

export type WinRate = Interval & {
  n: number
  wins: number
  losses: number
  ties: number
  /** Exact sign test on items won and lost. */
  p: number
}

/**
 * `a` of each comparison is the candidate's completion, `b` the baseline's. Both the same text: a tie that needs no judgement. Items without
 * a judgement that says something are a DataError, since leaving them out would choose what is counted.
 */
export function winRate({
  judgements,
  comparisons,
  seed,
  level = 0.95,
}: {
  judgements: readonly Judgement[]
  comparisons: readonly Comparison[]
  seed: number
  level?: number
}): WinRate {
  if (comparisons.length === 0) throw new DataError('a win rate needs at least one comparison, got none')
  const groupOf = new Map(comparisons.map(({ item, group }) => [item, group ?? item]))
  const shares = sharesOf(judgements, comparisons).map((share, i) => {
    const { item } = comparisons[i]!
    if (share === undefined)
      throw new DataError(`item ${item} has no judgement; judge it or take the comparison out for both sides`)
    return { item, share }
  })
  const wins = shares.filter(({ share }) => share > 0.5).length
  const losses = shares.filter(({ share }) => share < 0.5).length
  const interval = boundedMean(
    shares.map(({ share }) => share),
    {
      bounds: [0, 1],
      seed: deriveSeed(seed, 'win-rate'),
      level,
      clusters: shares.map(({ item }) => groupOf.get(item)!),
    },
  )
  return {
    ...interval,
    n: interval.n!,
    wins,
    losses,
    ties: shares.length - wins - losses,
    p: binomialTest(wins, wins + losses),
  }
}

/** What came of each comparison for its `a`; undefined: nothing was said. Equal texts tie. */
export function sharesOf(judgements: readonly Judgement[], comparisons: readonly Comparison[]): (number | undefined)[] {
  return gatherItems(judgements, comparisons).map((gathered) => (gathered.a === gathered.b ? 0.5 : shareOf(gathered)))
}

/** What came of an item for its `a`: what an adjudicator decided, else the mean of the votes. Undefined: nothing was said. */
export function shareOf({ votes, adjudication }: Item): number | undefined {
  if (adjudication?.as === 'decided') return adjudication.vote.towardsA
  const said = votes.flatMap(({ towardsA }) => towardsA ?? [])
  return said.length === 0 ? undefined : average(said)
}
