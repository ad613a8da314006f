// Bradley-Terry loss of a reward model on the pairs of one prompt (arXiv 2203.02155, section 3.5), with what annotation
// knows: the probability that a is better instead of a 0 or 1, a weight, a margin (arXiv 2307.09288, section 3.2.2), and the
// shares of answers that called the pair even or both bad (ties.ts).
import type { LossResult, Outputs } from '#engine/contract'
import { sigmoid, softplus, zerosLike } from './numbers.ts'
import { bothBadLoss, type TieLoss, tieLoss, type Ties } from './ties.ts'

/**
 * `a` and `b` index the group's sequences; `margin` is the score distance asked for, at least 0. `tie`: share of the answers, read by
 * the tie model; `bothBad`: share that says nothing of the order and goes to the term of its own. Together at most 1.
 */
export type PairTarget = {
  a: number
  b: number
  probability: number
  weight: number
  margin: number
  tie?: number
  bothBad?: number
}
/** `ties` is needed where a target has `tie`, `bothBadWeight` where one has `bothBad`. */
export type PairLossOptions = { centring: number; ties?: Ties; bothBadWeight?: number }

/**
 * loss = sum over pairs of weight * (order + centring (rA + rB)^2 + bothBadWeight bothBadLoss), with r of score head 0, d = rA - rB and
 * order = q softplus(m - d) + (1 - q) softplus(m + d), or the tie model's loss of the same answers. With `ties` the stat tieRateSlope
 * is the loss's slope by logit(rate).
 */
export function bradleyTerry(out: Outputs[], pairs: PairTarget[], options: PairLossOptions): LossResult {
  const { centring, ties, bothBadWeight = 0 } = options
  const gradient = out.map(({ scores_PH }): Outputs => ({ scores_PH: zerosLike(scores_PH!) }))
  const stats: Record<string, number> = { correct: 0, decided: 0, distance: 0, ...(ties && { tieRateSlope: 0 }) }
  let loss = 0
  for (const pair of pairs) {
    const { a, b, probability: q, weight, bothBad } = pair
    const rA = out[a]!.scores_PH![0]!
    const rB = out[b]!.scores_PH![0]!
    const d = rA - rB
    const total = centring * (rA + rB)
    const order = orderLoss(d, pair, ties)
    loss += weight * (order.loss + total * (rA + rB))
    gradient[a]!.scores_PH![0]! += weight * (order.slope + 2 * total)
    gradient[b]!.scores_PH![0]! += weight * (2 * total - order.slope)
    if (ties) stats.tieRateSlope! += weight * order.rateSlope
    if (bothBad !== undefined) {
      const term = bothBadLoss(rA, rB, bothBad)
      loss += weight * bothBadWeight * term.loss
      gradient[a]!.scores_PH![0]! += weight * bothBadWeight * term.slopes[0]
      gradient[b]!.scores_PH![0]! += weight * bothBadWeight * term.slopes[1]
    }
    if (q === 0.5) continue
    const towardsLabel = q > 0.5 ? d : -d
    stats.decided! += 1
    stats.correct! += towardsLabel > 0 ? 1 : towardsLabel === 0 ? 0.5 : 0
    stats.distance! += towardsLabel
  }
  return { loss, stats, gradient }
}

function orderLoss(d: number, target: PairTarget, ties: Ties | undefined): TieLoss {
  const { probability: q, margin, tie, bothBad = 0 } = target
  if (!ties || tie === undefined) {
    const share = 1 - bothBad
    return {
      loss: share * (q * softplus(margin - d) + (1 - q) * softplus(margin + d)),
      slope: share * ((1 - q) * sigmoid(margin + d) - q * sigmoid(margin - d)),
      rateSlope: 0,
    }
  }
  const decided = Math.max(0, 1 - tie - bothBad)
  // The margin moves what a side must win by; of a tie nothing is asked.
  const parts = [
    tieLoss(d - margin, { a: decided * q, b: 0, tie: 0 }, ties),
    tieLoss(d + margin, { a: 0, b: decided * (1 - q), tie: 0 }, ties),
    tieLoss(d, { a: 0, b: 0, tie }, ties),
  ]
  const sum = (key: keyof TieLoss) => parts.reduce((total, part) => total + part[key], 0)
  return { loss: sum('loss'), slope: sum('slope'), rateSlope: sum('rateSlope') }
}
