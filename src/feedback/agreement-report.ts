// Agreement on comparisons, every coefficient side by side with its bootstrap interval over items, and a warning where
// skew makes kappa look worse than the judgements are (the paradox of Feinstein and Cicchetti 1990).
import { DataError } from '#errors'
import type { Comparison, Judgement } from '#schema'
import { bootstrap, deriveSeed, type Interval } from '#stats'
import {
  cohenKappa,
  type CountTable,
  countTable,
  fleissKappa,
  gwetAC,
  krippendorffAlpha,
  percentAgreement,
  type Rating,
} from './agreement.ts'
import { gatherItems, type Item } from './items.ts'

export type AgreementReport = {
  items: number
  judgements: number
  percent: Interval
  /** Krippendorff, nominal: a better, tie, b better. */
  alpha: Interval
  /** The same with a tie between the two. */
  alphaOrdinal: Interval
  /** The same with a tie half-way, distances squared. */
  alphaInterval: Interval
  fleiss: Interval
  gwetAC1: Interval
  /** Gwet with half agreement between a tie and a side. */
  gwetAC2: Interval
  /** Only when exactly two annotators judged. */
  cohen?: Interval
  warning?: string
}

/**
 * Ratings of the completions, not of the sides: 1 a better, 0 tie or both bad, -1 b better; cannot-judge is missing. Gold items,
 * chosen because their answer is plain, are left out.
 */
export function ratingsOf(items: readonly Item[]): Rating[] {
  return items.flatMap(({ item, votes, gold }) =>
    (gold === undefined ? votes : []).flatMap(({ annotator, towardsA }) =>
      towardsA === undefined ? [] : [{ item, annotator, value: Math.sign(towardsA - 0.5) }],
    ),
  )
}

/** @throws DataError when no item has two judgements */
export function reportAgreement(
  ratings: readonly Rating[],
  { seed, resamples = 1000, level = 0.95 }: { seed: number; resamples?: number; level?: number },
): AgreementReport {
  const { categories, counts } = countTable(ratings)
  if (!isSharedByTwo(counts))
    throw new DataError('agreement needs at least one item judged by two annotators; raise the overlap')
  const over = (name: string, coefficient: (table: CountTable) => number) =>
    bootstrap(counts, (sample) => coefficient({ categories, counts: sample as number[][] }), {
      seed: deriveSeed(seed, 'agreement', name),
      resamples,
      level,
    })
  const report: AgreementReport = {
    items: counts.length,
    judgements: ratings.length,
    percent: over('percent', percentAgreement),
    alpha: over('alpha', krippendorffAlpha),
    alphaOrdinal: over('alpha-ordinal', (table) => krippendorffAlpha(table, 'ordinal')),
    alphaInterval: over('alpha-interval', (table) => krippendorffAlpha(table, 'interval')),
    fleiss: over('fleiss', fleissKappa),
    gwetAC1: over('gwet', gwetAC),
    gwetAC2: over('gwet-ordinal', (table) => gwetAC(table, 'ordinal')),
  }
  if (new Set(ratings.map((r) => r.annotator)).size === 2)
    report.cohen = bootstrap(pairsOf(ratings), (sample) => cohenKappa(sample.flat()), {
      seed: deriveSeed(seed, 'agreement', 'cohen'),
      resamples,
      level,
    })
  const warning = prevalenceWarning(report)
  if (warning !== undefined) report.warning = warning
  return report
}

export const AGREEMENT_PARTS = ['criterion', 'stratum', 'guideline'] as const
export type AgreementPart = (typeof AGREEMENT_PARTS)[number]
/** `part`: the criterion, stratum or guideline version; absent where rows name none. */
export type AgreementOfPart = { part?: string; judgements: number } & ({ report: AgreementReport } | { reason: string })

/**
 * One report for each criterion, stratum (of the comparison) or guideline version, in order of first appearance; a part too small to
 * have one says why. Rows of several criteria are told apart by `criterion` only.
 */
export function reportAgreementBy(
  by: AgreementPart,
  judgements: readonly Judgement[],
  {
    comparisons,
    ...options
  }: { comparisons?: readonly Comparison[]; seed: number; resamples?: number; level?: number },
): AgreementOfPart[] {
  const strata = new Map(comparisons?.map(({ item, stratum }) => [item, stratum]))
  const partOf = (row: Judgement) => (by === 'stratum' ? strata.get(row.item) : row[by])
  const parts = new Map<string | undefined, Judgement[]>()
  for (const row of judgements) {
    const rows = parts.get(partOf(row))
    if (rows) rows.push(row)
    else parts.set(partOf(row), [row])
  }
  return [...parts].map(([part, rows]) => {
    const head = { ...(part !== undefined && { part }), judgements: rows.length }
    const own = by === 'stratum' ? comparisons?.filter(({ stratum }) => stratum === part) : comparisons
    const ratings = ratingsOf(gatherItems(rows, own))
    return isSharedByTwo(countTable(ratings).counts)
      ? { ...head, report: reportAgreement(ratings, options) }
      : { ...head, reason: 'no item was judged by two annotators' }
  })
}

function isSharedByTwo(counts: readonly number[][]): boolean {
  return counts.some((row) => row.reduce((x, y) => x + y, 0) >= 2)
}

/** Kappa and alpha divide by the disagreement that chance would bring; with one rare category that is next to nothing. */
function prevalenceWarning({ percent, fleiss, gwetAC1 }: AgreementReport): string | undefined {
  // Where nothing varies kappa is not defined, and says so by itself.
  if (percent.value < 0.8 || !(gwetAC1.value - fleiss.value >= 0.2)) return undefined
  const say = (x: number) => x.toFixed(2)
  return `one category is so common that kappa misleads: annotators agree on ${say(percent.value)} of pairs, kappa is ${say(fleiss.value)}, AC1 ${say(gwetAC1.value)}; read AC1, or add items of the rare category`
}

/** Ratings of the items that both annotators judged, two by two. */
function pairsOf(ratings: readonly Rating[]): Rating[][] {
  const byItem = new Map<string, Rating[]>()
  for (const rating of ratings) byItem.set(rating.item, [...(byItem.get(rating.item) ?? []), rating])
  return [...byItem.values()].filter((pair) => pair.length === 2)
}
