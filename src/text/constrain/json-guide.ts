// Constrained decoding: which tokens keep a completion on the way to JSON that fits a schema. It always arrives: a token
// after which the rest would not fit the tokens left is not allowed, so the last ones close what is open.
import { DataError } from '#errors'
import type { Tokenizer } from '../tokenizer.ts'
import { type Automaton, openAutomaton } from './automaton.ts'
import type { Network } from './network.ts'
import { type Vocabulary, vocabularyOf } from './vocabulary.ts'

type Guide = { allowed: () => Uint8Array; push: (token: number) => boolean }
/** `needs`: the most tokens that may be needed after one of these. */
type Mask = { allowed: Uint8Array; needs: number }

/** Where strings have a longest length, each place in them has a mask of its own. */
const MOST_MASKS = 256

/** Guides for the samples of one request, which share what they find out. DataError when the shortest JSON may not fit `maxTokens`. */
export function jsonGuides(tokenizer: Tokenizer, network: Network, { maxTokens }: { maxTokens: number }): () => Guide {
  const vocabulary = vocabularyOf(tokenizer)
  const automaton = openAutomaton(network, vocabulary)
  if (automaton.start < 0)
    throw new DataError('expected a JSON schema that some finite value fits, in bytes that the tokenizer has')
  const least = automaton.least(automaton.start)
  if (least > maxTokens)
    throw new DataError(`expected at least ${least} tokens for the shortest JSON of this schema, got ${maxTokens}`)
  const masks = new Map<number, Mask>()

  function maskOf(at: number): Mask {
    let mask = masks.get(at)
    if (!mask) {
      if (masks.size >= MOST_MASKS) masks.clear()
      mask = walk({ automaton, vocabulary, at, tokensAfter: Infinity })
      masks.set(at, mask)
    }
    return mask
  }

  return () => {
    let at = automaton.start
    let left = maxTokens
    return {
      allowed() {
        const mask = maskOf(at)
        const { allowed } = mask.needs < left ? mask : walk({ automaton, vocabulary, at, tokensAfter: left - 1 })
        if (!automaton.isWhole(at)) return allowed
        const orEnd = allowed.slice()
        for (const id of tokenizer.eosIds) orEnd[id] = 1
        return orEnd
      },
      push(token) {
        for (const byte of tokenizer.bytesOf(token)) at = automaton.next(at, byte)
        left--
        return automaton.isWhole(at) && (left === 0 || !automaton.isOpen(at))
      },
    }
  }
}

/** All tokens after which the text can be whole within `tokensAfter` more. */
function walk({
  automaton,
  vocabulary: { ids, bytes, shared, size },
  at,
  tokensAfter,
}: {
  automaton: Automaton
  vocabulary: Vocabulary
  at: number
  tokensAfter: number
}): Mask {
  const allowed = new Uint8Array(size)
  let needs = 0
  /** path[k]: after k bytes of the token; `alive` of them could be taken. */
  const path = [at]
  let alive = 0
  for (let i = 0; i < ids.length; i++) {
    const start = shared[i]!
    if (alive < start) continue
    const token = bytes[i]!
    let k = start
    for (; k < token.length; k++) {
      const next = automaton.next(path[k]!, token[k]!)
      if (next < 0) break
      path[k + 1] = next
    }
    alive = k
    if (k < token.length) continue
    const least = automaton.least(path[k]!)
    if (least > tokensAfter) continue
    allowed[ids[i]!] = 1
    needs = Math.max(needs, least)
  }
  return { allowed, needs }
}
