// Files of blind pairs: the key beside them that says who is who, judgements of them, of people whose rows come back and of
// a judge at hand, and what an evaluation says of all that.
import fs from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readRows } from '#data'
import { ConfigError, DataError } from '#errors'
import { sha256, sha256File, writeDurable } from '#files'
import type { Evaluation, PairsKey, RoundKey } from '#lineage'
import type { Comparison, Judgement, PromptRow } from '#schema'
import { artifactsOf, readCard } from '#trainer'
import type { Contest } from './evaluate-against.ts'
import { openJudge } from './judges.ts'
import { objectiveOf } from './objective.ts'
import { version } from './version.ts'

export type Judging = {
  /** File of the pairs. */
  pairs: string
  seed: number
  judge?: string | undefined
  /** File of rows that came back. */
  judgements?: string | undefined
  guideline?: string | undefined
  criterion?: string | undefined
}

/** What a key beside these pairs is called, and what a judge says of them. */
export function besidePairs(pairs: string): { key: string; judgements: string; answers: string } {
  const stem = pairs.replace(/\.jsonl$/, '')
  return { key: `${stem}.key.json`, judgements: `${stem}.judgements.jsonl`, answers: `${stem}.answers` }
}

/** Rows that came back, and those of a judge at hand, which are kept. */
export async function gatherJudgements(
  { pairs: file, judge, judgements, seed, guideline, criterion }: Judging,
  pairs: readonly Comparison[],
): Promise<{ file: string; rows: Judgement[] }[]> {
  const given =
    judgements === undefined
      ? []
      : [{ file: judgements, rows: (await readRows(judgements, { kind: 'judgements' })).rows }]
  if (judge === undefined) return given
  const beside = besidePairs(file)
  if (judgements !== undefined && resolve(judgements) === resolve(beside.judgements))
    throw new ConfigError(
      `--judgements: ${judgements} is where the rows of --judge are kept and would be written over; rename it`,
    )
  if (judge.startsWith('simulated') && pairs.some(({ prompt }) => typeof prompt !== 'string'))
    throw new ConfigError('--judge: simulated annotators read prompts that are text, got messages')
  const ask = await openJudge(judge, { seed, folder: beside.answers, guideline, criterion })
  // Equal texts tie without being shown.
  const verdicts = await ask(
    pairs.filter(({ a, b }) => a !== b),
    'win-rate',
  )
  const rows = verdicts.flatMap((verdict) => verdict.judgements)
  fs.mkdirSync(dirname(beside.judgements), { recursive: true })
  writeDurable(beside.judgements, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return [...given, { file: join(beside.judgements), rows }]
}

/** Two answers to the prompt in `row` of its file, as pair `i` of theirs. Pairs of one prompt are resampled together. */
export function pairAt(
  i: number,
  { id, group, stratum, prompt }: PromptRow,
  { row, a, b }: { row: number; a: string; b: string },
): Comparison {
  return {
    item: `pair-${i + 1}`,
    ...(id !== undefined && { id }),
    group: group ?? `row ${row + 1}`,
    ...(stratum !== undefined && { stratum }),
    prompt,
    a,
    b,
  }
}

/** Writes pairs with their key, which is `who` and what they are, and answers it. */
export function writePairs<Who extends object>(file: string, pairs: readonly Comparison[], who: Who) {
  const text = pairs.map((pair) => `${JSON.stringify(pair)}\n`).join('')
  const key = { kind: 'pairs' as const, hone: version(), ...who, pairs: { path: resolve(file), hash: sha256(text) } }
  // The key first: pairs without it cannot be read, a key without pairs is drawn again.
  writeDurable(besidePairs(file).key, `${JSON.stringify(key, null, 2)}\n`)
  writeDurable(file, text)
  return key
}

/** What an evaluation says of the pairs that it rests on, and of who judged them. Its kind comes first, by which it is found. */
export function recordOf(
  { suite, objective, dir, levels, judge, anchor }: Omit<Contest, 'model' | 'against'> & { anchor?: string },
  key: PairsKey | RoundKey,
  given: Awaited<ReturnType<typeof gatherJudgements>>,
): Omit<Evaluation, 'metric' | 'model' | 'statistics'> {
  const [models, rows] = 'models' in key ? [key.models, key.wrote] : [[key.model, key.against], key.isModelA]
  const judgements = given.flatMap((each) => each.rows)
  const stamp = objectiveOf({ objective, dir })
  return {
    kind: 'evaluation',
    hone: version(),
    suite: { name: suite, ...key.prompts, rows: rows.length },
    pairs: key.pairs,
    judgements: given.map(({ file }) => artifactsOf({ file }, {}).file!),
    ...(stamp && { objective: { ...stamp, ...(objective !== undefined && { path: resolve(objective) }) } }),
    settings: {
      ...key.settings,
      ...(anchor !== undefined && { anchor }),
      level: levels[0]!,
      judgements: judgements.length,
      ...(judge && { judge }),
    },
    simulated: judgements.some((row) => row.simulated === true) || models.some(({ path }) => readCard(path)?.simulated),
  }
}

/** What was judged must be what was drawn. */
export function checkPairs(file: string, hash: string): void {
  if (sha256File(file) !== hash)
    throw new DataError('changed since the pairs were drawn: bring it back, or draw others to a new file', { file })
}

/** A setting that other pairs were drawn with would be ignored. */
export function checkSettings(
  pairs: string,
  { drawn, asked }: { drawn: Record<string, unknown>; asked: Record<string, unknown> },
): void {
  const setting = Object.entries(asked).find(([name, value]) => !isDeepStrictEqual(drawn[name], value))
  if (setting)
    throw new ConfigError(
      `${pairs} was drawn with ${setting[0]} ${JSON.stringify(drawn[setting[0]])}, not ${JSON.stringify(setting[1])}: ask for the same, or for another file by --pairs`,
    )
}
