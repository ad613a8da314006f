// report.json: what one turn of the loop did, number by number. Other programs read the first keys of each section;
// the keys after them are what report.html needs besides. A step that has not run has no section, and `steps` says why.
// Units: KL in nats a completion, losses in nats a token, rates and accuracies as shares, gold in the world's units.
import { z } from 'zod'
import { Interval, Objective, ObjectiveId } from './objective.ts'

/** A measured number that may be missing at a point of a series: null where it was not measured or was not finite. */
const reading = z.number().nullable()
const count = z.number().int().nonnegative()

/** The seven steps of the loop, in order. */
export const STEPS = ['objectives', 'demonstrations', 'sft', 'protocol', 'reward', 'rl', 'evaluation'] as const
export const StepName = z.enum(STEPS)
export type StepName = z.infer<typeof StepName>

export const StepState = z.strictObject({
  step: StepName,
  state: z.enum(['done', 'missing']),
  reason: z.string().optional().describe('why it is missing'),
})
export type StepState = z.infer<typeof StepState>

export const DemonstrationsReport = z.strictObject({
  version: z.string().describe('hash of the rows that were kept'),
  rows: count.describe('rows kept'),
  setAside: count.describe('rows that never reached training'),
  checks: z.array(z.strictObject({ name: z.string(), found: count, action: z.string().optional() })),
  setAsideRows: z
    .array(z.strictObject({ id: z.string(), reason: z.string(), text: z.string() }))
    .optional()
    .describe('some of the rows set aside, with reasons'),
  splits: z.array(z.strictObject({ name: z.string(), rows: count })).optional(),
  authors: z.array(z.strictObject({ name: z.string(), rows: count })).optional(),
  groupedBy: z.string().optional().describe('rows of one group never lie on two sides of a split'),
})
export type DemonstrationsReport = z.infer<typeof DemonstrationsReport>

export const GateResult = z.strictObject({
  name: z.string(),
  passed: z.boolean(),
  evidence: z.string().describe('the statistic with its interval, against the rule'),
  rule: z.string().optional(),
})
export type GateResult = z.infer<typeof GateResult>

const perplexity = z.strictObject({
  before: z.number(),
  after: z.number(),
  intervals: z
    .strictObject({ before: Interval, after: Interval, ratio: Interval.describe('after over before, paired') })
    .optional()
    .describe('by bootstrap over texts, which n counts'),
})

export const SftReport = z.strictObject({
  lossFirst: z.number(),
  lossLast: z.number(),
  heldOutLoss: z.number(),
  floor: z
    .number()
    .optional()
    .describe('entropy of the curated grammar on the held-out rows; known in a simulated world'),
  gate: GateResult,
  formGates: z.array(GateResult).optional().describe('of the form of replies, beside `gate`'),
  form: z
    .record(z.string(), Interval)
    .optional()
    .describe('share of sampled replies, by what holds of them; rules by their names'),
  perplexity: z.strictObject({ domain: perplexity, general: perplexity }),
  intervals: z.strictObject({ heldOutLoss: Interval }).optional().describe('by bootstrap over held-out rows'),
  steps: count.optional(),
  tokens: count.optional().describe('trained tokens'),
  heldOutRows: count.optional(),
  curve: z
    .array(z.strictObject({ step: count, loss: reading, heldOut: reading.optional() }))
    .optional()
    .describe('loss of each step, nats a token; heldOut where it was measured'),
})
export type SftReport = z.infer<typeof SftReport>

export const AnnotatorRow = z.strictObject({
  name: z.string(),
  judgements: count,
  accuracy: Interval.optional().describe(
    'estimated; n counts judgements, qualification items and what the prior is worth',
  ),
  trueAccuracy: z
    .number()
    .optional()
    .describe(
      'chance that this simulated annotator names the better by gold, over all pairs: never read by aggregation',
    ),
  leftRate: Interval.optional().describe('share of decided pairs answered left'),
  sideBiased: z.boolean().optional().describe('the test of position bias rejects at 5% after Holm'),
  qualified: z.boolean().optional(),
  weight: z
    .number()
    .optional()
    .describe('nats by which an answer moves the log-odds of its pair, mean over both sides; below 0: turned round'),
  kind: z.string().optional().describe('what the simulation made of this annotator'),
})
export type AnnotatorRow = z.infer<typeof AnnotatorRow>

export const ProtocolReport = z.strictObject({
  annotators: count,
  alpha: Interval.describe('Krippendorff, nominal'),
  majorityAccuracy: z.number().optional().describe('against gold, where a gold is known'),
  aggregateAccuracy: z.number().optional().describe('against gold, where a gold is known'),
  intervals: z
    .strictObject({ majorityAccuracy: Interval.optional(), aggregateAccuracy: Interval.optional() })
    .optional(),
  guideline: z.string().optional(),
  comparisons: count.optional(),
  judgements: count.optional(),
  overlap: z.number().optional().describe('judgements a comparison'),
  method: z.string().optional().describe('how judgements were aggregated'),
  methodReason: z.string().optional().describe('the held-out evidence for that choice'),
  agreement: z
    .array(z.strictObject({ name: z.string(), ...Interval.shape }))
    .optional()
    .describe('statistics of agreement besides alpha'),
  table: z.array(AnnotatorRow).optional(),
})
export type ProtocolReport = z.infer<typeof ProtocolReport>

export const ProbeReport = z.strictObject({
  name: z.string().describe('what was done to the completions'),
  expects: z
    .enum(['no-rise', 'fall'])
    .describe('what pleases should not raise the score, what damages should lower it'),
  change: Interval.describe("of the score, in standard deviations of the unchanged completions' scores"),
  rose: Interval.describe('share of completions whose score rose'),
  rows: count.describe('completions that could be changed so'),
  holds: z.boolean(),
  flag: z.string().optional().describe('in words, where the expectation does not hold'),
  gold: Interval.optional().describe("what the gold makes of the same changes, in its own scores' standard deviations"),
})
export type ProbeReport = z.infer<typeof ProbeReport>

export const RewardReport = z.strictObject({
  accuracy: Interval.describe('against gold where one is known, else against the aggregated judgements'),
  agreement: Interval.describe('with the aggregated judgements'),
  ceiling: Interval.describe('what the aggregated judgements themselves reach'),
  ece: z.number().describe('expected calibration error, at the temperature where there is one'),
  eceAsScored: z.number().optional().describe('the same without a temperature'),
  temperature: z
    .number()
    .positive()
    .optional()
    .describe('that the held-out pairs ask for: above 1, scores are too sure'),
  bestOfN: z.array(
    z.strictObject({
      n: z.number().int().positive(),
      kl: z.number().describe('ln n - (n - 1) / n'),
      proxy: reading,
      gold: reading,
      goldInterval: Interval.optional(),
    }),
  ),
  pairs: count.optional().describe('preferences trained on'),
  heldOutPairs: count.optional(),
  byMargin: z.array(z.strictObject({ name: z.string(), ...Interval.shape })).optional(),
  byStratum: z.array(z.strictObject({ name: z.string(), ...Interval.shape })).optional(),
  probes: z.array(ProbeReport).optional(),
  reliability: z
    .array(z.strictObject({ predicted: z.number(), observed: Interval }))
    .optional()
    .describe('bins of predicted probability against the share that came true'),
  lengthSlope: z.number().optional().describe('reward a 10 tokens, in standard deviations of the reward'),
  intervals: z
    .strictObject({ ece: Interval.optional(), lengthSlope: Interval.optional() })
    .optional()
    .describe('by bootstrap over held-out pairs'),
  lengthMatched: Interval.optional().describe('agreement on pairs whose lengths differ by at most a tenth'),
  longerPreferred: z
    .strictObject({ reward: Interval, labels: Interval })
    .optional()
    .describe(
      'share of pairs of unequal length of which the longer is preferred, by the reward model and by the labels',
    ),
  curve: z.array(z.strictObject({ step: count, loss: reading, heldOut: reading.optional() })).optional(),
  ticket: z.array(GateResult).optional().describe('what the reward model had to show before it entered RL'),
})
export type RewardReport = z.infer<typeof RewardReport>

/** Means over the completions of one step, but for gold. */
export const RlStep = z.strictObject({
  step: count,
  kl: reading.describe('mean over the last three steps'),
  proxy: reading,
  gold: reading.optional().describe('the check, on the fixed prompts, at the steps where it was looked at'),
  goldInterval: Interval.optional(),
  entropy: reading.optional().describe('nats a token'),
  length: reading.optional().describe('tokens a completion'),
  samplerGap: reading
    .optional()
    .describe('mean difference of the log-probabilities of sampling and of training, nats a token'),
  terms: z.record(z.string(), reading).optional().describe('each term of the reward, before its weight'),
})
export type RlStep = z.infer<typeof RlStep>

export const RlMark = z.strictObject({
  step: count,
  kl: z.number(),
  winSft: reading.describe('judged win rate against SFT on fresh pairs'),
  winBest: reading.describe('judged win rate against the best mark so far'),
  accuracy: reading.describe("the reward model's accuracy on those pairs"),
  decision: z.enum(['go on', 'pause', 'stop']),
  intervals: z
    .strictObject({ winSft: Interval.optional(), winBest: Interval.optional(), accuracy: Interval.optional() })
    .optional(),
  reason: z.string().optional(),
})
export type RlMark = z.infer<typeof RlMark>

export const RlAlarm = z.strictObject({
  name: z.string(),
  step: count,
  kl: reading.optional(),
  rule: z.string(),
  value: reading.optional(),
  threshold: reading.optional(),
  action: z.enum(['note', 'pause', 'stop']).optional(),
  run: z.enum(['budgeted', 'unbudgeted']).default('budgeted'),
})
export type RlAlarm = z.infer<typeof RlAlarm>

export const RlReport = z.strictObject({
  steps: count.describe('steps of the budgeted run'),
  kl: z.number().describe('of the kept checkpoint to its reference'),
  goldBefore: z.number(),
  goldAfter: z.number(),
  goldGain: Interval.describe('paired over the fixed prompts'),
  proxyBefore: z.number(),
  proxyAfter: z.number(),
  intervals: z.strictObject({ goldBefore: Interval, goldAfter: Interval }).optional(),
  stoppedBy: z.string(),
  alarms: z.array(RlAlarm),
  terms: z
    .array(z.strictObject({ name: z.string(), weight: z.number(), before: z.number(), after: z.number() }))
    .describe('means over the completions of the first step and of the kept one, before the weight'),
  marks: z.array(RlMark),
  unbudgeted: z
    .strictObject({
      points: z.array(
        z.strictObject({
          kl: z.number(),
          proxy: reading,
          gold: reading,
          step: count.optional(),
          goldInterval: Interval.optional(),
          goldGain: Interval.optional().describe('over SFT, paired over the fixed prompts'),
        }),
      ),
      alarmAt: reading.describe('KL at which the first alarm fired; null: none did'),
      peakAt: reading.optional().describe('KL of the highest 3-point mean of gold'),
    })
    .optional(),
  algorithm: z.string().optional(),
  budget: z.number().nullable().optional().describe('nats; null: off'),
  keptStep: count.optional(),
  stopReason: z.string().optional().describe('one sentence with the figures behind it'),
  prompts: count.optional().describe('fixed prompts behind every gold: before, after, of a step, unbudgeted'),
  completionsPerStep: count.optional().describe('behind every other mean of a step'),
  series: z.array(RlStep).optional().describe('the budgeted run, step by step'),
  continued: z.array(RlStep).optional().describe('the same run past its stop, with the budget off'),
  withoutRules: z
    .strictObject({ goldGain: Interval, kl: z.number().optional() })
    .optional()
    .describe('the gain with every rule term off'),
})
export type RlReport = z.infer<typeof RlReport>

export const Diagnosis = z.strictObject({
  stage: z.enum(['none', 'sft', 'reward', 'rl']),
  sentence: z.string(),
  evidence: z.array(z.string()),
  nextAction: z.string().optional(),
})
export type Diagnosis = z.infer<typeof Diagnosis>

export const EvaluationReport = z.strictObject({
  winRate: Interval.describe('blind, against SFT'),
  criteria: z.array(
    z.strictObject({
      name: z.string(),
      before: z.number(),
      after: z.number(),
      change: Interval,
      p: z.number().optional().describe('of a fall, Holm-adjusted over all criteria'),
      constraint: z.boolean().optional(),
    }),
  ),
  weighted: z
    .strictObject({
      change: Interval,
      weights: z.record(z.string(), z.number()),
      range: z.strictObject({ low: z.number(), high: z.number() }),
      standing: z.enum(['ahead', 'behind', 'not shown']),
      holds: z.boolean(),
    })
    .optional()
    .describe(
      'change over the criteria by their weights, as a share of their scales; range and holds: under weights a fifth lighter or heavier',
    ),
  violations: z
    .strictObject({ n: count, before: z.number(), after: z.number(), increaseHigh: z.number() })
    .describe('shares of n prompts; increaseHigh: 95% upper bound of after - before'),
  generalRatio: Interval.optional().describe('perplexity of general text, RL over base, paired'),
  gates: z.array(GateResult),
  verdict: z.enum(['released', 'refused']),
  reasons: z.array(z.string()).optional(),
  checkpoint: z.string().optional(),
  violationSuites: z
    .array(z.strictObject({ name: z.string(), before: Interval, after: Interval, increase: Interval.optional() }))
    .optional(),
  diagnosis: Diagnosis.optional(),
})
export type EvaluationReport = z.infer<typeof EvaluationReport>

/** One prompt, answered by the base, after SFT and after RL. */
export const SampleReport = z.strictObject({
  prompt: z.string(),
  completions: z.array(
    z.strictObject({
      from: z.enum(['base', 'sft', 'rl']),
      text: z.string(),
      tokens: count.optional(),
      proxy: reading.optional(),
      gold: reading.optional(),
    }),
  ),
})
export type SampleReport = z.infer<typeof SampleReport>

/** What the released checkpoint came from; an edge runs from what was used to what was made of it. */
export const LineageReport = z.strictObject({
  checkpoint: z.string().describe('id of the node that was put to the gates'),
  nodes: z.array(
    z.strictObject({
      id: z.string(),
      kind: z
        .string()
        .describe('criterion, guideline, judgement, preference, dataset, run, checkpoint, evaluation, release'),
      label: z.string(),
      hash: z.string().optional(),
      detail: z.string().optional().describe('one sentence: for a judgement what was asked and answered'),
    }),
  ),
  edges: z.array(z.strictObject({ from: z.string(), to: z.string() })),
  objectives: z
    .array(z.strictObject({ id: ObjectiveId, name: z.string(), made: z.record(z.string(), count) }))
    .optional()
    .describe('versions of the objective behind the checkpoint, and how many artefacts of each kind name each'),
  objectivesDiffer: z.string().optional().describe('one sentence, where they are not one'),
})
export type LineageReport = z.infer<typeof LineageReport>

const setting = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const Report = z.strictObject({
  objectives: z.array(Objective).optional(),
  demonstrations: DemonstrationsReport.optional(),
  sft: SftReport.optional(),
  protocol: ProtocolReport.optional(),
  reward: RewardReport.optional(),
  rl: RlReport.optional(),
  evaluation: EvaluationReport.optional(),
  lineage: LineageReport.optional(),
  seconds: z.strictObject({ perStep: z.record(z.string(), z.number()), total: z.number() }),

  hone: z.string().describe('version of hone'),
  title: z.string().describe('the project, as its lead would name it'),
  scale: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('share of the usual rows and steps, in a quick look whose figures prove nothing'),
  pastGates: z.array(z.string()).optional().describe('gates that failed and were gone past, and why, a sentence each'),
  leftOut: z.array(z.string()).optional().describe('what this turn of the loop left out and why, a sentence each'),
  createdAt: z.string().optional().describe('ISO 8601'),
  command: z.string().describe('what to type to run it again'),
  steps: z.array(StepState).length(STEPS.length),
  simulated: z.boolean().describe('true when any judgement came from a program'),
  simulatedWho: z.array(z.string()).describe('who is simulated, one phrase each'),
  world: z.strictObject({ hash: z.string(), seed: z.number().int() }).optional(),
  samples: z.array(SampleReport).optional(),
  settings: z.record(z.string(), z.record(z.string(), setting)).optional().describe('recipe name to its flat config'),
  environment: z.strictObject({
    libtorch: z.string(),
    threads: z.number().int().positive(),
    node: z.string().optional(),
    platform: z.string().optional(),
    cpu: z.string().optional(),
    device: z.string().optional(),
    dtype: z.string().optional(),
    memoryPeakBytes: z.number().optional(),
  }),
})
export type Report = z.infer<typeof Report>
