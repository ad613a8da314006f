import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Model, SampleEvent, SampleRequest } from '#engine/contract'
import { createEmbeddedEngine } from '#lm'
import { liveTensors } from '#torch'
import { openSampler, type Sampler } from './sampler.ts'
import { createTinyModel } from './tiny-model.test-data.ts'

const engine = createEmbeddedEngine()
const NEVER = new AbortController().signal
let folder: string
let model: Model
let sampler: Sampler
let before = 0
beforeAll(async () => {
  before = liveTensors()
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-sampler-'))
  createTinyModel(join(folder, 'tiny'), { contextTokens: 3000 })
  model = await engine.load({ from: { weights: join(folder, 'tiny') }, trains: 'nothing' })
  sampler = openSampler(engine, model)
})
afterAll(async () => {
  await sampler.idle()
  await engine.release(model)
  // Streams of one test may end in the next, so tensors are counted over all of them.
  expect(liveTensors()).toBe(before)
  fs.rmSync(folder, { recursive: true })
})

const request = (change: Partial<SampleRequest> = {}) => ({
  tokens: Int32Array.of(5, 6, 7),
  n: 1,
  temperature: 1,
  maxTokens: 20,
  stopTokens: [],
  seed: 1,
  ...change,
})

test('callers that come while others are answered join them, and each gets what it would get alone', async () => {
  const alone = await texts(request({ seed: 4, n: 2 }))
  const long = texts(request({ maxTokens: 60 }))
  const joined = await Promise.all([4, 5, 4].map((seed) => texts(request({ seed, n: 2 }))))
  expect(joined[0]).toEqual(alone)
  expect(joined[2]).toEqual(alone)
  expect(joined[1]).not.toEqual(alone)
  expect((await long)[0]!.length).toBe(60)
  expect(sampler.open()).toBe(0)
})

test('one that leaves has its samples cancelled, and only its own', async () => {
  const leaver = new AbortController()
  const other = texts(request({ maxTokens: 200 }))
  const ends: SampleEvent['done'][] = []
  let tokens = 0
  for await (const event of sampler.sample(request({ n: 30, maxTokens: 2900 }), leaver.signal)) {
    leaver.abort()
    tokens += event.tokens.length
    if (event.done) ends.push(event.done)
  }
  expect(ends).toEqual(Array.from({ length: 30 }, () => 'cancelled'))
  expect(tokens).toBeLessThan(30 * 2900)
  expect((await other)[0]!.length).toBe(200)
})

test('a stream that fails tells all who are in it; the next caller is answered, and the model is free in between', async () => {
  const broken = sampler.sample(request({ tokens: Int32Array.of(9999) }), NEVER)
  const beside = texts(request({ maxTokens: 2000 }))
  beside.catch(() => {})
  await expect(collect(broken)).rejects.toThrow(/tokens below the vocabulary/)
  await expect(beside).rejects.toThrow(/tokens below the vocabulary/)
  await sampler.idle()
  expect(sampler.open()).toBe(0)
  expect((await texts(request()))[0]!.length).toBe(20)
})

async function collect(events: AsyncIterable<SampleEvent>): Promise<SampleEvent[]> {
  const all: SampleEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

/** Tokens of each sample. */
async function texts(asked: ReturnType<typeof request>): Promise<number[][]> {
  const samples: number[][] = Array.from({ length: asked.n }, () => [])
  for (const { index, tokens } of await collect(sampler.sample(asked, NEVER))) samples[index]!.push(...tokens)
  return samples
}
