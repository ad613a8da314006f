import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { generator } from '#stats'
import { onTheirScale, type RatedScore, ratingAgreement } from './expert-ratings.ts'

/** Two raters on a scale of five see a quality through noise; the reward is any increasing function of it, and noise. */
function rated({ noise = 0.3, n = 120, raters = 2 }): RatedScore[] {
  const random = generator(6)
  return Array.from({ length: n }, (_, i) => {
    const quality = random.normal()
    const score = 100 * Math.exp(quality + noise * random.normal())
    return Array.from({ length: raters }, () => {
      const rating = Math.max(1, Math.min(5, Math.round(3 + quality + 0.3 * random.normal())))
      return { score, rating, item: `c${i}`, group: `p${Math.floor(i / 3)}` }
    })
  }).flat()
}
const o = { seed: 1, resamples: 200 }

test('a reward that knows what raters know is as close to them as they are; its scale does not matter', () => {
  const agreement = ratingAgreement(rated({ noise: 0 }), o)
  expect(agreement).toMatchObject({ items: 120, ratings: 240 })
  for (const key of ['spearman', 'kendall', 'kappa', 'ceiling'] as const) {
    expect(agreement[key]).toMatchObject({ n: 40 })
    expect(agreement[key]!.low).toBeGreaterThan(0.7)
  }
  const logarithms = rated({ noise: 0 }).map((row) => ({ ...row, score: Math.log(row.score) }))
  expect(ratingAgreement(logarithms, o)).toEqual(agreement)
})

test('a reward that knows nothing has none, and one turned over is below 0', () => {
  const { spearman, kappa, ceiling } = ratingAgreement(rated({ noise: 50 }), o)
  expect(spearman.low < 0.1 && spearman.high > -0.1 && spearman.value < 0.4).toBe(true)
  expect(ceiling!.low).toBeGreaterThan(kappa!.high)
  const turned = ratingAgreement(
    rated({ noise: 0 }).map((row) => ({ ...row, score: -row.score })),
    o,
  )
  for (const key of ['spearman', 'kendall', 'kappa'] as const) expect(turned[key]!.high).toBeLessThan(-0.7)
})

test('scores go to the raters’ scale by rank: as many of each level as the raters gave', () => {
  const rows = [9, 1, 5, 7].map((score, i) => ({ score, rating: [1, 5, 5, 2][i]! }))
  expect(onTheirScale(rows)).toEqual([
    { x: 5, y: 1 },
    { x: 1, y: 5 },
    { x: 2, y: 5 },
    { x: 5, y: 2 },
  ])
})

test('one rater alone has no ceiling, a fine scale no kappa, and what cannot be answered is refused', () => {
  expect(ratingAgreement(rated({ raters: 1 }), o).ceiling).toBeUndefined()
  const fine = rated({}).map((row, i) => ({ ...row, rating: row.rating + i / 1000 }))
  expect(ratingAgreement(fine, o).kappa).toBeUndefined()
  const alike = rated({}).map((row) => ({ ...row, rating: 4 }))
  expect(() => ratingAgreement(alike, o)).toThrow(/expected mean ratings that differ, got 4 for all 120 completions/)
  expect(() =>
    ratingAgreement(
      rated({}).map((row) => ({ ...row, score: 1 })),
      o,
    ),
  ).toThrow(/scores by the reward model/)
  expect(() => ratingAgreement(rated({ n: 5 }), o)).toThrow(DataError)
})
