// What a diagnosis looks at, gathered from run files alone: report.json, and the metrics and config of each run. Every fact may be
// missing; nothing here knows a gold score but what a report of a simulated world already holds.
import type { Report } from '#schema'
import { average, type Interval } from '#stats'

export type SftFacts = {
  /** Held-out demonstrations, nats a token, before training and after. */
  heldOutBefore?: number
  heldOut?: number
  /** Entropy of what the demonstrations are drawn from, where it is known. */
  floor?: number
  /** Mean training loss over the last tenth of the steps. */
  trainLoss?: number
  /** Held-out losses in order. */
  curve?: number[]
  /** Loss under swapped prompts minus own, nats a token. */
  promptGain?: Interval
  /** General perplexity after over before. */
  generalRatio?: number
  gatePassed?: boolean
  /** Share of samples that ended by themselves. */
  endedShare?: number
}
export type RewardFacts = {
  alpha?: Interval
  /** Agreement with held-out labels. */
  agreement?: Interval
  ceiling?: Interval
  trainAccuracy?: number
  /** Accuracy on the first mark's fresh pairs, while the policy was near its reference. */
  fresh?: Interval
  /** Expected calibration error as scored, no temperature undoing it. */
  ece?: number
  /** It was let into RL though its ticket did not hold. */
  withoutTicket?: boolean
  longerPreferred?: { reward: Interval; labels: Interval }
}
/** One step of RL as its metrics give it. `reward`: mean of the learned reward, else of the whole score. */
export type RlStep = {
  step: number
  kl: number
  reward: number
  entropy?: number
  ratioMax?: number
  clipFraction?: number
  explainedVariance?: number
  skipped?: number
}
export type RlFacts = {
  series: RlStep[]
  /** Nats; null = off. */
  budget?: number | null
  /** Price of KL at the start. */
  beta?: number
  /** Highest KL that a mark measured: after its step, where the series has it before the next. Nats. */
  markKl?: number
  /** Win rate against the reference at the last mark. */
  lastWin?: Interval
  stoppedBy?: string
}
export type Facts = {
  sft?: SftFacts
  reward?: RewardFacts
  rl?: RlFacts
  /** Of the kept checkpoint over SFT. */
  winRate?: Interval
}

export type RunFiles = {
  metrics: readonly Readonly<Record<string, number | null>>[]
  config: Readonly<Record<string, unknown>>
}

/** Facts from a report, run files, or both; run files are finer and win where they hold the same. */
export function gatherFacts({
  report,
  sft,
  reward,
  rl,
}: {
  report?: Report
  sft?: RunFiles
  reward?: RunFiles
  rl?: RunFiles
}): Facts {
  const facts: Facts = {}
  const ofSft = { ...(report?.sft && sftFromReport(report.sft)), ...(sft && sftFromRun(sft)) }
  if (Object.keys(ofSft).length > 0) facts.sft = ofSft
  const ofReward = { ...(report && rewardFromReport(report)), ...(reward && rewardFromRun(reward)) }
  if (Object.keys(ofReward).length > 0) facts.reward = ofReward
  const ofRl = { ...(report?.rl && rlFromReport(report)), ...(rl && rlFromRun(rl)) }
  if (ofRl.series !== undefined) facts.rl = { ...ofRl, series: ofRl.series }
  if (report?.evaluation) facts.winRate = clean(report.evaluation.winRate)
  return facts
}

function sftFromReport(sft: NonNullable<Report['sft']>): SftFacts {
  const { domain, general } = sft.perplexity
  const curve = sft.curve?.flatMap((point) => point.heldOut ?? [])
  return {
    heldOut: sft.heldOutLoss,
    heldOutBefore: Math.log(domain.before),
    trainLoss: sft.lossLast,
    generalRatio: general.after / general.before,
    gatePassed: [sft.gate, ...(sft.formGates ?? [])].every(({ passed }) => passed),
    ...(sft.floor !== undefined && { floor: sft.floor }),
    ...(curve && curve.length > 0 && { curve }),
  }
}

function sftFromRun({ metrics }: RunFiles): SftFacts {
  const curve = values(metrics, 'heldOutLoss')
  const ratio = values(metrics, 'generalRatio').at(-1)
  const losses = values(metrics, 'loss')
  const last = losses.slice(-Math.max(1, Math.ceil(losses.length / 10)))
  return {
    ...(curve.length > 0 && { curve, heldOut: curve.at(-1)! }),
    ...(curve.length > 1 && { heldOutBefore: curve[0]! }),
    ...(last.length > 0 && { trainLoss: average(last) }),
    ...(ratio !== undefined && { generalRatio: ratio }),
  }
}

function rewardFromReport({ reward, protocol, rl }: Report): RewardFacts {
  return {
    ...(protocol && { alpha: clean(protocol.alpha) }),
    ...(reward && {
      agreement: clean(reward.agreement),
      ceiling: clean(reward.ceiling),
      ece: reward.eceAsScored ?? reward.ece,
    }),
    ...(rl && reward?.ticket?.some(({ passed }) => !passed) && { withoutTicket: true }),
    ...(reward?.longerPreferred && {
      longerPreferred: {
        reward: clean(reward.longerPreferred.reward),
        labels: clean(reward.longerPreferred.labels),
      },
    }),
  }
}

function rewardFromRun({ metrics }: RunFiles): RewardFacts {
  const accuracy = values(metrics, 'accuracy')
  return accuracy.length === 0 ? {} : { trainAccuracy: average(accuracy.slice(-Math.ceil(accuracy.length / 4))) }
}

function rlFromReport({ rl, settings }: Report): Partial<RlFacts> {
  const series = rl!.series?.flatMap(({ step, kl, proxy, entropy }) =>
    kl === null || proxy === null ? [] : [{ step, kl, reward: proxy, ...(typeof entropy === 'number' && { entropy }) }],
  )
  const beta = settings?.ppo?.beta
  const lastWin = rl!.marks.at(-1)?.intervals?.winSft
  const markKl = rl!.marks.map(({ kl }) => kl)
  return {
    ...(series && { series }),
    ...(rl!.budget !== undefined && { budget: rl!.budget }),
    ...(typeof beta === 'number' && { beta }),
    ...(lastWin && { lastWin: clean(lastWin) }),
    ...(markKl.length > 0 && { markKl: Math.max(...markKl) }),
    stoppedBy: rl!.stoppedBy,
  }
}

function rlFromRun({ metrics, config }: RunFiles): Partial<RlFacts> {
  const budget = config.klBudget === 'off' ? null : config.klBudget
  const series = metrics.flatMap((row): RlStep[] => {
    const { step, kl } = row
    const reward = row['reward.learned'] ?? row.score
    if (typeof step !== 'number' || typeof kl !== 'number' || typeof reward !== 'number') return []
    const optional = (['entropy', 'ratioMax', 'clipFraction', 'explainedVariance', 'skipped'] as const).flatMap(
      (key) => (typeof row[key] === 'number' ? [[key, row[key]]] : []),
    )
    return [{ step, kl, reward, ...(Object.fromEntries(optional) as Partial<RlStep>) }]
  })
  return {
    series,
    ...((typeof budget === 'number' || budget === null) && { budget }),
    ...(typeof config.beta === 'number' && { beta: config.beta }),
  }
}

function values(metrics: RunFiles['metrics'], key: string): number[] {
  return metrics.flatMap((row) => (typeof row[key] === 'number' ? [row[key]] : []))
}

/** The report's optional n may be present and undefined; an Interval's may not. */
function clean({
  value,
  low,
  high,
  n,
}: {
  value: number
  low: number
  high: number
  n?: number | undefined
}): Interval {
  return { value, low, high, ...(n !== undefined && { n }) }
}
