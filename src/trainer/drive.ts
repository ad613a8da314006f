// Runs a recipe to its end: writes what it yields, answers its checkpoints, stops it when asked. The recipe decides
// what happens; nothing here does arithmetic.
import { performance } from 'node:perf_hooks'
import type { Outcome, Recipe, RecipeEvent, Reply } from '#align'
import type { Engine, Model, Saved } from '#engine/contract'
import { pruneCheckpoints, type Run } from './run-folder.ts'

export type Progress =
  | (Extract<RecipeEvent, { kind: 'step' }> & { seconds: number })
  | Extract<RecipeEvent, { kind: 'alarm' | 'mark' }>
  | { kind: 'checkpoint'; step: number; folder: string; reason: string }

export type DriveOptions = {
  engine: Engine
  run: Run
  /** Aborted: the recipe takes a checkpoint at the end of its step and ends. */
  signal?: AbortSignal
  onProgress?: (event: Progress) => void
  /** Called after each step; must not disturb the models. */
  watch?: (step: number) => Promise<void>
  /** What DPO computed of its reference, worth keeping. */
  onReference?: (logprobs: Float64Array) => void
}

/** The recipe's outcome; the run folder then holds its last checkpoint. Errors of the recipe pass through, the folder stays resumable. */
export async function drive(recipe: Recipe, options: DriveOptions): Promise<Outcome> {
  const { run, signal } = options
  const start = performance.now()
  let reply: Reply
  for (;;) {
    const next = await recipe.next(reply)
    if (next.done) {
      run.metrics.sync()
      run.samples.sync()
      return next.value
    }
    reply = await answer(next.value, options, (performance.now() - start) / 1000)
    if (next.value.kind !== 'step') continue
    await options.watch?.(next.value.step)
    if (signal?.aborted) reply = 'stop'
  }
}

async function answer(event: RecipeEvent, options: DriveOptions, seconds: number): Promise<Reply> {
  const { run, onProgress, onReference } = options
  switch (event.kind) {
    case 'step':
      run.metrics.append({ step: event.step, ...event.metrics })
      run.clock.append({ step: event.step, seconds: Number(seconds.toFixed(3)), at: new Date().toISOString() })
      onProgress?.({ ...event, seconds })
      return undefined
    case 'samples':
      for (const { prompt, completion, metrics } of event.samples)
        run.samples.append({ step: event.step, prompt: [...prompt], completion: [...completion], metrics })
      return undefined
    case 'alarm':
      run.metrics.append(event)
      run.log.append({ step: event.step, alarm: event.name, rule: event.rule, value: event.value })
      onProgress?.(event)
      return undefined
    case 'mark':
      run.metrics.append(event)
      onProgress?.(event)
      return undefined
    case 'reference':
      onReference?.(event.logprobs)
      return undefined
    case 'checkpoint': {
      const { folder, saved } = await saveCheckpoint(event, options)
      onProgress?.({ kind: 'checkpoint', step: event.step, folder, reason: event.reason })
      return saved
    }
    default:
      return event satisfies never
  }
}

async function saveCheckpoint(event: Extract<RecipeEvent, { kind: 'checkpoint' }>, { engine, run }: DriveOptions) {
  const { step, reason, state } = event
  const models: Record<string, Model> = event.models
  const partial: Record<string, Saved> = {}
  const { folder } = await run.checkpoint({ step, reason, state, models: Object.keys(models) }, async (name, to) => {
    partial[name] = await engine.save(models[name]!, 'resume', to)
  })
  pruneCheckpoints(run.folder)
  return { folder, saved: relocate(partial, folder) }
}

/** Models were saved into a temporary folder that now has another name. */
function relocate(saved: Record<string, Saved>, folder: string): Record<string, Saved> {
  return Object.fromEntries(Object.entries(saved).map(([name, s]) => [name, { ...s, folder: `${folder}/${name}` }]))
}
