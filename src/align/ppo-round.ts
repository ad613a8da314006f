// One round of PPO (arXiv 1707.06347, as in arXiv 2403.17031): sample, score, estimate advantages, then a few passes of
// minibatch updates of the policy and of its critic, which is a model of its own. Every normaliser is known before the pass.
import type { Engine, Model } from '#engine/contract'
import { EngineError } from '#errors'
import type { PpoConfig } from '#schema'
import { deriveSeed } from '#stats'
import type { Metrics } from './events.ts'
import { type Experience, experienceOf, observe } from './experience.ts'
import { policyLoss } from './losses/policy.ts'
import { valueLoss } from './losses/value.ts'
import { monitors } from './monitors.ts'
import { permutation, rowsOfStep } from './order.ts'
import { sampleRollouts } from './rollouts.ts'
import { rateShare, updateGroup } from './schedules.ts'
import { type RewardTerm, scoreRollouts } from './terms.ts'

export type Learner = {
  engine: Engine
  /** Loaded with `trains`. */
  policy: Model
  /** Frozen; the KL is to it. */
  reference: Model
  /** Loaded with `trains` and a value head; usually started from the reward model. */
  critic: Model
  config: PpoConfig
  prompts: Int32Array[]
  /** A completion ends with one of these. */
  stopTokens: number[]
  terms: RewardTerm[]
  signal?: AbortSignal
}

/** A ratio of the first minibatch further from 1 than this means that scoring and training disagree. */
const FIRST_RATIO_LIMIT = 1e-5

/** The round with 0-based number `step`, at the KL price `beta`. */
export async function ppoRound(learner: Learner, { step, beta }: { step: number; beta: number }): Promise<Metrics> {
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
    split(permutation(deriveSeed(seed, 'minibatches', step, epoch), rollouts.length), config.minibatches)
  const pass = { temperature, seed: deriveSeed(seed, 'pass', step), ...(signal && { signal }) }
  const observed = await observe(learner, rollouts, { minibatches: minibatchesOf(0), ...pass })
  const { experience, metrics } = experienceOf(rollouts, observed, { ...config, scores: scored.scores, beta })

  const updates: Metrics[] = []
  for (let epoch = 0; epoch < config.updateEpochs; epoch++)
    for (const minibatch of minibatchesOf(epoch))
      updates.push(
        await update(
          learner,
          minibatch.map((row) => experience[row]!),
          { step, isFirst: updates.length === 0 },
        ),
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

/** One update of the critic and, after its warm-up, of the policy; each completion is a group of its own. */
async function update(
  { engine, policy, critic, config, signal }: Learner,
  batch: Experience[],
  { step, isFirst }: { step: number; isFirst: boolean },
): Promise<Metrics> {
  const groups = batch.map((e) => [e.sequence])
  const tokens = batch.reduce((n, e) => n + e.oldLogprobs_S.length, 0)
  const pass = {
    temperature: config.temperature,
    seed: deriveSeed(config.seed, 'pass', step),
    ...(signal && { signal }),
  }
  const criticShare = rateShare(step, config.steps, config)
  const valueSums = await engine.forwardBackward(
    critic,
    groups,
    ['values'],
    (out, g) => valueLoss(out[0]!, batch[g]!, { clipValue: config.clipValue, tokens }),
    pass,
  )
  const criticStep = await engine.step(critic, {
    body: updateGroup(config, config.criticLearningRate * criticShare),
    heads: updateGroup(config, config.criticHeadLearningRate * criticShare),
  })
  const metrics = {
    valueLoss: valueSums.loss,
    valueClipFraction: valueSums.stats.clipped! / tokens,
    criticNorm: criticStep.bodyNorm!,
    criticHeadNorm: criticStep.headsNorm!,
    criticSkipped: Number(criticStep.skipped),
  }
  if (step < config.criticWarmupSteps) return { ...metrics, ...NOT_LEARNING }

  const learningRate =
    config.learningRate * rateShare(step - config.criticWarmupSteps, config.steps - config.criticWarmupSteps, config)
  let ratioGap = 0
  let ratioMax = 0
  const sums = await engine.forwardBackward(
    policy,
    groups,
    config.entropyBonus > 0 ? ['logprobs', 'entropies'] : ['logprobs'],
    (out, g) => {
      out[0]!.logprobs_S!.forEach((logprob, t) => {
        const ratio = Math.exp(logprob - batch[g]!.oldLogprobs_S[t]!)
        ratioGap = Math.max(ratioGap, Math.abs(ratio - 1))
        ratioMax = Math.max(ratioMax, ratio)
      })
      return policyLoss(out[0]!, batch[g]!, { clipRatio: config.clipRatio, entropyBonus: config.entropyBonus, tokens })
    },
    pass,
  )
  if (isFirst && !(ratioGap <= FIRST_RATIO_LIMIT))
    throw new EngineError(
      `forward and forwardBackward disagree: the first ratio is off 1 by ${ratioGap}, at most ${FIRST_RATIO_LIMIT} is expected at unchanged weights`,
    )
  const { bodyNorm, skipped } = await engine.step(policy, { body: updateGroup(config, learningRate) })
  return {
    ...metrics,
    policyLoss: sums.loss,
    ratioMean: sums.stats.ratio! / tokens,
    ratioMax,
    ratioGap,
    clipFraction: sums.stats.clipped! / tokens,
    approxKl: sums.stats.approxKl! / tokens,
    learningRate,
    norm: bodyNorm!,
    skipped: Number(skipped),
  }
}

/** The policy's figures while only the critic learns. */
const NOT_LEARNING: Metrics = {
  policyLoss: 0,
  ratioMean: 1,
  ratioMax: 1,
  ratioGap: 0,
  clipFraction: 0,
  approxKl: 0,
  learningRate: 0,
  norm: 0,
  skipped: 0,
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
