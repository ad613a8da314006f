// One temperature for a reward model's probabilities (Guo et al. 2017, arXiv 1706.04599): it changes how sure they are, never
// which of two completions is preferred. Each half of the pairs, split by prompt, is measured with the temperature that the
// other half asks for, so that no pair judges its own.
import { deriveSeed } from '#stats'

/** `logit` of P(a is better) by the score; `probability` by annotation. */
export type Judged = { logit: number; probability: number; group: string }

/** Temperatures are searched between these. */
const [COLDEST, HOTTEST] = [1e-3, 1e3]
const HALVINGS = 60

/**
 * The temperature whose sigmoid(logit / temperature) has the least cross-entropy with the labels: above 1 for scores that
 * are too sure of themselves. The loss is convex in its inverse, so its slope is halved to 0; 1 where nothing can be told.
 */
export function fitTemperature(pairs: readonly Pick<Judged, 'logit' | 'probability'>[]): number {
  const slope = (inverse: number) =>
    pairs.reduce((total, { logit, probability }) => total + logit * (sigmoid(logit * inverse) - probability), 0)
  if (pairs.every(({ logit }) => logit === 0)) return 1
  let [low, high] = [-Math.log(HOTTEST), -Math.log(COLDEST)]
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2
    if (slope(Math.exp(middle)) < 0) low = middle
    else high = middle
  }
  return Math.exp(-(low + high) / 2)
}

/** Logits over the temperature that the other half of the groups asks for, in order. Halves follow from the group and the seed. */
export function crossFitted(pairs: readonly Judged[], { seed }: { seed: number }): number[] {
  const halves = pairs.map(({ group }) => deriveSeed(seed, 'temperature', group) % 2)
  const temperatures = [0, 1].map((half) => {
    const others = pairs.filter((_, i) => halves[i] !== half)
    return fitTemperature(others.length > 0 ? others : pairs)
  })
  return pairs.map(({ logit }, i) => logit / temperatures[halves[i]!]!)
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}
