// Mean of scores that lie between known bounds, by bootstrap over clusters; where all clusters say the same, no resample
// can doubt it, and the bounds do: with n clusters alike, a share of other ones up to 1 - tail^(1/n) would have gone unseen
// (at 0 and 1 of a proportion that is Clopper and Pearson's interval; at 95% about 3.7 / n a side, the rule of three).
import { DataError } from '#errors'
import { bootstrapMean } from './bootstrap.ts'
import type { Interval } from './intervals.ts'

/** `clusters` names one cluster a value; one cluster alone says nothing but the bounds. Ends never leave the bounds; a score outside them is a DataError. */
export function boundedMean(
  values: readonly number[],
  {
    bounds,
    level = 0.95,
    ...options
  }: { bounds: readonly [low: number, high: number]; seed: number; level?: number; resamples?: number } & {
    clusters?: readonly string[]
  },
): Interval {
  const [least, most] = bounds
  const outside = values.find((value) => !(value >= least && value <= most))
  if (outside !== undefined) throw new DataError(`expected scores from ${least} to ${most}, got ${outside}`)
  return withinBounds(bootstrapMean(values, { ...options, level }), { bounds, level })
}

/** The bootstrap interval of a statistic between bounds: ends inside them, and a width where all clusters said the same. */
export function withinBounds(
  { value, low, high, n }: Interval,
  { bounds: [least, most], level }: { bounds: readonly [low: number, high: number]; level: number },
): Interval {
  if (low < high) return { value, low: Math.max(least, low), high: Math.min(most, high), n: n! }
  const unseen = 1 - ((1 - level) / 2) ** (1 / n!)
  return { value, low: value - unseen * (value - least), high: value + unseen * (most - value), n: n! }
}
