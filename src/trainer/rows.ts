// Rows of training files, and what they hash to. Pairs come in three shapes: ready-made (chosen, rejected), judgements,
// which are aggregated here so that the reliability of annotators reaches the loss, and preferences aggregated before.
import { resolve } from 'node:path'
import { readRows, streamRows } from '#data'
import { DataError } from '#errors'
import {
  aggregate,
  countTable,
  gatherItems,
  krippendorffAlpha,
  type Qualification,
  ratingsOf,
  rowsOfQuestion,
} from '#feedback'
import { sha256File } from '#files'
import {
  type ChosenRejected,
  type Comparison,
  type Demonstration,
  type Judgement,
  Preference,
  type PromptRow,
} from '#schema'
import { bootstrap, deriveSeed, type Interval } from '#stats'
import { hashModel } from './models.ts'
import type { Artifact } from './run-folder.ts'

export async function readDemonstrations(file: string): Promise<Demonstration[]> {
  return (await readRows(file, { kind: 'demonstrations' })).rows
}

/** Prompts of a file of prompts, or of any rows that have one, each in its row. */
export async function readPrompts(file: string): Promise<PromptRow[]> {
  return (await readRows(file, { kind: 'prompts' })).rows
}

export type Pairs = {
  preferences: Preference[]
  from: 'comparisons' | 'judgements' | 'preferences'
  method?: string
  /** Krippendorff's alpha of the judgements behind them. */
  alpha?: Interval
  simulated: boolean
  /** Of the items whose rows name one. */
  strata: Map<string, string>
}

/** Preferences out of any file of pairs, of the overall question where judgements answer several; what is wrong with it is a DataError with file and line. */
export async function readPairs(
  file: string,
  { seed, qualification }: { seed: number; qualification?: Qualification[] },
): Promise<Pairs> {
  if (await holdsJudgements(file)) {
    const rows = rowsOfQuestion((await readRows(file, { kind: 'judgements' })).rows)
    const { preferences, method } = aggregate({ judgements: rows, seed, ...(qualification && { qualification }) })
    const alpha = alphaOf(rows, seed)
    const simulated = rows.some((row) => row.simulated === true)
    const strata = strataOf(rows, ({ item }) => item)
    return { preferences, from: 'judgements', method, ...(alpha && { alpha }), simulated, strata }
  }
  const { rows } = await readRows(file, { kind: 'comparisons' })
  const preferences = rows.map((row, i) => preferenceOf(row, file, i + 1))
  const from = rows.some((row) => 'chosen' in row) ? 'comparisons' : 'preferences'
  const strata = strataOf(rows, (_, i) => preferences[i]!.item)
  return { preferences, from, simulated: preferences.some((row) => row.simulated === true), strata }
}

/** Rows keep fields that are not of their kind. */
function strataOf<Row extends object>(rows: readonly Row[], itemOf: (row: Row, i: number) => string) {
  return new Map(
    rows.flatMap((row, i): [string, string][] =>
      'stratum' in row && typeof row.stratum === 'string' ? [[itemOf(row, i), row.stratum]] : [],
    ),
  )
}

/** Ids of the judgements that `readPairs` learns from: of the overall question where there is one, gold left out; undefined where the file holds no judgements, or they have no ids. */
export async function judgementIds(file: string): Promise<string[] | undefined> {
  if (!(await holdsJudgements(file))) return undefined
  const judged: { id: string; criterion?: string }[] = []
  for await (const outcome of streamRows(file, 'judgements')) {
    if (!('row' in outcome) || outcome.row.id === undefined || outcome.row.gold !== undefined) continue
    const { id, criterion } = outcome.row
    judged.push({ id, ...(criterion !== undefined && { criterion }) })
  }
  const ids = rowsOfQuestion(judged).map(({ id }) => id)
  return ids.length > 0 ? ids : undefined
}

/** Of fewer items judged twice an interval says nothing. */
const FEWEST_SHARED = 20

/** Undefined where few items were judged twice, or all answers are alike. */
function alphaOf(judgements: Judgement[], seed: number): Interval | undefined {
  const { categories, counts } = countTable(ratingsOf(gatherItems(judgements)))
  const shared = counts.filter((row) => row.reduce((a, b) => a + b, 0) >= 2)
  if (shared.length < FEWEST_SHARED) return undefined
  const alpha = bootstrap(shared, (sample) => krippendorffAlpha({ categories, counts: sample as number[][] }), {
    seed: deriveSeed(seed, 'alpha'),
    resamples: 500,
  })
  return Number.isFinite(alpha.low) && Number.isFinite(alpha.high) ? alpha : undefined
}

/** Whether a file is of judgements, by its first row. */
export async function holdsJudgements(file: string): Promise<boolean> {
  for await (const outcome of streamRows(file, 'judgements'))
    return 'row' in outcome || /"annotator"/.test(outcome.text)
  return false
}

function preferenceOf(row: ChosenRejected | Comparison, file: string, place: number): Preference {
  if ('chosen' in row) {
    const { prompt, chosen, rejected, id = `row-${place}` } = row
    return { item: id, prompt, a: chosen, b: rejected, probability: 1, weight: 1, judgements: 0 }
  }
  const parsed = Preference.safeParse(row)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = String(issue?.path[0] ?? 'probability')
  if ('probability' in row && 'weight' in row)
    throw new DataError(`preference in row ${place}: ${issue?.message}`, { file, field })
  throw new DataError(
    `expected a pair with chosen and rejected, or a preference with probability and weight, got a comparison that nobody judged (row ${place}); judge it by hone label, then aggregate`,
    { file, field },
  )
}

/** Files and model folders that went in, by role, absolute and hashed; roles without a path are left out. */
export function artifactsOf(
  files: Record<string, string | undefined>,
  models: Record<string, string | undefined>,
): Record<string, Artifact> {
  const named = (entries: Record<string, string | undefined>, hash: (path: string) => string) =>
    Object.entries(entries).flatMap(([role, path]): [string, Artifact][] =>
      path === undefined ? [] : [[role, { path: resolve(path), hash: hash(path) }]],
    )
  return Object.fromEntries([...named(files, sha256File), ...named(models, hashModel)])
}
