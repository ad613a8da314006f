// Adapters: PEFT's folders read (goldens by scripts/goldens/adapters.py) and written, gradients, sampling, several on one
// base, resume, merge.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AdapterSpec, Model, ModelSpec, Output, Sequence, UpdateGroup } from '#engine/contract'
import { liveTensors, scope, toFloat32 } from '#torch'
import { createEmbeddedEngine } from './embedded.ts'
import { mergeFolder } from './merge.ts'
import type { LanguageModel } from './model.ts'

const GOLDENS = join(import.meta.dirname, 'goldens/adapters')
const BASE = join(import.meta.dirname, 'goldens/families/qwen2')
const NAMES = fs.readdirSync(GOLDENS).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []))
const SPEC: AdapterSpec = { rank: 3, alpha: 6, targets: ['all-linear'] }
const PASS = { temperature: 1, seed: 0 }
const GROUP: UpdateGroup = { learningRate: 0.02, clipNorm: 1, betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.01 }
const engine = createEmbeddedEngine()

let before = 0
let folder = ''
const loaded: Model[] = []
beforeEach(() => {
  before = liveTensors()
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-adapter-'))
})
afterEach(async () => {
  for (const model of loaded.splice(0).reverse()) await engine.release(model)
  fs.rmSync(folder, { recursive: true, force: true })
  expect(liveTensors()).toBe(before)
})

describe.each(NAMES)('%s by PEFT', (name) => {
  const golden = JSON.parse(fs.readFileSync(join(GOLDENS, `${name}.json`), 'utf8')) as {
    tokens: number[]
    logprobs?: number[]
    scores?: number[]
    gradients: Record<string, number>
  }
  const want: Output[] = golden.scores ? ['scores'] : ['logprobs']
  const expected = golden.scores ?? golden.logprobs!
  const groups = [[scored(golden.tokens, 1)]]

  test('numbers within 1e-4, and gradients of every pair', async () => {
    const spec = JSON.parse(fs.readFileSync(join(GOLDENS, name, 'adapter_config.json'), 'utf8')) as PeftConfig
    const model = await load({ from: { weights: join(GOLDENS, name) }, trains: specOf(spec) })
    expect(gap(await numbers(model, groups, want), expected)).toBeLessThan(1e-4)
    const coefficients = golden.scores
      ? [[{ scores_PH: Float64Array.of(-1) }]]
      : [[{ logprobs_S: Float64Array.from({ length: 11 }, (_, t) => -Math.cos(t)) }]]
    await engine.forwardBackward(model, groups, want, { coefficients }, PASS)
    scope(() => {
      expect(model.weights.every(({ tensor }) => tensor.grad === null)).toBe(true)
      for (const { name: key, tensor } of model.body)
        expect(Math.hypot(...toFloat32(tensor.grad!)) / golden.gradients[key]!, key).toBeCloseTo(1, 3)
    })
    expect(model.body.map(({ name: key }) => key).sort()).toEqual(
      Object.keys(golden.gradients)
        .filter((key) => key.includes('lora'))
        .sort(),
    )
  })

  test('written and read again, and merged into its base', async () => {
    const model = await load({ from: { weights: join(GOLDENS, name) }, trains: 'nothing' })
    const own = await numbers(model, groups, want)
    await engine.save(model, 'weights', join(folder, 'copy'))
    const copy = await load({ from: { weights: join(folder, 'copy') }, trains: 'nothing' })
    expect(await numbers(copy, groups, want)).toEqual(own)
    mergeFolder({ from: join(GOLDENS, name), to: join(folder, 'merged') })
    expect(fs.existsSync(join(folder, 'merged/adapter_config.json'))).toBe(false)
    const merged = await load({ from: { weights: join(folder, 'merged') }, trains: 'nothing' })
    expect(gap(await numbers(merged, groups, want), own)).toBeLessThan(1e-4)
  })
})

test('a fresh adapter changes nothing, trains, and leaves its base as it was', async () => {
  const plain = await load({ from: { weights: BASE }, trains: 'nothing' })
  const adapted = await load({ from: { weights: BASE }, trains: SPEC, sharesBaseOf: plain, seed: 3 })
  const before_ = await numbers(plain)
  expect(await numbers(adapted)).toEqual(before_)
  const losses = await updates(adapted, 12)
  expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.3)
  expect(await numbers(plain)).toEqual(before_)
})

test('sampled log-probabilities are those of forward, in both precisions', async () => {
  for (const precision of ['float32', 'bfloat16'] as const) {
    const other = createEmbeddedEngine({ precision })
    const model = await other.load({ from: { weights: join(GOLDENS, 'gpt2-conv') }, trains: 'nothing' })
    const tokens: number[] = []
    const logprobs: number[] = []
    const request = { id: 'r', tokens: Int32Array.of(3, 4, 5), n: 1, temperature: 1, maxTokens: 15, stopTokens: [] }
    for await (const event of other.sample(model, [{ ...request, seed: 5 }])) {
      tokens.push(...event.tokens)
      logprobs.push(...event.logprobs)
    }
    const [[out]] = (await other.forward(model, [[scored([3, 4, 5, ...tokens], 3)]], ['logprobs'], PASS)) as [
      [{ logprobs_S: Float32Array }],
    ]
    expect(gap(out.logprobs_S, logprobs)).toBeLessThan(precision === 'float32' ? 1e-4 : 0.2)
    await other.release(model)
  }
})

test('policy, reference, reward model and critic stand on one base, each with its own adapter and heads', async () => {
  const policy = await load({ from: { weights: BASE }, trains: SPEC, seed: 1 })
  const tensors = liveTensors()
  const reference = await load({ from: { weights: BASE }, trains: 'nothing', sharesBaseOf: policy })
  const critic = await load({
    from: { weights: BASE },
    trains: { ...SPEC, targets: ['q_proj', 'v_proj'] },
    sharesBaseOf: reference,
    seed: 2,
    heads: { value: { hidden: [], detached: false, init: 'zero' } },
  })
  const reward = await load({
    from: { weights: BASE },
    trains: SPEC,
    sharesBaseOf: policy,
    seed: 3,
    heads: { scores: { names: ['reward'], read: 'last' } },
  })
  expect(liveTensors() - tensors).toBeLessThan(policy.weights.length + critic.body.length + reward.body.length)
  const start = await numbers(reference)
  await updates(policy, 3)
  await engine.forwardBackward(
    critic,
    GROUPS,
    ['values'],
    (out) => ({
      loss: 0,
      stats: {},
      gradient: out.map(({ values_S }) => ({ values_S: values_S!.map((v) => v - 1) })),
    }),
    PASS,
  )
  await engine.step(critic, { body: GROUP, heads: GROUP })
  expect(await numbers(reference)).toEqual(start)
  expect(gap(await numbers(policy), start)).toBeGreaterThan(0.01)
  await expect(engine.release(policy)).rejects.toThrow(/3 others use its base/)
  await expect(load({ from: { weights: BASE }, trains: 'all', sharesBaseOf: policy })).rejects.toThrow(/sharesBaseOf/)
  const elsewhere = { weights: join(import.meta.dirname, 'goldens/families/qwen3') }
  await expect(load({ from: elsewhere, trains: 'nothing', sharesBaseOf: policy })).rejects.toThrow(/other weights/)
})

test('killed and resumed, with heads on a shared base, a run has the same bytes', async () => {
  const heads = { value: { hidden: [4], detached: false, init: 'normal' as const } }
  const spec: ModelSpec = { from: { weights: BASE }, trains: SPEC, seed: 4, heads }
  const reference = await load({ from: { weights: BASE }, trains: 'nothing' })
  const model = await load({ ...spec, sharesBaseOf: reference })
  await updates(model, 3)
  const saved = await engine.save(model, 'resume', join(folder, 'saved'))
  expect(fs.statSync(join(folder, 'saved/adapter_model.safetensors')).size).toBeLessThan(40_000)
  const rest = await updates(model, 3)
  const resumed = await load({ from: { resume: saved }, trains: SPEC, sharesBaseOf: reference })
  expect(await updates(resumed, 3)).toEqual(rest)
  const [one, other] = [
    await engine.save(model, 'resume', join(folder, 'one')),
    await engine.save(resumed, 'resume', join(folder, 'other')),
  ]
  expect(other.files).toEqual(one.files)
})

test('what would be half read or ignored is refused by name', async () => {
  const spec = (changes: Partial<AdapterSpec>) => load({ from: { weights: BASE }, trains: { ...SPEC, ...changes } })
  await expect(spec({ targets: ['query'] })).rejects.toThrow(
    /no module of Qwen2ForCausalLM is called query; expected all-linear or some of/,
  )
  await expect(spec({ rank: 0 })).rejects.toThrow(/rank/)
  await expect(spec({ targets: [] })).rejects.toThrow(/at least one target/)
  const adapter = join(GOLDENS, 'qwen2-some')
  await expect(load({ from: { weights: adapter }, trains: 'all' })).rejects.toThrow(/hone merge/)
  await expect(load({ from: { weights: adapter }, trains: SPEC })).rejects.toThrow(/holds an adapter/)
  expect(() => mergeFolder({ from: BASE, to: join(folder, 'x') })).toThrow(/expected an adapter/)
  const json = JSON.parse(fs.readFileSync(join(adapter, 'adapter_config.json'), 'utf8')) as object
  fs.copyFileSync(join(adapter, 'adapter_model.safetensors'), join(folder, 'adapter_model.safetensors'))
  for (const [field, value] of Object.entries({
    use_dora: true,
    init_lora_weights: 'pissa',
    arrow_config: { top_k: 2 },
    rank_pattern: { q_proj: 8 },
    bias: 'all',
    peft_type: 'IA3',
    modules_to_save: ['lm_head'],
    target_modules: '.*proj',
    base_model_name_or_path: 'nowhere/at-all',
  })) {
    const changed = { ...json, base_model_name_or_path: BASE, [field]: value }
    fs.writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(changed))
    await expect(load({ from: { weights: folder }, trains: 'nothing' }), field).rejects.toThrow(
      `adapter_config.json: ${field}:`,
    )
  }
  fs.writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...json, base_model_name_or_path: BASE }))
  fs.writeFileSync(join(folder, 'hone.json'), JSON.stringify({ base: '0'.repeat(64) }))
  await expect(load({ from: { weights: folder }, trains: 'nothing' })).rejects.toThrow(
    /the base that the adapter was trained on/,
  )
})

const GROUPS = Array.from({ length: 4 }, (_, i) => [
  scored(
    Array.from({ length: 8 + 3 * i }, (__, t) => ((7 * t * (i + 2) + 3) % 46) + 1),
    2,
  ),
])

type PeftConfig = { r: number; lora_alpha: number; use_rslora: boolean; target_modules: string[] }

function specOf({ r, lora_alpha, use_rslora, target_modules }: PeftConfig): AdapterSpec {
  return { rank: r, alpha: lora_alpha, targets: target_modules, isRankStabilised: use_rslora }
}

async function load(spec: ModelSpec): Promise<LanguageModel> {
  const model = await engine.load(spec)
  loaded.push(model)
  return model as LanguageModel
}

async function numbers(model: Model, groups = GROUPS, want: Output[] = ['logprobs']): Promise<number[]> {
  const answers = await engine.forward(model, groups, want, PASS)
  return answers.flat().flatMap(({ logprobs_S, scores_PH }) => [...(logprobs_S ?? scores_PH)!])
}

/** Losses of so many updates. */
async function updates(model: Model, count: number): Promise<number[]> {
  const losses: number[] = []
  for (let step = 0; step < count; step++) {
    const coefficients = GROUPS.map((group) =>
      group.map(({ isScored }) => ({ logprobs_S: new Float32Array(isScored.filter(Boolean).length).fill(0.02) })),
    )
    losses.push((await engine.forwardBackward(model, GROUPS, ['logprobs'], { coefficients }, PASS)).loss)
    await engine.step(model, { body: GROUP })
  }
  return losses
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
