// One PPO iteration of SmolLM2-135M's shape with adapters and the critic on the policy's trunk, beside the sum of its parts
// benched alone in the same run: sampling, one forward pass each of policy, reference and reward model, and the updates. What
// is beyond the sum is the recipe's own: arrays, advantages, waiting.
// npm run bench -- ppo-iteration [--prompts 64] [--prompt 60] [--tokens 60] [--epochs 2] [--threads 2] [--dtype float32]
import fs from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ppo, sampleRollouts, sequenceOf } from '#align'
import type { AdapterSpec, Model, Sequence } from '#engine'
import { createEmbeddedEngine, type Precision } from '#lm'
import { PpoConfig } from '#schema'
import { bestSeconds, PASS, UPDATE } from './worlds/rows.ts'
import { makeSmollm2, SMOLLM2 } from './worlds/smollm2-shape.ts'

const { values } = parseArgs({
  options: {
    prompts: { type: 'string', default: '64' },
    prompt: { type: 'string', default: '60' },
    tokens: { type: 'string', default: '60' },
    epochs: { type: 'string', default: '2' },
    threads: { type: 'string', default: String(cpus().length) },
    dtype: { type: 'string', default: 'float32' },
  },
})
const count = Number(values.prompts)
const maxTokens = Number(values.tokens)
const epochs = Number(values.epochs)
const MINIBATCHES = 4
/** No completion ends before its time: a token that random weights hardly draw. */
const STOP = [SMOLLM2.vocabSize - 1]

const folder = fs.mkdtempSync(join(tmpdir(), 'hone-ppo-iteration-'))
try {
  const { folder: weights } = makeSmollm2(join(folder, 'model'))
  const engine = createEmbeddedEngine({ precision: values.dtype as Precision, threads: Number(values.threads) })
  const adapter: AdapterSpec = { rank: 16, alpha: 32, targets: ['all-linear'] }
  const policy = await engine.load({
    from: { weights },
    trains: adapter,
    heads: { value: { hidden: [], detached: false, init: 'zero' } },
  })
  const reference = await engine.load({ from: { weights }, trains: 'nothing', sharesBaseOf: policy })
  const scorer = await engine.load({
    from: { weights },
    trains: 'nothing',
    sharesBaseOf: policy,
    heads: { scores: { names: ['reward'], read: 'last' } },
  })
  const prompts = Array.from({ length: count }, (_, i) =>
    Int32Array.from({ length: Number(values.prompt) }, (__, t) => 100 + ((i * 131 + t * 29) % 40_000)),
  )
  const score = async (sequences: Sequence[]): Promise<number[]> => {
    const groups = sequences.map((s) => [s])
    const out = await engine.forward(scorer, groups, ['scores'], PASS)
    return out.map(([o]) => o!.scores_PH![0]!)
  }
  const config = PpoConfig.parse({
    steps: 2,
    promptsPerStep: count,
    samplesPerPrompt: 1,
    maxTokens,
    updateEpochs: epochs,
    minibatches: MINIBATCHES,
    criticWarmupSteps: 0,
    warmupSteps: 0,
    learningRate: UPDATE.learningRate,
    klBudget: 'off',
    valueWeight: 0.5,
    checkpointEvery: 1000,
  })
  const recipe = ppo({
    engine,
    policy,
    reference,
    critic: policy,
    config,
    prompts,
    stopTokens: STOP,
    terms: [
      {
        name: 'learned',
        weight: 1,
        isLearned: true,
        score: (rollouts) => score(rollouts.map((r) => sequenceOf(r.prompt, r.completion))),
      },
    ],
  })
  const iterations: number[] = []
  let start = performance.now()
  for await (const event of recipe) {
    if (event.kind !== 'step') continue
    iterations.push((performance.now() - start) / 1000)
    start = performance.now()
    if (iterations.length === config.steps) break
  }
  const iteration = Math.min(...iterations)

  const settings = { maxTokens, temperature: 1, stopTokens: STOP, seed: 7 }
  const rollouts = await sampleRollouts(engine, policy, prompts, settings)
  const sequences = rollouts.map((r) => sequenceOf(r.prompt, r.completion))
  const minibatches = Array.from({ length: MINIBATCHES }, (_, i) =>
    sequences.filter((__, row) => row % MINIBATCHES === i),
  )
  const forward = async (model: Model, want: ('logprobs' | 'entropies' | 'values')[]): Promise<void> => {
    for (const rows of minibatches)
      await engine.forward(
        model,
        rows.map((s) => [s]),
        want,
        PASS,
      )
  }
  const update = async (): Promise<void> => {
    for (const rows of minibatches) {
      const coefficients = rows.map(({ isScored }) => {
        const S = isScored.reduce((a, b) => a + b, 0)
        return [{ logprobs_S: new Float32Array(S).fill(1e-6), values_S: new Float32Array(S).fill(1e-6) }]
      })
      const groups = rows.map((s) => [s])
      await engine.forwardBackward(policy, groups, ['logprobs', 'entropies', 'values'], { coefficients }, PASS)
      await engine.step(policy, { body: UPDATE, heads: UPDATE })
    }
  }
  const rounds = config.steps
  const parts = {
    sampling: await bestSeconds(rounds, () => sampleRollouts(engine, policy, prompts, settings)),
    policy: await bestSeconds(rounds, () => forward(policy, ['logprobs', 'entropies', 'values'])),
    reference: await bestSeconds(rounds, () => forward(reference, ['logprobs'])),
    reward: await bestSeconds(rounds, () => score(sequences)),
    updates: epochs * (await bestSeconds(rounds, update)),
  }
  const sum = Object.values(parts).reduce((a, b) => a + b, 0)
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${values.threads} threads, ${values.dtype}: ${count} prompts of ${values.prompt} + ${maxTokens} tokens, ${epochs} epochs`,
  )
  for (const [name, seconds] of Object.entries(parts))
    console.log(
      `${name.padEnd(10)} ${seconds.toFixed(2)} s, ${((100 * seconds) / iteration).toFixed(0)}% of an iteration`,
    )
  console.log(
    `iteration  ${iteration.toFixed(2)} s, the sum of its parts ${sum.toFixed(2)} s: ${(iteration / sum).toFixed(2)} times`,
  )
  for (const model of [scorer, reference, policy]) await engine.release(model)
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
