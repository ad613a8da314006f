// Samples of a fill become pairs: of two models sample k of the one against sample k of the other, of more each two at each sample,
// of one model its first sample against its second, its third against its fourth. Which side of the row is whose is drawn by the
// seed, so that neither a row nor its item's name says who wrote what; who knows the seed can draw it again.
import { invariant } from '#errors'
import { shuffledMeetings } from '#evaluate'
import type { Comparison, PromptRow } from '#schema'
import { deriveSeed, generator } from '#stats'
import type { Fill, Sample } from '#store'

/** `wrote`: the models of `a` and `b`, by their place in the fill. `isFirstA`: `a` is by the first of them, or the earlier sample. */
export type Pair = { comparison: Comparison; wrote: readonly [a: number, b: number]; isFirstA: boolean; row: number }

/** All pairs, those of two equal texts among them; of three models or more shuffled, else in the order of prompts. */
export function pairsOf(
  fill: Pick<Fill, 'n' | 'seed' | 'models'>,
  prompts: readonly PromptRow[],
  samples: readonly (Sample & { model: number })[],
): Pair[] {
  const { n, seed, models } = fill
  const texts = new Map(samples.map(({ model, row, sample, completion }) => [`${model} ${row} ${sample}`, completion]))
  const textOf = (model: number, row: number, sample: number): string => {
    const text = texts.get(`${model} ${row} ${sample}`)
    invariant(text !== undefined, `sample ${sample} of row ${row} is there`)
    return text
  }
  const pairOf = (row: number, number: number, a: string, b: string): Comparison => {
    const { id, group, stratum, prompt } = prompts[row]!
    return {
      item: `pair-${number}`,
      ...(id !== undefined && { id }),
      // Pairs of one prompt are resampled together.
      group: group ?? `row ${row + 1}`,
      ...(stratum !== undefined && { stratum }),
      prompt,
      a,
      b,
    }
  }
  if (models.length > 2)
    return shuffledMeetings(models.length, { count: prompts.length * n, seed }).map(({ at, a, b }, i): Pair => {
      const [row, sample] = [Math.floor(at / n), at % n]
      const comparison = pairOf(row, i + 1, textOf(a, row, sample), textOf(b, row, sample))
      return { comparison, wrote: [a, b], isFirstA: a < b, row }
    })
  const sides = generator(deriveSeed(seed, 'sides'))
  const count = models.length === 2 ? n : Math.floor(n / 2)
  return prompts.flatMap((_, row) =>
    Array.from({ length: count }, (__, k): Pair => {
      const [first, second] =
        models.length === 2
          ? [textOf(0, row, k), textOf(1, row, k)]
          : [textOf(0, row, 2 * k), textOf(0, row, 2 * k + 1)]
      const isFirstA = sides.uniform() < 0.5
      const [a, b] = isFirstA ? [first, second] : [second, first]
      const last = models.length - 1
      const comparison = pairOf(row, row * count + k + 1, a, b)
      return { comparison, wrote: isFirstA ? [0, last] : [last, 0], isFirstA, row }
    }),
  )
}
