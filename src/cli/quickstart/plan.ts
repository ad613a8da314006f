// What one turn of the loop is made of: the base, what trains on it, every number, and what is shown besides. The
// bundled quickstart is one plan; a trial on a real model hands another to the same stages.
import type { Precision } from '#lm'
import { type PpoJob, resolveModel, type SftJob } from '#trainer'
import { LOOK_EVERY, LOOK_FROM, type Settings, settingsOf } from './settings.ts'

export type Plan = {
  title: string
  /** What to type to run it again. */
  command: string
  /** Share of rows and steps; below 1 the report says that its figures prove nothing. */
  scale: number
  settings: Settings
  /** Folder of the base. */
  base: string
  /** Of matrix products, in training and in sampling alike. */
  dtype: Precision
  /** Adapters train on the base, which stays as it is; absent, its weights train. */
  lora?: NonNullable<SftJob['lora']>
  criticFrom: PpoJob['criticFrom']
  /**
   * `texts`: general text of its own instead of the domain's; the gate is on its perplexity over the base's, at most `most`.
   * `replayTokens`: replay rows are what the base itself writes, up to so many tokens, for one that knows more than that text.
   */
  general: { texts?: string[]; most: number; replayTokens?: number }
  /** Steps of PPO at which the fixed prompts are looked at. */
  looks: { from: number; every: number }
  /** Best of n, the run without rules and the unbudgeted continuation, as processes beside PPO and evaluation. */
  comparisons: boolean
  /** Why this plan goes on past a failed gate of SFT or ticket of the reward model; absent, it stops there. */
  pastGates?: string
  /** What this plan leaves out and why, a sentence each. */
  leftOut?: string[]
}

export function quickstartPlan({ seed, scale }: { seed: number; scale: number }): Plan {
  return {
    title: 'Customer service: the bundled domain, simulated',
    command: `npm run quickstart -- --seed ${seed}${scale < 1 ? ` --scale ${scale}` : ''}`,
    scale,
    settings: settingsOf({ seed, scale }),
    base: resolveModel('base'),
    dtype: 'float32',
    criticFrom: 'reward',
    general: { most: 1.1 },
    looks: { from: LOOK_FROM, every: LOOK_EVERY },
    comparisons: true,
    ...(scale < 1 && { pastGates: `at scale ${scale} there are too few rows to pass, and it is to show the way` }),
  }
}
