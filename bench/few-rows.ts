// Products of few rows with bfloat16 weights of SmolLM2-135M's shapes, as decoding takes them: with activations rounded to bfloat16
// where the processor multiplies that, with activations in float32, and libtorch's own product in bfloat16. Microseconds, best of a
// third of a second each.
// npm run bench -- few-rows (threads: HONE_THREADS, default all)
import { fewRows, manualGenerator, mm, noGrad, randn, scope, t, toCopy, weightCopy } from '#torch'

const SHAPES = [
  [960, 576],
  [576, 576],
  [3072, 576],
  [576, 1536],
  [49_152, 576],
] as const
const ROWS = [1, 4, 8, 16, 32, 64, 128]

const generator = manualGenerator(1)

function microseconds(product: () => unknown): string {
  let best = Infinity
  const end = performance.now() + 300
  while (performance.now() < end) {
    const start = performance.now()
    scope(() => noGrad(product))
    best = Math.min(best, performance.now() - start)
  }
  return (1000 * best).toFixed(0).padStart(9)
}

console.log('weights       rows   rounded   float32   libtorch')
for (const [outputs, inputs] of SHAPES) {
  const weight = weightCopy(randn([outputs, inputs], generator), 'bfloat16')
  for (const rows of ROWS) {
    const x = randn([rows, inputs], generator)
    const times = [
      microseconds(() => fewRows(x, weight, { rounds: true })),
      microseconds(() => fewRows(x, weight)),
      microseconds(() => toCopy(mm(toCopy(x, { dtype: 'bfloat16' }), t(weight)), { dtype: 'float32' })),
    ]
    console.log(`${outputs} x ${inputs}`.padEnd(13), String(rows).padStart(4), ...times)
    x.free()
  }
  weight.free()
}
generator.free()
