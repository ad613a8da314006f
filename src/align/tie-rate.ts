// The probability of a tie between equals, where it is learned: one number beside the model, moved by Adam on its logit, kept with
// the checkpoint. It starts at the share of ties in the data, which lies below it as far as completions differ.
import { z } from 'zod'
import type { PairExample } from './events.ts'
import { clamp, sigmoid } from './losses/numbers.ts'

/** Adam's state: the logit and the running means of its slope and of the square. */
export const TieRate = z.strictObject({ logit: z.number(), first: z.number(), second: z.number().nonnegative() })
export type TieRate = z.infer<typeof TieRate>

/** Logits a step: a hundred steps reach from the data's share to anything plausible. */
const LEARNING_RATE = 0.05
const LEAST = 0.01

/** `shares`: ties among the answers of a pair, with the pair's weight. */
export function startTieRate(shares: readonly (Pick<PairExample, 'weight'> & { tie: number })[]): TieRate {
  const weight = shares.reduce((total, s) => total + s.weight, 0)
  const share = clamp(shares.reduce((total, s) => total + s.weight * s.tie, 0) / weight, LEAST, 1 - LEAST)
  return { logit: Math.log(share / (1 - share)), first: 0, second: 0 }
}

/** After the step that finishes as number `step`, from 1; `slope` is the loss's by the logit, `share` that of the learning rate. */
export function stepTieRate(
  { logit, first, second }: TieRate,
  slope: number,
  { step, share, beta1, beta2, epsilon }: Record<'step' | 'share' | 'beta1' | 'beta2' | 'epsilon', number>,
): TieRate {
  const mean = beta1 * first + (1 - beta1) * slope
  const square = beta2 * second + (1 - beta2) * slope ** 2
  const unit = mean / (1 - beta1 ** step) / (Math.sqrt(square / (1 - beta2 ** step)) + epsilon)
  return { logit: logit - LEARNING_RATE * share * unit, first: mean, second: square }
}

/** Kept off 0 and 1, where no answer could surprise. */
export function rateOf({ logit }: TieRate): number {
  return clamp(sigmoid(logit), 1e-6, 1 - 1e-6)
}
