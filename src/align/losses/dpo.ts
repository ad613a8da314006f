// Direct preference optimisation (arXiv 2305.18290) on one pair, with soft labels; label smoothing is conservative DPO,
// and the optional supervised term on the likelier completion is that of arXiv 2404.19733.
import type { LossResult, Outputs } from '#engine/contract'
import { filledLike, sigmoid, softplus, sum } from './numbers.ts'

/** Summed log-probabilities of a and b under the reference, nats; `weight` already holds the batch's normaliser. */
export type DpoTarget = { reference: [number, number]; probability: number; weight: number }
export type DpoOptions = { beta: number; labelSmoothing: number; sftWeight: number }

/** loss = weight * (q softplus(-h) + (1 - q) softplus(h) - sftWeight * mean logprob of the chosen), h = beta ((lA - refA) - (lB - refB)). */
export function dpo(out: Outputs[], target: DpoTarget, { beta, labelSmoothing, sftWeight }: DpoOptions): LossResult {
  const [a, b] = out.map((o) => o.logprobs_S!) as [
    NonNullable<Outputs['logprobs_S']>,
    NonNullable<Outputs['logprobs_S']>,
  ]
  const [logA, logB] = [sum(a), sum(b)]
  const { reference, probability, weight } = target
  const h = beta * (logA - reference[0] - (logB - reference[1]))
  const q = probability * (1 - labelSmoothing) + (1 - probability) * labelSmoothing
  const isAChosen = probability >= 0.5
  const chosen = isAChosen ? a : b
  const chosenLogprob = isAChosen ? logA : logB
  const supervised = (sftWeight * weight) / chosen.length
  const loss = weight * (q * softplus(-h) + (1 - q) * softplus(h)) - supervised * chosenLogprob
  const onA = weight * beta * (sigmoid(h) - q)
  const gradient = [
    { logprobs_S: filledLike(a, onA - (isAChosen ? supervised : 0)) },
    { logprobs_S: filledLike(b, -onA - (isAChosen ? 0 : supervised)) },
  ]
  const margin = isAChosen ? h : -h
  const stats = { chosenLogprob, margin, correct: margin > 0 ? 1 : margin === 0 ? 0.5 : 0 }
  return { loss, stats, gradient }
}
