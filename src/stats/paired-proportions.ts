// Change of a rate between two conditions met by the same units (the same prompts before and after training), by Tango's
// score interval (Statistics in Medicine 1998, 17:891): right coverage at small counts, and an upper bound even when nothing happened.
import { DataError } from '#errors'
import { bisect } from './distributions.ts'
import { type Interval, zOf } from './intervals.ts'

export type PairedCounts = {
  /** Units that have the property before but not after. */
  onlyBefore: number
  /** Units that have it after but not before. */
  onlyAfter: number
  /** All units, those that never changed included. */
  n: number
}

/** Rate after minus rate before with its two-sided interval; the high end at level 0.90 is the one-sided 95% upper bound. */
export function pairedRateChange({ onlyBefore, onlyAfter, n }: PairedCounts, level = 0.95): Interval {
  if (!(n > 0 && onlyBefore >= 0 && onlyAfter >= 0 && onlyBefore + onlyAfter <= n))
    throw new DataError(
      `paired counts need 0 <= onlyBefore + onlyAfter <= n, n > 0; got ${onlyBefore}, ${onlyAfter}, ${n}`,
    )
  const value = (onlyAfter - onlyBefore) / n
  const z = zOf(level)
  // Falls as the supposed change rises, so its negative rises.
  const negativeScore = (change: number) => -score({ onlyBefore, onlyAfter, n, change })
  return {
    value,
    low: value === -1 ? -1 : bisect(negativeScore, -z, -1, value),
    high: value === 1 ? 1 : bisect(negativeScore, z, value, 1),
    n,
  }
}

/** Standardised distance of the counts from a supposed change, its variance at the constrained maximum likelihood. */
function score({ onlyBefore, onlyAfter, n, change }: PairedCounts & { change: number }): number {
  const distance = onlyAfter - onlyBefore - n * change
  const b = -onlyAfter - onlyBefore + (2 * n - onlyAfter + onlyBefore) * change
  const c = -onlyBefore * change * (1 - change)
  const q = (Math.sqrt(Math.max(0, b * b - 8 * n * c)) - b) / (4 * n)
  const variance = n * (2 * q + change * (1 - change))
  if (variance <= 0) return distance === 0 ? 0 : Math.sign(distance) * Infinity
  return distance / Math.sqrt(variance)
}
