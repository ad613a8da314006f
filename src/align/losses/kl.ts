// Estimators of KL(policy || reference) from samples of the policy (Schulman 2020, "Approximating KL divergence"), d =
// log policy - log reference: k1 = d is unbiased and noisy; k2 = d^2 / 2 is biased with little noise; k3 = e^-d - 1 + d is
// unbiased, never negative, with little noise. k1 goes into the reward, whose gradient is then right; k3 is what is logged.
import type { Numbers } from '#engine/contract'
import { LOG_RATIO_LIMIT } from './numbers.ts'

export type KlEstimates = { k1: number; k2: number; k3: number }

/** Sums over the tokens of one completion, nats. In k3, d is held above -20: a token the reference likes e^20 times more counts as that. */
export function klEstimates(logprobs_S: Numbers, reference_S: Numbers): KlEstimates {
  const sums = { k1: 0, k2: 0, k3: 0 }
  for (let i = 0; i < logprobs_S.length; i++) {
    const d = logprobs_S[i]! - reference_S[i]!
    const held = Math.max(d, -LOG_RATIO_LIMIT)
    sums.k1 += d
    sums.k2 += (d * d) / 2
    sums.k3 += Math.expm1(-held) + held
  }
  return sums
}
