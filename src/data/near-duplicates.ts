// Near-duplicates: texts whose sets of word 5-grams have a Jaccard similarity at or above a threshold. Exact, by prefix
// filtering (Bayardo et al., WWW 2007): two such sets must share one of their rarest few grams, so only texts that do are
// compared. MinHash was tried first and left out: with one template its bands hold everybody (57 s for 100,000 rows of
// one template, and copies missed once candidates were capped). Texts shorter than a 5-gram are one gram. Everything lies in
// flat arrays: a million rows have tens of millions of grams, more than JavaScript's own maps take.
import { wordsOf } from './texts.ts'

export type Near = { other: number; similarity: number }

const GRAM_WORDS = 5
/** Comparisons for one text, those with the rarest shared gram first: a grammar of few words must not make the search quadratic. */
const MOST_COMPARED = 1000
/** How common each gram is, approximately: grams that fall into one slot are counted together, which costs time and not truth. */
const SLOTS = 1 << 22

/** Remainders of numbers above 2^31 are slow: SLOTS is a power of two. */
const slotOf = (gram: number): number => gram & (SLOTS - 1)

/** Lists of 32-bit numbers one after the other; list i lies from `starts[i]` to `starts[i + 1]`. */
type Lists = { numbers: Uint32Array; starts: Float64Array }

/** Finds, for a text of a fixed list, the most similar among those added so far. */
export class NearIndex {
  private readonly threshold: number
  private readonly grams: Lists
  /** The rarest few grams of each text. */
  private readonly rarest: Lists
  /** Entries of one slot are chained, the newest first: the text, its gram, and the entry before. -1 ends a chain. */
  private readonly newest = new Int32Array(SLOTS).fill(-1)
  private readonly entries: { texts: Int32Array; grams: Uint32Array; before: Int32Array }
  private count = 0
  /** The text for which each other was last met, so that one is compared once. */
  private readonly metFor: Int32Array

  /** `threshold`: Jaccard similarity in (0, 1]. */
  constructor(texts: readonly string[], threshold: number) {
    this.threshold = threshold
    this.grams = gramsOf(texts)
    const commonness = new Uint32Array(SLOTS)
    const { numbers } = this.grams
    for (let i = 0; i < numbers.length; i++) commonness[slotOf(numbers[i]!)]!++
    this.rarest = rarestOf(this.grams, commonness, threshold)
    const length = this.rarest.numbers.length
    this.entries = { texts: new Int32Array(length), grams: new Uint32Array(length), before: new Int32Array(length) }
    this.metFor = new Int32Array(texts.length).fill(-1)
  }

  /** The most similar text that was added, at or above the threshold; of equals the first added. */
  find(text: number): Near | undefined {
    let best: Near | undefined
    for (const other of this.candidates(text)) {
      const similarity = jaccard(this.grams, text, other)
      const isBetter =
        best === undefined || similarity > best.similarity || (similarity === best.similarity && other < best.other)
      if (similarity >= this.threshold && isBetter) best = { other, similarity }
    }
    return best
  }

  /** Each text once. */
  add(text: number): void {
    const { numbers, starts } = this.rarest
    const { texts, grams, before } = this.entries
    for (let at = starts[text]!; at < starts[text + 1]!; at++) {
      const gram = numbers[at]!
      const slot = slotOf(gram)
      texts[this.count] = text
      grams[this.count] = gram
      before[this.count] = this.newest[slot]!
      this.newest[slot] = this.count++
    }
  }

  private candidates(text: number): number[] {
    const { numbers, starts } = this.rarest
    const { texts, grams, before } = this.entries
    const found: number[] = []
    for (let at = starts[text]!; at < starts[text + 1]!; at++) {
      const gram = numbers[at]!
      for (let entry = this.newest[slotOf(gram)]!; entry >= 0 && found.length < MOST_COMPARED; entry = before[entry]!) {
        const other = texts[entry]!
        if (grams[entry] !== gram || this.metFor[other] === text) continue
        this.metFor[other] = text
        found.push(other)
      }
    }
    // It may be asked again.
    for (const other of found) this.metFor[other] = -1
    return found
  }
}

/** Of n grams, n - ceil(t n) + 1: a set at similarity t shares at least ceil(t n) of them, so at least one of these. */
function rarestOf({ numbers, starts }: Lists, commonness: Uint32Array, threshold: number): Lists {
  const found = new Growing()
  const ends = new Float64Array(starts.length)
  for (let text = 0; text + 1 < starts.length; text++) {
    const [from, to] = [starts[text]!, starts[text + 1]!]
    // One number sorts by commonness, then by gram: 21 bits and 32 bits of a double's 53, and no comparator is called.
    const keys = new Float64Array(to - from)
    for (let i = 0; i < keys.length; i++) {
      const gram = numbers[from + i]!
      keys[i] = Math.min(commonness[slotOf(gram)]!, 2 ** 21 - 1) * 2 ** 32 + gram
    }
    const count = keys.length > 0 ? keys.length - Math.ceil(threshold * keys.length - 1e-9) + 1 : 0
    keys.sort()
    for (let i = 0; i < count; i++) found.push(keys[i]! >>> 0)
    ends[text + 1] = found.length
  }
  return { numbers: found.taken(), starts: ends }
}

/** Hashes of each text's word 5-grams, sorted, each once. None for a text without words, which is like nothing. */
function gramsOf(texts: readonly string[]): Lists {
  const found = new Growing()
  const starts = new Float64Array(texts.length + 1)
  for (const [text, whole] of texts.entries()) {
    const words = wordHashes(whole)
    const width = Math.min(GRAM_WORDS, words.length)
    const grams = new Uint32Array(words.length > 0 ? words.length - width + 1 : 0)
    for (let i = 0; i < grams.length; i++) {
      let hash = width
      for (let j = i; j < i + width; j++) hash = scramble(Math.imul(hash, 31) + words[j]!)
      grams[i] = hash
    }
    grams.sort()
    for (let i = 0; i < grams.length; i++) if (i === 0 || grams[i] !== grams[i - 1]) found.push(grams[i]!)
    starts[text + 1] = found.length
  }
  return { numbers: found.taken(), starts }
}

/** Intersection over union of two sorted sets. */
function jaccard({ numbers, starts }: Lists, a: number, b: number): number {
  let [i, j] = [starts[a]!, starts[b]!]
  const [endA, endB] = [starts[a + 1]!, starts[b + 1]!]
  const all = endA - i + endB - j
  let both = 0
  while (i < endA && j < endB) {
    const step = numbers[i]! - numbers[j]!
    if (step === 0) both++
    if (step <= 0) i++
    if (step >= 0) j++
  }
  return both / (all - both)
}

const FNV_START = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** FNV-1a over the UTF-16 units of each word, as `wordsOf` cuts them; text that is ASCII alone is cut here, without copies. */
function wordHashes(text: string): number[] {
  const hashes: number[] = []
  let hash = FNV_START
  let isInWord = false
  for (let i = 0; i < text.length; i++) {
    let unit = text.charCodeAt(i)
    if (unit >= 128) return wordsOf(text).map(hashWord)
    if (unit >= 65 && unit <= 90) unit += 32
    if ((unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57)) {
      hash = Math.imul(hash ^ unit, FNV_PRIME)
      isInWord = true
    } else if (isInWord) {
      hashes.push(hash >>> 0)
      hash = FNV_START
      isInWord = false
    }
  }
  if (isInWord) hashes.push(hash >>> 0)
  return hashes
}

function hashWord(word: string): number {
  let hash = FNV_START
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), FNV_PRIME)
  return hash >>> 0
}

/** Mixes 32 bits well (the finaliser of MurmurHash3). */
function scramble(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** 32-bit numbers, as many as come. */
class Growing {
  length = 0
  private numbers = new Uint32Array(1 << 16)

  push(value: number): void {
    if (this.length === this.numbers.length) {
      const larger = new Uint32Array(2 * this.length)
      larger.set(this.numbers)
      this.numbers = larger
    }
    this.numbers[this.length++] = value
  }

  taken(): Uint32Array {
    return this.numbers.subarray(0, this.length)
  }
}
