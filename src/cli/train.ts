// hone train sft|reward|dpo|ppo: a run is begun, rehearsed, branched or gone on with. What its flags amount to is in train-job.ts.
import { join, resolve as absolute } from 'node:path'
import type { Command } from 'commander'
import { ConfigError } from '#errors'
import {
  branch,
  Job,
  readRun,
  refuseRun,
  rehearse,
  resolveModel,
  howToGoOn,
  resume,
  resumeWith,
  train,
  type Trained,
  type TrainOptions,
} from '#trainer'
import { kebab, readFlags } from './flags.ts'
import { openJudge } from './judges.ts'
import { OBJECTIVE_FLAG, objectiveOf } from './objective.ts'
import { duration, figure, output, type Output } from './output.ts'
import { progressOf } from './progress.ts'
import { Stopped, stoppable } from './stop.ts'
import { foldsCommand } from './train-folds.ts'
import { addJobFlags, jobOf, needed, type Options, RECIPES, type Recipe, refuseIgnored } from './train-job.ts'
import { version } from './version.ts'

export function trainCommands(program: Command): void {
  const group = program.command('train').description('train a model: supervised, reward, DPO, PPO')
  for (const recipe of RECIPES) {
    const command = group
      .command(recipe.name)
      .description(recipe.help)
      .option('--model <model>', 'folder, run, or base, the bundled one')
      .option('--out <folder>', 'folder of the new run')
      .option(
        '--resume <run>',
        `go on with a stopped or killed run; takes no other setting${recipe.name === 'ppo' ? ', but --reward where a mark paused the run' : ''}`,
      )
      .option(
        '--branch <run@step>',
        "a new run that goes on from another one's checkpoint, with its models and data; settings given here change",
      )
      .option(OBJECTIVE_FLAG[0], `${OBJECTIVE_FLAG[1]}; none = under none`)
      .option('--supersedes <run>', 'folder of the run whose place the new one takes; its record and lineage name it')
      .option('--dry-run', 'say what the run would take, from a few steps on these rows; writes nothing')
      .option('--json', 'events as JSON lines on standard output')
    addJobFlags(command, recipe)
    command.action((options: Options) => run(recipe, options))
  }
  foldsCommand(group)
}

async function run(recipe: Recipe, options: Options): Promise<void> {
  const out = output(options)
  if (options.dryRun !== undefined && options.resume === undefined) return plan(recipe, options, out)
  const began = performance.now()
  const speed = { tokens: 0, seconds: 0 }
  const show = progressOf(out)
  const trained = await stoppable(async (signal) => {
    const onProgress: TrainOptions['onProgress'] = (event) => {
      if (event.kind === 'step') {
        speed.tokens += event.metrics.tokens ?? 0
        speed.seconds = event.seconds
      }
      show(event)
    }
    const o: TrainOptions = { hone: version(), signal, onProgress, say: out.say, warn: out.warn }
    if (options.resume !== undefined) return goOn(recipe, options, o)
    const folder = needed(options, 'out')
    const origin = options.branch === undefined ? undefined : originOf(options.branch)
    const job = origin ? branchedJob(recipe, options, origin.run) : jobOf(recipe, options)
    const judge =
      job.recipe === 'ppo' && job.judge !== undefined
        ? await openJudge(job.judge, { seed: job.config.seed, folder: answersOf(folder), run: folder })
        : undefined
    const objective = options.objective === 'none' ? undefined : objectiveOf({ objective: options.objective })
    const supersedes = options.supersedes === undefined ? undefined : supersededBy(folder, options.supersedes)
    const all = { ...o, objective, supersedes, ...(judge && { judge }) }
    return origin ? branch(origin.run, { step: origin.step, job, out: folder }, all) : train(job, folder, all)
  })
  const seconds = (performance.now() - began) / 1000
  tell(recipe, trained, { out, seconds, tokensPerSecond: speed.tokens / speed.seconds })
}

/** What the run would take: of `--out` it is only said whether it is free. */
async function plan(recipe: Recipe, options: Options, out: Output): Promise<void> {
  if (options.branch !== undefined)
    throw new ConfigError('--branch would be ignored: --dry-run looks at a run from its beginning; give one of the two')
  if (options.objective !== undefined)
    throw new ConfigError('--objective would be ignored: --dry-run leaves no record that could name it')
  if (options.supersedes !== undefined)
    throw new ConfigError('--supersedes would be ignored: --dry-run leaves no record that could name it')
  if (options.out !== undefined) refuseRun(options.out)
  const job = jobOf(recipe, options)
  out.say('dry run: a few steps on these rows, which are then thrown away')
  const rehearsal = await stoppable((signal) => rehearse(job, { signal, say: out.say }))
  const { parameters, peakMemoryBytes, tokensPerSecond, steps, seconds, parts, probe } = rehearsal
  out.event({ event: 'dry-run', recipe: recipe.name, ...rehearsal })
  const { trained, all } = parameters
  const made = [
    `${steps} steps ${duration(parts.steps)}`,
    `evaluation ${duration(parts.evaluation)}`,
    `saving ${duration(parts.saving)}`,
    `loading ${duration(parts.loading)}`,
  ]
  out.say(`parameters  ${grouped(trained)} train of ${grouped(all)} (${figure((100 * trained) / all)}%)`)
  out.say(
    `memory      ${(peakMemoryBytes / 2 ** 30).toFixed(2)} GiB at most${job.device === 'cpu' ? '' : ', beside the memory of the GPU'}`,
  )
  out.say(`speed       ${figure(tokensPerSecond)} scored tokens/s`)
  out.say(`time        ${duration(seconds)}${recipe.name === 'ppo' ? ' at most' : ''}: ${made.join(', ')}`)
  if (job.recipe === 'ppo' && job.judge !== undefined) out.say('            marks and their judge come on top')
  out.say(`This took ${duration(probe.seconds)} and ${probe.steps} steps; nothing was written.`)
}

async function goOn(recipe: Recipe, options: Options, o: TrainOptions): Promise<Trained> {
  const folder = options.resume!
  const taken = ['resume', 'json', ...(recipe.name === 'ppo' ? ['reward'] : [])]
  const others = Object.keys(options).filter((name) => !taken.includes(name))
  if (others.length > 0)
    throw new ConfigError(
      `--${kebab(others[0]!)} would be ignored: --resume goes on with the settings the run began with`,
    )
  const { record, config } = readRun(folder)
  if (record.recipe !== recipe.name)
    throw new ConfigError(
      `--resume: ${folder} is a run of ${record.recipe}; go on with it by hone train ${record.recipe} --resume ${folder}`,
    )
  const { judge: name, config: settings } = config as { judge?: string; config: { seed: number } }
  const judge =
    name === undefined
      ? undefined
      : await openJudge(name, { seed: settings.seed, folder: answersOf(folder), run: folder })
  const all = { ...o, ...(judge && { judge }) }
  if (options.reward === undefined) return resume(folder, all)
  return resumeWith(folder, absolute(resolveModel(options.reward, '--reward')), all)
}

/** `runs/ppo@40` */
function originOf(given: string): { run: string; step: number } {
  const [, run, step] = /^(.+)@(\d+)$/.exec(given) ?? []
  if (run === undefined) throw new ConfigError(`--branch: expected RUN@STEP, such as runs/ppo@40, got ${given}`)
  return { run, step: Number(step) }
}

/** The folder of another run. */
function supersededBy(folder: string, given: string): string {
  if (absolute(given) === absolute(folder))
    throw new ConfigError(`--supersedes: expected another run than --out, got ${given}`)
  try {
    readRun(given)
  } catch (cause) {
    throw new ConfigError(`--supersedes: ${(cause as Error).message}`, { cause })
  }
  return given
}

/** The other run's job with the settings given here. */
function branchedJob(recipe: Recipe, options: Options, run: string): Job {
  const known = new Set([
    'branch',
    'out',
    'json',
    'config',
    'objective',
    'supersedes',
    ...Object.keys(recipe.config.shape),
  ])
  const other = Object.keys(options).find((name) => !known.has(name))
  if (other !== undefined)
    throw new ConfigError(`--${kebab(other)} would be ignored: --branch takes models and data of the other run`)
  const { record, config } = readRun(run)
  if (record.recipe !== recipe.name)
    throw new ConfigError(
      `--branch: ${run} is a run of ${record.recipe}; branch from it by hone train ${record.recipe}`,
    )
  const job = Job.parse(config)
  const read = readFlags(options, recipe.config, job.config)
  return refuseIgnored(Job.parse({ ...job, config: read.config }), read.given)
}

/** Where a person's answers to a mark are until the mark is whole. */
function answersOf(run: string): string {
  return join(run, 'answers')
}

function tell(
  { name }: Recipe,
  { folder, model, outcome, finished }: Trained,
  { out, ...took }: { out: Output; seconds: number; tokensPerSecond: number },
): void {
  out.endProgress()
  const { reason, stoppedBy, metrics } = outcome
  if (!finished) throw new Stopped(`${reason}; go on with: hone train ${name} --resume ${folder}`)
  out.event({
    event: 'done',
    checkpoint: model,
    steps: outcome.steps,
    stoppedBy,
    reason,
    metrics,
    ...took,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  })
  const isPaused = stoppedBy === 'reward-model'
  out.say(`${name}: ${isPaused ? 'paused: ' : ''}${reason}`)
  if (isPaused) out.say(howToGoOn(folder))
  const shown = [
    'heldOutLoss',
    'heldOutPerplexity',
    'generalPerplexity',
    'generalRatio',
    'loss',
    'heldOutAccuracy',
    'accuracy',
    'score',
    'kl',
  ].flatMap((m) => (metrics[m] === undefined ? [] : [`${m} ${figure(metrics[m])}`]))
  out.say(`${model}  ${shown.join('  ')}`)
}

/** 1,234,567 */
function grouped(count: number): string {
  return count.toLocaleString('en')
}
