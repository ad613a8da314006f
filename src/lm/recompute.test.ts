// Gradient checkpointing changes memory and nothing else: outputs bit for bit, gradients to the rounding of their sums.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { AdapterSpec, HeadSpec, LossResult, Output, Outputs, Sequence } from '#engine/contract'
import { copy_, fromArray, liveTensors, memory, noGrad, resetPeakMemory, scope, toFloat32 } from '#torch'
import { createFolder } from './create-folder.ts'
import { createEmbeddedEngine, type EmbeddedOptions } from './embedded.ts'
import type { LanguageModel } from './model.ts'
import { normals } from './seeded.ts'

const GOLDENS = join(import.meta.dirname, 'goldens')
const FOLDERS = ['.', 'families'].flatMap((under) =>
  fs
    .readdirSync(join(GOLDENS, under))
    .map((name) => join(under, name))
    .filter((name) => fs.existsSync(join(GOLDENS, name, 'config.json'))),
)
const PASS = { temperature: 1, seed: 0 }
const LORA: AdapterSpec = { rank: 2, alpha: 4, targets: ['all-linear'] }
const HEADS: HeadSpec = {
  value: { hidden: [], detached: false, init: 'normal' },
  scores: { names: ['reward'], read: 'last' },
}

let long: string
let before = 0
beforeAll(() => {
  long = fs.mkdtempSync(join(tmpdir(), 'hone-recompute-'))
  const config = {
    architecture: 'LlamaForCausalLM',
    vocabSize: 40,
    hiddenSize: 64,
    intermediateSize: 192,
    layers: 8,
    heads: 4,
    keyValueHeads: 2,
    headDim: 16,
    rmsNormEps: 1e-5,
    ropeTheta: 10_000,
    tieWordEmbeddings: true,
    maxPositionEmbeddings: 4096,
    eosTokenIds: [1],
    dtype: 'float32',
  } as const
  createFolder({ config: { ...config, eosTokenIds: [1] }, seed: 1, to: join(long, 'model') })
})
afterAll(() => fs.rmSync(long, { recursive: true, force: true }))
beforeEach(() => {
  before = liveTensors()
})
afterEach(() => expect(liveTensors()).toBe(before))

test.each(FOLDERS)('%s: outputs are equal bits, gradients within 1e-6, all weights or adapters', async (name) => {
  const from = join(GOLDENS, name)
  for (const trains of ['all', LORA] as const) {
    const [plain, again] = [await learn(from, trains, {}), await learn(from, trains, { gradientCheckpointing: true })]
    expect(again.outputs).toEqual(plain.outputs)
    expect(again.gradients.map(({ key }) => key)).toEqual(plain.gradients.map(({ key }) => key))
    again.gradients.forEach(({ key, values }, i) => {
      const other = plain.gradients[i]!.values
      const scale = Math.max(
        1,
        other.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
      )
      values.forEach((x, n) => expect(Math.abs(x - other[n]!), `${name} ${key}`).toBeLessThan(1e-6 * scale))
    })
  }
})

test('bfloat16 products: the same', async () => {
  const from = join(GOLDENS, 'grouped-tied')
  const precision = 'bfloat16'
  const plain = await learn(from, 'all', { precision })
  const again = await learn(from, 'all', { precision, gradientCheckpointing: true })
  expect(again.outputs).toEqual(plain.outputs)
  again.gradients.forEach(({ values }, i) =>
    values.forEach((x, n) => expect(Math.abs(x - plain.gradients[i]!.values[n]!)).toBeLessThan(1e-4)),
  )
})

test('memory of a long sequence is that of one layer and the inputs of the others', async () => {
  const T = 2000
  const peak = async (o: EmbeddedOptions) => (await learn(join(long, 'model'), LORA, o, [[sequence(T, 40)]])).peak
  const [plain, again] = [await peak({}), await peak({ gradientCheckpointing: true })]
  expect(again).toBeLessThan(plain / 2)
  // States before each of 8 layers, 64 floats a token.
  expect(again).toBeGreaterThan(8 * 64 * 4 * T)
})

async function learn(
  weights: string,
  trains: 'all' | AdapterSpec,
  o: EmbeddedOptions,
  groups = [[sequence(7, 30), sequence(12, 30)], [sequence(9, 30)]],
) {
  const engine = createEmbeddedEngine(o)
  const heads = { ...(trains === 'all' && { heads: HEADS }) }
  const model = (await engine.load({ from: { weights }, trains, seed: 3, ...heads })) as LanguageModel
  try {
    // Fresh Bs are zero, and so would be the gradients of As.
    if (trains !== 'all')
      scope(() =>
        noGrad(() => {
          for (const { name, shape, tensor } of model.body)
            copy_(
              tensor,
              fromArray(
                normals(2, name, shape[0]! * shape[1]!).map((x) => x / 20),
                shape,
              ),
            )
        }),
      )
    const want: Output[] = trains === 'all' ? ['logprobs', 'entropies', 'values', 'scores'] : ['logprobs']
    const outputs: Outputs[][] = []
    const loss = (out: Outputs[], group: number): LossResult => {
      outputs[group] = structuredClone(out)
      const ramp = (x: ArrayLike<number>) => Float32Array.from(x, (_, i) => Math.cos(i + group))
      const gradient = out.map(({ logprobs_S, entropies_S, values_S, scores_PH }) => ({
        logprobs_S: ramp(logprobs_S!),
        ...(entropies_S && { entropies_S: ramp(entropies_S) }),
        ...(values_S && { values_S: ramp(values_S), valueAfter: 0.3 }),
        ...(scores_PH && { scores_PH: ramp(scores_PH) }),
      }))
      return { loss: 0, stats: {}, gradient }
    }
    resetPeakMemory()
    const { live } = memory()
    for (let pass = 0; pass < 2; pass++) await engine.forwardBackward(model, groups, want, loss, PASS)
    const peak = memory().peak - live
    const gradients = scope(() =>
      [...model.body, ...model.heads].flatMap(({ name, tensor }) =>
        tensor.grad ? [{ key: name, values: toFloat32(tensor.grad) }] : [],
      ),
    )
    return { outputs, gradients, peak }
  } finally {
    await engine.release(model)
  }
}

function sequence(length: number, vocabulary: number): Sequence {
  const tokens = Int32Array.from(normals(length, 'tokens', length), (x) => Math.floor(Math.abs(x) * 1e4) % vocabulary)
  return { tokens, isScored: Uint8Array.from(tokens, (_, t) => Number(t >= 2)) }
}
