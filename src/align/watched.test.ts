// Watched prompts of SFT and DPO on the exact engine: the same draws at every step, of the weights as they stand, and without them
// the run is the same number by number.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DpoConfig, SftConfig } from '#schema'
import { runRecipe } from '../../trials/worlds/runner.ts'
import { type SmallWorld, smallWorld } from '../../trials/worlds/tabular.ts'
import { dpo } from './dpo.ts'
import type { Recipe, RecipeEvent } from './events.ts'
import { sft } from './sft.ts'
import type { Watched } from './watched.ts'

let world: SmallWorld
beforeEach(async () => {
  world = await smallWorld({ seed: 1, maxTokens: 2 })
})
afterEach(() => world.close())

const load = () => world.engine.load({ from: { weights: world.weights }, trains: 'all' })
const run = (recipe: Recipe) => runRecipe(recipe, { engine: world.engine, folder: world.folder })
const settings = { learningRate: 0.05, batchSize: 4, steps: 10, warmupSteps: 1 }

type Start = (o: { watched?: Watched; more?: object }) => Promise<Recipe>
const RECIPES: Record<'sft' | 'dpo', Start> = {
  sft: async ({ watched, more }) =>
    sft({
      engine: world.engine,
      model: await load(),
      config: SftConfig.parse({ ...settings, ...more }),
      examples: world.completions.slice(0, 3).map((completion) => ({ prompt: world.prompts[0]!, completion })),
      ...(watched && { watched }),
    }),
  dpo: async ({ watched, more }) => {
    const [a, b] = world.completions as [Int32Array, Int32Array]
    return dpo({
      engine: world.engine,
      model: await load(),
      reference: await load(),
      config: DpoConfig.parse({ ...settings, ...more }),
      pairs: world.prompts.map((prompt) => ({ prompt, a, b, probability: 1, weight: 1 })),
      ...(watched && { watched }),
    })
  },
}

const samplesIn = (events: RecipeEvent[]) => events.flatMap((event) => (event.kind === 'samples' ? [event] : []))
const completionsOf = ({ samples }: { samples: { completion: Int32Array }[] }) =>
  samples.map(({ completion }) => [...completion].join(' '))

test.each(['sft', 'dpo'] as const)('%s samples before the first step, every few and at the last', async (recipe) => {
  const watched = { prompts: world.prompts, stopTokens: [world.stopToken] }
  const more = { samplesEvery: 4, samplesMaxTokens: 2 }
  const { events, metrics } = await run(await RECIPES[recipe]({ watched, more }))
  const found = samplesIn(events)
  expect(found.map(({ step }) => step)).toEqual([0, 4, 8, 10])
  for (const { samples } of found) {
    expect(samples.map(({ prompt }) => prompt)).toEqual(world.prompts)
    for (const { completion, metrics: said } of samples) {
      expect(completion.length).toBeLessThanOrEqual(2)
      expect(said).toEqual({})
    }
  }
  const unwatched = await run(await RECIPES[recipe]({}))
  expect(unwatched.metrics).toEqual(metrics)
  expect(samplesIn(unwatched.events)).toEqual([])
})

test('the draws are the same at every step: only learning changes a sample', async () => {
  const watched = { prompts: world.prompts, stopTokens: [world.stopToken] }
  const more = { samplesEvery: 1, samplesMaxTokens: 2, schedule: 'linear', floor: 1 }
  const still = await run(await RECIPES.sft({ watched, more: { ...more, learningRate: 1e-12 } }))
  const [first, ...rest] = samplesIn(still.events).map(completionsOf)
  for (const later of rest) expect(later).toEqual(first)
  // By the likeliest token alone, three demonstrations of one prompt are enough to change what it answers or leave it.
  const moved = await run(await RECIPES.sft({ watched, more: { ...more, learningRate: 1, samplesTemperature: 0 } }))
  const told = samplesIn(moved.events).map(completionsOf)
  expect(world.completions.slice(0, 3).map((completion) => [...completion].join(' '))).toContain(told.at(-1)![0])
  const other = await run(await RECIPES.sft({ watched, more: { ...more, seed: 2 } }))
  expect(completionsOf(samplesIn(other.events)[0]!)).not.toEqual(first)
})
