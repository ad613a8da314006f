// Texts as directions over their words: TF-IDF with a logarithm of the count in a text, of unit length (Manning, Raghavan
// and Schuetze, Introduction to Information Retrieval, 6.4: ltc). Words that stand in one text alone join nothing and are
// left out. No stemming, no stop list: what stands in every text weighs next to nothing. Languages that put no spaces
// between words give long words that seldom come again.
import { wordsOf } from './texts.ts'

/** Indices into the vocabulary, each once and sorted, and their weights. Without a known word both are empty. */
export type WordVector = { words: Uint32Array; weights: Float64Array }
export type WordSpace = { vocabulary: readonly string[]; vectorOf(text: string): WordVector }

/** What one text alone has joins it to none. */
const FEWEST_TEXTS = 2

/** The space of the words of these texts. */
export function wordSpace(texts: Iterable<string>): WordSpace {
  const counts = new Map<string, number>()
  let all = 0
  for (const text of texts) {
    all++
    for (const word of new Set(wordsOf(text))) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const vocabulary = [...counts.keys()].filter((word) => counts.get(word)! >= FEWEST_TEXTS)
  const places = new Map(vocabulary.map((word, i) => [word, i]))
  const rarity = Float64Array.from(vocabulary, (word) => Math.log((1 + all) / counts.get(word)!))
  return { vocabulary, vectorOf: (text) => unit(countsOf(text, places), rarity) }
}

function countsOf(text: string, places: ReadonlyMap<string, number>): [place: number, count: number][] {
  const counts = new Map<number, number>()
  for (const word of wordsOf(text)) {
    const place = places.get(word)
    if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1)
  }
  return [...counts].sort(([a], [b]) => a - b)
}

function unit(counts: readonly [place: number, count: number][], rarity: Float64Array): WordVector {
  const weights = Float64Array.from(counts, ([place, count]) => (1 + Math.log(count)) * rarity[place]!)
  const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0))
  return { words: Uint32Array.from(counts, ([place]) => place), weights: weights.map((weight) => weight / length) }
}

/** The cosine of two. */
export function likeness(a: WordVector, b: WordVector): number {
  let [i, j, sum] = [0, 0, 0]
  while (i < a.words.length && j < b.words.length) {
    const step = a.words[i]! - b.words[j]!
    if (step === 0) sum += a.weights[i]! * b.weights[j]!
    if (step <= 0) i++
    if (step >= 0) j++
  }
  return sum
}
