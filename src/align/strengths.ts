// One scale for all policies that marks have compared: Bradley-Terry strengths from every pair of every mark together,
// so that a slow decline shows which each single comparison is too small to see. The reference has strength 0.
import { invariant } from '#errors'

/** `a` won `wins` of `n` pairs against `b`; ties count half. Policies are numbered; 0 is the reference. */
export type Contest = { a: number; b: number; wins: number; n: number }

/** Standard deviation of the prior on strengths, logits: wide, and keeps a clean sweep finite. */
const PRIOR_SD = 2
const NEWTON_STEPS = 50

/** Posterior mode of the strengths (logits) and its covariance, both with row 0 for the reference. */
export function strengths(policies: number, contests: Contest[]): { values: number[]; covariance: number[][] } {
  const free = policies - 1
  const values = new Array<number>(policies).fill(0)
  let information: number[][] = []
  for (let iteration = 0; iteration < NEWTON_STEPS; iteration++) {
    const slope = Array.from({ length: free }, (_, i) => -values[i + 1]! / PRIOR_SD ** 2)
    information = Array.from({ length: free }, (_, i) =>
      Array.from({ length: free }, (_, j) => (i === j ? PRIOR_SD ** -2 : 0)),
    )
    for (const { a, b, wins, n } of contests) {
      const p = 1 / (1 + Math.exp(values[b]! - values[a]!))
      for (const [player, sign] of [
        [a, 1],
        [b, -1],
      ] as const) {
        if (player === 0) continue
        slope[player - 1]! += sign * (wins - n * p)
        information[player - 1]![player - 1]! += n * p * (1 - p)
      }
      if (a > 0 && b > 0) {
        information[a - 1]![b - 1]! -= n * p * (1 - p)
        information[b - 1]![a - 1]! -= n * p * (1 - p)
      }
    }
    const change = solve(information, slope)
    for (let i = 0; i < free; i++) values[i + 1]! += change[i]!
    if (change.every((c) => Math.abs(c) < 1e-12)) break
  }
  const inverse = Array.from({ length: free }, (_, j) =>
    solve(
      information,
      Array.from({ length: free }, (_, i) => Number(i === j)),
    ),
  )
  const covariance = [new Array<number>(policies).fill(0), ...inverse.map((row) => [0, ...row])]
  return { values, covariance }
}

/** Standard error of the difference of two strengths. */
export function differenceError(covariance: number[][], a: number, b: number): number {
  return Math.sqrt(Math.max(covariance[a]![a]! + covariance[b]![b]! - 2 * covariance[a]![b]!, 0))
}

/** Gaussian elimination for a symmetric positive definite matrix. */
function solve(matrix: number[][], right: number[]): number[] {
  const m = matrix.map((row, i) => [...row, right[i]!])
  const n = right.length
  for (let k = 0; k < n; k++) {
    invariant(m[k]![k]! > 0, 'the information matrix is positive definite')
    for (let i = k + 1; i < n; i++) {
      const factor = m[i]![k]! / m[k]![k]!
      for (let j = k; j <= n; j++) m[i]![j]! -= factor * m[k]![j]!
    }
  }
  const x = new Array<number>(n).fill(0)
  for (let k = n - 1; k >= 0; k--) {
    let rest = m[k]![n]!
    for (let j = k + 1; j < n; j++) rest -= m[k]![j]! * x[j]!
    x[k] = rest / m[k]![k]!
  }
  return x
}
