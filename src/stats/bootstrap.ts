// Bootstrap intervals of any statistic, percentile or BCa (Efron 1987), by whole clusters where rows share a prompt or a customer.
// Percentiles are expanded for the number of clusters (Hesterberg 2015, arXiv 1411.5279), or few clusters would promise too much.
// Paired comparison: let each item carry both numbers; resampling items keeps the pairs.
import { DataError } from '#errors'
import { normalCdf, normalQuantile, tQuantile } from './distributions.ts'
import { average, type Interval } from './intervals.ts'
import { generator } from './random.ts'

export type BootstrapOptions<T> = {
  seed: number
  resamples?: number
  level?: number
  method?: 'percentile' | 'bca'
  /** Items of one cluster are drawn together; default each item for itself. */
  cluster?: (item: T) => string
}

/**
 * Interval of `statistic` over resampled items; `n` = clusters. The array it is given is filled anew for each resample: do not keep it. Resamples whose statistic is not finite are left out
 * (a kappa of one class, say); a statistic that is not finite on the items themselves gives NaN ends;
 * a single cluster gives infinite ones.
 */
export function bootstrap<T>(
  items: readonly T[],
  statistic: (sample: readonly T[]) => number,
  { seed, resamples = 2000, level = 0.95, method = 'percentile', cluster }: BootstrapOptions<T>,
): Interval {
  if (items.length === 0) throw new DataError('a bootstrap needs at least one item, got none')
  const units = cluster ? clustersOf(items, cluster) : items.map((item) => [item])
  const n = units.length
  const value = statistic(items)
  const random = generator(seed)
  const replicas: number[] = []
  const sample: T[] = [] // one array for all resamples
  for (let r = 0; r < resamples; r++) {
    let size = 0
    for (let i = 0; i < n; i++) for (const item of units[random.int(n)]!) sample[size++] = item
    sample.length = size
    const replica = statistic(sample)
    if (Number.isFinite(replica)) replicas.push(replica)
  }
  if (!Number.isFinite(value) || replicas.length === 0) return { value, low: NaN, high: NaN, n }
  replicas.sort((x, y) => x - y)
  if (n === 1) return { value, low: -Infinity, high: Infinity, n }
  const tail = method === 'bca' ? (1 - level) / 2 : expandedTail((1 - level) / 2, n)
  const [p, q] = method === 'bca' ? bcaTails({ units, statistic, value, replicas, tail }) : [tail, 1 - tail]
  return { value, low: quantile(replicas, p), high: quantile(replicas, q), n }
}

/**
 * Percentile intervals of several statistics that one fit gives at once, in their order, from the same resamples. `statistics`
 * answers as many numbers each time; of each, resamples where it is not finite are left out, as of `bootstrap`.
 */
export function bootstrapEach<T>(
  items: readonly T[],
  statistics: (sample: readonly T[]) => readonly number[],
  { seed, resamples = 2000, level = 0.95, cluster }: Omit<BootstrapOptions<T>, 'method'>,
): Interval[] {
  const columns: number[][] = []
  const each = (sample: readonly T[]): number => {
    statistics(sample).forEach((value, c) => (columns[c] ??= []).push(value))
    return 0
  }
  const { n } = bootstrap(items, each, { seed, resamples, level, ...(cluster && { cluster }) })
  const units = n!
  return columns.map(([value, ...drawn]) => {
    const replicas = drawn.filter(Number.isFinite).sort((x, y) => x - y)
    if (!Number.isFinite(value!) || replicas.length === 0) return { value: value!, low: NaN, high: NaN, n: units }
    if (units === 1) return { value: value!, low: -Infinity, high: Infinity, n: units }
    const tail = expandedTail((1 - level) / 2, units)
    return { value: value!, low: quantile(replicas, tail), high: quantile(replicas, 1 - tail), n: units }
  })
}

/** Mean of the values with a bootstrap interval; `clusters` names one cluster a value. */
export function bootstrapMean(
  values: readonly number[],
  { clusters, ...options }: Omit<BootstrapOptions<never>, 'cluster'> & { clusters?: readonly string[] },
): Interval {
  const sums = new Map<string | number, { sum: number; count: number }>()
  values.forEach((value, i) => {
    const key = clusters ? clusters[i]! : i
    const unit = sums.get(key) ?? { sum: 0, count: 0 }
    sums.set(key, { sum: unit.sum + value, count: unit.count + 1 })
  })
  return bootstrap([...sums.values()], meanOfUnits, options)
}

function meanOfUnits(units: readonly { sum: number; count: number }[]): number {
  let sum = 0
  let count = 0
  for (const unit of units) {
    sum += unit.sum
    count += unit.count
  }
  return sum / count
}

/** Quantile of ascending values by linear interpolation (type 7). */
export function quantile(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1)
  const below = Math.floor(at)
  const lower = sorted[below]!
  return lower + (at - below) * ((sorted[below + 1] ?? lower) - lower)
}

/** Tail whose normal quantile is the t quantile, with n / (n - 1) for the variance that resampling loses. */
function expandedTail(tail: number, n: number): number {
  return normalCdf(Math.sqrt(n / (n - 1)) * tQuantile(tail, n - 1))
}

function clustersOf<T>(items: readonly T[], cluster: (item: T) => string): T[][] {
  const byName = new Map<string, T[]>()
  for (const item of items) {
    const name = cluster(item)
    const group = byName.get(name)
    if (group) group.push(item)
    else byName.set(name, [item])
  }
  return [...byName.values()]
}

/** Of the jackknife: more than enough for an acceleration, and the cost no longer grows with the square of the clusters. */
const MOST_BLOCKS = 200

/** Tail probabilities corrected for bias (z0) and acceleration (jackknife over clusters, in blocks where they are many). */
function bcaTails<T>({
  units,
  statistic,
  value,
  replicas,
  tail,
}: {
  units: T[][]
  statistic: (sample: readonly T[]) => number
  value: number
  replicas: number[]
  tail: number
}): [number, number] {
  const below = replicas.filter((r) => r < value).length + replicas.filter((r) => r === value).length / 2
  if (below === 0 || below === replicas.length || units.length < 2) return [tail, 1 - tail]
  const z0 = normalQuantile(below / replicas.length)
  const blocks = Math.min(units.length, MOST_BLOCKS)
  const left = Array.from({ length: blocks }, (_, out) => statistic(units.filter((_, i) => i % blocks !== out).flat()))
  const mean = average(left)
  const cubes = left.reduce((sum, x) => sum + (mean - x) ** 3, 0)
  const squares = left.reduce((sum, x) => sum + (mean - x) ** 2, 0)
  const acceleration = squares === 0 ? 0 : cubes / (6 * squares ** 1.5)
  const corrected = (z: number) => normalCdf(z0 + (z0 + z) / (1 - acceleration * (z0 + z)))
  return [corrected(normalQuantile(tail)), corrected(normalQuantile(1 - tail))]
}
