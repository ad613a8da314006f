// Plain counts for the pages about people: who agrees with whom on how many pairs, how long answers take, which answers are used.
import { type Interval, wilson } from '#stats'
import type { Item, Vote } from './items.ts'
import { votesByAnnotator } from './items.ts'

export type PairAgreement = { first: string; second: string; agreed: Interval }

/** Of the items that two people both judged: the share on which both said a, both b, or both neither. Gold items are left out. */
export function agreementMatrix(items: readonly Item[]): PairAgreement[] {
  const pairs = new Map<string, { first: string; second: string; n: number; same: number }>()
  for (const { votes, gold } of items) {
    if (gold !== undefined) continue
    const said = votes.filter(({ towardsA }) => towardsA !== undefined)
    said.forEach((one, i) => {
      for (const other of said.slice(i + 1)) {
        const [first, second] = [one.annotator, other.annotator].sort() as [string, string]
        const key = JSON.stringify([first, second])
        const pair = pairs.get(key) ?? { first, second, n: 0, same: 0 }
        pairs.set(key, pair)
        pair.n++
        pair.same += Number(one.towardsA === other.towardsA)
      }
    })
  }
  return [...pairs.values()].map(({ first, second, n, same }) => ({ first, second, agreed: wilson(same, n) }))
}

/** Seconds; each bin begins at its edge and the last one is open. */
export const PACE_EDGES = [0, 2, 4, 8, 16, 32, 64, 128, 256] as const
export const ANSWER_KINDS = [
  'slight',
  'some',
  'clear',
  'strong',
  'unstated',
  'tie',
  'both-bad',
  'cannot-judge',
] as const
type AnswerKind = (typeof ANSWER_KINDS)[number]

/** Counts in the order of PACE_EDGES and ANSWER_KINDS, of one person and of all others together. */
type Tally = { own: number[]; others: number[] }

export function tallyOf(items: readonly Item[], annotator: string): { pace: Tally; answers: Tally } {
  const pace = { own: PACE_EDGES.map(() => 0), others: PACE_EDGES.map(() => 0) }
  const answers = { own: ANSWER_KINDS.map(() => 0), others: ANSWER_KINDS.map(() => 0) }
  for (const [name, votes] of votesByAnnotator(items)) {
    const whose = name === annotator ? 'own' : 'others'
    for (const { vote } of votes) {
      answers[whose][ANSWER_KINDS.indexOf(kindOf(vote))]!++
      if (vote.time !== undefined) pace[whose][PACE_EDGES.findLastIndex((edge) => vote.time! >= edge)]!++
    }
  }
  return { pace, answers }
}

function kindOf({ choice, strength }: Vote): AnswerKind {
  if (choice !== 'left' && choice !== 'right') return choice
  return strength === undefined ? 'unstated' : ANSWER_KINDS[strength - 1]!
}
