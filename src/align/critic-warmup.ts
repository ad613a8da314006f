// When the policy may begin to learn: after so many steps of the critic alone or, where a config asks for it, not before
// the critic explains so much of the variance of the returns (advantages of a critic that explains nothing are noise).
// Steps are counted from 0.
import type { PpoConfig } from '#schema'
import type { Alarm, History } from './alarms.ts'

type Warmup = { step: number; history: History; policyFrom?: number }

/** Steps whose explained variance is averaged. */
const AVERAGED = 3
/** A critic that never learns holds the policy back for this share of the steps. */
const LONGEST = 0.5

/** First step in which the policy learns; undefined while the critic has not got that far. */
export function policyFrom({ policyFrom }: Pick<Warmup, 'policyFrom'>, config: PpoConfig): number | undefined {
  return config.criticWarmupUntil === undefined ? config.criticWarmupSteps : policyFrom
}

/** Called after `step` steps: the step at which the policy begins, where it is now known and was not before. */
export function policyStart(state: Warmup, config: PpoConfig): number | undefined {
  const { criticWarmupUntil, criticWarmupSteps } = config
  if (criticWarmupUntil === undefined || state.policyFrom !== undefined) return undefined
  const isLong = state.step >= criticWarmupSteps
  const isTrusted = explained(state.history) >= criticWarmupUntil
  return (isLong && isTrusted) || state.step >= longest(config) ? state.step : undefined
}

/** Raised at the step after which the policy begins although the critic has not got that far. */
export function distrustOf(state: Warmup, { criticWarmupUntil }: PpoConfig): Alarm[] {
  const value = explained(state.history)
  if (criticWarmupUntil === undefined || state.step !== state.policyFrom || value >= criticWarmupUntil) return []
  return [
    {
      name: 'critic-untrusted',
      rule: 'half of the steps are over and the explained variance of the critic, mean of three steps, is below this; the policy begins to learn',
      value,
      threshold: criticWarmupUntil,
      action: 'pause',
    },
  ]
}

function longest({ steps, criticWarmupSteps }: PpoConfig): number {
  return Math.max(criticWarmupSteps, Math.floor(steps * LONGEST))
}

/** -Infinity before there are enough steps. */
function explained({ recent }: History): number {
  const last = recent.slice(-AVERAGED)
  if (last.length < AVERAGED) return Number.NEGATIVE_INFINITY
  return last.reduce((total, m) => total + m.explainedVariance!, 0) / AVERAGED
}
