// Items that an adjudicator settled. A decided one counts as the adjudicator is reliable, whatever the votes were, and says of
// everyone who voted what a gold item says. A subjective one has no right answer: nobody is held to it, and the shares of
// the votes are its probability.
import { average } from '#stats'
import type { Item, Vote } from './items.ts'
import { type CoinCounts, count, priorCounts } from './two-coin.ts'

/** Beforehand: somebody who has seen all answers and reasons is right nine times in ten. Worth ten answers. */
const TRUST = { right: 9, wrong: 1 }

/** What is known of annotators beforehand, with what decided items say of their voters. */
export function withDecided(
  items: readonly Item[],
  known: ReadonlyMap<string, CoinCounts> | undefined,
): ReadonlyMap<string, CoinCounts> | undefined {
  const decided = items.filter(({ adjudication }) => adjudication?.as === 'decided')
  if (decided.length === 0) return known
  const all = new Map([...(known ?? [])].map(([name, counts]) => [name, copy(counts)]))
  for (const { votes, adjudication } of decided)
    for (const vote of votes) {
      const counts = all.get(vote.annotator) ?? { left: { right: 0, wrong: 0 }, right: { right: 0, wrong: 0 } }
      all.set(vote.annotator, counts)
      count(counts, vote, chanceOfA(adjudication!.vote, TRUST.right / (TRUST.right + TRUST.wrong)))
    }
  return all
}

/** What gold and decided items say of everyone who answered them. */
export function knownOf(items: readonly Item[]): ReadonlyMap<string, CoinCounts> | undefined {
  const known = new Map<string, CoinCounts>()
  for (const { votes, gold, a } of items)
    for (const vote of gold === undefined ? [] : votes) {
      const counts = known.get(vote.annotator) ?? { left: { right: 0, wrong: 0 }, right: { right: 0, wrong: 0 } }
      known.set(vote.annotator, counts)
      count(counts, vote, gold === a ? 1 : 0)
    }
  return withDecided(items, known.size === 0 ? undefined : known)
}

/** P(a is better) of a settled item; `countsOf` is what votes and gold showed of a person, the prior of coins included. */
export function settledProbability({ votes, adjudication }: Item, countsOf: (annotator: string) => CoinCounts): number {
  if (adjudication?.as !== 'decided') return average(votes.flatMap(({ towardsA }) => towardsA ?? []))
  const [shown, before] = [countsOf(adjudication.vote.annotator), priorCounts()]
  const evidence = (of: 'right' | 'wrong') =>
    shown.left[of] + shown.right[of] - before.left[of] - before.right[of] + TRUST[of]
  return chanceOfA(adjudication.vote, evidence('right') / (evidence('right') + evidence('wrong')))
}

function chanceOfA({ towardsA = 0.5 }: Vote, reliability: number): number {
  return towardsA * reliability + (1 - towardsA) * (1 - reliability)
}

const copy = ({ left, right }: CoinCounts): CoinCounts => ({ left: { ...left }, right: { ...right } })
