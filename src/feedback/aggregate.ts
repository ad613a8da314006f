// From judgements to preferences: a probability that a is better, and a weight, for each item. Reliability of annotators enters by
// the model's posterior; qualification enters as prior knowledge of each annotator and as the weight.
import { ConfigError, DataError } from '#errors'
import type { Comparison, Judgement, Preference } from '#schema'
import type { Interval } from '#stats'
import { settledProbability, withDecided } from './adjudicated.ts'
import { type AggregationEvidence, chooseAggregation } from './choose-aggregation.ts'
import { gatherItems, type Item, type Vote, votesByAnnotator } from './items.ts'
import { type AggregationMethod, fitPairs, TYINGS } from './pair-models.ts'
import { knownFrom, type Qualification, qualify } from './qualification.ts'
import { type CoinCounts, type Coins, coinsGiven, type Fit, fitCoins, skillOf } from './two-coin.ts'

export type AnnotatorSkill = {
  annotator: string
  judgements: number
  /** Probability of naming the better side, over both sides alike. */
  skill: Interval
  /** P(says left | left is better), P(says right | right is better). */
  coins: Coins
  /** (coins.left - coins.right) / 2: above 0 leans to the left side. */
  sideLean: number
  /** Nats by which an answer moves the log-odds of its item, mean over both sides; only of methods that weigh answers by coins. */
  answerWeight?: number
  qualified?: boolean
}
export type Aggregation = {
  preferences: Preference[]
  annotators: AnnotatorSkill[]
  method: AggregationMethod | 'weighted-majority'
  /** Held-out evidence of every method; empty when the method was prescribed. */
  evidence: AggregationEvidence[]
  /** Items that make no preference, and why. */
  setAside: { item: string; reason: string }[]
}

/**
 * Aggregates comparisons. `auto` chooses by held-out evidence; `weighted-majority` weighs votes by gold accuracy alone and
 * needs `qualification`. An item's weight is the share of its votes cast by annotators who passed (1 without qualification).
 * What an adjudicator decided holds, as reliable as they are; what is marked subjective keeps the shares of its votes.
 * Rows with a gold answer say how reliable their authors are, beside `qualification`, and make no preference.
 * @throws DataError when a judgement does not match its item or no prompt is known
 */
export function aggregate({
  judgements,
  comparisons,
  method = 'auto',
  seed,
  qualification,
}: {
  judgements: readonly Judgement[]
  comparisons?: readonly Comparison[]
  method?: 'auto' | AggregationMethod | 'weighted-majority'
  seed: number
  qualification?: readonly Qualification[]
}): Aggregation {
  if (method === 'weighted-majority' && !qualification)
    throw new ConfigError('weighted-majority needs qualification results; qualify the annotators or use auto')
  const all = gatherItems(judgements, comparisons)
  const gold = all.flatMap(({ item, gold: better }) => (better === undefined ? [] : [{ item, better }]))
  const items = all.filter((item) => item.gold === undefined)
  const saysSomething = ({ votes, adjudication }: Item) =>
    adjudication?.as === 'decided' || votes.some((vote) => vote.towardsA !== undefined)
  const judged = items.filter(saysSomething)
  if (judged.length === 0) throw new DataError('aggregation needs at least one judgement that says something, got none')
  const shown = [...(qualification ?? []), ...qualify({ judgements, gold, ...(comparisons && { comparisons }) })]
  const known = withDecided(items, shown.length === 0 ? undefined : knownFrom(shown))
  const prior = known && { known }
  const open = judged.filter(({ adjudication }) => !adjudication)
  const chosen = method === 'auto' ? chooseFor(open, { seed, ...prior }) : { method, evidence: [] }
  const fit = open.length === 0 ? fitCoins([], 'two-coin', prior) : fitBy(chosen.method, open, { seed, ...prior })
  const posterior = new Map(open.map((item, i) => [item, fit.posterior[i]!]))
  const passed = qualification && new Map(qualification.map((report) => [report.annotator, report.passed]))
  const said = saidIn(judged)
  const preferences = judged.map((item) =>
    preferenceOf(item, posterior.get(item) ?? settledProbability(item, fit.countsOf), { passed, said }),
  )
  return {
    ...chosen,
    preferences: preferences.filter(({ weight }) => weight > 0),
    annotators: [...votesByAnnotator(judged)].map(([annotator, votes]) => {
      const coins = fit.coinsOf(annotator)
      return {
        annotator,
        judgements: votes.length,
        skill: skillOf(fit.countsOf(annotator)),
        coins,
        sideLean: (coins.left - coins.right) / 2,
        ...(weighsByCoins(chosen.method) && { answerWeight: answerWeight(coins) }),
        ...(passed && { qualified: passed.get(annotator) ?? false }),
      }
    }),
    setAside: [
      ...gold.map(({ item }) => ({ item, reason: 'gold: it measures those who judge' })),
      ...items
        .filter((item) => !judged.includes(item))
        .map(({ item }) => ({ item, reason: 'no judgement says anything' })),
      ...preferences
        .filter(({ weight }) => weight === 0)
        .map(({ item }) => ({ item, reason: 'nobody who judged it is qualified' })),
    ],
  }
}

/** Where everything is settled no model has anything to foretell. */
function chooseFor(
  open: readonly Item[],
  options: { seed: number; known?: ReadonlyMap<string, CoinCounts> },
): ReturnType<typeof chooseAggregation> {
  return open.length === 0 ? { method: 'majority', evidence: [] } : chooseAggregation(open, options)
}

function fitBy(
  method: Aggregation['method'],
  items: readonly Item[],
  { seed, known }: { seed: number; known?: ReadonlyMap<string, CoinCounts> },
): Fit {
  const prior = known && { known }
  if (method === 'weighted-majority') return fitCoins(items, 'one-coin', { ...prior, rounds: 0 })
  if (method in TYINGS) return fitCoins(items, TYINGS[method as keyof typeof TYINGS], prior)
  const { posterior } = fitPairs(items, method, { seed, ...prior })
  return { posterior, ...coinsGiven(items, posterior, known) }
}

function weighsByCoins(method: Aggregation['method']): boolean {
  return method === 'weighted-majority' || method in TYINGS
}

/** "Left" adds log(left / (1 - right)), "right" log(right / (1 - left)) towards its side. */
function answerWeight({ left, right }: Coins): number {
  return (Math.log(left / (1 - right)) + Math.log(right / (1 - left))) / 2
}

/** What anybody said at all: a share of 0 tells something only where the answer was there to be given. */
type Said = Record<'tie' | 'both-bad', boolean>

function saidIn(items: readonly Item[]): Said {
  const says = (choice: keyof Said) =>
    items.some(
      ({ votes, adjudication }) => votes.some((vote) => vote.choice === choice) || adjudication?.vote.choice === choice,
    )
  return { tie: says('tie'), 'both-bad': says('both-bad') }
}

function preferenceOf(
  item: Item,
  probability: number,
  { passed, said }: { passed: ReadonlyMap<string, boolean> | undefined; said: Said },
): Preference {
  if (item.prompt === undefined)
    throw new DataError(
      `no prompt is known for item ${item.item}; give its comparison, or judgements that carry the prompt`,
      {
        field: 'prompt',
      },
    )
  const { adjudication } = item
  const cast = item.votes.filter((vote) => vote.towardsA !== undefined)
  const decided = adjudication?.as === 'decided' ? [adjudication.vote] : undefined
  const from = [...item.votes, ...(adjudication ? [adjudication.vote] : [])].flatMap(({ id }) => id ?? [])
  const counted = decided ?? (passed ? cast.filter((vote) => passed.get(vote.annotator)) : cast)
  return {
    item: item.item,
    prompt: item.prompt,
    a: item.a,
    b: item.b,
    probability,
    weight: decided ? 1 : counted.length / cast.length,
    judgements: cast.length,
    ...(said.tie && counted.length > 0 && { tie: shareOf(counted, 'tie') }),
    ...(said['both-bad'] && counted.length > 0 && { bothBad: shareOf(counted, 'both-bad') }),
    ...strengthOf(counted, probability),
    annotators: [...cast, ...(decided ?? [])].map((vote) => vote.annotator),
    ...(from.length > 0 && { from }),
    ...(item.simulated && { simulated: true }),
    ...(adjudication && { adjudication: adjudication.as }),
  }
}

function shareOf(votes: readonly Vote[], choice: Vote['choice']): number {
  return votes.filter((vote) => vote.choice === choice).length / votes.length
}

/** Nothing where nobody stated a strength; an answer that names a side without one is left out. */
function strengthOf(votes: readonly Vote[], probability: number): { strength?: number } {
  if (!votes.some(({ strength }) => strength !== undefined)) return {}
  const signed = votes.flatMap(({ towardsA, strength }) =>
    towardsA === 0.5 ? 0 : strength === undefined ? [] : (2 * towardsA! - 1) * strength,
  )
  const mean = signed.reduce((a, b) => a + b, 0) / signed.length
  return { strength: Math.max(0, probability < 0.5 ? -mean : mean) }
}
