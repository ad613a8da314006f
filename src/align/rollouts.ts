// Completions drawn from a policy, in the order of their prompts. Each prompt's draws follow from the seed and its place
// alone. Top-p and top-k are not offered: what reinforcement learning scores must be what was sampled.
import type { Engine, Model, Numbers } from '#engine/contract'
import { EngineError } from '#errors'
import { deriveSeed } from '#stats'

/** `hasEnded`: the last token is a stop token; otherwise the completion was cut off. `samplerLogprobs_S` are the sampler's own. */
export type Rollout = { prompt: Int32Array; completion: Int32Array; samplerLogprobs_S: Numbers; hasEnded: boolean }

export type Sampling = { maxTokens: number; temperature: number; stopTokens: number[]; signal?: AbortSignal }

/** `samplesPerPrompt` rollouts of each prompt, those of a prompt side by side. */
export async function sampleRollouts(
  engine: Engine,
  model: Model,
  prompts: Int32Array[],
  { samplesPerPrompt = 1, seed, signal, ...settings }: Sampling & { samplesPerPrompt?: number; seed: number },
): Promise<Rollout[]> {
  const requests = prompts.map((tokens, i) => ({
    id: String(i),
    tokens,
    n: samplesPerPrompt,
    seed: deriveSeed(seed, i),
    ...settings,
  }))
  const parts = Array.from({ length: prompts.length * samplesPerPrompt }, () => ({
    tokens: [] as number[],
    logprobs: [] as number[],
    done: '',
  }))
  for await (const event of engine.sample(model, requests, { ...(signal && { signal }) })) {
    const part = parts[Number(event.id) * samplesPerPrompt + event.index]!
    part.tokens.push(...event.tokens)
    part.logprobs.push(...event.logprobs)
    part.done = event.done ?? part.done
  }
  return parts.map(({ tokens, logprobs, done }, i) => {
    if (done === 'cancelled') signal?.throwIfAborted()
    if (done !== 'stop' && done !== 'length')
      throw new EngineError(`the stream ended before completion ${i} was done (${done || 'no end'})`)
    const prompt = prompts[Math.floor(i / samplesPerPrompt)]!
    return {
      prompt,
      completion: Int32Array.from(tokens),
      samplerLogprobs_S: Float64Array.from(logprobs),
      hasEnded: done === 'stop',
    }
  })
}
