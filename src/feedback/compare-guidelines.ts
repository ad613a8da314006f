// Did a change of the guideline help? Agreement, and accuracy on gold items, under one version beside another: the change with its
// interval. Items judged under both versions are drawn together, so a pair of rounds on the same items is a paired comparison.
// The interval speaks of items like these and of these annotators; who judged under which version is not corrected for.
import { DataError } from '#errors'
import type { Comparison, Judgement } from '#schema'
import { average, bootstrap, deriveSeed, type Interval } from '#stats'
import { countTable, gwetAC, krippendorffAlpha, percentAgreement } from './agreement.ts'
import { ratingsOf } from './agreement-report.ts'
import { gatherItems, rightness } from './items.ts'
import type { GoldAnswer } from './qualification.ts'

/** Judged under a version; with fewer, a lucky item would decide. */
const FEWEST_ITEMS = 12

export type Change = { before: number; after: number; change: Interval }
export type GuidelineComparison = {
  percent: Change
  alpha: Change
  gwetAC1: Change
  /** Only where gold items were judged under both. */
  goldAccuracy?: Change
  items: { before: number; after: number; both: number }
  /** By alpha: the interval of its change leaves out 0 on this side, or does not. */
  /** By alpha's interval; never shown on fewer than 12 items of a version. */
  verdict: 'helped' | 'hurt' | 'not shown'
}

/** One item: counts of its categories, and how many gold answers were right of how many, under each version. */
type Unit = { [version in Version]?: { counts: number[]; right: number; asked: number } }
type Version = 'before' | 'after'

/** @throws DataError when a version has no item judged by two annotators */
export function compareGuidelines(
  judgements: readonly Judgement[],
  {
    before,
    after,
    comparisons,
    gold = [],
    seed,
    resamples = 1000,
    level = 0.95,
  }: {
    before: string
    after: string
    comparisons?: readonly Comparison[]
    gold?: readonly GoldAnswer[]
    seed: number
    resamples?: number
    level?: number
  },
): GuidelineComparison {
  const answers = new Map(gold.map(({ item, better }) => [item, better]))
  const units = new Map<string, Unit>()
  const gathered = (['before', 'after'] as const).map((version) => {
    const name = version === 'before' ? before : after
    const items = gatherItems(
      judgements.filter(({ guideline }) => guideline === name),
      comparisons,
    )
    return { version, items, ratings: ratingsOf(items), name }
  })
  // One set of categories, or counts of the two versions would not mean the same.
  const { categories } = countTable(gathered.flatMap(({ ratings }) => ratings))
  for (const { version, items, name } of gathered) {
    let isShared = false
    for (const item of items) {
      const values = ratingsOf([item]).map(({ value }) => value)
      if (values.length === 0) continue
      isShared ||= values.length >= 2
      const better = answers.get(item.item)
      const shares = better === undefined ? [] : item.votes.flatMap((vote) => rightness(item, vote, better) ?? [])
      const unit = units.get(item.item) ?? {}
      unit[version] = {
        counts: categories.map((category) => values.filter((value) => value === category).length),
        right: shares.reduce((sum, x) => sum + x, 0),
        asked: shares.length,
      }
      units.set(item.item, unit)
    }
    if (!isShared)
      throw new DataError(
        `expected an item judged by two annotators under guideline ${name}, got none; guidelines in these rows: ${[...new Set(judgements.map((row) => row.guideline ?? 'none named'))].join(', ')}`,
        { field: 'guideline' },
      )
  }
  const all = [...units.values()]
  const changeOf = (name: string, statistic: (units: readonly Unit[], version: Version) => number): Change => ({
    before: statistic(all, 'before'),
    after: statistic(all, 'after'),
    change: bootstrap(all, (sample) => statistic(sample, 'after') - statistic(sample, 'before'), {
      seed: deriveSeed(seed, 'guidelines', name),
      resamples,
      level,
    }),
  })
  const agreement = (coefficient: typeof percentAgreement) => (sample: readonly Unit[], version: Version) =>
    coefficient({ categories, counts: sample.flatMap((unit) => (unit[version] ? [unit[version].counts] : [])) })
  const alpha = changeOf('alpha', agreement(krippendorffAlpha))
  const hasGold = (['before', 'after'] as const).every((version) => all.some((unit) => unit[version]?.asked))
  const count = (is: (unit: Unit) => unknown) => all.filter(is).length
  const isEnough = (['before', 'after'] as const).every((version) => count((unit) => unit[version]) >= FEWEST_ITEMS)
  return {
    percent: changeOf('percent', agreement(percentAgreement)),
    alpha,
    gwetAC1: changeOf('gwet', agreement(gwetAC)),
    ...(hasGold && { goldAccuracy: changeOf('gold', goldAccuracy) }),
    items: {
      before: count(({ before }) => before),
      after: count(({ after }) => after),
      both: count(({ before, after }) => before && after),
    },
    verdict: !isEnough ? 'not shown' : alpha.change.low > 0 ? 'helped' : alpha.change.high < 0 ? 'hurt' : 'not shown',
  }
}

function goldAccuracy(units: readonly Unit[], version: Version): number {
  return average(units.flatMap((unit) => (unit[version]?.asked ? [unit[version].right / unit[version].asked] : [])))
}
