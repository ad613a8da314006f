// Alarms of a reinforcement-learning run that need no other model: pure functions over its metrics and marks. Windows are
// means over five steps; the baseline is the run's own first window, when the policy still is the reference. An alarm
// fires at the step at which its rule becomes true, and not again until it was false in between.
import type { AlarmName, AlarmThresholds } from '#schema'
import type { Metrics } from './events.ts'
import { isHollow, type MarkResult, WORTHWHILE_WIN } from './marks.ts'

export const WINDOW = 5

/** The first WINDOW steps of a run, and its last WINDOW + 1, oldest first. */
export type History = { baseline: Metrics[]; recent: Metrics[] }

/** `pause`: somebody should look before more is spent; `stop`: what follows would be worthless. */
export type AlarmAction = 'note' | 'pause' | 'stop'
export type Alarm = { name: string; rule: string; value: number; threshold: number; action: AlarmAction }

type Rule = {
  name: AlarmName
  rule: string
  action: AlarmAction
  threshold: number
  /** What is compared with the threshold, from the baseline and the window that ends now; undefined = the rule does not apply. */
  measure: (baseline: Metrics[], window: Metrics[]) => number | undefined
  firesBelow?: boolean
}

const RULES: Rule[] = [
  {
    name: 'length',
    rule: 'completions are longer or shorter than at the start by this many of their standard deviations then',
    action: 'pause',
    threshold: 2,
    measure: (baseline, window) => {
      const deviation = mean(baseline, 'tokensSd')
      return deviation ? Math.abs(mean(window, 'tokensMean')! - mean(baseline, 'tokensMean')!) / deviation : undefined
    },
  },
  {
    name: 'repetition',
    rule: 'the share of 4-grams that a completion has said before is up by this much',
    action: 'pause',
    threshold: 0.1,
    measure: (baseline, window) => difference(baseline, window, 'repetitionShare'),
  },
  {
    name: 'entropy',
    rule: 'the entropy of a token is this share of what it was at the start',
    action: 'pause',
    threshold: 0.4,
    firesBelow: true,
    measure: (baseline, window) => relative(baseline, window, 'entropy'),
  },
  {
    name: 'distinct-1',
    rule: 'the share of different tokens in a sample of fixed size is this share of what it was',
    action: 'pause',
    threshold: 0.7,
    firesBelow: true,
    measure: (baseline, window) => relative(baseline, window, 'distinct1'),
  },
  {
    name: 'distinct-2',
    rule: 'the share of different pairs of tokens in a sample of fixed size is this share of what it was',
    action: 'pause',
    threshold: 0.7,
    firesBelow: true,
    measure: (baseline, window) => relative(baseline, window, 'distinct2'),
  },
  {
    name: 'identical-samples',
    rule: 'the share of prompts whose samples are all the same is up by this much',
    action: 'pause',
    threshold: 0.25,
    measure: (baseline, window) => difference(baseline, window, 'identicalShare'),
  },
  {
    name: 'no-end',
    rule: 'the share of completions that never end is up by this much',
    action: 'pause',
    threshold: 0.2,
    measure: (baseline, window) => difference(baseline, window, 'noEosShare'),
  },
  {
    name: 'out-of-range',
    rule: 'the share of completions whose learned reward lies outside its range in training is up by this much',
    action: 'pause',
    threshold: 0.2,
    measure: (baseline, window) => {
      const keys = Object.keys(window.at(-1) ?? {}).filter((key) => key.startsWith('outOfRange.'))
      const rises = keys.map((key) => difference(baseline, window, key) ?? 0)
      return rises.length > 0 ? Math.max(...rises) : undefined
    },
  },
  {
    name: 'kl-jump',
    rule: 'the KL of this step is above the mean of the steps before it by this many nats, and more than three times that mean',
    action: 'pause',
    threshold: 3,
    measure: (_, window) => {
      const before = mean(window.slice(0, -1), 'kl')
      const now = window.at(-1)?.kl
      return before === undefined || now === undefined ? undefined : now > 3 * before ? now - before : 0
    },
  },
  {
    name: 'sampler-gap',
    rule: 'the log-probabilities of sampling and of training differ by this many nats a token',
    action: 'pause',
    threshold: 0.02,
    measure: (_, window) => mean(window, 'samplerGapMean'),
  },
  {
    name: 'non-finite',
    rule: 'the share of updates of this step that were skipped because they were not finite',
    action: 'stop',
    threshold: 0,
    measure: (_, window) => Math.max(window.at(-1)?.skipped ?? 0, window.at(-1)?.criticSkipped ?? 0),
  },
]

/**
 * The alarms whose rules are true now and were not one step ago; `newOnly` false gives all that are true now. `thresholds`:
 * of those that were moved or turned off.
 */
export function alarmsOf(
  { baseline, recent }: History,
  { newOnly = true, thresholds = {} }: { newOnly?: boolean; thresholds?: AlarmThresholds } = {},
): Alarm[] {
  return RULES.flatMap(({ name, rule, action, threshold: usual, measure, firesBelow = false }) => {
    const threshold = thresholds[name] ?? usual
    if (threshold === 'off') return []
    const beyond = (window: Metrics[]) => {
      const value = window.length > 0 && baseline.length > 0 ? measure(baseline, window) : undefined
      return value !== undefined && (firesBelow ? value < threshold : value > threshold) ? value : undefined
    }
    const value = beyond(recent.slice(-WINDOW))
    if (value === undefined || (newOnly && beyond(recent.slice(-WINDOW - 1, -1)) !== undefined)) return []
    return [{ name, rule, value, threshold, action }]
  })
}

/** The alarms of a mark: what makes it stop or pause a run. */
export function markAlarms(mark: MarkResult): Alarm[] {
  const { winBest, decision, accuracy, launchAccuracy, reason } = mark
  const alarms: Alarm[] = []
  if (winBest && isHollow(mark))
    alarms.push({
      name: 'proxy-up-check-flat',
      rule: "the learned reward is above the best mark's by two standard errors, and the upper bound of the judged win rate against it is below this",
      value: winBest.high,
      threshold: WORTHWHILE_WIN,
      action: 'pause',
    })
  if (accuracy && launchAccuracy && accuracy.high < launchAccuracy.low)
    alarms.push({
      name: 'reward-model-stale',
      rule: "the upper bound of the reward model's accuracy on fresh pairs is below the lower bound of its accuracy at launch",
      value: accuracy.high,
      threshold: launchAccuracy.low,
      action: 'pause',
    })
  if (decision === 'stop')
    alarms.push({
      name: 'worse-than-best',
      rule: reason,
      value: (winBest ?? { high: 0 }).high,
      threshold: 0.5,
      action: 'pause',
    })
  return alarms
}

/** Undefined where the key is missing from any of the steps. */
function mean(steps: Metrics[], key: string): number | undefined {
  if (steps.length === 0 || steps.some((m) => m[key] === undefined)) return undefined
  return steps.reduce((total, m) => total + m[key]!, 0) / steps.length
}

function difference(baseline: Metrics[], window: Metrics[], key: string): number | undefined {
  const [before, now] = [mean(baseline, key), mean(window, key)]
  return before === undefined || now === undefined ? undefined : now - before
}

function relative(baseline: Metrics[], window: Metrics[], key: string): number | undefined {
  const [before, now] = [mean(baseline, key), mean(window, key)]
  return before === undefined || now === undefined || before === 0 ? undefined : now / before
}
