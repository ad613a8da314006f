// What the server sees of the sampler: a process apart that holds the models. Types only, so that who knows this boundary
// loads nothing behind it.
import type { Prompt } from '#schema'

/** A model as it was loaded: `hash` over all files of its folder is its identity in provenance and releases. */
export type LoadedModel = { hash: string; contextTokens: number; hasChatTemplate: boolean }

export type DrawRequest = {
  /** A folder that holds a model, or `base`, the bundled one. */
  folder: string
  /** Draws of a prompt follow from `seed` and its `row` alone, so rows may be asked for in any order and portions. */
  prompts: readonly { row: number; prompt: Prompt }[]
  n: number
  seed: number
  temperature: number
  topP: number
  maxTokens: number
}
/** `finished`: ended by itself. `logprob`: summed over its tokens, of softmax(logits / temperature). */
export type DrawnSample = {
  row: number
  sample: number
  completion: string
  finished: boolean
  logprob: number
  tokens: number
}

/**
 * Starts its process at the first call and again after one that died. Errors: DataError and ConfigError where the asker is
 * wrong (no such model, a prompt too long), HttpError 503 where the process ended under the call: ask again.
 */
export type SamplerLink = {
  load(folder: string, signal?: AbortSignal): Promise<LoadedModel>
  /** Each sample as soon as it is whole. Aborting cancels the rest within a decoding step. */
  draw(request: DrawRequest, signal?: AbortSignal): AsyncIterable<DrawnSample>
  /** One request of OpenAI's API, `/v1/...`, answered by the model of that folder under the name that clients know. */
  answer(
    model: { folder: string; hash: string; name: string },
    request: { method: string; path: string; body: string | undefined; signal: AbortSignal },
  ): Promise<Response>
  /** Of the running process; undefined while there is none. */
  pid(): number | undefined
  close(): Promise<void>
}
