// When a recipe asks for a checkpoint, and how it goes on from one.
import { z } from 'zod'
import type { Model, Saved } from '#engine/contract'
import { ConfigError } from '#errors'
import type { JsonValue, Metrics, Outcome, RecipeEvent, Reply, Resume } from './events.ts'

/** Finished steps at a checkpoint; 0 for a fresh run. */
export function finishedSteps(resume: Resume | undefined, recipe: string): number {
  if (!resume) return 0
  return parseState(resume.state, z.strictObject({ recipe: z.literal(recipe), step: z.number().int().positive() })).step
}

export function parseState<T>(state: JsonValue, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(state)
  if (parsed.success) return parsed.data
  throw new ConfigError(`the checkpoint is not one of this recipe: ${z.prettifyError(parsed.error)}`)
}

export function outcome(steps: number, stoppedBy: 'steps' | 'asked', metrics: Metrics): Outcome {
  const reason = stoppedBy === 'steps' ? `all ${steps} steps are done` : `asked to stop after step ${steps}`
  return { steps, stoppedBy, reason, kept: steps, metrics }
}

/** True at every `every` finished steps and at the last. */
export function isDue(finished: number, of: number, every: number): boolean {
  return finished % every === 0 || finished === of
}

/** Yields a checkpoint where one is due or was asked for by the answer to the step's event. */
export async function* checkpoint({
  step,
  of,
  every,
  reply,
  models,
  state,
}: {
  step: number
  of: number
  every: number
  reply: Reply
  models: Record<string, Model>
  state: JsonValue
}): AsyncGenerator<RecipeEvent, Record<string, Saved> | undefined, Reply> {
  const isAsked = reply === 'checkpoint' || reply === 'stop'
  if (!isAsked && !isDue(step, of, every)) return undefined
  const reason = isAsked ? 'asked' : step === of ? 'end' : 'interval'
  const saved = yield { kind: 'checkpoint', step, models, state, reason }
  return typeof saved === 'object' ? saved : undefined
}
