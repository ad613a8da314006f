// bfloat16 products against float32 ones on real weights (SmolLM2-135M-Instruct): the cosine of their gradients for the same rows,
// over all weights and layer by layer, beside that of another minibatch as a yardstick. Fails below 0.999.
// npm run trials -- gradient-agreement [batches 3] [rows 4]
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Model, Sequence } from '#engine'
import { createEmbeddedEngine, importGguf, type Precision } from '#lm'
import { loadTokenizer } from '#text'
import { scope, type Tensor, toFloat32 } from '#torch'
import { smollm2 } from '../scripts/smollm2.ts'

const LEAST = 0.999
const WIDTH = 128
const [batches = '3', rows = '4'] = process.argv.slice(2)

/** What a handle of the embedded engine holds, as far as this looks. */
type Opened = Model & { body: { name: string; tensor: Tensor }[] }

const found = smollm2()
if ('missing' in found) {
  console.log(found.missing)
  process.exit(0)
}
const folder = fs.mkdtempSync(join(tmpdir(), 'hone-gradient-agreement-'))
try {
  importGguf({ file: found.file, to: join(folder, 'model') })
  const minibatches = await textRows(join(folder, 'model'), Number(batches), Number(rows))
  const exact = await gradients('float32', minibatches)
  const coarse = await gradients('bfloat16', minibatches)
  const all: number[] = []
  for (let b = 0; b < minibatches.length; b++) {
    const names = [...exact[b]!.keys()]
    const perName = names.map((name) => dots(exact[b]!.get(name)!, coarse[b]!.get(name)!))
    const whole = cosine(sumOf(perName))
    const lowest = perName.reduce(
      (low, d, i) => (cosine(d) < low.value ? { value: cosine(d), name: names[i]! } : low),
      {
        value: 1,
        name: '',
      },
    )
    const other = exact[(b + 1) % minibatches.length]!
    const yardstick = cosine(sumOf(names.map((name) => dots(exact[b]!.get(name)!, other.get(name)!))))
    const norms = sumOf(perName)
    all.push(whole)
    console.log(
      `batch ${b}: cosine ${whole.toFixed(5)}, norm ratio ${Math.sqrt(norms.bb / norms.aa).toFixed(4)}, lowest ${lowest.value.toFixed(5)} (${lowest.name}), another minibatch ${yardstick.toFixed(3)}`,
    )
  }
  const worst = Math.min(...all)
  console.log(
    `${worst > LEAST ? 'holds' : 'FAILS'}: the lowest cosine of ${all.length} is ${worst.toFixed(5)}, above ${LEAST} is asked`,
  )
  if (!(worst > LEAST)) process.exitCode = 1
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}

/** Gradients of the mean loss of each minibatch, by the names of the weights. */
async function gradients(precision: Precision, minibatches: Sequence[][]): Promise<Map<string, Float32Array>[]> {
  const engine = createEmbeddedEngine({ precision })
  const model = (await engine.load({ from: { weights: join(folder, 'model') }, trains: 'all' })) as Opened
  const answers: Map<string, Float32Array>[] = []
  for (const sequences of minibatches) {
    const scored = sequences.reduce((sum, s) => sum + s.isScored.reduce((a, b) => a + b, 0), 0)
    const coefficients = sequences.map((s) => [
      { logprobs_S: new Float32Array(s.isScored.filter(Boolean).length).fill(1 / scored) },
    ])
    const groups = sequences.map((s) => [s])
    const { loss } = await engine.forwardBackward(
      model,
      groups,
      ['logprobs'],
      { coefficients },
      { temperature: 1, seed: 0 },
    )
    console.log(`${precision}: loss ${loss.toFixed(4)} nats a token`)
    answers.push(scope(() => new Map(model.body.map(({ name, tensor }) => [name, toFloat32(tensor.grad!)]))))
    await engine.discard(model)
  }
  await engine.release(model)
  return answers
}

/** Rows of a text of the repository, all tokens but the first scored. */
async function textRows(model: string, count: number, size: number): Promise<Sequence[][]> {
  const tokenizer = loadTokenizer(model)
  const text = fs.readFileSync(join(import.meta.dirname, 'texts/opticks.txt'), 'utf8')
  const tokens = tokenizer.encode(text.slice(20_000, 20_000 + 8 * WIDTH * count * size))
  return Array.from({ length: count }, (_, b) =>
    Array.from({ length: size }, (__, i) => {
      const at = (b * size + i) * WIDTH
      const own = Int32Array.from(tokens.slice(at, at + WIDTH))
      return { tokens: own, isScored: Uint8Array.from(own, (___, t) => Number(t > 0)) }
    }),
  )
}

type Dots = { ab: number; aa: number; bb: number }

function dots(a: Float32Array, b: Float32Array): Dots {
  const sums = { ab: 0, aa: 0, bb: 0 }
  a.forEach((x, i) => {
    const y = b[i]!
    sums.ab += x * y
    sums.aa += x * x
    sums.bb += y * y
  })
  return sums
}

function sumOf(list: Dots[]): Dots {
  return list.reduce((s, d) => ({ ab: s.ab + d.ab, aa: s.aa + d.aa, bb: s.bb + d.bb }), { ab: 0, aa: 0, bb: 0 })
}

function cosine({ ab, aa, bb }: Dots): number {
  return ab / Math.sqrt(aa * bb)
}
