// The reward of reinforcement learning is a sum of named terms, each logged apart: a learned reward, and rules for what
// a rule can know.
import type { Engine, Model } from '#engine/contract'
import { EngineError } from '#errors'
import type { Metrics } from './events.ts'
import type { Rollout } from './rollouts.ts'
import { scoresOf } from './reward.ts'

export type RewardTerm = {
  name: string
  weight: number
  /** One finite number a rollout. */
  score(rollouts: Rollout[]): Promise<ArrayLike<number>>
  /** True of the term that marks hold against fresh judgements: the one learnt from them. */
  isLearned?: boolean
  /** The range of scores in training; what lies outside is extrapolation, and is counted. */
  range?: { low: number; high: number }
}

/** The reward model as a term; its engine may be another than the policy's. */
export function learnedReward({
  engine,
  model,
  name = 'learned',
  weight = 1,
  range,
}: {
  engine: Engine
  model: Model
  name?: string
  weight?: number
  range?: { low: number; high: number }
}): RewardTerm {
  return {
    name,
    weight,
    score: (rollouts) => scoresOf(engine, model, rollouts),
    isLearned: true,
    ...(range && { range }),
  }
}

/** Weighted sums [rollouts], and for each term its mean before its weight and the share of its scores out of range. */
export async function scoreRollouts(
  terms: RewardTerm[],
  rollouts: Rollout[],
): Promise<{ scores: Float64Array; metrics: Metrics }> {
  const scores = new Float64Array(rollouts.length)
  const metrics: Metrics = {}
  for (const term of terms) {
    const own = await termScores(term, rollouts)
    own.forEach((score, i) => (scores[i]! += term.weight * score))
    metrics[`reward.${term.name}`] = own.reduce((a, b) => a + b, 0) / own.length
    const { range } = term
    if (range)
      metrics[`outOfRange.${term.name}`] = own.filter((s) => s < range.low || s > range.high).length / own.length
  }
  return { scores, metrics }
}

/** What one term says of each rollout. */
export async function termScores(term: RewardTerm, rollouts: Rollout[]): Promise<Float64Array> {
  const own = Float64Array.from(await term.score(rollouts))
  if (own.length !== rollouts.length || !own.every(Number.isFinite))
    throw new EngineError(
      `reward term ${term.name} must give ${rollouts.length} finite numbers, got ${own.length}, of which ${own.filter(Number.isFinite).length} finite`,
    )
  return own
}
