// Samples of watched prompts along a run: the same prompts with the same draws, so that what differs between two steps is what
// was learnt between them. The draws are of a seed of their own and disturb nothing.
import type { Engine, Model } from '#engine/contract'
import { deriveSeed } from '#stats'
import { isDue } from './checkpoints.ts'
import type { Metrics, RecipeEvent } from './events.ts'
import { type Rollout, sampleRollouts, type Sampling } from './rollouts.ts'

/** One completion of each prompt; `seed` is the run's, `metricsOf` what is said of each. */
export async function watchedSamples(
  engine: Engine,
  model: Model,
  prompts: Int32Array[],
  {
    step,
    seed,
    metricsOf = async (rollouts) => rollouts.map(() => ({})),
    ...sampling
  }: Sampling & { step: number; seed: number; metricsOf?: (rollouts: Rollout[]) => Promise<Metrics[]> },
): Promise<RecipeEvent> {
  const rollouts = await sampleRollouts(engine, model, prompts, { ...sampling, seed: deriveSeed(seed, 'watched') })
  const metrics = await metricsOf(rollouts)
  return {
    kind: 'samples',
    step,
    samples: rollouts.map(({ prompt, completion }, i) => ({ prompt, completion, metrics: metrics[i]! })),
  }
}

/** Prompts whose completions are shown before the first step, every `samplesEvery` steps and at the last, and what ends one. */
export type Watched = { prompts: Int32Array[]; stopTokens: number[] }

type Watching = {
  engine: Engine
  model: Model
  config: {
    seed: number
    samplesEvery?: number | undefined
    samplesMaxTokens?: number | undefined
    samplesTemperature?: number | undefined
  }
  watched?: Watched
  signal?: AbortSignal
}

/** Longest sample, tokens, unless the config says otherwise. */
export const SAMPLES_MAX_TOKENS = 80

/** Of recipes that sample nothing else: samples where they are due at `step`, 0 being before the first. */
export async function* samplesDue(
  { engine, model, config, watched, signal }: Watching,
  step: number,
  of: number,
): AsyncGenerator<RecipeEvent, void, unknown> {
  const { seed, samplesEvery = 50, samplesMaxTokens = SAMPLES_MAX_TOKENS, samplesTemperature = 1 } = config
  if (!watched || !isDue(step, of, samplesEvery)) return
  yield await watchedSamples(engine, model, watched.prompts, {
    step,
    seed,
    maxTokens: samplesMaxTokens,
    temperature: samplesTemperature,
    stopTokens: watched.stopTokens,
    ...(signal && { signal }),
  })
}
