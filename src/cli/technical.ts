// The technical figures of a workspace: its newest RL run with the SFT run and the base behind it, what these runs measured
// themselves, and every evaluation of one of the three models; side by side, from files alone.
import fs from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { ConfigError } from '#errors'
import { type Evaluation, findRecords, readEvaluation, readJsonFile } from '#lineage'
import type { Technical, TechnicalRow } from '#report'
import type { Interval } from '#stats'
import { hashModel, readCard, readRun } from '#trainer'
import { version } from './version.ts'

type Stage = 'base' | 'sft' | 'rl'
const STAGES: Stage[] = ['base', 'sft', 'rl']
/** A run that left a model, and its metrics by step. */
type Made = { folder: string; config: Record<string, unknown>; outcome: { kept?: number }; simulated: boolean }
type Step = { step: number; kind?: string } & Record<string, unknown>
type Models = Record<Stage, { path: string; hash: string } | undefined>
type Found = { file: string; evaluation: Evaluation }

export function technicalOf(root: string): Technical {
  const { runs, records } = findRecords(root)
  const rl = newest(runs, 'ppo')
  const sft = rl ? (runBehind(rl.config.model, runs) ?? undefined) : newest(runs, 'sft')
  if (!rl && !sft)
    throw new ConfigError(`expected a folder with report.json, or one with a finished run of sft or ppo, got ${root}`)
  const models: Models = {
    base: modelAt(sft?.config.model),
    sft: modelAt(sft ? join(sft.folder, 'model') : rl?.config.model),
    rl: rl && modelAt(join(rl.folder, 'model')),
  }
  const found = evaluationsOf(records, models)
  const reward = typeof rl?.config.reward === 'string' ? rl.config.reward : undefined
  const rows = [
    ...(sft ? sftRows(sft) : []),
    ...(reward === undefined ? [] : rewardRows(reward, { records, rl: rl! })),
    ...(rl ? rlRows(rl) : []),
    ...measuredRows(found, models),
  ]
  return {
    title: basename(resolve(root)),
    hone: version(),
    models: Object.fromEntries(STAGES.map((stage) => [stage, models[stage]?.path])),
    rows,
    sources: [sft?.folder, rl?.folder, ...found.map(({ file }) => file)].flatMap((path) =>
      path === undefined ? [] : [relative(resolve(root), resolve(path)) || '.'],
    ),
    simulated: [sft, rl].some((run) => run?.simulated) || found.some(({ evaluation }) => evaluation.simulated),
  }
}

/** By when its record was last written. */
function newest(runs: string[], recipe: string): Made | undefined {
  const done = runs.filter((folder) => {
    const { record } = readRun(folder)
    return record.recipe === recipe && record.status === 'done' && fs.existsSync(join(folder, 'model'))
  })
  const at = (folder: string) => fs.statSync(join(folder, 'run.json')).mtimeMs
  const last = done.sort((a, b) => at(a) - at(b)).at(-1)
  return last === undefined ? undefined : madeBy(last)
}

function madeBy(folder: string): Made {
  const { record, config } = readRun(folder)
  return {
    folder,
    config: config as Record<string, unknown>,
    outcome: (record.outcome ?? {}) as Made['outcome'],
    simulated: record.simulated,
  }
}

/** The SFT run whose model that is. */
function runBehind(model: unknown, runs: string[]): Made | undefined {
  const folder = runs.find((run) => [run, join(run, 'model')].some((path) => resolve(path) === model))
  if (folder === undefined || readRun(folder).record.recipe !== 'sft') return undefined
  return madeBy(folder)
}

function modelAt(path: unknown): { path: string; hash: string } | undefined {
  return typeof path === 'string' && fs.existsSync(path) ? { path, hash: hashModel(path) } : undefined
}

function metricsOf({ folder }: Made): Step[] {
  return fs
    .readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Step)
}

/** What training itself measured, without an interval. */
function sftRows(run: Made): TechnicalRow[] {
  const steps = metricsOf(run)
  const row = (name: string, metric: string): TechnicalRow[] => {
    const values = steps.flatMap((step) => (typeof step[metric] === 'number' ? [step[metric]] : []))
    if (values.length < 2) return []
    return [
      { name, note: 'by the run', written: 'number', base: { value: values[0]! }, sft: { value: values.at(-1)! } },
    ]
  }
  return [
    ...row('Held-out loss, nats a token', 'heldOutLoss'),
    ...row('Perplexity, held out', 'heldOutPerplexity'),
    ...row('Perplexity, general text', 'generalPerplexity'),
  ]
}

function rewardRows(reward: string, { records, rl }: { records: string[]; rl: Made }): TechnicalRow[] {
  const card = fs.existsSync(reward) ? readCard(reward) : undefined
  const hash = card ? hashModel(reward) : undefined
  const ticket = evaluations(records).findLast(
    ({ evaluation }) => evaluation.model.hash === hash && evaluation.metric === 'reward',
  )
  const ceiling = intervalIn(ticket?.evaluation.statistics.ceiling)
  const marks = metricsOf(rl).flatMap(({ mark }) => (mark ? [mark as { step: number; accuracy?: Interval }] : []))
  const last = marks.findLast(({ accuracy }) => accuracy !== undefined)
  const accuracy = card?.reward?.accuracy
  return [
    ...(accuracy || last
      ? [
          {
            name: 'Reward model, accuracy',
            note: last ? `SFT: held-out pairs; RL: fresh pairs at step ${last.step}` : 'held-out pairs',
            written: 'share' as const,
            sft: accuracy,
            rl: last?.accuracy,
          },
        ]
      : []),
    ...(ceiling ? [{ name: 'Ceiling of that accuracy', written: 'share' as const, sft: ceiling }] : []),
  ]
}

function rlRows(run: Made): TechnicalRow[] {
  const steps = metricsOf(run).filter(({ kind }) => kind === undefined)
  const first = steps.find(({ step }) => step > 0)
  const kept = steps.find(({ step }) => step === run.outcome.kept) ?? steps.at(-1)
  const row = (name: string, metric: string): TechnicalRow[] => {
    const [before, after] = [first?.[metric], kept?.[metric]]
    if (typeof before !== 'number' || typeof after !== 'number') return []
    return [{ name, note: 'means of a step', written: 'digits', sft: { value: before }, rl: { value: after } }]
  }
  const parts = Object.keys(first ?? {}).filter((name) => name.startsWith('reward.'))
  return [
    ...row('KL to the reference, nats a completion', 'kl'),
    ...row('Reward, sum', 'score'),
    ...parts.flatMap((part) => row(`Reward, ${part.slice('reward.'.length)}`, part)),
    ...row('Entropy, nats a token', 'entropy'),
    ...row('Length, tokens', 'tokensMean'),
  ]
}

function evaluations(records: string[]): Found[] {
  const at = (file: string) => fs.statSync(file).mtimeMs
  return records
    .filter((file) => (readJsonFile(file) as { kind?: unknown }).kind === 'evaluation')
    .sort((a, b) => at(a) - at(b))
    .map((file) => ({ file, evaluation: readEvaluation(file) }))
}

function evaluationsOf(records: string[], models: Models): Found[] {
  const hashes = new Set(STAGES.map((stage) => models[stage]?.hash))
  return evaluations(records).filter(({ evaluation }) => hashes.has(evaluation.model.hash))
}

/** Shares, by what they are called; anything else is written as a number. */
const NUMBERS = ['perplexity', 'natsPerToken', 'tokens']
/** Parts of others, or of no use side by side. */
const LEFT_OUT = ['natsPerToken', 'tokens', 'rules']

/** A row a statistic of a suite; the newest evaluation of a model counts. */
function measuredRows(found: Found[], models: Models): TechnicalRow[] {
  const rows = new Map<string, TechnicalRow>()
  for (const { evaluation } of found) {
    const { suite, statistics, against, model } = evaluation
    const stage = stageOf(model.hash, models)!
    for (const [name, statistic] of Object.entries(statistics)) {
      const measured = intervalIn(statistic)
      if (!measured || LEFT_OUT.includes(name) || name === 'change') continue
      const key = `${suite.name}.${name}`
      const row = rows.get(key) ?? {
        name: key,
        written: NUMBERS.includes(name) ? ('number' as const) : ('share' as const),
      }
      rows.set(key, { ...row, [stage]: measured })
    }
    const change = intervalIn(statistics.change)
    const before = against && stageOf(against.hash, models)
    const row = rows.get(`${suite.name}.accuracy`)
    if (change && before && row) row.change = { of: `${WORDS[before]} to ${WORDS[stage]}`, measured: change }
  }
  return [...rows.values()]
}

const WORDS: Record<Stage, string> = { base: 'base', sft: 'SFT', rl: 'RL' }

function stageOf(hash: string, models: Models): Stage | undefined {
  return STAGES.findLast((stage) => models[stage]?.hash === hash)
}

function intervalIn(statistic: unknown): Interval | undefined {
  if (typeof statistic !== 'object' || statistic === null) return undefined
  const { value, low, high, n } = statistic as Record<string, unknown>
  if (typeof value !== 'number' || typeof low !== 'number' || typeof high !== 'number') return undefined
  return { value, low, high, ...(typeof n === 'number' && { n }) }
}
