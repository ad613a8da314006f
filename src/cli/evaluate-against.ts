// hone evaluate --model A --against B: blind win rate. Both answer the same prompts; which of them is `a` is drawn for each
// pair and kept in a key beside the pairs, so that the pairs can be given away to be judged. Who judges sees texts alone:
// a judge at hand, or people whose rows come back later by the same command. The pairs are drawn once.
import fs from 'node:fs'
import { readRows } from '#data'
import { ConfigError, DataError } from '#errors'
import { atLevels, levelsOfTargets, weightedWinRate, winRate, type WinRate } from '#evaluate'
import { type Evaluation, PairsKey, readJsonFile, readObjectiveFile } from '#lineage'
import type { Drawing } from '#sampler'
import type { Comparison, Judgement } from '#schema'
import { deriveSeed, generator } from '#stats'
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
import { drawAll } from './evaluate-text.ts'
import type { Output } from './output.ts'

export type Contest = {
  model: string
  against: string
  /** File of prompts, and what gates call it. */
  prompts: string
  suite: string
  /** File of pairs: read where it is there, else drawn. */
  pairs: string
  drawing: Drawing
  /** Of the intervals that are shown, then those that are kept beside. */
  levels: number[]
  device: string
  dtype?: string | undefined
  judge?: string | undefined
  judgements?: string | undefined
  guideline?: string | undefined
  criterion?: string | undefined
  /** File whose criteria weigh and whose targets ask for levels. */
  objective?: string | undefined
  /** Workspace whose objective it is measured under otherwise. */
  dir?: string | undefined
}

/** The evaluation; undefined when nobody has judged yet, so that there are pairs alone. */
export async function evaluateAgainst(
  contest: Contest,
  { signal, out }: { signal: AbortSignal; out: Output },
): Promise<Evaluation | undefined> {
  const key = fs.existsSync(contest.pairs) ? readKey(contest) : await drawPairs(contest, { signal, out })
  const pairs = (await readRows(contest.pairs, { kind: 'comparisons' })).rows as Comparison[]
  const given = await gatherJudgements({ ...contest, seed: contest.drawing.seed }, pairs)
  if (given.length === 0) return undefined
  const judgements = given.flatMap(({ rows }) => rows)
  const objective = contest.objective === undefined ? undefined : readObjectiveFor(contest.objective, judgements)
  const levels = [...contest.levels, ...(objective ? levelsOfTargets(objective.objective) : [])]
  const comparisons = named(pairs, key)
  const { model, against } = key
  return {
    ...recordOf(contest, key, given),
    metric: 'win-rate',
    model,
    against,
    statistics: atLevels(levels, (level) => {
      const given = { judgements, comparisons, seed: contest.drawing.seed, level }
      const weighted = objective && weightedWinRate(objective.objective, given)
      return { ...winRates(given), ...(weighted && { weighted: { 'win-rate': weighted } }) }
    }),
  }
}

function readKey(contest: Contest): PairsKey {
  const { key: file } = besidePairs(contest.pairs)
  const parsed = PairsKey.safeParse(readJsonFile(file))
  if (!parsed.success)
    throw new DataError(`expected the key of ${contest.pairs}: ${parsed.error.issues[0]!.message}`, { file })
  const key = parsed.data
  checkPairs(contest.pairs, key.pairs.hash)
  const asked = askedOf(contest)
  const other = (['model', 'against', 'prompts'] as const).find((role) => key[role].hash !== asked[role].hash)
  if (other !== undefined)
    throw new ConfigError(
      `--${other}: ${contest.pairs} holds pairs of ${key[other].path} as it was then; expected the same, or another file by --pairs`,
    )
  checkSettings(contest.pairs, { drawn: key.settings, asked: asked.settings })
  return key
}

function askedOf({ model, against, prompts, drawing, dtype }: Contest) {
  const found = artifactsOf({ prompts }, { model: resolveModel(model), against: resolveModel(against, '--against') })
  return {
    model: found.model!,
    against: found.against!,
    prompts: found.prompts!,
    settings: { ...drawing, ...(dtype && { dtype }) },
  }
}

async function drawPairs(contest: Contest, o: { signal: AbortSignal; out: Output }): Promise<PairsKey> {
  const { drawing, device, dtype } = contest
  const asked = askedOf(contest)
  const { rows } = await readRows(contest.prompts, { kind: 'prompts' })
  const answer = (name: string, who: string) =>
    withModel({ name, device, ...(dtype && { dtype }) }, (opened) =>
      drawAll(
        opened,
        rows.map(({ prompt }) => prompt),
        // Seeds of their own: a model held against itself must not answer twice the same.
        { ...o, drawing: { ...drawing, seed: deriveSeed(drawing.seed, who) } },
      ),
    )
  const own = await answer(contest.model, 'model')
  const other = await answer(contest.against, 'against')
  const sides = generator(deriveSeed(drawing.seed, 'sides'))
  const isModelA = own.map(() => sides.uniform() < 0.5)
  const pairs = own.map(({ row, completion }, i) => {
    const [a, b] = isModelA[i] ? [completion, other[i]!.completion] : [other[i]!.completion, completion]
    return pairAt(i, rows[row]!, { row, a, b })
  })
  return writePairs(contest.pairs, pairs, { ...asked, isModelA })
}

/** Pairs whose `a` is the model's. */
function named(pairs: Comparison[], { isModelA }: PairsKey): Comparison[] {
  if (pairs.length !== isModelA.length) throw new DataError(`expected ${isModelA.length} pairs, got ${pairs.length}`)
  return pairs.map((pair, i) => (isModelA[i] ? pair : { ...pair, a: pair.b, b: pair.a }))
}

/** `win-rate` of all things considered, and CRITERION.win-rate of each criterion that was asked about. */
function winRates({
  judgements,
  comparisons,
  ...o
}: {
  judgements: Judgement[]
  comparisons: Comparison[]
  seed: number
  level: number
}): Record<string, WinRate | { 'win-rate': WinRate }> {
  const criteria = [...new Set(judgements.map(({ criterion }) => criterion))]
  if (criteria.length === 0) return { 'win-rate': winRate({ judgements, comparisons, ...o }) }
  return Object.fromEntries(
    criteria.map((criterion) => {
      const own = judgements.filter((row) => row.criterion === criterion)
      const rate = winRate({ judgements: own, comparisons, ...o })
      return criterion === undefined ? ['win-rate', rate] : [criterion, { 'win-rate': rate }]
    }),
  )
}

/** Its weights and levels are of no use to judgements by none of its criteria. */
function readObjectiveFor(file: string, judgements: Judgement[]): ReturnType<typeof readObjectiveFile> {
  const read = readObjectiveFile(file)
  const names = read.objective.criteria.map(({ name }) => name)
  if (names.includes('weighted'))
    throw new ConfigError(`--objective: weighted is what the figure over all criteria is called; rename that criterion`)
  if (!judgements.some(({ criterion }) => criterion !== undefined && names.includes(criterion)))
    throw new ConfigError(
      `--objective would be ignored: no judgement names a criterion of ${file} (${names.join(', ')})`,
    )
  return read
}
