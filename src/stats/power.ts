// How many comparisons an evaluation needs, settled before it starts. Normal approximation.
import { invariant } from '#errors'
import { normalQuantile } from './distributions.ts'
import { zOf } from './intervals.ts'

/** Trials for a proportion's interval to be at most `halfWidth` to each side; worst case p = 0.5: 385 for 0.05 at 95%. */
export function trialsForPrecision(halfWidth: number, { level = 0.95, p = 0.5 } = {}): number {
  invariant(halfWidth > 0, `half width must be above 0, got ${halfWidth}`)
  return Math.ceil((zOf(level) ** 2 * p * (1 - p)) / halfWidth ** 2)
}

/** Trials for a two-sided test of rate `null` to see a true rate `p` with the given power: 783 to see 0.55 against 0.5 at 80%. */
export function trialsForPower(p: number, { null: p0 = 0.5, power = 0.8, level = 0.95 } = {}): number {
  invariant(p !== p0, 'the rate to be seen must differ from the null rate')
  const spread = zOf(level) * Math.sqrt(p0 * (1 - p0)) + normalQuantile(power) * Math.sqrt(p * (1 - p))
  return Math.ceil((spread / (p - p0)) ** 2)
}
