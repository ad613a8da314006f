// Draws of the tabular policy. The engine holds no generator: each draw is a hash of the request's seed, the index of the
// completion and the position, so that equal requests give equal tokens whatever else is sampled.
import type { SampleEvent, SampleRequest } from '../contract.ts'
import { distribution, stateOf } from './pass.ts'
import type { Table } from './tables.ts'

/** Completion number `index` of a request, whole. */
export function sampleOne(policy: Table, request: SampleRequest, index: number): Omit<SampleEvent, 'step'> {
  const tokens = [...request.tokens]
  const logprobs: number[] = []
  const { id, temperature, maxTokens, stopTokens, seed } = request
  let done: 'stop' | 'length' = 'length'
  while (logprobs.length < maxTokens && done === 'length') {
    const { logprobs_V } = distribution(policy, stateOf(Int32Array.from(tokens), tokens.length), temperature)
    const drawn = pick(logprobs_V, uniform(seed, index, logprobs.length))
    tokens.push(drawn)
    logprobs.push(logprobs_V[drawn]!)
    if (stopTokens.includes(drawn)) done = 'stop'
  }
  const completion = Int32Array.from(tokens.slice(request.tokens.length))
  return { id, index, tokens: completion, logprobs: Float64Array.from(logprobs), done }
}

/** The token at which the cumulated probability passes u. */
function pick(logprobs_V: Float64Array, u: number): number {
  let left = u
  let last = 0
  for (let v = 0; v < logprobs_V.length; v++) {
    const probability = Math.exp(logprobs_V[v]!)
    if (probability > 0) last = v
    left -= probability
    if (left < 0) return last
  }
  return last
}

/** Uniform in [0, 1) by hash: a draw depends on its request's seed, its index and its position alone. */
function uniform(seed: number, index: number, position: number): number {
  const words = [seed >>> 0, Math.floor(seed / 2 ** 32), index, position]
  const hash = (salt: number) => words.reduce((h, word) => scramble(h ^ word), salt)
  return ((hash(0x243f6a88) >>> 6) * 2 ** 27 + (hash(0x13198a2e) >>> 5)) / 2 ** 53
}

/** A bijection of 32 bits in which each input bit reaches each output bit. */
function scramble(word: number): number {
  let x = (word + 0x9e3779b9) | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return x ^ (x >>> 15)
}
