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

/** Kendall's tau-b, corrected for ties, by merge sort in n log n (Knight 1966). */
export function kendall(points: readonly Point[]): number {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y)
  const pairs = (points.length * (points.length - 1)) / 2
  const tiedX = tiedPairs(sorted.map(({ x }) => x))
  const tiedBoth = tiedPairs(sorted, (a, b) => a.x === b.x && a.y === b.y)
  const y = Float64Array.from(sorted, (point) => point.y)
  const swaps = sortCountingSwaps(y)
  const tiedY = tiedPairs(Array.from(y))
  const score = pairs - tiedX - tiedY + tiedBoth - 2 * swaps
  return score / Math.sqrt((pairs - tiedX) * (pairs - tiedY))
}

/** Pairs of equal neighbours' runs in a sorted list. */
function tiedPairs<T>(sorted: readonly T[], equal = (a: T, b: T): boolean => a === b): number {
  let pairs = 0
  let run = 1
  for (let i = 1; i <= sorted.length; i++) {
    if (i < sorted.length && equal(sorted[i]!, sorted[i - 1]!)) run++
    else {
      pairs += (run * (run - 1)) / 2
      run = 1
    }
  }
  return pairs
}

/** Sorts in place; answers how many pairs stood the wrong way round. */
function sortCountingSwaps(values: Float64Array): number {
  let from: Float64Array = values
  let to: Float64Array = new Float64Array(values.length)
  let swaps = 0
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const [middle, end] = [Math.min(start + width, values.length), Math.min(start + 2 * width, values.length)]
      let [left, right] = [start, middle]
      for (let k = start; k < end; k++) {
        if (left < middle && (right >= end || from[left]! <= from[right]!)) to[k] = from[left++]!
        else {
          swaps += middle - left
          to[k] = from[right++]!
        }
      }
    }
    ;[from, to] = [to, from]
  }
  if (from !== values) values.set(from)
  return swaps
}

/**
 * Cohen's kappa with quadratic weights of two ratings on one scale (Cohen 1968); categories are their numbers. NaN where both never vary
 * and are the same. In closed form: 1 - mean (x - y)^2 / (var x + var y + (mean x - mean y)^2), variances over n.
 */
export function quadraticKappa(points: readonly Point[]): number {
  const [meanX, meanY] = [average(points.map(({ x }) => x)), average(points.map(({ y }) => y))]
  const observed = average(points.map(({ x, y }) => (x - y) ** 2))
  const spread = average(points.map(({ x, y }) => (x - meanX) ** 2 + (y - meanY) ** 2))
  return 1 - observed / (spread + (meanX - meanY) ** 2)
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
