// Constrained decoding: which tokens keep a completion on the way to JSON that fits a schema. It always arrives: a token
// after which the rest would not fit the tokens left is not allowed, so the last ones close what is open.
import { DataError } from '#errors'
import type { Tokenizer } from '../tokenizer.ts'
import { type Automaton, DEAD, openAutomaton } from './automaton.ts'
import type { Network } from './network.ts'
import { type Vocabulary, vocabularyOf } from './vocabulary.ts'

type Guide = { allowed: () => Uint8Array; push: (token: number) => boolean }
/** `needs`: the most tokens that may be needed after one of these. */
type Mask = { allowed: Uint8Array; needs: number }

/** Where strings have a longest length, each place in them has a mask of its own. */
const MOST_MASKS = 256

/** What is found out on the way is dropped beyond so many configurations (1 KB each): deep values have ever new ones. */
const MOST_CONFIGURATIONS = 4096

/** Guides for the samples of one request, which share what they find out. DataError when the shortest JSON may not fit `maxTokens`. */
export function jsonGuides(tokenizer: Tokenizer, network: Network, { maxTokens }: { maxTokens: number }): () => Guide {
  const vocabulary = vocabularyOf(tokenizer)
  const open = () => ({ automaton: openAutomaton(network, vocabulary), masks: new Map<number, Mask>() })
  let found = open()
  const { start } = found.automaton
  if (start < 0)
    throw new DataError('expected a JSON schema that some finite value fits, in bytes that the tokenizer has')
  const least = found.automaton.least(start)
  if (least > maxTokens)
    throw new DataError(`expected at least ${least} tokens for the shortest JSON of this schema, got ${maxTokens}`)

  return () => {
    let own = found
    let at = start
    const drawn: number[] = []
    const take = (token: number): void => {
      for (const byte of tokenizer.bytesOf(token)) at = own.automaton.next(at, byte)
    }
    return {
      allowed() {
        if (own.automaton.size() > MOST_CONFIGURATIONS) {
          if (own === found) found = open()
          own = found
          at = start
          drawn.forEach(take)
        }
        const { automaton, masks } = own
        const left = maxTokens - drawn.length
        let mask = masks.get(at)
        if (!mask) {
          if (masks.size >= MOST_MASKS) masks.clear()
          mask = walk({ automaton, vocabulary, at, tokensAfter: Infinity })
          masks.set(at, mask)
        }
        const { allowed } = mask.needs < left ? mask : walk({ automaton, vocabulary, at, tokensAfter: left - 1 })
        if (!automaton.isWhole(at)) return allowed
        const orEnd = allowed.slice()
        for (const id of tokenizer.eosIds) orEnd[id] = 1
        return orEnd
      },
      push(token) {
        take(token)
        drawn.push(token)
        return own.automaton.isWhole(at) && (drawn.length === maxTokens || !own.automaton.isOpen(at))
      },
    }
  }
}

/** All tokens after which the text can be whole within `tokensAfter` more. */
function walk({
  automaton,
  vocabulary: { ids, bytes, offsets, shared, size, longest },
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
  let table = automaton.table()
  /** path[k]: after k bytes of the token; `alive` of them could be taken. */
  const path = new Int32Array(longest + 1)
  path[0] = at
  let alive = 0
  for (let i = 0; i < ids.length; i++) {
    if (alive < shared[i]!) continue
    const offset = offsets[i]!
    const length = offsets[i + 1]! - offset
    for (alive = shared[i]!; alive < length; alive++) {
      const byte = bytes[offset + alive]!
      let next = table[256 * path[alive]! + byte]!
      if (next < DEAD) {
        next = automaton.next(path[alive]!, byte)
        table = automaton.table()
      }
      if (next === DEAD) break
      path[alive + 1] = next
    }
    if (alive < length) continue
    const least = automaton.least(path[length]!)
    if (least > tokensAfter) continue
    allowed[ids[i]!] = 1
    if (least > needs) needs = least
  }
  return { allowed, needs }
}
