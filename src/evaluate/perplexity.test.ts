import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tabularEngine, writeTabularWeights } from '#engine'
import { ConfigError, DataError } from '#errors'
import { requireCapabilities } from './capabilities.ts'
import { perplexityOf, perplexityRatio, promptGain, rowLosses } from './perplexity.ts'

const VOCAB = 4
const engine = tabularEngine({ vocab: VOCAB })
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hone-perplexity-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function load(name: string, logits: Record<string, number[]>) {
  await writeTabularWeights(join(folder, name), { vocab: VOCAB, logits })
  return engine.load({ from: { weights: join(folder, name) }, trains: 'nothing' })
}
const row = (prompt: number[], completion: number[], group?: string) => ({
  prompt: Int32Array.from(prompt),
  completion: Int32Array.from(completion),
  ...(group !== undefined && { group }),
})

test('a uniform model has the perplexity of its vocabulary, whatever the text', async () => {
  const model = await load('uniform', {})
  const losses = await rowLosses(engine, model, [row([1], [2, 3]), row([1, 2], [0]), row([3], [1, 1, 0])])
  const { perplexity, natsPerToken, tokens, rows } = perplexityOf(losses, { seed: 1 })
  expect(perplexity.value).toBeCloseTo(4, 12)
  expect(natsPerToken.low).toBeCloseTo(Math.log(4), 12)
  expect([tokens, rows, perplexity.n]).toEqual([6, 3, 3])
})

test('tokens count alike, whatever the row they are in; prompts are not scored; groups are resampled whole', async () => {
  const model = await load('sure', { '1': [0, 0, 50, 0] }) // after 1 comes 2, surely
  const rows = [row([1], [2], 'x'), row([3], [0, 0, 0], 'y'), row([1], [2], 'x')]
  const { natsPerToken } = perplexityOf(await rowLosses(engine, model, rows), { seed: 1 })
  expect(natsPerToken.value).toBeCloseTo((3 * Math.log(4)) / 5, 9)
  expect(natsPerToken.n).toBe(2)
  expect(natsPerToken.low).toBeCloseTo(0, 9)
})

test('before and after are compared row by row', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => row([1 + (i % 3)], [i % 4, 0]))
  const before = await rowLosses(engine, await load('before', {}), rows)
  const after = before.map((loss) => ({ ...loss, nats: loss.nats - 0.1 * loss.tokens }))
  const ratio = perplexityRatio(before, after, { seed: 1 })
  expect(ratio.value).toBeCloseTo(Math.exp(-0.1), 9)
  expect(ratio.high - ratio.low).toBeLessThan(1e-9)
  expect(() => perplexityRatio(before, after.slice(1), { seed: 1 })).toThrow(DataError)
})

test('a model that reads its prompt loses by a swapped one; a model that does not, does not', async () => {
  const rows = Array.from({ length: 12 }, (_, i) => row([1 + (i % 3)], [1 + (i % 3)]))
  const copies = { '1': [0, 5, 0, 0], '2': [0, 0, 5, 0], '3': [0, 0, 0, 5] }
  expect((await promptGain(engine, await load('copies', copies), rows, { seed: 1 })).low).toBeGreaterThan(3)
  expect((await promptGain(engine, await load('blind', {}), rows, { seed: 1 })).high).toBeCloseTo(0, 9)
})

test('rows without context or completion, and engines that lack what is needed, are refused', async () => {
  const model = await load('any', {})
  await expect(rowLosses(engine, model, [row([1], [2]), row([], [2])])).rejects.toThrow(/line 2: .*got 0 and 1/)
  const has = await engine.capabilities()
  expect(() => requireCapabilities(has, { outputs: ['logprobs'], tokens: 2 }, 'sft')).not.toThrow()
  const asked = { outputs: ['values' as const], tuning: ['adapter' as const], tokens: 100 }
  const poor = { ...has, outputs: [], tuning: [], maxTokens: 10 }
  expect(() => requireCapabilities(poor, asked, 'ppo')).toThrow(ConfigError)
  expect(() => requireCapabilities(poor, asked, 'ppo')).toThrow(
    /ppo needs .* outputs: values; tuning: adapter; 100 tokens/,
  )
})
