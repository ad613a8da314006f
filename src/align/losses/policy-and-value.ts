// Both losses of PPO on one completion of a model that is policy and critic (arXiv 1707.06347, equation 9):
// loss = policy loss + valueWeight * value loss.
import type { LossResult, Outputs } from '#engine/contract'
import { policyLoss, type PolicyOptions, type PolicyTarget } from './policy.ts'
import { valueLoss, type ValueTarget } from './value.ts'

/** `stats.policyLoss` and `stats.valueLoss` are the two apart, the latter weighted. */
export function policyAndValueLoss(
  out: Outputs,
  target: PolicyTarget & ValueTarget,
  { clipValue, valueWeight, ...o }: PolicyOptions & { clipValue: number; valueWeight: number },
): LossResult {
  const policy = policyLoss(out, target, o)
  const value = valueLoss(out, target, { clipValue, weight: valueWeight, tokens: o.tokens })
  return {
    loss: policy.loss + value.loss,
    stats: {
      ...policy.stats,
      policyLoss: policy.loss,
      valueLoss: value.loss,
      valueClipped: value.stats.clipped!,
    },
    gradient: [{ ...policy.gradient[0]!, ...value.gradient[0]! }],
  }
}
