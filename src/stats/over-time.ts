// A series in order of time: did its mean fall at some point, and a control chart of it (EWMA: Roberts 1959). Both are held against
// the same values in random order, so their rates of false alarm are what they say, whatever the values' distribution, as long
// as nothing changes over time.
import { DataError } from '#errors'
import { quantile } from './bootstrap.ts'
import { average } from './intervals.ts'
import { generator } from './random.ts'

export type Fall = { p: number /** First place of the lower part. */; at: number; before: number; after: number }
export type ControlChart = {
  /** Moving averages, exponentially weighted, one a value. */
  points: number[]
  centre: number
  /** Limits at each place: narrower at the start, where the average holds few values. */
  low: number[]
  high: number[]
  /** Places whose point lies below its limit. */
  alarms: number[]
  /** P(any point of the same values in random order lies so far below the centre). */
  p: number
}

export const FEWEST_OVER_TIME = 20
/** A part shorter than this says nothing of a mean. */
const SHORTEST_PART = 10
/** Orders as extreme as the given one, after which it is nothing special. */
const ENOUGH = 20

/** One-sided permutation test: is there a place after which the mean is lower? */
export function fallOverTime(
  values: readonly number[],
  { seed, permutations = 9_999 }: { seed: number; permutations?: number },
): Fall {
  checkLength(values)
  const mean = average(values)
  const centred = Float64Array.from(values, (x) => x - mean)
  const seen = furthestFall(centred)
  return {
    p: permutationP(centred, { seed, permutations, seen: seen.size, statistic: (x) => furthestFall(x).size }),
    at: seen.at,
    before: average(values.slice(0, seen.at)),
    after: average(values.slice(seen.at)),
  }
}

/** `span`: values that an average holds, about; `rate`: chance that a series without change has an alarm at all. */
export function controlChart(
  values: readonly number[],
  {
    seed,
    rate = 0.05,
    span = 20,
    permutations = 1999,
  }: { seed: number; rate?: number; span?: number; permutations?: number },
): ControlChart {
  checkLength(values)
  const n = values.length
  const centre = average(values)
  const deviation = Math.sqrt(average(values.map((x) => (x - centre) ** 2)))
  const share = 2 / (span + 1)
  const widths = Array.from(
    { length: n },
    (_, t) => deviation * Math.sqrt((share / (2 - share)) * (1 - (1 - share) ** (2 * (t + 1)))),
  )
  const centred = Float64Array.from(values, (x) => x - centre)
  const lowest = (series: Float64Array) => {
    let level = 0
    let most = 0
    for (let t = 0; t < n; t++) {
      level += share * (series[t]! - level)
      if (-level > most * widths[t]!) most = -level / widths[t]!
    }
    return most
  }
  const seen = deviation === 0 ? 0 : lowest(centred)
  const replicas: number[] = []
  const p = permutationP(centred, { seed, permutations, seen, statistic: lowest, replicas })
  replicas.sort((x, y) => x - y)
  const limit = deviation === 0 ? 0 : quantile(replicas, 1 - rate)
  let level = centre
  const points = values.map((x) => (level += share * (x - level)))
  const low = widths.map((width) => centre - limit * width)
  return {
    points,
    centre,
    low,
    high: widths.map((width) => centre + limit * width),
    alarms: points.flatMap((point, t) => (point < low[t]! - 1e-12 ? [t] : [])),
    p: deviation === 0 ? 1 : p,
  }
}

/** The place that parts the series into a higher and a lower part most clearly, in units of the error of the difference. */
function furthestFall(centred: Float64Array): { size: number; at: number } {
  const n = centred.length
  let sum = 0
  let best = { size: -Infinity, at: SHORTEST_PART }
  for (let t = 1; t <= n - SHORTEST_PART; t++) {
    sum += centred[t - 1]!
    if (t < SHORTEST_PART) continue
    const size = sum / Math.sqrt((t * (n - t)) / n)
    if (size > best.size) best = { size, at: t }
  }
  return best
}

/**
 * Share of random orders whose statistic is as large, the given order among them. Without `replicas` to fill it stops once enough are
 * (Besag and Clifford 1991): p then is that count over the orders tried, and as valid.
 */
function permutationP(
  centred: Float64Array,
  {
    seed,
    permutations,
    seen,
    statistic,
    replicas,
  }: {
    seed: number
    permutations: number
    seen: number
    statistic: (x: Float64Array) => number
    replicas?: number[]
  },
): number {
  const random = generator(seed)
  const shuffled = centred.slice()
  let asFar = 0
  for (let r = 0; r < permutations; r++) {
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = random.int(i + 1)
      const kept = shuffled[i]!
      shuffled[i] = shuffled[j]!
      shuffled[j] = kept
    }
    const replica = statistic(shuffled)
    replicas?.push(replica)
    if (replica >= seen - 1e-12) asFar++
    if (!replicas && asFar === ENOUGH) return ENOUGH / (r + 1)
  }
  return (asFar + 1) / (permutations + 1)
}

function checkLength(values: readonly number[]): void {
  if (values.length < FEWEST_OVER_TIME)
    throw new DataError(`a course over time needs at least ${FEWEST_OVER_TIME} values, got ${values.length}`)
}
