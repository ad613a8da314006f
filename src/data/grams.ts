// Word 5-grams of many texts as 32-bit hashes in flat pages: 4 bytes a gram, and no string of its own for a word. Beside
// them, how common each gram is. Words are those of `wordsOf`; text that is ASCII alone is cut here, byte by byte.
import { wordsOf } from './texts.ts'

const GRAM_WORDS = 5
/** How common each gram is, approximately: grams that fall into one slot are counted together, which costs time and not truth. */
export const SLOTS = 1 << 22
const PAGE = 1 << 20
/**
 * Of a slot there are four numbers, which lie in one line of the processor's cache: how many grams fell into it, and 48 counters
 * of two bits, over which its grams are spread, that say whether a second text may have a gram.
 */
const NUMBERS_A_SLOT = 4
const COUNTERS_A_SLOT = 48
/** A sort in place is quicker than a selection from here on. */
const MANY = 64

/** Remainders of numbers above 2^31 are slow: SLOTS is a power of two. */
export const slotOf = (gram: number): number => gram & (SLOTS - 1)

/** By the ten bits that the slot does not take. */
const counterOf = (gram: number): number => ((gram >>> 22) * COUNTERS_A_SLOT) >>> 10
const numberOf = (gram: number, counter: number): number => slotOf(gram) * NUMBERS_A_SLOT + 1 + (counter >>> 4)
const shiftOf = (counter: number): number => (counter & 15) * 2

/** Texts are numbered in the order in which they are added. */
export class Grams {
  texts = 0
  /** A text's grams, sorted, each once, lie in one page. */
  private readonly pages: Uint32Array[] = []
  private used = Infinity
  private starts = new Float64Array(1024)
  private sizes = new Uint32Array(1024)
  private readonly slots = new Uint32Array(SLOTS * NUMBERS_A_SLOT)
  private readonly cutter = new WordCutter()
  private hashes = new Uint32Array(1024)
  private keys = new Float64Array(1024)

  /** A text without words has no grams, and is like nothing. */
  add(text: string): void {
    const size = this.hash(text)
    const page = this.pageFor(size)
    page.set(this.hashes.subarray(0, size), this.used)
    for (let i = 0; i < size; i++) this.count(this.hashes[i]!)
    if (this.texts === this.sizes.length) this.growTexts()
    this.starts[this.texts] = (this.pages.length - 1) * PAGE + this.used
    this.sizes[this.texts++] = size
    this.used += size
  }

  sizeOf(text: number): number {
    return this.sizes[text]!
  }

  /** False when no other text has the gram; true when one has, or (seldom) might. */
  isShared(gram: number): boolean {
    const counter = counterOf(gram)
    return ((this.slots[numberOf(gram, counter)]! >>> shiftOf(counter)) & 3) > 1
  }

  /** The first `most` of a text's grams by commonness, then by value, each in the lower 32 bits of a number. Valid until the next call. */
  rarest(text: number, most: number): Float64Array {
    const size = this.sizes[text]!
    if (this.keys.length < size) this.keys = new Float64Array(2 * size)
    const { keys } = this
    const [page, from] = this.place(text)
    // Looked up before any is compared: so the processor waits for many places of memory at once.
    for (let i = 0; i < size; i++) {
      const gram = page[from + i]!
      // One number sorts by commonness, then by gram: 21 bits and 32 bits of a double's 53, and no comparator is called.
      keys[i] = Math.min(this.slots[slotOf(gram) * NUMBERS_A_SLOT]!, 2 ** 21 - 1) * 2 ** 32 + gram
    }
    if (size > MANY) return keys.subarray(0, size).sort()
    for (let i = 1; i < size; i++) keepLeast(keys, keys[i]!, Math.min(i, most))
    return keys
  }

  /** Jaccard similarity: intersection over union. */
  similarity(a: number, b: number): number {
    const [pageA, fromA] = this.place(a)
    const [pageB, fromB] = this.place(b)
    const [endA, endB] = [fromA + this.sizes[a]!, fromB + this.sizes[b]!]
    let [i, j] = [fromA, fromB]
    let both = 0
    while (i < endA && j < endB) {
      const step = pageA[i]! - pageB[j]!
      if (step === 0) both++
      if (step <= 0) i++
      if (step >= 0) j++
    }
    return both / (this.sizes[a]! + this.sizes[b]! - both)
  }

  /** What the similarity of two texts cannot exceed, by their sizes alone. */
  mostSimilarity(a: number, b: number): number {
    const [sizeA, sizeB] = [this.sizes[a]!, this.sizes[b]!]
    return Math.min(sizeA, sizeB) / Math.max(sizeA, sizeB)
  }

  /** Leaves the text's grams in `hashes`, sorted, each once; answers how many. */
  private hash(text: string): number {
    const count = this.cutter.cut(text)
    const { words } = this.cutter
    if (count === 0) return 0
    const width = Math.min(GRAM_WORDS, count)
    const size = count - width + 1
    if (this.hashes.length < size) this.hashes = new Uint32Array(2 * size)
    const { hashes } = this
    for (let i = 0; i < size; i++) {
      let hash = width
      for (let j = i; j < i + width; j++) hash = scramble(Math.imul(hash, 31) + words[j]!)
      hashes[i] = hash
    }
    hashes.subarray(0, size).sort()
    let kept = 1
    for (let i = 1; i < size; i++) if (hashes[i] !== hashes[i - 1]) hashes[kept++] = hashes[i]!
    return kept
  }

  private count(gram: number): void {
    this.slots[slotOf(gram) * NUMBERS_A_SLOT]!++
    const counter = counterOf(gram)
    const at = numberOf(gram, counter)
    const shift = shiftOf(counter)
    const number = this.slots[at]!
    if (((number >>> shift) & 3) < 2) this.slots[at] = number + (1 << shift)
  }

  /** A page with room for so many more, from `used` on. */
  private pageFor(size: number): Uint32Array {
    if (this.used + size > PAGE) {
      // A text of more grams than a page holds has a longer page for itself.
      this.pages.push(new Uint32Array(Math.max(PAGE, size)))
      this.used = 0
    }
    return this.pages.at(-1)!
  }

  private place(text: number): [page: Uint32Array, from: number] {
    const start = this.starts[text]!
    return [this.pages[Math.floor(start / PAGE)]!, start % PAGE]
  }

  private growTexts(): void {
    const starts = new Float64Array(2 * this.texts)
    const sizes = new Uint32Array(2 * this.texts)
    starts.set(this.starts)
    sizes.set(this.sizes)
    this.starts = starts
    this.sizes = sizes
  }
}

export function gramsOf(texts: Iterable<string>): Grams {
  const grams = new Grams()
  for (const text of texts) grams.add(text)
  return grams
}

/** Puts a key into its place among the least `count`, which are sorted; one that is greater than all goes behind them. */
function keepLeast(keys: Float64Array, key: number, count: number): void {
  if (count > 0 && keys[count - 1]! <= key) {
    keys[count] = key
    return
  }
  let at = count
  for (; at > 0 && keys[at - 1]! > key; at--) keys[at] = keys[at - 1]!
  keys[at] = key
}

const FNV_START = 0x811c9dc5
const FNV_PRIME = 0x01000193
/** Letters and digits of ASCII in lower case, 0 for other bytes. */
const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte).toLowerCase()
  return byte < 128 && /[a-z0-9]/.test(character) ? character.charCodeAt(0) : 0
})

/** Cuts texts into words, each as its FNV-1a hash over UTF-16 units. */
class WordCutter {
  /** Those of the last text; as many of them are valid as `cut` said. */
  words = new Uint32Array(1024)
  private bytes = Buffer.allocUnsafe(4096)

  cut(text: string): number {
    const { length } = text
    // Room beyond the length: so UTF-8 is as long as the text only when all of it is ASCII.
    if (this.bytes.length < length + 4) this.bytes = Buffer.allocUnsafe(2 * length + 4)
    if (this.words.length < length) this.words = new Uint32Array(2 * length)
    return this.bytes.write(text) === length ? this.cutAscii(length) : this.cutAny(text)
  }

  private cutAscii(length: number): number {
    const { bytes, words } = this
    let count = 0
    let hash = FNV_START
    let isInWord = false
    for (let i = 0; i < length; i++) {
      const unit = LOWER[bytes[i]!]!
      if (unit !== 0) {
        hash = Math.imul(hash ^ unit, FNV_PRIME)
        isInWord = true
      } else if (isInWord) {
        words[count++] = hash
        hash = FNV_START
        isInWord = false
      }
    }
    if (isInWord) words[count++] = hash
    return count
  }

  private cutAny(text: string): number {
    const all = wordsOf(text)
    if (this.words.length < all.length) this.words = new Uint32Array(2 * all.length)
    for (const [i, word] of all.entries()) this.words[i] = hashWord(word)
    return all.length
  }
}

function hashWord(word: string): number {
  let hash = FNV_START
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), FNV_PRIME)
  return hash
}

/** Mixes 32 bits well (the finaliser of MurmurHash3). */
function scramble(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
