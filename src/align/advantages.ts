// Generalised advantage estimation (arXiv 1506.02438) on one completion, and whitening over a batch. Only response
// tokens ever come here. S = response tokens.
import type { Numbers } from '#engine/contract'

/**
 * Advantages and returns of each token. `valueAfter` is the value of the state after the last token: 0 where the
 * completion ended, the critic's guess where it was cut off and is to be bootstrapped.
 */
export function gae({
  rewards_S,
  values_S,
  valueAfter,
  gamma,
  lambda,
}: {
  rewards_S: Numbers
  values_S: Numbers
  valueAfter: number
  gamma: number
  lambda: number
}): { advantages_S: Float64Array; returns_S: Float64Array } {
  const advantages_S = new Float64Array(rewards_S.length)
  let next = 0
  let nextValue = valueAfter
  for (let t = rewards_S.length - 1; t >= 0; t--) {
    const surprise = rewards_S[t]! + gamma * nextValue - values_S[t]!
    next = surprise + gamma * lambda * next
    nextValue = values_S[t]!
    advantages_S[t] = next
  }
  return { advantages_S, returns_S: advantages_S.map((a, t) => a + values_S[t]!) }
}

/** Shifts and scales to mean 0 and population variance 1 over all tokens of all completions; all alike gives zeros. */
export function whiten(advantages: Float64Array[]): Float64Array[] {
  let n = 0
  let mean = 0
  for (const a_S of advantages) for (const a of a_S) mean += (a - mean) / ++n
  let variance = 0
  for (const a_S of advantages) for (const a of a_S) variance += (a - mean) ** 2 / n
  const scale = 1 / Math.sqrt(variance + 1e-8)
  return advantages.map((a_S) => a_S.map((a) => (a - mean) * scale))
}
