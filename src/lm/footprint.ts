// What models of the embedded engine hold and what a pass over groups takes at once: for whoever plans a run.
import type { Model, Sequence } from '#engine/contract'
import { EngineError } from '#errors'
import type { LanguageModel } from './model.ts'
import { planBatches } from './packing.ts'

/** Numbers that train, and all that are held; what models share counts once. */
export function countParameters(models: readonly Model[]): { trained: number; all: number } {
  const all = new Map<object, number>()
  const trained = new Map<object, number>()
  for (const { weights, adapter, body, heads, trains } of models.map(embedded)) {
    for (const { tensor, shape } of [...weights, ...(adapter?.parameters ?? []), ...heads])
      all.set(tensor, sizeOf(shape))
    if (trains !== 'nothing') for (const { tensor, shape } of [...body, ...heads]) trained.set(tensor, sizeOf(shape))
  }
  const total = (sizes: Map<object, number>): number => [...sizes.values()].reduce((a, b) => a + b, 0)
  return { trained: total(trained), all: total(all) }
}

/** Tokens of the largest micro-batch of a pass over these groups. */
export function largestBatch(model: Model, groups: Sequence[][]): number {
  const batches = planBatches(groups, embedded(model).budget).flatMap(({ chunks }) => chunks)
  return batches
    .map((items) => items.reduce((sum, { sequence }) => sum + sequence.tokens.length, 0))
    .reduce((a, b) => Math.max(a, b), 0)
}

function embedded(model: Model): LanguageModel {
  if (model.engine !== 'embedded') throw new EngineError(`expected a model of the embedded engine, got ${model.engine}`)
  return model as LanguageModel
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1)
}
