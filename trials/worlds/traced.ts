// Twenty steps of each recipe on one tiny world, whose losses are held to a PyTorch script (scripts/goldens/traces.py).
// The script gets the batches and rollouts that are written down here, and does all the arithmetic by itself.
import { dpo, type Metrics, type PairExample, ppo, reward, type Rollout, sft } from '#align'
import { DpoConfig, PpoConfig, RewardConfig, SftConfig } from '#schema'
import { generator } from '#stats'
import { type Drawn, type Recorded, recording } from './recorded.ts'
import { runRecipe } from './runner.ts'
import { type SmallWorld, smallWorld } from './tabular.ts'

const STEPS = 20
const SHAPE = { seed: 7, words: 3, prompts: 3, maxTokens: 2 }
const CONFIGS = {
  sft: SftConfig.parse({
    steps: STEPS,
    batchSize: 4,
    learningRate: 0.05,
    warmupSteps: 3,
    clipNorm: 0.2,
    replayShare: 0.5,
    replayWeight: 0.6,
  }),
  reward: RewardConfig.parse({
    steps: STEPS,
    batchSize: 2,
    headLearningRate: 0.05,
    warmupSteps: 3,
    schedule: 'cosine',
    labelSmoothing: 0.05,
    centring: 0.01,
    marginScale: 0.5,
  }),
  dpo: DpoConfig.parse({
    steps: STEPS,
    batchSize: 6,
    learningRate: 0.05,
    warmupSteps: 3,
    labelSmoothing: 0.1,
    sftWeight: 0.2,
  }),
  ppo: PpoConfig.parse({
    steps: STEPS,
    promptsPerStep: 8,
    samplesPerPrompt: 2,
    maxTokens: 2,
    temperature: 0.9,
    learningRate: 0.05,
    criticHeadLearningRate: 0.05,
    warmupSteps: 3,
    floor: 0.1,
    criticWarmupSteps: 2,
    entropyBonus: 0.01,
    klControl: 'adaptive',
    klTarget: 0.5,
    klHorizon: 200,
    beta: 0.1,
    missingEosPenalty: 0.5,
    klBudget: 'off',
  }),
}
export type RecipeName = keyof typeof CONFIGS

/** What a run was, as far as the script must know it: token lists of each pass of the trained models, in order. */
export type Traced = {
  metrics: Metrics[]
  inputs: {
    config: Record<string, unknown>
    vocab: number
    /** Reference logits by state. */
    logits: Record<string, number[]>
    prompts: number[][]
    pairs?: Record<string, unknown>[]
    /** Groups of token lists of each forwardBackward. */
    passes: number[][][][]
    /** Sampled sequences by step. */
    rollouts?: number[][][]
    /** Planted reward by sequence. */
    rewards?: Record<string, number>
    reference?: number[][]
  }
}

/** Runs a recipe as its golden was made. */
export async function tracedRun(name: RecipeName): Promise<Traced> {
  const world = await smallWorld(SHAPE)
  try {
    const recorded: Recorded = { passes: [], drawings: [] }
    const engine = recording(world.engine, recorded)
    const from = { weights: world.weights }
    const load = (heads = {}) => engine.load({ from, trains: 'all', heads })
    const scores = { names: ['reward'], read: 'last' as const }
    const value = { hidden: [], detached: true, init: 'zero' as const }
    const pairs = pairsOf(world)
    const reference = world.prompts.flatMap((prompt) => world.completions.map((completion) => ({ prompt, completion })))
    const recipe = {
      sft: async () => {
        const replay = world.completions.slice(3, 8).map((completion) => ({ prompt: world.prompts[2]!, completion }))
        return sft({ engine, model: await load(), config: CONFIGS.sft, examples: reference.slice(0, 13), replay })
      },
      reward: async () => reward({ engine, model: await load({ scores }), config: CONFIGS.reward, pairs, reference }),
      dpo: async () => dpo({ engine, model: await load(), reference: await load(), config: CONFIGS.dpo, pairs }),
      ppo: async () => {
        const score = async (all: Rollout[]) => all.map((r) => world.rewardOf(r.prompt, r.completion))
        const models = { policy: await load(), reference: await load(), critic: await load({ value }) }
        return ppo({
          engine,
          ...models,
          config: CONFIGS.ppo,
          prompts: world.prompts,
          stopTokens: [world.stopToken],
          terms: [{ name: 'planted', weight: 2, score }],
        })
      },
    }[name]
    const { metrics } = await runRecipe(await recipe(), { engine, folder: world.folder })
    const inputs: Traced['inputs'] = {
      config: CONFIGS[name],
      vocab: SHAPE.words + 1,
      logits: world.logits,
      prompts: world.prompts.map((p) => [...p]),
      passes: recorded.passes.map((groups) => groups.map((group) => group.map(({ tokens }) => [...tokens]))),
      ...(name === 'ppo' && { rollouts: recorded.drawings.map(sequencesOf), rewards: rewardsOf(world) }),
      ...((name === 'reward' || name === 'dpo') && {
        pairs: pairs.map((p) => ({ ...p, prompt: [...p.prompt], a: [...p.a], b: [...p.b] })),
      }),
      ...(name === 'reward' && { reference: reference.map((r) => [...r.prompt, ...r.completion]) }),
    }
    return { metrics, inputs }
  } finally {
    await world.close()
  }
}

function sequencesOf(drawn: Drawn[]): number[][] {
  return drawn.map(({ prompt, completion }) => [...prompt, ...completion])
}

function pairsOf(world: SmallWorld): PairExample[] {
  const random = generator(12)
  return world.prompts.flatMap((prompt) => {
    const shuffled = random.shuffle(world.completions)
    return [0, 2, 4, 6].map((i) => ({
      prompt,
      a: shuffled[i]!,
      b: shuffled[i + 1]!,
      probability: random.uniform(),
      weight: 0.5 + random.uniform(),
      margin: 1 + random.int(4),
    }))
  })
}

function rewardsOf(world: SmallWorld): Record<string, number> {
  return Object.fromEntries(
    world.prompts.flatMap((p) => world.completions.map((c) => [[...p, ...c].join(' '), world.rewardOf(p, c)])),
  )
}
