// Near-duplicates by MinHash (Broder 1997) over word 5-grams, with banding to find candidates and exact Jaccard
// similarity to decide. 64 hashes in 16 bands of 4: a pair at similarity 0.8 is a candidate with probability
// 1 - (1 - 0.8^4)^16 = 0.9998, one at 0.5 with 0.64. Texts shorter than a 5-gram count as one gram.
import { wordsOf } from './texts.ts'

/** What is compared of a text; one without words has no keys and is like nothing. */
export type Signature = { grams: Uint32Array; keys: number[] }
export type Near = { other: number; similarity: number }

const GRAM_WORDS = 5
const BANDS = 16
const BAND_ROWS = 4
const HASHES = BANDS * BAND_ROWS
/** Candidates compared in one band: boilerplate must not make the search quadratic. */
const MOST_CANDIDATES = 64

const SEEDS = Uint32Array.from({ length: HASHES }, (_, i) => scramble(i + 1))
const FACTORS = Uint32Array.from({ length: HASHES }, (_, i) => scramble(i + 1 + HASHES) | 1)

/** Texts seen so far, searchable for near-duplicates. */
export class NearIndex {
  private readonly threshold: number
  private readonly grams = new Map<number, Uint32Array>()
  private readonly bands = Array.from({ length: BANDS }, () => new Map<number, number[]>())

  /** `threshold`: Jaccard similarity in (0, 1] from which two texts are near-duplicates. */
  constructor(threshold: number) {
    this.threshold = threshold
  }

  /** The most similar text that was added, at or above the threshold. */
  find({ grams, keys }: Signature): Near | undefined {
    let best: Near | undefined
    for (const other of this.candidates(keys)) {
      const similarity = jaccard(grams, this.grams.get(other)!)
      if (similarity >= this.threshold && similarity > (best?.similarity ?? 0)) best = { other, similarity }
    }
    return best
  }

  /** Adds a text under a number of the caller's. */
  add({ grams, keys }: Signature, number: number): void {
    if (keys.length) this.grams.set(number, grams)
    for (const [band, key] of keys.entries()) {
      const bucket = this.bands[band]!.get(key)
      if (bucket) bucket.push(number)
      else this.bands[band]!.set(key, [number])
    }
  }

  private candidates(keys: number[]): Set<number> {
    const found = new Set<number>()
    for (const [band, key] of keys.entries()) {
      for (const number of this.bands[band]!.get(key)?.slice(0, MOST_CANDIDATES) ?? []) found.add(number)
    }
    return found
  }
}

export function signatureOf(text: string): Signature {
  const grams = gramsOf(text)
  return { grams, keys: bandKeys(grams) }
}

/** Hashes of the text's word 5-grams, sorted, each once. Empty for a text without words. */
function gramsOf(text: string): Uint32Array {
  const words = wordsOf(text).map(hashWord)
  if (!words.length) return new Uint32Array()
  const width = Math.min(GRAM_WORDS, words.length)
  const grams = new Set<number>()
  for (let i = 0; i + width <= words.length; i++) {
    let hash = width
    for (let j = i; j < i + width; j++) hash = scramble(Math.imul(hash, 31) + words[j]!)
    grams.add(hash)
  }
  return Uint32Array.from(grams).sort()
}

function bandKeys(grams: Uint32Array): number[] {
  if (!grams.length) return []
  const least = new Uint32Array(HASHES).fill(0xffffffff)
  for (const gram of grams) {
    for (let i = 0; i < HASHES; i++) {
      const mixed = Math.imul(gram ^ SEEDS[i]!, FACTORS[i]!)
      const hash = (mixed ^ (mixed >>> 15)) >>> 0
      if (hash < least[i]!) least[i] = hash
    }
  }
  return Array.from({ length: BANDS }, (_, band) => {
    let key = band
    for (let i = 0; i < BAND_ROWS; i++) key = scramble(Math.imul(key, 31) + least[band * BAND_ROWS + i]!)
    return key
  })
}

/** Intersection over union of two sorted sets. */
function jaccard(a: Uint32Array, b: Uint32Array): number {
  let both = 0
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const step = a[i]! - b[j]!
    if (step === 0) both++
    if (step <= 0) i++
    if (step >= 0) j++
  }
  return both / (a.length + b.length - both)
}

function hashWord(word: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Mixes 32 bits well (the finaliser of MurmurHash3). */
function scramble(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
