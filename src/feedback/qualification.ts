// Qualification: an annotator's judgements of gold items, whose answer experts agreed on, against a pass mark. InstructGPT's soft
// mark was 75% (arXiv 2203.02155). The counts also enter aggregation as what is known of the annotator beforehand.
import { DataError } from '#errors'
import type { Comparison, Judgement } from '#schema'
import { type Interval, wilson } from '#stats'
import type { CoinCounts } from './two-coin.ts'
import { gatherItems, votesByAnnotator } from './items.ts'

/** `better` is the text of the better completion. */
export type GoldAnswer = { item: string; better: string }
/** Rows: the side that is better; columns: the side chosen, halves for ties. */
export type SideConfusion = { left: { left: number; right: number }; right: { left: number; right: number } }
export type Qualification = { annotator: string; accuracy: Interval; passed: boolean; confusion: SideConfusion }

/**
 * One report an annotator who judged a gold item, best first. Ties and both-bad count half; cannot-judge counts wrong, so that
 * skipping the hard ones earns nothing. Passed: accuracy of at least `passMark` on at least `atLeast` gold items.
 */
export function qualify({
  judgements,
  gold,
  comparisons,
  passMark = 0.75,
  atLeast = 10,
}: {
  judgements: readonly Judgement[]
  gold: readonly GoldAnswer[]
  comparisons?: readonly Comparison[]
  passMark?: number
  atLeast?: number
}): Qualification[] {
  const answers = new Map(gold.map(({ item, better }) => [item, better]))
  const items = gatherItems(
    judgements.filter(({ item }) => answers.has(item)),
    comparisons?.filter(({ item }) => answers.has(item)),
  )
  const reports: Qualification[] = []
  for (const [annotator, votes] of votesByAnnotator(items)) {
    const confusion: SideConfusion = { left: { left: 0, right: 0 }, right: { left: 0, right: 0 } }
    let correct = 0
    for (const { item, vote } of votes) {
      const better = answers.get(item.item)!
      if (better !== item.a && better !== item.b)
        throw new DataError(`the gold answer of item ${item.item} is neither of its completions`, { field: 'better' })
      if (vote.towardsA === undefined) continue
      const share = better === item.a ? vote.towardsA : 1 - vote.towardsA
      correct += share
      const row = confusion[(better === item.a) === vote.isALeft ? 'left' : 'right']
      const isBetterLeft = row === confusion.left
      row.left += isBetterLeft ? share : 1 - share
      row.right += isBetterLeft ? 1 - share : share
    }
    const accuracy = wilson(correct, votes.length)
    reports.push({ annotator, accuracy, passed: votes.length >= atLeast && accuracy.value >= passMark, confusion })
  }
  return reports.sort((x, y) => y.accuracy.value - x.accuracy.value)
}

/** What passing asks for: a number of right answers, or a 95% Wilson bound of their share that is not below `low`. */
export type PassMark = { right: number } | { low: number }

export function passes({ accuracy }: Pick<Qualification, 'accuracy'>, mark: PassMark): boolean {
  // Ties count half: 7.5 of 10 are not 8.
  return 'right' in mark ? accuracy.value * (accuracy.n ?? 0) >= mark.right - 1e-9 : accuracy.low >= mark.low
}

/** Gold results as what is known of annotators' coins beforehand; counts of several reports of one person add up. */
export function knownFrom(reports: readonly Qualification[]): Map<string, CoinCounts> {
  const known = new Map<string, CoinCounts>()
  for (const { annotator, confusion } of reports) {
    const { left, right } = known.get(annotator) ?? { left: { right: 0, wrong: 0 }, right: { right: 0, wrong: 0 } }
    known.set(annotator, {
      left: { right: left.right + confusion.left.left, wrong: left.wrong + confusion.left.right },
      right: { right: right.right + confusion.right.right, wrong: right.wrong + confusion.right.left },
    })
  }
  return known
}
