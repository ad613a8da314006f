// What people said of three models or more, each two of which met on every prompt: what their ratings are worked out of, which is
// that of hone evaluate --against. What an adjudicator decided is what came of a pair; a pair that was called wrong, or that nobody
// could judge, is in no rating.
import { HttpError } from '#errors'
import { type ModelPair, sharesOf } from '#evaluate'
import type { Comparison, Judgement } from '#schema'
import type { Adjudication, FillModel, StoredJudgement } from '#store'
import type { Pair } from './pairs.ts'
import type { ToRate } from './rating.ts'

/** `facts`: of pairs that are in no rating, or in one by another word than the judgements', as a record has them. */
export type Round = Omit<ToRate, 'levels'> & { rows: number; facts: Record<string, number> }

/** As statistics and gates call them: a name is one word there. @throws HttpError 422 where two would be called the same. */
export function roundNames(models: readonly Pick<FillModel, 'name'>[]): string[] {
  const names = models.map(({ name }) => name.replaceAll(/[^\w-]+/g, '-'))
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined)
    throw new HttpError(422, `models: two of them would be called ${twice} in the ratings; choose different ones`)
  return names
}

/** Undefined: some pair has no answer yet, or none says anything. */
export function roundOf(
  pairs: readonly Pair[],
  judgements: readonly StoredJudgement[],
  {
    models,
    seed,
    rows,
    criterionRows,
    criteria,
    settled,
  }: {
    models: readonly Pick<FillModel, 'name'>[]
    seed: number
    /** Adjudications among them. */
    rows: readonly Judgement[]
    criterionRows: readonly Judgement[]
    criteria: readonly string[]
    settled: readonly Adjudication[]
  },
): Round | undefined {
  const names = roundNames(models)
  const wordOn = new Map(settled.map(({ item, outcome }) => [item, outcome]))
  const all = pairs
    .filter(({ comparison }) => wordOn.get(comparison.item) !== 'excluded')
    .map(({ comparison, wrote: [a, b] }): ModelPair => ({ ...comparison, models: [names[a]!, names[b]!] }))
  const answered = new Set(judgements.map(({ item }) => item))
  const isAnswered = ({ item, a, b }: Comparison) => a === b || answered.has(item) || wordOn.get(item) === 'decided'
  if (!all.every(isAnswered)) return undefined
  const counted = saying(rows, all)
  if (counted.length === 0) return undefined
  return {
    parts: [
      partOf(rows, counted),
      ...criteria.flatMap((criterion) => {
        const own = criterionRows.filter((row) => row.criterion === criterion)
        const part = { criterion, ...partOf(own, saying(own, all)) }
        // Where it could hardly be judged by, not all models met.
        return areLinked(part.pairs, names) ? [part] : []
      }),
    ],
    models: names,
    anchor: names[1]!,
    seed,
    rows: all.length,
    facts: {
      equal: all.filter(({ a, b }) => a === b).length,
      'cannot-judge': all.length - counted.length,
      adjudicated: all.filter(({ item }) => wordOn.get(item) === 'decided').length,
      excluded: pairs.length - all.length,
    },
  }
}

/** Pairs of which somebody said something, and those of two equal texts. */
function saying(rows: readonly Judgement[], pairs: readonly ModelPair[]): ModelPair[] {
  const items = new Set(pairs.map(({ item }) => item))
  const shares = sharesOf(
    rows.filter(({ item }) => items.has(item)),
    pairs,
  )
  return pairs.filter((_, i) => shares[i] !== undefined)
}

function partOf(rows: readonly Judgement[], pairs: ModelPair[]) {
  const items = new Set(pairs.map(({ item }) => item))
  return { judgements: rows.filter(({ item }) => items.has(item)), pairs }
}

/** Whether every model is joined to the first by a chain of pairs. */
function areLinked(pairs: readonly ModelPair[], names: readonly string[]): boolean {
  const linked = new Set(names.slice(0, 1))
  for (const from of linked)
    for (const { models } of pairs) if (models.includes(from)) for (const name of models) linked.add(name)
  return linked.size === names.length
}
