// What PPO learns from: rollouts with the log-probabilities, values and rewards of their tokens. S = response tokens;
// prompts are context and appear in no array here.
import type { Engine, Model, Numbers, Output, Outputs, Sequence } from '#engine/contract'
import { gae, whiten } from './advantages.ts'
import type { Metrics } from './events.ts'
import { klEstimates } from './losses/kl.ts'
import { sum } from './losses/numbers.ts'
import type { Rollout } from './rollouts.ts'
import { sequenceOf } from './sequences.ts'

export type Experience = {
  sequence: Sequence
  oldLogprobs_S: Numbers
  oldValues_S: Numbers
  /** Whitened over all response tokens of the batch. */
  advantages_S: Float64Array
  returns_S: Float64Array
}

export type Observed = { sequence: Sequence; policy: Outputs; reference: Outputs; critic: Outputs }

/**
 * One forward pass of each model over the rollouts, in the groups and at the temperature of the first epoch's updates:
 * old log-probabilities then equal the first ratio's bit for bit.
 */
export async function observe(
  { engine, policy, reference, critic }: { engine: Engine; policy: Model; reference: Model; critic: Model },
  rollouts: Rollout[],
  {
    minibatches,
    temperature,
    seed,
    signal,
  }: { minibatches: number[][]; temperature: number; seed: number; signal?: AbortSignal },
): Promise<Observed[]> {
  const observed = new Array<Observed>(rollouts.length)
  const pass = { temperature, seed, ...(signal && { signal }) }
  for (const rows of minibatches) {
    const sequences = rows.map((row) => sequenceOf(rollouts[row]!.prompt, rollouts[row]!.completion))
    const groups = sequences.map((s) => [s])
    const isOne = critic === policy
    const want: Output[] = isOne ? ['logprobs', 'entropies', 'values'] : ['logprobs', 'entropies']
    const ofPolicy = await engine.forward(policy, groups, want, pass)
    const ofReference = await engine.forward(reference, groups, ['logprobs'], pass)
    const ofCritic = isOne ? ofPolicy : await engine.forward(critic, groups, ['values'], pass)
    rows.forEach((row, i) => {
      observed[row] = {
        sequence: sequences[i]!,
        policy: ofPolicy[i]![0]!,
        reference: ofReference[i]![0]!,
        critic: ofCritic[i]![0]!,
      }
    })
  }
  return observed
}

/** A completion that was cut off never scores above 0 and pays the penalty; without a penalty its score stays. */
export function scoreWithEnd(score: number, hasEnded: boolean, missingEosPenalty: number): number {
  return hasEnded || missingEosPenalty === 0 ? score : Math.min(score, 0) - missingEosPenalty
}

/** Reward of each token: -beta k1, and the score at the last token. */
export function tokenRewards({
  logprobs_S,
  reference_S,
  score,
  beta,
}: {
  logprobs_S: Numbers
  reference_S: Numbers
  score: number
  beta: number
}): Float64Array {
  const rewards_S = Float64Array.from(logprobs_S, (logprob, t) => -beta * (logprob - reference_S[t]!))
  rewards_S[rewards_S.length - 1]! += score
  return rewards_S
}

/** Advantages and returns of all rollouts, and what is to be seen of the policy before it learns from them. */
export function experienceOf(
  rollouts: Rollout[],
  observed: Observed[],
  o: {
    scores: Float64Array
    beta: number
    gamma: number
    lambda: number
    missingEosPenalty: number
    bootstrapCutOff: boolean
  },
): { experience: Experience[]; metrics: Metrics } {
  const estimates = observed.map(({ policy, reference, critic }, i) => {
    const score = scoreWithEnd(o.scores[i]!, rollouts[i]!.hasEnded, o.missingEosPenalty)
    const rewards_S = tokenRewards({
      logprobs_S: policy.logprobs_S!,
      reference_S: reference.logprobs_S!,
      score,
      beta: o.beta,
    })
    const isBootstrapped = o.bootstrapCutOff && !rollouts[i]!.hasEnded
    const valueAfter = isBootstrapped ? critic.valueAfter! : 0
    return { score, ...gae({ rewards_S, values_S: critic.values_S!, valueAfter, gamma: o.gamma, lambda: o.lambda }) }
  })
  const whitened = whiten(estimates.map((e) => e.advantages_S))
  const experience = observed.map(({ sequence, policy, critic }, i) => ({
    sequence,
    oldLogprobs_S: policy.logprobs_S!,
    oldValues_S: critic.values_S!,
    advantages_S: whitened[i]!,
    returns_S: estimates[i]!.returns_S,
  }))
  const kl = observed.map(({ policy, reference }) => klEstimates(policy.logprobs_S!, reference.logprobs_S!))
  const tokens = observed.reduce((n, { policy }) => n + policy.logprobs_S!.length, 0)
  const gaps = observed.flatMap(({ policy }, i) =>
    Array.from(policy.logprobs_S!, (l, t) => Math.abs(l - rollouts[i]!.samplerLogprobs_S[t]!)),
  )
  const metrics = {
    score: estimates.reduce((total, e) => total + e.score, 0) / estimates.length,
    kl: kl.reduce((total, k) => total + k.k3, 0) / kl.length,
    klK1: kl.reduce((total, k) => total + k.k1, 0) / kl.length,
    entropy: observed.reduce((total, { policy }) => total + sum(policy.entropies_S!), 0) / tokens,
    explainedVariance: explainedVariance(experience),
    samplerGapMean: sum(gaps) / gaps.length,
    samplerGapMax: gaps.reduce((a, b) => Math.max(a, b), 0),
  }
  return { experience, metrics }
}

/** 1 - Var(return - value) / Var(return) over all tokens; 0 when the returns are all alike. */
export function explainedVariance(experience: { returns_S: Numbers; oldValues_S: Numbers }[]): number {
  const returns = experience.flatMap((e) => [...e.returns_S])
  const errors = experience.flatMap((e) => Array.from(e.returns_S, (r, t) => r - e.oldValues_S[t]!))
  const total = variance(returns)
  return total === 0 ? 0 : 1 - variance(errors) / total
}

function variance(values: number[]): number {
  const mean = sum(values) / values.length
  return values.reduce((total, v) => total + (v - mean) ** 2, 0) / values.length
}
