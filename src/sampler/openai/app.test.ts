// The official client against the service, over a socket, on a tiny random model.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve, type ServerType } from '@hono/node-server'
import OpenAI, { APIError } from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Model } from '#engine/contract'
import { createEmbeddedEngine } from '#lm'
import { liveTensors } from '#torch'
import { closeTemplates, loadTokenizer, type Tokenizer } from '#text'
import { openSampler } from '../sampler.ts'
import { createTinyModel } from '../tiny-model.test-data.ts'
import { openService, type Service } from './app.ts'

const CONTEXT = 4096
const engine = createEmbeddedEngine()
let folder: string
let tokenizer: Tokenizer
let model: Model
let service: Service
let server: ServerType
let url: string
let client: OpenAI

let before = 0
beforeAll(async () => {
  before = liveTensors()
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-service-'))
  createTinyModel(join(folder, 'tiny'), { contextTokens: CONTEXT })
  tokenizer = loadTokenizer(join(folder, 'tiny'))
  model = await engine.load({ from: { weights: join(folder, 'tiny') }, trains: 'nothing' })
  service = openService({
    sampler: openSampler(engine, model),
    tokenizer,
    contextTokens: CONTEXT,
    name: 'tiny',
    apiKey: 'secret',
    maxTokens: 4000,
    maxSamples: 128,
  })
  url = await new Promise<string>((resolve) => {
    server = serve({ fetch: service.app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}/v1`),
    )
  })
  client = new OpenAI({ baseURL: url, apiKey: 'secret', maxRetries: 0 })
})
afterAll(async () => {
  await service.drain()
  await new Promise((resolve) => server.close(resolve))
  await engine.release(model)
  // Streams of one test may end in the next, so tensors are counted over all of them.
  expect(liveTensors()).toBe(before)
  closeTemplates()
  fs.rmSync(folder, { recursive: true })
})

const HELLO = [{ role: 'user' as const, content: 'Hello' }]
const CHAT = { model: 'tiny', messages: HELLO, max_tokens: 12, seed: 7 }
const TEXT = { model: 'tiny', prompt: 'What colour', max_tokens: 12, seed: 7 }

test('models are listed and found', async () => {
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['tiny'])
  expect((await client.models.retrieve('tiny')).owned_by).toBe('hone')
})

test('chat: an answer with usage; equal seeds are equal, others are not; null and the default say the same', async () => {
  const one = await client.chat.completions.create(CHAT)
  const [choice] = one.choices
  expect(one).toMatchObject({ object: 'chat.completion', model: 'tiny' })
  expect(choice!.message).toMatchObject({ role: 'assistant', refusal: null })
  expect(['stop', 'length']).toContain(choice!.finish_reason)
  const prompt = tokenizer.encode('<user>Hello<end><assistant>').length
  expect(one.usage!.prompt_tokens).toBe(prompt)
  expect(one.usage!.completion_tokens).toBeGreaterThan(0)
  expect(one.usage!.total_tokens).toBe(prompt + one.usage!.completion_tokens)
  const again = await client.chat.completions.create({ ...CHAT, stop: null, frequency_penalty: 0, temperature: 1 })
  expect(again.choices).toEqual(one.choices)
  const other = await client.chat.completions.create({ ...CHAT, seed: 8 })
  expect(other.choices[0]!.message.content).not.toBe(choice!.message.content)
  const parts = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello' }] }]
  expect((await client.chat.completions.create({ ...CHAT, messages: parts })).choices).toEqual(one.choices)
  const talked = [...HELLO, choice!.message, { role: 'developer' as const, content: 'Be brief' }]
  expect((await client.chat.completions.create({ ...CHAT, messages: talked })).choices).toHaveLength(1)
})

test('chat streams what it would answer whole, with usage where asked', async () => {
  const asked = { ...CHAT, n: 3, max_tokens: 40 }
  const whole = await client.chat.completions.create(asked)
  const stream = await client.chat.completions.create({
    ...asked,
    stream: true,
    stream_options: { include_usage: true },
  })
  const texts = ['', '', '']
  const ends: (string | null)[] = []
  const roles: unknown[] = []
  let usage
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage
    for (const { index, delta, finish_reason } of chunk.choices) {
      texts[index] += delta.content ?? ''
      if (delta.role) roles[index] = delta.role
      if (finish_reason) ends[index] = finish_reason
    }
  }
  expect(texts).toEqual(whole.choices.map(({ message }) => message.content))
  expect(ends).toEqual(whole.choices.map(({ finish_reason }) => finish_reason))
  expect(roles).toEqual(['assistant', 'assistant', 'assistant'])
  expect(usage).toEqual(whole.usage)
})

test("the client's own stream helper puts an answer together", async () => {
  const whole = await client.chat.completions.create({ ...CHAT, logprobs: true, top_logprobs: 2 })
  const runner = client.chat.completions.stream({ ...CHAT, logprobs: true, top_logprobs: 2 })
  const final = await runner.finalChatCompletion()
  expect(final.choices[0]!.message.content).toBe(whole.choices[0]!.message.content)
  expect(final.choices[0]!.logprobs!.content).toEqual(whole.choices[0]!.logprobs!.content)
})

test('completions: several prompts as text or tokens, n each, whole and streamed', async () => {
  const asked = { ...TEXT, prompt: ['What colour', 'It is'], n: 2 }
  const whole = await client.completions.create(asked)
  expect(whole.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3])
  const tokens = asked.prompt.map((prompt) => [...tokenizer.encode(prompt)])
  expect((await client.completions.create({ ...asked, prompt: tokens })).choices).toEqual(whole.choices)
  expect((await client.completions.create({ ...TEXT, n: 2 })).choices).toEqual(whole.choices.slice(0, 2))
  const texts = ['', '', '', '']
  for await (const chunk of await client.completions.create({ ...asked, stream: true }))
    for (const { index, text } of chunk.choices) texts[index] += text
  expect(texts).toEqual(whole.choices.map(({ text }) => text))
})

test('log-probabilities: one entry a token of the text, likeliest first beside it', async () => {
  const asked = { ...CHAT, max_tokens: 30, logprobs: true, top_logprobs: 3 }
  const [choice] = (await client.chat.completions.create(asked)).choices
  const entries = choice!.logprobs!.content!
  const bytes = Buffer.from(entries.flatMap((entry) => entry.bytes!))
  expect(bytes.toString()).toBe(choice!.message.content)
  for (const { logprob, top_logprobs: top } of entries) {
    expect(logprob).toBeLessThan(0)
    expect(top).toHaveLength(3)
    expect(top[0]!.logprob).toBeGreaterThanOrEqual(Math.max(logprob, top[1]!.logprob))
  }
  const greedy = (await client.chat.completions.create({ ...asked, temperature: 0 })).choices[0]!.logprobs!.content!
  for (const { token, top_logprobs: top } of greedy) expect(top[0]!.token).toBe(token)
  const old = (await client.completions.create({ ...TEXT, logprobs: 1, max_tokens: 30 })).choices[0]!
  const { tokens, token_logprobs, top_logprobs, text_offset } = old.logprobs!
  expect(text_offset![0]).toBe(0)
  expect(tokens!.length).toBe(token_logprobs!.length)
  expect(Object.keys(top_logprobs![0]!)).toHaveLength(1)
})

test('a stop string ends the text before it, never shows a part of itself, and ends the work', async () => {
  const plain = (await client.completions.create({ ...TEXT, max_tokens: 200 })).choices[0]!.text
  // A string over several tokens, in the middle of what is drawn anyway.
  const stop = plain.slice(30, 36)
  const expected = plain.slice(0, plain.indexOf(stop))
  const cut = await client.completions.create({ ...TEXT, max_tokens: 200, stop: ['never drawn', stop], logprobs: 0 })
  expect(cut.choices[0]).toMatchObject({ text: expected, finish_reason: 'stop' })
  expect(cut.choices[0]!.logprobs!.text_offset!.every((offset) => offset <= expected.length)).toBe(true)
  expect(cut.usage!.completion_tokens).toBeLessThan(200)
  let streamed = ''
  for await (const chunk of await client.completions.create({ ...TEXT, max_tokens: 200, stop, stream: true })) {
    streamed += chunk.choices[0]?.text ?? ''
    expect(expected.startsWith(streamed)).toBe(true)
  }
  expect(streamed).toBe(expected)
})

test('response_format: JSON that fits, whole and streamed, by plain schema and by the client with zod', async () => {
  const Ticket = z.object({
    id: z.int().nullable(),
    state: z.enum(['open', 'closed']),
    notes: z.array(z.object({ by: z.string(), isGood: z.boolean() })),
  })
  for (let seed = 0; seed < 20; seed++) {
    const asked = { ...CHAT, seed, max_tokens: 80, response_format: zodResponseFormat(Ticket, 'ticket') }
    const { message, finish_reason } = (await client.chat.completions.parse(asked)).choices[0]!
    expect(finish_reason).toBe('stop')
    expect(Ticket.safeParse(message.parsed).success).toBe(true)
    let streamed = ''
    for await (const chunk of await client.chat.completions.create({ ...asked, stream: true }))
      streamed += chunk.choices[0]?.delta.content ?? ''
    expect(streamed).toBe(message.content)
  }
  const object = await client.chat.completions.create({ ...CHAT, n: 8, response_format: { type: 'json_object' } })
  for (const { message } of object.choices) expect(JSON.parse(message.content!)).toBeTypeOf('object')
})

describe('errors', () => {
  test.each([
    [{ model: 'gpt-4' }, 404, 'model_not_found', 'model'],
    [{ tools: [{ type: 'function', function: { name: 'f' } }] }, 400, 'unknown_parameter', 'tools'],
    [{ frequency_penalty: 0.5 }, 400, null, 'frequency_penalty'],
    [{ logit_bias: { 5: 10 } }, 400, null, 'logit_bias'],
    [{ temperature: 3 }, 400, null, 'temperature'],
    [{ n: 0 }, 400, null, 'n'],
    [{ stop: '' }, 400, null, 'stop'],
    [{ top_logprobs: 2 }, 400, null, 'top_logprobs'],
    [{ stream_options: { include_usage: true } }, 400, null, 'stream_options'],
    [{ max_completion_tokens: 5 }, 400, null, 'max_tokens'],
    [{ max_tokens: 4001 }, 400, null, 'max_tokens'],
    [jsonSchema({ type: 'string', pattern: 'a' }), 400, null, 'response_format'],
    [{ ...jsonSchema({ type: 'string' }), stop: 'x' }, 400, null, 'stop'],
    [{ ...jsonSchema({ type: 'string', minLength: 90 }), max_tokens: 80 }, 400, null, 'max_tokens'],
    [{ messages: [] }, 400, null, 'messages'],
    [{ messages: [{ role: 'user', content: 'x', name: 'Ann' }] }, 400, 'unknown_parameter', 'messages.0.name'],
    [{ messages: [{ role: 'user', content: 'x'.repeat(30_000) }] }, 400, 'context_length_exceeded', null],
  ])('%j is refused', async (change, status, code, param) => {
    const error = await failure(client.chat.completions.create({ ...CHAT, ...change } as never))
    expect(error).toMatchObject({ status, code, param, type: 'invalid_request_error' })
  })

  test('a wrong key, a wrong path, what is no JSON, too much of it, and what a web page could send', async () => {
    const stranger = new OpenAI({ baseURL: url, apiKey: 'wrong', maxRetries: 0 })
    expect(await failure(stranger.models.list())).toMatchObject({ status: 401, code: 'invalid_api_key' })
    const send = (path: string, body: string, type = 'application/json') =>
      fetch(url + path, { method: 'POST', body, headers: { authorization: 'Bearer secret', 'content-type': type } })
    const status = async (path: string, body: string, type?: string) => {
      const response = await send(path, body, type)
      expect(((await response.json()) as { error: { message: string } }).error.message).not.toBe('')
      return response.status
    }
    expect(await status('/embeddings', '{}')).toBe(404)
    expect(await status('/completions', '{')).toBe(400)
    expect(await status('/completions', '[]')).toBe(400)
    expect(await status('/completions', '{}', 'text/plain')).toBe(415)
    expect(await status('/completions', ' '.repeat(5 * 2 ** 20))).toBe(413)
  })

  test('more completions than the server takes at once', async () => {
    const error = await failure(client.completions.create({ ...TEXT, prompt: ['a', 'b'], n: 100 }))
    expect(error).toMatchObject({ status: 400, param: 'n' })
  })
})

test('a client that leaves takes its samples with it, streamed or not, and the others go on', async () => {
  const long = { model: 'tiny', prompt: 'What', max_tokens: 4000, n: 60, seed: 3 }
  const controller = new AbortController()
  const whole = client.completions.create(long, { signal: controller.signal })
  whole.catch(() => {})
  const stream = await client.completions.create({ ...long, stream: true })
  const other = client.completions.create({ ...TEXT, max_tokens: 300 })
  await until(() => service.open() > 60)
  for await (const _ of stream) break
  controller.abort()
  await expect(whole).rejects.toThrow(/abort/i)
  await other
  await until(() => service.open() === 0)
})

test('32 clients at once are answered as each alone', async () => {
  const ask = (seed: number) =>
    client.chat.completions.create({
      ...CHAT,
      messages: [{ role: 'user', content: `Number ${seed}` }],
      seed,
      max_tokens: 24,
    })
  const together = await Promise.all(Array.from({ length: 32 }, (_, seed) => ask(seed)))
  for (const [seed, answer] of together.entries()) expect((await ask(seed)).choices).toEqual(answer.choices)
})

test('readers that stand still cost their text alone', async () => {
  const stalled = await Promise.all(
    Array.from({ length: 20 }, () => client.completions.create({ ...TEXT, max_tokens: 1000, n: 4, stream: true })),
  )
  await until(() => service.open() === 0)
  const texts = stalled.map(async (stream) => {
    let text = ''
    let chunks = 0
    for await (const chunk of stream) {
      chunks++
      for (const choice of chunk.choices) if (choice.index === 0) text += choice.text
    }
    return { text, chunks }
  })
  const whole = (await client.completions.create({ ...TEXT, max_tokens: 1000, n: 4 })).choices[0]!.text
  for (const { text } of await Promise.all(texts)) expect(text).toBe(whole)
})

test('while it drains, new requests are sent away', async () => {
  const late = openService({
    sampler: openSampler(engine, model),
    tokenizer,
    contextTokens: CONTEXT,
    name: 'tiny',
    maxTokens: 9,
    maxSamples: 9,
  })
  expect((await late.app.request('/v1/models')).status).toBe(200)
  await late.drain()
  expect((await late.app.request('/v1/models')).status).toBe(503)
  expect(await (await late.app.request('/health')).json()).toMatchObject({ status: 'draining', open: 0 })
})

function jsonSchema(schema: object): object {
  return { response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } }
}

async function failure(answer: Promise<unknown>): Promise<APIError> {
  const error: unknown = await answer.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(APIError)
  return error as APIError
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5)
}
