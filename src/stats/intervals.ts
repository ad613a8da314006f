// Intervals for a proportion and for a mean. Wilson for reports (right coverage on average), Clopper-Pearson where the
// promise must hold for every true rate (constraints). Source: Brown, Cai and DasGupta 2001.
import { DataError, invariant } from '#errors'
import { betaQuantile, normalQuantile, tQuantile } from './distributions.ts'

/** A statistic with the ends of its interval; `n` counts independent units. */
export type Interval = { value: number; low: number; high: number; n?: number }

/** Two-sided z for a coverage such as 0.95. */
export function zOf(level: number): number {
  invariant(level > 0 && level < 1, `a level must lie inside (0, 1), got ${level}`)
  return -normalQuantile((1 - level) / 2)
}

/** Wilson's score interval of a proportion. `successes` may be fractional (ties count half). */
export function wilson(successes: number, n: number, level = 0.95): Interval {
  checkCount(successes, n)
  const z = zOf(level)
  const p = successes / n
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return { value: p, low: p === 0 ? 0 : centre - half, high: p === 1 ? 1 : centre + half, n }
}

/** The exact (Clopper-Pearson) interval of a proportion: covers at least `level` whatever the true rate. */
export function clopperPearson(successes: number, n: number, level = 0.95): Interval {
  checkCount(successes, n)
  const tail = (1 - level) / 2
  return {
    value: successes / n,
    low: successes === 0 ? 0 : betaQuantile(tail, successes, n - successes + 1),
    high: successes === n ? 1 : betaQuantile(1 - tail, successes + 1, n - successes),
    n,
  }
}

/**
 * Mean with a t interval. With `clusters` (one name a value) the standard error is the clustered one: sums of residuals
 * by cluster, degrees of freedom = clusters - 1, n = clusters (Miller 2024, arXiv 2411.00640). One unit gives an infinite interval.
 */
export function meanInterval(
  values: readonly number[],
  { level = 0.95, clusters }: { level?: number; clusters?: readonly string[] } = {},
): Interval {
  if (values.length === 0) throw new DataError('a mean needs at least one value, got none')
  const mean = average(values)
  const residuals = new Map<string, number>()
  values.forEach((value, i) => {
    const key = clusters ? clusters[i]! : String(i)
    residuals.set(key, (residuals.get(key) ?? 0) + value - mean)
  })
  const units = residuals.size
  if (units === 1) return { value: mean, low: -Infinity, high: Infinity, n: 1 }
  const squares = [...residuals.values()].reduce((sum, r) => sum + r * r, 0)
  const error = Math.sqrt((squares * units) / (units - 1)) / values.length
  const half = -tQuantile((1 - level) / 2, units - 1) * error
  return { value: mean, low: mean - half, high: mean + half, n: units }
}

export function average(values: readonly number[]): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

function checkCount(successes: number, n: number): void {
  if (!(n > 0)) throw new DataError(`a proportion needs at least one trial, got n = ${n}`)
  if (!(successes >= 0 && successes <= n)) throw new DataError(`successes must lie in 0..${n}, got ${successes}`)
}
