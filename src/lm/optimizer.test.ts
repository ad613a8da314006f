import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { GroupLoss, UpdateGroup } from '#engine/contract'
import { liveTensors, scope, toFloat32 } from '#torch'
import { createEmbeddedEngine } from './embedded.ts'
import type { LanguageModel } from './model.ts'

const engine = createEmbeddedEngine()
const PASS = { temperature: 1, seed: 0 }
const GROUP: UpdateGroup = { learningRate: 0.01, clipNorm: 0.5, betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 }
const SEQUENCE = { tokens: Int32Array.of(3, 1, 4, 1, 5, 9, 2, 6), isScored: Uint8Array.of(0, 0, 1, 1, 1, 1, 1, 1) }

let before = 0
let model: LanguageModel
beforeEach(async () => {
  before = liveTensors()
  model = (await engine.load({
    from: { weights: join(import.meta.dirname, 'goldens/wide-heads') },
    trains: 'all',
    heads: { value: { hidden: [6], detached: true, init: 'normal' } },
    seed: 1,
  })) as LanguageModel
})
afterEach(async () => {
  await engine.release(model)
  expect(liveTensors()).toBe(before)
})

test('three steps equal AdamW written out in float64: clipped, decayed but for norms, biases and heads', async () => {
  const expected = snapshot().map((values) => Float64Array.from(values))
  const moments = expected.map((values) => ({ m: new Float64Array(values.length), v: new Float64Array(values.length) }))
  const parameters = [...model.body, ...model.heads]
  for (let step = 1; step <= 3; step++) {
    await learn()
    const gradients = scope(() => parameters.map(({ tensor }) => toFloat32(tensor.grad!)))
    const norms = [gradients.slice(0, model.body.length), gradients.slice(model.body.length)].map((part) =>
      Math.sqrt(part.flatMap((g) => [...g]).reduce((sum, x) => sum + x * x, 0)),
    )
    const stats = await engine.step(model, { body: GROUP, heads: { ...GROUP, learningRate: 0.03 } })
    expect(stats).toMatchObject({ skipped: false, step })
    expect(stats.bodyNorm! / norms[0]!).toBeCloseTo(1, 5)
    expect(stats.headsNorm! / norms[1]!).toBeCloseTo(1, 5)
    parameters.forEach(({ isDecayed }, p) => {
      const isHead = p >= model.body.length
      const rate = isHead ? 0.03 : 0.01
      const clip = Math.min(1, 0.5 / (norms[Number(isHead)]! + 1e-6))
      const { m, v } = moments[p]!
      const values = expected[p]!
      for (let i = 0; i < values.length; i++) {
        const g = gradients[p]![i]! * clip
        if (isDecayed) values[i]! *= 1 - rate * 0.1
        m[i] = 0.9 * m[i]! + 0.1 * g
        v[i] = 0.95 * v[i]! + 0.05 * g * g
        values[i]! -= (rate * (m[i]! / (1 - 0.9 ** step))) / (Math.sqrt(v[i]! / (1 - 0.95 ** step)) + 1e-8)
      }
    })
    snapshot().forEach((values, p) => {
      const most = values.reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[p]![i]!)), 0)
      expect(most, parameters[p]!.name).toBeLessThan(2e-5)
    })
  }
  expect(parameters.filter((p) => !p.isDecayed).map((p) => p.name)).toEqual(
    parameters.map((p) => p.name).filter((name) => /norm|value/.test(name)),
  )
})

test('a group that is absent is not touched, and gradients are cleared all the same', async () => {
  await learn()
  const old = snapshot()
  await engine.step(model, { heads: GROUP })
  const now = snapshot()
  model.body.forEach((_, i) => expect(now[i]).toEqual(old[i]))
  expect(now.at(-1)).not.toEqual(old.at(-1))
  expect(model.body.every((p) => p.moments === undefined && p.tensor.grad === null)).toBe(true)
  expect(model.updates).toEqual({ body: 0, heads: 1, step: 1 })
})

test('a step that is not finite changes nothing and is said', async () => {
  const old = snapshot()
  await learn(1e38)
  await learn(1e38)
  const stats = await engine.step(model, { body: GROUP, heads: GROUP })
  expect(stats.skipped).toBe(true)
  expect(snapshot()).toEqual(old)
  expect(model.updates.step).toBe(0)
  expect(model.body.every((p) => p.moments === undefined && p.tensor.grad === null)).toBe(true)
})

test('settings for heads that are not there are refused', async () => {
  const plain = await engine.load({
    from: { weights: join(import.meta.dirname, 'goldens/wide-heads') },
    trains: 'all',
  })
  await expect(engine.step(plain, { heads: GROUP })).rejects.toThrow(/it has none/)
  await engine.release(plain)
})

async function learn(scale = 1): Promise<void> {
  const loss: GroupLoss = (out) => ({
    loss: 0,
    stats: {},
    gradient: out.map((o) => ({
      logprobs_S: o.logprobs_S!.map((_, i) => scale * (i % 2 === 0 ? -1 : 0.5)),
      values_S: o.values_S!.map((x) => scale * x),
    })),
  })
  await engine.forwardBackward(model, [[SEQUENCE]], ['logprobs', 'values'], loss, PASS)
}

function snapshot(): Float32Array[] {
  return [...model.body, ...model.heads].map(({ tensor }) => toFloat32(tensor))
}
