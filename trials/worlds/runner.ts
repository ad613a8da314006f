// The smallest runner of a recipe: saves what it is asked to save, keeps every event, answers.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metrics, Outcome, Recipe, RecipeEvent, Reply, Resume } from '#align'
import type { Engine, Saved } from '#engine'

export type Ran = {
  events: RecipeEvent[]
  metrics: Metrics[]
  outcome: Outcome
  checkpoints: (Resume & { step: number; reason: string })[]
}

let folders = 0

/** Runs to the end. `answer` may ask for a checkpoint or a stop after a step. State is taken through JSON, as a file would. */
export async function runRecipe(
  recipe: Recipe,
  { engine, folder, answer }: { engine: Engine; folder: string; answer?: (step: number) => Reply },
): Promise<Ran> {
  const events: RecipeEvent[] = []
  const checkpoints: Ran['checkpoints'] = []
  let reply: Reply
  for (;;) {
    const next = await recipe.next(reply)
    reply = undefined
    if (next.done) {
      const metrics = events.flatMap((e) => (e.kind === 'step' ? [e.metrics] : []))
      return { events, metrics, outcome: next.value, checkpoints }
    }
    const event = next.value
    events.push(event)
    if (event.kind === 'step') reply = answer?.(event.step)
    if (event.kind === 'checkpoint') {
      const saved: Record<string, Saved> = {}
      for (const [name, model] of Object.entries(event.models))
        saved[name] = await engine.save(model, 'resume', join(folder, `saved-${++folders}`))
      checkpoints.push({
        step: event.step,
        reason: event.reason,
        state: JSON.parse(JSON.stringify(event.state)),
        saved,
      })
      reply = saved
    }
  }
}

/** The bytes of a saved tabular model. */
export async function bytesOf(saved: Saved): Promise<string> {
  return readFile(join(saved.folder, 'tabular.json'), 'utf8')
}
