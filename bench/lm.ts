// Training and sampling tokens a second of the embedded engine, on the bundled base's shape and on one of 5M parameters,
// beside the machine's own float32 matmul peak. Wall and CPU clocks: on a busy machine only the CPU clock means anything.
// npm run bench -- lm [--seconds 4]     HONE_THREADS=1 for one thread
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, Model, SampleRequest, Sequence } from '#engine'
import { createEmbeddedEngine, createFolder, type ModelConfig } from '#lm'
import { mm, ones, scope } from '#torch'

const seconds = Number(process.argv[process.argv.indexOf('--seconds') + 1] || 4)
const VOCABULARY = 896
const SHAPES = {
  '0.68M': { hiddenSize: 128, intermediateSize: 320, layers: 3, heads: 4 },
  '5M': { hiddenSize: 256, intermediateSize: 688, layers: 6, heads: 4 },
}
const GROUP = {
  learningRate: 1e-4,
  clipNorm: 1,
  betas: [0.9, 0.95] as [number, number],
  epsilon: 1e-8,
  weightDecay: 0.01,
}
const PASS = { temperature: 1, seed: 0 }

/** Runs `work`, which answers how much it did, until the time is up. */
async function rate(work: () => Promise<number>): Promise<{ perSecond: number; perCpuSecond: number }> {
  await work()
  const cpu = process.cpuUsage()
  const start = performance.now()
  let done = 0
  while (performance.now() - start < seconds * 1000) done += await work()
  const wall = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  const busy = (used.user + used.system) / 1e6
  return { perSecond: done / wall, perCpuSecond: done / busy }
}

function sequences(count: number, { length, scored }: { length: number; scored: number }): Sequence[] {
  return Array.from({ length: count }, (_, i) => ({
    tokens: Int32Array.from({ length }, (_, t) => (i * 31 + t * t * 7) % VOCABULARY),
    isScored: Uint8Array.from({ length }, (_, t) => Number(t >= length - scored)),
  }))
}

async function train(engine: Engine, model: Model, batch: Sequence[]): Promise<number> {
  const coefficients = batch.map(({ isScored }) => [
    { logprobs_S: new Float32Array(isScored.reduce((a, b) => a + b, 0)).fill(1 / 4096) },
  ])
  await engine.forwardBackward(
    model,
    batch.map((s) => [s]),
    ['logprobs'],
    { coefficients },
    PASS,
  )
  await engine.step(model, { body: GROUP })
  return batch.reduce((sum, s) => sum + s.tokens.length, 0)
}

async function sample(engine: Engine, model: Model, rows: number): Promise<number> {
  const requests = Array.from(
    { length: rows },
    (_, i): SampleRequest => ({
      id: String(i),
      tokens: Int32Array.from({ length: 40 + (i % 21) }, (_, t) => (i + t * 13) % VOCABULARY),
      n: 1,
      temperature: 1,
      maxTokens: 80,
      stopTokens: [],
      seed: i,
    }),
  )
  let tokens = 0
  for await (const event of engine.sample(model, requests)) tokens += event.tokens.length
  return tokens
}

const folder = mkdtempSync(join(tmpdir(), 'hone-bench-'))
try {
  const peak = await rate(async () => {
    scope(() => void mm(ones([1024, 1024]), ones([1024, 1024])))
    return (2 * 1024 ** 3) / 1e9
  })
  console.log(
    `matmul peak, 1024 cubed: ${peak.perSecond.toFixed(0)} GFLOP/s, ${peak.perCpuSecond.toFixed(0)} a CPU second`,
  )
  const engine = createEmbeddedEngine()
  for (const [name, shape] of Object.entries(SHAPES)) {
    const config: ModelConfig = {
      architecture: 'LlamaForCausalLM',
      vocabSize: VOCABULARY,
      ...shape,
      keyValueHeads: shape.heads,
      headDim: shape.hiddenSize / shape.heads,
      rmsNormEps: 1e-5,
      ropeTheta: 10000,
      tieWordEmbeddings: true,
      maxPositionEmbeddings: 512,
      eosTokenIds: [2],
      dtype: 'float32',
    }
    createFolder({ config, seed: 1, to: join(folder, name) })
    const model = await engine.load({ from: { weights: join(folder, name) }, trains: 'all' })
    const { hiddenSize: E, intermediateSize: M, layers } = shape
    const parameters = layers * (4 * E * E + 3 * E * M) + VOCABULARY * E
    const report = (what: string, r: Awaited<ReturnType<typeof rate>>, flops: number): void => {
      const share = (100 * r.perCpuSecond * flops) / 1e9 / peak.perCpuSecond
      console.log(
        `${name} ${what}: ${Math.round(r.perSecond)} tokens/s, ${Math.round(r.perCpuSecond)} a CPU second (${share.toFixed(0)}% of peak)`,
      )
    }
    for (const scored of [101, 40]) {
      const batch = sequences(40, { length: 102, scored })
      report(`training, ${scored} of 102 tokens scored`, await rate(() => train(engine, model, batch)), 6 * parameters)
    }
    for (const rows of [16, 64, 128, 256])
      report(`sampling, ${rows} rows`, await rate(() => sample(engine, model, rows)), 2 * parameters)
    await engine.release(model)
  }
} finally {
  rmSync(folder, { recursive: true })
}
