// What a PPO run remembers beside its models, and what follows from it alone: the next KL price, what alarms look back on,
// and why the run ends. A resumed run therefore ends where it would have ended.
import { z } from 'zod'
import { type PpoConfig, readAlarmThresholds } from '#schema'
import { type Alarm, alarmsOf, type History, markAlarms, WINDOW } from './alarms.ts'
import { distrustOf, policyStart } from './critic-warmup.ts'
import { parseState } from './checkpoints.ts'
import type { JsonValue, Metrics, Outcome } from './events.ts'
import { adaptedBeta } from './kl-control.ts'
import type { MarkMemory } from './marks.ts'

export type State = {
  step: number
  beta: number
  /** KL of the last three steps, nats. */
  kls: number[]
  /** Nats at which the next mark is due. */
  nextMark: number
  /** The policy of this step is saved and waits to be judged. */
  markPending: boolean
  /** An alarm has asked for a pause. */
  alarmed: boolean
  /** First step in which the policy learns, once that is known where the critic decides it. */
  policyFrom?: number
  history: History
  memory: MarkMemory
}

export type End = Pick<Outcome, 'stoppedBy' | 'reason'>

const DEFAULT_HORIZON = 10_000

export function freshState({ beta, markEvery }: PpoConfig): State {
  return {
    step: 0,
    beta,
    kls: [],
    nextMark: markEvery,
    markPending: false,
    alarmed: false,
    history: { baseline: [], recent: [] },
    memory: { marks: [], contests: [], best: 0, saved: {} },
  }
}

const StateJson = z.strictObject({
  recipe: z.literal('ppo'),
  step: z.number().int().positive(),
  beta: z.number(),
  kls: z.array(z.number()),
  nextMark: z.number(),
  markPending: z.boolean(),
  alarmed: z.boolean(),
  policyFrom: z.number().int().positive().optional(),
  history: z.strictObject({
    baseline: z.array(z.record(z.string(), z.number())),
    recent: z.array(z.record(z.string(), z.number())),
  }),
  memory: z.custom<MarkMemory>((memory) => typeof memory === 'object' && memory !== null && 'marks' in memory),
})

export function readState(json: JsonValue): State {
  const { recipe: _, policyFrom, ...state } = structuredClone(parseState(json, StateJson))
  return { ...state, ...(policyFrom !== undefined && { policyFrom }) }
}

export function writeState(state: State): JsonValue {
  return { recipe: 'ppo', ...structuredClone(state) }
}

/** The KL of the last three steps, nats a completion. */
export function averageKl({ kls }: State): number {
  return kls.reduce((a, b) => a + b, 0) / Math.max(kls.length, 1)
}

/** Counts a step, adds klAverage3 to its metrics, moves beta, and keeps what alarms look back on. */
export function remember(state: State, metrics: Metrics, config: PpoConfig): void {
  state.step++
  state.kls = [...state.kls, metrics.kl!].slice(-3)
  metrics.klAverage3 = averageKl(state)
  if (config.klControl === 'adaptive')
    state.beta = adaptedBeta(state.beta, {
      kl: metrics.kl!,
      target: config.klTarget!,
      completions: config.promptsPerStep * config.samplesPerPrompt,
      horizon: config.klHorizon ?? DEFAULT_HORIZON,
    })
  const { baseline, recent } = state.history
  state.history = {
    baseline: baseline.length < WINDOW ? [...baseline, metrics] : baseline,
    recent: [...recent, metrics].slice(-WINDOW - 1),
  }
  const start = policyStart(state, config)
  if (start !== undefined) state.policyFrom = start
}

/** The alarms that this step raises, marks apart. */
export function raisedBy(state: State, config: PpoConfig): Alarm[] {
  const thresholds = readAlarmThresholds(config.alarmThresholds)
  return [...alarmsOf(state.history, { thresholds }), ...distrustOf(state, config)]
}

/** Far from the reference a nat says less: marks are at least this share of the KL so far apart. */
const MARK_GROWTH = 0.25

/** The first multiple of `markEvery` that the run has not reached, or a quarter more KL than now where that is further. */
export function nextMarkAfter(state: State, markEvery: number): number {
  const kl = averageKl(state)
  return Math.max(state.nextMark, (Math.floor(kl / markEvery) + 1) * markEvery, (1 + MARK_GROWTH) * kl)
}

/**
 * Whether the policy of this step is to be judged. Without a budget marks only watch: where alarms are but noted, those after
 * the first would tell nobody anything new; where they ask for a pause, each has the policy looked at before the run goes on.
 */
export function isMarkDue(state: State, config: PpoConfig): boolean {
  const { klBudget, onAlarm } = config
  if (klBudget === 'off' && state.alarmed && onAlarm !== 'pause') return false
  const isAsked = onAlarm === 'pause' && raisedBy(state, config).some(({ action }) => action === 'pause')
  return isAsked || averageKl(state) >= state.nextMark || endOf(state, config) !== undefined
}

/** Why the run ends here, if it does. Without a budget only alarms and the last step end it. */
export function endOf(state: State, config: PpoConfig): End | undefined {
  const { step, memory } = state
  const { klBudget, onAlarm, steps } = config
  const mark = memory.marks.findLast((m) => m.step === step)
  if (klBudget !== 'off' && mark && mark.decision !== 'go on')
    return { stoppedBy: mark.decision === 'stop' ? 'check' : 'reward-model', reason: mark.reason }
  const endsAtPause = onAlarm === 'stop' || (onAlarm === 'pause' && klBudget !== 'off')
  const alarm = [...raisedBy(state, config), ...(mark ? markAlarms(mark) : [])].find(
    ({ action }) => action === 'stop' || (action === 'pause' && endsAtPause),
  )
  if (alarm)
    return {
      stoppedBy: 'alarm',
      reason: `${alarm.name} at ${alarm.value.toPrecision(3)}, threshold ${alarm.threshold}: ${alarm.rule}`,
    }
  if (klBudget !== 'off' && averageKl(state) > klBudget)
    return { stoppedBy: 'budget', reason: `spent ${averageKl(state).toFixed(2)} nats of ${klBudget} by step ${step}` }
  return step === steps ? { stoppedBy: 'steps', reason: `all ${step} steps are done` } : undefined
}
