// A training step of SmolLM2-135M's shape on packed rows, beside the same matrix products alone (same shapes and dtype, same
// run): the share of a step that is products, and their share of the machine's matmul peak. By the wall clock, and
// by the CPU clock for machines that are shared (one thread then: spinning threads burn it).
// npm run bench -- real-training [--threads 2] [--tokens 2048] [--segment 128] [--dtype float32] [--rounds 2] [--only lora|full]
import fs from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createEmbeddedEngine, type Precision } from '#lm'
import { manualGenerator, mm, randn, scope, t, type Tensor, toCopy } from '#torch'
import { makeSequences, trainStep } from './worlds/rows.ts'
import { LAYER_MATRICES, makeSmollm2, SMOLLM2 } from './worlds/smollm2-shape.ts'

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: String(cpus().length) },
    tokens: { type: 'string', default: '2048' },
    segment: { type: 'string', default: '128' },
    dtype: { type: 'string', default: 'float32' },
    rounds: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
})
const tokens = Number(values.tokens)
const segment = Number(values.segment)
const precision = values.dtype as Precision
/** Six tenths of a demonstration are trained, the rest is its prompt. */
const SCORED_SHARE = 0.6
const RANK = 16
const { hiddenSize: E, vocabSize: V, layers } = SMOLLM2

type Clock = { wall: number; cpu: number }

async function timed(work: () => unknown): Promise<Clock> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const used = process.cpuUsage(cpu)
  return { wall: (performance.now() - start) / 1000, cpu: (used.user + used.system) / 1e6 }
}

function better(a: Clock | undefined, b: Clock): Clock {
  return a ? { wall: Math.min(a.wall, b.wall), cpu: Math.min(a.cpu, b.cpu) } : b
}

type Product = { times: number; flops: number; run: () => void }

/** Every product of a step, once each with how often it comes. */
function productsOf(kind: 'lora' | 'full'): Product[] {
  const generator = manualGenerator(1)
  const make = (rows: number, columns: number): Tensor =>
    toCopy(randn([rows, columns], generator), { dtype: precision })
  const list: Product[] = []
  const product = (times: number, [n, k, m]: [number, number, number], run: () => Tensor): void =>
    void list.push({ times, flops: 2 * n * k * m, run: () => run().free() })
  /** y = x W^T, dx = dy W, and dW = dy^T x where it trains. */
  const linear = (o: {
    times: number
    rows: number
    out: number
    into: number
    trains: boolean
    forwards?: number
  }) => {
    const { times, rows, out, into } = o
    const [x, w, dy] = [make(rows, into), make(out, into), make(rows, out)]
    product(times * (o.forwards ?? 1), [rows, into, out], () => scope(() => mm(x, t(w))))
    product(times, [rows, out, into], () => mm(dy, w))
    if (o.trains) product(times, [out, rows, into], () => scope(() => mm(t(dy), x)))
  }
  for (const [out, into] of LAYER_MATRICES) linear({ times: layers, rows: tokens, out, into, trains: kind === 'full' })
  // Logits are recomputed in backward, a chunk at a time.
  const scored = Math.round(segment * SCORED_SHARE) * Math.floor(tokens / segment)
  linear({ times: scored / 512, rows: 512, out: V, into: E, trains: kind === 'full', forwards: 2 })
  if (kind === 'lora')
    for (const [outs, into] of [
      [[576, 192, 192], 576],
      [[576], 576],
      [[1536, 1536], 576],
      [[576], 1536],
    ] as [number[], number][]) {
      linear({ times: layers, rows: tokens, out: RANK * outs.length, into, trains: true })
      for (const out of outs) linear({ times: layers, rows: tokens, out, into: RANK, trains: true })
    }
  generator.free()
  return list
}

async function productSeconds(list: Product[]): Promise<Clock> {
  const total = { wall: 0, cpu: 0 }
  for (const { times, run } of list) {
    run()
    const repeats = Math.ceil(Math.max(2, Math.min(times, 4)))
    const clock = await timed(() => {
      for (let i = 0; i < repeats; i++) run()
    })
    total.wall += (clock.wall / repeats) * times
    total.cpu += (clock.cpu / repeats) * times
  }
  return total
}

const folder = fs.mkdtempSync(join(tmpdir(), 'hone-real-training-'))
try {
  const { folder: weights } = makeSmollm2(join(folder, 'model'))
  const engine = createEmbeddedEngine({ precision, threads: Number(values.threads) })
  const sequences = makeSequences(Math.floor(tokens / segment), {
    length: segment,
    scored: Math.round(segment * SCORED_SHARE),
    vocabulary: V,
  })
  const square = 1536
  let peak: Clock | undefined
  const findPeak = (): void => {
    const generator = manualGenerator(2)
    scope(() => {
      const a = toCopy(randn([square, square], generator), { dtype: precision })
      mm(a, a).free()
      const start = process.cpuUsage()
      const from = performance.now()
      for (let i = 0; i < 4; i++) mm(a, a).free()
      const used = process.cpuUsage(start)
      const flops = 8 * square ** 3
      peak = better(peak, {
        wall: (performance.now() - from) / 1000 / flops,
        cpu: (used.user + used.system) / 1e6 / flops,
      })
    })
    generator.free()
  }
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${values.threads} threads, ${precision}, ${tokens} tokens in segments of ${segment}`,
  )
  for (const kind of ['lora', 'full'] as const) {
    if (values.only && values.only !== kind) continue
    const trains = kind === 'full' ? 'all' : { rank: RANK, alpha: 2 * RANK, targets: ['all-linear'] }
    const model = await engine.load({ from: { weights }, trains })
    await trainStep(engine, model, sequences.slice(0, 2))
    let step: Clock | undefined
    let products: Clock | undefined
    const list = productsOf(kind)
    for (let round = 0; round < Number(values.rounds); round++) {
      step = better(step, await timed(() => trainStep(engine, model, sequences)))
      products = better(products, await productSeconds(list))
      findPeak()
    }
    await engine.release(model)
    const flops = list.reduce((sum, p) => sum + p.times * p.flops, 0)
    const line = (name: string, key: keyof Clock): void =>
      console.log(
        [
          kind.padEnd(5),
          name.padEnd(5),
          `step ${step![key].toFixed(2)} s, ${(tokens / step![key]).toFixed(0)} tokens/s;`,
          `products alone ${products![key].toFixed(2)} s: ${((100 * products![key]) / step![key]).toFixed(0)}% of the step;`,
          `their FLOPs at the matmul peak (${(1 / peak![key] / 1e9).toFixed(0)} GFLOP/s): ${((100 * flops * peak![key]) / step![key]).toFixed(0)}%`,
        ].join(' '),
      )
    line('wall', 'wall')
    line('CPU', 'cpu')
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
