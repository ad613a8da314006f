// One flat config per recipe. Each field's sentence is the CLI's help, the form's label and the documentation; unknown
// keys are errors, and so is a setting that the others make inert. Defaults are for the bundled model of about a
// million parameters; for billions divide the learning rates by a hundred.
import { z } from 'zod'
import { AlarmThresholdsText } from './alarms.ts'

const count = z.number().int().positive()
const share = z.number().min(0).max(1)

const common = {
  seed: z.number().int().nonnegative().default(1).describe('every random draw of the run follows from it'),
  warmupSteps: z.number().int().nonnegative().default(10).describe('steps over which the learning rate rises from 0'),
  schedule: z.enum(['linear', 'cosine']).default('linear').describe('how the learning rate falls after the warm-up'),
  floor: share.default(0.05).describe('share of the learning rate left at the last step; 1 keeps it constant'),
  clipNorm: z.number().positive().default(1).describe('largest gradient norm of a step'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('AdamW decay of the first moment'),
  beta2: z.number().min(0).lt(1).default(0.95).describe('AdamW decay of the second moment'),
  epsilon: z.number().positive().default(1e-8).describe('AdamW term that keeps the division finite'),
  weightDecay: z.number().nonnegative().default(0.01).describe('decoupled decay; norms, biases, heads are spared'),
  checkpointEvery: count.default(100).describe('steps between checkpoints'),
}

const length = {
  epochs: z.number().positive().optional().describe('passes over the data; give this or steps, not both'),
  steps: count.optional().describe('optimizer steps; give this or epochs, not both'),
}

const evalEvery = count.default(50).describe('steps between evaluations on the held-out rows')

/** Without defaults: a run that watches nothing says nothing of it. */
const watching = {
  samplesEvery: count.optional().describe('steps between samples of the watched prompts; 50 unless given'),
  samplesMaxTokens: count.optional().describe('longest sample of a watched prompt, tokens; 80 unless given'),
  samplesTemperature: z
    .number()
    .nonnegative()
    .optional()
    .describe('of samples of the watched prompts; 1 unless given, 0 takes the likeliest token'),
}

/** A check that two ways of saying the same thing are not both used. */
const oneLength = (c: { epochs?: number | undefined; steps?: number | undefined }) =>
  c.epochs === undefined || c.steps === undefined
const lengthIssue = { path: ['epochs'], message: 'epochs would be ignored beside steps: give one of the two' }

export const SftConfig = z
  .strictObject({
    ...common,
    ...length,
    epochs: length.epochs.describe('passes over the demonstrations; 4 unless steps is given'),
    batchSize: count.default(8).describe('demonstrations a step'),
    learningRate: z.number().positive().default(2e-3).describe('AdamW learning rate after the warm-up'),
    evalEvery,
    ...watching,
    replayShare: share
      .default(0)
      .describe('general rows added to a batch, as a share of batchSize: against forgetting'),
    replayWeight: z
      .number()
      .positive()
      .default(1)
      .describe('weight of a token of a general row; a completion token has 1'),
  })
  .refine(oneLength, lengthIssue)
  .refine((c) => c.replayShare > 0 || c.replayWeight === 1, {
    path: ['replayWeight'],
    message: 'replayWeight would be ignored while replayShare is 0: raise replayShare or drop it',
  })
export type SftConfig = z.infer<typeof SftConfig>

export const RewardConfig = z
  .strictObject({
    ...common,
    ...length,
    epochs: length.epochs.describe('passes over the prompts; 2 unless steps is given'),
    batchSize: count.default(16).describe('prompts a step; all pairs of a prompt stay together'),
    learningRate: z.number().positive().default(5e-4).describe('AdamW learning rate of the body after the warm-up'),
    headLearningRate: z.number().positive().default(5e-4).describe('AdamW learning rate of the score head'),
    evalEvery,
    labelSmoothing: z
      .number()
      .min(0)
      .lt(0.5)
      .default(0)
      .describe('share of the labels taken to be wrong, on top of soft ones'),
    centring: z.number().nonnegative().default(0).describe('weight of (scoreA + scoreB)^2, which holds scores near 0'),
    marginScale: z
      .number()
      .nonnegative()
      .default(0)
      .describe("score distance asked for per unit of a pair's stated strength"),
    ties: z
      .enum(['none', 'davidson', 'rao-kupper'])
      .default('none')
      .describe('model that gives a tie a probability of its own; none = half a win to each side'),
    tieRate: z.number().gt(0).lt(1).optional().describe('probability of a tie between equals; learned unless given'),
    bothBadWeight: z
      .number()
      .nonnegative()
      .default(0)
      .describe(
        'weight of the term by which a score below 0 means bad, fed by the answers that called both bad; 0 = such an answer is a tie',
      ),
  })
  .refine(oneLength, lengthIssue)
  .refine((c) => c.ties !== 'none' || c.tieRate === undefined, {
    path: ['tieRate'],
    message: 'tieRate would be ignored while ties is none: choose davidson or rao-kupper, or drop it',
  })
export type RewardConfig = z.infer<typeof RewardConfig>

export const DpoConfig = z
  .strictObject({
    ...common,
    ...length,
    epochs: length.epochs.describe('passes over the pairs; 1 unless steps is given'),
    batchSize: count.default(16).describe('pairs a step'),
    learningRate: z.number().positive().default(1e-4).describe('AdamW learning rate after the warm-up'),
    evalEvery,
    ...watching,
    beta: z.number().positive().default(0.1).describe('strength of the pull to the reference'),
    labelSmoothing: z
      .number()
      .min(0)
      .lt(0.5)
      .default(0)
      .describe('share of the labels taken to be wrong (conservative DPO)'),
    sftWeight: z
      .number()
      .nonnegative()
      .default(0)
      .describe("weight of the chosen completion's loss per token, for when its log-probability falls"),
  })
  .refine(oneLength, lengthIssue)
export type DpoConfig = z.infer<typeof DpoConfig>

export const PpoConfig = z
  .strictObject({
    ...common,
    steps: count.default(48).describe('rounds of sampling and learning'),
    promptsPerStep: count.default(32).describe('prompts a step'),
    samplesPerPrompt: count
      .default(2)
      .describe('completions of each prompt; two or more show whether they are all alike'),
    maxTokens: count.default(80).describe('longest completion, tokens'),
    temperature: z.number().positive().default(1).describe('of sampling and of every log-probability alike'),
    updateEpochs: count.default(2).describe('passes over the completions of a step'),
    minibatches: count.default(2).describe('updates in one such pass'),
    learningRate: z.number().positive().default(1e-4).describe('AdamW learning rate of the policy after the warm-up'),
    criticLearningRate: z
      .number()
      .positive()
      .optional()
      .describe('AdamW learning rate of the body of a critic of its own; 3e-4 unless given'),
    valueWeight: z
      .number()
      .nonnegative()
      .optional()
      .describe(
        "weight of the value loss beside the policy's in the trunk they share; 0.1 unless given, 0 = the head reads the trunk and never moves it",
      ),
    criticHeadLearningRate: z.number().positive().default(2e-3).describe('AdamW learning rate of the value head'),
    criticWarmupSteps: z
      .number()
      .int()
      .nonnegative()
      .default(2)
      .describe('first steps in which only the critic learns'),
    criticWarmupUntil: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe(
        "explained variance of the critic, mean of three steps, from which on the policy learns; the critic's warm-up then lasts until it is reached, at most half of the steps",
      ),
    clipRatio: z
      .number()
      .positive()
      .lt(1)
      .default(0.2)
      .describe("largest change of a token's probability ratio that is rewarded"),
    clipValue: z.number().positive().default(0.2).describe('largest change of a value within a step that is rewarded'),
    gamma: z.number().positive().max(1).default(1).describe('discount a token'),
    lambda: share.default(0.95).describe('generalised advantage estimation: 0 trusts the critic, 1 the outcome'),
    entropyBonus: z.number().nonnegative().default(0).describe('weight of the token entropy in the objective'),
    missingEosPenalty: z
      .number()
      .nonnegative()
      .default(1)
      .describe('a completion that hits maxTokens scores min(score, 0) less this; 0 leaves its score as it is'),
    bootstrapCutOff: z
      .boolean()
      .default(false)
      .describe(
        'a completion that hits maxTokens counts as unfinished: the critic guesses the rest, which it never gets to see',
      ),
    klControl: z
      .enum(['fixed', 'adaptive'])
      .default('fixed')
      .describe('adaptive moves beta so that the KL nears klTarget'),
    beta: z
      .number()
      .nonnegative()
      .default(0.03)
      .describe('price of a nat of KL per token, in units of the reward; where adaptive starts'),
    klTarget: z.number().positive().optional().describe('nats a completion that the adaptive controller aims at'),
    klHorizon: count.optional().describe('completions over which the adaptive controller acts; 10000 unless given'),
    klBudget: z
      .union([z.literal('off'), z.number().positive()])
      .default(6)
      .describe(
        'nats of KL to the reference the run may spend; off = no end, and marks only watch, after an alarm only with onAlarm pause',
      ),
    markEvery: z
      .number()
      .positive()
      .default(0.8)
      .describe(
        'nats of KL between marks, where fresh completions are judged; beyond four times that, a quarter of the KL so far',
      ),
    markPairs: count
      .default(200)
      .describe('pairs judged at a mark against the reference, and as many against the best mark'),
    markLevel: z.number().gt(0).lt(1).default(0.9).describe("coverage of a mark's intervals"),
    onAlarm: z
      .enum(['note', 'pause', 'stop'])
      .default('note')
      .describe(
        'at an alarm whose action is pause: pause judges a mark there, after which a run without a budget goes on and one with a budget ends; stop ends any run; an alarm whose action is stop always does',
      ),
    alarmThresholds: AlarmThresholdsText.optional().describe(
      'other thresholds of alarms by name, or off: length=3,entropy=0.5,distinct-1=off',
    ),
    samplesEvery: count.default(10).describe('steps between samples of the watched prompts'),
    epsilon: z.number().positive().default(1e-5).describe('AdamW term that keeps the division finite'),
    weightDecay: z.number().nonnegative().default(0).describe('decoupled decay; norms, biases, heads are spared'),
    floor: share.default(1).describe('share of the learning rate left at the last step; 1 keeps it constant'),
  })
  .refine((c) => c.klControl === 'adaptive' || (c.klTarget === undefined && c.klHorizon === undefined), {
    path: ['klTarget'],
    message: 'klTarget and klHorizon would be ignored while klControl is fixed: set klControl to adaptive or drop them',
  })
  .refine((c) => c.klControl === 'fixed' || (c.klTarget !== undefined && c.beta > 0), {
    path: ['klTarget'],
    message: 'the adaptive controller needs klTarget, and a beta above 0 to multiply',
  })
  .refine((c) => !c.bootstrapCutOff || c.missingEosPenalty === 0, {
    path: ['bootstrapCutOff'],
    message: 'a completion is either unfinished or fined for it: set missingEosPenalty to 0 beside bootstrapCutOff',
  })
  .refine((c) => c.criticWarmupSteps < c.steps, {
    path: ['criticWarmupSteps'],
    message: 'the policy would never learn: criticWarmupSteps must be below steps',
  })
  .refine((c) => c.criticWarmupUntil === undefined || c.steps >= 6, {
    path: ['criticWarmupUntil'],
    message: 'three steps are averaged before half of the steps are over: it needs 6 steps or more',
  })
  .refine((c) => c.klBudget === 'off' || c.markEvery <= c.klBudget, {
    path: ['markEvery'],
    message: 'no mark would lie inside the budget: markEvery must not be above klBudget',
  })
  .refine((c) => c.minibatches <= c.promptsPerStep * c.samplesPerPrompt, {
    path: ['minibatches'],
    message: 'a minibatch would be empty: minibatches must not be above promptsPerStep x samplesPerPrompt',
  })
export type PpoConfig = z.infer<typeof PpoConfig>
