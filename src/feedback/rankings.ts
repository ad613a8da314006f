// A ranking of K completions of one prompt is K (K - 1) / 2 comparisons (InstructGPT, arXiv 2203.02155, which also keeps them
// together: as rows of their own they are seen K - 1 times each). All carry the prompt's group, so that no split parts them.
import { DataError } from '#errors'
import type { Judgement, Prompt } from '#schema'

export type Ranking = {
  item: string
  annotator: string
  prompt: Prompt
  /** Rows of one group stay together in every split. */
  group: string
  completions: readonly string[]
  /** Of each completion, from 1, the best; equal ones share a place. */
  places: readonly number[]
  /** Where each stood on the screen, from 0: the earlier of two is the left one. */
  shown: readonly number[]
}

/**
 * One judgement a pair, items named `ITEM/1-2` by the order of completions.
 * @throws DataError when places or screen positions are not one for each completion
 */
export function pairsOfRanking(ranking: Ranking): (Judgement & { group: string })[] {
  const { item, annotator, prompt, group, completions, places, shown } = ranking
  const K = completions.length
  if (places.length !== K || shown.length !== K)
    throw new DataError(`expected a place and a position for each of ${K} completions of item ${item}`, {
      field: places.length === K ? 'shown' : 'places',
    })
  const rows: (Judgement & { group: string })[] = []
  for (let i = 0; i < K; i++)
    for (let j = i + 1; j < K; j++) {
      const [left, right] = shown[i]! < shown[j]! ? [i, j] : [j, i]
      const difference = places[right]! - places[left]!
      rows.push({
        item: `${item}/${i + 1}-${j + 1}`,
        annotator,
        prompt,
        group,
        left: completions[left]!,
        right: completions[right]!,
        choice: difference === 0 ? 'tie' : difference > 0 ? 'left' : 'right',
      })
    }
  return rows
}
