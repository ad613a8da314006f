// Two small regressions: a least-squares line (length slope of a reward) and a logistic model (biases of annotators).
import { DataError } from '#errors'
import type { Point } from './correlation.ts'
import { average, type Interval, zOf } from './intervals.ts'
import { inverse, multiply } from './linear-algebra.ts'
import { tQuantile } from './distributions.ts'

/** Least-squares slope of y on x with its t interval, and the intercept. A constant x is a DataError. */
export function leastSquares(points: readonly Point[], level = 0.95): { slope: Interval; intercept: number } {
  const n = points.length
  if (n < 3) throw new DataError(`a slope with an interval needs at least three points, got ${n}`)
  const meanX = average(points.map((p) => p.x))
  const meanY = average(points.map((p) => p.y))
  const xx = points.reduce((sum, p) => sum + (p.x - meanX) ** 2, 0)
  if (xx === 0) throw new DataError('a slope needs x to vary, but every x is the same')
  const value = points.reduce((sum, p) => sum + (p.x - meanX) * (p.y - meanY), 0) / xx
  const intercept = meanY - value * meanX
  const residual = points.reduce((sum, p) => sum + (p.y - intercept - value * p.x) ** 2, 0)
  const half = tQuantile((1 + level) / 2, n - 2) * Math.sqrt(residual / (n - 2) / xx)
  return { slope: { value, low: value - half, high: value + half, n }, intercept }
}

export type LogisticRow = { features: readonly number[]; outcome: number; weight?: number }

/**
 * Logistic regression with an intercept: coefficients [intercept, ...features] in logits with Wald intervals. A small
 * normal prior (`ridge`, not on the intercept) keeps separable data finite. Newton's method, steps halved until the likelihood rises.
 */
export function logisticRegression(
  rows: readonly LogisticRow[],
  { ridge = 1e-3, level = 0.95 }: { ridge?: number; level?: number } = {},
): Interval[] {
  if (rows.length === 0) throw new DataError('a logistic regression needs at least one row, got none')
  const width = rows[0]!.features.length + 1
  const design = rows.map(({ features, outcome, weight = 1 }) => ({ x: [1, ...features], y: outcome, weight }))
  const objective = (beta: readonly number[]) => {
    let sum = 0
    for (const { x, y, weight } of design) {
      const eta = dot(x, beta)
      sum += weight * (y * eta - Math.max(eta, 0) - Math.log1p(Math.exp(-Math.abs(eta))))
    }
    return beta.reduce((total, b, j) => total - (j === 0 ? 1e-9 : ridge / 2) * b * b, sum)
  }
  let beta = new Array<number>(width).fill(0)
  for (let step = 0; step < 100; step++) {
    const { gradient, covariance } = logisticDerivatives(design, beta, ridge)
    const move = multiply(covariance, gradient)
    const before = objective(beta)
    let next = beta
    for (let scale = 1; scale > 1e-6; scale /= 2) {
      next = beta.map((b, j) => b + scale * move[j]!)
      if (objective(next) >= before) break
    }
    const moved = Math.max(...next.map((b, j) => Math.abs(b - beta[j]!)))
    beta = next
    if (moved < 1e-9) break
  }
  const { covariance } = logisticDerivatives(design, beta, ridge)
  const z = zOf(level)
  return beta.map((value, j) => {
    const half = z * Math.sqrt(covariance[j]![j]!)
    return { value, low: value - half, high: value + half, n: rows.length }
  })
}

type DesignRow = { x: number[]; y: number; weight: number }

function logisticDerivatives(design: readonly DesignRow[], beta: readonly number[], ridge: number) {
  const penalty = (j: number) => (j === 0 ? 2e-9 : ridge)
  const gradient = beta.map((b, j) => -penalty(j) * b)
  const information = beta.map((_, j) => beta.map((_, k) => (j === k ? penalty(j) : 0)))
  for (const { x, y, weight } of design) {
    const p = 1 / (1 + Math.exp(-dot(x, beta)))
    for (let j = 0; j < x.length; j++) {
      gradient[j]! += weight * (y - p) * x[j]!
      for (let k = 0; k < x.length; k++) information[j]![k]! += weight * p * (1 - p) * x[j]! * x[k]!
    }
  }
  return { gradient, covariance: inverse(information) }
}

function dot(x: readonly number[], y: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return sum
}
