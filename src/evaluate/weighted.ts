// One figure over the criteria of an objective, by their weights: the weighted mean of what each criterion says, with an interval by
// bootstrap over prompts, all criteria of a prompt drawn together. Weights are a judgement, so beside it stands what becomes
// of it when each is a fifth heavier or lighter, and when all are at once: does the same side still win? Constraints are
// left out, whatever they weigh: what may never be traded is in no sum.
import { DataError } from '#errors'
import type { Comparison, Judgement, Objective } from '#schema'
import { bootstrap, deriveSeed, type Interval, withinBounds } from '#stats'
import { sharesOf } from './win-rate.ts'

/** One value a pair or prompt, the same ones in the same order for each; undefined: it could not be judged by this criterion. */
export type CriterionValues = { name: string; values: readonly (number | undefined)[] }
export type Standing = 'ahead' | 'behind' | 'not shown'
export type Weighted = Interval & {
  n: number
  standing: Standing
  /** Shares of one by criterion. */
  weights: Record<string, number>
  /** Share of the objective's whole weight that these criteria have. */
  ofWeight: number
  /** Each weight by itself, times 0.8 and 1.2. */
  sensitivity: (Interval & { criterion: string; times: number; standing: Standing })[]
  /** Of the value, over all weights that lie within a fifth of these, at once. */
  range: { low: number; high: number }
  /** It stands the same under all of them. */
  holds: boolean
}
type Options = { seed: number; level?: number; clusters: readonly string[] }
type Scale = { bounds: readonly [low: number, high: number]; even: number }

const CHANGES = [0.8, 1.2]

/** Of the win rates by criterion; undefined where fewer than two criteria weigh. Equal texts are a tie by every criterion. */
export function weightedWinRate(
  { criteria }: Objective,
  {
    judgements,
    comparisons,
    ...options
  }: Omit<Options, 'clusters'> & {
    judgements: readonly Judgement[]
    comparisons: readonly Comparison[]
  },
): Weighted | undefined {
  const values = criteria.map(({ name }) => {
    const own = judgements.filter(({ criterion }) => criterion === name)
    return { name, values: own.length === 0 ? [] : sharesOf(own, comparisons) }
  })
  const clusters = comparisons.map(({ item, group }) => group ?? item)
  return weigh({ criteria }, values, { ...options, clusters, bounds: [0, 1], even: 0.5 })
}

/** Of changes of scores, each as a share of its criterion's scale. */
export function weightedChange(
  objective: Pick<Objective, 'criteria'>,
  scores: readonly { name: string; before: readonly number[]; after: readonly number[] }[],
  options: Options,
): Weighted | undefined {
  const values = scores.map(({ name, before, after }) => {
    const scale = objective.criteria.find((criterion) => criterion.name === name)?.scale
    return { name, values: scale ? after.map((score, i) => (score - before[i]!) / (scale.high - scale.low)) : [] }
  })
  return weigh(objective, values, { ...options, bounds: [-1, 1], even: 0 })
}

/** What a criterion of no values weighs is missing from `ofWeight`. */
function weigh(
  { criteria }: Pick<Objective, 'criteria'>,
  measured: readonly CriterionValues[],
  { seed, level = 0.95, clusters, bounds, even }: Options & Scale,
): Weighted | undefined {
  const valuesOf = new Map(measured.map(({ name, values }) => [name, values]))
  const traded = criteria.filter(({ constraint, weight }) => !constraint && weight > 0)
  const rows = traded.flatMap(({ name, weight }) => {
    const values = valuesOf.get(name) ?? []
    return values.some((value) => value !== undefined) ? [{ name, weight, values }] : []
  })
  if (rows.length < 2) return undefined
  const units = unitsOf(rows, clusters)
  const seeded = { seed: deriveSeed(seed, 'weighted'), level }
  const under = (weights: readonly number[]): Interval & { standing: Standing } => {
    const shares = normalised(weights)
    const found = withinBounds(
      bootstrap(units, (sample) => dot(shares, meansOf(sample)), seeded),
      { bounds, level },
    )
    return { ...found, standing: found.low > even ? 'ahead' : found.high < even ? 'behind' : 'not shown' }
  }
  const weights = rows.map(({ weight }) => weight)
  const own = under(weights)
  const sensitivity = rows.flatMap(({ name }, c) =>
    CHANGES.map((times) => ({
      criterion: name,
      times,
      ...under(weights.map((weight, k) => (k === c ? weight * times : weight))),
    })),
  )
  const [lowest, highest] = extremes(weights, meansOf(units)).map(under) as [typeof own, typeof own]
  const shares = normalised(weights)
  return {
    ...own,
    n: own.n!,
    weights: Object.fromEntries(rows.map(({ name }, c) => [name, shares[c]!])),
    ofWeight: sum(weights) / sum(traded.map(({ weight }) => weight)),
    sensitivity,
    range: { low: lowest.value, high: highest.value },
    holds: [...sensitivity, lowest, highest].every(({ standing }) => standing === own.standing),
  }
}

/** Sums and counts of each criterion, a prompt. */
type Unit = { sums: number[]; counts: number[] }

function unitsOf(rows: readonly CriterionValues[], clusters: readonly string[]): Unit[] {
  const units = new Map<string, Unit>()
  for (const [c, { name, values }] of rows.entries()) {
    if (values.length !== clusters.length)
      throw new DataError(`criterion ${name} needs a value for each of ${clusters.length} rows, got ${values.length}`)
    values.forEach((value, i) => {
      if (value === undefined) return
      const unit = units.get(clusters[i]!) ?? { sums: rows.map(() => 0), counts: rows.map(() => 0) }
      unit.sums[c]! += value
      unit.counts[c]! += 1
      units.set(clusters[i]!, unit)
    })
  }
  return [...units.values()]
}

function meansOf(units: readonly Unit[]): number[] {
  const sums = units[0]!.sums.map(() => 0)
  const counts = units[0]!.sums.map(() => 0)
  for (const unit of units)
    for (let c = 0; c < sums.length; c++) {
      sums[c]! += unit.sums[c]!
      counts[c]! += unit.counts[c]!
    }
  return sums.map((total, c) => total / counts[c]!)
}

/** Weights within a fifth of these under which the weighted mean is least and most: at either, a weight is as light or as heavy as it may be. */
function extremes(weights: readonly number[], means: readonly number[]): [number[], number[]] {
  const rising = means.map((_, c) => c).sort((a, b) => means[a]! - means[b]!)
  const [light, heavy] = CHANGES as [number, number]
  const candidates = (inOrder: readonly number[]) =>
    inOrder.map((_, k) => weights.map((weight, c) => weight * (inOrder.indexOf(c) <= k ? heavy : light)))
  const value = (some: readonly number[]) => dot(normalised(some), means)
  const least = candidates(rising).reduce((best, some) => (value(some) < value(best) ? some : best))
  const most = candidates([...rising].reverse()).reduce((best, some) => (value(some) > value(best) ? some : best))
  return [least, most]
}

function normalised(weights: readonly number[]): number[] {
  const total = sum(weights)
  return weights.map((weight) => weight / total)
}

function dot(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((x, i) => x * b[i]!))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
