// Prompts into the cache: each runs once, whatever the number of rows that its keys and values are written to.
// Legend: N prompts, T their tokens end to end, W written entries (a prompt's tokens once for each of its rows), E hidden width.
import { cacheWrite_, fromArray, indexSelect, type Tensor } from '#torch'
import { type Attend, attendPacked } from './attention.ts'
import { lastHidden } from './decoder.ts'
import type { Decoding } from './decoding-arithmetic.ts'
import type { KvCache } from './kv-cache.ts'
import type { LanguageModel } from './model.ts'
import { toDevice } from './parameters.ts'

/** What a stream of samples holds. */
export type Sampled = { model: LanguageModel; cache: KvCache; decoding: Decoding }

/** `length`: tokens of the sequence that these begin, where frequencies depend on it. */
export type Prompt = { tokens: Int32Array; rows: number[]; length: number }

/** Writes positions 0 and up of each prompt's rows; answers the state after each prompt's last token, [N,E]. In the caller's scope, without gradients. */
export function fillCache({ model, cache, decoding }: Sampled, prompts: Prompt[]): Tensor {
  const offsets = new Int32Array(prompts.length + 1)
  prompts.forEach(({ tokens }, n) => (offsets[n + 1] = offsets[n]! + tokens.length))
  const T = offsets.at(-1)!
  const [tokens_T, positions_T, lengths_T] = [new Int32Array(T), new Int32Array(T), new Int32Array(T)]
  const from: number[] = []
  const toRow: number[] = []
  const toPosition: number[] = []
  prompts.forEach(({ tokens, rows, length }, n) => {
    const start = offsets[n]!
    tokens_T.set(tokens, start)
    lengths_T.fill(length, start, offsets[n + 1])
    for (let t = 0; t < tokens.length; t++) positions_T[start + t] = t
    for (const row of rows)
      for (let t = 0; t < tokens.length; t++) {
        from.push(start + t)
        toRow.push(row)
        toPosition.push(t)
      }
  })
  const upload = (host: Tensor): Tensor => toDevice(host, model.device)
  const at = (values: Int32Array | number[]): Tensor => upload(fromArray(Int32Array.from(values)))
  const attendSegments = attendPacked(model.config, { offsets }, upload)
  const from_W = prompts.every(({ rows }) => rows.length === 1) ? undefined : at(from)
  const target = { rows: at(toRow), positions: at(toPosition) }
  const attend: Attend = (q, k, v, layer) => {
    const { keys, values } = cache.layers[layer]!
    cacheWrite_(keys, from_W ? indexSelect(k, 0, from_W) : k, target)
    cacheWrite_(values, from_W ? indexSelect(v, 0, from_W) : v, target)
    return attendSegments(q, k, v, layer)
  }
  return lastHidden(
    model.decoder,
    { tokens_T, positions_T, lengths_T },
    {
      arithmetic: decoding.arithmetic,
      attend,
      upload,
      rows_R: at(offsets.slice(1).map((end) => end - 1)),
    },
  )
}
