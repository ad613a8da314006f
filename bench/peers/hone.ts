// hone's side of the race, in a process of its own: node --import tsx bench/peers/hone.ts train|sample WORK.json
import { readFileSync } from 'node:fs'
import type { Engine, Model, SampleRequest, Sequence } from '#engine'
import { createEmbeddedEngine } from '#lm'
import { describe, mm, ones, scope } from '#torch'
import type { Answer, Work } from './work.ts'

const GROUP = {
  learningRate: 1e-4,
  clipNorm: 1,
  betas: [0.9, 0.95] as [number, number],
  epsilon: 1e-8,
  weightDecay: 0.01,
}
const PASS = { temperature: 1, seed: 0 }

/** Runs `work`, which answers how much it did, until the time is up; the first call warms up. */
async function rate(seconds: number, work: () => Promise<number>): Promise<Pick<Answer, 'perSecond' | 'perCpuSecond'>> {
  await work()
  const cpu = process.cpuUsage()
  const start = performance.now()
  let done = 0
  while (performance.now() - start < seconds * 1000) done += await work()
  const wall = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  return { perSecond: done / wall, perCpuSecond: done / ((used.user + used.system) / 1e6) }
}

async function trainStep(engine: Engine, model: Model, batch: Work['batches'][number]) {
  const sequences = batch.map(
    ({ tokens, scoredFrom }): Sequence => ({
      tokens: Int32Array.from(tokens),
      isScored: Uint8Array.from(tokens, (_, t) => Number(t >= scoredFrom)),
    }),
  )
  const scored = batch.reduce((sum, row) => sum + row.tokens.length - row.scoredFrom, 0)
  const coefficients = batch.map((row) => [
    { logprobs_S: new Float32Array(row.tokens.length - row.scoredFrom).fill(1 / scored) },
  ])
  const groups = sequences.map((s) => [s])
  const { loss } = await engine.forwardBackward(model, groups, ['logprobs'], { coefficients }, PASS)
  await engine.step(model, { body: GROUP })
  return { loss, tokens: batch.reduce((sum, row) => sum + row.tokens.length, 0) }
}

async function sampleAll(engine: Engine, model: Model, { prompts, newTokens }: Work): Promise<number> {
  const requests = prompts.map(
    (tokens, seed): SampleRequest => ({
      id: String(seed),
      tokens: Int32Array.from(tokens),
      n: 1,
      temperature: 1,
      maxTokens: newTokens,
      stopTokens: [],
      seed,
    }),
  )
  let tokens = 0
  for await (const event of engine.sample(model, requests)) tokens += event.tokens.length
  return tokens
}

const [what, file] = process.argv.slice(2)
const work = JSON.parse(readFileSync(file!, 'utf8')) as Work
const engine = createEmbeddedEngine({ threads: work.threads })
const model = await engine.load({ from: { weights: work.model }, trains: what === 'train' ? 'all' : 'nothing' })
const startMemoryBytes = process.memoryUsage().rss
let step = 0
let firstLoss: number | undefined
const rates = await rate(work.seconds, async () => {
  if (what === 'sample') return sampleAll(engine, model, work)
  const { loss, tokens } = await trainStep(engine, model, work.batches[step++ % work.batches.length]!)
  firstLoss ??= loss
  return tokens
})
const peakMemoryBytes = process.resourceUsage().maxRSS * 1024
const matmul = await rate(1, async () => {
  scope(() => void mm(ones([1024, 1024]), ones([1024, 1024])))
  return 2 * 1024 ** 3
})
const answer: Answer = {
  setting: what === 'train' ? 'packed, AdamW in one pass' : 'KV cache, 64 rows',
  version: `libtorch ${describe().version}`,
  ...rates,
  peakMemoryBytes,
  startMemoryBytes,
  ...(firstLoss !== undefined && { firstLoss }),
  matmulPerCpuSecond: matmul.perCpuSecond,
}
console.log(JSON.stringify(answer))
