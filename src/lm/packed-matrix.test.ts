// Packed bases: errors within their bounds, bytes as promised, and models that compute as if the unpacked numbers stood there.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { AdapterSpec, Engine, Sequence } from '#engine/contract'
import { copy_, fromArray, liveTensors, memory, noGrad, resetPeakMemory, scope, type Tensor, toFloat32 } from '#torch'
import { createFolder } from './create-folder.ts'
import { createEmbeddedEngine, type EmbeddedOptions } from './embedded.ts'
import type { LanguageModel } from './model.ts'
import { freePacked, NF4_LEVELS, type PackedDtype, packMatrix, unpacked } from './packed-matrix.ts'
import { normals } from './seeded.ts'

const DTYPES: PackedDtype[] = ['bfloat16', 'int8', 'nf4']
const LORA: AdapterSpec = { rank: 2, alpha: 4, targets: ['all-linear'] }
const FAMILIES = join(import.meta.dirname, 'goldens/families')
const PASS = { temperature: 1, seed: 0 }
const GROUPS = [[sequence(11), sequence(7)], [sequence(9)]]

let deep: string
let before = 0
beforeAll(() => {
  deep = fs.mkdtempSync(join(tmpdir(), 'hone-packed-'))
  createFolder({
    config: {
      architecture: 'LlamaForCausalLM',
      vocabSize: 40,
      hiddenSize: 128,
      intermediateSize: 512,
      layers: 16,
      heads: 4,
      keyValueHeads: 2,
      headDim: 32,
      rmsNormEps: 1e-5,
      ropeTheta: 10_000,
      tieWordEmbeddings: true,
      maxPositionEmbeddings: 256,
      eosTokenIds: [1],
      dtype: 'float32',
    },
    seed: 1,
    to: join(deep, 'model'),
  })
})
afterAll(() => fs.rmSync(deep, { recursive: true, force: true }))
beforeEach(() => {
  before = liveTensors()
})
afterEach(() => expect(liveTensors()).toBe(before))

/** Half the widest gap between neighbours: what a number may move, in units of its block's largest. */
const NF4_BOUND = Math.max(...NF4_LEVELS.slice(1).map((level, i) => (level - NF4_LEVELS[i]!) / 2))

test.each([
  [40, 64],
  [7, 33],
  [300, 1000],
] as const)('a [%i,%i] matrix comes back within the bound of each dtype', (rows, columns) => {
  const values = normals(4, 'matrix', rows * columns).map((x, i) => x * (1 + (i % 3)))
  values.fill(0, 0, columns)
  const largestOf = (unitOf: (i: number) => number) => {
    const largest = new Map<number, number>()
    values.forEach((x, i) => largest.set(unitOf(i), Math.max(largest.get(unitOf(i)) ?? 0, Math.abs(x))))
    return (i: number) => largest.get(unitOf(i))!
  }
  const [rowLargest, blockLargest] = [largestOf((i) => Math.floor(i / columns)), largestOf((i) => i >> 6)]
  const bounds: Record<PackedDtype, (i: number) => number> = {
    bfloat16: (i) => Math.abs(values[i]!) * 2 ** -8,
    int8: (i) => rowLargest(i) / 254,
    nf4: (i) => blockLargest(i) * NF4_BOUND,
  }
  for (const dtype of DTYPES) {
    const packed = packMatrix(values, [rows, columns], { dtype, device: 'cpu' })
    const back = scope(() => toFloat32(unpacked(packed, 'float32')))
    freePacked(packed)
    expect(back.length).toBe(values.length)
    let beyond = 0
    back.forEach((x, i) => (beyond += Number(Math.abs(x - values[i]!) > bounds[dtype](i) * (1 + 1e-5))))
    expect(beyond, dtype).toBe(0)
    expect([...back.subarray(0, columns)].every((x) => x === 0)).toBe(true)
  }
})

test('numbers that are levels come back as they were, and int8 scales the outputs of a transposed matrix', () => {
  const levels = Float32Array.from({ length: 128 }, (_, i) => 3 * NF4_LEVELS[(i * 7) % 16]!)
  const nf4 = packMatrix(levels, [2, 64], { dtype: 'nf4', device: 'cpu' })
  expect(scope(() => toFloat32(unpacked(nf4, 'float32')))).toEqual(levels)
  freePacked(nf4)
  // Two outputs, the second a thousand times the first: one scale each keeps both.
  const values = Float32Array.of(0.5, 1000, -1, 2000)
  const int8 = packMatrix(values, [2, 2], { dtype: 'int8', device: 'cpu', isTransposed: true })
  scope(() => toFloat32(unpacked(int8, 'float32'))).forEach((x, i) =>
    expect(Math.abs(x / values[i]! - 1)).toBeLessThan(0.01),
  )
  freePacked(int8)
})

test.each(
  DTYPES,
)('%s: a model computes as one whose weights are the unpacked numbers; adapters get the same gradients', async (baseDtype) => {
  for (const family of ['qwen2', 'gpt2', 'phi3'])
    for (const precision of ['float32', 'bfloat16'] as const) {
      const from = { weights: join(FAMILIES, family) }
      const engine = createEmbeddedEngine({ baseDtype, precision })
      const packed = (await engine.load({ from, trains: LORA, seed: 5 })) as LanguageModel
      const plainEngine = createEmbeddedEngine({ precision, gradientCheckpointing: true })
      const plain = (await plainEngine.load({ from, trains: LORA, seed: 5 })) as LanguageModel
      scope(() =>
        noGrad(() => {
          plain.weights.forEach(({ tensor }, i) => {
            const stored = packed.weights[i]!.packed
            if (stored) copy_(tensor, unpacked(stored, 'float32'))
          })
          for (const model of [packed, plain])
            for (const { name, shape, tensor } of model.body) copy_(tensor, fromNormals(name, shape))
        }),
      )
      expect(packed.weights.filter((p) => p.packed).length).toBe(4 * packed.config.layers)
      const [own, other] = [await learn(engine, packed), await learn(plainEngine, plain)]
      expect(own.logprobs, family).toEqual(other.logprobs)
      expect(own.gradients, family).toEqual(other.gradients)
      await engine.release(packed)
      await plainEngine.release(plain)
    }
})

test.each([
  ['bfloat16', 2],
  ['int8', 1.02],
  ['nf4', 0.57],
] as const)('%s takes at most %f bytes a weight, at rest and in a training pass', async (baseDtype, bytes) => {
  const rest = async (o: EmbeddedOptions) => {
    const engine = createEmbeddedEngine({ gradientCheckpointing: true, ...o })
    const { live: empty } = memory()
    const model = (await engine.load({ from: { weights: join(deep, 'model') }, trains: LORA })) as LanguageModel
    const matrices = model.weights.filter(({ name, isDecayed }) => isDecayed && name.startsWith('model.layers.'))
    const count = matrices.reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0)
    resetPeakMemory()
    const { live } = memory()
    await learn(engine, model)
    const { peak } = memory()
    await engine.release(model)
    return { count, live: live - empty, peak: peak - empty }
  }
  const plain = await rest({})
  const packed = await rest({ baseDtype })
  // Shared tables of levels and adapters are the same in both.
  const saved = plain.live - packed.live
  expect(saved).toBeGreaterThan(packed.count * (4 - bytes) - 16 * 4 * 4096)
  // In the pass the matrices of one layer of 16 are unpacked at a time, and what is made on the way.
  expect(plain.peak - packed.peak).toBeGreaterThan(saved - (2 * 4 * packed.count) / 16)
  expect(packed.peak).toBeLessThan(packed.count * 4)
})

test('a stream samples from a packed base what forward says of it', async () => {
  const engine = createEmbeddedEngine({ baseDtype: 'nf4' })
  const model = await engine.load({ from: { weights: join(FAMILIES, 'qwen2') }, trains: LORA, seed: 1 })
  const request = {
    id: 'r',
    tokens: Int32Array.of(3, 14, 15),
    n: 3,
    temperature: 1,
    maxTokens: 6,
    stopTokens: [],
    seed: 2,
  }
  const rows = Array.from({ length: 3 }, () => ({ tokens: [] as number[], logprobs: [] as number[] }))
  for await (const { index, tokens, logprobs } of engine.sample(model, [request])) {
    rows[index]!.tokens.push(...tokens)
    rows[index]!.logprobs.push(...logprobs)
  }
  const groups = rows.map(({ tokens }) => [scored([...request.tokens, ...tokens], 3)])
  const answers = await engine.forward(model, groups, ['logprobs'], PASS)
  rows.forEach(({ logprobs }, i) =>
    answers[i]![0]!.logprobs_S!.forEach((l, t) => expect(l).toBeCloseTo(logprobs[t]!, 4)),
  )
  await engine.release(model)
})

test('several adapters share a packed base; what cannot be frozen or saved is refused', async () => {
  const engine = createEmbeddedEngine({ baseDtype: 'int8' })
  const from = { weights: join(FAMILIES, 'qwen2') }
  await expect(engine.load({ from, trains: 'all' })).rejects.toThrow(/int8 is frozen/)
  const policy = (await engine.load({ from, trains: LORA, seed: 1 })) as LanguageModel
  const reference = (await engine.load({ from, trains: 'nothing', sharesBaseOf: policy })) as LanguageModel
  expect(reference.weights).toBe(policy.weights)
  const numbers = (model: LanguageModel) => engine.forward(model, GROUPS, ['logprobs'], PASS)
  expect(await numbers(reference)).toEqual(await numbers(policy))
  await expect(engine.save(reference, 'weights', join(deep, 'copy'))).rejects.toThrow(/stored in int8/)
  await engine.release(reference)
  await engine.release(policy)
  const whole = await engine.load({ from, trains: 'nothing' })
  await expect(engine.load({ from, trains: LORA, sharesBaseOf: whole })).rejects.toThrow(
    /stored in float32, asked for int8/,
  )
  await engine.release(whole)
})

async function learn(engine: Engine, model: LanguageModel) {
  const logprobs: Float32Array[][] = []
  await engine.forwardBackward(
    model,
    GROUPS,
    ['logprobs'],
    (out, group) => {
      logprobs[group] = out.map(({ logprobs_S }) => Float32Array.from(logprobs_S!))
      return {
        loss: 0,
        stats: {},
        gradient: out.map((o) => ({ logprobs_S: o.logprobs_S!.map((_, i) => Math.cos(i)) })),
      }
    },
    PASS,
  )
  const gradients = scope(() => model.body.map(({ tensor }) => toFloat32(tensor.grad!)))
  await engine.discard(model)
  return { logprobs, gradients }
}

function fromNormals(name: string, shape: readonly number[]): Tensor {
  return fromArray(
    normals(2, name, shape[0]! * shape[1]!).map((x) => x / 20),
    shape,
  )
}

function sequence(length: number): Sequence {
  return scored(
    Array.from(normals(length, 'tokens', length), (x) => Math.floor(Math.abs(x) * 1e4) % 30),
    2,
  )
}

function scored(tokens: number[], first: number): Sequence {
  return { tokens: Int32Array.from(tokens), isScored: Uint8Array.from(tokens, (_, t) => Number(t >= first)) }
}
