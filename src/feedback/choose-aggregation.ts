// Which model of the annotators a data set supports, by held-out evidence: how well each foretells judgements left out of the fit.
// On some published crowds Dawid-Skene gains seven points over the majority, on others it loses one: measured, never assumed.
import { deriveSeed, generator, meanInterval } from '#stats'
import type { Item } from './items.ts'
import { AGGREGATION_METHODS, type AggregationMethod, fitPairs } from './pair-models.ts'
import type { CoinCounts } from './two-coin.ts'

export type AggregationEvidence = {
  method: AggregationMethod
  /** Mean natural log-probability of a left-out judgement; a coin gives -0.693. */
  heldOutLogLikelihood: number
  /** Mean gain over the majority and its standard error, clustered by item. */
  gain: number
  gainError: number
  judgements: number
}

const FOLDS = 5

/**
 * Cross-validation over judgements: each fifth is foretold from a fit on the rest. A method wins if its gain over each simpler one
 * exceeds one standard error of that gain; the best of those that do is taken, and the majority where none does.
 */
export function chooseAggregation(
  items: readonly Item[],
  { seed, known }: { seed: number; known?: ReadonlyMap<string, CoinCounts> },
): { method: AggregationMethod; evidence: AggregationEvidence[] } {
  const random = generator(deriveSeed(seed, 'choose-aggregation'))
  const votes = items.flatMap((item) => item.votes)
  const foldOf = new Map(random.shuffle(votes).map((vote, position) => [vote, position % FOLDS]))
  const annotators = [...new Set(votes.map(({ annotator }) => annotator))]
  const scores = AGGREGATION_METHODS.map(() => [] as number[])
  const clusters: string[] = []
  for (let fold = 0; fold < FOLDS; fold++) {
    const kept = items.map((item) => ({ ...item, votes: item.votes.filter((vote) => foldOf.get(vote) !== fold) }))
    const fits = AGGREGATION_METHODS.map((method) =>
      fitPairs(kept, method, { seed: deriveSeed(seed, 'fold', fold), annotators, ...(known && { known }) }),
    )
    items.forEach((item, i) => {
      for (const vote of item.votes) {
        if (foldOf.get(vote) !== fold || vote.towardsA === undefined) continue
        clusters.push(item.item)
        const saidLeft = vote.isALeft ? vote.towardsA : 1 - vote.towardsA
        fits.forEach(({ saysLeft }, m) => {
          const p = saysLeft(vote, i)
          scores[m]!.push(saidLeft * Math.log(p) + (1 - saidLeft) * Math.log1p(-p))
        })
      }
    })
  }
  /** One standard error to each side. */
  const gainOver = (m: number, other: number) =>
    meanInterval(
      scores[m]!.map((score, i) => score - scores[other]![i]!),
      { clusters, level: 0.6827 },
    )
  const evidence = AGGREGATION_METHODS.map((method, m) => {
    const gain = gainOver(m, 0)
    return {
      method,
      heldOutLogLikelihood: meanInterval(scores[m]!).value,
      gain: gain.value,
      gainError: gain.high - gain.value,
      judgements: scores[m]!.length,
    }
  })
  const earned = evidence.filter((_, m) => evidence.slice(0, m).every((_, simpler) => gainOver(m, simpler).low > 0))
  const best = earned.reduce((x, y) => (y.heldOutLogLikelihood > x.heldOutLogLikelihood ? y : x))
  return { method: best.method, evidence }
}
