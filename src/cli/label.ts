// hone label: how many judgements are needed, blind judging at the terminal, and what becomes of judgements: import, agreement,
// aggregation.
import { existsSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { findWorkspace, importVersion, readRows, writeRows } from '#data'
import { ConfigError, DataError } from '#errors'
import { AGGREGATION_METHODS, aggregate, type Aggregation, type Qualification, qualify } from '#feedback'
import {
  checkCriterion,
  guidelineLabel,
  guidelineNamed,
  keepGuideline,
  listGuidelines,
  objectivesBehind,
  objectivesDiffer,
  versionHashOf,
} from '#lineage'
import type { Comparison, Judgement, ObjectiveStamp } from '#schema'
import { artifactsOf } from '#trainer'
import { type Common, fileOf, formatOf, label, numberOf, workspaceOf } from './data-source.ts'
import { judge } from './judging.ts'
import { writeMade } from './made-file.ts'
import { OBJECTIVE_FLAG, objectiveOf, onlyObjectiveOf } from './objective.ts'
import { figure, output } from './output.ts'
import { COMPARISONS, holdTogether, range, readComparisons, readGold, readJudged } from './judged-rows.ts'
import { labelPlan } from './label-plan.ts'
import { labelReports } from './label-reports.ts'
import { labelSuggest } from './label-suggest.ts'
import { openTerminal } from './terminal.ts'

const METHODS = ['auto', ...AGGREGATION_METHODS, 'weighted-majority'] as const

export function labelCommands(program: Command): void {
  const group = program
    .command('label')
    .description('plan and judge blind pairs; import, compare and aggregate judgements')
  const add = (name: string, help: string, o: { isDefault?: boolean } = {}) =>
    group
      .command(name, o)
      .description(help)
      .option('--dir <folder>', 'workspace (default: the one around this folder)')
      .option('--json', 'events as JSON lines')

  add('judge', 'judge blind pairs at this terminal (what hone label does by itself)', { isDefault: true })
    .requiredOption('--comparisons <source>', 'file or version of rows {item, prompt, a, b}')
    .requiredOption('--annotator <name>', 'who judges')
    .requiredOption('--out <file>', 'JSONL of judgements, appended to; run again to go on')
    .option('--seed <n>', 'draws sides and order', '0')
    .option('--guideline <version>', "written into each judgement (default: the workspace's, as it is now)")
    .option('--criterion <name>', 'judge by this criterion alone')
    .option(...OBJECTIVE_FLAG)
    .action(judgeCommand)
  add('import <file>', 'judgements become an immutable version, after each is held against the others')
    .requiredOption('--name <name>', 'dataset')
    .option('--comparisons <source>', COMPARISONS)
    .action(importCommand)
  labelPlan(add)
  labelSuggest(add)
  labelReports(add)
  add('aggregate <source>', 'judgements become preferences with probability and weight')
    .requiredOption('--out <file>', 'preferences: .jsonl, .json, .csv or .parquet')
    .option('--comparisons <source>', COMPARISONS)
    .option('--criterion <name>', 'of rows that were judged by criteria: take these')
    .option('--gold <source>', 'rows {id, prompt, chosen, rejected} of items whose answer is known: who passes, weighs')
    .option('--pass-mark <share>', 'of gold answers that qualifies; needs --gold')
    .option('--method <method>', METHODS.join(', '), 'auto')
    .option('--seed <n>', 'of the choice between methods, and of mace (default: 0)')
    .option(
      OBJECTIVE_FLAG[0],
      'objective.json that this is done under (default: that of the judgements where they name one, else of the workspace)',
    )
    .action(aggregateCommand)
}

type JudgeOptions = Common & {
  comparisons: string
  annotator: string
  out: string
  seed: string
  guideline?: string
  criterion?: string
  objective?: string
}

async function judgeCommand(options: JudgeOptions): Promise<void> {
  const out = output(options)
  if (!options.out.endsWith('.jsonl'))
    throw new ConfigError(`--out: expected a file that ends in .jsonl, got ${options.out}`)
  if (options.annotator.trim() === '') throw new ConfigError('--annotator: expected a name, got a blank one')
  const seed = numberOf('--seed', options.seed, { low: 0, isWhole: true })
  const workspace = options.dir ?? findWorkspace(process.cwd())
  if (options.criterion !== undefined) checkCriterion(workspace, options.criterion)
  const kept = workspace === undefined ? undefined : keepGuideline(workspace)
  const guideline = options.guideline ?? (kept && guidelineLabel(kept))
  const objective = underGuideline(workspace, options) ?? objectiveOf(options)
  const comparisons = await readComparisons(options.comparisons, options)
  const before = await rowsIfAny(options.out)
  const items = new Set(comparisons.map(({ item }) => item))
  holdTogether(
    before.filter(({ item, criterion }) => items.has(item) && criterion === options.criterion),
    comparisons,
    { file: options.out },
  )
  const { terminal, close } = openTerminal()
  try {
    const { annotator, out: file, criterion } = options
    const session = { comparisons, before, annotator, file, seed, guideline, criterion, objective: objective?.id }
    const { judged, left } = await judge(session, terminal)
    const rows = (await rowsIfAny(file)).filter(({ item }) => items.has(item))
    if (rows.length > 0)
      writeMade(file, {
        by: 'label judge',
        parents: { comparisons: fileOf('--comparisons', options.comparisons, options).file },
        guidelines: guidelinesOf(rows, workspace),
        objective,
        settings: { seed },
      })
    const differ = rows.length > 0 ? differIn(file, { what: 'these answers', objective }) : undefined
    if (differ !== undefined) out.warn(differ)
    out.event({ event: 'done', judged, left, file, ...(objective && { objective }) })
    out.say(
      `\n${judged} judged, ${left} left; ${left ? 'run the same command to go on' : `next: hone label aggregate ${file} --out preferences.jsonl`}`,
    )
  } finally {
    close()
  }
}

/** Of an older version of the guideline that was asked for by name, the objective that it was written for. */
function underGuideline(
  workspace: string | undefined,
  { guideline, objective }: Pick<JudgeOptions, 'guideline' | 'objective'>,
): ObjectiveStamp | undefined {
  if (workspace === undefined || guideline === undefined || objective !== undefined) return undefined
  const version = guidelineNamed(listGuidelines(workspace), guideline)
  return version && { id: version.objective }
}

/** The sentence for a file of judgements; undefined where all in it was judged under one objective. */
function differIn(file: string, own: { what: string; objective?: ObjectiveStamp | undefined }): string | undefined {
  return objectivesDiffer(own, objectivesBehind(artifactsOf({ judgements: file }, {})))
}

async function rowsIfAny(file: string): Promise<Judgement[]> {
  const hasRows = existsSync(file) && statSync(file).size > 0
  return hasRows ? (await readRows(file, { kind: 'judgements' })).rows : []
}

/** Hashes of the guideline versions that judgements name and the workspace knows. */
function guidelinesOf(judgements: readonly Judgement[], workspace: string | undefined): string[] {
  if (workspace === undefined) return []
  const versions = listGuidelines(workspace)
  const labels = new Set(judgements.flatMap(({ guideline }) => guideline ?? []))
  return [...labels].flatMap((name) => guidelineNamed(versions, name)?.guideline ?? [])
}

async function importCommand(file: string, options: Common & { name: string; comparisons?: string }): Promise<void> {
  const out = output(options)
  const { rows } = await readRows(file, { kind: 'judgements' })
  const comparisons =
    options.comparisons === undefined ? undefined : await readComparisons(options.comparisons, options)
  holdTogether(rows, comparisons, { file, isByGuideline: true })
  const workspace = workspaceOf(options)
  const parent =
    options.comparisons === undefined
      ? undefined
      : versionHashOf(fileOf('--comparisons', options.comparisons, options).file)
  const parents = [...(parent === undefined ? [] : [parent]), ...guidelinesOf(rows, workspace)]
  const { version, isNew } = await importVersion(workspace, file, { kind: 'judgements', name: options.name, parents })
  out.event({ event: 'done', ...version, isNew })
  out.say(`${isNew ? 'imported' : 'already there:'} ${label(version)}  ${version.rows} judgements`)
}

type AggregateOptions = Common & {
  out: string
  comparisons?: string
  criterion?: string
  gold?: string
  passMark?: string
  method: string
  seed?: string
  objective?: string
}

/** The others draw nothing. */
const DRAWING_METHODS: readonly string[] = ['auto', 'mace']

async function aggregateCommand(source: string, options: AggregateOptions): Promise<void> {
  const out = output(options)
  const method = METHODS.find((m) => m === options.method)
  if (!method) throw new ConfigError(`--method: expected ${METHODS.join(', ')}, got ${options.method}`)
  if (options.seed !== undefined && !DRAWING_METHODS.includes(method))
    throw new ConfigError(`--seed would be ignored: ${method} draws nothing`)
  const seed = numberOf('--seed', options.seed ?? '0', { low: 0, isWhole: true })
  const { judgements, comparisons } = await readJudged(source, options)
  const qualification = await qualificationOf(judgements, comparisons, options)
  const made = aggregate({
    judgements,
    method,
    seed,
    ...(comparisons && { comparisons }),
    ...(qualification && { qualification }),
  })
  if (!made.preferences.length)
    throw new DataError('expected at least one preference, got none: nobody who judged is qualified')
  writeRows(options.out, made.preferences, { kind: 'comparisons', format: formatOf(options.out) })
  const sourceOf = (flag: string, given: string | undefined) =>
    given === undefined ? undefined : fileOf(flag, given, options).file
  const judged = fileOf('judgements', source, options).file
  const objective =
    options.objective === undefined ? (onlyObjectiveOf(judged) ?? objectiveOf(options)) : objectiveOf(options)
  const differ = differIn(judged, { what: 'these preferences', objective })
  if (differ !== undefined) out.warn(differ)
  writeMade(options.out, {
    by: 'label aggregate',
    parents: {
      judgements: judged,
      comparisons: sourceOf('--comparisons', options.comparisons),
      gold: sourceOf('--gold', options.gold),
    },
    guidelines: guidelinesOf(judgements, options.dir ?? findWorkspace(process.cwd())),
    objective,
    settings: { method: made.method, seed, ...(options.criterion !== undefined && { criterion: options.criterion }) },
  })
  const { preferences, ...rest } = made
  out.event({
    event: 'done',
    ...rest,
    preferences: preferences.length,
    file: options.out,
    ...(objective && { objective }),
    ...(qualification && { qualification }),
  })
  sayAggregation(made, options.out, out.say)
}

function sayAggregation(
  { preferences, annotators, method, evidence, setAside }: Aggregation,
  file: string,
  say: (text: string) => void,
): void {
  say(
    `${preferences.length} preferences by ${method} in ${file}${setAside.length ? `, ${setAside.length} items set aside` : ''}`,
  )
  for (const { method: name, heldOutLogLikelihood, gain, gainError } of evidence)
    say(
      `  ${name.padEnd(12)} foretells a left-out judgement with log-probability ${figure(heldOutLogLikelihood)}, ${figure(gain)} ± ${figure(gainError)} over the majority`,
    )
  for (const { annotator, judgements, skill, qualified } of annotators)
    say(
      `  ${annotator.padEnd(20)} ${String(judgements).padStart(5)} judgements, skill ${range(skill)}${qualified === false ? ', not qualified' : ''}`,
    )
  for (const { item, reason } of setAside.slice(0, 5)) say(`  item ${item}: ${reason}`)
}

async function qualificationOf(
  judgements: Judgement[],
  comparisons: Comparison[] | undefined,
  options: AggregateOptions,
): Promise<Qualification[] | undefined> {
  const { gold, passMark } = options
  if (gold === undefined) {
    if (passMark !== undefined) throw new ConfigError('--pass-mark would be ignored without --gold')
    return undefined
  }
  return qualify({
    judgements,
    gold: await readGold(gold, options),
    ...(comparisons && { comparisons }),
    ...(passMark === undefined ? {} : { passMark: numberOf('--pass-mark', passMark, { low: 0, high: 1 }) }),
  })
}
