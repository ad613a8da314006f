// Forward and backward of the tabular policy in closed form. A state is the whole sequence of tokens so far, so the
// policy can be any distribution over completions; S, P, H as in the contract.
import { EngineError } from '#errors'
import type { Affine, Numbers, Output, Outputs, Sequence } from '../contract.ts'
import { row, type Table } from './tables.ts'

export type ScoreHead = { names: string[]; read: 'last' | 'sum'; affine: Affine[]; table: Table }
export type Parameters = { policy: Table; values?: Table; scores?: ScoreHead }
/** Gradients beside the parameters they belong to. */
export type Gradients = { policy: Table; values: Table; scores: Table }

/** A `sum` head adds its table over the scored tokens, divided by this, as the contract says. */
const SUM_SCALE = 16

export function stateOf(tokens: Int32Array, length: number): string {
  return tokens.subarray(0, length).join(' ')
}

export function forwardOne(p: Parameters, s: Sequence, want: Output[], temperature: number): Outputs {
  const scored = scoredPositions(s)
  const out: Outputs = {}
  if (want.includes('logprobs') || want.includes('entropies')) {
    const logprobs_S = new Float64Array(scored.length)
    const entropies_S = new Float64Array(scored.length)
    scored.forEach((at, i) => {
      const { logprobs_V, entropy } = distribution(p.policy, stateOf(s.tokens, at), temperature)
      logprobs_S[i] = logprobs_V[s.tokens[at]!]!
      entropies_S[i] = entropy
    })
    if (want.includes('logprobs')) out.logprobs_S = logprobs_S
    if (want.includes('entropies')) out.entropies_S = entropies_S
  }
  if (want.includes('values')) {
    const values = needs(p.values, 'value')
    const value = (length: number) => values.rows.get(stateOf(s.tokens, length))?.[0] ?? 0
    out.values_S = Float64Array.from(scored, value)
    out.valueAfter = value(s.tokens.length)
  }
  if (want.includes('scores')) {
    const head = needs(p.scores, 'score')
    const { affine } = head
    out.scores_PH = Float64Array.from(
      readings(head, s, scored).flatMap(({ states, share }) =>
        affine.map(({ mean, scale }, h) => {
          const raw = states.reduce((sum, state) => sum + (head.table.rows.get(state)?.[h] ?? 0) * share, 0)
          return (raw - mean) / scale
        }),
      ),
    )
  }
  return out
}

/** Adds to `into` the gradient of the parameters, given that of the outputs times `sign`. */
export function backwardOne(
  p: Parameters,
  s: Sequence,
  gradient: Outputs,
  { into, temperature, sign }: { into: Gradients; temperature: number; sign: 1 | -1 },
): void {
  const scored = scoredPositions(s)
  const { logprobs_S, entropies_S, values_S, scores_PH } = gradient
  for (const g of [logprobs_S, entropies_S, values_S]) if (g) checkGradient(g, scored.length)
  if (logprobs_S || entropies_S) {
    scored.forEach((at, i) => {
      const onLogprob = (sign * (logprobs_S?.[i] ?? 0)) / temperature
      const onEntropy = (sign * (entropies_S?.[i] ?? 0)) / temperature
      if (onLogprob === 0 && onEntropy === 0) return
      const state = stateOf(s.tokens, at)
      const { logprobs_V, entropy } = distribution(p.policy, state, temperature)
      const g_V = row(into.policy, state)
      logprobs_V.forEach((logprob, v) => {
        const probability = Math.exp(logprob)
        g_V[v]! -= onLogprob * probability
        if (probability > 0) g_V[v]! -= onEntropy * probability * (logprob + entropy)
      })
      g_V[s.tokens[at]!]! += onLogprob
    })
  }
  if (values_S) {
    needs(p.values, 'value')
    scored.forEach((at, i) => {
      row(into.values, stateOf(s.tokens, at))[0]! += sign * values_S[i]!
    })
  }
  if (scores_PH) {
    const head = needs(p.scores, 'score')
    const heads = head.affine.length
    const read = readings(head, s, scored)
    checkGradient(scores_PH, read.length * heads)
    read.forEach(({ states, share }, position) => {
      for (const state of states)
        head.affine.forEach(({ scale }, h) => {
          row(into.scores, state)[h]! += (sign * scores_PH[position * heads + h]! * share) / scale
        })
    })
  }
}

/** Log-probabilities [V] and entropy, nats, of softmax(logits / temperature) in a state. */
export function distribution(policy: Table, state: string, temperature: number) {
  const logits_V = policy.rows.get(state)
  if (!logits_V) {
    const uniform = -Math.log(policy.width)
    return { logprobs_V: new Float64Array(policy.width).fill(uniform), entropy: -uniform }
  }
  const top = logits_V.reduce((a, b) => Math.max(a, b), -Infinity) / temperature
  const total = Math.log(logits_V.reduce((sum, x) => sum + Math.exp(x / temperature - top), 0))
  const logprobs_V = logits_V.map((x) => x / temperature - top - total)
  const entropy = -logprobs_V.reduce((sum, l) => sum + (l > -745 ? Math.exp(l) * l : 0), 0)
  return { logprobs_V, entropy }
}

/** The states that each row of scores reads, and the share of the table each contributes. */
function readings(head: ScoreHead, s: Sequence, scored: number[]): { states: string[]; share: number }[] {
  if (head.read === 'sum') return [{ states: scored.map((at) => stateOf(s.tokens, at + 1)), share: 1 / SUM_SCALE }]
  const at = s.scoreAt ?? Int32Array.of(s.tokens.length - 1)
  return Array.from(at, (position) => ({ states: [stateOf(s.tokens, position + 1)], share: 1 }))
}

function scoredPositions(s: Sequence): number[] {
  const positions: number[] = []
  s.isScored.forEach((is, at) => {
    if (is) positions.push(at)
  })
  return positions
}

function needs<T>(part: T | undefined, head: string): T {
  if (part === undefined) throw new EngineError(`the model has no ${head} head: load it with heads`)
  return part
}

function checkGradient(g: Numbers, length: number): void {
  if (g.length !== length) throw new EngineError(`a gradient needs ${length} numbers, got ${g.length}`)
  for (const x of g) if (!Number.isFinite(x)) throw new EngineError(`a gradient must be finite, got ${x}`)
}
