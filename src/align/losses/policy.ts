// PPO's clipped policy loss on one completion (arXiv 1707.06347, equation 7), with an optional entropy bonus. Sequences
// hold response tokens only, so there is no mask to forget.
import type { LossResult, Outputs } from '#engine/contract'
import type { Numbers } from '#engine/contract'
import { clamp, clampLogRatio, LOG_RATIO_LIMIT, zerosLike } from './numbers.ts'

export type PolicyTarget = { oldLogprobs_S: Numbers; advantages_S: Numbers }
/** `tokens` normalises: the response tokens of the whole minibatch. */
export type PolicyOptions = { clipRatio: number; entropyBonus: number; tokens: number }

/** loss = sum over tokens of (max(-A r, -A clip(r, 1 - c, 1 + c)) - bonus * entropy) / tokens, r = exp(logprob - old). */
export function policyLoss(out: Outputs, { oldLogprobs_S, advantages_S }: PolicyTarget, o: PolicyOptions): LossResult {
  const logprobs_S = out.logprobs_S!
  const gradient: Outputs = { logprobs_S: zerosLike(logprobs_S) }
  const stats = { ratio: 0, clipped: 0, approxKl: 0 }
  let loss = 0
  for (let i = 0; i < logprobs_S.length; i++) {
    const logRatio = logprobs_S[i]! - oldLogprobs_S[i]!
    const ratio = Math.exp(clampLogRatio(logRatio))
    const free = -advantages_S[i]! * ratio
    const held = -advantages_S[i]! * clamp(ratio, 1 - o.clipRatio, 1 + o.clipRatio)
    loss += Math.max(free, held) / o.tokens
    const isFlat = held > free || Math.abs(logRatio) > LOG_RATIO_LIMIT
    gradient.logprobs_S![i] = isFlat ? 0 : free / o.tokens
    stats.ratio += ratio
    stats.clipped += held > free ? 1 : 0
    stats.approxKl += ratio - 1 - clampLogRatio(logRatio)
  }
  if (o.entropyBonus > 0) {
    gradient.entropies_S = zerosLike(out.entropies_S!).fill(-o.entropyBonus / o.tokens)
    for (const entropy of out.entropies_S!) loss -= (o.entropyBonus * entropy) / o.tokens
  }
  return { loss, stats, gradient: [gradient] }
}
