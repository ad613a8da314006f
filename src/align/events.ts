// What goes into a recipe and what comes out of it. A recipe is an async generator: it yields these events, whoever runs
// it writes what is to be written and answers, and it returns its outcome. Everything is tokenised; no text is seen here.
import type { Model, Saved } from '#engine/contract'
import type { MarkPair, MarkResult } from './marks.ts'

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }
export type Metrics = Record<string, number>

/** `completion` ends with the end-of-sequence token, which is trained like any other. `weight` of each of its tokens; default 1. */
export type Example = { prompt: Int32Array; completion: Int32Array; weight?: number }

/**
 * Two completions of one prompt. `probability` that `a` is better; `weight` 1 is a full comparison; `margin`: stated strength, at least 0;
 * `tie`, `bothBad`: shares of the answers that said so, absent where nobody could.
 */
export type PairExample = {
  prompt: Int32Array
  a: Int32Array
  b: Int32Array
  probability: number
  weight: number
  margin?: number
  tie?: number
  bothBad?: number
}

export type Sample = { prompt: Int32Array; completion: Int32Array; metrics: Metrics }

/** `steps` counts finished optimizer steps from 1; the step event 0, where there is one, measures the untrained model. */
export type RecipeEvent =
  | { kind: 'step'; step: number; of: number; metrics: Metrics }
  | { kind: 'samples'; step: number; samples: Sample[] }
  | {
      kind: 'alarm'
      step: number
      name: string
      rule: string
      value: number
      threshold: number
      action: 'note' | 'pause' | 'stop'
    }
  /** `pairs`: what the mark rests on, to be kept beside the run. */
  | { kind: 'mark'; step: number; mark: MarkResult; pairs: MarkPair[] }
  /** Save every model with `engine.save(model, 'resume', ...)`, commit `state` beside them, answer with what was saved. */
  | { kind: 'checkpoint'; step: number; models: Record<string, Model>; state: JsonValue; reason: CheckpointReason }
  /** DPO's reference log-probabilities, [pairs, 2] row-major: worth keeping under a hash of the model and the pairs. */
  | { kind: 'reference'; logprobs: Float64Array }

export type CheckpointReason = 'interval' | 'mark' | 'asked' | 'end'

/** To a checkpoint: what was saved, by the names of its models. To a step: 'checkpoint' asks for one now, 'stop' for one and the end. */
export type Reply = Record<string, Saved> | 'checkpoint' | 'stop' | undefined

/** Continue after the checkpoint whose `state` this is; the models given to the recipe were loaded from `saved`. */
export type Resume = { state: JsonValue; saved: Record<string, Saved> }

export type Outcome = {
  /** Finished steps. */
  steps: number
  stoppedBy: 'steps' | 'asked' | 'budget' | 'check' | 'reward-model' | 'alarm'
  /** One sentence with the figures behind it. */
  reason: string
  /** The step of the checkpoint to go on with; absent when the model at the start is still the best known. */
  kept?: number
  metrics: Metrics
}

export type Recipe = AsyncGenerator<RecipeEvent, Outcome, Reply>
