// A tokenizer's tokens in the order of their bytes, so that walking a grammar over all of them takes each shared beginning
// once. Special tokens are no text and are left out.
import type { Tokenizer } from '../tokenizer.ts'

export type Vocabulary = {
  /** Ids by the order of their bytes. */
  ids: Int32Array
  /** Of all of them, end to end: token i has those from offsets[i] to offsets[i + 1]. */
  bytes: Uint8Array
  offsets: Int32Array
  /** Bytes shared with the one before. */
  shared: Int32Array
  /** Highest id + 1. */
  size: number
  /** Whether these bytes are a token. */
  has(bytes: Uint8Array): boolean
  longest: number
}

const known = new WeakMap<Tokenizer, Vocabulary>()

export function vocabularyOf(tokenizer: Tokenizer): Vocabulary {
  const found = known.get(tokenizer)
  if (found) return found
  const made = readVocabulary(tokenizer)
  known.set(tokenizer, made)
  return made
}

function readVocabulary(tokenizer: Tokenizer): Vocabulary {
  const { vocabSize, specialIds, eosIds } = tokenizer
  const tokens: { id: number; bytes: Uint8Array }[] = []
  for (let id = 0; id < vocabSize; id++) {
    const bytes = tokenizer.bytesOf(id)
    if (bytes.length > 0 && !specialIds.has(id) && !eosIds.includes(id)) tokens.push({ id, bytes })
  }
  tokens.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
  const each = tokens.map((token) => token.bytes)
  const spelled = new Set(each.map(spell))
  const offsets = new Int32Array(each.length + 1)
  each.forEach(({ length }, i) => (offsets[i + 1] = offsets[i]! + length))
  return {
    ids: Int32Array.from(tokens, ({ id }) => id),
    bytes: Buffer.concat(each),
    offsets,
    shared: Int32Array.from(each, (own, i) => (i === 0 ? 0 : sharedStart(each[i - 1]!, own))),
    size: vocabSize,
    has: (some) => spelled.has(spell(some)),
    longest: each.reduce((most, { length }) => Math.max(most, length), 0),
  }
}

function spell(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function sharedStart(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
