// What a person orders when a run is started from outside the command line: a recipe, what goes in by name, its settings,
// and how it computes. Forms, the API and the flags of `hone train` are made of the same fields. `takes` says what an
// input may name: a model (`base`, `models/NAME`, or a run), a reward run, a dataset version that holds rows of a kind, or a file
// of the workspace with rule terms or whole texts.
import { z } from 'zod'
import { DpoConfig, PpoConfig, RewardConfig, SftConfig } from './recipes.ts'

export type Takes = 'model' | 'reward' | 'demonstrations' | 'pairs' | 'prompts' | 'rules' | 'texts'

const name = (takes: Takes, words: string) => z.string().min(1).describe(words).meta({ takes })
const model = name('model', 'model to start from')
const watch = name('prompts', 'prompts whose completions are shown along the run').optional()
const pairs = 'pairs to learn from: comparisons with a chosen side, judgements, or preferences'

/** How a run computes, whatever its recipe. */
export const Computing = z.strictObject({
  device: z
    .string()
    .regex(/^(cpu|cuda(:\d{1,2})?)$/, 'expected cpu, or a GPU such as cuda:0')
    .default('cpu')
    .describe('cpu, or a GPU such as cuda:0'),
  dtype: z.enum(['float32', 'bfloat16']).default('float32').describe('of matrix products'),
  loraRank: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('adapters of this rank train instead of the weights; empty = the weights train'),
})
export type Computing = z.infer<typeof Computing>

/** What an input says that is a switch at the command line. */
const SWITCHED_ON = 'yes'

export const ORDERS = {
  sft: {
    title: 'Supervised fine-tuning',
    inputs: z.strictObject({
      model,
      data: name('demonstrations', 'demonstrations to learn from'),
      heldOut: name('demonstrations', 'demonstrations to measure the loss on').optional(),
      replay: name('texts', 'general texts, mixed in against forgetting: rows {"text"}').optional(),
      general: name(
        'texts',
        'general texts to measure the perplexity on beside the held-out rows, held against the base: rows {"text"}',
      ).optional(),
      watch,
    }),
    settings: SftConfig,
  },
  reward: {
    title: 'Reward model',
    inputs: z.strictObject({
      model,
      data: name('pairs', pairs),
      heldOut: name('pairs', 'pairs to measure accuracy on').optional(),
      read: z
        .enum(['last', 'sum'])
        .default('last')
        .describe('where the score is read: after the last token, or summed over the completion'),
    }),
    settings: RewardConfig,
  },
  dpo: {
    title: 'Direct preference optimisation',
    inputs: z.strictObject({
      model,
      data: name('pairs', pairs),
      heldOut: name('pairs', 'pairs to measure accuracy on').optional(),
      watch,
    }),
    settings: DpoConfig,
  },
  ppo: {
    title: 'PPO under a KL budget',
    inputs: z
      .strictObject({
        model,
        reward: name('reward', 'reward model that is optimised; empty = the rules alone').optional(),
        withoutTicket: z
          .enum([SWITCHED_ON])
          .optional()
          .describe(
            'yes = go on with a reward model that is not shown to be better than chance on held-out pairs; the run records it',
          ),
        rewardWeight: z.number().optional().describe('factor of the learned reward; empty = 1'),
        rules: name('rules', 'JSON file of rule terms, each with its weight in the reward').optional(),
        data: name('prompts', 'prompts to train on'),
        judge: z
          .enum(['people', 'simulated:customer-service'])
          .optional()
          .describe(
            'who judges fresh pairs at marks; people = the run waits for them; empty = the budget alone ends it',
          ),
        markData: name('prompts', 'prompts kept apart for marks').optional(),
        watch,
        reference: name('model', 'frozen model that KL is measured to; empty = the model itself').optional(),
        criticFrom: z
          .enum(['reward', 'model', 'policy'])
          .optional()
          .describe(
            'weights the critic starts from; policy = a value head on the policy itself, a third less work; empty = reward where there is one, else model',
          ),
      })
      .refine(({ reward, rules }) => reward !== undefined || rules !== undefined, {
        path: ['reward'],
        message: 'expected a reward model or rules: there is nothing to optimise',
      })
      .refine(({ reward, rewardWeight }) => reward !== undefined || rewardWeight === undefined, {
        path: ['rewardWeight'],
        message: 'would be ignored without a reward model: choose one, or leave it empty',
      })
      .refine(({ reward, withoutTicket }) => reward !== undefined || withoutTicket === undefined, {
        path: ['withoutTicket'],
        message: 'would be ignored without a reward model: choose one, or leave it empty',
      })
      .refine(({ reward, criticFrom }) => reward !== undefined || criticFrom !== 'reward', {
        path: ['criticFrom'],
        message: 'expected a reward model to start from: choose one, or model or policy',
      })
      .refine(({ judge, markData }) => judge !== undefined || markData === undefined, {
        path: ['markData'],
        message: 'would be ignored without a judge: choose one, or leave it empty',
      }),
    settings: PpoConfig,
  },
} as const

export const RecipeName = z.enum(['sft', 'reward', 'dpo', 'ppo'])
export type RecipeName = z.infer<typeof RecipeName>

const Given = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

/**
 * An order as it is kept: every name resolved (`base`, `models/NAME`, a run's folder name, `dataset@hash`, a file's path in the
 * workspace), the rest as it was given.
 */
export const RunOrder = z.strictObject({
  recipe: RecipeName,
  inputs: z.record(z.string(), z.string()),
  settings: Given,
  computing: Given,
  /** Goes on from another run's checkpoint, with its inputs and these settings. */
  branch: z.strictObject({ run: z.string(), step: z.number().int().nonnegative() }).optional(),
  /** File of the workspace, or none; absent: the workspace's own, where it has one. */
  objective: z.string().optional(),
  /** The run whose place it takes, and in one sentence why. */
  supersedes: z.strictObject({ run: z.string(), why: z.string() }).optional(),
})
export type RunOrder = z.infer<typeof RunOrder>

/** What an input of a recipe may name; undefined where it is a choice. */
export function takesOf(recipe: RecipeName, input: string): Takes | undefined {
  const shape: Record<string, z.ZodType> = ORDERS[recipe].inputs.shape
  const schema = shape[input]
  const meta = (schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema)?.meta()
  return meta?.takes as Takes | undefined
}

/** What a person would type in the workspace to begin the run: arguments of `hone`. */
export function orderArguments(order: RunOrder, run: string): string[] {
  const { recipe, inputs, settings, computing, branch, objective, supersedes } = order
  const flags: [string, string | number | boolean | undefined][] = [['out', `runs/${run}`]]
  if (branch) flags.push(['branch', `runs/${branch.run}@${branch.step}`])
  if (objective !== undefined) flags.push(['objective', objective])
  if (supersedes) flags.push(['supersedes', `runs/${supersedes.run}`])
  // Kept orders forget in which order they were given.
  for (const input of Object.keys(ORDERS[recipe].inputs.shape)) {
    const value = inputs[input]
    if (value === undefined) continue
    const takes = takesOf(recipe, input)
    const isRun = (takes === 'model' || takes === 'reward') && value !== 'base' && !value.startsWith('models/')
    const isSwitch = takes === undefined && value === SWITCHED_ON
    flags.push([input, isSwitch ? undefined : isRun ? `runs/${value}` : value])
  }
  for (const [part, { shape }] of [
    [computing, Computing],
    [settings, ORDERS[recipe].settings],
  ] as const)
    for (const field of Object.keys(shape)) if (part[field] !== undefined) flags.push([field, part[field]])
  const words = flags.flatMap(([flag, value]) => [`--${kebab(flag)}`, ...(value === undefined ? [] : [String(value)])])
  return ['train', recipe, ...words]
}

/** Exit code of a run that saved and ended by SIGINT, and of one that waits for people. */
export const STOPPED_CODE = 130
export const WAITING_CODE = 75

function kebab(field: string): string {
  return field.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
}
