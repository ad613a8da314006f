// What hone train folds trains and asks: groups of annotators, the rows that each model learns from, the pairs that measure it; and
// the folder that says so, so that the same command goes on and another one is refused.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readRows } from '#data'
import { ConfigError, DataError } from '#errors'
import { decidedVotes, groupAnnotators } from '#evaluate'
import { gatherItems, type Item, rowsOfQuestion } from '#feedback'
import { canonicalJson, makeFolder, writeDurable } from '#files'
import { Artifact, readJsonFile, shortObjective } from '#lineage'
import { type Judgement, ObjectiveStamp } from '#schema'
import { artifactsOf, holdsJudgements, type RewardJob } from '#trainer'
import { kebab } from './flags.ts'
import { holdTogether } from './judged-rows.ts'
import type { Output } from './output.ts'
import { version } from './version.ts'

export type FoldJob = RewardJob & { heldOut: string }
export type FoldPlan = {
  /** Annotators of each fold: its model learns from all others. */
  groups: string[][]
  /** Rows of --data; each says all that is known of its item, since the row that said it may be left out. */
  rows: Judgement[]
  /** Held-out pairs with a decided answer of somebody who is in a group. */
  items: (Item & { prompt: NonNullable<Item['prompt']> })[]
  simulated: boolean
}

/** Rows, groups and held-out pairs, checked before anything is trained. */
export async function planFolds(job: FoldJob, { folds, out }: { folds: number; out: Output }): Promise<FoldPlan> {
  const data = await readJudgements('--data', job.data)
  const heldOut = await readJudgements('--held-out', job.heldOut)
  const answers = new Map<string, number>()
  for (const { annotator, gold } of data.rows)
    if (gold === undefined) answers.set(annotator, (answers.get(annotator) ?? 0) + 1)
  if (answers.size < folds)
    throw new ConfigError(
      `--folds: expected at most as many as ${job.data} has annotators, ${answers.size}, got ${folds}; give fewer folds`,
    )
  const groups = groupAnnotators(answers, { folds, seed: job.config.seed })
  const known = new Set(data.items.map(pairOf))
  const fresh = heldOut.items.filter((item) => !known.has(pairOf(item)))
  if (fresh.length === 0)
    throw new ConfigError(
      `--held-out: expected pairs that are not in --data, got none in ${job.heldOut}: models that heard the answers would know them; hold out others`,
    )
  if (fresh.length < heldOut.items.length)
    out.say(
      `${heldOut.items.length - fresh.length} of ${heldOut.items.length} held-out pairs are left out: they are in --data too`,
    )
  refuseUnmeasured(fresh, { groups, file: job.heldOut, out })
  const grouped = new Set(groups.flat())
  return {
    groups,
    rows: data.rows,
    items: fresh.filter((item) => decidedVotes(item).some(({ annotator }) => grouped.has(annotator))),
    simulated: [...data.rows, ...heldOut.rows].some((row) => row.simulated === true),
  }
}

/** Rows of the overall question, and the items that are no gold. */
async function readJudgements(flag: string, file: string): Promise<{ rows: Judgement[]; items: FoldPlan['items'] }> {
  if (!(await holdsJudgements(file)))
    throw new ConfigError(
      `${flag}: expected judgements, rows {item, annotator, left, right, choice, prompt}, got ${file}, which does not say who judged: annotators cannot be left out of it`,
    )
  const rows = rowsOfQuestion((await readRows(file, { kind: 'judgements' })).rows)
  holdTogether(rows, undefined, { file })
  const gathered = gatherItems(rows)
  const byName = new Map(gathered.map((item) => [item.item, item]))
  const items = gathered
    .filter(({ gold }) => gold === undefined)
    .map(({ prompt, ...item }) => {
      if (prompt !== undefined) return { ...item, prompt }
      throw new DataError(`expected the prompt of item ${item.item}, got none: add it to its rows`, {
        file,
        field: 'prompt',
      })
    })
  return { rows: rows.map((row) => wholeRow(row, byName.get(row.item)!)), items }
}

function wholeRow(row: Judgement, { prompt, gold }: Item): Judgement {
  return {
    ...row,
    ...(prompt !== undefined && { prompt }),
    ...(gold !== undefined && { gold: gold === row.left ? ('left' as const) : ('right' as const) }),
  }
}

/** The same pair under any name and on any side. */
function pairOf({ prompt, a, b }: Item): string {
  return JSON.stringify([prompt, ...[a, b].sort()])
}

/** A group that decided no held-out pair would cost a model that nothing measures. */
function refuseUnmeasured(
  items: readonly Item[],
  { groups, file, out }: { groups: readonly string[][]; file: string; out: Output },
): void {
  const authors = items.flatMap((item) => decidedVotes(item).map(({ annotator }) => annotator))
  const decided = new Set(authors)
  const without = groups.find((names) => !names.some((name) => decided.has(name)))
  if (without)
    throw new ConfigError(
      `--held-out: expected decided answers of every group of annotators, got none of ${without.join(', ')} in ${file}: nothing would measure their fold; give fewer --folds, another --seed, or held-out judgements of theirs`,
    )
  const grouped = new Set(groups.flat())
  const strangers = authors.filter((annotator) => !grouped.has(annotator))
  if (strangers.length > 0)
    out.say(
      `${strangers.length} held-out answers are left out: their ${new Set(strangers).size} annotators gave none in --data`,
    )
}

const FoldsRecord = z.strictObject({
  kind: z.literal('folds'),
  hone: z.string(),
  model: Artifact,
  data: Artifact,
  heldOut: Artifact,
  /** That its runs are begun under. */
  objective: ObjectiveStamp.optional(),
  settings: z.record(z.string(), z.unknown()),
  groups: z.array(z.array(z.string())),
})
export type FoldsRecord = z.infer<typeof FoldsRecord>

/**
 * FOLDER/folds.json: written where nothing was begun, and what stands there where it says the same; else a ConfigError names what
 * differs. `objective`: in force; one that was not asked for is that of the beginning.
 */
export function keepFolds(
  folder: string,
  {
    job,
    groups,
    objective,
    isAsked,
  }: { job: FoldJob; groups: string[][]; objective: ObjectiveStamp | undefined; isAsked: boolean },
): FoldsRecord {
  const file = join(folder, 'folds.json')
  const { recipe: _, config, model, data, heldOut, ...on } = job
  const now = FoldsRecord.parse({
    kind: 'folds',
    hone: version(),
    ...artifactsOf({ data, heldOut }, { model }),
    ...(objective && { objective }),
    settings: { folds: groups.length, ...on, ...config },
    groups,
  })
  const isOurs = fs.existsSync(file)
  // A job that its first fold refused has begun nothing.
  if (isOurs && fs.existsSync(join(folder, 'fold-1', 'run.json'))) return goOnWith(file, { now, isAsked })
  makeFolder(folder)
  if (!isOurs && fs.readdirSync(folder).some((name) => !name.startsWith('.')))
    throw new ConfigError(`--out: expected a new folder, or one that hone train folds made, got ${folder}`)
  writeDurable(file, `${JSON.stringify(now, null, 2)}\n`)
  return now
}

function goOnWith(file: string, { now, isAsked }: { now: FoldsRecord; isAsked: boolean }): FoldsRecord {
  const parsed = FoldsRecord.safeParse(readJsonFile(file))
  if (!parsed.success) throw new DataError('expected what hone train folds wrote; the folder is damaged', { file })
  const before = parsed.data
  const differ = [
    ...(['model', 'data', 'heldOut'] as const).flatMap((role) =>
      before[role].hash === now[role].hash
        ? []
        : [`--${kebab(role)} was sha256 ${before[role].hash.slice(0, 12)}, is ${now[role].hash.slice(0, 12)}`],
    ),
    ...Object.keys({ ...before.settings, ...now.settings }).flatMap((name) => {
      const [was, is] = [before, now].map(({ settings }) => shown(settings[name]))
      return was === is ? [] : [`--${kebab(name)} was ${was}, is ${is}`]
    }),
    ...(isAsked && before.objective?.id !== now.objective?.id
      ? [`--objective was ${objectiveIn(before)}, is ${objectiveIn(now)}`]
      : []),
  ]
  if (differ.length === 0) return before
  throw new ConfigError(
    `--out: ${file} was begun otherwise: ${differ.join('; ')}; give what it was begun with, or choose another folder`,
  )
}

function objectiveIn({ objective }: FoldsRecord): string {
  return objective ? shortObjective(objective) : 'none'
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : canonicalJson(value)
}
