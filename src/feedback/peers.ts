// What an annotator's votes are held against: for each vote, the probability that the left side is better as the others see the item,
// the annotator's own vote left out. People who know nothing, or vote the wrong way round, are not asked.
import { normalCdf } from '#stats'
import { dawidSkene } from './dawid-skene.ts'
import { type Item, type Vote, votesByAnnotator } from './items.ts'
import { tabulateVotes } from './label-table.ts'
import { type Coins, posteriorOf } from './two-coin.ts'

/** One vote for a side, in the order in which the annotator gave it. */
export type HeldVote = {
  item: Item
  vote: Vote /** 1 left, 0 right, 0.5 tie or both bad. */
  saidLeft: number
  leftBetter: number
}
export type Knowledge = {
  /** Most likely share of right answers, by the others' opinion. */
  skill: number
  /** P(so few agree with the others | skill is `least`). */
  p: number
  /** The same against one half: small for those who answer the wrong way round. */
  pAdverse: number
}

const MOST_ROUNDS = 3

/** Votes of everybody against the others; those in the answer's `left out` count for nobody else. */
export function heldAgainstOthers(
  items: readonly Item[],
  { least, level }: { least: number; level: number },
): { votes: Map<string, HeldVote[]>; knowledge: Map<string, Knowledge>; leftOut: Set<string> } {
  let leftOut = new Set<string>()
  for (let round = 0; ; round++) {
    const asked = items.map((item) => ({ ...item, votes: item.votes.filter((v) => !leftOut.has(v.annotator)) }))
    const coinsOf = fittedCoins(asked)
    const votes = new Map(
      [...votesByAnnotator(items)].map(([annotator, own]) => [
        annotator,
        own.flatMap(({ item, vote }): HeldVote[] => {
          if (vote.towardsA === undefined) return []
          const others = item.votes.filter((v) => v.annotator !== annotator && !leftOut.has(v.annotator))
          const ofA = posteriorOf(others, coinsOf)
          return [
            {
              item,
              vote,
              saidLeft: vote.isALeft ? vote.towardsA : 1 - vote.towardsA,
              leftBetter: vote.isALeft ? ofA : 1 - ofA,
            },
          ]
        }),
      ]),
    )
    const knowledge = new Map(
      [...votes].flatMap(([annotator, own]) =>
        // Of items that nobody else judged the others have no opinion.
        own.some(({ leftBetter }) => leftBetter !== 0.5) ? [[annotator, knowledgeOf(own, least)] as const] : [],
      ),
    )
    const ignorant = [...knowledge].filter(([, { p }]) => p * knowledge.size < level).map(([annotator]) => annotator)
    const next = new Set(ignorant)
    if (round === MOST_ROUNDS || (next.size === leftOut.size && ignorant.every((name) => leftOut.has(name))))
      return { votes, knowledge, leftOut }
    leftOut = next
  }
}

/** The two coins of two-coin.ts, its prior included, fitted on flat arrays. */
function fittedCoins(items: readonly Item[]): (annotator: string) => Coins {
  const table = tabulateVotes(items)
  const { confusion } = dawidSkene(table, { prior: { right: 4, wrong: 2 }, learnsClasses: false, rounds: 50 })
  const coins = new Map(
    table.annotators.map((name, a) => [name, { left: confusion[4 * a]!, right: confusion[4 * a + 3]! }]),
  )
  return (annotator) => coins.get(annotator)!
}

/** Signed likelihood-ratio tests of one coin against the others' opinion. Halves count half. */
function knowledgeOf(votes: readonly HeldVote[], least: number): Knowledge {
  const logLikelihood = (skill: number) => {
    let sum = 0
    for (const { saidLeft, leftBetter } of votes) {
      const left = skill * leftBetter + (1 - skill) * (1 - leftBetter)
      sum += saidLeft * Math.log(left) + (1 - saidLeft) * Math.log1p(-left)
    }
    return sum
  }
  // Concave in the skill: thirds close in on the top.
  let low = 1e-6
  let high = 1 - 1e-6
  for (let i = 0; i < 40; i++) {
    const third = (high - low) / 3
    if (logLikelihood(low + third) < logLikelihood(high - third)) low += third
    else high -= third
  }
  const skill = (low + high) / 2
  const below = (bound: number) =>
    skill >= bound ? 1 : normalCdf(-Math.sqrt(Math.max(0, 2 * (logLikelihood(skill) - logLikelihood(bound)))))
  return { skill, p: below(least), pAdverse: below(0.5) }
}
