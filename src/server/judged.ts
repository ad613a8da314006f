// What people said of candidate and opponent: win rate with its interval by bootstrap over prompts, by stratum where there
// are strata, and pair by pair. What an adjudicator decided is what came of a pair; a pair that was called wrong is in no rate.
// The arithmetic is that of hone evaluate --against.
import { shareOf, type Weighted, weightedWinRate, winRate, type WinRate } from '#evaluate'
import { gatherItems } from '#feedback'
import type { Comparison, Judgement, Objective, Prompt } from '#schema'
import type { Adjudication, StoredJudgement } from '#store'
import type { Pair } from './pairs.ts'

type Whose = 'candidate' | 'opponent' | 'tie' | 'both-bad' | 'cannot-judge'
export type JudgedItem = {
  item: string
  stratum: string | null
  prompt: Prompt
  candidate: string
  opponent: string
  outcome: 'win' | 'loss' | 'tie' | 'equal' | 'cannot-judge'
  share: number | null
  /** What an adjudicator said, and why; null: nobody did. */
  settled: { outcome: 'decided' | 'subjective'; choice: Whose | null; reason: string } | null
  judgements: {
    id: string
    choice: Whose
    strength: number | null
    reason: string
  }[]
}
export type Judged = {
  winRate: WinRate
  strata: (WinRate & { name: string })[]
  /** Of each criterion, over the pairs on which it could be judged. */
  criteria: (WinRate & { name: string; cannotJudge: number })[]
  /** Over the criteria, by their weights in the objective; null where fewer than two weigh. */
  weighted: Weighted | null
  equal: number
  /** Pairs of which everybody said that they cannot be judged: told, and in no rate. */
  cannotJudge: number
  /** Pairs that an adjudicator decided. */
  adjudicated: number
  /** Pairs that an adjudicator called wrong: told, and in no rate. */
  excluded: number
  items: JudgedItem[]
}

/** Undefined: some pair has no judgement yet, or none says anything. */
export function judge(
  pairs: readonly Pair[],
  judgements: readonly StoredJudgement[],
  {
    seed,
    level,
    rows,
    criterionRows,
    criteria,
    settled,
    objective,
  }: {
    seed: number
    level: number
    /** Adjudications among them. */
    rows: readonly Judgement[]
    criterionRows: readonly Judgement[]
    criteria: readonly string[]
    settled: readonly Adjudication[]
    objective: Objective | undefined
  },
): Judged | undefined {
  const wordOn = new Map(settled.map((word) => [word.item, word]))
  const wrong = new Set(settled.flatMap(({ item, outcome }) => (outcome === 'excluded' ? [item] : [])))
  const comparisons = pairs
    .filter(({ comparison }) => !wrong.has(comparison.item))
    .map(({ comparison, isFirstA }): Comparison => {
      const { a, b } = comparison
      return isFirstA ? comparison : { ...comparison, a: b, b: a }
    })
  const byItem = grouped(judgements, ({ item }) => item)
  const isAnswered = (item: string): boolean => byItem.has(item) || wordOn.get(item)?.outcome === 'decided'
  if (comparisons.some(({ item, a, b }) => a !== b && !isAnswered(item))) return undefined
  const gathered = gatherItems(rows, comparisons)
  const items = comparisons.map((comparison, i): JudgedItem => {
    const { item, prompt, a, b, stratum } = comparison
    const share = shareOf(gathered[i]!) ?? null
    const word = wordOn.get(item)
    return {
      item,
      stratum: stratum ?? null,
      prompt,
      candidate: a,
      opponent: b,
      share,
      outcome: outcomeOf(share, a === b),
      settled: word ? settledOf(word, a) : null,
      judgements: (byItem.get(item) ?? []).map(({ id, choice, left, strength, reason }) => ({
        id,
        choice: whose(choice, left === a),
        strength,
        reason,
      })),
    }
  })
  const isCounted = (i: number): boolean => items[i]!.outcome !== 'cannot-judge'
  const counted = comparisons.filter((_, i) => isCounted(i))
  if (counted.length === 0) return undefined
  const rate = (some: readonly Comparison[], own = rows): WinRate => {
    const names = new Set(some.map(({ item }) => item))
    return winRate({ judgements: own.filter(({ item }) => names.has(item)), comparisons: some, seed, level })
  }
  const byCriterion = criterionRows.filter(({ item }) => !wrong.has(item))
  const strata = grouped(counted, ({ stratum }) => stratum ?? '')
  return {
    winRate: rate(counted),
    strata:
      strata.size < 2
        ? []
        : [...strata].map(([name, some]) => ({ name: name === '' ? '(none)' : name, ...rate(some) })),
    criteria: criteria.flatMap((name) => {
      const own = criterionRows.filter(({ criterion }) => criterion === name)
      const said = new Set(own.flatMap(({ item, choice }) => (choice === 'cannot-judge' ? [] : [item])))
      const some = comparisons.filter(({ item, a, b }) => a === b || said.has(item))
      return some.length === 0 ? [] : [{ name, ...rate(some, own), cannotJudge: comparisons.length - some.length }]
    }),
    weighted: (objective && weightedWinRate(objective, { judgements: byCriterion, comparisons, seed, level })) ?? null,
    equal: items.filter(({ outcome }) => outcome === 'equal').length,
    cannotJudge: items.filter(({ outcome }) => outcome === 'cannot-judge').length,
    adjudicated: items.filter((each) => each.settled?.outcome === 'decided').length,
    excluded: pairs.length - comparisons.length,
    items,
  }
}

function settledOf({ outcome, choice, left, reason }: Adjudication, candidate: string): JudgedItem['settled'] {
  if (outcome !== 'decided' && outcome !== 'subjective') return null
  return { outcome, choice: choice && whose(choice, left === candidate), reason }
}

function outcomeOf(share: number | null, isEqual: boolean): JudgedItem['outcome'] {
  if (isEqual) return 'equal'
  if (share === null) return 'cannot-judge'
  return share > 0.5 ? 'win' : share < 0.5 ? 'loss' : 'tie'
}

function whose(choice: StoredJudgement['choice'], isCandidateLeft: boolean): Whose {
  if (choice !== 'left' && choice !== 'right') return choice
  return (choice === 'left') === isCandidateLeft ? 'candidate' : 'opponent'
}

function grouped<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const own = groups.get(keyOf(row))
    if (own) own.push(row)
    else groups.set(keyOf(row), [row])
  }
  return groups
}
