// The sampler as the server has it: a real process behind its socket, killed, left, and asked again.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HttpError } from '#errors'
import { hashFolder, isAlive } from '#files'
import type { DrawnSample, DrawRequest, SamplerLink } from './contract.ts'
import { openSamplerLink } from './index.ts'
import { createTinyModel } from './tiny-model.test-data.ts'

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')
let root: string
let folder: string
let link: SamplerLink
beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-process-'))
  folder = join(root, 'tiny')
  createTinyModel(folder, { contextTokens: 3000 })
  link = openSamplerLink({ command: [process.execPath, HONE, 'sampler'] })
})
afterAll(async () => {
  await link.close()
  fs.rmSync(root, { recursive: true })
})

const asked = (change: Partial<DrawRequest> = {}): DrawRequest => ({
  folder,
  prompts: [
    { row: 0, prompt: 'What colour' },
    { row: 1, prompt: 'Is the sky' },
  ],
  n: 2,
  seed: 3,
  temperature: 1,
  topP: 1,
  maxTokens: 12,
  ...change,
})

async function drawn(request: DrawRequest): Promise<DrawnSample[]> {
  const all: DrawnSample[] = []
  for await (const sample of link.draw(request)) all.push(sample)
  return all.sort((x, y) => x.row - y.row || x.sample - y.sample)
}

test('what a model is, and samples that follow from seed and row alone, in any portion', async () => {
  expect(await link.load(folder)).toEqual({ hash: hashFolder(folder), contextTokens: 3000, hasChatTemplate: true })
  const whole = await drawn(asked())
  expect(whole.map(({ row, sample }) => [row, sample])).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])
  const second = await drawn(asked({ prompts: [{ row: 1, prompt: 'Is the sky' }] }))
  expect(second.map(({ completion }) => completion)).toEqual(whole.slice(2).map(({ completion }) => completion))
  expect(await drawn(asked({ seed: 4 }))).not.toEqual(whole)
  for (const { tokens, logprob } of whole) {
    expect(tokens).toBeGreaterThan(0)
    expect(logprob).toBeLessThan(0)
  }
})

test('what the asker did wrong says so, and the process stays', async () => {
  await link.load(folder)
  const pid = link.pid()
  await expect(link.load(join(root, 'nothing'))).rejects.toThrow(/expected a model/)
  await expect(drawn(asked({ prompts: [{ row: 6, prompt: 'x '.repeat(4000) }] }))).rejects.toThrow(/in row 7: shorten/)
  expect(link.pid()).toBe(pid)
})

test('killed under a call, the call fails as gone, and the next one has a new process and the same samples', async () => {
  const before = await drawn(asked())
  const pid = link.pid()!
  const long = asked({ maxTokens: 2900, n: 20 })
  const cut = (async () => {
    for await (const _ of link.draw(long)) process.kill(pid, 'SIGKILL')
  })()
  await expect(cut).rejects.toThrow(HttpError)
  await expect(cut).rejects.toMatchObject({ status: 503 })
  expect(await drawn(asked())).toEqual(before)
  expect(link.pid()).not.toBe(pid)
})

test('who leaves has the rest cancelled, and the process answers others meanwhile', async () => {
  const leaving = new AbortController()
  const seen: DrawnSample[] = []
  const left = (async () => {
    for await (const sample of link.draw(asked({ maxTokens: 2900, n: 60 }), leaving.signal)) {
      seen.push(sample)
      leaving.abort()
    }
  })()
  await Promise.allSettled([left])
  expect(seen.length).toBeLessThan(120)
  expect(await drawn(asked())).toHaveLength(4)
})

const HELLO = JSON.stringify({ model: 'desk', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8, seed: 1 })

test('OpenAI’s API answers under the name that clients know, by exactly those weights', async () => {
  const { hash } = await link.load(folder)
  const request = { method: 'POST', path: '/v1/chat/completions', body: HELLO, signal: new AbortController().signal }
  const response = await link.answer({ folder, hash, name: 'desk' }, request)
  expect(response.status).toBe(200)
  const body = (await response.json()) as { model: string; choices: { message: { content: string } }[] }
  expect(body.model).toBe('desk')
  expect(body.choices[0]!.message.content.length).toBeGreaterThan(0)
  const other = await link.answer({ folder, hash: 'f'.repeat(64), name: 'desk' }, request)
  expect(other.status).toBe(422)
  expect(await other.text()).toMatch(/expected the weights ffffffffffff/)
  const unknown = await link.answer({ folder, hash, name: 'another' }, request)
  expect(unknown.status).toBe(404)
})

test('it ends with its link', async () => {
  const short = openSamplerLink({ command: [process.execPath, HONE, 'sampler'] })
  await short.load(folder)
  const pid = short.pid()!
  await short.close()
  expect(isAlive(pid)).toBe(false)
  await expect(short.load(folder)).rejects.toThrow(/was closed/)
})
