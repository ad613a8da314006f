// A small world that can be enumerated: a reference policy with random preferences, a random reward for each completion,
// and the exact optimum of E[r] - beta KL. Trials and tests of the recipes are held to it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  completionLogprobs,
  type Engine,
  enumerateCompletions,
  exactKl,
  exactObjective,
  exactOptimum,
  type Model,
  tabularEngine,
  writeTabularWeights,
} from '#engine'
import { deriveSeed, generator } from '#stats'

export type SmallWorld = {
  engine: Engine
  prompts: Int32Array[]
  completions: Int32Array[]
  stopToken: number
  maxTokens: number
  /** A folder that is gone when the world is closed. */
  folder: string
  /** The reference policy's weights: a folder, and its logits by state. */
  weights: string
  logits: Record<string, number[]>
  rewardOf(prompt: Int32Array, completion: Int32Array): number
  /** Means over prompts: the objective of a model, of the reference and of the optimum, and their KL. The models may be another engine's. */
  measure(o: { model: Model; reference: Model; beta: number; engine?: Engine }): Promise<Measured>
  close(): Promise<void>
}
export type Measured = {
  objective: number
  reference: number
  optimum: number
  kl: number
  optimumKl: number
  attained: number
}

/**
 * Token 0 stops, tokens 1..words are said; a prompt is two different words, since attention over
 * one repeated word can not tell how often it was said; a completion is at most `maxTokens` tokens.
 */
export async function smallWorld({
  seed,
  words = 4,
  prompts = 3,
  maxTokens = 3,
  spread = 1,
}: {
  seed: number
  words?: number
  prompts?: number
  maxTokens?: number
  spread?: number
}): Promise<SmallWorld> {
  const vocab = words + 1
  const random = generator(deriveSeed(seed, 'world'))
  const promptTokens = Array.from({ length: prompts }, (_, p) =>
    Int32Array.of(1 + (p % words), 1 + ((p + 1 + Math.floor(p / words)) % words)),
  )
  const completions = enumerateCompletions({ vocab, stopToken: 0, maxTokens })
  const logits: Record<string, number[]> = {}
  const rewards = new Map<string, number>()
  for (const prompt of promptTokens)
    for (const completion of completions) {
      for (let n = 0; n < completion.length; n++)
        logits[[...prompt, ...completion.subarray(0, n)].join(' ')] ??= Array.from(
          { length: vocab },
          () => random.normal() * 0.7,
        )
      rewards.set(`${prompt}|${completion}`, random.normal() * spread)
    }
  const folder = await mkdtemp(join(tmpdir(), 'hone-world-'))
  const weights = join(folder, 'reference')
  await writeTabularWeights(weights, { vocab, logits })
  const engine = tabularEngine({ vocab })
  const rewardOf = (prompt: Int32Array, completion: Int32Array) => rewards.get(`${prompt}|${completion}`)!

  const measure: SmallWorld['measure'] = async ({ model, reference, beta, engine: of = engine }) => {
    const sums = { objective: 0, reference: 0, optimum: 0, kl: 0, optimumKl: 0 }
    for (const prompt of promptTokens) {
      const logp_C = await completionLogprobs(of, model, { prompt, completions })
      const reference_C = await completionLogprobs(of, reference, { prompt, completions })
      const setting = { reference_C, rewards_C: Float64Array.from(completions, (c) => rewardOf(prompt, c)), beta }
      const best = exactOptimum(setting)
      sums.objective += exactObjective(logp_C, setting) / prompts
      sums.reference += exactObjective(reference_C, setting) / prompts
      sums.optimum += best.objective / prompts
      sums.kl += exactKl(logp_C, reference_C) / prompts
      sums.optimumKl += exactKl(best.logprobs_C, reference_C) / prompts
    }
    return { ...sums, attained: (sums.objective - sums.reference) / (sums.optimum - sums.reference) }
  }
  return {
    engine,
    prompts: promptTokens,
    completions,
    stopToken: 0,
    maxTokens,
    folder,
    weights,
    logits,
    rewardOf,
    measure,
    close: () => rm(folder, { recursive: true }),
  }
}
