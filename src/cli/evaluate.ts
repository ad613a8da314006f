// hone evaluate: a model on the rows of a file, every figure with its interval; a reward model on pairs gets its ticket; two
// models on the same prompts get a blind win rate, more of them ratings.
// What --out writes is what gates and lineage read.
import { basename } from 'node:path'
import { ConfigError } from '#errors'
import type { GraderSpec } from '#evaluate'
import { writeDurable } from '#files'
import {
  type Evaluation,
  objectivesBehind,
  objectivesDiffer,
  opponentsOf,
  readJsonFile,
  writeEvaluation,
} from '#lineage'
import type { Drawing } from '#sampler'
import { artifactsOf, readCard } from '#trainer'
import type { Command } from 'commander'
import { addDrawingFlags, type DrawingOptions, N_FLAG, type OpenModel, readDrawing, withModel } from './completions.ts'
import { type Common, fileOf, numberOf } from './data-source.ts'
import { besidePairs } from './blind-pairs.ts'
import { type Contest, evaluateAgainst } from './evaluate-against.ts'
import { DTYPE_FLAG } from './dtype.ts'
import { addRewardFlags, measureReward, OF_REWARD, type RewardFlags } from './evaluate-reward.ts'
import { evaluateRound, namedModel, type Round, sayMeetings } from './evaluate-round.ts'
import { measureFormat, readFormatRules, readRefusal } from './evaluate-format.ts'
import { BUNDLED_TASKS, evaluateTasks } from './evaluate-task.ts'
import { type Asked, type Measured, measureCompletions, measurePerplexity } from './evaluate-text.ts'
import { tell } from './evaluate-words.ts'
import { kebab } from './flags.ts'
import { JUDGES } from './judges.ts'
import { objectiveOf } from './objective.ts'
import { type Output, output } from './output.ts'
import { stoppable } from './stop.ts'
import { version } from './version.ts'

const METRICS = ['perplexity', 'exact', 'contains', 'regex', 'numeric', 'json', 'distinct', 'format'] as const
type Metric = (typeof METRICS)[number]

type Options = Common &
  DrawingOptions &
  RewardFlags & {
    model?: string
    reward?: string
    data?: string
    task?: string[]
    against?: string[]
    anchor?: string
    prompts?: string
    pairs?: string
    judge?: string
    judgements?: string
    guideline?: string
    objective?: string
    metric?: string
    suite?: string
    out?: string
    completions?: string
    pattern?: string
    flags?: string
    tolerance?: string
    schema?: string
    rules?: string
    refusal?: string
    level: string[]
    device: string
    dtype?: string
  }

const DRAWING = ['maxTokens', 'temperature', 'topP', 'topK', 'minP', 'repetitionPenalty', 'stop', 'n'] as const
/** What a win rate reads, and nothing else does; and the other way round. */
const OF_CONTESTS = ['anchor', 'prompts', 'pairs', 'judge', 'judgements', 'guideline', 'criterion'] as const
const NOT_OF_CONTESTS = [
  'data',
  'reward',
  'metric',
  'completions',
  'pattern',
  'flags',
  'tolerance',
  'schema',
  ...OF_REWARD,
  'rules',
  'refusal',
] as const
/** Which metric reads which option; any other would ignore it. */
const READ_BY: Record<'pattern' | 'flags' | 'tolerance' | 'schema' | 'rules' | 'refusal', Metric> = {
  pattern: 'regex',
  flags: 'regex',
  tolerance: 'numeric',
  schema: 'json',
  rules: 'format',
  refusal: 'format',
}

export function evaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .description(
      'measure a model on a file, each figure with its interval; --reward gives the ticket of a reward model, --against a blind win rate, or ratings of several models',
    )
    .option('--model <model>', 'language model: folder, run, or base, the bundled one')
    .option('--reward <model>', 'reward model: folder or run; --data then holds pairs or judgements')
    .option('--data <source>', 'file (JSONL, JSON, CSV, gzip) or version of a dataset')
    .option(
      '--metric <metric>',
      `of --model: ${METRICS.join(', ')}; format = whole, no template tokens, rules held; refusals, repetition`,
    )
    .option(
      '--task <file...>',
      `task files (JSON, JSONL), or bundled ones (${BUNDLED_TASKS.join(', ')}): accuracy, with every answer in a log beside --out`,
    )
    .option(
      '--against <model...>',
      'blind win rate of --model over this one on --prompts, at temperature 1 unless given; of several (NAME=MODEL names one): ratings of all, with and without style control; of --task: an earlier evaluation of the same task, paired row by row',
    )
    .option(
      '--anchor <name>',
      'of --against several: whom the win rates that ratings imply are against (default: the first of them)',
    )
    .option('--prompts <source>', 'of --against: file or version of rows that have a prompt')
    .option(
      '--pairs <file>',
      'of --against: JSONL of blind pairs, drawn unless they are there; a key beside it says who is who (default: beside --out)',
    )
    .option('--judge <who>', `of --against: ${JUDGES}; answers are kept beside the pairs`)
    .option('--judgements <file>', 'of --against: rows of judgements of the pairs that came back')
    .option('--guideline <version>', 'of --judge terminal: written into each judgement')
    .option(
      '--criterion <name>',
      'of --judge terminal: asked about this criterion alone; of --ratings: the question whose answers are read',
    )
    .option(
      '--objective <file>',
      'objective.json that this is measured under (default: that of the workspace); with --against, judgements by its criteria give an overall by their weights, and intervals at the levels of its targets',
    )
    .option('--suite <name>', 'what gates call these rows (default: the name of the data)')
    .option('--out <file>', 'the evaluation as JSON, for hone gate and hone lineage; of several tasks a folder')
    .option('--completions <file>', 'the graded completions as JSONL')
    .option('--pattern <regex>', 'of the metric regex')
    .option('--flags <flags>', 'of --pattern, such as i')
    .option('--tolerance <share>', 'of the metric numeric: share of the size of the reference (default: 1e-6)')
    .option('--schema <file>', 'of the metric json: JSON schema, 2020-12')
    .option('--rules <file>', 'of the metric format: JSON file of rule terms that a valid completion holds to')
    .option('--refusal <regex>', 'of the metric format: how a refusal begins (default: as English ones do)')
    .option(
      '--level <share...>',
      'coverage of the intervals; ends at further levels are kept for the gates that ask for them',
      ['0.95'],
    )
    .option('--device <device>', 'cpu, or cuda:0', 'cpu')
    .option(...DTYPE_FLAG)
    .option('--dir <folder>', 'workspace of the version (default: the one around this folder)')
    .option('--json', 'events as JSON lines on standard output')
    .option(...N_FLAG)
  addDrawingFlags(addRewardFlags(command), { temperature: 0 }).action(evaluate)
}

async function evaluate(options: Options): Promise<void> {
  const out = output(options)
  if (options.task !== undefined) return tasks(options, out)
  if (options.against !== undefined) return contest(options, out)
  const foreign = OF_CONTESTS.find(
    (option) => options[option] !== undefined && !(option === 'criterion' && options.ratings !== undefined),
  )
  if (foreign !== undefined)
    throw new ConfigError(
      `--${foreign} would be ignored without --against${foreign === 'criterion' ? ' or --ratings' : ''}`,
    )
  const metric = metricOf(options)
  refuseIgnored(options, metric)
  const { file, name } = dataOf('--data', options.data, options)
  const levels = levelsOf(options)
  const seed = numberOf('--seed', options.seed ?? '0', { low: 0, isWhole: true })
  const flag = metric === 'reward' ? '--reward' : '--model'
  const objective = objectiveOf(options)
  const start = performance.now()
  const evaluation = await stoppable((signal) =>
    withModel(
      {
        name: (options.reward ?? options.model)!,
        device: options.device,
        ...(options.dtype && { dtype: options.dtype }),
        flag,
      },
      async (opened) => {
        const { rows, statistics, simulated, settings, artifacts } = await measure(opened, options, {
          metric,
          asked: { file, levels, seed, signal, out },
        })
        const { data, model } = artifactsOf({ data: file }, { model: opened.folder })
        return {
          kind: 'evaluation',
          hone: version(),
          metric,
          model: model!,
          suite: { name, ...data!, rows },
          ...artifacts,
          ...(objective && { objective }),
          settings: { level: levels[0]!, seed, ...settings },
          simulated: simulated || (readCard(opened.folder)?.simulated ?? false),
          statistics,
        } satisfies Evaluation
      },
    ),
  )
  finish(evaluation, { options, out, start })
}

/** What --task reads; anything else would be ignored, since the file says it. */
const OF_TASKS = ['task', 'model', 'against', 'out', 'seed', 'level', 'device', 'dtype', 'json']

async function tasks(options: Options, out: Output): Promise<void> {
  const foreign = Object.keys(options).find((option) => !OF_TASKS.includes(option))
  if (foreign !== undefined)
    throw new ConfigError(`--${kebab(foreign)} would be ignored with --task: the file says what is asked and how`)
  const { task: names, model, against, out: to, seed, device, dtype } = options
  if (model === undefined) throw new ConfigError('expected --model, which answers --task')
  if (against !== undefined && against.length > 1)
    throw new ConfigError(`--against: expected one earlier evaluation of --task, got ${against.length}`)
  const given = {
    against: against?.[0],
    out: to,
    dtype,
    ...(seed !== undefined && { seed: numberOf('--seed', seed, { low: 0, isWhole: true }) }),
  }
  await stoppable((signal) =>
    evaluateTasks({ names: names!, model, device, levels: levelsOf(options), ...given }, { signal, out }),
  )
}

async function contest(options: Options, out: Output): Promise<void> {
  const start = performance.now()
  const { model, against, ...asked } = contestOf(options)
  const round = against.length > 1 ? roundOf({ model, against, ...asked }, options) : undefined
  const evaluation = await stoppable((signal) =>
    round
      ? evaluateRound(round, { signal, out })
      : evaluateAgainst({ model, against: against[0]!, ...asked }, { signal, out }),
  )
  if (evaluation) return finish(evaluation, { options, out, start })
  const { pairs } = asked
  const { key } = besidePairs(pairs)
  const meetings = round && sayMeetings(round, out)
  out.event({ event: 'done', pairs, key, ...meetings })
  out.say(`pairs are in ${pairs}, who is who in ${key}, which those who judge must not see`)
  out.say(`next: hone label judge --comparisons ${pairs} --annotator NAME --out judgements.jsonl,`)
  out.say('then the same command with --judgements judgements.jsonl')
}

type Opponents = Omit<Contest, 'against'> & { against: string[] }

function roundOf({ model, against, ...asked }: Opponents, { anchor }: Options): Round {
  const models = [model, ...against].map(namedModel)
  const names = models.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new ConfigError(`--against: two models are called ${twice}; name them apart by NAME=MODEL`)
  if (anchor !== undefined && !names.includes(anchor))
    throw new ConfigError(`--anchor: expected one of ${names.join(', ')}, got ${anchor}`)
  return { ...asked, models, anchor: anchor ?? names[1]! }
}

function contestOf(options: Options): Opponents {
  const { model, against = [], anchor, judge, judgements, guideline, criterion, objective, device, dtype } = options
  const foreign = NOT_OF_CONTESTS.find((option) => options[option] !== undefined)
  if (foreign !== undefined) throw new ConfigError(`--${foreign} would be ignored with --against`)
  if (model === undefined) throw new ConfigError('expected --model, which is held --against the other')
  if (anchor !== undefined && against.length === 1)
    throw new ConfigError('--anchor would be ignored: two models have one win rate; give --against more of them')
  for (const option of ['guideline', 'criterion'] as const)
    if (options[option] !== undefined && !judge?.startsWith('terminal'))
      throw new ConfigError(`--${option} would be ignored: only --judge terminal writes it`)
  const pairs = options.pairs ?? options.out?.replace(/(\.json)?$/, '.pairs.jsonl')
  if (pairs === undefined) throw new ConfigError('expected --out or --pairs: blind pairs must be kept somewhere')
  if (!pairs.endsWith('.jsonl')) throw new ConfigError(`--pairs: expected a file that ends in .jsonl, got ${pairs}`)
  if (options.out !== undefined && judge === undefined && judgements === undefined)
    throw new ConfigError('--out would be ignored: nobody judges; give --judge or --judgements, or --pairs alone')
  if (objective !== undefined && judge === undefined && judgements === undefined)
    throw new ConfigError('--objective would be ignored: nobody judges; give --judgements by its criteria')
  const { file: prompts, name: suite } = dataOf('--prompts', options.prompts, options)
  // The seed is of sides and intervals too, so it is not ignored when nothing is drawn.
  const { seed = '0', ...draws } = options
  const drawing = {
    ...readDrawing(draws, { temperature: 1 }),
    seed: numberOf('--seed', seed, { low: 0, isWhole: true }),
  }
  const named = { model, against, prompts, suite, pairs, device, dtype }
  const asked = { judge, judgements, guideline, criterion, objective, dir: options.dir }
  return { ...named, ...asked, drawing, levels: levelsOf(options) }
}

function levelsOf({ level }: Options): number[] {
  return level.map((share) => numberOf('--level', share, { low: 0.5, high: 0.9999 }))
}

function finish(measured: Evaluation, { options, out, start }: { options: Options; out: Output; start: number }): void {
  const differ = objectivesDiffer(
    { what: 'this evaluation', objective: measured.objective },
    objectivesBehind(inputsOf(measured)),
  )
  const evaluation = { ...measured, ...(differ !== undefined && { objectivesDiffer: differ }) }
  if (differ !== undefined) out.warn(differ)
  if (options.out !== undefined) writeEvaluation(options.out, evaluation)
  const seconds = (performance.now() - start) / 1000
  out.event({ event: 'done', ...evaluation, seconds, ...(options.out !== undefined && { file: options.out }) })
  tell(evaluation, out)
  if (options.out !== undefined) out.say(`written to ${options.out}`)
}

/** What could have been made under another objective: the models, the rows they are measured on, the judgements. */
function inputsOf({
  model,
  suite,
  judgements = [],
  ...evaluation
}: Evaluation): Parameters<typeof objectivesBehind>[0] {
  const judged = judgements.map((file, i) => [i === 0 ? 'judgements' : `judgements ${i + 1}`, file] as const)
  return { model, ...opponentsOf(evaluation), data: suite, ...Object.fromEntries(judged) }
}

function metricOf({ model, reward, metric }: Options): Metric | 'reward' {
  if ((model === undefined) === (reward === undefined))
    throw new ConfigError(`expected --model or --reward, got ${model === undefined ? 'neither' : 'both'}`)
  if (reward !== undefined) {
    if (metric !== undefined) throw new ConfigError('--metric would be ignored: --reward gives the whole ticket')
    return 'reward'
  }
  const found = METRICS.find((m) => m === metric)
  if (!found) throw new ConfigError(`--metric: expected ${METRICS.join(', ')}, got ${metric ?? 'none'}`)
  return found
}

function refuseIgnored(options: Options, metric: Metric | 'reward'): void {
  for (const [option, reader] of Object.entries(READ_BY))
    if (options[option as keyof typeof READ_BY] !== undefined && reader !== metric)
      throw new ConfigError(`--${option} would be ignored: it is of the metric ${reader}, not ${metric}`)
  const ofReward = OF_REWARD.find((option) => options[option] !== undefined)
  if (ofReward !== undefined && metric !== 'reward')
    throw new ConfigError(`--${ofReward} would be ignored: it is of --reward`)
  if (metric !== 'perplexity' && metric !== 'reward') return
  const ignored = [...DRAWING, 'completions' as const].find((option) => options[option] !== undefined)
  if (ignored !== undefined)
    throw new ConfigError(`--${kebab(ignored)} would be ignored: ${metric} draws no completions`)
}

/** The file behind --data or --prompts, and what gates call it. */
function dataOf(flag: string, data: string | undefined, options: Options): { file: string; name: string } {
  const { suite } = options
  if (data === undefined) throw new ConfigError(`expected ${flag}`)
  if (suite !== undefined && !/^[\w-]+$/.test(suite))
    throw new ConfigError(`--suite: expected letters, digits, _ and -, got ${JSON.stringify(suite)}`)
  const plain = (text: string) => text.replace(/\.(jsonl|ndjson|json|csv)?(\.gz)?$/, '').replace(/[^\w-]+/g, '-')
  const { file, version: found } = fileOf(flag, data, options)
  return { file, name: suite ?? plain(found ? found.name : basename(data)) }
}

type Found = Measured & {
  simulated?: boolean
  settings?: Evaluation['settings']
  artifacts?: Pick<Evaluation, 'samples' | 'ratings'>
}

async function measure(
  opened: OpenModel,
  options: Options,
  { metric, asked }: { metric: Metric | 'reward'; asked: Asked },
): Promise<Found> {
  if (metric === 'reward') return measureReward(opened, asked, options)
  if (metric === 'perplexity') return measurePerplexity(opened, asked)
  // The seed is of the intervals too, so it is not ignored when nothing is drawn.
  const { seed: _, ...draws } = options
  const drawing = { ...readDrawing(draws, { temperature: 0 }), seed: asked.seed }
  const { lines, ...measured } = await draw(opened, options, { metric, asked, drawing })
  if (options.completions !== undefined)
    writeDurable(options.completions, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const { pattern, flags, tolerance, schema, rules, refusal } = options
  const given = { pattern, flags, tolerance, schema, rules, refusal }
  const settings = Object.fromEntries(Object.entries(given).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])))
  return { ...measured, settings: { ...drawing, ...settings } }
}

async function draw(
  opened: OpenModel,
  options: Options,
  { metric, asked, drawing }: { metric: Exclude<Metric, 'perplexity'>; asked: Asked; drawing: Drawing },
): Promise<Measured & { lines: object[] }> {
  if (metric === 'format') {
    const rules = await readFormatRules(options.rules)
    return measureFormat(opened, { ...asked, drawing, rules, refusal: readRefusal(options.refusal) })
  }
  const spec = metric === 'distinct' ? ({ metric } as const) : specOf(metric, options)
  return measureCompletions(opened, { ...asked, spec, drawing })
}

function specOf(metric: Exclude<Metric, 'perplexity' | 'distinct' | 'format'>, options: Options): GraderSpec {
  switch (metric) {
    case 'exact':
    case 'contains':
      return { metric }
    case 'regex': {
      if (options.pattern === undefined) throw new ConfigError('expected --pattern, which the metric regex matches')
      return { metric, pattern: options.pattern, ...(options.flags !== undefined && { flags: options.flags }) }
    }
    case 'numeric': {
      const { tolerance } = options
      return { metric, ...(tolerance !== undefined && { tolerance: numberOf('--tolerance', tolerance, { low: 0 }) }) }
    }
    case 'json': {
      const { schema } = options
      return { metric, ...(schema !== undefined && { schema: readJsonFile(schema) as object }) }
    }
    default:
      return metric satisfies never
  }
}
