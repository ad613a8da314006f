// SFT, reward model and DPO on the exact engine: they learn what was planted, refuse what would be ignored, and resume
// bit for bit at every step.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { completionLogprobs, type Model } from '#engine'
import { DpoConfig, RewardConfig, SftConfig } from '#schema'
import { generator, wilson } from '#stats'
import { bytesOf, type Ran, runRecipe } from '../../trials/worlds/runner.ts'
import { type SmallWorld, smallWorld } from '../../trials/worlds/tabular.ts'
import { dpo } from './dpo.ts'
import type { Example, PairExample, Recipe, Resume } from './events.ts'
import { reward, rewardAccuracy, scoresOf } from './reward.ts'
import { lossPerToken, sft } from './sft.ts'

let world: SmallWorld
beforeEach(async () => {
  world = await smallWorld({ seed: 1, maxTokens: 2 })
})
afterEach(() => world.close())

const scoreHead = { scores: { names: ['reward'], read: 'last' as const } }
const load = (heads = {}) => world.engine.load({ from: { weights: world.weights }, trains: 'all', heads })
const run = (recipe: Recipe, answer?: Parameters<typeof runRecipe>[1]['answer']) =>
  runRecipe(recipe, { engine: world.engine, folder: world.folder, ...(answer && { answer }) })

/** Demonstrations drawn from the completions with the highest planted reward. */
function demonstrations(count: number): Example[] {
  const random = generator(4)
  return Array.from({ length: count }, () => {
    const prompt = random.pick(world.prompts)
    const best = [...world.completions]
      .sort((a, b) => world.rewardOf(prompt, b) - world.rewardOf(prompt, a))
      .slice(0, 4)
    return { prompt, completion: random.pick(best) }
  })
}

/** Pairs of random completions; `probability` that of the planted reward, or a coin thrown with it. */
function pairsOf(count: number, { hard = false, seed = 6 } = {}): PairExample[] {
  const random = generator(seed)
  return Array.from({ length: count }, () => {
    const prompt = random.pick(world.prompts)
    const [a, b] = [random.pick(world.completions), random.pick(world.completions)]
    const p = 1 / (1 + Math.exp(world.rewardOf(prompt, b) - world.rewardOf(prompt, a)))
    return { prompt, a, b, probability: hard ? Number(random.uniform() < p) : p, weight: 1 }
  })
}

const references = () =>
  world.prompts.flatMap((prompt) => world.completions.map((completion) => ({ prompt, completion })))

describe('sft', () => {
  const config = (o = {}) => SftConfig.parse({ learningRate: 0.05, batchSize: 8, steps: 60, warmupSteps: 3, ...o })

  test('learns the demonstrations down to their entropy; loss and held-out loss are nats a token', async () => {
    const examples = demonstrations(300)
    const model = await load()
    const { metrics, outcome } = await run(
      sft({ engine: world.engine, model, config: config({ steps: 300, batchSize: 50 }), examples, heldOut: examples }),
    )
    // Four completions of each prompt, drawn alike: ln 4 nats a completion, spread over its tokens.
    const floor = (Math.log(4) * examples.length) / examples.reduce((n, e) => n + e.completion.length, 0)
    expect(metrics[0]!.heldOutLoss).toBeGreaterThan(1.3)
    expect(Math.abs(metrics.at(-1)!.heldOutLoss! - floor)).toBeLessThan(0.02)
    expect(metrics.at(-1)!.heldOutLoss).toBeCloseTo(await lossPerToken(world.engine, model, examples), 12)
    expect(outcome).toMatchObject({ steps: 300, stoppedBy: 'steps', kept: 300 })
  })

  test('the first loss is the mean over the tokens of the batch, not over its rows', async () => {
    const examples = demonstrations(8)
    const before = await lossPerToken(world.engine, await load(), examples)
    const { metrics } = await run(
      sft({ engine: world.engine, model: await load(), config: config({ steps: 1 }), examples }),
    )
    expect(metrics[0]!.loss).toBeCloseTo(before, 12)
    expect(metrics[0]!.tokens).toBe(examples.reduce((n, e) => n + e.completion.length, 0))
  })

  test('general rows are measured beside the held-out ones and held against the base', async () => {
    const examples = demonstrations(60)
    const general = world.completions.slice(0, 5).map((completion) => ({ prompt: world.prompts[0]!, completion }))
    const settings = config({ steps: 9, evalEvery: 3, checkpointEvery: 5 })
    const input = { engine: world.engine, config: settings, examples, heldOut: examples, general }
    const untouched = await load()
    const base = await lossPerToken(world.engine, untouched, general)
    const model = await load()
    const whole = await run(sft({ ...input, model }))
    expect(whole.metrics[0]).toMatchObject({
      generalLoss: base,
      generalPerplexity: Math.exp(base),
      generalRatio: 1,
      heldOutRatio: 1,
    })
    const last = whole.metrics.at(-1)!
    expect(last.generalLoss).toBeCloseTo(await lossPerToken(world.engine, model, general), 12)
    expect(last.generalRatio).toBeCloseTo(Math.exp(last.generalLoss! - base), 12)
    expect(last.heldOutRatio).toBeLessThan(1)
    expect(Math.abs(last.generalRatio! - 1)).toBeGreaterThan(1e-3)
    expect(last.heldOutPerplexity).toBeCloseTo(Math.exp(last.heldOutLoss!), 12)
    expect(whole.metrics.filter((row) => row.generalLoss !== undefined)).toHaveLength(4)

    const { general: _, ...alone } = input
    const without = await run(sft({ ...alone, model: await load() }))
    expect(Object.keys(without.metrics[0]!)).toEqual(['heldOutLoss'])
    expect(without.metrics.map(({ loss }) => loss)).toEqual(whole.metrics.map(({ loss }) => loss))
  })

  test('replay holds the loss on general rows down', async () => {
    const replay = world.completions.slice(0, 3).map((completion) => ({ prompt: Int32Array.of(4, 4, 4), completion }))
    const finalLoss = async (share: number) => {
      const model = await load()
      const examples = demonstrations(100)
      await run(
        sft({
          engine: world.engine,
          model,
          config: config({ replayShare: share, replayWeight: share > 0 ? 0.6 : 1 }),
          examples,
          ...(share > 0 && { replay }),
        }),
      )
      return lossPerToken(world.engine, model, replay)
    }
    expect(await finalLoss(0.5)).toBeLessThan((await finalLoss(0)) - 0.1)
  })

  test('a weight of two counts as the row twice', async () => {
    const [a, b] = demonstrations(2) as [Example, Example]
    const o = config({ steps: 1, batchSize: 2, clipNorm: 1e9 })
    const weighed = await run(
      sft({ engine: world.engine, model: await load(), config: o, examples: [{ ...a, weight: 2 }, b] }),
    )
    const twice = await run(
      sft({ engine: world.engine, model: await load(), config: { ...o, batchSize: 3 }, examples: [a, a, b] }),
    )
    expect(weighed.metrics[0]!.loss).toBeCloseTo(twice.metrics[0]!.loss!, 12)
    expect(weighed.metrics[0]!.norm).toBeCloseTo(twice.metrics[0]!.norm!, 12)
  })

  test('settings that would be ignored are errors', async () => {
    const base = { engine: world.engine, model: await load(), examples: demonstrations(4) }
    await expect(run(sft({ ...base, config: config({ replayShare: 0.5 }) }))).rejects.toThrow(
      /replay rows and replayShare/,
    )
    await expect(run(sft({ ...base, config: config(), replay: demonstrations(1) }))).rejects.toThrow(
      /replay rows and replayShare/,
    )
    await expect(
      run(sft({ ...base, config: config({ replayShare: 0.01 }), replay: demonstrations(1) })),
    ).rejects.toThrow(/half a row/)
    await expect(run(sft({ ...base, examples: [], config: config() }))).rejects.toThrow(/demonstration/)
    await expect(
      run(sft({ ...base, examples: [{ ...demonstrations(1)[0]!, weight: 0 }], config: config() })),
    ).rejects.toThrow(/above 0/)
    await expect(
      run(sft({ ...base, examples: [{ prompt: Int32Array.of(1), completion: new Int32Array(0) }], config: config() })),
    ).rejects.toThrow(/at least one token/)
  })
})

describe('reward', () => {
  const config = (o = {}) =>
    RewardConfig.parse({
      headLearningRate: 0.05,
      steps: 250,
      batchSize: 3,
      warmupSteps: 3,
      clipNorm: 100,
      floor: 0.01,
      ...o,
    })

  test('recovers planted scores from exact preferences, centred and scaled on the reference', async () => {
    const model = await load(scoreHead)
    const reference = references()
    const { metrics } = await run(
      reward({
        engine: world.engine,
        model,
        config: config({ headLearningRate: 0.1, steps: 300 }),
        pairs: pairsOf(1500),
        reference,
      }),
    )
    const scores = await scoresOf(world.engine, model, reference)
    const planted = reference.map(({ prompt, completion }) => world.rewardOf(prompt, completion))
    expect(mean(scores)).toBeCloseTo(0, 10)
    expect(mean(scores.map((s) => s * s))).toBeCloseTo(1, 10)
    // A comparison says nothing of the level of a prompt, so scores are compared within each.
    const perPrompt = world.completions.length
    for (let p = 0; p < world.prompts.length; p++)
      expect(
        correlation(
          scores.slice(p * perPrompt, (p + 1) * perPrompt),
          planted.slice(p * perPrompt, (p + 1) * perPrompt),
        ),
      ).toBeGreaterThan(0.99)
    expect(metrics.at(-1)).toMatchObject({ affineScale: expect.any(Number) })
  })

  test('held-out accuracy nears that of the planted reward', async () => {
    const model = await load(scoreHead)
    const heldOut = pairsOf(2000, { hard: true, seed: 99 })
    const { metrics } = await run(
      reward({
        engine: world.engine,
        model,
        config: config(),
        pairs: pairsOf(3000, { hard: true }),
        heldOut,
        reference: references(),
      }),
    )
    const planted = heldOut.filter(
      ({ prompt, a, b, probability }) => world.rewardOf(prompt, a) > world.rewardOf(prompt, b) === probability > 0.5,
    ).length
    expect(metrics[0]!.heldOutAccuracy).toBe(0.5)
    expect(metrics.at(-1)!.heldOutAccuracy).toBeGreaterThan(wilson(planted, 2000).value - 0.05)
    const accuracy = await rewardAccuracy(world.engine, model, { pairs: heldOut })
    expect(accuracy.value).toBeCloseTo(metrics.at(-1)!.heldOutAccuracy!, 12)
    expect(accuracy.n).toBe(2000)
  })

  test('all pairs of a prompt are one batch element and weigh as much as a prompt with one pair', async () => {
    const [p, q] = world.prompts as [Int32Array, Int32Array]
    const completions = world.completions.slice(0, 4)
    const six = completions.flatMap((a, i) =>
      completions.slice(i + 1).map((b) => ({ prompt: p, a, b, probability: 1, weight: 1 })),
    )
    const one = { prompt: q, a: completions[0]!, b: completions[1]!, probability: 1, weight: 1 }
    const first = await run(
      reward({
        engine: world.engine,
        model: await load(scoreHead),
        config: config({ batchSize: 2, steps: 1 }),
        pairs: [...six, one],
        reference: references(),
      }),
    )
    expect(first.metrics[0]!.loss).toBeCloseTo(Math.log(2), 12)
    // Four completions once each and two once each, not one sequence for each side of each pair.
    expect(first.metrics[0]!.tokens).toBe(
      [...completions, completions[0]!, completions[1]!].reduce((n, c) => n + c.length, 0),
    )
    // Each completion of the six takes part in three pairs of weight 1/6: gradients 3/12, 1/12, -1/12, -3/12; the single pair's are +-1/2; all halved.
    const squares = [3 / 12, 1 / 12, 1 / 12, 3 / 12, 1 / 2, 1 / 2].reduce((sum, g) => sum + (g / 2) ** 2, 0)
    expect(first.metrics[0]!.headNorm).toBeCloseTo(Math.sqrt(squares), 12)
  })

  test('settings that would be ignored are errors', async () => {
    const base = { engine: world.engine, model: await load(scoreHead), pairs: pairsOf(4), reference: references() }
    await expect(run(reward({ ...base, config: config({ marginScale: 1 }) }))).rejects.toThrow(/margin/)
    await expect(run(reward({ ...base, config: config(), reference: [] }))).rejects.toThrow(/reference/)
    await expect(run(reward({ ...base, config: config(), pairs: [] }))).rejects.toThrow(/at least one pair/)
    await expect(
      run(reward({ ...base, config: config(), pairs: pairsOf(1).map((p) => ({ ...p, probability: 2 })) })),
    ).rejects.toThrow(/probability/)
  })
})

describe('dpo', () => {
  const config = (o = {}) =>
    DpoConfig.parse({ learningRate: 0.02, steps: 40, batchSize: 16, beta: 0.3, warmupSteps: 3, ...o })

  test('hands out the reference once, starts at ln 2, and given the reference back does the same run', async () => {
    const reference = await world.engine.load({ from: { weights: world.weights }, trains: 'nothing' })
    const base = { engine: world.engine, config: config(), pairs: pairsOf(200), heldOut: pairsOf(50, { seed: 77 }) }
    const first = await run(dpo({ ...base, model: await load(), reference }))
    const handed = first.events.filter((e) => e.kind === 'reference')
    expect(handed).toHaveLength(1)
    expect(handed[0]!.logprobs).toHaveLength(2 * 250)
    expect(first.metrics[0]!.heldOutLoss).toBeCloseTo(Math.LN2, 12)
    expect(first.metrics[1]!.loss).toBeCloseTo(Math.LN2, 12)
    expect(first.metrics.at(-1)!.margin).toBeGreaterThan(0)
    const again = await run(dpo({ ...base, model: await load(), reference: handed[0]!.logprobs }))
    expect(again.metrics).toEqual(first.metrics)
    expect(again.events.some((e) => e.kind === 'reference')).toBe(false)
    await expect(run(dpo({ ...base, model: await load(), reference: new Float64Array(4) }))).rejects.toThrow(
      /other pairs/,
    )
  })

  test('the supervised term holds up the log-probability of the chosen', async () => {
    const reference = await world.engine.load({ from: { weights: world.weights }, trains: 'nothing' })
    const chosen = async (sftWeight: number) => {
      const { metrics } = await run(
        dpo({
          engine: world.engine,
          model: await load(),
          reference,
          config: config({ sftWeight }),
          pairs: pairsOf(200, { hard: true }),
        }),
      )
      return metrics.at(-1)!.chosenLogprob!
    }
    expect(await chosen(5)).toBeGreaterThan((await chosen(0)) + 0.1)
  })
})

describe('resume', () => {
  const steps = 6
  const cases: Record<string, (model: Model, resume?: Resume) => Recipe> = {
    sft: (model, resume) =>
      sft({
        engine: world.engine,
        model,
        config: SftConfig.parse({ steps, checkpointEvery: 1, evalEvery: 2, replayShare: 0.5 }),
        examples: demonstrations(20),
        heldOut: demonstrations(5),
        replay: references().slice(0, 9),
        ...(resume && { resume }),
      }),
    'sft with general rows': (model, resume) =>
      sft({
        engine: world.engine,
        model,
        config: SftConfig.parse({ steps, checkpointEvery: 1, evalEvery: 2 }),
        examples: demonstrations(12),
        heldOut: demonstrations(4),
        general: demonstrations(20).slice(15),
        ...(resume && { resume }),
      }),
    reward: (model, resume) =>
      reward({
        engine: world.engine,
        model,
        config: RewardConfig.parse({ steps, checkpointEvery: 1, evalEvery: 2 }),
        pairs: pairsOf(60),
        heldOut: pairsOf(10),
        reference: references(),
        ...(resume && { resume }),
      }),
    dpo: (model, resume) =>
      dpo({
        engine: world.engine,
        model,
        reference: new Float64Array(140).fill(-3),
        config: DpoConfig.parse({ steps, checkpointEvery: 1, evalEvery: 2 }),
        pairs: pairsOf(60),
        heldOut: pairsOf(10),
        ...(resume && { resume }),
      }),
  }

  for (const [name, recipe] of Object.entries(cases))
    test(`${name} continues bit for bit from every step`, async () => {
      const heads = name === 'reward' ? scoreHead : {}
      const whole = await run(recipe(await load(heads)))
      expect(whole.checkpoints.map((c) => c.step)).toEqual([1, 2, 3, 4, 5, 6])
      const last = await bytesOf(whole.checkpoints.at(-1)!.saved.model!)
      for (const checkpoint of whole.checkpoints.slice(0, -1)) {
        const model = await world.engine.load({ from: { resume: checkpoint.saved.model! }, trains: 'all' })
        const rest = await run(recipe(model, checkpoint))
        expect(stepsOnly(rest)).toEqual(stepsOnly(whole).filter((e) => e.step > checkpoint.step))
        expect(await bytesOf(rest.checkpoints.at(-1)!.saved.model!)).toBe(last)
        expect(rest.outcome).toEqual(whole.outcome)
      }
    })

  test('a finished run resumed is over at once; the state of another recipe is refused', async () => {
    const { checkpoints, outcome } = await run(cases.sft!(await load()))
    const done = await run(cases.sft!(await load(), checkpoints.at(-1)))
    expect(done.events).toEqual([])
    expect(done.outcome).toMatchObject({ steps: 6, stoppedBy: 'steps', kept: 6 })
    expect(outcome.kept).toBe(6)
    await expect(run(cases.dpo!(await load(), checkpoints[0]))).rejects.toThrow(/not one of this recipe/)
    const general = cases['sft with general rows']!
    await expect(run(general(await load(), checkpoints[0]))).rejects.toThrow(/with other evaluation rows/)
  })

  test("'checkpoint' saves and goes on, 'stop' saves and ends, each with the answer to a step", async () => {
    const recipe = async () =>
      sft({
        engine: world.engine,
        model: await load(),
        config: SftConfig.parse({ steps }),
        examples: demonstrations(20),
      })
    const going = await run(await recipe(), (step) => (step === 2 ? 'checkpoint' : undefined))
    expect(going.checkpoints.map((c) => [c.step, c.reason])).toEqual([
      [2, 'asked'],
      [6, 'end'],
    ])
    const stopped = await run(await recipe(), (step) => (step === 2 ? 'stop' : undefined))
    expect(stopped.checkpoints.map((c) => [c.step, c.reason])).toEqual([[2, 'asked']])
    expect(stopped.outcome).toMatchObject({ steps: 2, stoppedBy: 'asked' })
  })

  test('equal seeds give equal runs, other seeds other runs', async () => {
    const losses = async (seed: number) => {
      const config = SftConfig.parse({ seed, steps: 3, batchSize: 2 })
      return (
        await run(sft({ engine: world.engine, model: await load(), config, examples: demonstrations(20) }))
      ).metrics.map((m) => m.loss)
    }
    expect(await losses(1)).toEqual(await losses(1))
    expect(await losses(2)).not.toEqual(await losses(1))
  })
})

function stepsOnly({ events }: Ran) {
  return events.flatMap((e) => (e.kind === 'step' && e.step > 0 ? [e] : []))
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((a, b) => a + b, 0) / values.length
}

function correlation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const [mx, my] = [mean(x), mean(y)]
  const xs = Array.from(x, (v) => v - mx)
  const ys = Array.from(y, (v) => v - my)
  const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0)
  return dot(xs, ys) / Math.sqrt(dot(xs, xs) * dot(ys, ys))
}

test('the exact log-probabilities of a trained model sum to 1 over all completions', async () => {
  const model = await load()
  await run(sft({ engine: world.engine, model, config: SftConfig.parse({ steps: 5 }), examples: demonstrations(9) }))
  const logprobs = await completionLogprobs(world.engine, model, {
    prompt: world.prompts[0]!,
    completions: world.completions,
  })
  expect(logprobs.reduce((sum, l) => sum + Math.exp(l), 0)).toBeCloseTo(1, 12)
})
