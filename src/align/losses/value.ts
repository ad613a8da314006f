// PPO's clipped value loss on one completion: the larger of the two squared errors, so that a value which strays from
// the old one by more than the clip is not rewarded for it. Half the square, summed over tokens, over the minibatch's tokens.
import type { LossResult, Numbers, Outputs } from '#engine/contract'
import { clamp, zerosLike } from './numbers.ts'

export type ValueTarget = { oldValues_S: Numbers; returns_S: Numbers }

/** loss = weight * sum over tokens of max((v - R)^2, (old + clip(v - old, +-c) - R)^2) / 2 / tokens. */
export function valueLoss(
  out: Outputs,
  { oldValues_S, returns_S }: ValueTarget,
  { clipValue, tokens, weight = 1 }: { clipValue: number; tokens: number; weight?: number },
): LossResult {
  const values_S = out.values_S!
  const gradient_S = zerosLike(values_S)
  const stats = { clipped: 0 }
  let loss = 0
  for (let i = 0; i < values_S.length; i++) {
    const old = oldValues_S[i]!
    const free = values_S[i]! - returns_S[i]!
    const moved = values_S[i]! - old
    const held = old + clamp(moved, -clipValue, clipValue) - returns_S[i]!
    // Within the clip both are one number, but for rounding.
    const isHeld = Math.abs(moved) > clipValue && held * held > free * free
    loss += (weight * (isHeld ? held * held : free * free)) / 2 / tokens
    gradient_S[i] = isHeld ? 0 : (weight * free) / tokens
    stats.clipped += isHeld ? 1 : 0
  }
  return { loss, stats, gradient: [{ values_S: gradient_S }] }
}
