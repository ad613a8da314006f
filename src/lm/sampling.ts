// Sampling with a key-value cache and continuous batching: rows of many requests step together, finished rows make room
// for waiting requests. A row's draws depend on its request's seed, its index and the token's position alone; which rows
// share a batch depends on the order of requests and on what they draw, never on the clock. (A source that makes its
// reader wait and a request that is cancelled are the exceptions. Then batches differ, and tokens only where two
// candidates are within rounding.) Left out: prefixes shared between requests, speculative decoding.
import { setImmediate as macrotask } from 'node:timers/promises'
import type { Guide, SampleEvent, SampleRequest, TopTokens } from '#engine/contract'
import { cacheWrite_, fromArray, indexSelect, noGrad, scope, type Tensor } from '#torch'
import { emptyCache, freeCache, type KvCache, moveRow, reserve } from './kv-cache.ts'
import { type Attend, attendCached } from './attention.ts'
import { lastHidden } from './decoder.ts'
import { drawTokens } from './draw.ts'
import { fillCache, type Sampled } from './fill-cache.ts'
import { logitsOf } from './logits.ts'
import type { LanguageModel } from './model.ts'
import { toDevice } from './parameters.ts'
import { type Admission, openRequests } from './requests.ts'
import { switchesAfter } from './rope.ts'
import { rowSeed } from './seeded.ts'
import { wholeLayers } from './whole-layers.ts'

/** Rows that step together at most. */
const MAX_ROWS = 128
/** New requests wait until this many rows are free (or none is busy): prefills come in fewer, larger passes. */
const FREE_ROWS_TO_ADMIT = 32
/** Events of a running row are gathered for this long, so that events cost little beside steps. */
const FLUSH_MS = 30

type Row = {
  request: SampleRequest
  index: number
  seed: number
  stopTokens: Set<number>
  /** Tokens in the cache: prompt and drawn ones, but for the last drawn. */
  length: number
  drawn: number
  lastToken: number
  /** All that were drawn. */
  tokens: number[]
  newTokens: number[]
  newLogprobs: number[]
  newTop: TopTokens[]
  guide?: Guide
  /** 1 = stands in prompt or completion, [V]; kept for the penalty alone. */
  seen?: Uint8Array
  done?: 'stop' | 'length' | 'cancelled'
}

export async function* samplePass(
  model: LanguageModel,
  requests: AsyncIterable<SampleRequest> | Iterable<SampleRequest>,
  signal: AbortSignal | undefined,
): AsyncGenerator<SampleEvent, void, undefined> {
  const source = openRequests(requests, { model, maxRows: MAX_ROWS, signal })
  const cache = emptyCache()
  let rows: Row[] = []
  let flushedAt = performance.now()
  const decoding = model.arithmetics.decoding()
  const sampled: Sampled = { model, cache, decoding }
  model.streams++
  try {
    for (;;) {
      if (signal?.aborted) {
        for (const row of rows) yield eventOf(model, row, 'cancelled')
        for (const { request, from, to } of source.waiting())
          for (let index = from; index < to; index++) yield eventOf(model, newRow(model, request, index), 'cancelled')
        return
      }
      const left = rows.filter((row) => !row.done && row.request.signal?.aborted)
      if (left.length > 0) {
        for (const row of left) yield eventOf(model, row, (row.done = 'cancelled'))
        rows = compact(cache, rows)
      }
      const free = MAX_ROWS - rows.length
      if (rows.length === 0 || free >= FREE_ROWS_TO_ADMIT) {
        const admitted = await source.take(free, { mayWait: rows.length === 0 })
        if (signal?.aborted) {
          rows.push(...admitted.flatMap((admission) => rowsOf(model, admission)))
          continue
        }
        const wanted = admitted.filter(({ request }) => !request.signal?.aborted)
        for (const admission of admitted)
          if (!wanted.includes(admission))
            for (const row of rowsOf(model, admission)) yield eventOf(model, row, 'cancelled')
        if (wanted.length > 0) rows = prefill(sampled, rows, wanted)
        else if (rows.length > 0) decode(sampled, rows)
        else if (admitted.length === 0) return
      } else decode(sampled, rows)
      const isFlush = performance.now() - flushedAt > FLUSH_MS
      if (isFlush) flushedAt = performance.now()
      for (const row of rows) if (row.done || isFlush) yield eventOf(model, row, row.done)
      rows = compact(cache, rows)
      await macrotask()
    }
  } finally {
    model.streams--
    freeCache(cache)
    decoding.free()
    await source.close()
  }
}

/** Runs the prompts of new requests, each once whatever its n, and draws the first tokens. */
function prefill(sampled: Sampled, busy: Row[], admitted: Admission[]): Row[] {
  const { model, cache, decoding } = sampled
  const fresh = admitted.map((admission) => rowsOf(model, admission))
  let next = busy.length
  const prompts = admitted.map(({ request: { tokens } }, i) => ({
    tokens,
    rows: fresh[i]!.map(() => next++),
    length: tokens.length,
  }))
  const longest = Math.max(...prompts.map(({ tokens }) => tokens.length))
  reserve(cache, { rows: next, positions: longest + 1, used: busy.length }, model)
  scope(() =>
    noGrad(() => {
      const hidden = fillCache(sampled, prompts)
      const logits = logitsOf(model.decoder, hidden, decoding.arithmetic)
      const promptOfRow = Int32Array.from(fresh.flatMap((rows, i) => rows.map(() => i)))
      const isOneEach = promptOfRow.length === prompts.length
      draw(
        sampled,
        fresh.flat(),
        isOneEach ? logits : indexSelect(logits, 0, toDevice(fromArray(promptOfRow), model.device)),
      )
    }),
  )
  return [...busy, ...fresh.flat()]
}

/** One token more for each row. */
function decode(sampled: Sampled, rows: Row[]): void {
  const { model, cache, decoding } = sampled
  const { arithmetic } = decoding
  const { config } = model
  const B = rows.length
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 0)
  reserve(cache, { rows: B, positions: longest + 1, used: B }, model)
  scope(() =>
    noGrad(() => {
      turnAnew(sampled, rows)
      const upload = (host: Tensor): Tensor => toDevice(host, model.device)
      const positions_T = Int32Array.from(rows, (row) => row.length)
      const lengths_T = positions_T.map((position) => position + 1)
      const target = {
        rows: upload(fromArray(Int32Array.from(rows, (_, i) => i))),
        positions: upload(fromArray(positions_T)),
      }
      const attendRows = attendCached(config, cache, { lengths_B: lengths_T, upload })
      const attend: Attend = (q, k, v, layer) => {
        const { keys, values } = cache.layers[layer]!
        cacheWrite_(keys, k, target)
        cacheWrite_(values, v, target)
        return attendRows(q, layer)
      }
      const tokens_T = Int32Array.from(rows, (row) => row.lastToken)
      const layerAtOnce = wholeLayers(sampled, lengths_T)
      const hidden = lastHidden(
        model.decoder,
        { tokens_T, positions_T, lengths_T },
        { arithmetic, attend, upload, ...(layerAtOnce && { layerAtOnce }) },
      )
      for (const row of rows) row.length++
      draw(sampled, rows, logitsOf(model.decoder, hidden, arithmetic))
    }),
  )
}

/** Rows that grow beyond where their frequencies change: what is cached of them is computed anew, as transformers does. */
function turnAnew(sampled: Sampled, rows: Row[]): void {
  const most = switchesAfter(sampled.model.config)
  const prompts = rows.flatMap((row, i) =>
    row.length === most
      ? [{ tokens: Int32Array.from([...row.request.tokens, ...row.tokens.slice(0, -1)]), rows: [i], length: most + 1 }]
      : [],
  )
  if (prompts.length > 0) fillCache(sampled, prompts)
}

function draw({ model }: Sampled, rows: Row[], logits: Tensor): void {
  const drawn = drawTokens(rows, logits, model.device)
  rows.forEach((row, i) => {
    const { token, logprob, top } = drawn[i]!
    row.lastToken = token
    row.tokens.push(token)
    row.drawn++
    row.newTokens.push(token)
    row.newLogprobs.push(logprob)
    if (top) row.newTop.push(top)
    if (row.seen) row.seen[token] = 1
    if (row.stopTokens.has(token) || row.guide?.push(token)) row.done = 'stop'
    else if (row.drawn === row.request.maxTokens) row.done = 'length'
  })
}

/** Drops finished rows; the last ones move into their places in the cache. */
function compact(cache: KvCache, rows: Row[]): Row[] {
  const left = [...rows]
  for (let i = 0; i < left.length; ) {
    if (!left[i]!.done) {
      i++
      continue
    }
    const last = left.pop()!
    if (i === left.length) continue
    left[i] = last
    if (!last.done) moveRow(cache, { from: left.length, to: i, length: last.length })
  }
  return left
}

function rowsOf(model: LanguageModel, { request, from, to }: Admission): Row[] {
  return Array.from({ length: to - from }, (_, i) => newRow(model, request, from + i))
}

function newRow({ config }: LanguageModel, request: SampleRequest, index: number): Row {
  const row: Row = {
    request,
    index,
    seed: rowSeed(request.seed, index),
    stopTokens: new Set(request.stopTokens),
    length: request.tokens.length,
    drawn: 0,
    lastToken: -1,
    tokens: [],
    newTokens: [],
    newLogprobs: [],
    newTop: [],
  }
  if (request.guide) row.guide = request.guide()
  if ((request.repetitionPenalty ?? 1) !== 1) {
    row.seen = new Uint8Array(config.vocabSize)
    for (const token of request.tokens) row.seen[token] = 1
  }
  return row
}

function eventOf(model: LanguageModel, row: Row, done: Row['done']): SampleEvent {
  const event: SampleEvent = {
    id: row.request.id,
    index: row.index,
    tokens: Int32Array.from(row.newTokens),
    logprobs: Float32Array.from(row.newLogprobs),
    step: model.updates.step,
  }
  if (row.request.topLogprobs) event.top = row.newTop
  row.newTokens = []
  row.newLogprobs = []
  row.newTop = []
  if (done) event.done = done
  return event
}
