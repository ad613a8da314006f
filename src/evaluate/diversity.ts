// How much a set of completions differs: distinct-n (Li et al., arXiv 1510.03055) and self-BLEU (Zhu et al., arXiv 1802.01886) over words.
// Give the samples of one prompt for within-prompt diversity, or one sample of each prompt for diversity across them.
import { DataError } from '#errors'

/** Different n-grams of words over all of them; NaN when no text is n words long. */
export function distinctN(texts: readonly string[], n: number): number {
  const seen = new Set<string>()
  let total = 0
  for (const text of texts)
    for (const gram of ngrams(wordsOf(text), n)) {
      seen.add(gram)
      total++
    }
  return seen.size / total
}

/** Mean BLEU of each text against all others, n-grams up to `most`: 1 when they are all alike. Quadratic in the number of texts. */
export function selfBleu(texts: readonly string[], most = 4): number {
  if (texts.length < 2) throw new DataError(`self-BLEU needs at least two texts, got ${texts.length}`)
  const tokenised = texts.map(wordsOf)
  const counts = tokenised.map((words) => Array.from({ length: most }, (_, i) => countOf(ngrams(words, i + 1))))
  let sum = 0
  for (let i = 0; i < texts.length; i++) {
    const others = tokenised.flatMap((_, j) => (j === i ? [] : [j]))
    let logPrecision = 0
    let orders = 0
    for (let n = 0; n < most; n++) {
      let clipped = 0
      let total = 0
      for (const [gram, count] of counts[i]![n]!) {
        total += count
        clipped += Math.min(count, Math.max(...others.map((j) => counts[j]![n]!.get(gram) ?? 0)))
      }
      if (total === 0) continue // shorter than n words
      orders++
      logPrecision += Math.log(Math.max(clipped, 1e-9) / total)
    }
    const length = tokenised[i]!.length
    // The reference nearest in length; the shorter of two as near.
    const nearest = others
      .map((j) => tokenised[j]!.length)
      .sort((x, y) => Math.abs(x - length) - Math.abs(y - length) || x - y)[0]!
    const brevity = length === 0 || length >= nearest ? 0 : 1 - nearest / length
    if (orders > 0) sum += Math.exp(brevity + logPrecision / orders)
  }
  return sum / texts.length
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? []
}

function ngrams(words: readonly string[], n: number): string[] {
  return Array.from({ length: Math.max(0, words.length - n + 1) }, (_, i) => words.slice(i, i + n).join(' '))
}

function countOf(grams: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const gram of grams) counts.set(gram, (counts.get(gram) ?? 0) + 1)
  return counts
}
