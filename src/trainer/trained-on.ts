// Whom a reward model learnt from, by the run that its folder lies in: so that its accuracy with people it never heard can be
// told from that with those it was fitted to.
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { readRows } from '#data'
import { rowsOfQuestion } from '#feedback'
import { sha256File } from '#files'
import { Preference } from '#schema'
import { readRun } from './run-folder.ts'
import { holdsJudgements } from './rows.ts'

/** Annotators behind the reward model in this folder; undefined where its run is not there, its data changed or moved, or nobody is named in it. */
export async function annotatorsBehind(folder: string): Promise<Set<string> | undefined> {
  const run = dirname(folder)
  if (!fs.existsSync(join(run, 'run.json'))) return undefined
  const { data } = readRun(run).record.inputs
  if (!data || !fs.existsSync(data.path) || sha256File(data.path) !== data.hash) return undefined
  if (await holdsJudgements(data.path)) {
    const { rows } = await readRows(data.path, { kind: 'judgements' })
    return new Set(rowsOfQuestion(rows).map(({ annotator }) => annotator))
  }
  const { rows } = await readRows(data.path, { kind: 'comparisons' })
  const named = rows.map((row) => Preference.safeParse(row).data?.annotators)
  return named.every((annotators) => annotators !== undefined) ? new Set(named.flat()) : undefined
}
