// Samples of a fill become pairs: sample k of the one model against sample k of the other, or of one model its first sample
// against its second, its third against its fourth. Which side of the row is whose is drawn by the seed, so that neither a
// row nor its item's name says who wrote what; who knows the seed can draw it again.
import { invariant } from '#errors'
import type { Comparison, PromptRow } from '#schema'
import { deriveSeed, generator } from '#stats'
import type { Fill, Sample } from '#store'

/** `isFirstA`: `a` is by the first model, or is the earlier sample of the only one. */
export type Pair = { comparison: Comparison; isFirstA: boolean; row: number }

/** All pairs, those of two equal texts among them, in the order of prompts. */
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
  const sides = generator(deriveSeed(seed, 'sides'))
  const count = models.length === 2 ? n : Math.floor(n / 2)
  return prompts.flatMap(({ id, group, stratum, prompt }, row) =>
    Array.from({ length: count }, (_, k): Pair => {
      const [first, second] =
        models.length === 2
          ? [textOf(0, row, k), textOf(1, row, k)]
          : [textOf(0, row, 2 * k), textOf(0, row, 2 * k + 1)]
      const isFirstA = sides.uniform() < 0.5
      const comparison: Comparison = {
        item: `pair-${row * count + k + 1}`,
        ...(id !== undefined && { id }),
        // Pairs of one prompt are resampled together.
        group: group ?? `row ${row + 1}`,
        ...(stratum !== undefined && { stratum }),
        prompt,
        a: isFirstA ? first : second,
        b: isFirstA ? second : first,
      }
      return { comparison, isFirstA, row }
    }),
  )
}
