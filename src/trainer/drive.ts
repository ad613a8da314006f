// Runs a recipe to its end: writes what it yields, answers its checkpoints, stops it when asked. The recipe decides
// what happens; nothing here does arithmetic.
import fs from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { MarkPair, Metrics, Outcome, Recipe, RecipeEvent, Reply } from '#align'
import type { Engine } from '#engine/contract'
import { type Checkpoint, modelsOf, pruneCheckpoints } from './checkpoints.ts'
import type { Run } from './run-folder.ts'

export type Progress =
  | (Extract<RecipeEvent, { kind: 'step' }> & { seconds: number })
  | Extract<RecipeEvent, { kind: 'alarm' }>
  | Omit<Extract<RecipeEvent, { kind: 'mark' }>, 'pairs'>
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
  onReference?: (logprobs: Float64Array) => Promise<void>
  /** Keeps what a mark rests on, before the mark itself is written. */
  onMark?: (step: number, pairs: MarkPair[]) => void
}

/** After so long a checkpoint is asked for, whatever the recipe's own interval: what a kill can cost. */
export const UNSAVED_MS = 20_000
/** Unless saves are so slow that they would take more than a twentieth of the time. */
export const STEPS_OF_SAVING = 20

/** The recipe's outcome; the run folder then holds its last checkpoint. Errors of the recipe pass through, the folder stays resumable. */
export async function drive(recipe: Recipe, options: DriveOptions): Promise<Outcome> {
  const { run, signal } = options
  const start = performance.now()
  let saved = { at: start, took: 0 }
  let reply: Reply
  for (;;) {
    const next = await recipe.next(reply)
    if (next.done) {
      run.metrics.sync()
      run.samples.sync()
      return withMetrics(next.value, run)
    }
    const before = performance.now()
    reply = await answer(next.value, options, (before - start) / 1000)
    const now = performance.now()
    if (next.value.kind === 'checkpoint') saved = { at: now, took: now - before }
    if (next.value.kind !== 'step') continue
    await options.watch?.(next.value.step)
    if (signal?.aborted) reply = 'stop'
    else if (now - saved.at > Math.max(UNSAVED_MS, STEPS_OF_SAVING * saved.took)) reply = 'checkpoint'
  }
}

async function answer(event: RecipeEvent, options: DriveOptions, seconds: number): Promise<Reply> {
  const { run, onProgress, onReference, onMark } = options
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
    case 'mark': {
      const { pairs, ...mark } = event
      onMark?.(event.step, pairs)
      run.metrics.append(mark)
      onProgress?.(mark)
      return undefined
    }
    case 'reference':
      await onReference?.(event.logprobs)
      return undefined
    case 'checkpoint': {
      const checkpoint = await saveCheckpoint(event, options)
      onProgress?.({ kind: 'checkpoint', step: event.step, folder: checkpoint.folder, reason: event.reason })
      return modelsOf(checkpoint)
    }
    default:
      return event satisfies never
  }
}

async function saveCheckpoint(
  { step, reason, state, models }: Extract<RecipeEvent, { kind: 'checkpoint' }>,
  { engine, run }: DriveOptions,
): Promise<Checkpoint> {
  const checkpoint = await run.checkpoint({ step, reason, state, models: Object.keys(models) }, (name, to) =>
    engine.save(models[name]!, 'resume', to),
  )
  pruneCheckpoints(run.folder)
  return checkpoint
}

/** A recipe that resumed after its last step has seen no figures: they are the last that the run wrote. */
function withMetrics(outcome: Outcome, { folder }: Run): Outcome {
  if (Object.keys(outcome.metrics).length > 0) return outcome
  const lines = fs.readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trimEnd().split('\n').reverse()
  for (const line of lines) {
    const { step, kind, ...metrics } = JSON.parse(line || '{}') as Metrics & { kind?: string }
    if (kind === undefined && step !== undefined) return { ...outcome, metrics }
  }
  return outcome
}
