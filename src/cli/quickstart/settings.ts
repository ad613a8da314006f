// Every number of the quickstart in one place: how much data, and the settings of its recipes.
import { PpoConfig, RewardConfig, SftConfig } from '#schema'

export const SIZES = {
  demonstrations: 2000,
  heldOut: 500,
  /** Enough that none comes twice: repeated, they are learnt by heart and general text suffers. */
  replay: 6000,
  generalHeldOut: 200,
  qualification: 20,
  pairs: 1500,
  heldOutPairs: 1000,
  overlap: 3,
  rlPrompts: 2000,
  markPrompts: 2000,
  watched: 8,
  /** Fixed prompts behind gold before and after, and the points of the unbudgeted curve. */
  fixedPrompts: 500,
  /** Prompts of the evaluation: a change of 0.05 in a criterion must show. */
  evaluation: 1500,
  violations: 2000,
  bestOfNPrompts: 24,
  bestOfNSamples: 64,
}

/** Steps between two looks at the fixed prompts. */
export const LOOK_EVERY = 4
/** Steps of the unbudgeted continuation. */
export const UNBUDGETED_STEPS = 42

export function sftConfig(seed: number): SftConfig {
  return SftConfig.parse({
    seed,
    epochs: 5,
    batchSize: 8,
    learningRate: 2e-3,
    replayShare: 0.5,
    replayWeight: 0.6,
    evalEvery: 250,
    checkpointEvery: 250,
  })
}

export function rewardConfig(seed: number): RewardConfig {
  return RewardConfig.parse({
    seed,
    epochs: 2,
    batchSize: 16,
    learningRate: 5e-4,
    headLearningRate: 5e-4,
    evalEvery: 100,
    checkpointEvery: 100,
  })
}

export function ppoConfig(seed: number): PpoConfig {
  return PpoConfig.parse({ seed, steps: UNBUDGETED_STEPS, klBudget: 4, checkpointEvery: 20 })
}

/** Rule terms beside the learned reward. */
export const RULE_WEIGHTS = { fact: 0.5, constraint: 2 }
