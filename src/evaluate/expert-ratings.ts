// A reward model against expert ratings of completions: rank correlations, and kappa on the experts' own scale, with intervals by
// bootstrap over prompts. A reward has no scale of its own, so its scores are put on the raters' by rank: the share of completions
// that gets each level is that of the raters.
import { DataError } from '#errors'
import {
  average,
  bootstrap,
  correlationInterval,
  deriveSeed,
  type Interval,
  kendall,
  type Point,
  quadraticKappa,
  ranks,
  spearman,
} from '#stats'
import { FEWEST_PROMPTS } from './probes.ts'

/** One rater's rating of one completion, and what the reward model says of it. */
export type RatedScore = {
  score: number
  rating: number
  /** The completion: several raters may have rated it. */
  item: string
  /** The prompt: resampled together. */
  group: string
}
export type RatingAgreement = {
  /** Of the reward with the mean rating of each completion. */
  spearman: Interval
  kendall: Interval
  /** Quadratic weights, of each rating with the reward put on the same scale by rank; absent on a scale of too many steps. */
  kappa?: Interval
  /** Spearman of each rating with the mean of the other raters of the completion: what people reach. */
  ceiling?: Interval
  items: number
  ratings: number
}

/** A scale with more steps is no ordinal one. */
const MOST_LEVELS = 20
const FEWEST_ITEMS = 3

/** @throws DataError where completions or prompts are too few, or either side never varies */
export function ratingAgreement(
  rows: readonly RatedScore[],
  { seed, level = 0.95, resamples = 1000 }: { seed: number; level?: number; resamples?: number },
): RatingAgreement {
  const items = [...itemsOf(rows).values()]
  const prompts = new Set(rows.map(({ group }) => group)).size
  if (items.length < FEWEST_ITEMS || prompts < FEWEST_PROMPTS)
    throw new DataError(
      `expected ratings of at least ${FEWEST_ITEMS} completions of ${FEWEST_PROMPTS} prompts, got ${items.length} of ${prompts}`,
    )
  const points = items.map((own) => ({
    x: own[0]!.score,
    y: average(own.map(({ rating }) => rating)),
    group: own[0]!.group,
  }))
  for (const [side, what] of [
    ['x', 'scores by the reward model'],
    ['y', 'mean ratings'],
  ] as const)
    if (points.every((point) => point[side] === points[0]![side]))
      throw new DataError(`expected ${what} that differ, got ${points[0]![side]} for all ${points.length} completions`)
  const o = (name: string) => ({ seed: deriveSeed(seed, 'ratings', name), level, resamples })
  const correlation = (
    name: string,
    of: (Point & { group: string })[],
    statistic: (points: readonly Point[]) => number,
  ) =>
    correlationInterval(of, statistic, { ...o(name), cluster: (point) => (point as Point & { group: string }).group })
  const levels = new Set(rows.map(({ rating }) => rating)).size
  const peers = items.flatMap(withOthers)
  return {
    spearman: correlation('spearman', points, spearman),
    kendall: correlation('kendall', points, kendall),
    ...(levels <= MOST_LEVELS && {
      kappa: bootstrap(rows, (sample) => quadraticKappa(onTheirScale(sample)), {
        ...o('kappa'),
        cluster: ({ group }) => group,
      }),
    }),
    ...(peers.length >= FEWEST_ITEMS && { ceiling: correlation('ceiling', peers, spearman) }),
    items: items.length,
    ratings: rows.length,
  }
}

/** Each rating beside the score on the raters' scale: the score of rank r becomes the rating of rank r. */
export function onTheirScale(rows: readonly Pick<RatedScore, 'score' | 'rating'>[]): Point[] {
  const sorted = rows.map(({ rating }) => rating).sort((a, b) => a - b)
  return ranks(rows.map(({ score }) => score)).map((rank, i) => ({
    x: sorted[Math.ceil(rank) - 1]!,
    y: rows[i]!.rating,
  }))
}

function itemsOf(rows: readonly RatedScore[]): Map<string, RatedScore[]> {
  const items = new Map<string, RatedScore[]>()
  for (const row of rows) items.set(row.item, [...(items.get(row.item) ?? []), row])
  return items
}

function withOthers(own: readonly RatedScore[]): (Point & { group: string })[] {
  if (own.length < 2) return []
  return own.map(({ rating, group }, i) => ({
    x: rating,
    y: average(own.flatMap((other, j) => (i === j ? [] : other.rating))),
    group,
  }))
}
