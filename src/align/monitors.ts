// What can be seen of a batch of completions without another model and without text: their lengths, how often they
// repeat themselves, how much they are alike. All shares are in 0..1.
import type { Metrics } from './events.ts'
import type { Rollout } from './rollouts.ts'

const REPEATED_NGRAM = 4
/** N-grams a completion behind distinct-n. */
const DRAWN = 8

/**
 * tokens (of all completions), tokensMean and tokensSd (of one), noEosShare, distinct1, distinct2, repetitionShare;
 * identicalShare where prompts have several samples.
 */
export function monitors(rollouts: Rollout[], samplesPerPrompt: number): Metrics {
  const lengths = rollouts.map((r) => r.completion.length)
  const tokensMean = mean(lengths)
  return {
    tokens: tokensMean * rollouts.length,
    tokensMean,
    tokensSd: Math.sqrt(mean(lengths.map((n) => (n - tokensMean) ** 2))),
    noEosShare: mean(rollouts.map((r) => (r.hasEnded ? 0 : 1))),
    distinct1: distinct(rollouts, 1),
    distinct2: distinct(rollouts, 2),
    repetitionShare: mean(rollouts.map((r) => repetition(r.completion))),
    ...(samplesPerPrompt > 1 && { identicalShare: identicalShare(rollouts, samplesPerPrompt) }),
  }
}

/**
 * Distinct-n (arXiv 1510.03055: different n-grams over all n-grams of all completions) of a sample of fixed size: what
 * would be expected of `DRAWN` n-grams a completion, drawn without replacement (rarefaction, Hurlbert 1971). Of all n-grams
 * it falls as completions grow longer, whatever they say. 1 when there are none.
 */
export function distinct(rollouts: { completion: Int32Array }[], n: number): number {
  const counts = new Map<string, number>()
  for (const { completion } of rollouts)
    for (const gram of ngrams(completion, n)) counts.set(gram, (counts.get(gram) ?? 0) + 1)
  const total = [...counts.values()].reduce((a, b) => a + b, 0)
  const drawn = Math.min(total, DRAWN * rollouts.length)
  if (drawn === 0) return 1
  let expected = 0
  for (const count of counts.values()) expected += 1 - missedBy(drawn, count, total)
  return expected / drawn
}

/** The chance that none of `count` among `total` is in a draw of `drawn` without replacement. */
function missedBy(drawn: number, count: number, total: number): number {
  let chance = 1
  for (let i = 0; i < count && chance > 0; i++) chance *= Math.max(0, total - drawn - i) / (total - i)
  return chance
}

/** Share of a completion's 4-grams that it has said before. */
export function repetition(completion: Int32Array): number {
  const grams = ngrams(completion, REPEATED_NGRAM)
  return grams.length === 0 ? 0 : 1 - new Set(grams).size / grams.length
}

/** Share of prompts whose samples are all the same. */
function identicalShare(rollouts: Rollout[], samplesPerPrompt: number): number {
  const prompts = rollouts.length / samplesPerPrompt
  let identical = 0
  for (let p = 0; p < prompts; p++) {
    const samples = rollouts.slice(p * samplesPerPrompt, (p + 1) * samplesPerPrompt)
    if (new Set(samples.map((r) => r.completion.join(' '))).size === 1) identical++
  }
  return identical / prompts
}

function ngrams(tokens: Int32Array, n: number): string[] {
  return Array.from({ length: Math.max(tokens.length - n + 1, 0) }, (_, i) => tokens.subarray(i, i + n).join(' '))
}

function mean(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
