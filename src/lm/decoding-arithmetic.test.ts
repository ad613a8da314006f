// Sampling against the pass that training takes: the log-probability of every drawn token, whatever the base is stored in, with
// adapters and without, for few rows and for more than a stored matrix is read for.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AdapterSpec, Engine } from '#engine/contract'
import { liveTensors, mulScalar_, noGrad, scope } from '#torch'
import { createFolder } from './create-folder.ts'
import { createEmbeddedEngine } from './embedded.ts'
import type { LanguageModel } from './model.ts'
import type { BaseDtype } from './packed-matrix.ts'
import { normals } from './seeded.ts'

const LORA: AdapterSpec = { rank: 3, alpha: 6, targets: ['q_proj', 'v_proj', 'o_proj', 'gate_proj', 'down_proj'] }
const VOCABULARY = 60

let folder: string
let before = 0
beforeEach(() => {
  before = liveTensors()
  folder = join(fs.mkdtempSync(join(tmpdir(), 'hone-decoding-')), 'model')
  createFolder({
    config: {
      architecture: 'LlamaForCausalLM',
      vocabSize: VOCABULARY,
      hiddenSize: 72,
      intermediateSize: 100,
      layers: 3,
      heads: 6,
      keyValueHeads: 2,
      headDim: 12,
      rmsNormEps: 1e-5,
      ropeTheta: 10_000,
      tieWordEmbeddings: true,
      maxPositionEmbeddings: 64,
      eosTokenIds: [1],
      dtype: 'float32',
    },
    seed: 3,
    to: folder,
  })
})
afterEach(() => {
  fs.rmSync(join(folder, '..'), { recursive: true, force: true })
  expect(liveTensors()).toBe(before)
})

const CASES = (['float32', 'bfloat16', 'int8', 'nf4'] as BaseDtype[]).flatMap((baseDtype) =>
  [1, 3, 30].map((rows) => ({ baseDtype, rows })),
)
test.each(CASES)('adapters on a base in $baseDtype, $rows rows: drawn as the pass says', async ({
  baseDtype,
  rows,
}) => {
  const engine = createEmbeddedEngine({ baseDtype })
  const model = (await engine.load({ from: { weights: folder }, trains: LORA, seed: 1 })) as LanguageModel
  await stir(engine, model)
  expect(await worstGap(engine, model, rows)).toBeLessThan(2e-5)
  await engine.release(model)
})

test.each([1, 3, 30])('a model without adapters, %i rows: drawn as the pass says', async (rows) => {
  const engine = createEmbeddedEngine()
  const model = (await engine.load({ from: { weights: folder }, trains: 'all' })) as LanguageModel
  noGrad(() => scope(() => model.body.forEach(({ tensor, shape }) => shape.length > 1 && mulScalar_(tensor, 4))))
  expect(await worstGap(engine, model, rows)).toBeLessThan(2e-5)
  await engine.release(model)
})

/** A fresh adapter changes nothing: a few updates make it one that does. */
async function stir(engine: Engine, model: LanguageModel): Promise<void> {
  const group = {
    learningRate: 0.05,
    clipNorm: 1,
    betas: [0.9, 0.95] as [number, number],
    epsilon: 1e-8,
    weightDecay: 0,
  }
  for (let step = 0; step < 4; step++) {
    const tokens = Int32Array.from(normals(step, 'stir', 20), (x) => Math.floor(Math.abs(x) * 1e4) % VOCABULARY)
    const sequence = { tokens, isScored: Uint8Array.from(tokens, (_, t) => Number(t > 0)) }
    const coefficients = [[{ logprobs_S: new Float32Array(19).fill(1 / 19) }]]
    await engine.forwardBackward(model, [[sequence]], ['logprobs'], { coefficients }, { temperature: 1, seed: 0 })
    await engine.step(model, { body: group })
  }
}

async function worstGap(engine: Engine, model: LanguageModel, n: number): Promise<number> {
  const prompt = Int32Array.of(5, 9, 33, 2)
  const request = { id: 'r', tokens: prompt, n, temperature: 1, maxTokens: 9, stopTokens: [], seed: 4 }
  const drawn = Array.from({ length: n }, () => ({ tokens: [] as number[], logprobs: [] as number[] }))
  for await (const { index, tokens, logprobs } of engine.sample(model, [request])) {
    drawn[index]!.tokens.push(...tokens)
    drawn[index]!.logprobs.push(...logprobs)
  }
  const groups = drawn.map(({ tokens }) => [
    {
      tokens: Int32Array.of(...prompt, ...tokens),
      isScored: Uint8Array.from({ length: prompt.length + tokens.length }, (_, t) => Number(t >= prompt.length)),
    },
  ])
  const passed = await engine.forward(model, groups, ['logprobs'], { temperature: 1, seed: 0 })
  return Math.max(
    ...drawn.flatMap(({ logprobs }, i) => logprobs.map((l, t) => Math.abs(l - passed[i]![0]!.logprobs_S![t]!))),
  )
}
