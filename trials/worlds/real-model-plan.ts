// The plan of a real model: SmolLM2-135M-Instruct on the customer-service domain, every number for 30 or for 10 minutes
// on two cores. The stages are the quickstart's; adapters train, and policy, reference and reward share one frozen base.
import { resolve } from 'node:path'
import { readFileSync } from 'node:fs'
import { choosePrecision } from '#lm'
import { PpoConfig, RewardConfig, SftConfig } from '#schema'
import type { Plan } from '../../src/cli/quickstart/plan.ts'

export const MINUTES = [30, 10] as const
export type Minutes = (typeof MINUTES)[number]

/** The most that general perplexity may rise: goal of the trial and gate of the release. */
export const GENERAL_MOST = 1.05

/** By form; what follows from them is below. Replay texts are enough that none comes twice: repeated, they are learnt by heart. */
const SIZES = {
  30: {
    demonstrations: 1600,
    heldOut: 80,
    generalTokens: 50_000,
    pairs: 600,
    heldOutPairs: 200,
    fixedPrompts: 200,
    evaluation: 300,
    violations: 200,
    replay: 720,
    replayTokens: 128,
    ppoSteps: 16,
    ppoRate: 2e-4,
    promptsPerStep: 32,
    markPairs: 60,
    looks: { from: 4, every: 4 },
  },
  10: {
    demonstrations: 800,
    heldOut: 40,
    generalTokens: 6000,
    pairs: 160,
    heldOutPairs: 80,
    fixedPrompts: 80,
    evaluation: 120,
    violations: 40,
    replay: 360,
    replayTokens: 128,
    ppoSteps: 8,
    ppoRate: 3e-4,
    promptsPerStep: 24,
    markPairs: 24,
    looks: { from: 4, every: 4 },
  },
} as const

export function realModelPlan({ base, seed, minutes }: { base: string; seed: number; minutes: Minutes }): Plan {
  const { ppoSteps, ppoRate, promptsPerStep, markPairs, looks, generalTokens, replayTokens, ...sizes } = SIZES[minutes]
  return {
    title: 'Customer service with SmolLM2-135M-Instruct, simulated',
    command: `npm run trials -- real-model ${seed} --minutes ${minutes}`,
    scale: 1,
    base,
    dtype: choosePrecision('auto', 'cpu'),
    lora: { rank: 16, alpha: 32, targets: ['all-linear'], isRankStabilised: false },
    criticFrom: 'policy',
    general: { texts: generalTexts(generalTokens), most: GENERAL_MOST, replayTokens },
    looks,
    comparisons: false,
    pastGates: 'this trial looks at the whole loop, with fewer held-out rows than its gates ask for',
    leftOut: [
      'Best of n, the run without rule terms and the unbudgeted continuation: each would take as long as a step of this turn does. The quickstart shows them.',
    ],
    settings: {
      sizes: {
        ...sizes,
        generalHeldOut: 0,
        qualification: 20,
        overlap: 3,
        rlPrompts: ppoSteps * promptsPerStep,
        markPrompts: 8 * markPairs,
        watched: 8,
        bestOfNPrompts: 0,
        bestOfNSamples: 0,
      },
      sft: SftConfig.parse({
        seed,
        epochs: 2,
        batchSize: 16,
        learningRate: 1.5e-3,
        replayShare: 0.25,
        warmupSteps: 5,
        evalEvery: 50,
        checkpointEvery: 25,
      }),
      reward: RewardConfig.parse({
        seed,
        epochs: 2,
        batchSize: 16,
        learningRate: 8e-4,
        headLearningRate: 1e-3,
        warmupSteps: 4,
        evalEvery: 1000,
        checkpointEvery: 10,
      }),
      ppo: PpoConfig.parse({
        seed,
        steps: ppoSteps,
        promptsPerStep,
        samplesPerPrompt: 2,
        maxTokens: 64,
        updateEpochs: 1,
        minibatches: 4,
        learningRate: ppoRate,
        warmupSteps: 2,
        criticWarmupSteps: 1,
        beta: 0.01,
        klBudget: 6,
        markEvery: 3,
        markPairs,
        checkpointEvery: 4,
        samplesEvery: 1000,
      }),
      evaluation: { temperature: 0.7 },
    },
  }
}

const TEXT = resolve(import.meta.dirname, '..', 'texts', 'opticks.txt')
/** Characters a token of this text, and of one row: long enough for context, short enough for an interval over rows. */
const CHARACTERS_PER_TOKEN = 3.88
const ROW_CHARACTERS = 1500

/** The beginning of the committed text as rows of whole paragraphs, about `tokens` of them. */
export function generalTexts(tokens: number): string[] {
  const rows: string[] = []
  let row = ''
  let taken = 0
  for (const paragraph of readFileSync(TEXT, 'utf8').split(/\n{2,}/)) {
    row += row === '' ? paragraph : `\n\n${paragraph}`
    taken += paragraph.length + 2
    if (row.length >= ROW_CHARACTERS || taken >= tokens * CHARACTERS_PER_TOKEN) {
      rows.push(row)
      row = ''
    }
    if (taken >= tokens * CHARACTERS_PER_TOKEN) return rows
  }
  return row === '' ? rows : [...rows, row]
}
