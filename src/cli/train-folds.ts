// hone train folds: is a reward model right less often about people it never heard? One reward model without each group of
// annotators, an ordinary run each, and every held-out answer asked of all of them (src/evaluate/annotator-folds.ts).
import fs from 'node:fs'
import { join, resolve as absolute } from 'node:path'
import type { Command } from 'commander'
import { accuracyByFold, type FoldAccuracy, foldAnswers, type FoldScores } from '#evaluate'
import { ConfigError } from '#errors'
import { makeFolder, sha256, writeDurable } from '#files'
import type { Artifact } from '#lineage'
import type { Judgement } from '#schema'
import { artifactsOf, readRun, train, type TrainOptions } from '#trainer'
import { withModel } from './completions.ts'
import { numberOf } from './data-source.ts'
import { type FoldJob, type FoldPlan, type FoldsRecord, keepFolds, planFolds } from './fold-plan.ts'
import { range } from './judged-rows.ts'
import { writeMade } from './made-file.ts'
import { OBJECTIVE_FLAG, objectiveOf, onlyObjectiveOf } from './objective.ts'
import { output, type Output } from './output.ts'
import { progressOf } from './progress.ts'
import { scoreTexts, type TextScore } from './reward-scores.ts'
import { runOrResume } from './run-or-resume.ts'
import { Stopped, stoppable } from './stop.ts'
import { addJobFlags, jobOf, needed, type Options, type Recipe, RECIPES } from './train-job.ts'
import { version } from './version.ts'

/** As InstructGPT. */
const FOLDS = '5'
const LEVEL = 0.95

const HELP: Record<string, string> = {
  data: 'judgements, or a version of them: their annotators are put into groups',
  'held-out': 'judgements of other pairs by the same annotators',
}
const REWARD = RECIPES.find(({ name }) => name === 'reward')!
const WITH_FOLDS: Recipe = {
  ...REWARD,
  inputs: REWARD.inputs.map((input) => ({ ...input, ...(input.file && { required: true, help: HELP[input.flag]! }) })),
}

export function foldsCommand(group: Command): void {
  const command = group
    .command('folds')
    .description(
      'reward models without one group of annotators each: is one right less often about people it never heard',
    )
    .option('--model <model>', 'folder, run, or base, the bundled one')
    .option('--out <folder>', 'folder of the runs and of what came of them; the same command goes on with it')
    .option('--folds <n>', `groups of annotators (default: ${FOLDS})`)
    .option(OBJECTIVE_FLAG[0], `${OBJECTIVE_FLAG[1]}; none = under none`)
    .option('--json', 'events as JSON lines on standard output')
  addJobFlags(command, WITH_FOLDS)
  command.action(trainFolds)
}

/** What one process works on. */
type Folds = { folder: string; job: FoldJob; plan: FoldPlan; record: FoldsRecord }

async function trainFolds(options: Options): Promise<void> {
  const out = output(options)
  const folder = absolute(needed(options, 'out'))
  const folds = numberOf('--folds', options.folds ?? FOLDS, { low: 2, isWhole: true })
  const job = jobOf(WITH_FOLDS, options) as FoldJob
  const plan = await planFolds(job, { folds, out })
  const objective = options.objective === 'none' ? undefined : objectiveOf({ objective: options.objective })
  const isAsked = options.objective !== undefined
  const record = keepFolds(folder, { job, groups: plan.groups, objective, isAsked })
  const all: Folds = { folder, job, plan, record }
  const scores = await stoppable(async (signal) => {
    for (const fold of plan.groups.keys()) await trainFold(all, fold, { out, signal })
    return scoreHeldOut(all, { out, signal })
  })
  const report = reportOf(all, scores)
  const file = join(folder, 'annotator-folds.json')
  writeDurable(file, `${JSON.stringify(report, null, 2)}\n`)
  out.event({ event: 'done', file, ...report })
  tell(report, out)
  out.say(`written to ${file}`)
}

const runOf = (folder: string, fold: number) => join(folder, `fold-${fold + 1}`)

function rowsWithout({ rows, groups }: FoldPlan, fold: number): Judgement[] {
  const without = new Set(groups[fold])
  return rows.filter(({ annotator }) => !without.has(annotator))
}

/** An ordinary reward run on the judgements of the others: begun, gone on with, or left as it is when it is done. */
async function trainFold(
  { folder, job, plan, record }: Folds,
  fold: number,
  { out, signal }: { out: Output; signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) throw new Stopped(`stopped before fold ${fold + 1}; the same command goes on from here`)
  const run = runOf(folder, fold)
  const rows = rowsWithout(plan, fold)
  const names = plan.groups[fold]!
  const place = `fold ${fold + 1}/${plan.groups.length}`
  out.event({ event: 'fold', fold: fold + 1, of: plan.groups.length, without: names, judgements: rows.length })
  out.say(`${place}: without ${names.join(', ')}; ${rows.length} judgements of the others`)
  const data = keepRows(run, rows, { from: job.data, names })
  const own: Output = {
    ...out,
    event: (event) => out.event({ ...event, fold: fold + 1 }),
    progress: (text) => out.progress(`${place}  ${text}`),
  }
  const { objective } = record
  const { say, warn } = out
  const options: TrainOptions = { hone: version(), signal, onProgress: progressOf(own), say, warn, objective }
  await runOrResume(run, options, (o) => train({ ...job, data }, run, o))
  out.endProgress()
}

/** FOLDER/fold-N/judgements.jsonl, the rows that its run learns from. */
function keepRows(run: string, rows: readonly Judgement[], { from, names }: { from: string; names: string[] }): string {
  const file = join(run, 'judgements.jsonl')
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  if (fs.existsSync(join(run, 'run.json'))) {
    const { data } = readRun(run).record.inputs
    if (data && data.hash !== sha256(text))
      throw new ConfigError(`--out: ${run} was trained on other rows than these; choose another folder`)
    return file
  }
  makeFolder(run)
  writeDurable(file, text)
  writeMade(file, {
    by: 'train folds',
    parents: { judgements: from },
    // Rows of judgements name theirs.
    guidelines: [],
    objective: onlyObjectiveOf(from),
    settings: { without: names.join(', ') },
  })
  return file
}

/** What every model gives both completions of each held-out pair that fits it. */
async function scoreHeldOut(
  { folder, job, plan }: Folds,
  { out, signal }: { out: Output; signal: AbortSignal },
): Promise<FoldScores[]> {
  const texts = plan.items.flatMap(({ prompt, a, b }) => [
    { prompt, completion: a },
    { prompt, completion: b },
  ])
  const byModel: (TextScore | undefined)[][] = []
  for (const fold of plan.groups.keys()) {
    const named = { name: runOf(folder, fold), device: job.device, dtype: job.dtype!, flag: '--reward' }
    const what = `held-out completions by fold ${fold + 1}`
    byModel.push(await withModel(named, (opened) => scoreTexts(opened, texts, { signal, out, what })))
  }
  return plan.items.flatMap((item, i): FoldScores[] => {
    const [a, b] = [byModel.map((scores) => scores[2 * i]), byModel.map((scores) => scores[2 * i + 1])]
    if (!a.every((score) => score !== undefined) || !b.every((score) => score !== undefined)) return []
    return [{ item, cluster: a[0]!.group, scores_K: a.map(({ score }, k) => ({ a: score, b: b[k]!.score })) }]
  })
}

type Report = Pick<FoldsRecord, 'hone' | 'model' | 'data' | 'heldOut' | 'settings'> & {
  kind: 'annotator-folds'
  /** True when judgements behind the models, or those that measure them, came from simulated annotators. */
  simulated: boolean
  level: number
  folds: ({ without: string[]; judgements: number; model: Artifact } & FoldAccuracy)[]
  all: FoldAccuracy
}

function reportOf({ folder, job, plan, record }: Folds, scores: readonly FoldScores[]): Report {
  const { groups, simulated } = plan
  const answers = foldAnswers(scores, groups)
  const found = accuracyByFold(answers, { folds: groups.length, seed: job.config.seed, level: LEVEL })
  const { model, data, heldOut, settings } = record
  return {
    kind: 'annotator-folds',
    hone: version(),
    simulated,
    model,
    data,
    heldOut,
    settings,
    level: LEVEL,
    folds: found.folds.map((accuracy, fold) => ({
      without: groups[fold]!,
      judgements: rowsWithout(plan, fold).length,
      model: artifactsOf({}, { model: join(runOf(folder, fold), 'model') }).model!,
      ...accuracy,
    })),
    all: found.all,
  }
}

function tell({ folds, all, simulated }: Report, out: Output): void {
  out.say(
    `accuracy on held-out answers${simulated ? ' (simulated annotators)' : ''}: of the model that never heard their author, and of those that did; 95% intervals over prompts`,
  )
  out.say('fold   people  answers  never heard           heard                 never heard minus heard')
  const line = (name: string, people: number, { answers, heldOut, trained, difference }: FoldAccuracy) =>
    out.say(
      `${name.padEnd(5)} ${String(people).padStart(7)}  ${String(answers).padStart(7)}  ${range(heldOut)}  ${range(trained)}  ${range(difference)}`,
    )
  for (const [fold, own] of folds.entries()) line(String(fold + 1), own.without.length, own)
  line(
    'all',
    folds.reduce((sum, { without }) => sum + without.length, 0),
    all,
  )
  const { low, high } = all.difference
  if (high < 0) out.say('It is right less often about people it never heard: measure it on answers of new people.')
  else if (low > 0) out.say('It is right more often about people it never heard, which nothing here explains.')
  else out.say('No difference shows between people it heard and people it never heard.')
}
