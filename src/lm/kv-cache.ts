// Keys and values of the rows being sampled, for each layer [B, K, L, D]: B rows of capacity, L positions of capacity.
// Rows in use are always the first ones; the caller moves the last row into a hole. Both capacities grow by copying.
import { cacheMove_, copy_, empty, keep, narrow, scope, type Tensor } from '#torch'
import type { ModelConfig } from './config.ts'

export type KvCache = {
  layers: { keys: Tensor; values: Tensor }[]
  rows: number
  positions: number
}

export function emptyCache(): KvCache {
  return { layers: [], rows: 0, positions: 0 }
}

/** Makes room for `rows` and `positions`, keeping what the first `used` rows hold. */
export function reserve(
  cache: KvCache,
  need: { rows: number; positions: number; used: number },
  o: { config: ModelConfig; device: string },
): void {
  if (need.rows <= cache.rows && need.positions <= cache.positions) return
  const rows = need.rows <= cache.rows ? cache.rows : Math.max(need.rows, 2 * cache.rows)
  // Steps of 64 and by half again: growth is rare, and little lies idle.
  const positions =
    need.positions <= cache.positions
      ? cache.positions
      : 64 * Math.ceil(Math.max(need.positions, 1.5 * cache.positions) / 64)
  const { layers, keyValueHeads, headDim } = o.config
  const grown = (old: Tensor | undefined): Tensor =>
    keep(
      scope(() => {
        // What was never written is never read.
        const made = empty([rows, keyValueHeads, positions, headDim], { dtype: 'float32', device: o.device })
        if (old && need.used > 0)
          copy_(narrow(narrow(made, 0, 0, need.used), 2, 0, cache.positions), narrow(old, 0, 0, need.used))
        old?.free()
        return made
      }),
    )
  cache.layers = Array.from({ length: layers }, (_, i) => ({
    keys: grown(cache.layers[i]?.keys),
    values: grown(cache.layers[i]?.values),
  }))
  cache.rows = rows
  cache.positions = positions
}

/** Copies the first `length` positions of one row over another. */
export function moveRow(cache: KvCache, o: { from: number; to: number; length: number }): void {
  cacheMove_(
    cache.layers.flatMap(({ keys, values }) => [keys, values]),
    o,
  )
}

export function freeCache(cache: KvCache): void {
  for (const { keys, values } of cache.layers) {
    keys.free()
    values.free()
  }
  cache.layers = []
}
