// The models of annotators side by side on pairs: each makes, of the same votes, P(a is better) for every item and foretells how an
// annotator would vote. Gold results enter each one as prior knowledge of the annotator.
import { type CrowdRatings, chanceOfFirst, crowdBradleyTerry, type Game } from './crowd-bradley-terry.ts'
import { glad } from './glad.ts'
import type { Item, Vote } from './items.ts'
import { type LabelFit, tabulateVotes } from './label-table.ts'
import { mace } from './mace.ts'
import { type CoinCounts, fitCoins, type Tying } from './two-coin.ts'

/** From the simplest on: a later one has to earn its place. */
export const AGGREGATION_METHODS = ['majority', 'one-coin', 'dawid-skene', 'mace', 'glad', 'crowd-bt'] as const
export type AggregationMethod = (typeof AGGREGATION_METHODS)[number]

export type PairFit = {
  /** P(a is better), an item. */
  posterior: number[]
  /** P(this annotator, seeing item `item` this way round, says left). */
  saysLeft: (vote: Pick<Vote, 'annotator' | 'isALeft'>, item: number) => number
}
export type PairFitOptions = {
  seed: number
  known?: ReadonlyMap<string, CoinCounts>
  /** Everyone that may be asked about, those without a vote included. */
  annotators?: readonly string[]
}

export const TYINGS = {
  majority: 'alike',
  'one-coin': 'one-coin',
  'dawid-skene': 'two-coin',
} as const satisfies Partial<Record<AggregationMethod, Tying>>

const MACE_RESTARTS = 3

export function fitPairs(items: readonly Item[], method: AggregationMethod, options: PairFitOptions): PairFit {
  switch (method) {
    case 'majority':
    case 'one-coin':
    case 'dawid-skene':
      return coinFit(items, TYINGS[method], options)
    case 'mace':
      return labelFit(items, options, (table) => mace(table, { seed: options.seed, restarts: MACE_RESTARTS }))
    case 'glad':
      return labelFit(items, options, (table) => glad(table, { tolerance: 1e-6 }))
    case 'crowd-bt':
      return ratingFit(items, options)
    default:
      throw new Error(`unknown method ${method satisfies never}`)
  }
}

function coinFit(items: readonly Item[], tying: Tying, { known }: PairFitOptions): PairFit {
  const { posterior, coinsOf } = fitCoins(items, tying, known && { known })
  return {
    posterior,
    saysLeft: ({ annotator, isALeft }, item) => {
      const { left, right } = coinsOf(annotator)
      const leftBetter = isALeft ? posterior[item]! : 1 - posterior[item]!
      return leftBetter * left + (1 - leftBetter) * (1 - right)
    },
  }
}

function labelFit(
  items: readonly Item[],
  { known, annotators }: PairFitOptions,
  model: (table: ReturnType<typeof tabulateVotes>) => LabelFit,
): PairFit {
  const table = tabulateVotes(items, { ...(known && { known }), ...(annotators && { annotators }) })
  const { posterior_IK, foretell } = model(table)
  const numberOf = new Map(table.annotators.map((name, a) => [name, a]))
  return {
    posterior: items.map((_, i) => posterior_IK[2 * i]!),
    saysLeft: ({ annotator, isALeft }, item) =>
      foretell({ item, annotator: numberOf.get(annotator)!, said: 0, isTurned: !isALeft }),
  }
}

function ratingFit(items: readonly Item[], { known, annotators = [] }: PairFitOptions): PairFit {
  const players = new Map<string, number>()
  const people = new Map<string, number>()
  const numberIn = (names: Map<string, number>, name: string) => {
    if (!names.has(name)) names.set(name, names.size)
    return names.get(name)!
  }
  for (const name of annotators) numberIn(people, name)
  // The same text under the same prompt is the same completion, whichever pairs it stands in.
  const sides = items.map(({ item, prompt, a, b }) =>
    [a, b].map((text) => numberIn(players, JSON.stringify([prompt ?? { item }, text]))),
  )
  const games = items.flatMap(({ votes }, i) =>
    votes.flatMap(({ annotator, towardsA }): Game[] =>
      towardsA === undefined
        ? []
        : [
            {
              first: sides[i]![0]!,
              second: sides[i]![1]!,
              annotator: numberIn(people, annotator),
              firstShare: towardsA,
            },
          ],
    ),
  )
  const fit: CrowdRatings = crowdBradleyTerry(games, {
    players: players.size,
    annotators: people.size,
    ...(known && {
      known: [...people.keys()].map((name) => {
        const counts = known.get(name)
        return (
          counts && {
            right: counts.left.right + counts.right.right,
            wrong: counts.left.wrong + counts.right.wrong,
          }
        )
      }),
    }),
  })
  return {
    posterior: sides.map(([a, b]) => 1 / (1 + Math.exp(fit.scores[b!]! - fit.scores[a!]!))),
    saysLeft: ({ annotator, isALeft }, item) => {
      const [first, second] = sides[item]!
      const towardsA = chanceOfFirst(fit, { first: first!, second: second!, annotator: people.get(annotator)! })
      return isALeft ? towardsA : 1 - towardsA
    },
  }
}
