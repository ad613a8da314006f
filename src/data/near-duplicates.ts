// Near-duplicates: texts whose sets of word 5-grams have a Jaccard similarity at or above a threshold. Exact, by prefix
// filtering (Bayardo et al., WWW 2007): two such sets must share one of their rarest few grams, so only texts that do are
// compared. MinHash was tried first and left out: with one template its bands hold everybody (57 s for 100,000 rows of
// one template, and copies missed once candidates were capped). Texts shorter than a 5-gram are one gram. Everything lies in
// flat arrays: a million rows have tens of millions of grams, more than JavaScript's own maps take.
import { Grams, slotOf, SLOTS } from './grams.ts'

export type Near = { other: number; similarity: number }

/** Comparisons for one text, those with the rarest shared gram first: a grammar of few words must not make the search quadratic. */
const MOST_COMPARED = 1000

/** Finds, for a text of a fixed list, the most similar among those added so far. */
export class NearIndex {
  private readonly threshold: number
  private readonly grams: Grams
  private readonly rarest: Rarest
  /** Entries of one slot are chained, the newest first: `before` leads from an entry to the one added before it. -1 ends a chain. */
  private readonly newest = new Int32Array(SLOTS).fill(-1)
  private readonly before: Int32Array
  /** The text for which each other was last met, so that one is compared once. */
  private readonly metFor: Int32Array

  /** `threshold`: Jaccard similarity in (0, 1]. */
  constructor(grams: Grams, threshold: number) {
    this.threshold = threshold
    this.grams = grams
    this.rarest = rarestOf(grams, threshold)
    this.before = new Int32Array(this.rarest.numbers.length)
    this.metFor = new Int32Array(grams.texts).fill(-1)
  }

  /** The most similar text that was added, at or above the threshold; of equals the first added. */
  find(text: number): Near | undefined {
    let best: Near | undefined
    for (const other of this.candidates(text)) {
      if (this.grams.mostSimilarity(text, other) < this.threshold) continue
      const similarity = this.grams.similarity(text, other)
      const isBetter =
        best === undefined || similarity > best.similarity || (similarity === best.similarity && other < best.other)
      if (similarity >= this.threshold && isBetter) best = { other, similarity }
    }
    return best
  }

  /** Each text once. */
  add(text: number): void {
    const { numbers, starts } = this.rarest
    for (let at = starts[text]!; at < starts[text + 1]!; at++) {
      const slot = slotOf(numbers[at]!)
      this.before[at] = this.newest[slot]!
      this.newest[slot] = at
    }
  }

  private candidates(text: number): number[] {
    const { numbers, texts, starts } = this.rarest
    const found: number[] = []
    for (let at = starts[text]!; at < starts[text + 1]!; at++) {
      const gram = numbers[at]!
      for (
        let entry = this.newest[slotOf(gram)]!;
        entry >= 0 && found.length < MOST_COMPARED;
        entry = this.before[entry]!
      ) {
        const other = texts[entry]!
        if (numbers[entry] !== gram || this.metFor[other] === text) continue
        this.metFor[other] = text
        found.push(other)
      }
    }
    // It may be asked again.
    for (const other of found) this.metFor[other] = -1
    return found
  }
}

/** The rarest few grams of each text, the rarest first: of text i from `starts[i]` to `starts[i + 1]`, each with its text. */
type Rarest = { numbers: Uint32Array; texts: Int32Array; starts: Uint32Array }

/**
 * Of n grams, n - ceil(t n) + 1: a set at similarity t shares at least ceil(t n) of them, so at least one of these. Those
 * that no other text has lead nowhere and are left out.
 */
function rarestOf(grams: Grams, threshold: number): Rarest {
  const starts = new Uint32Array(grams.texts + 1)
  let numbers = new Uint32Array(1 << 16)
  let length = 0
  for (let text = 0; text < grams.texts; text++) {
    const size = grams.sizeOf(text)
    const most = size > 0 ? size - Math.ceil(threshold * size - 1e-9) + 1 : 0
    const keys = grams.rarest(text, most)
    for (let i = 0; i < most; i++) {
      const gram = keys[i]! >>> 0
      if (!grams.isShared(gram)) continue
      if (length === numbers.length) numbers = doubled(numbers)
      numbers[length++] = gram
    }
    starts[text + 1] = length
  }
  const texts = new Int32Array(length)
  for (let text = 0; text < grams.texts; text++) texts.fill(text, starts[text], starts[text + 1])
  return { numbers: numbers.subarray(0, length), texts, starts }
}

function doubled(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * numbers.length)
  larger.set(numbers)
  return larger
}
