// Every number of the quickstart in one place: how much data, and the settings of its recipes, from seed and scale alone.
// A second process and a resumed quickstart read both from quickstart.json, so all of them use the same.
import { PpoConfig, RewardConfig, SftConfig } from '#schema'

export type Settings = ReturnType<typeof settingsOf>

/** Of each demonstration, comparison and curve point this many are needed for the step to run at all; below it nothing shrinks. */
const FEWEST = 16

/** `scale`: share of rows and steps, above 0 and at most 1; at 1 the quickstart is what the README says of it. */
export function settingsOf({ seed, scale }: { seed: number; scale: number }) {
  const part = (whole: number, fewest = FEWEST) => Math.max(Math.min(whole, fewest), Math.round(whole * scale))
  return {
    sizes: {
      demonstrations: part(3000),
      heldOut: part(500),
      /** Enough that none comes twice: repeated, they are learnt by heart and general text suffers. */
      replay: part(6000),
      generalHeldOut: part(200),
      qualification: 20,
      /** Few: a reward model that knows less leaves more to exploit, which the marks and the unbudgeted run must show. */
      pairs: part(800),
      heldOutPairs: part(1000),
      overlap: 3,
      rlPrompts: part(2000),
      markPrompts: part(4000),
      watched: 8,
      /** Fixed prompts behind gold before and after, and the points of the unbudgeted curve. */
      fixedPrompts: part(400),
      /** Prompts of the evaluation: a change of 0.05 in a criterion must show. */
      evaluation: part(1200),
      violations: part(2000),
      bestOfNPrompts: part(24, 4),
      bestOfNSamples: part(64),
    },
    sft: SftConfig.parse({
      seed,
      epochs: 4,
      batchSize: 8,
      learningRate: 2e-3,
      replayShare: 0.5,
      replayWeight: 0.6,
      evalEvery: part(250),
      checkpointEvery: part(250),
    }),
    reward: RewardConfig.parse({
      seed,
      epochs: 4,
      batchSize: 16,
      learningRate: 2e-3,
      headLearningRate: 2e-3,
      evalEvery: part(50),
      checkpointEvery: part(100),
    }),
    /** Its steps are those of the unbudgeted continuation; the budget ends the run itself before. */
    ppo: PpoConfig.parse({
      seed,
      steps: part(40, 6),
      updateEpochs: 1,
      minibatches: 4,
      /** The rate grows past the end: gentle within the budget, then too large, so that the policy breaks out. */
      learningRate: 8e-4,
      entropyBonus: 0.015,
      beta: 0.015,
      warmupSteps: part(52, 20),
      klBudget: 6,
      onAlarm: 'pause',
      markEvery: 2.5,
      markLevel: 0.95,
      floor: 1,
      checkpointEvery: part(20, 2),
      markPairs: part(200),
      promptsPerStep: part(32, 8),
    }),
    /** Of SFT's replies and PPO's alike: that of `hone chat`. Everything before samples at 1, as PPO must. */
    evaluation: { temperature: 0.7 },
  }
}

/** Steps between two looks at the fixed prompts, and the first of them: before, the policy has hardly moved. */
export const LOOK_EVERY = 2
export const LOOK_FROM = 8

/** Nats for the run without rules: half of what PPO has, since it only shows that the learned reward alone gains. */
export const BUDGET_WITHOUT_RULES = 3

/** Rule terms beside the learned reward. */
export const RULE_WEIGHTS = { fact: 0.5, constraint: 2, greeting: 0.3, handover: 0.8, once: 0.5 }
