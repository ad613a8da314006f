// What a training run is asked to do, as it lies in its config.json: everything a resume needs, and nothing that is made
// at run time. Paths are absolute.
import { resolve } from 'node:path'
import { z } from 'zod'
import { DpoConfig, PpoConfig, RewardConfig, SftConfig } from '#schema'

const device = z.string().default('cpu').describe('cpu, or cuda:0')
const dtype = z
  .enum(['float32', 'bfloat16'])
  .optional()
  .describe('of matrix products; absent = float32. Weights and optimizer are float32 either way')
const lora = z
  .strictObject({
    rank: z.number().int().min(1),
    alpha: z.number().positive(),
    targets: z.array(z.string()).min(1),
    isRankStabilised: z.boolean().default(false),
  })
  .optional()
  .describe('adapters train instead of the weights; a model that is an adapter trains its own')
const baseDtype = z
  .enum(['float32', 'bfloat16', 'int8', 'nf4'])
  .optional()
  .describe('how the frozen matrices under adapters are stored; absent = float32')
const gradientCheckpointing = z
  .boolean()
  .optional()
  .describe('backward computes each layer once more instead of remembering it: less memory, more work')
const model = z.string().describe('folder of the model to start from')
const watch = z.string().optional().describe('prompts whose completions are shown along the run')
const judgements = z
  .array(z.string())
  .optional()
  .describe('ids of the judgements that went in, where the data holds any; gold is none of them: it trains nothing')

export const SftJob = z.strictObject({
  recipe: z.literal('sft'),
  config: SftConfig,
  device,
  dtype,
  lora,
  baseDtype,
  gradientCheckpointing,
  model,
  data: z.string().describe('demonstrations: JSONL, JSON or CSV, plain or gzip'),
  heldOut: z.string().optional().describe('demonstrations to measure the loss on'),
  replay: z.string().optional().describe('general texts to mix in: rows {"text"}'),
  general: z.string().optional().describe('general texts to measure the perplexity on: rows {"text"}'),
  watch,
})
export type SftJob = z.infer<typeof SftJob>

/** Whole texts, every token scored: how the bundled base was made. */
export const PretrainJob = z.strictObject({
  recipe: z.literal('pretrain'),
  config: SftConfig,
  device,
  dtype,
  model,
  data: z.string().describe('texts: rows {"text"}'),
  heldOut: z.string().optional().describe('the same, to measure the loss on'),
})
export type PretrainJob = z.infer<typeof PretrainJob>

export const RewardJob = z.strictObject({
  recipe: z.literal('reward'),
  config: RewardConfig,
  device,
  dtype,
  lora,
  baseDtype,
  gradientCheckpointing,
  model,
  data: z.string().describe('comparisons (chosen, rejected), judgements, or preferences'),
  heldOut: z.string().optional().describe('the same, to measure accuracy on'),
  read: z
    .enum(['last', 'sum'])
    .default('last')
    .describe('where the score is read: after the last token, or summed over the completion'),
  judgements,
})
export type RewardJob = z.infer<typeof RewardJob>

export const DpoJob = z.strictObject({
  recipe: z.literal('dpo'),
  config: DpoConfig,
  device,
  dtype,
  lora,
  baseDtype,
  gradientCheckpointing,
  model,
  data: z.string().describe('comparisons (chosen, rejected), judgements, or preferences'),
  heldOut: z.string().optional().describe('the same, to measure accuracy on'),
  watch,
  judgements,
})
export type DpoJob = z.infer<typeof DpoJob>

export const PpoJob = z.strictObject({
  recipe: z.literal('ppo'),
  config: PpoConfig,
  device,
  dtype,
  lora,
  baseDtype,
  gradientCheckpointing,
  model,
  reference: z.string().describe('folder of the frozen model that KL is measured to'),
  reward: z.string().optional().describe('folder of the reward model'),
  withoutTicket: z
    .literal(true)
    .optional()
    .describe('the reward model entered RL though nothing on held-out pairs speaks for it'),
  earlierRewards: z
    .array(z.strictObject({ until: z.number().int().positive(), reward: z.string() }))
    .optional()
    .describe('reward models that the run was paused for, each with the step of the mark at which it gave way'),
  rewardWeight: z.number().default(1).describe('factor of the learned reward'),
  criticFrom: z
    .enum(['reward', 'model', 'policy'])
    .describe('weights the critic starts from; policy = it is a value head on the policy itself'),
  data: z.string().describe('prompts to train on'),
  markData: z.string().optional().describe('prompts kept apart for marks'),
  watch,
  rules: z.string().optional().describe('JSON file of rule terms'),
  judge: z.string().optional().describe('who judges at marks'),
})
export type PpoJob = z.infer<typeof PpoJob>

export const Job = z.discriminatedUnion('recipe', [PretrainJob, SftJob, RewardJob, DpoJob, PpoJob])
export type Job = z.infer<typeof Job>

const PATHS = new Set([
  'model',
  'data',
  'heldOut',
  'replay',
  'general',
  'reference',
  'reward',
  'markData',
  'watch',
  'rules',
])

/** The job as a resume from another working directory must find it. */
export function withAbsolutePaths(job: Job): Job {
  const entries = Object.entries(job).map(([key, value]) => [
    key,
    PATHS.has(key) && typeof value === 'string' ? resolve(value) : value,
  ])
  return Job.parse(Object.fromEntries(entries))
}
