// Bradley-Terry ratings (Biometrika 1952) from counts of pairwise wins: maximum likelihood by Newton's method, intervals from
// the observed information. Ratings are in logits and sum to 0. Left out: ties as a parameter (count them half), home advantage.
import { DataError } from '#errors'
import { type Interval, zOf } from './intervals.ts'
import { inverse, multiply } from './linear-algebra.ts'

/** `wins` of a over b among `n` comparisons of the two; a tie is half a win. */
export type PairCount = { a: string; b: string; wins: number; n: number }
export type Ratings = { ratings: ({ name: string } & Interval)[]; covariance: number[][] }

const MOST_STEPS = 100

/**
 * Ratings in falling order; `covariance` in the order of `ratings`. `prior` is the weight of a normal(0, 1/prior) on each rating: 0 is
 * plain maximum likelihood, which needs everyone to be linked to everyone else by wins and by losses (DataError otherwise).
 */
export function bradleyTerry(
  pairs: readonly PairCount[],
  { level = 0.95, prior = 0 }: { level?: number; prior?: number } = {},
): Ratings {
  const names = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))]
  if (names.length < 2) throw new DataError(`ratings need at least two names, got ${names.length}`)
  const index = new Map(names.map((name, i) => [name, i]))
  const games = pairs.map(({ a, b, wins, n }) => {
    if (a === b || !(n > 0 && wins >= 0 && wins <= n))
      throw new DataError(`a pair needs two names and 0 <= wins <= n, got ${a}, ${b}, ${wins} of ${n}`)
    return { i: index.get(a)!, j: index.get(b)!, wins, n }
  })
  if (prior === 0) checkLinked(names, games)
  let ratings = names.map(() => 0)
  for (let step = 0; step < MOST_STEPS; step++) {
    const { gradient, covariance } = derivatives(ratings, games, prior)
    const move = multiply(covariance, gradient)
    const longest = Math.max(...move.map(Math.abs))
    const shrink = longest > 2 ? 2 / longest : 1 // far from the optimum the quadratic is a poor guide
    ratings = ratings.map((r, i) => r + shrink * move[i]!)
    if (longest < 1e-10) break
  }
  const { covariance } = derivatives(ratings, games, prior)
  const order = names.map((_, i) => i).sort((i, j) => ratings[j]! - ratings[i]!)
  const z = zOf(level)
  return {
    ratings: order.map((i) => {
      const half = z * Math.sqrt(covariance[i]![i]!)
      const n = games.reduce((sum, game) => sum + (game.i === i || game.j === i ? game.n : 0), 0)
      return { name: names[i]!, value: ratings[i]!, low: ratings[i]! - half, high: ratings[i]! + half, n }
    }),
    covariance: order.map((i) => order.map((j) => covariance[i]![j]!)),
  }
}

/** Win probability of the first over the second. */
export function winProbability(rating: number, other: number): number {
  return 1 / (1 + Math.exp(other - rating))
}

type Game = { i: number; j: number; wins: number; n: number }

function derivatives(ratings: readonly number[], games: readonly Game[], prior: number) {
  const k = ratings.length
  const gradient = ratings.map((r) => -prior * r)
  // 1/k in every cell fixes the sum of ratings; it is taken out of the inverse again.
  const information = ratings.map((_, i) => ratings.map((_, j) => 1 / k + (i === j ? prior : 0)))
  for (const { i, j, wins, n } of games) {
    const p = winProbability(ratings[i]!, ratings[j]!)
    gradient[i]! += wins - n * p
    gradient[j]! -= wins - n * p
    const weight = n * p * (1 - p)
    information[i]![i]! += weight
    information[j]![j]! += weight
    information[i]![j]! -= weight
    information[j]![i]! -= weight
  }
  const whole = inverse(information)
  const alongSum = 1 / (k * (1 + prior))
  return { gradient, covariance: whole.map((row) => row.map((x) => x - alongSum)) }
}

/** The maximum exists only if every name can be reached from every other by "beat at least once" (Ford 1957). */
function checkLinked(names: readonly string[], games: readonly Game[]): void {
  for (const forward of [true, false]) {
    const reached = new Set([0])
    for (const from of reached)
      for (const { i, j, wins, n } of games) {
        if (i === from && (forward ? wins > 0 : wins < n)) reached.add(j)
        if (j === from && (forward ? wins < n : wins > 0)) reached.add(i)
      }
    const missing = names.find((_, i) => !reached.has(i))
    if (missing !== undefined)
      throw new DataError(
        `expected wins to link all names both ways, but ${forward ? `nobody linked to ${names[0]} beat ${missing}` : `${missing} beat nobody linked to ${names[0]}`}; add comparisons or set a prior`,
      )
  }
}
