// One minibatch update of PPO. A critic of its own takes a pass and a step beside the policy's; a value head on the
// policy's trunk shares both: one forward and backward yields the two losses, as in arXiv 1707.06347, equation 9.
// Each completion is a group of its own.
import type { Engine, GroupLoss, Model, Output, Outputs, Sums } from '#engine/contract'
import { EngineError } from '#errors'
import type { PpoConfig } from '#schema'
import { deriveSeed } from '#stats'
import type { Metrics } from './events.ts'
import type { Experience } from './experience.ts'
import { policyLoss } from './losses/policy.ts'
import { policyAndValueLoss } from './losses/policy-and-value.ts'
import { valueLoss } from './losses/value.ts'
import { rateShare, updateGroup } from './schedules.ts'

export type UpdatingLearner = { engine: Engine; policy: Model; critic: Model; config: PpoConfig; signal?: AbortSignal }

/**
 * `isFirst`: of its round, at the weights that the old log-probabilities come from. `policyFrom`: the first step in which
 * the policy learns; undefined while nobody knows.
 */
export type Minibatch = { batch: Experience[]; step: number; isFirst: boolean; policyFrom: number | undefined }

/** A ratio of the first minibatch further from 1 than this means that scoring and training disagree. */
const FIRST_RATIO_LIMIT = 1e-5

/** Of the body of a critic that is a model of its own. */
const CRITIC_LEARNING_RATE = 3e-4
/** TRL's vf_coef; the value loss is half a square here as there. */
const VALUE_WEIGHT = 0.1

/** During the critic's warm-up only the critic learns; of a shared trunk, only the value head. */
export async function update(learner: UpdatingLearner, minibatch: Minibatch): Promise<Metrics> {
  const { policy, critic } = learner
  const isWarmingUp = minibatch.policyFrom === undefined || minibatch.step < minibatch.policyFrom
  if (policy === critic && !isWarmingUp) return updateTogether(learner, minibatch)
  const metrics = await updateCritic(learner, minibatch)
  return { ...metrics, ...(isWarmingUp ? NOT_LEARNING : await updatePolicy(learner, minibatch)) }
}

async function updateCritic(learner: UpdatingLearner, minibatch: Minibatch): Promise<Metrics> {
  const { engine, policy, critic, config } = learner
  const { batch, step } = minibatch
  const tokens = tokensOf(batch)
  // The same weight as later beside the policy's loss: AdamW's second moments then need no time to forget another.
  const weight = critic === policy ? weightOf(config) : 1
  const sums = await pass(learner, minibatch, {
    model: critic,
    want: ['values'],
    loss: (out, g) => valueLoss(out[0]!, batch[g]!, { clipValue: config.clipValue, weight, tokens }),
  })
  const share = rateShare(step, config.steps, config)
  const { bodyNorm, headsNorm, skipped } = await engine.step(critic, {
    ...(critic !== policy && {
      body: updateGroup(config, (config.criticLearningRate ?? CRITIC_LEARNING_RATE) * share),
    }),
    heads: updateGroup(config, config.criticHeadLearningRate * share),
  })
  return {
    valueLoss: sums.loss / weight,
    valueClipFraction: sums.stats.clipped! / tokens,
    ...(bodyNorm !== undefined && { criticNorm: bodyNorm }),
    criticHeadNorm: headsNorm!,
    criticSkipped: Number(skipped),
  }
}

async function updatePolicy(learner: UpdatingLearner, minibatch: Minibatch): Promise<Metrics> {
  const { engine, policy, config } = learner
  const { batch } = minibatch
  const { clipRatio, entropyBonus } = config
  const tokens = tokensOf(batch)
  const ratios = watchRatios(batch)
  const sums = await pass(learner, minibatch, {
    model: policy,
    want: entropyBonus > 0 ? ['logprobs', 'entropies'] : ['logprobs'],
    loss: (out, g) => {
      ratios.see(out[0]!, g)
      return policyLoss(out[0]!, batch[g]!, { clipRatio, entropyBonus, tokens })
    },
  })
  ratios.check(minibatch)
  const learningRate = policyRate(config, minibatch)
  const { bodyNorm, skipped } = await engine.step(policy, { body: updateGroup(config, learningRate) })
  return {
    policyLoss: sums.loss,
    ...policyMetrics(sums, tokens),
    ...ratios.metrics(),
    learningRate,
    norm: bodyNorm!,
    skipped: Number(skipped),
  }
}

async function updateTogether(learner: UpdatingLearner, minibatch: Minibatch): Promise<Metrics> {
  const { engine, policy, config } = learner
  const { batch, step } = minibatch
  const { clipRatio, entropyBonus, clipValue } = config
  const valueWeight = weightOf(config)
  const tokens = tokensOf(batch)
  const ratios = watchRatios(batch)
  const sums = await pass(learner, minibatch, {
    model: policy,
    want: entropyBonus > 0 ? ['logprobs', 'entropies', 'values'] : ['logprobs', 'values'],
    loss: (out, g) => {
      ratios.see(out[0]!, g)
      return policyAndValueLoss(out[0]!, batch[g]!, { clipRatio, entropyBonus, clipValue, valueWeight, tokens })
    },
  })
  ratios.check(minibatch)
  const learningRate = policyRate(config, minibatch)
  const { bodyNorm, headsNorm, skipped } = await engine.step(policy, {
    body: updateGroup(config, learningRate),
    heads: updateGroup(config, config.criticHeadLearningRate * rateShare(step, config.steps, config)),
  })
  return {
    valueLoss: sums.stats.valueLoss! / valueWeight,
    valueClipFraction: sums.stats.valueClipped! / tokens,
    criticHeadNorm: headsNorm!,
    criticSkipped: Number(skipped),
    policyLoss: sums.stats.policyLoss!,
    ...policyMetrics(sums, tokens),
    ...ratios.metrics(),
    learningRate,
    norm: bodyNorm!,
    skipped: Number(skipped),
  }
}

function pass(
  { engine, config, signal }: UpdatingLearner,
  { batch, step }: Minibatch,
  { model, want, loss }: { model: Model; want: Output[]; loss: GroupLoss },
): Promise<Sums> {
  const groups = batch.map((e) => [e.sequence])
  const seed = deriveSeed(config.seed, 'pass', step)
  return engine.forwardBackward(model, groups, want, loss, {
    temperature: config.temperature,
    seed,
    ...(signal && { signal }),
  })
}

function tokensOf(batch: Experience[]): number {
  return batch.reduce((n, e) => n + e.oldLogprobs_S.length, 0)
}

/** At 0 the head is detached, so that the trunk hears nothing of it, and learns by itself. */
function weightOf({ valueWeight = VALUE_WEIGHT }: PpoConfig): number {
  return valueWeight === 0 ? 1 : valueWeight
}

/** The policy's rate rises from the end of the critic's warm-up. */
function policyRate(config: PpoConfig, { step, policyFrom = step }: Minibatch): number {
  const { learningRate, steps } = config
  return learningRate * rateShare(step - policyFrom, steps - policyFrom, config)
}

function watchRatios(batch: Experience[]) {
  let gap = 0
  let max = 0
  return {
    see(out: Outputs, g: number): void {
      out.logprobs_S!.forEach((logprob, t) => {
        const ratio = Math.exp(logprob - batch[g]!.oldLogprobs_S[t]!)
        gap = Math.max(gap, Math.abs(ratio - 1))
        max = Math.max(max, ratio)
      })
    },
    check({ isFirst }: Minibatch): void {
      if (isFirst && !(gap <= FIRST_RATIO_LIMIT))
        throw new EngineError(
          `forward and forwardBackward disagree: the first ratio is off 1 by ${gap}, at most ${FIRST_RATIO_LIMIT} is expected at unchanged weights`,
        )
    },
    metrics: (): Metrics => ({ ratioMax: max, ratioGap: gap }),
  }
}

function policyMetrics({ stats }: Sums, tokens: number): Metrics {
  return {
    ratioMean: stats.ratio! / tokens,
    clipFraction: stats.clipped! / tokens,
    approxKl: stats.approxKl! / tokens,
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
