// Every family against transformers (goldens by scripts/goldens/families.py) on odd tiny configurations: logits, gradients,
// greedy continuations with the cache, seeded draws against forward, and folders written and read again.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Model, SampleRequest, Sequence } from '#engine/contract'
import { writeNew } from '#files'
import { liveTensors, scope, type Tensor, toFloat32 } from '#torch'
import { configJson, parseConfig, readConfig } from '../config.ts'
import { createEmbeddedEngine } from '../embedded.ts'
import type { LanguageModel } from '../model.ts'
import type { ParameterPlan } from '../parameters.ts'
import { encodeSafetensors, readSafetensors } from '../safetensors.ts'

const GOLDENS = join(import.meta.dirname, '../goldens/families')
const NAMES = fs.readdirSync(GOLDENS).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []))
const PASS = { temperature: 1, seed: 0 }
const engine = createEmbeddedEngine()

type Golden = {
  tokens: number[][]
  logprobs: number[][]
  /** How far transformers' float32 is from its float64. */
  rounding: number
  lastLogits: number[][]
  /** By key: the norm, and the product with cos(0), cos(1), ... */
  gradients: Record<string, [norm: number, probe: number]>
  prompt: number[]
  greedy: number[]
}

/** 1e-4, 1e-5 of the largest, or four times what float32 costs the other side: both round, and each processor in its own order. */
const bound = (expected: number[], { rounding }: Golden): number =>
  Math.max(1e-4, 1e-5 * Math.max(...expected.map(Math.abs)), 4 * rounding)

let before = 0
const loaded: Model[] = []
beforeEach(() => {
  before = liveTensors()
})
afterEach(async () => {
  for (const model of loaded.splice(0)) await engine.release(model)
  expect(liveTensors()).toBe(before)
})

describe.each(NAMES)('%s', (name) => {
  const golden = JSON.parse(fs.readFileSync(join(GOLDENS, `${name}.json`), 'utf8')) as Golden
  const folder = join(GOLDENS, name)

  test('log-probabilities and whole distributions', async () => {
    const model = await load(folder)
    const answers = await engine.forward(model, [golden.tokens.map((t) => scored(t, 1))], ['logprobs'], PASS)
    golden.logprobs.forEach((row, i) => expect(gap(answers[0]![i]!.logprobs_S!, row)).toBeLessThan(bound(row, golden)))
    const [tokens, logits] = [golden.tokens[1]!, golden.lastLogits[1]!]
    const total = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0))
    const next = logits.map((_, v) => [scored([...tokens, v], tokens.length)])
    // One token more could turn another way where frequencies depend on the length.
    if (name.includes('dynamic')) return
    const drawn = (await engine.forward(model, next, ['logprobs'], PASS)).map(([out]) => out!.logprobs_S![0]!)
    const expected = logits.map((z) => z - total)
    expect(gap(drawn, expected)).toBeLessThan(bound(expected, golden))
  })

  test('gradients of every weight', async () => {
    const model = await load(folder, 'all')
    const groups = golden.tokens.map((tokens) => [scored(tokens, 1)])
    const coefficients = groups.map((_, i) => [
      { logprobs_S: Float64Array.from({ length: 39 }, (__, t) => Math.cos(39 * i + t) / 39) },
    ])
    await engine.forwardBackward(model, groups, ['logprobs'], { coefficients }, PASS)
    const seen = new Set<string>()
    scope(() => {
      for (const parameter of model.body)
        for (const { key, values } of readParameter(parameter, parameter.tensor.grad!)) {
          const [norm, probe] = golden.gradients[key]!
          let dot = 0
          values.forEach((x, i) => (dot += x * Math.cos(i)))
          expect(Math.abs(Math.hypot(...values) / norm - 1), `${key}: norm`).toBeLessThan(1e-3)
          expect(Math.abs(dot - probe) / norm, `${key}: probe`).toBeLessThan(1e-3)
          seen.add(key)
        }
    })
    expect([...seen].sort()).toEqual(Object.keys(golden.gradients).sort())
  })

  test('greedy continuation with the cache', async () => {
    const model = await load(folder)
    const [row] = await draw(model, { ...REQUEST, tokens: Int32Array.from(golden.prompt), n: 1, temperature: 0 })
    expect(row!.tokens).toEqual(golden.greedy)
  })

  test('seeded draws have the log-probabilities of forward', async () => {
    const model = await load(folder)
    const prompt = golden.prompt.slice(0, 4)
    // Beside one another where a switch of frequencies or a window lies between their lengths.
    const rows = await draw(model, { ...REQUEST, tokens: Int32Array.from(prompt), n: 5, maxTokens: 12, seed: 3 })
    const groups = rows.map(({ tokens }) => [scored([...prompt, ...tokens], prompt.length)])
    const answers = await engine.forward(model, groups, ['logprobs'], PASS)
    rows.forEach((row, i) => expect(gap(answers[i]![0]!.logprobs_S!, row.logprobs)).toBeLessThan(1e-4))
    expect(new Set(rows.map(({ tokens }) => tokens.join())).size).toBe(5)
    const again = await draw(model, { ...REQUEST, tokens: Int32Array.from(prompt), n: 5, maxTokens: 12, seed: 3 })
    expect(again).toEqual(rows)
  })

  test('the config and the weights that are written are those that were read', async () => {
    const config = readConfig(folder)
    expect(config.eosTokenIds).toEqual([2, 5])
    expect(parseConfig(JSON.parse(JSON.stringify(configJson(config))), 'config.json')).toEqual(config)
    const to = fs.mkdtempSync(join(tmpdir(), 'hone-family-'))
    try {
      const model = await load(folder, 'nothing')
      await engine.save(model, 'weights', join(to, 'copy'))
      const copy = await load(join(to, 'copy'))
      const groups = [[scored(golden.tokens[0]!, 1)]]
      const [one, other] = [
        await engine.forward(model, groups, ['logprobs'], PASS),
        await engine.forward(copy, groups, ['logprobs'], PASS),
      ]
      expect(other).toEqual(one)
      const scores = { scores: { names: ['good', 'brief'], read: 'last' as const } }
      const judge = (await engine.load({
        from: { weights: folder },
        trains: 'nothing',
        heads: scores,
      })) as LanguageModel
      loaded.push(judge)
      await engine.save(judge, 'weights', join(to, 'judge'))
      const read = await load(join(to, 'judge'))
      expect(await engine.forward(read, groups, ['scores'], PASS)).toEqual(
        await engine.forward(judge, groups, ['scores'], PASS),
      )
    } finally {
      fs.rmSync(to, { recursive: true, force: true })
    }
  })
})

test('GPT-2 as it was first published: keys without prefix, causal masks among the weights', async () => {
  const to = fs.mkdtempSync(join(tmpdir(), 'hone-family-'))
  try {
    const { tensors } = readSafetensors(join(GOLDENS, 'gpt2/model.safetensors'))
    const bare = [...tensors].map(([key, { dtype, shape, bytes }]) => ({
      name: key.replace('transformer.', ''),
      dtype: dtype as 'BF16',
      shape: [...shape],
      bytes: bytes(),
    }))
    const mask = { name: 'h.0.attn.bias', dtype: 'F32' as const, shape: [1], bytes: new Uint8Array(4) }
    writeNew(join(to, 'model.safetensors'), encodeSafetensors([...bare, mask], {}))
    fs.copyFileSync(join(GOLDENS, 'gpt2/config.json'), join(to, 'config.json'))
    const groups = [[scored([3, 1, 4, 1, 5, 9, 2, 6], 1)]]
    const [one, other] = [await load(to), await load(join(GOLDENS, 'gpt2'))]
    expect(await engine.forward(one, groups, ['logprobs'], PASS)).toEqual(
      await engine.forward(other, groups, ['logprobs'], PASS),
    )
    const judge = await engine.load({
      from: { weights: to },
      trains: { rank: 2, alpha: 4, targets: ['all-linear'] },
      heads: { scores: { names: ['good'], read: 'last' } },
    })
    loaded.push(judge)
    await engine.save(judge, 'weights', join(to, 'judge'))
    const read = await load(join(to, 'judge'))
    expect(await engine.forward(read, groups, ['scores'], PASS)).toEqual(
      await engine.forward(judge, groups, ['scores'], PASS),
    )
  } finally {
    fs.rmSync(to, { recursive: true, force: true })
  }
})

test.each<[name: string, field: string, changes: Record<string, unknown>]>([
  ['mistral', 'attention_bias', { attention_bias: true }],
  ['mistral', 'layer_types', { layer_types: ['full_attention'] }],
  ['qwen2', 'use_mrope', { use_mrope: true }],
  ['qwen2', 'layer_types', { layer_types: ['full_attention'] }],
  ['qwen3', 'num_experts', { num_experts: 8 }],
  ['gemma2', 'use_bidirectional_attention', { use_bidirectional_attention: true }],
  ['gemma2', 'sliding_window', { sliding_window: null }],
  ['gemma2', 'hidden_activation', { hidden_activation: 'mish' }],
  ['gemma3', 'attn_logit_softcapping', { attn_logit_softcapping: 50 }],
  [
    'gemma3',
    'rope_parameters.sliding_attention.rope_type',
    { rope_parameters: { sliding_attention: { rope_type: 'yarn' } } },
  ],
  ['phi3', 'lm_head_bias', { lm_head_bias: true }],
  ['phi3', 'full_attn_mod', { full_attn_mod: 2 }],
  [
    'phi3-longrope',
    'rope_parameters.long_factor',
    { rope_parameters: { rope_type: 'longrope', short_factor: [1, 1, 1, 1, 1, 1] } },
  ],
  ['olmo2', 'clip_qkv', { clip_qkv: 8 }],
  ['gpt-neox', 'rotary_pct', { rotary_pct: 2, rope_parameters: null }],
  ['gpt2', 'add_cross_attention', { add_cross_attention: true }],
  ['gpt2', 'rope_scaling', { rope_scaling: { rope_type: 'linear', factor: 2 } }],
  ['gpt2', 'n_embd', { n_embd: 0 }],
  ['gpt2', 'n_embd', { hidden_size: 8 }],
  ['gpt2', 'architectures.0', { architectures: ['GPT2DoubleHeadsModel'] }],
])('%s: a field that would change the mathematics is refused by its own name: %s', (name, field, changes) => {
  const json = JSON.parse(fs.readFileSync(join(GOLDENS, name, 'config.json'), 'utf8')) as object
  expect(() => parseConfig({ ...json, ...changes }, 'config.json')).toThrow(`config.json: ${field}:`)
})

test('Phi-4-mini says of three more fields that they are as in Phi-3', () => {
  const json = JSON.parse(fs.readFileSync(join(GOLDENS, 'phi3/config.json'), 'utf8')) as object
  const plain = { lm_head_bias: false, full_attn_mod: 1, interpolate_factor: 1 }
  expect(parseConfig({ ...json, ...plain }, 'config.json')).toEqual(parseConfig(json, 'config.json'))
})

const REQUEST: Omit<SampleRequest, 'tokens'> = { id: 'r', n: 1, temperature: 1, maxTokens: 30, stopTokens: [], seed: 1 }

async function load(folder: string, trains: 'all' | 'nothing' = 'nothing'): Promise<LanguageModel> {
  const model = await engine.load({ from: { weights: folder }, trains })
  loaded.push(model)
  return model as LanguageModel
}

type Drawn = { tokens: number[]; logprobs: number[] }

async function draw(model: Model, request: SampleRequest): Promise<Drawn[]> {
  const rows: Drawn[] = Array.from({ length: request.n }, () => ({ tokens: [], logprobs: [] }))
  for await (const { index, tokens, logprobs } of engine.sample(model, [request])) {
    rows[index]!.tokens.push(...tokens)
    rows[index]!.logprobs.push(...logprobs)
  }
  return rows
}

function scored(tokens: number[], first: number): Sequence {
  return { tokens: Int32Array.from(tokens), isScored: Uint8Array.from(tokens, (_, t) => Number(t >= first)) }
}

function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}

/** The keys of a stored matrix with their values in `tensor`, which is of its shape. */
function readParameter(plan: ParameterPlan, tensor: Tensor): { key: string; values: Float32Array }[] {
  const all = toFloat32(tensor)
  const width = plan.shape.slice(1).reduce((a, b) => a * b, 1)
  let row = 0
  return plan.parts.map(({ key, rows }) => {
    const values = all.subarray(row * width, (row + rows) * width)
    row += rows
    return { key, values }
  })
}
