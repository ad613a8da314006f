// Near-duplicates: texts whose sets of word 5-grams have a Jaccard similarity at or above a threshold. Exact, by prefix
// filtering (Bayardo et al., WWW 2007): two such sets must share one of their rarest few grams, so only texts that do are
// compared. MinHash was tried first and left out: with one template its bands hold everybody (57 s for 100,000 rows of
// one template, and copies missed once candidates were capped). Texts shorter than a 5-gram are one gram.
import { wordsOf } from './texts.ts'

export type Near = { other: number; similarity: number }

const GRAM_WORDS = 5
/** Comparisons for one text, those with the rarest shared gram first: a grammar of few words must not make the search quadratic. */
const MOST_COMPARED = 1000
/** How common each gram is, approximately: grams that fall into one slot are counted together, which costs time and not truth. */
const SLOTS = 1 << 22

/** Finds, for a text of a fixed list, the most similar among those added so far. */
export class NearIndex {
  private readonly threshold: number
  private readonly grams: Uint32Array[]
  /** The rarest few grams of each text. */
  private readonly rarest: Uint32Array[]
  /** The last entry of each gram; entries of one gram are chained. */
  private readonly last = new Map<number, number>()
  private readonly entries: { text: number; before: number }[] = []

  /** `threshold`: Jaccard similarity in (0, 1]. */
  constructor(texts: readonly string[], threshold: number) {
    this.threshold = threshold
    this.grams = texts.map(gramsOf)
    const commonness = new Uint32Array(SLOTS)
    for (const grams of this.grams) for (const gram of grams) commonness[gram % SLOTS]!++
    this.rarest = this.grams.map((grams) => rarestOf(grams, commonness, threshold))
  }

  /** The most similar text that was added, at or above the threshold; of equals the first added. */
  find(text: number): Near | undefined {
    const grams = this.grams[text]!
    let best: Near | undefined
    for (const other of this.candidates(text)) {
      const similarity = jaccard(grams, this.grams[other]!)
      const isBetter =
        best === undefined || similarity > best.similarity || (similarity === best.similarity && other < best.other)
      if (similarity >= this.threshold && isBetter) best = { other, similarity }
    }
    return best
  }

  add(text: number): void {
    for (const gram of this.rarest[text]!) {
      this.entries.push({ text, before: this.last.get(gram) ?? -1 })
      this.last.set(gram, this.entries.length - 1)
    }
  }

  private candidates(text: number): Set<number> {
    const found = new Set<number>()
    for (const gram of this.rarest[text]!) {
      for (let at = this.last.get(gram) ?? -1; at >= 0 && found.size < MOST_COMPARED; at = this.entries[at]!.before)
        found.add(this.entries[at]!.text)
    }
    return found
  }
}

/** Of n grams, n - ceil(t n) + 1: a set at similarity t shares at least ceil(t n) of them, so at least one of these. */
function rarestOf(grams: Uint32Array, commonness: Uint32Array, threshold: number): Uint32Array {
  // One number sorts by commonness, then by gram: 21 bits and 32 bits of a double's 53, and no comparator is called.
  const keys = new Float64Array(grams.length)
  for (const [i, gram] of grams.entries()) keys[i] = Math.min(commonness[gram % SLOTS]!, 2 ** 21 - 1) * 2 ** 32 + gram
  const count = grams.length ? grams.length - Math.ceil(threshold * grams.length - 1e-9) + 1 : 0
  return Uint32Array.from(keys.sort().subarray(0, count), (key) => key % 2 ** 32)
}

/** Hashes of the text's word 5-grams, sorted, each once. Empty for a text without words, which is like nothing. */
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

/** FNV-1a over UTF-16 units. */
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
