// Faults planted in the decoder of a real model: PPO's own metrics see them at the first step and the alarm pauses the run; a
// decoder that is right stays three orders of magnitude below the alarm.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ppo } from '#align'
import type { Engine, Model, SampleEvent } from '#engine'
import { createEmbeddedEngine } from '#lm'
import { PpoConfig } from '#schema'
import { forbidLeaks, keep, mulScalar, mulScalar_, noGrad, scope, type Tensor } from '#torch'
import { makeSmallFiles } from '../trials/worlds/small-run.ts'
import { runRecipe } from '../trials/worlds/runner.ts'

forbidLeaks({ beforeEach, afterEach })

const THRESHOLD = 0.02

let folder: string
beforeEach(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-decoder-fault-'))
  await makeSmallFiles(folder)
})
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }))

/** What a handle of the embedded engine holds, as far as a fault needs it. */
type Opened = Model & {
  body: { tensor: Tensor }[]
  decoder: { inverse: Tensor; layers: { attentionIn?: { weight: Tensor } }[]; norm: { weight: Tensor } }
}

/** Runs a stream of samples with one tensor of the decoder multiplied, and puts it back. */
async function* withScaled(
  holder: Record<string, Tensor>,
  o: { key: string; factor: number; stream: () => AsyncIterable<SampleEvent> },
): AsyncGenerator<SampleEvent> {
  const right = holder[o.key]!
  const wrong = keep(scope(() => noGrad(() => mulScalar(right, o.factor))))
  holder[o.key] = wrong
  try {
    yield* o.stream()
  } finally {
    holder[o.key] = right
    wrong.free()
  }
}

type Sample = Engine['sample']
const FAULTS: Record<string, (engine: Engine, stale: Model) => Sample> = {
  'positions that turn at another speed': (engine) => (model, requests, o) =>
    withScaled((model as Opened).decoder as unknown as Record<string, Tensor>, {
      key: 'inverse',
      factor: 3,
      stream: () => engine.sample(model, requests, o),
    }),
  'a norm that is off': (engine) => (model, requests, o) =>
    withScaled((model as Opened).decoder.layers[1]!.attentionIn!, {
      key: 'weight',
      factor: 4,
      stream: () => engine.sample(model, requests, o),
    }),
  'weights of another step': (engine, stale) => (_, requests, o) => engine.sample(stale, requests, o),
}

/** A model whose tokens and positions matter: a fresh one says nearly the same of every token. */
async function opinionated(engine: Engine): Promise<string> {
  const model = (await engine.load({ from: { weights: join(folder, 'model') }, trains: 'all' })) as Opened
  noGrad(() =>
    scope(() => {
      for (const { tensor } of model.body) if (tensor.shape.length > 1) mulScalar_(tensor, 10)
    }),
  )
  const { folder: to } = await engine.save(model, 'weights', join(folder, 'opinionated'))
  await engine.release(model)
  return to
}

async function run(plant?: (engine: Engine, stale: Model) => Sample) {
  const engine = createEmbeddedEngine()
  const weights = await opinionated(engine)
  const policy = await engine.load({ from: { weights }, trains: 'all' })
  const reference = await engine.load({ from: { weights }, trains: 'nothing' })
  const stale = await engine.load({ from: { weights }, trains: 'nothing' })
  const critic = await engine.load({
    from: { weights },
    trains: 'all',
    heads: { value: { hidden: [], detached: false, init: 'zero' } },
  })
  const faulty: Engine = { ...engine, ...(plant && { sample: plant(engine, stale) }) }
  const config = PpoConfig.parse({
    steps: 8,
    promptsPerStep: 8,
    maxTokens: 10,
    learningRate: 2e-3,
    warmupSteps: 1,
    criticWarmupSteps: 0,
    checkpointEvery: 1000,
    klBudget: 'off',
    onAlarm: plant ? 'stop' : 'note',
  })
  const ran = await runRecipe(
    ppo({
      engine: faulty,
      policy,
      reference,
      critic,
      config,
      prompts: Array.from({ length: 16 }, (_, i) =>
        Int32Array.from({ length: 12 }, (__, t) => 3 + ((i * 7 + t * 5) % 60)),
      ),
      stopTokens: [1],
      terms: [
        {
          name: 'low',
          weight: 1,
          score: async (rollouts) => rollouts.map((r) => r.completion.filter((t) => t < 40).length),
        },
      ],
    }),
    { engine, folder },
  )
  for (const model of [policy, reference, stale, critic]) await engine.release(model)
  const gaps = ran.metrics.map((m) => m.samplerGapMean!)
  const fired = ran.events.flatMap((e) => (e.kind === 'alarm' && e.name === 'sampler-gap' ? [e.step] : []))
  return { gaps, fired, outcome: ran.outcome }
}

test('a right decoder: the gap is that of rounding at every step, and no alarm', async () => {
  const { gaps, fired } = await run()
  expect(gaps).toHaveLength(8)
  for (const gap of gaps) expect(gap).toBeLessThan(THRESHOLD / 1000)
  expect(fired).toEqual([])
})

describe('a planted fault is seen and the run paused', () => {
  test.each(Object.entries(FAULTS))('%s', async (_, plant) => {
    const { gaps, fired, outcome } = await run(plant)
    expect(fired).toHaveLength(1)
    expect(gaps[fired[0]! - 1]).toBeGreaterThan(THRESHOLD)
    expect(outcome.stoppedBy).toBe('alarm')
    expect(outcome.reason).toMatch(/sampler-gap/)
  })
})
