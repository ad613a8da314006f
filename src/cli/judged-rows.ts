// Judgements, the comparisons they belong to and gold answers, as the commands of hone label read them, held against each other.
import { DataError } from '#errors'
import { gatherItems, type GoldAnswer, rowsOfQuestion } from '#feedback'
import type { Comparison, Judgement } from '#schema'
import type { Interval } from '#stats'
import { type Common, readSource } from './data-source.ts'

export const COMPARISONS = 'rows {item, prompt, a, b} that were judged'

/** Rows of the criterion that is named; else of the overall question, where they answer several and not all are asked for. */
export async function readJudged(
  source: string,
  options: Common & { comparisons?: string; criterion?: string },
  { isByGuideline = false, isByCriterion = false }: { isByGuideline?: boolean; isByCriterion?: boolean } = {},
): Promise<{ judgements: Judgement[]; comparisons: Comparison[] | undefined }> {
  const { rows } = await readSource(source, { ...options, kind: 'judgements' })
  const all = rows.flatMap((row) => ('choice' in row ? [row] : []))
  const { criterion } = options
  const judgements = isByCriterion && criterion === undefined ? all : rowsOfQuestion(all, criterion)
  if (judgements.length === 0)
    throw new DataError(
      `expected judgements${criterion === undefined ? '' : ` by the criterion ${criterion}`}, got none`,
      {
        file: source,
      },
    )
  const comparisons =
    options.comparisons === undefined ? undefined : await readComparisons(options.comparisons, options)
  holdTogether(judgements, comparisons, { file: source, isByGuideline })
  return { judgements, comparisons }
}

/** Throws when judgements contradict their items; the error names the file. One person may judge an item once by each criterion and, where asked, under each guideline. */
export function holdTogether(
  judgements: Judgement[],
  comparisons: Comparison[] | undefined,
  { file, isByGuideline = false }: { file: string; isByGuideline?: boolean },
): void {
  const partOf = ({ criterion, guideline }: Judgement) => JSON.stringify([criterion, isByGuideline && guideline])
  try {
    for (const part of new Set(judgements.map(partOf)))
      gatherItems(
        judgements.filter((row) => partOf(row) === part),
        comparisons,
      )
  } catch (cause) {
    throw cause instanceof DataError ? new DataError(cause.message, { file }, { cause }) : cause
  }
}

export async function readComparisons(source: string, options: Common): Promise<Comparison[]> {
  const { rows } = await readSource(source, { ...options, kind: 'comparisons' })
  return rows.map((row, i) => {
    if ('a' in row && 'item' in row) return row
    throw new DataError(
      `expected comparisons {item, prompt, a, b}, got chosen and rejected in row ${i + 1}: that is judged already`,
      { file: source },
    )
  })
}

export async function readGold(source: string, options: Common): Promise<GoldAnswer[]> {
  const { rows } = await readSource(source, { ...options, kind: 'comparisons' })
  return rows.map((row, i) => {
    if ('chosen' in row && row.id !== undefined) return { item: row.id, better: row.chosen }
    throw new DataError(
      `expected gold rows {id, prompt, chosen, rejected} whose id is the item, got another in row ${i + 1}`,
      { file: source },
    )
  })
}

export function range({ value, low, high }: Interval): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}
