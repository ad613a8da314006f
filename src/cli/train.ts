// hone train sft|reward|dpo|ppo: flags come from each recipe's schema; the rest of this file is which models and files go in.
import { join, resolve as absolute } from 'node:path'
import type { Command } from 'commander'
import type { z } from 'zod'
import { checkCritic } from '#align'
import { ConfigError } from '#errors'
import { DpoConfig, ignoredSettings, PpoConfig, RewardConfig, SftConfig } from '#schema'
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
  type SftJob,
  train,
  type Trained,
  type TrainOptions,
} from '#trainer'
import { fileOf } from './data-source.ts'
import { DTYPE_FLAG, readDtype } from './dtype.ts'
import { addFlags, kebab, readFlags } from './flags.ts'
import { duration, figure, output, type Output } from './output.ts'
import { absoluteJudge, JUDGES, openJudge } from './judges.ts'
import { OBJECTIVE_FLAG, objectiveOf } from './objective.ts'
import { progressOf } from './progress.ts'
import { Stopped, stoppable } from './stop.ts'
import { version } from './version.ts'

/** Switches are true where they are given. */
type Options = Record<string, string | undefined> & { json?: boolean }

/** A flag of a recipe that is no setting of its config: a file, a folder, a choice. */
type Input = { flag: string; help: string; required?: boolean; file?: boolean; isSwitch?: boolean }

/** Where and how a run computes. */
type On = Pick<SftJob, 'device' | 'dtype' | 'lora' | 'baseDtype' | 'gradientCheckpointing'>

type Recipe = {
  name: Job['recipe']
  help: string
  config: z.ZodObject
  inputs: Input[]
  /** What the flags amount to; `given` answers an absolute path for files. */
  job: (o: { config: unknown; on: On; model: string; given: (flag: string) => string | undefined }) => Job
}

const BASE_DTYPES = ['float32', 'bfloat16', 'int8', 'nf4'] as const

const DATA = { flag: 'data', required: true, file: true }
const PAIRS = 'pairs: chosen and rejected, judgements, or preferences (JSONL, JSON, CSV, gzip), or a version'

const RECIPES: Recipe[] = [
  {
    name: 'sft',
    help: 'supervised fine-tuning on demonstrations',
    config: SftConfig,
    inputs: [
      { ...DATA, help: 'demonstrations (JSONL, JSON, CSV, gzip), or a version' },
      { flag: 'held-out', file: true, help: 'demonstrations to measure the loss on' },
      { flag: 'replay', file: true, help: 'general texts, mixed in against forgetting: JSONL rows {"text"}' },
      {
        flag: 'general',
        file: true,
        help: 'general texts to measure the perplexity on beside --held-out, held against the base: JSONL rows {"text"}',
      },
    ],
    job: ({ config, on, model, given }) => ({
      recipe: 'sft',
      config: config as SftConfig,
      ...on,
      model,
      ...present({
        data: given('data')!,
        heldOut: given('held-out'),
        replay: given('replay'),
        general: given('general'),
      }),
    }),
  },
  {
    name: 'reward',
    help: 'reward model on comparisons or judgements',
    config: RewardConfig,
    inputs: [
      { ...DATA, help: PAIRS },
      { flag: 'held-out', file: true, help: 'pairs to measure accuracy on' },
      { flag: 'read', help: 'last = the score after the last token (the standard), sum = summed over the completion' },
    ],
    job: ({ config, on, model, given }) => ({
      recipe: 'reward',
      config: config as RewardConfig,
      ...on,
      model,
      read: oneOf('read', given('read') ?? 'last', ['last', 'sum'] as const),
      ...present({ data: given('data')!, heldOut: given('held-out') }),
    }),
  },
  {
    name: 'dpo',
    help: 'direct preference optimisation on pairs',
    config: DpoConfig,
    inputs: [
      { ...DATA, help: PAIRS },
      { flag: 'held-out', file: true, help: 'pairs to measure accuracy on' },
    ],
    job: ({ config, on, model, given }) => ({
      recipe: 'dpo',
      config: config as DpoConfig,
      ...on,
      model,
      ...present({ data: given('data')!, heldOut: given('held-out') }),
    }),
  },
  {
    name: 'ppo',
    help: 'reinforcement learning under a KL budget',
    config: PpoConfig,
    inputs: [
      { ...DATA, help: 'prompts (JSONL, JSON, CSV, gzip), or a version' },
      {
        flag: 'reward',
        help: 'reward model: a folder or a run; beside --resume of a run that a mark paused, the one it goes on with',
      },
      {
        flag: 'without-ticket',
        isSwitch: true,
        help: 'go on with a reward model that is not shown to be better than chance on held-out pairs; the run records it',
      },
      { flag: 'reward-weight', help: 'factor of the learned reward (default: 1)' },
      { flag: 'rules', file: true, help: 'JSON file of rule terms' },
      { flag: 'reference', help: 'frozen model that KL is measured to (default: --model)' },
      {
        flag: 'critic-from',
        help: "reward or model: weights the critic starts from (default: reward where there is one); policy: a value head on the policy's own trunk, a third less work",
      },
      { flag: 'mark-data', file: true, help: 'prompts kept apart for marks (default: --data)' },
      { flag: 'watch', file: true, help: 'prompts whose completions are shown along the run' },
      {
        flag: 'judge',
        help: `who judges fresh pairs at marks: people (in the browser; the run waits), ${JUDGES} (default: nobody, the budget alone ends the run)`,
      },
    ],
    job: ({ config, on, model, given }) => {
      const reward = given('reward') === undefined ? undefined : absolute(resolveModel(given('reward')!, '--reward'))
      const criticFrom = oneOf('critic-from', given('critic-from') ?? (reward ? 'reward' : 'model'), [
        'reward',
        'model',
        'policy',
      ] as const)
      checkCritic(config as PpoConfig, { isOnPolicy: criticFrom === 'policy' })
      if (!reward && given('rules') === undefined)
        throw new ConfigError('expected --reward or --rules: there is nothing to optimise')
      if (!reward && criticFrom === 'reward') throw new ConfigError('--critic-from reward needs --reward')
      if (!reward && given('reward-weight') !== undefined)
        throw new ConfigError('--reward-weight would be ignored without --reward')
      const judge = given('judge') === undefined ? undefined : absoluteJudge(given('judge')!)
      if (reward && judge === `reward:${reward}`)
        throw new ConfigError('--judge: expected another reward model than --reward, which cannot check itself')
      if (judge === undefined && given('mark-data') !== undefined)
        throw new ConfigError('--mark-data would be ignored without --judge')
      return {
        recipe: 'ppo',
        config: config as PpoConfig,
        ...on,
        model,
        ...(given('without-ticket') !== undefined && { withoutTicket: true }),
        reference:
          given('reference') === undefined ? model : absolute(resolveModel(given('reference')!, '--reference')),
        rewardWeight: numberOf('reward-weight', given('reward-weight') ?? '1'),
        criticFrom,
        ...present({
          data: given('data')!,
          reward,
          markData: given('mark-data'),
          watch: given('watch'),
          rules: given('rules'),
          judge,
        }),
      }
    },
  },
]

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
      .option('--device <device>', 'cpu, or cuda:0 (default: cpu)')
      .option(...DTYPE_FLAG)
      .option('--lora-rank <n>', 'train adapters of this rank instead of the weights')
      .option('--lora-alpha <n>', 'their product is scaled by alpha / rank (default: twice the rank)')
      .option('--lora-targets <names>', 'modules that have one, by commas, or all-linear (default: all-linear)')
      .option('--lora-rank-stabilised', 'scale by alpha / sqrt(rank)')
      .option(
        '--base-dtype <dtype>',
        `frozen matrices under adapters: ${BASE_DTYPES.join(', ')} (default: float32); the fewer bytes, the less memory`,
      )
      .option('--gradient-checkpointing', 'backward computes each layer once more: memory of one layer, more work')
      .option('--dry-run', 'say what the run would take, from a few steps on these rows; writes nothing')
      .option('--json', 'events as JSON lines on standard output')
    for (const { flag, help, isSwitch } of recipe.inputs)
      command.option(isSwitch ? `--${flag}` : `--${flag} <value>`, help)
    addFlags(command, recipe.config)
    command.action((options: Options) => run(recipe, options))
  }
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
    const all = { ...o, objective, ...(judge && { judge }) }
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

/** The other run's job with the settings given here. */
function branchedJob(recipe: Recipe, options: Options, run: string): Job {
  const known = new Set(['branch', 'out', 'json', 'config', 'objective', ...Object.keys(recipe.config.shape)])
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

/** Throws where a setting that was given has nothing to work on. */
function refuseIgnored(job: Job, given: string[]): Job {
  if (job.recipe === 'pretrain') return job
  const [ignored] = ignoredSettings(job.recipe, job, { given, name: (field) => `--${kebab(field)}` })
  if (ignored) throw new ConfigError(ignored.message)
  return job
}

function jobOf(recipe: Recipe, options: Options): Job {
  const settings = readFlags(options, recipe.config)
  const given = (flag: string) => {
    const value = options[flag.replace(/-(.)/g, (_, c: string) => c.toUpperCase())]
    const input = recipe.inputs.find((i) => i.flag === flag)
    if (value === undefined || !input?.file) return value
    return fileOf(`--${flag}`, value, {}).file
  }
  for (const { flag, required } of recipe.inputs)
    if (required && given(flag) === undefined)
      throw new ConfigError(`expected --${flag}; see hone train ${recipe.name} --help`)
  const device = options.device ?? 'cpu'
  const job = recipe.job({
    config: settings.config,
    on: {
      device,
      dtype: readDtype(options.dtype, device),
      ...readLora(options),
      ...(options.baseDtype !== undefined && { baseDtype: oneOf('base-dtype', options.baseDtype, BASE_DTYPES) }),
      ...(options.gradientCheckpointing !== undefined && { gradientCheckpointing: true }),
    },
    model: absolute(resolveModel(needed(options, 'model'))),
    given,
  })
  return refuseIgnored(job, settings.given)
}

/** Where a person's answers to a mark are until the mark is whole. */
function answersOf(run: string): string {
  return join(run, 'answers')
}

/** Settings of adapters without a rank would be ignored. */
function readLora(options: Options): Pick<SftJob, 'lora'> {
  const { loraRank, loraAlpha, loraTargets, loraRankStabilised } = options
  if (loraRank === undefined) {
    const ignored = (['loraAlpha', 'loraTargets', 'loraRankStabilised'] as const).find(
      (name) => options[name] !== undefined,
    )
    if (ignored) throw new ConfigError(`--${kebab(ignored)} would be ignored without --lora-rank`)
    return {}
  }
  const rank = numberOf('lora-rank', loraRank)
  if (!Number.isInteger(rank) || rank < 1)
    throw new ConfigError(`--lora-rank: expected a whole number above 0, got ${loraRank}`)
  const alpha = loraAlpha === undefined ? 2 * rank : numberOf('lora-alpha', loraAlpha)
  if (!(alpha > 0)) throw new ConfigError(`--lora-alpha: expected a number above 0, got ${loraAlpha}`)
  const targets = (loraTargets ?? 'all-linear').split(',').filter((name) => name !== '')
  return { lora: { rank, alpha, targets, isRankStabilised: loraRankStabilised !== undefined } }
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

function needed(options: Options, flag: string): string {
  const value = options[flag]
  if (value === undefined) throw new ConfigError(`expected --${flag}`)
  return value
}

function present<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>
  }
}

/** 1,234,567 */
function grouped(count: number): string {
  return count.toLocaleString('en')
}

function oneOf<T extends string>(flag: string, value: string, among: readonly T[]): T {
  const found = among.find((a) => a === value)
  if (found === undefined) throw new ConfigError(`--${flag}: expected ${among.join(' or ')}, got ${value}`)
  return found
}

function numberOf(flag: string, value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number))
    throw new ConfigError(`--${flag}: expected a number, got ${value}`)
  return number
}
