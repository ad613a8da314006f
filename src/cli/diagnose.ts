// hone diagnose: which stage is at fault, from run files and report.json alone; no model is loaded.
import fs from 'node:fs'
import { basename, join } from 'node:path'
import type { MarkResult } from '#align'
import { ConfigError, DataError } from '#errors'
import { diagnose, type Facts, gatherFacts, type RunFiles } from '#evaluate'
import type { Report } from '#schema'
import { readCard, readRun } from '#trainer'
import type { Command } from 'commander'
import { output } from './output.ts'
import { readReport } from './report.ts'

/** What a run is called among facts; runs of other recipes have no diagnosis. */
const STAGES = { sft: 'sft', reward: 'reward', ppo: 'rl' } as const
type Recipe = keyof typeof STAGES
type MetricRow = Record<string, number | null>
type Run = RunFiles & { folder: string; recipe: Recipe; marks: MarkResult[]; withoutTicket: boolean }

export function diagnoseCommand(program: Command): void {
  program
    .command('diagnose')
    .description('which stage is at fault, with evidence and the next action: SFT, the reward model or RL')
    .argument('<folders...>', 'runs of sft, reward and ppo, folders of such runs, or a folder with report.json')
    .option('--json', 'events as JSON lines on standard output')
    .action(diagnoseFolders)
}

function diagnoseFolders(folders: string[], options: { json?: boolean }): void {
  const out = output(options)
  const found = folders.map(lookInto)
  const report = one(
    found.flatMap((f) => f.report ?? []),
    'report.json',
  )
  const runs = found.flatMap((f) => f.runs)
  const facts = factsOf(report, runs)
  const diagnosis = diagnose(facts)
  out.event({ event: 'done', ...diagnosis, from: runs.map(({ folder }) => folder), ...(report && { report: true }) })
  out.say(diagnosis.sentence)
  for (const line of diagnosis.evidence) out.say(`  ${line}`)
  if (diagnosis.nextAction !== undefined) out.say(`next: ${diagnosis.nextAction}`)
}

type Found = { report?: Report; runs: Run[] }

/** A run, a folder with report.json, or a folder of runs (directly, or in `runs`); a report speaks for the runs beside it. */
function lookInto(folder: string): Found {
  if (!fs.existsSync(folder)) throw new ConfigError(`expected a folder, found none at ${folder}`)
  if (fs.existsSync(join(folder, 'run.json'))) {
    const { record } = readRun(folder)
    if (!isStage(record.recipe))
      throw new ConfigError(
        `expected a run of ${Object.keys(STAGES).join(', ')}, got one of ${record.recipe}: ${folder}`,
      )
    return { runs: [readRunFiles(folder, record.recipe)] }
  }
  if (fs.existsSync(join(folder, 'report.json'))) return { report: readReport(folder), runs: [] }
  const runs = [folder, join(folder, 'runs')].flatMap(runsIn)
  if (runs.length === 0)
    throw new ConfigError(`expected a run, a folder of runs, or one with report.json, got ${folder}`)
  return { runs }
}

function runsIn(folder: string): Run[] {
  if (!fs.existsSync(folder)) return []
  return fs.readdirSync(folder).flatMap((name) => {
    const run = join(folder, name)
    if (!fs.existsSync(join(run, 'run.json'))) return []
    const { recipe } = readRun(run).record
    return isStage(recipe) ? [readRunFiles(run, recipe)] : []
  })
}

function isStage(recipe: string): recipe is Recipe {
  return Object.hasOwn(STAGES, recipe)
}

/** metrics.jsonl as numbers by step; a run that was killed while writing may have a torn last line, which is left out. */
function readRunFiles(folder: string, recipe: Recipe): Run {
  const file = join(folder, 'metrics.jsonl')
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  const rows = lines.map((text, i) => {
    try {
      return JSON.parse(text) as { kind?: string; mark?: MarkResult }
    } catch (cause) {
      throw new DataError('expected JSON that hone wrote: the file is damaged', { file, line: i + 1 }, { cause })
    }
  })
  const { config, withoutTicket = false } = readRun(folder).config as {
    config: Record<string, unknown>
    withoutTicket?: boolean
  }
  return {
    folder,
    recipe,
    config,
    withoutTicket,
    metrics: rows.filter(({ kind }) => kind === undefined) as MetricRow[],
    marks: rows.flatMap(({ kind, mark }) => (kind === 'mark' && mark ? [mark] : [])),
  }
}

function factsOf(report: Report | undefined, runs: Run[]): Facts {
  const ofStage = (recipe: Recipe) =>
    one(
      runs.filter((run) => run.recipe === recipe),
      `a run of ${recipe}`,
    )
  const [sft, reward, rl] = [ofStage('sft'), ofStage('reward'), ofStage('ppo')]
  const facts = gatherFacts({
    ...(report && { report }),
    ...(sft && { sft }),
    ...(reward && { reward }),
    ...(rl && { rl }),
  })
  const promptGain = sft && readCard(join(sft.folder, 'model'))?.sft?.promptGain
  if (promptGain) facts.sft = { ...facts.sft, promptGain }
  const { accuracy, alpha } = (reward && readCard(join(reward.folder, 'model'))?.reward) ?? {}
  if (accuracy || alpha)
    facts.reward = { ...facts.reward, ...(accuracy && { agreement: accuracy }), ...(alpha && { alpha }) }
  if (rl) addRl(facts, rl)
  return facts
}

/** A mark this near the reference says what the reward model is worth on what SFT writes; further on RL has had its say. */
const NEAR_NATS = 2

/** What an RL run says besides its series: of SFT by the samples it began with, of the reward model and of the outcome by its marks. */
function addRl(facts: Facts, { metrics, marks, withoutTicket }: Run): void {
  const unfinished = metrics[0]?.noEosShare
  if (typeof unfinished === 'number') facts.sft = { ...facts.sft, endedShare: 1 - unfinished }
  if (withoutTicket) facts.reward = { ...facts.reward, withoutTicket }
  const first = marks[0]
  if (first?.accuracy && first.kl <= NEAR_NATS) facts.reward = { ...facts.reward, fresh: first.accuracy }
  const last = marks.at(-1)
  if (!last) return
  if (facts.rl) Object.assign(facts.rl, { lastWin: last.winReference, markKl: Math.max(...marks.map(({ kl }) => kl)) })
  // Where no evaluation was made, the judgements of the kept mark stand for it; if none was kept, those of the last.
  facts.winRate ??= (marks.find(({ step }) => step === last.best) ?? last).winReference
}

function one<T extends { folder?: string } | object>(found: T[], what: string): T | undefined {
  if (found.length < 2) return found[0]
  const names = found.flatMap((f) => ('folder' in f ? basename(f.folder!) : []))
  throw new ConfigError(
    `expected at most one ${what.replace(/^a /, '')}, got ${found.length}${names.length ? ` (${names.join(', ')})` : ''}: name the runs to diagnose one by one`,
  )
}
