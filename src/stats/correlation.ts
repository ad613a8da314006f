// Rank correlation of two scores of the same items (reward and expert rating, say) with bootstrap intervals.
import { DataError } from '#errors'
import { bootstrap, type BootstrapOptions } from './bootstrap.ts'
import { average, type Interval } from './intervals.ts'

export type Point = { x: number; y: number }

/** Pearson's correlation; NaN if either side never varies. */
export function pearson(points: readonly Point[]): number {
  const meanX = average(points.map((p) => p.x))
  const meanY = average(points.map((p) => p.y))
  let xy = 0
  let xx = 0
  let yy = 0
  for (const { x, y } of points) {
    xy += (x - meanX) * (y - meanY)
    xx += (x - meanX) ** 2
    yy += (y - meanY) ** 2
  }
  return xy / Math.sqrt(xx * yy)
}

/** Pearson's correlation of the ranks, ties at their mean rank. */
export function spearman(points: readonly Point[]): number {
  const x = ranks(points.map((p) => p.x))
  const y = ranks(points.map((p) => p.y))
  return pearson(points.map((_, i) => ({ x: x[i]!, y: y[i]! })))
}

/** Kendall's tau-b, corrected for ties; quadratic in the number of points. */
export function kendall(points: readonly Point[]): number {
  let score = 0
  let untiedX = 0
  let untiedY = 0
  for (let i = 0; i < points.length; i++)
    for (let j = 0; j < i; j++) {
      const dx = Math.sign(points[i]!.x - points[j]!.x)
      const dy = Math.sign(points[i]!.y - points[j]!.y)
      score += dx * dy
      untiedX += dx * dx
      untiedY += dy * dy
    }
  return score / Math.sqrt(untiedX * untiedY)
}

/** A correlation with its bootstrap interval over points (or clusters of them). */
export function correlationInterval(
  points: readonly Point[],
  correlation: (points: readonly Point[]) => number,
  options: BootstrapOptions<Point>,
): Interval {
  if (points.length < 3) throw new DataError(`a correlation needs at least three points, got ${points.length}`)
  return bootstrap(points, correlation, options)
}

/** Ranks from 1, ties at their mean rank. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!)
  const result = new Array<number>(values.length)
  for (let start = 0; start < order.length; ) {
    let end = start + 1
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++
    for (let k = start; k < end; k++) result[order[k]!] = (start + end + 1) / 2
    start = end
  }
  return result
}
