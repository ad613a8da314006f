// The job that flags of hone train amount to: of each recipe, which models, files and settings go in, and where it computes.
import { resolve as absolute } from 'node:path'
import type { Command } from 'commander'
import type { z } from 'zod'
import { checkCritic } from '#align'
import { ConfigError } from '#errors'
import { DpoConfig, ignoredSettings, PpoConfig, RewardConfig, SftConfig } from '#schema'
import { type Job, resolveModel, type SftJob } from '#trainer'
import { fileOf } from './data-source.ts'
import { DTYPE_FLAG, readDtype } from './dtype.ts'
import { addFlags, kebab, readFlags } from './flags.ts'
import { absoluteJudge, JUDGES } from './judges.ts'

/** Switches are true where they are given. */
export type Options = Record<string, string | undefined> & { json?: boolean }

/** A flag of a recipe that is no setting of its config: a file, a folder, a choice. */
type Input = { flag: string; help: string; required?: boolean; file?: boolean; isSwitch?: boolean }

/** Where and how a run computes. */
type On = Pick<SftJob, 'device' | 'dtype' | 'lora' | 'baseDtype' | 'gradientCheckpointing'>

export type Recipe = {
  name: Job['recipe']
  help: string
  config: z.ZodObject
  inputs: Input[]
  /** What the flags amount to; `given` answers an absolute path for files. */
  job: (o: { config: unknown; on: On; model: string; given: (flag: string) => string | undefined }) => Job
}

const BASE_DTYPES = ['float32', 'bfloat16', 'int8', 'nf4'] as const

const DATA = { flag: 'data', required: true, file: true }
const WATCH = { flag: 'watch', file: true, help: 'prompts whose completions are shown along the run' }
const PAIRS = 'pairs: chosen and rejected, judgements, or preferences (JSONL, JSON, CSV, gzip), or a version'

export const RECIPES: Recipe[] = [
  {
    name: 'sft',
    help: 'supervised fine-tuning on demonstrations',
    config: SftConfig,
    inputs: [
      { ...DATA, help: 'demonstrations (JSONL, JSON, CSV, gzip), or a version' },
      { flag: 'held-out', file: true, help: 'demonstrations to measure the loss on' },
      { flag: 'replay', file: true, help: 'general texts, mixed in against forgetting: rows {"text"}' },
      {
        flag: 'general',
        file: true,
        help: 'general texts to measure the perplexity on beside --held-out, held against the base: rows {"text"}',
      },
      WATCH,
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
        watch: given('watch'),
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
    inputs: [{ ...DATA, help: PAIRS }, { flag: 'held-out', file: true, help: 'pairs to measure accuracy on' }, WATCH],
    job: ({ config, on, model, given }) => ({
      recipe: 'dpo',
      config: config as DpoConfig,
      ...on,
      model,
      ...present({ data: given('data')!, heldOut: given('held-out'), watch: given('watch') }),
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
      WATCH,
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

/** Adds what `jobOf` reads, but for --model. */
export function addJobFlags(command: Command, { inputs, config }: Recipe): void {
  command
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
  for (const { flag, help, isSwitch } of inputs) command.option(isSwitch ? `--${flag}` : `--${flag} <value>`, help)
  addFlags(command, config)
}

/** Throws where a setting that was given has nothing to work on. */
export function refuseIgnored(job: Job, given: string[]): Job {
  if (job.recipe === 'pretrain') return job
  const [ignored] = ignoredSettings(job.recipe, job, { given, name: (field) => `--${kebab(field)}` })
  if (ignored) throw new ConfigError(ignored.message)
  return job
}

export function jobOf(recipe: Recipe, options: Options): Job {
  const settings = readFlags(options, recipe.config)
  const given = (flag: string) => {
    const value = options[flag.replace(/-(.)/g, (_, c: string) => c.toUpperCase())]
    const input = recipe.inputs.find((i) => i.flag === flag)
    if (value === undefined || !input?.file) return value
    return fileOf(`--${flag}`, value, {}).file
  }
  for (const { flag, required } of recipe.inputs)
    if (required && given(flag) === undefined) throw new ConfigError(`expected --${flag}; see --help`)
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

export function needed(options: Options, flag: string): string {
  const value = options[flag]
  if (value === undefined) throw new ConfigError(`expected --${flag}`)
  return value
}

function present<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>
  }
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
