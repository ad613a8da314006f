import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Guide, SampleEvent, SampleRequest, TopTokens } from '#engine/contract'
import { liveTensors, narrow, noGrad, scope, type Tensor, toFloat32 } from '#torch'
import { attendPacked } from './attention.ts'
import { lastHidden } from './decoder.ts'
import { createEmbeddedEngine } from './embedded.ts'
import { logitsOf } from './logits.ts'
import type { LanguageModel } from './model.ts'
import { normals } from './seeded.ts'

const engine = createEmbeddedEngine()
const GROUP = { learningRate: 0.01, clipNorm: 1, betas: [0.9, 0.95] as [number, number], epsilon: 1e-8, weightDecay: 0 }

let before = 0
let model: LanguageModel
beforeEach(async () => {
  before = liveTensors()
  model = (await engine.load({
    from: { weights: join(import.meta.dirname, 'goldens/untied-llama3') },
    trains: 'all',
  })) as LanguageModel
})
afterEach(async () => {
  await engine.release(model)
  expect(liveTensors()).toBe(before)
})

test('equal request lists give equal bits; more rows than fit are let in as others finish', async () => {
  const list = requests(70, { n: 3 })
  const one = await collect(list)
  expect(one.size).toBe(210)
  for (const [key, row] of one) {
    const { maxTokens, stopTokens } = list[Number(key.split('/')[0])]!
    const stopped = row.tokens.findIndex((t) => stopTokens.includes(t))
    expect(row.done).toBe(stopped >= 0 ? 'stop' : 'length')
    expect(row.tokens.length).toBe(stopped >= 0 ? stopped + 1 : maxTokens)
    expect(row.logprobs.length).toBe(row.tokens.length)
  }
  expect(await collect(list)).toEqual(one)
  async function* later(): AsyncGenerator<SampleRequest> {
    yield* list
  }
  expect(await collect(later())).toEqual(one)
})

test('a row draws the same tokens alone as among others, and beside more samples of its request', async () => {
  const list = requests(20, { n: 2 })
  const together = await collect(list)
  for (const request of list.slice(0, 6)) {
    const alone = await collect([{ ...request, n: 1 }])
    expect(alone.get(`${request.id}/0`)!.tokens).toEqual(together.get(`${request.id}/0`)!.tokens)
  }
  const more = await collect([{ ...list[0]!, n: 150 }])
  expect(more.get('0/1')!.tokens).toEqual(together.get('0/1')!.tokens)
  expect(new Set([...more.values()].map((row) => row.tokens.join())).size).toBeGreaterThan(100)
})

test('reported log-probabilities are those of forward within 1e-4, before top-p and top-k', async () => {
  const list = requests(12, { n: 1 }).map((r, i) => ({ ...r, temperature: 0.5 + i / 10, topP: 0.9, topK: 10 }))
  const rows = await collect(list)
  for (const request of list) {
    const { tokens, logprobs } = rows.get(`${request.id}/0`)!
    const all = [...request.tokens, ...tokens]
    const sequence = {
      tokens: Int32Array.from(all),
      isScored: Uint8Array.from(all, (_, t) => Number(t >= request.tokens.length)),
    }
    const pass = { temperature: request.temperature, seed: 0 }
    const [out] = (await engine.forward(model, [[sequence]], ['logprobs'], pass)).flat()
    out!.logprobs_S!.forEach((l, i) => expect(Math.abs(l - logprobs[i]!)).toBeLessThan(1e-4))
  }
})

test('draws follow the softmax: a chi-square test over the first token', async () => {
  const prompt = Int32Array.of(7, 3, 11)
  const draws = 4000
  const rows = await collect([
    { id: 'x', tokens: prompt, n: draws, temperature: 1.5, maxTokens: 1, stopTokens: [], seed: 12 },
  ])
  const counts = new Float64Array(53)
  for (const { tokens } of rows.values()) counts[tokens[0]!]!++
  const groups = Array.from({ length: 53 }, (_, t) => [
    { tokens: Int32Array.of(...prompt, t), isScored: Uint8Array.of(0, 0, 0, 1) },
  ])
  const answers = await engine.forward(model, groups, ['logprobs'], { temperature: 1.5, seed: 0 })
  let chi = 0
  let cells = 0
  let rest = { expected: 0, seen: 0 }
  answers.forEach(([out], t) => {
    const expected = draws * Math.exp(out!.logprobs_S![0]!)
    if (expected < 5) rest = { expected: rest.expected + expected, seen: rest.seen + counts[t]! }
    else {
      chi += (counts[t]! - expected) ** 2 / expected
      cells++
    }
  })
  if (rest.expected >= 5) chi += (rest.seen - rest.expected) ** 2 / rest.expected
  // Mean cells, variance twice that: beyond five deviations the sampler is wrong.
  expect(chi).toBeLessThan(cells + 5 * Math.sqrt(2 * cells))
})

test('cancelling ends every open row and every waiting one, with what was drawn', async () => {
  const controller = new AbortController()
  const list = requests(150, { n: 1 }).map((r) => ({ ...r, stopTokens: [], maxTokens: 60 }))
  const rows = new Map<string, SampleEvent['done']>()
  for await (const event of engine.sample(model, list, { signal: controller.signal })) {
    if (event.done) rows.set(event.id, event.done)
    if (!controller.signal.aborted) controller.abort()
  }
  expect([...rows.values()].every((done) => done === 'cancelled')).toBe(true)
  expect(rows.size).toBeGreaterThanOrEqual(128)
})

test('a source that makes us wait is not waited for while rows run, and cancelling does not wait for it either', async () => {
  const controller = new AbortController()
  async function* slow(): AsyncGenerator<SampleRequest> {
    yield requests(1, { n: 1 })[0]!
    await sleep(60_000, undefined, { ref: false })
  }
  const seen: SampleEvent[] = []
  for await (const event of engine.sample(model, slow(), { signal: controller.signal })) {
    seen.push(event)
    if (event.done) setTimeout(() => controller.abort(), 20)
  }
  expect(seen.at(-1)!.done).toMatch(/stop|length/)
})

test('step is refused while a stream is open, and free again after it was left', async () => {
  for await (const _ of engine.sample(model, requests(3, { n: 1 }))) {
    await expect(engine.step(model, { body: GROUP })).rejects.toThrow(/step while a sample stream is open/)
    await expect(engine.release(model)).rejects.toThrow(/release while a sample stream is open/)
    break
  }
  expect((await engine.step(model, { body: GROUP })).skipped).toBe(false)
})

test('min-p, penalty and a guide narrow draws as written out by hand, and log-probabilities stay those of forward', async () => {
  const list: SampleRequest[] = requests(24, { n: 1 }).map((r, i) => ({
    ...r,
    temperature: 0.4 + i / 10,
    ...(i % 2 === 0 && { minP: 0.3 }),
    ...(i % 3 === 0 && { repetitionPenalty: 1.7 }),
    ...(i % 4 === 0 && { topLogprobs: 3 }),
    ...(i % 5 === 0 && { guide: () => oddAndEvenInTurn(6) }),
  }))
  const plain = requests(24, { n: 1 }).map((r) => ({ ...r, id: `plain ${r.id}` }))
  const [rows, alone] = [await collect([...list, ...plain]), await collect(plain)]
  expect(await collect([...list, ...plain])).toEqual(rows)
  for (const [key, row] of alone) expect(rows.get(key)!.tokens).toEqual(row.tokens)
  for (const request of list) {
    const { tokens, logprobs, top, done } = rows.get(`${request.id}/0`)!
    const { temperature, minP = 0, repetitionPenalty: penalty = 1, guide } = request
    if (guide && tokens.length === 6) expect(done).toBe('stop')
    expect(top.length).toBe(request.topLogprobs ? tokens.length : 0)
    for (const [t, token] of tokens.entries()) {
      const context = [...request.tokens, ...tokens.slice(0, t)]
      const scaled = await logprobsAfter(context, temperature)
      expect(Math.abs(scaled[token]! - logprobs[t]!)).toBeLessThan(1e-4)
      const best = scaled.map((l, v) => [l, v] as const).sort(([a], [b]) => b - a)
      top[t]?.logprobs.forEach((l, k) => expect(Math.abs(l - best[k]![0])).toBeLessThan(1e-4))
      if (guide) expect(token % 2).toBe(t % 2)
      if (penalty === 1 && minP > 0 && !guide)
        expect(scaled[token]!).toBeGreaterThan(best[0]![0] + Math.log(minP) - 1e-4)
    }
  }
})

test('the repetition penalty is that of transformers: greedy draws follow it token by token', async () => {
  for (const penalty of [0.5, 1.3, 4]) {
    const request = { ...requests(1, { n: 1 })[0]!, temperature: 0, stopTokens: [], maxTokens: 20 }
    const { tokens } = (await collect([{ ...request, repetitionPenalty: penalty }])).get('0/0')!
    for (const [t, token] of tokens.entries()) {
      const context = [...request.tokens, ...tokens.slice(0, t)]
      const logits = logitsAfter(context)
      for (const v of new Set(context)) logits[v] = logits[v]! < 0 ? logits[v]! * penalty : logits[v]! / penalty
      expect(logits[token]!).toBeGreaterThan(Math.max(...logits) - 1e-4)
    }
  }
})

test('a request is cancelled by its own signal, alone; one that was cancelled before it began is never run', async () => {
  const [one, early] = [new AbortController(), new AbortController()]
  early.abort()
  const long = requests(3, { n: 2 }).map((r) => ({ ...r, stopTokens: [], maxTokens: 100 }))
  // From within the first step: a fast machine has drawn them all before anybody hears of the first token.
  const guide = (): Guide => ({ push: () => (one.abort(), false) })
  const list = [{ ...long[0]!, signal: one.signal, guide }, long[1]!, { ...long[2]!, signal: early.signal }]
  const ends = new Map<string, SampleEvent['done']>()
  const drawn = new Map<string, number>()
  for await (const { id, index, tokens, done } of engine.sample(model, list)) {
    const key = `${id}/${index}`
    drawn.set(key, (drawn.get(key) ?? 0) + tokens.length)
    if (done) ends.set(key, done)
  }
  expect([...ends].map(([key, done]) => `${key} ${done}`).sort()).toEqual([
    '0/0 cancelled',
    '0/1 cancelled',
    '1/0 length',
    '1/1 length',
    '2/0 cancelled',
    '2/1 cancelled',
  ])
  expect(drawn.get('0/0')).toBeLessThan(100)
  expect(drawn.get('1/0')).toBe(100)
  expect(drawn.get('2/0')).toBe(0)
})

test.each([
  [{ tokens: new Int32Array() }, /at least one prompt token/],
  [{ tokens: Int32Array.of(53) }, /tokens below the vocabulary of 53, got 53/],
  [{ maxTokens: 127 }, /prompt and maxTokens to fit 128 positions, got 3 \+ 127/],
  [{ temperature: -1 }, /temperature of at least 0/],
  [{ topP: 0 }, /topP above 0/],
  [{ minP: 1 }, /minP of at least 0 and below 1, got 1/],
  [{ repetitionPenalty: 0 }, /repetitionPenalty above 0/],
  [{ topLogprobs: 54 }, /topLogprobs from 0 to 53/],
  [{ n: 0 }, /n of at least 1/],
])('a request that cannot be met is refused by id: %o', async (change, message) => {
  const bad = { ...requests(1, { n: 1 })[0]!, tokens: Int32Array.of(1, 2, 3), id: 'bad', ...change }
  const run = collect([bad])
  await expect(run).rejects.toThrow(message)
  await expect(run).rejects.toThrow(/sample request bad/)
})

type Drawn = { tokens: number[]; logprobs: number[]; top: TopTokens[]; done: SampleEvent['done'] }

/** Even tokens at even places, odd at odd, and an end after `most`. */
function oddAndEvenInTurn(most: number): Guide {
  let drawn = 0
  return {
    allowed: () => Uint8Array.from({ length: 53 }, (_, v) => Number(v % 2 === drawn % 2)),
    push: () => ++drawn === most,
  }
}

async function logprobsAfter(context: number[], temperature: number): Promise<number[]> {
  const isScored = Uint8Array.from([...context.map(() => 0), 1])
  const groups = Array.from({ length: 53 }, (_, v) => [{ tokens: Int32Array.from([...context, v]), isScored }])
  const out = await engine.forward(model, groups, ['logprobs'], { temperature, seed: 0 })
  return out.map(([o]) => o!.logprobs_S![0]!)
}

/** The model's own logits, whose sign the penalty looks at. */
function logitsAfter(context: number[]): number[] {
  return scope(() =>
    noGrad(() => {
      const T = context.length
      const tokens_T = Int32Array.from(context)
      const positions_T = Int32Array.from(context, (_, t) => t)
      const { arithmetic, free } = model.arithmetics.decoding()
      const upload = (host: Tensor): Tensor => host
      const hidden = lastHidden(
        model.decoder,
        { tokens_T, positions_T, lengths_T: Int32Array.from(context, () => T) },
        { arithmetic, upload, attend: attendPacked(model.config, { offsets: Int32Array.of(0, T) }, upload) },
      )
      const logits = [...toFloat32(logitsOf(model.decoder, narrow(hidden, 0, T - 1, 1), arithmetic))]
      free()
      return logits
    }),
  )
}

/** By `id/index`. */
async function collect(list: Iterable<SampleRequest> | AsyncIterable<SampleRequest>): Promise<Map<string, Drawn>> {
  const rows = new Map<string, Drawn>()
  for await (const { id, index, tokens, logprobs, top, done } of engine.sample(model, list)) {
    const key = `${id}/${index}`
    const row = rows.get(key) ?? { tokens: [], logprobs: [], top: [], done: undefined }
    expect(row.done).toBeUndefined()
    row.tokens.push(...tokens)
    row.logprobs.push(...logprobs)
    row.top.push(...(top ?? []))
    row.done = done
    rows.set(key, row)
  }
  return rows
}

function requests(count: number, { n }: { n: number }): SampleRequest[] {
  const draws = normals(8, 'prompts', count * 20).map(Math.abs)
  return Array.from({ length: count }, (_, i) => ({
    id: String(i),
    tokens: Int32Array.from({ length: 2 + (i % 9) }, (_, t) => Math.floor(draws[i * 20 + t]! * 1e4) % 53),
    n,
    temperature: 1,
    maxTokens: 5 + (i % 23),
    stopTokens: [2, 40],
    seed: 100 + i,
  }))
}
