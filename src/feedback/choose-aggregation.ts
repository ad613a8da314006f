// Which model of the annotators a data set supports, by held-out evidence: how well each foretells judgements left out of the fit.
// On some published crowds Dawid-Skene gains seven points over the majority, on others it loses one: measured, never assumed.
import { deriveSeed, generator, meanInterval } from '#stats'
import type { Item } from './items.ts'
import { type CoinCounts, fitCoins, logLikelihoodOf, type Tying } from './two-coin.ts'

export type AggregationMethod = 'majority' | 'one-coin' | 'dawid-skene'
export const TYINGS: Record<AggregationMethod, Tying> = {
  majority: 'alike',
  'one-coin': 'one-coin',
  'dawid-skene': 'two-coin',
}

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
 * Cross-validation over judgements: each fifth is foretold from a fit on the rest. The method with the highest held-out
 * log-likelihood wins if its gain over the majority exceeds one standard error; otherwise the majority does.
 */
export function chooseAggregation(
  items: readonly Item[],
  { seed, known }: { seed: number; known?: ReadonlyMap<string, CoinCounts> },
): { method: AggregationMethod; evidence: AggregationEvidence[] } {
  const random = generator(deriveSeed(seed, 'choose-aggregation'))
  const foldOf = new Map(
    random.shuffle(items.flatMap((item) => item.votes)).map((vote, position) => [vote, position % FOLDS]),
  )
  const methods = Object.keys(TYINGS) as AggregationMethod[]
  const scores = new Map(methods.map((method) => [method, [] as number[]]))
  const clusters: string[] = []
  for (let fold = 0; fold < FOLDS; fold++) {
    const kept = items.map((item) => ({ ...item, votes: item.votes.filter((vote) => foldOf.get(vote) !== fold) }))
    const fits = methods.map((method) => [method, fitCoins(kept, TYINGS[method], known && { known })] as const)
    items.forEach((item, i) => {
      for (const vote of item.votes) {
        if (foldOf.get(vote) !== fold || vote.towardsA === undefined) continue
        clusters.push(item.item)
        for (const [method, { posterior, coinsOf }] of fits)
          scores.get(method)!.push(logLikelihoodOf(vote, posterior[i]!, coinsOf(vote.annotator)))
      }
    })
  }
  const base = scores.get('majority')!
  const evidence = methods.map((method) => {
    const own = scores.get(method)!
    const gain = meanInterval(
      own.map((score, i) => score - base[i]!),
      { clusters, level: 0.6827 }, // one standard error to each side
    )
    return {
      method,
      heldOutLogLikelihood: meanInterval(own).value,
      gain: gain.value,
      gainError: gain.high - gain.value,
      judgements: own.length,
    }
  })
  const best = evidence.reduce((x, y) => (y.heldOutLogLikelihood > x.heldOutLogLikelihood ? y : x))
  return { method: best.gain > best.gainError ? best.method : 'majority', evidence }
}
