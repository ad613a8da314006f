// bfloat16 products against float32 ones: traces, gradients, bits, and what stays float32.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Engine, Outputs, Saved, Sequence, UpdateGroup } from '#engine/contract'
import { liveTensors, scope, toFloat32 } from '#torch'
import type { Precision } from './arithmetic.ts'
import { createEmbeddedEngine } from './embedded.ts'
import type { LanguageModel } from './model.ts'
import { normals } from './seeded.ts'

const FROM = { weights: join(import.meta.dirname, 'goldens/grouped-tied') }
const GROUP: UpdateGroup = { learningRate: 3e-3, clipNorm: 1, betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.01 }
const PASS = { temperature: 1, seed: 0 }
const GROUPS = Array.from({ length: 6 }, (_, i) => [sequence(i)])

let before = 0
beforeEach(() => {
  before = liveTensors()
})
afterEach(() => expect(liveTensors()).toBe(before))

test('the loss trace of 30 updates stays beside that of float32', async () => {
  const exact = await trace('float32')
  const coarse = await trace('bfloat16')
  expect(exact.at(-1)!).toBeLessThan(exact[0]! / 2)
  coarse.forEach((loss, i) => expect(Math.abs(loss - exact[i]!), `step ${i}`).toBeLessThan(0.03 * exact[0]!))
  expect(coarse).not.toEqual(exact)
})

test('gradients have a cosine above 0.999 with those of float32, and weights, gradients and moments are float32', async () => {
  const [exact, coarse] = [await gradient('float32'), await gradient('bfloat16')]
  let dot = 0
  exact.forEach((x, i) => (dot += x * coarse[i]!))
  expect(dot / Math.hypot(...exact) / Math.hypot(...coarse)).toBeGreaterThan(0.999)
})

test('forward and forwardBackward answer equal bits, before and after an update', async () => {
  await using(async (engine, model) => {
    for (let step = 0; step < 2; step++) {
      const old = await engine.forward(model, GROUPS, ['logprobs', 'entropies'], PASS)
      const seen: Outputs[][] = []
      await engine.forwardBackward(
        model,
        GROUPS,
        ['logprobs', 'entropies'],
        (out, g) => {
          seen[g] = structuredClone(out)
          return { loss: 0, stats: {}, gradient: out.map((o) => ({ logprobs_S: o.logprobs_S!.map(() => -1) })) }
        },
        PASS,
      )
      expect(seen).toEqual(old)
      await engine.step(model, { body: GROUP })
    }
  })
})

test('sampled log-probabilities are those of forward within the rounding of bfloat16', async () => {
  await using(async (engine, model) => {
    const request = { id: 'r', tokens: Int32Array.of(3, 14, 15), n: 8, temperature: 1, maxTokens: 12, stopTokens: [] }
    const rows = Array.from({ length: 8 }, () => ({ tokens: [] as number[], logprobs: [] as number[] }))
    for await (const { index, tokens, logprobs } of engine.sample(model, [{ ...request, seed: 5 }])) {
      rows[index]!.tokens.push(...tokens)
      rows[index]!.logprobs.push(...logprobs)
    }
    const groups = rows.map(({ tokens }) => [scored([...request.tokens, ...tokens], 3)])
    const answers = await engine.forward(model, groups, ['logprobs'], PASS)
    rows.forEach(({ logprobs }, i) =>
      answers[i]![0]!.logprobs_S!.forEach((l, t) => expect(Math.abs(l - logprobs[t]!)).toBeLessThan(0.1)),
    )
  })
})

test('a resumed run goes on bit for bit', async () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-bfloat16-'))
  try {
    const whole: number[] = []
    let saved: Saved | undefined
    await using(async (engine, model) => {
      for (let step = 0; step < 6; step++) {
        if (step === 3) saved = await engine.save(model, 'resume', join(folder, 'saved'))
        whole.push(await update(engine, model))
      }
    })
    const engine = createEmbeddedEngine({ precision: 'bfloat16' })
    const model = (await engine.load({ from: { resume: saved! }, trains: 'all' })) as LanguageModel
    const rest: number[] = []
    for (let step = 3; step < 6; step++) rest.push(await update(engine, model))
    await engine.release(model)
    expect(rest).toEqual(whole.slice(3))
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
})

async function trace(precision: Precision): Promise<number[]> {
  const losses: number[] = []
  await using(async (engine, model) => {
    for (let step = 0; step < 30; step++) losses.push(await update(engine, model))
  }, precision)
  return losses
}

async function gradient(precision: Precision): Promise<number[]> {
  let flat: number[] = []
  await using(async (engine, model) => {
    await learn(engine, model)
    scope(() => {
      for (const { tensor, name } of model.body)
        expect([tensor.dtype, tensor.grad!.dtype], name).toEqual(['float32', 'float32'])
      flat = model.body.flatMap(({ tensor }) => [...toFloat32(tensor.grad!)])
    })
    await engine.step(model, { body: GROUP })
    for (const { moments } of model.body) expect(moments!.first.dtype).toBe('float32')
  }, precision)
  return flat
}

async function update(engine: Engine, model: LanguageModel): Promise<number> {
  const loss = await learn(engine, model)
  await engine.step(model, { body: GROUP })
  return loss
}

async function learn(engine: Engine, model: LanguageModel): Promise<number> {
  const tokens = GROUPS.flat().reduce((sum, { isScored }) => sum + isScored.reduce((a, b) => a + b, 0), 0)
  const coefficients = GROUPS.map((group) =>
    group.map(({ isScored }) => ({ logprobs_S: new Float32Array(isScored.filter(Boolean).length).fill(1 / tokens) })),
  )
  return (await engine.forwardBackward(model, GROUPS, ['logprobs'], { coefficients }, PASS)).loss
}

async function using(use: (engine: Engine, model: LanguageModel) => Promise<void>, precision: Precision = 'bfloat16') {
  const engine = createEmbeddedEngine({ precision })
  const model = (await engine.load({ from: FROM, trains: 'all' })) as LanguageModel
  try {
    await use(engine, model)
  } finally {
    await engine.release(model)
  }
}

function sequence(seed: number): Sequence {
  const length = 9 + 4 * seed
  return scored(
    Array.from(normals(seed, 'tokens', length), (x) => Math.floor(Math.abs(x) * 1e4) % 61),
    2,
  )
}

function scored(tokens: number[], first: number): Sequence {
  return { tokens: Int32Array.from(tokens), isScored: Uint8Array.from(tokens, (_, t) => Number(t >= first)) }
}
