// Bradley-Terry loss of a reward model on the pairs of one prompt (arXiv 2203.02155, section 3.5), with what annotation
// knows: the probability that a is better instead of a 0 or 1, a weight, and a margin (arXiv 2307.09288, section 3.2.2).
import type { LossResult, Outputs } from '#engine/contract'
import { sigmoid, softplus, zerosLike } from './numbers.ts'

/** `a` and `b` index the group's sequences; `margin` is the score distance asked for, at least 0. */
export type PairTarget = { a: number; b: number; probability: number; weight: number; margin: number }

/** loss = sum over pairs of weight * (q softplus(m - d) + (1 - q) softplus(m + d) + centring (rA + rB)^2), d = rA - rB of score head 0. */
export function bradleyTerry(out: Outputs[], pairs: PairTarget[], { centring }: { centring: number }): LossResult {
  const gradient = out.map(({ scores_PH }): Outputs => ({ scores_PH: zerosLike(scores_PH!) }))
  const stats = { correct: 0, decided: 0, distance: 0 }
  let loss = 0
  for (const { a, b, probability: q, weight, margin } of pairs) {
    const rA = out[a]!.scores_PH![0]!
    const rB = out[b]!.scores_PH![0]!
    const d = rA - rB
    const total = centring * (rA + rB)
    loss += weight * (q * softplus(margin - d) + (1 - q) * softplus(margin + d) + total * (rA + rB))
    const onDistance = (1 - q) * sigmoid(margin + d) - q * sigmoid(margin - d)
    gradient[a]!.scores_PH![0]! += weight * (onDistance + 2 * total)
    gradient[b]!.scores_PH![0]! += weight * (2 * total - onDistance)
    if (q === 0.5) continue
    const towardsLabel = q > 0.5 ? d : -d
    stats.decided += 1
    stats.correct += towardsLabel > 0 ? 1 : towardsLabel === 0 ? 0.5 : 0
    stats.distance += towardsLabel
  }
  return { loss, stats, gradient }
}
