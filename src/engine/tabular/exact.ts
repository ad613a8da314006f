// What is known exactly about an enumerable world: every completion, its probability, the objective J = E[r] - beta KL,
// and the optimum pi* = pi_ref exp(r / beta) / Z of J, where J* = beta log Z. C = completions of one prompt.
import type { Engine, Model, Sequence } from '../contract.ts'

export type World = { vocab: number; stopToken: number; maxTokens: number }

/** Every completion: tokens up to and with the stop token, or `maxTokens` tokens without one. */
export function enumerateCompletions({ vocab, stopToken, maxTokens }: World): Int32Array[] {
  const all: Int32Array[] = []
  const extend = (tokens: number[]) => {
    if (tokens.at(-1) === stopToken || tokens.length === maxTokens) return void all.push(Int32Array.from(tokens))
    for (let v = 0; v < vocab; v++) extend([...tokens, v])
  }
  extend([])
  return all
}

/** Log-probability of each completion under a model, nats. */
export async function completionLogprobs(
  engine: Engine,
  model: Model,
  { prompt, completions, temperature = 1 }: { prompt: Int32Array; completions: Int32Array[]; temperature?: number },
): Promise<Float64Array> {
  const groups = completions.map((completion): Sequence[] => [
    {
      tokens: Int32Array.from([...prompt, ...completion]),
      isScored: Uint8Array.from([...prompt.map(() => 0), ...completion.map(() => 1)]),
    },
  ])
  const outputs = await engine.forward(model, groups, ['logprobs'], { temperature, seed: 0 })
  return Float64Array.from(outputs, ([out]) => {
    let sum = 0
    for (const logprob of out!.logprobs_S!) sum += logprob
    return sum
  })
}

/** KL(p || q) in nats of two distributions given as log-probabilities. */
export function exactKl(logp_C: Float64Array, logq_C: Float64Array): number {
  return logp_C.reduce((sum, logp, c) => sum + Math.exp(logp) * (logp - logq_C[c]!), 0)
}

/** E[r] - beta KL(p || reference). */
export function exactObjective(
  logp_C: Float64Array,
  { reference_C, rewards_C, beta }: { reference_C: Float64Array; rewards_C: Float64Array; beta: number },
): number {
  const expected = logp_C.reduce((sum, logp, c) => sum + Math.exp(logp) * rewards_C[c]!, 0)
  return expected - beta * exactKl(logp_C, reference_C)
}

/** The distribution that maximises `exactObjective`, and the objective there. */
export function exactOptimum(o: { reference_C: Float64Array; rewards_C: Float64Array; beta: number }) {
  const tilted = o.reference_C.map((logp, c) => logp + o.rewards_C[c]! / o.beta)
  const top = tilted.reduce((a, b) => Math.max(a, b), -Infinity)
  const logZ = top + Math.log(tilted.reduce((sum, x) => sum + Math.exp(x - top), 0))
  return { logprobs_C: tilted.map((x) => x - logZ), objective: o.beta * logZ }
}
