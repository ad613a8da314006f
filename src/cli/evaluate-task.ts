// hone evaluate --task: task files put to a model. Each gives an evaluation that gates call by the task's name, and a log with a
// line an answer beside it; --against holds it row by row against an earlier evaluation of the same task.
import fs from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, DataError } from '#errors'
import {
  atLevels,
  choiceScores,
  chosen,
  readTask,
  scoreOf,
  type Task,
  taskChange,
  type TaskChange,
  taskPrompts,
  TaskSample,
  taskStatistics,
} from '#evaluate'
import { canonicalJson, hashRow, sha256, sha256File, writeDurable } from '#files'
import { type Evaluation, readEvaluation, writeEvaluation } from '#lineage'
import { completionSeed } from '#sampler'
import type { Prompt } from '#schema'
import { artifactsOf, readCard } from '#trainer'
import { type OpenModel, withModel } from './completions.ts'
import { drawAll } from './evaluate-text.ts'
import { tell } from './evaluate-words.ts'
import { figure, type Output } from './output.ts'
import { Stopped } from './stop.ts'
import { version } from './version.ts'

export type AskedTasks = {
  names: string[]
  model: string
  /** FILE.json of one task, a folder of several. */
  out?: string | undefined
  against?: string | undefined
  /** In place of the tasks' own. */
  seed?: number
  levels: number[]
  device: string
  dtype?: string | undefined
}
type Context = { signal: AbortSignal; out: Output }
/** A task at hand: its file, hash, seed, and what it is held against. */
type Ready = { task: Task; file: string; hash: string; seed: number; before: Before | undefined }
type Before = { evaluation: Evaluation; samples: TaskSample[] }

const BUNDLED = fileURLToPath(new URL('../../tasks', import.meta.url))
/** Sums and copying, questions of a small chat model: what tuning to one domain must not cost. */
export const BUNDLED_TASKS = ['arithmetic', 'copying'] as const

export async function evaluateTasks(asked: AskedTasks, context: Context): Promise<void> {
  const { names, model, device, dtype, out: to } = asked
  const ready = names.map((name) => prepare(name, asked))
  const twice = ready.find(({ task }, i) => ready.findIndex((other) => other.task.name === task.name) !== i)
  if (twice) throw new ConfigError(`--task: expected each name once, got ${twice.task.name} again in ${twice.file}`)
  if (to !== undefined && to.endsWith('.json') !== (ready.length === 1))
    throw new ConfigError(
      `--out: expected ${ready.length === 1 ? 'a file that ends in .json' : `a folder for the evaluations of ${ready.length} tasks`}, got ${to}`,
    )
  const start = performance.now()
  const evaluations = await withModel({ name: model, device, ...(dtype && { dtype }) }, async (opened) => {
    const found: Evaluation[] = []
    for (const each of ready) found.push(await evaluateTask(opened, each, { ...context, asked }))
    return found
  })
  const seconds = (performance.now() - start) / 1000
  context.out.event({ event: 'done', evaluations, seconds, ...(to !== undefined && { out: resolve(to) }) })
}

function prepare(name: string, { seed, against }: AskedTasks): Ready {
  const file = fileOfTask(name)
  const task = readTask(file)
  const hash = hashRow(task)
  return {
    task,
    file,
    hash,
    seed: seed ?? task.seed,
    before: against === undefined ? undefined : readBefore(against, task, hash),
  }
}

/** A file that is there wins over a bundled task of its name. */
function fileOfTask(name: string): string {
  if (fs.existsSync(name)) return name
  const bundled = BUNDLED_TASKS.find((each) => each === name)
  if (bundled === undefined)
    throw new ConfigError(
      `--task: expected a file or one of ${BUNDLED_TASKS.join(', ')}, got ${name}, which is not there`,
    )
  return join(BUNDLED, `${bundled}.jsonl`)
}

async function evaluateTask(opened: OpenModel, ready: Ready, o: Context & { asked: AskedTasks }): Promise<Evaluation> {
  const { task, file, hash, seed, before } = ready
  const { levels, out: to } = o.asked
  const prompts = taskPrompts(task, seed)
  const samples = await (task.scorer.kind === 'choice' ? byChoice : byCompletion)(opened, ready, { ...o, prompts })
  const chance = task.scorer.kind === 'choice' ? chanceOf(task) : undefined
  const statistics = atLevels(levels, (level) => ({
    ...taskStatistics(samples, { seed, level, ...(chance !== undefined && { chance }) }),
    ...(before && { change: taskChange(before.samples, samples, { seed, level }) }),
  }))
  const { data, model } = artifactsOf({ data: file }, { model: opened.folder })
  const target = to === undefined || to.endsWith('.json') ? to : join(to, `${task.name}.json`)
  const log = target === undefined ? undefined : writeLog(target, samples)
  const { sampling, scorer, shots, chat } = task
  const evaluation: Evaluation = {
    kind: 'evaluation',
    hone: version(),
    metric: 'task',
    model: model!,
    ...(before && { against: before.evaluation.model }),
    suite: { name: task.name, ...data!, rows: task.rows.length },
    ...(log && { samples: log }),
    settings: { level: levels[0]!, seed, task: hash, scorer: scorer.kind, shots, chat, ...sampling },
    simulated: readCard(opened.folder)?.simulated ?? false,
    statistics,
  }
  if (target !== undefined) writeEvaluation(target, evaluation)
  tell(evaluation, o.out)
  if (before) o.out.say(`  ${wordsOf(statistics.change as TaskChange)}`)
  if (target !== undefined) o.out.say(`written to ${target}, every answer to ${log!.path}`)
  return evaluation
}

function wordsOf({ gained, lost, p }: TaskChange): string {
  return `of the same rows ${gained} better than before and ${lost} worse, p = ${figure(p)}`
}

type Shown = Context & { prompts: Prompt[] }

async function byChoice(
  opened: OpenModel,
  { task, hash, seed }: Ready,
  { prompts, signal }: Shown,
): Promise<TaskSample[]> {
  const scores = await choiceScores({ ...opened, signal }, task, prompts).catch((error: unknown) => {
    if (signal.aborted) throw new Stopped('stopped; nothing was written', { cause: error })
    throw error
  })
  return scores.map((score, i) => {
    const { id, group, choices, right } = task.rows[i]!
    const { acc, acc_norm, acc_token } = chosen(score)
    const isRight = (choice: number) => Number(choice === right)
    return {
      task: hash,
      id,
      group,
      promptHash: promptHash(prompts[i]!),
      seed,
      output: choices![acc]!,
      score: isRight(acc),
      acc_norm: isRight(acc_norm),
      acc_token: isRight(acc_token),
      logprobs: score.logprobs,
      tokensOfChoices: score.tokens,
    }
  })
}

async function byCompletion(
  opened: OpenModel,
  { task, hash, seed }: Ready,
  { prompts, ...o }: Shown,
): Promise<TaskSample[]> {
  const drawing = { ...task.sampling!, seed }
  const { scorer } = task
  if (scorer.kind === 'choice') throw new Error('choices are not drawn')
  const drawn = await drawAll(opened, prompts, { drawing, ...o })
  const scores = task.rows.map(({ answers }) => scoreOf(scorer, answers))
  return drawn.map(({ row, completion, finished, tokens }, i) => {
    const { id, group } = task.rows[row]!
    return {
      task: hash,
      id,
      group,
      ...(drawing.n > 1 && { sample: (i % drawing.n) + 1 }),
      promptHash: promptHash(prompts[row]!),
      seed: completionSeed(seed, row),
      output: completion,
      score: scores[row]!(completion),
      finished,
      tokens,
    }
  })
}

/** Accuracy of who knows nothing. */
function chanceOf({ rows }: Task): number {
  return rows.reduce((sum, { choices }) => sum + 1 / choices!.length, 0) / rows.length
}

function promptHash(prompt: Prompt): string {
  return sha256(typeof prompt === 'string' ? prompt : canonicalJson(prompt))
}

/** Beside the evaluation, written before it. */
function writeLog(target: string, samples: TaskSample[]): { path: string; hash: string } {
  const path = besideEvaluation(target)
  const text = samples.map((sample) => `${JSON.stringify(sample)}\n`).join('')
  fs.mkdirSync(dirname(path), { recursive: true })
  writeDurable(path, text)
  return { path: resolve(path), hash: sha256(text) }
}

function besideEvaluation(file: string): string {
  return file.replace(/(\.json)?$/, '.samples.jsonl')
}

/** The earlier evaluation of this task with its log, which lies beside it wherever the two were moved. */
function readBefore(against: string, { name }: Task, hash: string): Before {
  const file = fs.statSync(against, { throwIfNoEntry: false })?.isDirectory() ? join(against, `${name}.json`) : against
  if (!fs.existsSync(file))
    throw new ConfigError(
      `--against: expected what hone evaluate --task ${name} --out wrote for the earlier model, found none at ${file}`,
    )
  const evaluation = readEvaluation(file)
  if (evaluation.samples === undefined)
    throw new DataError(`expected an evaluation of a task with its log, got one of ${evaluation.metric}`, { file })
  if (evaluation.settings.task !== hash)
    throw new DataError(`is of another task than ${name} as it is now: evaluate the earlier model on it again`, {
      file,
    })
  const log = [besideEvaluation(file), evaluation.samples.path].find((path) => fs.existsSync(path))
  if (log === undefined) throw new DataError(`its log of answers is not at ${evaluation.samples.path}`, { file })
  if (sha256File(log) !== evaluation.samples.hash)
    throw new DataError('changed since it was written: evaluate the earlier model again', { file: log })
  const samples = fs
    .readFileSync(log, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => TaskSample.parse(JSON.parse(line)))
  return { evaluation, samples }
}
