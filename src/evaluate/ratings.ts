// Ratings of several models from blind pairs of their completions: Bradley-Terry, ties as half, once as judged and once with
// differences in style beside the models, so that who wins by length or markdown is not taken for who answers better
// (style control of Chatbot Arena, 2024). Styles are scaled, not centred: a centred one would favour a side. Intervals by bootstrap over
// prompts, whose pairs share completions. What came of a pair is as in a win rate: the votes' mean, or the adjudicator's word.
import { DataError } from '#errors'
import type { Comparison, Judgement } from '#schema'
import {
  bootstrapEach,
  bradleyTerry,
  deriveSeed,
  type Interval,
  type PairFit,
  type RatedPair,
  ratePairs,
  winProbability,
} from '#stats'
import { type Style, styleDifference, STYLES } from './style.ts'
import { sharesOf, winRate, type WinRate } from './win-rate.ts'

/** A comparison and who wrote its `a` and its `b`. */
export type ModelPair = Comparison & { models: readonly [a: string, b: string] }
type Named = Interval & { name: string; n: number }
/** Models in falling order of their ratings as judged; `n` prompts. */
export type Strengths = {
  /** Logits, of sum 0. */
  ratings: Named[]
  /** Of each but the anchor: how often it would beat the anchor, by these ratings. */
  implied: Named[]
}
/** Logits for one standard deviation of its difference, `unit`: above 0, judges side with more of it. */
export type StyleEffect = Interval & { name: Style; n: number; unit: number }
export type ModelRatings = Strengths & {
  /** The same for answers alike in style. */
  controlled: Strengths
  /** Of styles in which some pair differs. */
  style: StyleEffect[]
  /** Of each two that met, as judged, named `of-over-over`: of whom `models` names first over the other. */
  'win-rates': (WinRate & { name: string; of: string; over: string })[]
  /** Said where the answers bound no rating, and only the prior of the fit does. */
  warning?: string
}

const RESAMPLES = 1000
const SEPARATED =
  'style and models together foretell every answer: how much is owed to which is not known, nor how far apart controlled ratings lie'

/**
 * `models` are all who are rated; the anchor is one of them. Each pair needs a judgement that says
 * something, unless its texts are the same. A model in no pair, or models that no chain of pairs links, are a DataError.
 */
export function rateModels({
  judgements,
  pairs,
  models,
  anchor,
  seed,
  level = 0.95,
  resamples = RESAMPLES,
}: {
  judgements: readonly Judgement[]
  pairs: readonly ModelPair[]
  models: readonly string[]
  anchor: string
  seed: number
  level?: number
  resamples?: number
}): ModelRatings {
  checkModels(pairs, models, anchor)
  const rows = rowsOf(judgements, pairs, models)
  const units = STYLES.map((_, s) => Math.sqrt(rows.reduce((sum, row) => sum + row.style[s]! ** 2, 0) / rows.length))
  const used = STYLES.map((_, s) => s).filter((s) => units[s]! > 0)
  const scaled = (row: Row) => ({ ...row, covariates: used.map((s) => row.style[s]! / units[s]!) })
  const options = { models, anchor, seed: deriveSeed(seed, 'ratings'), level, resamples }
  const plain = fitted(
    rows.map((row) => ({ ...row, covariates: [] })),
    options,
  )
  const controlled = used.length === 0 ? plain : fitted(rows.map(scaled), options)
  const falling = models.map((_, m) => m).sort((x, y) => plain.ratings[y]!.value - plain.ratings[x]!.value)
  const strengths = ({ ratings, implied }: typeof plain): Strengths => ({
    ratings: falling.map((m) => ratings[m]!),
    implied: falling.flatMap((m) => (models[m] === anchor ? [] : [implied[m]!])),
  })
  const warnings = [unboundedBy(rows, models), controlled.isSeparated ? SEPARATED : undefined].filter(Boolean)
  return {
    ...strengths(plain),
    controlled: strengths(controlled),
    style: controlled.effects.map(({ n, ...effect }, c) => ({
      name: STYLES[used[c]!]!,
      ...effect,
      n: n!,
      unit: units[used[c]!]!,
    })),
    'win-rates': winRates({ judgements, pairs, seed, level }, models),
    ...(warnings.length > 0 && { warning: warnings.join('; ') }),
  }
}

type Row = Omit<RatedPair, 'covariates'> & { style: number[]; group: string }
type Clustered = RatedPair & { group: string }
type Options = { models: readonly string[]; anchor: string; seed: number; level: number; resamples: number }

function rowsOf(judgements: readonly Judgement[], pairs: readonly ModelPair[], models: readonly string[]): Row[] {
  const shares = sharesOf(judgements, pairs)
  return pairs.map(({ item, a, b, group, models: [first, second] }, i) => {
    const share = shares[i]
    if (share === undefined)
      throw new DataError(`item ${item} has no judgement; judge it, or take its prompt out for all models`)
    return {
      a: models.indexOf(first),
      b: models.indexOf(second),
      share,
      style: styleDifference(a, b),
      group: group ?? item,
    }
  })
}

function fitted(rows: readonly Clustered[], { models, anchor, seed, level, resamples }: Options) {
  const rated = models.length
  const whole = ratePairs(rows, { rated })
  const isForetold = ({ a, b, share, covariates }: Clustered) => {
    const logit = whole.coefficients.reduce(
      (sum, coefficient, c) => sum + coefficient * covariates[c]!,
      whole.ratings[a]! - whole.ratings[b]!,
    )
    return (share - 0.5) * logit > 0
  }
  const against = models.indexOf(anchor)
  const statistics = (fit: PairFit) => [
    ...fit.ratings,
    ...fit.ratings.map((rating) => winProbability(rating, fit.ratings[against]!)),
    ...fit.coefficients,
  ]
  const found = bootstrapEach(
    rows,
    // A model that a resample leaves out has no rating there.
    (sample) => {
      const fit = ratePairs(sample, { rated, start: whole })
      const seen = new Set(sample.flatMap(({ a, b }) => [a, b]))
      return seen.size === rated ? statistics(fit) : statistics(fit).map(() => NaN)
    },
    { seed, level, resamples, cluster: ({ group }) => group },
  )
  const named = (columns: Interval[]) =>
    columns.map(({ n, ...ends }, m): Named => ({ name: models[m]!, ...ends, n: n! }))
  return {
    ratings: named(found.slice(0, rated)),
    implied: named(found.slice(rated, 2 * rated)),
    effects: found.slice(2 * rated),
    isSeparated: whole.coefficients.length > 0 && rows.every(isForetold),
  }
}

/** Of each two that met, over their own pairs alone. */
function winRates(
  {
    judgements,
    pairs,
    ...options
  }: { judgements: readonly Judgement[]; pairs: readonly ModelPair[]; seed: number; level: number },
  models: readonly string[],
): ModelRatings['win-rates'] {
  return models.flatMap((of, i) =>
    models.slice(i + 1).flatMap((over) => {
      const met = pairs.flatMap(({ models: both, ...pair }) => {
        if (!both.includes(of) || !both.includes(over)) return []
        return both[0] === of ? [pair] : [{ ...pair, a: pair.b, b: pair.a }]
      })
      if (met.length === 0) return []
      const items = new Set(met.map(({ item }) => item))
      const own = judgements.filter(({ item }) => items.has(item))
      return [{ name: `${of}-over-${over}`, of, over, ...winRate({ judgements: own, comparisons: met, ...options }) }]
    }),
  )
}

function checkModels(pairs: readonly ModelPair[], models: readonly string[], anchor: string): void {
  if (models.length < 2) throw new DataError(`ratings need at least two models, got ${models.length}`)
  if (!models.includes(anchor))
    throw new DataError(`expected the anchor to be one of ${models.join(', ')}, got ${anchor}`)
  for (const { item, models: both } of pairs) {
    const unknown = both.find((name) => !models.includes(name))
    if (unknown !== undefined)
      throw new DataError(`item ${item} is of ${unknown}, which is none of the models to be rated`)
    if (both[0] === both[1]) throw new DataError(`item ${item} holds ${both[0]} against itself, which rates nobody`)
  }
  const unseen = models.find((name) => !pairs.some(({ models: both }) => both.includes(name)))
  if (unseen !== undefined) throw new DataError(`${unseen} is in no judged pair: judge pairs of it, or leave it out`)
  const linked = new Set([models[0]!])
  for (const from of linked)
    for (const { models: both } of pairs) if (both.includes(from)) both.forEach((name) => linked.add(name))
  const apart = models.find((name) => !linked.has(name))
  if (apart !== undefined)
    throw new DataError(`no chain of pairs links ${apart} to ${models[0]}: judge pairs that do, or rate them apart`)
}

/** Where some never lost to the rest, or never won, likelihood alone has no maximum. */
function unboundedBy(rows: readonly Row[], models: readonly string[]): string | undefined {
  try {
    bradleyTerry(rows.map(({ a, b, share }) => ({ a: models[a]!, b: models[b]!, wins: share, n: 1 })))
    return undefined
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    return 'some models won or lost all their pairs: how far apart the ratings lie is not known, only who is ahead; go by the win rates'
  }
}
