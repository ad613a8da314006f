import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { bradleyTerry, winProbability } from './bradley-terry.ts'
import { generator } from './random.ts'
import { pairLikelihood, type RatedPair, ratePairs } from './rate-pairs.ts'

/** Pairs of three whose ratings and one coefficient are planted; ties included. */
function planted(count: number, seed: number): RatedPair[] {
  const random = generator(seed)
  const ratings = [0.6, 0, -0.6]
  return Array.from({ length: count }, () => {
    const [a, b] = random.shuffle([0, 1, 2]) as [number, number]
    const covariates = [random.normal(), random.normal()]
    const p = winProbability(ratings[a]! + 0.8 * covariates[0]!, ratings[b]!)
    const share = random.uniform() < 0.1 ? 0.5 : Number(random.uniform() < p)
    return { a, b, share, covariates }
  })
}

test('gradient and information are those of finite differences', () => {
  const pairs = planted(40, 1)
  const at = [0.3, -0.2, 0.7, 1.1, -0.4]
  const options = { rated: 3, ridge: 0.2 }
  const { gradient, information } = pairLikelihood(pairs, at, options)
  const moved = (k: number, by: number) =>
    pairLikelihood(
      pairs,
      at.map((x, i) => (i === k ? x + by : x)),
      options,
    )
  for (let k = 0; k < at.length; k++) {
    expect(gradient[k]).toBeCloseTo((moved(k, 1e-5).value - moved(k, -1e-5).value) / 2e-5, 5)
    information[k]!.forEach((entry, j) =>
      expect(entry).toBeCloseTo(-(moved(j, 1e-5).gradient[k]! - moved(j, -1e-5).gradient[k]!) / 2e-5, 5),
    )
  }
})

test('without covariates and ridge they are the ratings of the counts, and sum to 0', () => {
  const pairs = planted(300, 2).map((pair) => ({ ...pair, covariates: [] }))
  const { ratings, coefficients } = ratePairs(pairs, { rated: 3, ridge: 1e-6 })
  const counts = bradleyTerry(pairs.map(({ a, b, share }) => ({ a: String(a), b: String(b), wins: share, n: 1 })))
  expect(coefficients).toEqual([])
  for (const { name, value } of counts.ratings) expect(ratings[Number(name)]).toBeCloseTo(value, 6)
})

test('a preference for a covariate is told from the ratings; swapped sides change nothing', () => {
  const pairs = planted(6000, 3)
  const { ratings, coefficients } = ratePairs(pairs, { rated: 3 })
  expect(ratings[0]).toBeGreaterThan(0.4)
  // Ties at one half pull a tenth of what is said towards even.
  expect(coefficients[0]).toBeGreaterThan(0.6)
  expect(Math.abs(coefficients[1]!)).toBeLessThan(0.1)
  const swapped = pairs.map(({ a, b, share, covariates }, i) =>
    i % 2 ? { a, b, share, covariates } : { a: b, b: a, share: 1 - share, covariates: covariates.map((x) => -x) },
  )
  const other = ratePairs(swapped, { rated: 3 })
  other.ratings.forEach((rating, k) => expect(rating).toBeCloseTo(ratings[k]!, 9))
  const near = ratePairs(pairs, { rated: 3, start: { ratings, coefficients } })
  near.ratings.forEach((rating, k) => expect(rating).toBeCloseTo(ratings[k]!, 9))
})

test('a clean sweep, and a covariate that foretells everything, stay finite; no pair is an error', () => {
  const pairs = Array.from({ length: 1000 }, (_, i) => ({ a: 0, b: 1, share: 1, covariates: [i % 2 ? 1e4 : -1e4] }))
  const { ratings, coefficients } = ratePairs(pairs, { rated: 2 })
  expect(ratings[0]).toBeGreaterThan(4)
  expect([...ratings, ...coefficients].every(Number.isFinite)).toBe(true)
  expect(() => ratePairs([], { rated: 2 })).toThrow(DataError)
})
