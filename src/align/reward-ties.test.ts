// What else people say of a pair, in the reward recipe on the exact engine: ties, both bad and strength are found where they are asked
// for, change nothing where they are not, and a run with a learned rate of ties resumes bit for bit.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RewardConfig } from '#schema'
import { generator } from '#stats'
import { bytesOf, runRecipe } from '../../trials/worlds/runner.ts'
import { type SmallWorld, smallWorld } from '../../trials/worlds/tabular.ts'
import type { PairExample, Resume } from './events.ts'
import { sigmoid } from './losses/numbers.ts'
import { tieLoss, type Ties } from './losses/ties.ts'
import { reward, scoresOf } from './reward.ts'

let world: SmallWorld
beforeEach(async () => {
  world = await smallWorld({ seed: 1, maxTokens: 2 })
})
afterEach(() => world.close())

const heads = { scores: { names: ['reward'], read: 'last' as const } }
const load = (resume?: Resume) =>
  resume
    ? world.engine.load({ from: { resume: resume.saved.model! }, trains: 'all' })
    : world.engine.load({ from: { weights: world.weights }, trains: 'all', heads })
const references = () =>
  world.prompts.flatMap((prompt) => world.completions.map((completion) => ({ prompt, completion })))

async function trained(pairs: PairExample[], settings: Partial<RewardConfig>, resume?: Resume) {
  const model = await load(resume)
  const config = RewardConfig.parse({
    headLearningRate: 0.1,
    steps: 300,
    batchSize: 3,
    warmupSteps: 3,
    clipNorm: 100,
    floor: 0.01,
    ...settings,
  })
  const { engine, folder } = world
  const recipe = reward({
    engine,
    model,
    config,
    pairs,
    heldOut: pairs,
    reference: references(),
    ...(resume && { resume }),
  })
  return { model, ...(await runRecipe(recipe, { engine, folder })) }
}

/** Random pairs with the exact shares of answers that the planted rewards and the tie model give. */
function pairsWith(ties: Ties, count = 600): PairExample[] {
  const random = generator(6)
  return Array.from({ length: count }, () => {
    const prompt = random.pick(world.prompts)
    const [a, b] = [random.pick(world.completions), random.pick(world.completions)]
    const d = world.rewardOf(prompt, a) - world.rewardOf(prompt, b)
    const chance = (target: Partial<Record<'a' | 'b' | 'tie', 1>>) =>
      Math.exp(-tieLoss(d, { a: 0, b: 0, tie: 0, ...target }, ties).loss)
    const tie = chance({ tie: 1 })
    return { prompt, a, b, probability: chance({ a: 1 }) / (1 - tie), weight: 1, tie }
  })
}

const untied = ({ prompt, a, b, probability, weight }: PairExample): PairExample => ({
  prompt,
  a,
  b,
  probability,
  weight,
})

test.each([
  'davidson',
  'rao-kupper',
] as const)('%s: the planted rate of ties and score distances are found', async (model) => {
  const pairs = pairsWith({ model, rate: 0.35 })
  const { metrics, model: learned } = await trained(pairs, { ties: model, bothBadWeight: 0 })
  expect(metrics[0]!.tieRate).toBeUndefined()
  expect(metrics.at(-1)!.tieRate).toBeCloseTo(0.35, 2)
  const { affineScale } = metrics.at(-1)!
  const examples = pairs
    .slice(0, 50)
    .flatMap(({ prompt, a, b }) => [a, b].map((completion) => ({ prompt, completion })))
  const scores = await scoresOf(world.engine, learned, examples)
  pairs.slice(0, 50).forEach(({ prompt, a, b }, i) => {
    const distance = (scores[2 * i]! - scores[2 * i + 1]!) * affineScale!
    expect(Math.abs(distance - (world.rewardOf(prompt, a) - world.rewardOf(prompt, b)))).toBeLessThan(0.1)
  })
  const fixed = await trained(pairs.slice(0, 50), { ties: model, tieRate: 0.2, steps: 2 })
  expect(fixed.metrics.at(-1)!.tieRate).toBe(0.2)
})

test('both bad finds the level at which a completion is bad', async () => {
  const mark = 0.4
  const pairs = pairsWith({ model: 'davidson', rate: 0.2 }).map((pair) => {
    const [a, b] = [pair.a, pair.b].map((c) => world.rewardOf(pair.prompt, c) - mark)
    const probability = sigmoid(a! - b!)
    return { ...untied(pair), probability, bothBad: sigmoid(-a!) * sigmoid(-b!) }
  })
  const { metrics, model } = await trained(pairs, { bothBadWeight: 1 })
  const { affineMean, affineScale } = metrics.at(-1)!
  const scores = await scoresOf(world.engine, model, references())
  references().forEach(({ prompt, completion }, i) =>
    expect(
      Math.abs(scores[i]! * affineScale! + affineMean! - (world.rewardOf(prompt, completion) - mark)),
    ).toBeLessThan(0.15),
  )
})

test('shares and strengths that no setting asks for leave a run as it was, bit for bit', async () => {
  const said = pairsWith({ model: 'davidson', rate: 0.3 }, 60).map((pair) => ({ ...pair, bothBad: 0.1, margin: 2 }))
  const bare = said.map(untied)
  const runs = await Promise.all([said, bare].map((pairs) => trained(pairs, { steps: 8 })))
  expect(runs[0]!.metrics).toEqual(runs[1]!.metrics)
  const bytes = await Promise.all(runs.map(({ checkpoints }) => bytesOf(checkpoints.at(-1)!.saved.model!)))
  expect(bytes[0]).toBe(bytes[1])
  expect((await trained(said, { steps: 8, marginScale: 0.5 })).metrics).not.toEqual(runs[0]!.metrics)
})

test('a learned rate of ties goes on from a checkpoint bit for bit', async () => {
  const pairs = pairsWith({ model: 'rao-kupper', rate: 0.3 }, 60)
  const settings = { ties: 'rao-kupper', steps: 6, checkpointEvery: 2, evalEvery: 2 } as const
  const whole = await trained(pairs, settings)
  const rest = await trained(pairs, settings, whole.checkpoints[1])
  expect(rest.metrics).toEqual(whole.metrics.slice(-2))
  expect(rest.checkpoints.at(-1)!.state).toEqual(whole.checkpoints.at(-1)!.state)
})

test('settings that would be ignored, and shares beyond the whole, are errors', async () => {
  const pairs = pairsWith({ model: 'davidson', rate: 0.3 }, 4)
  const bare = pairs.map(untied)
  await expect(trained(bare, { ties: 'davidson' })).rejects.toThrow(/ties davidson would be ignored: no answer/)
  await expect(trained(pairs, { bothBadWeight: 1 })).rejects.toThrow(/bothBadWeight 1 would be ignored: no answer/)
  const onlyBad = bare.map((pair) => ({ ...pair, bothBad: 0.5 }))
  await expect(trained(onlyBad, { ties: 'davidson', bothBadWeight: 1 })).rejects.toThrow(
    /ties davidson would be ignored/,
  )
  expect((await trained(onlyBad, { ties: 'davidson', steps: 1 })).outcome.steps).toBe(1)
  await expect(trained([{ ...pairs[0]!, tie: 0.7, bothBad: 0.5 }], {})).rejects.toThrow(/0\.\.1 together/)
})
