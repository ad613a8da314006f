// hone evaluate --model A --against B C: three models or more answer the same prompts, and each two of them meet on every one.
// Sides are drawn by lot, evenly for each two, and so is the order of all pairs, or it would tell who is who; the key stays
// beside the pairs. Judged as pairs of two models are, they become ratings with and without style control, and a win rate of each two.
import fs from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { readRows } from '#data'
import { ConfigError, DataError } from '#errors'
import { atLevels, levelsOfTargets, type ModelPair, type ModelRatings, rateModels, shuffledMeetings } from '#evaluate'
import { type Evaluation, readJsonFile, readObjectiveFile, RoundKey } from '#lineage'
import type { Comparison, Judgement } from '#schema'
import { deriveSeed, precisionOfTrials } from '#stats'
import { artifactsOf, resolveModel } from '#trainer'
import {
  besidePairs,
  checkPairs,
  checkSettings,
  gatherJudgements,
  pairAt,
  recordOf,
  writePairs,
} from './blind-pairs.ts'
import { withModel } from './completions.ts'
import type { Contest } from './evaluate-against.ts'
import { drawAll } from './evaluate-text.ts'
import type { Output } from './output.ts'

export type NamedModel = { name: string; model: string }
export type Round = Omit<Contest, 'model' | 'against'> & { models: NamedModel[]; anchor: string }

/** The evaluation; undefined when nobody has judged yet, so that there are pairs alone. */
export async function evaluateRound(
  round: Round,
  { signal, out }: { signal: AbortSignal; out: Output },
): Promise<Evaluation | undefined> {
  const key = fs.existsSync(round.pairs) ? readKey(round) : await drawRound(round, { signal, out })
  const rows = (await readRows(round.pairs, { kind: 'comparisons' })).rows as Comparison[]
  const given = await gatherJudgements({ ...round, seed: round.drawing.seed }, rows)
  if (given.length === 0) return undefined
  const judgements = given.flatMap((each) => each.rows)
  const pairs = named(rows, key)
  const objective = round.objective === undefined ? undefined : readObjectiveFile(round.objective).objective
  const { models } = key
  const { path, hash } = models[0]!
  return {
    ...recordOf(round, key, given),
    metric: 'ratings',
    model: { path, hash },
    rated: models,
    statistics: atLevels([...round.levels, ...(objective ? levelsOfTargets(objective) : [])], (level) =>
      ratings(judgements, {
        pairs,
        models: models.map(({ name }) => name),
        anchor: round.anchor,
        seed: round.drawing.seed,
        level,
      }),
    ),
  }
}

/** `NAME=MODEL`, or a model that is called as its folder is; a folder that is there wins. */
export function namedModel(given: string): NamedModel {
  const [, name, model] = /^([\w-]+)=(.+)$/s.exec(given) ?? []
  if (name !== undefined && model !== undefined && !fs.existsSync(given)) return { name, model }
  const folder = resolve(given)
  const own = basename(folder) === 'model' ? dirname(folder) : folder
  return { name: basename(own).replace(/[^\w-]+/g, '-'), model: given }
}

/** How often each two meet, and how close a win rate that tells, at best. */
export function sayMeetings({ pairs, models }: Round, out: Output): { each: number; halfWidth: number } {
  const { wrote } = RoundKey.parse(readJsonFile(besidePairs(pairs).key))
  const each = wrote.length / ((models.length * (models.length - 1)) / 2)
  const halfWidth = precisionOfTrials(each)
  out.say(
    `each two of ${models.length} models meet in ${each} pairs: a win rate to ${halfWidth.toFixed(3)} either way at best; hone label plan win-rate --models ${models.length} says how many it takes`,
  )
  return { each, halfWidth }
}

/** Of all things considered, and CRITERION of each criterion that was asked about. */
function ratings(
  judgements: readonly Judgement[],
  options: Omit<Parameters<typeof rateModels>[0], 'judgements'>,
): Record<string, unknown> {
  const criteria = [...new Set(judgements.map(({ criterion }) => criterion))]
  const rated = (criteria.length === 0 ? [undefined] : criteria).map(
    (criterion): [string | undefined, ModelRatings] => [
      criterion,
      rateModels({ ...options, judgements: judgements.filter((row) => row.criterion === criterion) }),
    ],
  )
  return Object.assign(
    {},
    ...rated.map(([criterion, of]) => (criterion === undefined ? of : { [criterion]: of })),
  ) as Record<string, unknown>
}

function named(rows: readonly Comparison[], { wrote }: RoundKey): ModelPair[] {
  if (rows.length !== wrote.length) throw new DataError(`expected ${wrote.length} pairs, got ${rows.length}`)
  return rows.map((pair, i) => ({ ...pair, models: wrote[i]! }))
}

function readKey(round: Round): RoundKey {
  const { key: file } = besidePairs(round.pairs)
  const parsed = RoundKey.safeParse(readJsonFile(file))
  if (!parsed.success)
    throw new DataError(`expected the key of pairs of several models: ${parsed.error.issues[0]!.message}`, { file })
  const key = parsed.data
  checkPairs(round.pairs, key.pairs.hash)
  const asked = askedOf(round)
  const told = (models: RoundKey['models']) => JSON.stringify(models.map(({ name, hash }) => [name, hash]))
  if (told(asked.models) !== told(key.models))
    throw new ConfigError(
      `--against: ${round.pairs} holds pairs of ${key.models.map(({ name }) => name).join(', ')} as they were then; expected the same, --model first, or another file by --pairs`,
    )
  if (asked.prompts.hash !== key.prompts.hash)
    throw new ConfigError(
      `--prompts: ${round.pairs} holds answers to ${key.prompts.path} as it was then; expected the same, or another file by --pairs`,
    )
  checkSettings(round.pairs, { drawn: key.settings, asked: asked.settings })
  return key
}

function askedOf({ models, prompts, drawing, dtype }: Round): Pick<RoundKey, 'models' | 'prompts' | 'settings'> {
  const found = artifactsOf({ prompts }, {})
  return {
    models: models.map(({ name, model }, i) => ({
      name,
      ...artifactsOf({}, { model: resolveModel(model, i === 0 ? '--model' : '--against') }).model!,
    })),
    prompts: found.prompts!,
    settings: { ...drawing, ...(dtype && { dtype }) },
  }
}

async function drawRound(round: Round, o: { signal: AbortSignal; out: Output }): Promise<RoundKey> {
  const { models, drawing, device, dtype } = round
  const asked = askedOf(round)
  const { rows } = await readRows(round.prompts, { kind: 'prompts' })
  const prompts = rows.map(({ prompt }) => prompt)
  const answers: { row: number; completion: string }[][] = []
  for (const [i, { model: name }] of models.entries())
    answers.push(
      await withModel({ name, device, ...(dtype && { dtype }) }, (opened) =>
        // Seeds of their own: a model that is there twice must not answer twice the same.
        drawAll(opened, prompts, { ...o, drawing: { ...drawing, seed: deriveSeed(drawing.seed, 'round', i) } }),
      ),
    )
  const meetings = shuffledMeetings(models.length, { count: answers[0]!.length, seed: drawing.seed })
  const pairs = meetings.map(({ at, a, b }, i) => {
    const { row } = answers[0]![at]!
    return pairAt(i, rows[row]!, { row, a: answers[a]![at]!.completion, b: answers[b]![at]!.completion })
  })
  return writePairs(round.pairs, pairs, {
    ...asked,
    wrote: meetings.map(({ a, b }): [string, string] => [models[a]!.name, models[b]!.name]),
  })
}
