// PPO and DPO on ten enumerable worlds against the exact optimum. PPO samples at a fixed beta whose optimum lies at least
// 1 nat from the reference and must attain 95% of J* - J_ref, with either critic; DPO learns from 4,000 pairs of which each was judged 500 times
// by coin flips of the probability that the rewards give, and must attain 98%; each on 8 of 10 seeds, none collapsed: all
// end above the reference. Exits 1 where it does not hold. `npm run trials -- tabular-optimum [seeds]`
import { pathToFileURL } from 'node:url'
import { dpo, type PairExample, ppo, type Rollout } from '#align'
import { DpoConfig, PpoConfig } from '#schema'
import { deriveSeed, generator } from '#stats'
import { type Measured, type SmallWorld, smallWorld } from './worlds/tabular.ts'

const BETA = 0.35
const PAIRS = 4000
const JUDGEMENTS = 500

/** What PPO attains on the world of this seed, measured exactly; its critic is a model of its own or a head on the policy. */
export function ppoOptimum(
  seed: number,
  { criticFrom = 'model' }: { criticFrom?: 'model' | 'policy' } = {},
): Promise<Measured> {
  return inWorld(seed, async (world) => {
    const { engine, prompts, stopToken, maxTokens } = world
    const from = { weights: world.weights }
    const reference = await engine.load({ from, trains: 'nothing' })
    const value = { hidden: [], detached: true, init: 'zero' as const }
    const critic = await engine.load({ from, trains: 'all', heads: { value } })
    const policy = criticFrom === 'policy' ? critic : await engine.load({ from, trains: 'all' })
    const config = PpoConfig.parse({
      seed,
      steps: 60,
      promptsPerStep: 128,
      maxTokens,
      learningRate: 0.1,
      criticHeadLearningRate: 0.1,
      warmupSteps: 3,
      floor: 0.02,
      beta: BETA,
      missingEosPenalty: 0,
      klBudget: 'off',
      clipValue: 0.5,
      clipNorm: 10,
    })
    const score = async (rollouts: Rollout[]) => rollouts.map((r) => world.rewardOf(r.prompt, r.completion))
    const terms = [{ name: 'planted', weight: 1, score }]
    for await (const _ of ppo({ engine, policy, reference, critic, config, prompts, stopTokens: [stopToken], terms }))
      continue
    return world.measure({ model: policy, reference, beta: BETA })
  })
}

/** What DPO attains from pairs of random completions, each with the share of its flipped judgements that chose the first. */
export function dpoOptimum(seed: number): Promise<Measured> {
  return inWorld(seed, async (world) => {
    const { engine, prompts, completions } = world
    const model = await engine.load({ from: { weights: world.weights }, trains: 'all' })
    const reference = await engine.load({ from: { weights: world.weights }, trains: 'nothing' })
    const random = generator(deriveSeed(seed, 'pairs'))
    const pairs = Array.from({ length: PAIRS }, (): PairExample => {
      const [prompt, a, b] = [random.pick(prompts), random.pick(completions), random.pick(completions)]
      const probability = 1 / (1 + Math.exp(world.rewardOf(prompt, b) - world.rewardOf(prompt, a)))
      const chosen = Array.from({ length: JUDGEMENTS }, () => random.uniform() < probability).filter(Boolean).length
      return { prompt, a, b, probability: chosen / JUDGEMENTS, weight: 1 }
    })
    const config = DpoConfig.parse({
      seed,
      epochs: 8,
      batchSize: 64,
      learningRate: 0.1,
      beta: BETA,
      clipNorm: 10,
      weightDecay: 0,
      floor: 0.01,
    })
    for await (const _ of dpo({ engine, model, reference, config, pairs })) continue
    return world.measure({ model, reference, beta: BETA })
  })
}

async function inWorld<T>(seed: number, use: (world: SmallWorld) => Promise<T>): Promise<T> {
  const world = await smallWorld({ seed })
  try {
    return await use(world)
  } finally {
    await world.close()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const seeds = Number(process.argv[2] ?? 10)
  for (const [name, trial, share] of [
    ['ppo', ppoOptimum, 0.95],
    ["ppo, critic on the policy's trunk", (seed: number) => ppoOptimum(seed, { criticFrom: 'policy' }), 0.95],
    ['dpo', dpoOptimum, 0.98],
  ] as const) {
    let reached = 0
    let collapsed = 0
    for (let seed = 1; seed <= seeds; seed++) {
      const m = await trial(seed)
      reached += Number(m.attained >= share)
      collapsed += Number(m.attained <= 0)
      console.log(
        `${name} seed ${seed}: attained ${m.attained.toFixed(4)} of ${m.reference.toFixed(3)} to ${m.optimum.toFixed(3)}, KL ${m.kl.toFixed(2)}, optimum's ${m.optimumKl.toFixed(2)}`,
      )
    }
    console.log(`${name}: ${reached} of ${seeds} seeds attained ${share}, ${collapsed} collapsed`)
    if (reached < 0.8 * seeds || collapsed > 0) process.exitCode = 1
  }
}
