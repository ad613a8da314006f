// How often a reward model sides with each annotator, against how often that annotator sides with the others; and whether it does
// so with those whose answers it was never trained on (InstructGPT, arXiv 2203.02155, held annotator groups out likewise).
import type { Item, Vote } from '#feedback'
import { boundedMean, deriveSeed, type Interval } from '#stats'
import type { ScoredPair } from './reward-ticket.ts'

/** Agreement with one annotator's own answers; `ceiling`: theirs with the majority of the others of each item. */
export type AnnotatorAccuracy = {
  name: string
  ceiling?: Interval
  /** Present where it is known whom the model was trained on. */
  inTraining?: boolean
} & Interval
export type AnnotatorAccuracies = {
  byAnnotator: AnnotatorAccuracy[]
  /** Over all answers of annotators whose answers the model was not trained on, and of those it was. */
  annotators?: { heldOut?: Interval; trained?: Interval }
}

/** Whoever answered less often is one row together. */
export const FEWEST_ANSWERS = 20

type Answer = { annotator: string; agrees: number; group: string; withOthers?: number }

/**
 * Decided answers alone: ties say nothing of either side; without any there is no row. `trainedOn`: annotators behind the model,
 * where they are known.
 */
export function accuracyByAnnotator(
  pairs: readonly ScoredPair[],
  items: readonly Item[],
  {
    seed,
    level = 0.95,
    resamples = 1000,
    trainedOn,
  }: { seed: number; level?: number; resamples?: number; trainedOn?: ReadonlySet<string> | undefined },
): AnnotatorAccuracies {
  const answers = answersOf(pairs, items)
  const share = (name: string, own: readonly Answer[], hit: (answer: Answer) => number | undefined) => {
    const known = own.filter((answer) => hit(answer) !== undefined)
    if (known.length === 0) return undefined
    return boundedMean(
      known.map((answer) => hit(answer)!),
      {
        bounds: [0, 1],
        seed: deriveSeed(seed, 'annotators', name),
        level,
        resamples,
        clusters: known.map(({ group }) => group),
      },
    )
  }
  const row = (name: string, own: readonly Answer[]): AnnotatorAccuracy => {
    const ceiling = share(name, own, ({ withOthers }) => withOthers)
    return { name, ...share(name, own, ({ agrees }) => agrees)!, ...(ceiling && { ceiling }) }
  }
  const names = [...new Set(answers.map(({ annotator }) => annotator))]
  const own = new Map(names.map((name) => [name, answers.filter(({ annotator }) => annotator === name)]))
  const few = names.filter((name) => own.get(name)!.length < FEWEST_ANSWERS)
  const rows = names
    .filter((name) => !few.includes(name))
    .map((name) => ({ ...row(name, own.get(name)!), ...(trainedOn && { inTraining: trainedOn.has(name) }) }))
  const rest = answers.filter(({ annotator }) => few.includes(annotator))
  if (few.length > 0) rows.push(row(`others (${few.length})`, rest))
  return { byAnnotator: rows, ...(trainedOn && { annotators: bySide(answers, trainedOn, share) }) }
}

function bySide(
  answers: readonly Answer[],
  trainedOn: ReadonlySet<string>,
  share: (name: string, own: readonly Answer[], hit: (answer: Answer) => number) => Interval | undefined,
): NonNullable<AnnotatorAccuracies['annotators']> {
  const of = (isTrained: boolean) =>
    share(
      'side',
      answers.filter(({ annotator }) => trainedOn.has(annotator) === isTrained),
      ({ agrees }) => agrees,
    )
  const [heldOut, trained] = [of(false), of(true)]
  return { ...(heldOut && { heldOut }), ...(trained && { trained }) }
}

function answersOf(pairs: readonly ScoredPair[], items: readonly Item[]): Answer[] {
  const pairOf = new Map(pairs.map((pair) => [pair.item, pair]))
  return items.flatMap(({ item, votes }) => {
    const pair = pairOf.get(item)
    if (!pair) return []
    const sign = Math.sign(pair.scoreA - pair.scoreB)
    return votes.flatMap((vote): Answer[] => {
      const { annotator, towardsA } = vote
      if (towardsA === undefined || towardsA === 0.5) return []
      const withOthers = agreementWithOthers(vote, votes)
      return [
        {
          annotator,
          agrees: (1 + sign * Math.sign(towardsA - 0.5)) / 2,
          group: pair.group ?? pair.item,
          ...(withOthers !== undefined && { withOthers }),
        },
      ]
    })
  })
}

/** 1 when a vote sides with the majority of the other votes of its item, a half when it is a tie; undefined where they are split, or none. */
export function agreementWithOthers(vote: Vote, votes: readonly Vote[]): number | undefined {
  const others = votes.flatMap((other) => (other === vote ? [] : (other.towardsA ?? [])))
  if (vote.towardsA === undefined || others.length === 0) return undefined
  const majority = (1 + Math.sign(others.reduce((a, b) => a + b, 0) / others.length - 0.5)) / 2
  return majority === 0.5 ? undefined : 1 - Math.abs(majority - vote.towardsA)
}
