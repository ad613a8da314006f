// Who stands apart from a group whose members differ anyway: distance from the median over the spread of the nearer three quarters,
// held against the largest such distance that a group of that size shows when all are alike (normal), by simulation. So the
// chance that anybody is named in a group without outliers is the level, whatever the size, and outliers up to a quarter do not
// hide themselves. A median absolute deviation in its place finds a third fewer among twelve.
import { DataError } from '#errors'
import { average } from './intervals.ts'
import { deriveSeed, generator } from './random.ts'

export type Outlier = {
  /** From the median of all, in root mean squares of the nearer three quarters. */
  distance: number
  /** P(the furthest of a group of normal members lies at least as far): below the level, this one stands apart. */
  adjusted: number
}
/** `error`: standard error of the value. */
export type Member = { value: number; error: number }

export const FEWEST_MEMBERS = 4
const SIMULATIONS = 20_000
/** The rest may be outliers. */
const NEARER = 0.75

/** `side`: which distances count; `adjusted` is 1 on the other side. @throws DataError below four members */
export function outliers(members: readonly Member[], { side }: { side: 'both' | 'low' | 'high' }): Outlier[] {
  if (members.length < FEWEST_MEMBERS)
    throw new DataError(`standing apart needs at least ${FEWEST_MEMBERS} members, got ${members.length}`)
  const values = members.map(({ value }) => value)
  const middle = median(values)
  const spread = spreadOf(values, middle)
  const furthest = furthestOfAlike(members.length, side === 'both')
  return members.map(({ value, error }) => {
    // The nearer ones of a normal have a root mean square of a half.
    const scale = Math.max(spread, error / 2)
    const distance = value === middle ? 0 : (value - middle) / scale
    const counted = side === 'both' ? Math.abs(distance) : side === 'low' ? -distance : distance
    return { distance, adjusted: counted <= 0 ? 1 : tailShare(furthest, counted) }
  })
}

const known = new Map<string, Float64Array>()

/** The largest distance in each of many groups of alike members, ascending; the same in every process. */
function furthestOfAlike(n: number, isTwoSided: boolean): Float64Array {
  const key = `${n} ${isTwoSided}`
  const before = known.get(key)
  if (before) return before
  const random = generator(deriveSeed(0, 'outliers', n))
  const furthest = Float64Array.from({ length: SIMULATIONS }, () => {
    const values = Array.from({ length: n }, () => random.normal())
    const middle = median(values)
    const spread = spreadOf(values, middle)
    return values.reduce((most, x) => Math.max(most, isTwoSided ? Math.abs(x - middle) : x - middle), 0) / spread
  }).sort()
  known.set(key, furthest)
  return furthest
}

function tailShare(ascending: Float64Array, at: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const half = (low + high) >> 1
    if (ascending[half]! < at) low = half + 1
    else high = half
  }
  return (ascending.length - low + 1) / (ascending.length + 1)
}

function spreadOf(values: readonly number[], middle: number): number {
  const nearer = values
    .map((x) => Math.abs(x - middle))
    .sort((x, y) => x - y)
    .slice(0, Math.ceil(NEARER * values.length))
  return Math.sqrt(average(nearer.map((d) => d * d)))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
