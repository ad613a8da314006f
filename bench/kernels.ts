// Fused kernels against the same mathematics in plain ops, forward + backward where there is one, and their share of the
// machine's matmul peak where they multiply. CPU milliseconds of this process, best of several; HONE_THREADS defaults to 1
// here, since CPU time of spinning threads means nothing. One JSON line a row, then a table.
// npm run bench -- kernels [--tokens 2048]
import {
  adamWStep,
  argmax,
  decodeAttention,
  fromArray,
  gradients,
  linear,
  manualGenerator,
  matrixProduct,
  mm,
  log,
  logSoftmax,
  neg,
  noGrad,
  packedAttention,
  randn,
  rmsNorm,
  rand,
  rotary,
  rotaryTables,
  sampleRows,
  scope,
  setThreads,
  splitWithSizes,
  sub,
  swiGlu,
  type Tensor,
  toInt32,
  tokenLogprobs,
  zeros,
} from '#torch'
import {
  plainAdamW,
  plainAttention,
  plainDecodeAttention,
  plainLogprobs,
  plainRmsNorm,
  plainRotary,
  plainSwiGlu,
} from '../src/torch/plain.ts'

const tokens = process.argv.includes('--tokens') ? Number(process.argv[process.argv.indexOf('--tokens') + 1]) : 2048
const SEGMENT = 128
const [HEADS, KV_HEADS, WIDTH, HIDDEN, MLP, VOCABULARY] = [9, 3, 64, 576, 1536, 49_152] // SmolLM2-135M's
const SMALL = { hidden: 128, vocabulary: 896 } // the bundled base's
const DECODING = { rows: 64, length: 200 }

type Row = { kernel: string; plain: number; fused: number; flops?: number }

setThreads(Number(process.env.HONE_THREADS ?? 1))
const generator = manualGenerator(1)
const make = (...shape: number[]) => randn(shape, generator)
const rows: Row[] = []

/** CPU milliseconds of fn, best of tries until a second has gone. */
function milliseconds(fn: () => unknown): number {
  scope(() => void fn())
  let best = Infinity
  let total = 0
  for (let tries = 0; tries < 3 || (total < 1000 && tries < 200); tries++) {
    const start = process.cpuUsage()
    scope(() => void fn())
    const used = process.cpuUsage(start)
    const took = (used.user + used.system) / 1000
    best = Math.min(best, took)
    total += took
  }
  return best
}

// The peak by the same clock: the best of 1024 x 1024 products.
const peak = scope(() => {
  const square = make(1024, 1024)
  return (2 * 1024 ** 3) / milliseconds(() => mm(square, square)) / 1e6
})

function race(kernel: string, versions: { plain: () => unknown; fused: () => unknown }, flops?: number): void {
  const row = {
    kernel,
    plain: milliseconds(versions.plain),
    fused: milliseconds(versions.fused),
    ...(flops === undefined ? {} : { flops }),
  }
  rows.push(row)
  const share = flops === undefined ? undefined : flops / row.fused / 1e6 / peak
  console.log(JSON.stringify({ bench: 'kernels', ...row, ...(share === undefined ? {} : { shareOfPeak: share }) }))
}

/** Forward and backward of f at leaves. */
function both(f: (...leaves: Tensor[]) => Tensor[], leaves: Tensor[], ups: Tensor[]): () => void {
  return () => {
    for (const leaf of leaves) leaf.requiresGrad = true
    gradients(f(...leaves), leaves, ups)
  }
}

scope(() => {
  const ends = Array.from({ length: tokens / SEGMENT + 1 }, (_, i) => i * SEGMENT)
  const offsets = fromArray(Int32Array.from(ends))
  const [q, k, v] = [make(tokens, HEADS, WIDTH), make(tokens, KV_HEADS, WIDTH), make(tokens, KV_HEADS, WIDTH)]
  const up = make(tokens, HEADS, WIDTH)
  // Two products forward and five backward, over the lower half.
  race(
    `packed attention, ${tokens} tokens in segments of ${SEGMENT}`,
    {
      plain: both((a, b, c) => [plainAttention(a!, b!, c!, { offsets: ends, scale: 0.125 })], [q, k, v], [up]),
      fused: both((a, b, c) => [packedAttention(a!, b!, c!, { offsets, scale: 0.125 })], [q, k, v], [up]),
    },
    7 * tokens * SEGMENT * HEADS * WIDTH,
  )
})

for (const { hidden, vocabulary, count } of [
  { hidden: HIDDEN, vocabulary: VOCABULARY, count: 512 },
  { ...SMALL, count: tokens },
])
  scope(() => {
    const [h, w, up] = [make(count, hidden), make(vocabulary, hidden), make(count)]
    const targets = fromArray(BigInt64Array.from({ length: count }, (_, i) => BigInt(i % vocabulary)))
    race(
      `token log-probabilities, ${count} x ${hidden} x ${vocabulary}`,
      {
        plain: both((a, b) => plainLogprobs(a!, b!, targets, 1), [h, w], [up, up]),
        fused: both(
          (a, b) => {
            const { logprobs_T, entropies_T } = tokenLogprobs(a!, b!, targets)
            return [logprobs_T, entropies_T]
          },
          [h, w],
          [up, up],
        ),
      },
      8 * count * hidden * vocabulary, // forward, again in backward, two gradients
    )
  })

for (const [inner, outer] of [
  [SMALL.hidden, 3 * SMALL.hidden],
  [2 * SMALL.hidden, SMALL.hidden],
  [HIDDEN, 2 * MLP],
  [MLP, HIDDEN],
] as const)
  scope(() => {
    const [x, w, up] = [make(tokens, inner), make(outer, inner), make(tokens, outer)]
    race(
      `products, ${tokens} x ${inner} x ${outer}`,
      {
        plain: both((a, b) => [linear(a!, b!)], [x, w], [up]),
        fused: both((a, b) => [matrixProduct(a!, b!)], [x, w], [up]),
      },
      6 * tokens * inner * outer,
    )
  })

scope(() => {
  const [x, w, up] = [make(tokens, HIDDEN), make(HIDDEN), make(tokens, HIDDEN)]
  race('rmsNorm', {
    plain: both((a, b) => [plainRmsNorm(a!, b!, 1e-5)], [x, w], [up]),
    fused: both((a, b) => [rmsNorm(a!, b!, 1e-5)], [x, w], [up]),
  })
})

scope(() => {
  const [gateUp, up] = [make(tokens, 2 * MLP), make(tokens, MLP)]
  const halves = (t: Tensor) => splitWithSizes(t, [MLP, MLP], 1) as [Tensor, Tensor]
  race('swiGlu of two halves', {
    plain: both((t) => [plainSwiGlu(...halves(t!))], [gateUp], [up]),
    fused: both((t) => [swiGlu(t!)], [gateUp], [up]),
  })
})

scope(() => {
  const [x, up] = [make(tokens, HEADS, WIDTH), make(tokens, HEADS, WIDTH)]
  const positions = fromArray(Int32Array.from({ length: tokens }, (_, i) => i % SEGMENT))
  const tables = rotaryTables(
    positions,
    fromArray(Float32Array.from({ length: WIDTH / 2 }, (_, i) => 1e4 ** (-i / 32))),
  )
  race('rotary', {
    plain: both((t) => [plainRotary(t!, tables)], [x], [up]),
    fused: both((t) => [rotary(t!, tables)], [x], [up]),
  })
})

noGrad(() =>
  scope(() => {
    const { rows: B, length } = DECODING
    const q = make(B, HEADS, WIDTH)
    const [kCache, vCache] = [make(B, KV_HEADS, 256, WIDTH), make(B, KV_HEADS, 256, WIDTH)]
    const lengths = fromArray(new Int32Array(B).fill(length))
    race(`decode attention, ${B} rows of ${length}`, {
      plain: () =>
        plainDecodeAttention(q, kCache, vCache, { lengths: new Array<number>(B).fill(length), scale: 0.125 }),
      fused: () => decodeAttention(q, kCache, vCache, { lengths, scale: 0.125 }),
    })
    const logits = make(B, VOCABULARY)
    const settings = {
      temperatures: new Array<number>(B).fill(1),
      seeds: Array.from({ length: B }, (_, i) => i),
      positions: new Array<number>(B).fill(3),
    }
    race(`sampling, ${B} rows of ${VOCABULARY}`, {
      plain: () => toInt32(argmax(sub(logSoftmax(logits, 1), log(neg(log(rand([B, VOCABULARY], generator))))), 1)),
      fused: () => sampleRows(logits, settings),
    })
  }),
)

scope(() => {
  const sizes = [10, 20].flatMap(() => [HIDDEN * HIDDEN, HIDDEN * MLP, HIDDEN])
  const tensors = (fill: (n: number) => Tensor) => sizes.map(fill)
  const [params, grads] = [tensors((n) => make(n)), tensors((n) => make(n))]
  const moments = { first: tensors((n) => zeros([n])), second: tensors((n) => zeros([n])) }
  const options = { learningRate: 1e-4, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, step: 3 }
  race(`AdamW, ${sizes.reduce((a, b) => a + b)} parameters`, {
    plain: () => plainAdamW(params, grads, moments, options),
    fused: () => adamWStep(params, grads, moments, options),
  })
})
generator.free()

console.log(`float32 matmul peak ${peak.toFixed(1)} GFLOP/s`)
console.table(
  rows.map(({ kernel, plain, fused, flops }) => ({
    kernel,
    'plain ms': plain.toFixed(2),
    'fused ms': fused.toFixed(2),
    'times faster': (plain / fused).toFixed(2),
    '% of peak': flops === undefined ? '' : ((100 * flops) / fused / 1e6 / peak).toFixed(0),
  })),
)
