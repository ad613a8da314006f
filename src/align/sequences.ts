// From tokenised prompt and completion to what an engine scores: completion tokens only, the prompt is context.
import type { Sequence } from '#engine/contract'
import { DataError } from '#errors'

export function sequenceOf(prompt: Int32Array, completion: Int32Array): Sequence {
  if (completion.length === 0)
    throw new DataError('a completion needs at least one token (its end-of-sequence), got none')
  const tokens = new Int32Array(prompt.length + completion.length)
  tokens.set(prompt)
  tokens.set(completion, prompt.length)
  return { tokens, isScored: new Uint8Array(tokens.length).fill(1, prompt.length) }
}

export function sameTokens(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i])
}
