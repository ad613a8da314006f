// What each recipe asks of an engine, held against what it offers before a model is loaded.
import type { Engine } from '#engine/contract'
import { type Needs, requireCapabilities } from '#evaluate'
import type { Job } from './jobs.ts'

/** @throws ConfigError naming everything that is missing */
export async function requireEngine(engine: Engine, job: Job): Promise<void> {
  requireCapabilities(await engine.capabilities(), needsOf(job), job.recipe)
}

export function needsOf(job: Job): Needs {
  const tuning: Needs['tuning'] = job.recipe !== 'pretrain' && job.lora ? ['adapter'] : ['all']
  if (job.recipe === 'reward') return { outputs: ['scores'], differentiable: ['scores'], heads: ['scores'], tuning }
  if (job.recipe !== 'ppo') return { outputs: ['logprobs'], differentiable: ['logprobs'], tuning }
  const { reward, config } = job
  return {
    outputs: ['logprobs', 'entropies', 'values', ...(reward === undefined ? [] : (['scores'] as const))],
    differentiable: ['logprobs', 'values', ...(config.entropyBonus > 0 ? (['entropies'] as const) : [])],
    heads: ['value'],
    tuning,
  }
}
