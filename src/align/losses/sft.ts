// Supervised fine-tuning as coefficients: the gradient does not depend on the outputs, so an engine needs one pass.
import type { Outputs, Sequence } from '#engine/contract'

/** Coefficients of loss = sum(weight * -logprob) / normaliser over scored tokens; `weights` one a sequence. */
export function sftCoefficients(
  sequences: Sequence[],
  weights: number[],
  normaliser: number,
): { coefficients: Outputs[][] } {
  const coefficients = sequences.map((s, i): Outputs[] => {
    const scored = s.isScored.reduce((a, b) => a + b, 0)
    return [{ logprobs_S: new Float64Array(scored).fill(weights[i]! / normaliser) }]
  })
  return { coefficients }
}
