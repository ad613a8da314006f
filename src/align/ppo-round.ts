// One round of PPO (arXiv 1707.06347, as in arXiv 2403.17031): sample, score, estimate advantages, then a few passes of
// minibatch updates of the policy and of its critic (ppo-update.ts). Every normaliser is known before the pass.
import type { Engine, Model } from '#engine/contract'
import type { PpoConfig } from '#schema'
import { deriveSeed } from '#stats'
import type { Metrics } from './events.ts'
import { experienceOf, observe } from './experience.ts'
import { monitors } from './monitors.ts'
import { permutation, rowsOfStep } from './order.ts'
import { update } from './ppo-update.ts'
import { sampleRollouts } from './rollouts.ts'
import { type RewardTerm, scoreRollouts } from './terms.ts'

export type Learner = {
  engine: Engine
  /** Loaded with `trains`. */
  policy: Model
  /** Frozen; the KL is to it. */
  reference: Model
  /** Loaded with `trains` and a value head, usually started from the reward model; or the policy itself, with a value head on its trunk. */
  critic: Model
  config: PpoConfig
  prompts: Int32Array[]
  /** A completion ends with one of these. */
  stopTokens: number[]
  terms: RewardTerm[]
  signal?: AbortSignal
}

/** The round with 0-based number `step`, at the KL price `beta`; the policy learns from step `policyFrom` on. */
export async function ppoRound(
  learner: Learner,
  { step, beta, policyFrom }: { step: number; beta: number; policyFrom: number | undefined },
): Promise<Metrics> {
  const { engine, policy, config, prompts, terms, stopTokens, signal } = learner
  const { seed, temperature, promptsPerStep, samplesPerPrompt, maxTokens } = config
  const rows = rowsOfStep({ seed, purpose: 'prompts', step, size: promptsPerStep, count: prompts.length })
  const rollouts = await sampleRollouts(
    engine,
    policy,
    rows.map((row) => prompts[row]!),
    {
      samplesPerPrompt,
      maxTokens,
      temperature,
      stopTokens,
      seed: deriveSeed(seed, 'rollouts', step),
      ...(signal && { signal }),
    },
  )
  const scored = await scoreRollouts(terms, rollouts)
  const minibatchesOf = (epoch: number) =>
    split(
      // The samples of a prompt stay together: engines compute what neighbours begin with once.
      permutation(deriveSeed(seed, 'minibatches', step, epoch), rows.length).flatMap((row) =>
        Array.from({ length: samplesPerPrompt }, (_, i) => row * samplesPerPrompt + i),
      ),
      config.minibatches,
    )
  const pass = { temperature, seed: deriveSeed(seed, 'pass', step), ...(signal && { signal }) }
  const observed = await observe(learner, rollouts, { minibatches: minibatchesOf(0), ...pass })
  const { experience, metrics } = experienceOf(rollouts, observed, { ...config, scores: scored.scores, beta })

  const updates: Metrics[] = []
  for (let epoch = 0; epoch < config.updateEpochs; epoch++)
    for (const minibatch of minibatchesOf(epoch))
      updates.push(
        await update(learner, {
          batch: minibatch.map((row) => experience[row]!),
          step,
          isFirst: updates.length === 0,
          policyFrom,
        }),
      )
  return {
    ...scored.metrics,
    ...metrics,
    ...monitors(rollouts, samplesPerPrompt),
    beta,
    ...meanOf(updates),
    firstRatioGap: updates[0]!.ratioGap!,
  }
}

/** Means over the updates of a round; of what is a largest value, the largest. */
function meanOf(updates: Metrics[]): Metrics {
  const { ratioGap: _, ...keys } = updates[0]!
  return Object.fromEntries(
    Object.keys(keys).map((key) => {
      const values = updates.map((u) => u[key]!)
      return [key, key === 'ratioMax' ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / values.length]
    }),
  )
}

/** `parts` runs of nearly equal length. */
function split(rows: number[], parts: number): number[][] {
  return Array.from({ length: parts }, (_, i) =>
    rows.slice(Math.round((i * rows.length) / parts), Math.round(((i + 1) * rows.length) / parts)),
  )
}
