// Twenty steps of each recipe on a tiny Llama in the embedded engine: packed float32 passes with shared stems. Losses and
// weights are held to a PyTorch script that takes one sequence at a time (scripts/goldens/llama_traces.py).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dpo, type Example, type Metrics, type PairExample, ppo, type Recipe, reward, type Rollout, sft } from '#align'
import type { Engine, HeadSpec, Model, Saved, Sequence } from '#engine'
import { createEmbeddedEngine } from '#lm'
import { DpoConfig, PpoConfig, RewardConfig, SftConfig } from '#schema'
import { generator } from '#stats'
import { readSafetensors, type StoredTensor } from '../../src/lm/safetensors.ts'
import { type Drawn, type Recorded, recording, replaying } from './recorded.ts'
import { runRecipe } from './runner.ts'
import type { RecipeName } from './traced.ts'

/** Weights wide enough that a wrong detail moves the losses; grouped queries, scaled rotation, a head tied to the embedding. */
const from = { weights: join(import.meta.dirname, '../../src/lm/goldens/grouped-tied') }
/** Of a saved model: its body with a score head, and a value head. */
const WEIGHT_FILES = ['model.safetensors', 'hone-heads.safetensors']
const VOCABULARY = 61
const STOP = 2
/** Tokens below it are special, and each ends a completion: untrained weights seldom draw any one token. */
const FIRST_WORD = 3
const PROMPTS = 6
const COMPLETIONS = 6

const common = { steps: 20, warmupSteps: 3, weightDecay: 0.1 }
const CONFIGS = {
  sft: SftConfig.parse({
    ...common,
    batchSize: 8,
    learningRate: 3e-3,
    clipNorm: 2,
    replayShare: 0.5,
    replayWeight: 0.6,
  }),
  reward: RewardConfig.parse({
    ...common,
    batchSize: 3,
    learningRate: 3e-3,
    headLearningRate: 1e-2,
    schedule: 'cosine',
    labelSmoothing: 0.05,
    centring: 0.01,
    marginScale: 0.5,
  }),
  dpo: DpoConfig.parse({ ...common, batchSize: 6, learningRate: 1e-3, labelSmoothing: 0.1, sftWeight: 0.2 }),
  ppo: PpoConfig.parse({
    ...common,
    promptsPerStep: 4,
    samplesPerPrompt: 3,
    maxTokens: 8,
    temperature: 0.9,
    learningRate: 1e-3,
    criticLearningRate: 2e-3,
    criticHeadLearningRate: 1e-2,
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

/** By model, and by key of its checkpoint. */
export type Tensors = Record<string, Record<string, { shape: number[]; values: Float32Array }>>

export type TracedLlama = {
  metrics: Metrics[]
  /** Of the models that learn, before and after. */
  start: Tensors
  end: Tensors
  /** Groups of each forwardBackward. */
  passes: Sequence[][][]
  /** What the script must know. */
  inputs: Record<string, unknown>
}

/** Runs a recipe as its golden was made; `drawings` are given to PPO in place of fresh ones. */
export async function tracedLlama(name: RecipeName, drawings?: Drawn[][]): Promise<TracedLlama> {
  const folder = mkdtempSync(join(tmpdir(), 'hone-traced-'))
  try {
    const recorded: Recorded = { passes: [], drawings: [] }
    // Products so small take longer on two.
    const embedded = createEmbeddedEngine({ threads: 1 })
    const engine = recording(drawings ? replaying(embedded, drawings) : embedded, recorded)
    const { trained, frozen = [], recipe, inputs = {} } = await RECIPES[name](engine)
    const saved: Record<string, Saved> = {}
    for (const [role, model] of Object.entries(trained))
      saved[role] = await engine.save(model, 'weights', join(folder, role))
    const { metrics, checkpoints } = await runRecipe(recipe, { engine, folder })
    for (const model of [...Object.values(trained), ...frozen]) await engine.release(model)
    const start = tensorsOf(saved)
    const end = tensorsOf(checkpoints.at(-1)!.saved)
    const passes = recorded.passes.map((groups) => groups.map((group) => group.map(plainSequence)))
    const known = { config: CONFIGS[name], heads: headsOf(start), passes, rollouts: recorded.drawings, ...inputs }
    return { metrics, start, end, passes: recorded.passes, inputs: known }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

type Setting = {
  trained: Record<string, Model>
  frozen?: Model[]
  recipe: Recipe
  inputs?: Record<string, unknown>
}

const RECIPES: Record<RecipeName, (engine: Engine) => Promise<Setting>> = {
  async sft(engine) {
    const model = await load(engine)
    const { examples, replay } = rows()
    return { trained: { model }, recipe: sft({ engine, model, config: CONFIGS.sft, examples, replay }) }
  },
  async reward(engine) {
    const model = await load(engine, { scores: { names: ['reward'], read: 'last' } })
    const { examples: reference, pairs } = rows()
    const recipe = reward({ engine, model, config: CONFIGS.reward, pairs, reference })
    const inputs = { pairs: pairs.map(plainPair), reference: reference.map((e) => [...e.prompt, ...e.completion]) }
    return { trained: { model }, recipe, inputs }
  },
  async dpo(engine) {
    const model = await load(engine)
    const reference = await engine.load({ from, trains: 'nothing' })
    const { pairs } = rows()
    const recipe = dpo({ engine, model, reference, config: CONFIGS.dpo, pairs })
    return { trained: { model }, frozen: [reference], recipe, inputs: { pairs: pairs.map(plainPair) } }
  },
  async ppo(engine) {
    const policy = await load(engine)
    const critic = await load(engine, { value: { hidden: [8], detached: false, init: 'normal' } })
    const reference = await engine.load({ from, trains: 'nothing' })
    const { prompts } = rows()
    const score = async (rollouts: Rollout[]) => rollouts.map(({ completion }) => plantedReward(completion))
    const recipe = ppo({
      engine,
      policy,
      reference,
      critic,
      config: CONFIGS.ppo,
      prompts,
      stopTokens: Array.from({ length: FIRST_WORD }, (_, token) => token),
      terms: [{ name: 'planted', weight: 2, score }],
    })
    return { trained: { policy, critic }, frozen: [reference], recipe }
  },
}

function load(engine: Engine, heads: HeadSpec = {}): Promise<Model> {
  return engine.load({ from, trains: 'all', heads, seed: 5 })
}

type Rows = { prompts: Int32Array[]; examples: Example[]; replay: Example[]; pairs: PairExample[] }

/** Prompts long enough to be shared stems, and a few completions of each. */
function rows(): Rows {
  const random = generator(12)
  const words = (count: number) => Array.from({ length: count }, () => FIRST_WORD + random.int(VOCABULARY - FIRST_WORD))
  const prompts = Array.from({ length: PROMPTS }, (_, p) => Int32Array.of(FIRST_WORD + p, ...words(17 + p)))
  const examplesOf = (prompt: Int32Array) =>
    Array.from({ length: COMPLETIONS }, () => ({
      prompt,
      completion: Int32Array.of(...words(2 + random.int(8)), STOP),
    }))
  const byPrompt = prompts.map(examplesOf)
  const pairs = byPrompt.flatMap((own) =>
    [0, 1, 2, 3].map((i) => ({
      prompt: own[0]!.prompt,
      a: own[i]!.completion,
      b: own[i + 1]!.completion,
      probability: random.uniform(),
      weight: 0.5 + random.uniform(),
      margin: 1 + random.int(4),
    })),
  )
  const replay = Array.from({ length: 10 }, () => ({
    prompt: Int32Array.of(FIRST_WORD + PROMPTS, ...words(3)),
    completion: Int32Array.from(words(12)),
  }))
  return { prompts, examples: byPrompt.flat(), replay, pairs }
}

/** The share of a completion's tokens from the lower half of the vocabulary. */
function plantedReward(completion: Int32Array): number {
  return completion.filter((token) => token < VOCABULARY / 2).length / completion.length
}

/** `prompt`: how many tokens come before the first that is scored. */
function plainSequence({ tokens, isScored }: Sequence): { tokens: number[]; prompt: number } {
  return { tokens: [...tokens], prompt: isScored.indexOf(1) }
}

function plainPair(pair: PairExample): Record<string, unknown> {
  return { ...pair, prompt: [...pair.prompt], a: [...pair.a], b: [...pair.b] }
}

function tensorsOf(saved: Record<string, Saved>): Tensors {
  return Object.fromEntries(
    Object.entries(saved).map(([role, { folder, files }]) => {
      const held = files.filter(({ path }) => WEIGHT_FILES.includes(path))
      const tensors = held.flatMap(({ path }) => [...readSafetensors(join(folder, path)).tensors])
      return [role, Object.fromEntries(tensors.map(([key, stored]) => [key, valuesOf(stored)]))]
    }),
  )
}

/** As JSON. */
function headsOf(start: Tensors): Record<string, { shape: number[]; values: number[] }> {
  const all = Object.values(start).flatMap((tensors) => Object.entries(tensors))
  const heads = all.filter(([key]) => /^(score|value)\./.test(key))
  return Object.fromEntries(heads.map(([key, { shape, values }]) => [key, { shape, values: [...values] }]))
}

function valuesOf({ shape, bytes }: StoredTensor): { shape: number[]; values: Float32Array } {
  return { shape, values: new Float32Array(bytes().buffer) }
}
