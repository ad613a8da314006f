// A recipe that asks for more than an engine offers is refused before anything is loaded.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { forbidLeaks } from '#torch'
import type { Capabilities, Engine } from '#engine/contract'
import { createEmbeddedEngine } from '#lm'
import { DpoConfig, PpoConfig, RewardConfig } from '#schema'
import type { Job } from './jobs.ts'
import { requireEngine } from './needs.ts'

forbidLeaks({ beforeEach, afterEach })

const JOB = { device: 'cpu', model: 'm', data: 'd' } as const
const PPO = { ...JOB, recipe: 'ppo', reference: 'm', rewardWeight: 1, criticFrom: 'model' } as const
const jobs = {
  dpo: { ...JOB, recipe: 'dpo', config: DpoConfig.parse({}) },
  reward: { ...JOB, recipe: 'reward', config: RewardConfig.parse({}), read: 'last' },
  ppo: { ...PPO, reward: 'r', config: PpoConfig.parse({}) },
  curious: { ...PPO, config: PpoConfig.parse({ entropyBonus: 0.1 }) },
  adapted: {
    ...PPO,
    config: PpoConfig.parse({}),
    lora: { rank: 4, alpha: 8, targets: ['all-linear'], isRankStabilised: false },
  },
} satisfies Record<string, Job>

/** Offers log-probabilities and nothing else. */
const poor: Capabilities = {
  name: 'remote',
  device: 'elsewhere',
  outputs: ['logprobs'],
  differentiable: ['logprobs'],
  heads: [],
  tuning: ['all'],
  snapshots: false,
  maxTokens: 100,
}
const engineOf = (has: Capabilities): Engine => ({ ...createEmbeddedEngine(), capabilities: async () => has })

test('each refusal names everything that is missing', async () => {
  const refusal = (job: Job) => requireEngine(engineOf(poor), job).then(String, (error: Error) => error.message)
  expect(await refusal(jobs.dpo)).toBe('undefined')
  expect(await refusal(jobs.reward)).toMatch(
    /^reward needs what the engine remote does not offer: outputs: scores; differentiable: scores; heads: scores/,
  )
  expect(await refusal(jobs.ppo)).toMatch(
    /outputs: entropies; outputs: values; outputs: scores; differentiable: values; heads: value/,
  )
  expect(await refusal(jobs.curious)).toMatch(/differentiable: entropies/)
  expect(await refusal(jobs.curious)).not.toMatch(/scores/)
  expect(await refusal(jobs.adapted)).toMatch(/tuning: adapter/)
})

test('the embedded engine offers what every recipe asks for', async () => {
  for (const job of Object.values(jobs)) await requireEngine(createEmbeddedEngine(), job)
})
