// A report on each annotator: side bias, leaning to length at equal opinion of the others, ties, time, agreement with the others.
import type { Comparison, Judgement } from '#schema'
import { average, binomialTest, holm, type Interval, logisticRegression, quantile, wilson } from '#stats'
import { gatherItems, type Item, type Vote, votesByAnnotator } from './items.ts'

export type AnnotatorReport = {
  annotator: string
  judgements: number
  /** Share of left among left or right answers; p of the exact test against one half, and after Holm over all annotators. */
  leftShare?: Interval & { p: number; adjusted: number }
  /** Share of the other annotators' majorities agreed with, where there was one and this annotator decided. */
  withOthers?: Interval
  /** Logits per unit of ln(length of left / length of right) beyond side bias and the others' opinion; absent under 30 decisions. */
  lengthLean?: Interval
  ties: number
  bothBad: number
  cannotJudge: number
  /** Median seconds. */
  medianTime?: number
}

/** A logistic model of three terms on fewer decisions says nothing. */
const FEWEST_FOR_LENGTH = 30

/** One report an annotator, in order of first judgement. */
export function reportAnnotators(
  judgements: readonly Judgement[],
  comparisons?: readonly Comparison[],
): AnnotatorReport[] {
  const reports = [...votesByAnnotator(gatherItems(judgements, comparisons))].map(([annotator, votes]) =>
    reportOne(annotator, votes),
  )
  const tested = reports.flatMap((report) => report.leftShare ?? [])
  const adjusted = holm(tested.map(({ p }) => p))
  tested.forEach((share, i) => {
    share.adjusted = adjusted[i]!
  })
  return reports
}

function reportOne(annotator: string, votes: readonly { item: Item; vote: Vote }[]): AnnotatorReport {
  const countOf = (choice: Vote['choice']) => votes.filter(({ vote }) => vote.choice === choice).length
  const decided = votes.filter(({ vote }) => vote.choice === 'left' || vote.choice === 'right')
  const report: AnnotatorReport = {
    annotator,
    judgements: votes.length,
    ties: countOf('tie'),
    bothBad: countOf('both-bad'),
    cannotJudge: countOf('cannot-judge'),
  }
  if (decided.length > 0) {
    const left = countOf('left')
    const p = binomialTest(left, decided.length)
    report.leftShare = { ...wilson(left, decided.length), p, adjusted: p }
  }
  const opposed = decided.filter((entry) => othersLean(entry) !== 0)
  if (opposed.length > 0)
    report.withOthers = wilson(
      opposed.filter((entry) => othersLean(entry) > 0 === (entry.vote.choice === 'left')).length,
      opposed.length,
    )
  if (decided.length >= FEWEST_FOR_LENGTH) {
    const rows = decided.map((entry) => ({
      features: [lengthRatio(entry), othersLean(entry)],
      outcome: entry.vote.choice === 'left' ? 1 : 0,
    }))
    // Weak ridge: standard deviation 3 logits, so that someone who always picks the longer one has a finite lean.
    if (rows.some((row) => row.features[0] !== 0)) report.lengthLean = logisticRegression(rows, { ridge: 1 / 9 })[1]!
  }
  const times = votes.flatMap(({ vote }) => vote.time ?? []).sort((x, y) => x - y)
  if (times.length > 0) report.medianTime = quantile(times, 0.5)
  return report
}

/** Mean opinion of the other annotators of the item, -1 right to 1 left; 0 when there is none or they are even. */
function othersLean({ item, vote }: { item: Item; vote: Vote }): number {
  const others = item.votes.flatMap((other) => (other.annotator === vote.annotator ? [] : (other.towardsA ?? [])))
  if (others.length === 0) return 0
  const towardsA = 2 * average(others) - 1
  return vote.isALeft ? towardsA : -towardsA
}

function lengthRatio({ item, vote }: { item: Item; vote: Vote }): number {
  const ratio = Math.log((item.a.length + 1) / (item.b.length + 1))
  return vote.isALeft ? ratio : -ratio
}
