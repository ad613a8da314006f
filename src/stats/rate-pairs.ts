// Bradley-Terry as a logistic regression over single pairs, with covariates beside the ratings: logit P(a beats b) = rating of a
// - rating of b + coefficients . covariates, where a covariate is a difference of the two sides (of length, say) that may have
// won instead (Chiang et al. 2024, arXiv 2403.04132, and its style control). Newton's method on closed-form derivatives. No intercept: swapping the
// sides of a pair, covariates and outcome turned, changes nothing. Intervals are for who resamples.
import { DataError } from '#errors'
import { inverse, multiply } from './linear-algebra.ts'

/** `a` and `b` number the rated; `share`: 1 = a won, 0 = b won, 0.5 = a tie. Covariates are differences, a less b. */
export type RatedPair = { a: number; b: number; share: number; covariates: readonly number[] }
/** Ratings in logits, of sum 0. */
export type PairFit = { ratings: number[]; coefficients: number[] }

/** Of each parameter: a normal prior of standard deviation 10 logits. It moves nothing that data say, and keeps a clean sweep finite. */
export const RIDGE = 0.01

const MOST_STEPS = 100
const MOST_HALVINGS = 30

/** Maximum of the penalised likelihood for `rated` ratings, `ridge` above 0; `start` (ratings, then coefficients) saves steps where a fit nearby is known. */
export function ratePairs(
  pairs: readonly RatedPair[],
  { rated, ridge = RIDGE, start }: { rated: number; ridge?: number; start?: PairFit },
): PairFit {
  if (pairs.length === 0) throw new DataError('ratings need at least one pair, got none')
  const width = rated + pairs[0]!.covariates.length
  let at = start ? [...start.ratings, ...start.coefficients] : new Array<number>(width).fill(0)
  let here = pairLikelihood(pairs, at, { rated, ridge })
  for (let step = 0; step < MOST_STEPS; step++) {
    const move = multiply(inverse(here.information), here.gradient)
    let scale = 1
    for (let halvings = 0; halvings < MOST_HALVINGS; halvings++, scale /= 2) {
      const next = at.map((x, k) => x + scale * move[k]!)
      const there = pairLikelihood(pairs, next, { rated, ridge })
      // Rounding may lower it by a hair where nothing is left to gain.
      if (there.value < here.value - 1e-9) continue
      at = next
      here = there
      break
    }
    // Steps shrink by squares: the next would be of 1e-10.
    if (Math.max(...move.map(Math.abs)) * scale < 1e-5) break
  }
  return { ratings: at.slice(0, rated), coefficients: at.slice(rated) }
}

/** Penalised log-likelihood at `at` (ratings, then coefficients) with its gradient and the negative of its Hessian. */
export function pairLikelihood(
  pairs: readonly RatedPair[],
  at: readonly number[],
  { rated, ridge }: { rated: number; ridge: number },
): { value: number; gradient: number[]; information: number[][] } {
  const width = at.length
  const gradient = at.map((x) => -ridge * x)
  const information = at.map((_, i) => at.map((_, j) => (i === j ? ridge : 0)))
  let value = at.reduce((sum, x) => sum - (ridge / 2) * x * x, 0)
  // The design of a pair: 1 at a, -1 at b, then its covariates.
  const index = new Int32Array(2 + width - rated)
  const design = new Float64Array(2 + width - rated)
  design[0] = 1
  design[1] = -1
  for (let k = rated; k < width; k++) index[2 + k - rated] = k
  for (const { a, b, share, covariates } of pairs) {
    index[0] = a
    index[1] = b
    let logit = at[a]! - at[b]!
    for (let c = 0; c < covariates.length; c++) {
      design[2 + c] = covariates[c]!
      logit += at[rated + c]! * covariates[c]!
    }
    value += share * logit - Math.max(logit, 0) - Math.log1p(Math.exp(-Math.abs(logit)))
    const p = 1 / (1 + Math.exp(-logit))
    const slope = share - p
    const weight = p * (1 - p)
    for (let i = 0; i < design.length; i++) {
      const x = design[i]!
      if (x === 0) continue
      gradient[index[i]!]! += slope * x
      const row = information[index[i]!]!
      for (let j = 0; j < design.length; j++) row[index[j]!]! += weight * x * design[j]!
    }
  }
  return { value, gradient, information }
}
