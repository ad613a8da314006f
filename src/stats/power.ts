// How many judgements an evaluation needs, settled before it starts: independent ones by the normal approximation, and what
// becomes of that when judgements share a pair or a prompt (Kish's design effect at two levels).
import { invariant } from '#errors'
import { normalQuantile } from './distributions.ts'
import { zOf } from './intervals.ts'

/** Trials for a proportion's interval to be at most `halfWidth` to each side; worst case p = 0.5: 385 for 0.05 at 95%. */
export function trialsForPrecision(halfWidth: number, { level = 0.95, p = 0.5 } = {}): number {
  invariant(halfWidth > 0, `half width must be above 0, got ${halfWidth}`)
  return Math.ceil((zOf(level) ** 2 * p * (1 - p)) / halfWidth ** 2)
}

/** How far a proportion's interval then reaches to each side: 0.05 for 385 trials at 95%. */
export function precisionOfTrials(trials: number, { level = 0.95, p = 0.5 } = {}): number {
  invariant(trials > 0, `a precision needs at least one trial, got ${trials}`)
  return zOf(level) * Math.sqrt((p * (1 - p)) / trials)
}

/** Trials for a two-sided test of rate `null` to see a true rate `p` with the given power: 783 to see 0.55 against 0.5 at 80%. */
export function trialsForPower(p: number, { null: p0 = 0.5, power = 0.8, level = 0.95 } = {}): number {
  invariant(p !== p0, 'the rate to be seen must differ from the null rate')
  const spread = zOf(level) * Math.sqrt(p0 * (1 - p0)) + normalQuantile(power) * Math.sqrt(p * (1 - p))
  return Math.ceil((spread / (p - p0)) ** 2)
}

/** Values of that standard deviation for a two-sided test of mean 0 to see a true mean `change` with the given power. */
export function trialsForMean(change: number, { deviation, power = 0.8, level = 0.95 }: MeanOptions): number {
  invariant(change !== 0, 'the change to be seen must differ from 0')
  return Math.ceil((((zOf(level) + normalQuantile(power)) * deviation) / change) ** 2)
}

/** Values of that standard deviation for the interval of their mean to be at most `halfWidth` to each side. */
export function trialsForMeanPrecision(halfWidth: number, { deviation, level = 0.95 }: MeanOptions): number {
  invariant(halfWidth > 0, `half width must be above 0, got ${halfWidth}`)
  return Math.ceil(((zOf(level) * deviation) / halfWidth) ** 2)
}
type MeanOptions = { deviation: number; power?: number; level?: number }

/** How judgements go together: `overlap` of each pair, correlated by `withinPair`; of different pairs of one prompt, by `withinPrompt`. */
export type Design = { overlap: number; perPrompt: number; withinPair: number; withinPrompt: number }

/** How many times as many judgements of this design are needed as independent ones. */
export function designEffect({ overlap, perPrompt, withinPair, withinPrompt }: Design): number {
  return 1 + (overlap - 1) * withinPair + overlap * (perPrompt - 1) * withinPrompt
}
