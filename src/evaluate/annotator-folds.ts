// Is a reward model right less often about people it never heard? Annotators are put into groups, one model is trained without
// each, and a held-out answer is asked of the model that never heard its author and of all that did (InstructGPT, arXiv
// 2203.02155, section 4.1). Every model lacks one group, so that both sides were trained on about as much.
import { DataError } from '#errors'
import type { Item, Vote } from '#feedback'
import { average, boundedMean, deriveSeed, generator, type Interval } from '#stats'

/** One annotator's decided answer to one held-out pair. K = models, in the order of the groups they lack. */
export type FoldAnswer = {
  /** Of its author's group, from 0. */
  fold: number
  /** 1: the model sides with it; 0: with the other completion; 0.5: its scores are equal. */
  agrees_K: readonly number[]
  /** Resampled together (the prompt). */
  cluster: string
}
/** Shares of answers that the models side with. `n` of an interval: prompts. */
export type FoldAccuracy = {
  answers: number
  /** By the model that never heard the answer's author. */
  heldOut: Interval
  /** By the others, their mean for each answer. */
  trained: Interval
  /** Held out minus trained, answer by answer: below 0, whom it was trained on fares better. */
  difference: Interval
}
/** What each model gives the completions of a held-out pair. */
export type FoldScores = { item: Item; cluster: string; scores_K: readonly { a: number; b: number }[] }

/**
 * Puts annotators into groups of about as many answers: who gave most first, into the group that has fewest. `answers`: how many
 * each gave, at least as many annotators as `folds`. Equals go by the seed, never by the order of rows.
 */
export function groupAnnotators(
  answers: ReadonlyMap<string, number>,
  { folds, seed }: { folds: number; seed: number },
): string[][] {
  const order = generator(deriveSeed(seed, 'annotator-folds')).shuffle(
    [...answers].sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  const groups = Array.from({ length: folds }, () => ({ names: [] as string[], answers: 0 }))
  for (const [name, count] of order.sort(([, a], [, b]) => b - a)) {
    const group = groups.reduce((least, each) => (each.answers < least.answers ? each : least))
    group.names.push(name)
    group.answers += count
  }
  return groups.map(({ names }) => names.sort())
}

/** Votes that name a side. */
export function decidedVotes({ votes }: Pick<Item, 'votes'>): (Vote & { towardsA: number })[] {
  return votes.flatMap((vote) => {
    const { towardsA } = vote
    return towardsA === undefined || towardsA === 0.5 ? [] : [{ ...vote, towardsA }]
  })
}

/** The decided answers of annotators who are in a group, each with what every model makes of it. */
export function foldAnswers(scored: readonly FoldScores[], groups: readonly (readonly string[])[]): FoldAnswer[] {
  const foldOf = new Map(groups.flatMap((names, fold) => names.map((name): [string, number] => [name, fold])))
  return scored.flatMap(({ item, cluster, scores_K }) =>
    decidedVotes(item).flatMap(({ annotator, towardsA }): FoldAnswer[] => {
      const fold = foldOf.get(annotator)
      if (fold === undefined) return []
      const side = Math.sign(towardsA - 0.5)
      return [{ fold, cluster, agrees_K: scores_K.map(({ a, b }) => (1 + side * Math.sign(a - b)) / 2) }]
    }),
  )
}

/**
 * Accuracy by fold and over all answers, with intervals by bootstrap over prompts: they speak for other prompts, not for other
 * annotators or another training of these models.
 * @throws DataError when a fold has no answer: nothing measures its model
 */
export function accuracyByFold(
  answers: readonly FoldAnswer[],
  { folds, seed, level = 0.95, resamples = 1000 }: { folds: number; seed: number; level?: number; resamples?: number },
): { folds: FoldAccuracy[]; all: FoldAccuracy } {
  const accuracyOf = (name: string, own: readonly FoldAnswer[]): FoldAccuracy => {
    if (own.length === 0) throw new DataError(`expected held-out answers of every fold, got none of ${name}`)
    const clusters = own.map(({ cluster }) => cluster)
    const heldOut = own.map(({ fold, agrees_K }) => agrees_K[fold]!)
    const trained = own.map(({ fold, agrees_K }) => average(agrees_K.filter((_, k) => k !== fold)))
    const mean = (of: readonly number[], least: number) =>
      boundedMean(of, { bounds: [least, 1], seed: deriveSeed(seed, 'fold', name), level, resamples, clusters })
    return {
      answers: own.length,
      heldOut: mean(heldOut, 0),
      trained: mean(trained, 0),
      difference: mean(
        heldOut.map((value, i) => value - trained[i]!),
        -1,
      ),
    }
  }
  return {
    folds: Array.from({ length: folds }, (_, k) =>
      accuracyOf(
        `fold ${k + 1}`,
        answers.filter(({ fold }) => fold === k),
      ),
    ),
    all: accuracyOf('all', answers),
  }
}
