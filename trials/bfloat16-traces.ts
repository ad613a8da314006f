// bfloat16 products against float32 ones along whole runs: SFT of adapters on SmolLM2-135M-Instruct, on the bundled domain's
// demonstrations. Each bfloat16 run has a float32 run with the same start, rows and order. What counts as noise: float32
// runs with the same rows in the same order that differ in the seed of their fresh adapters alone, so that the luck of the
// batches, which a trace is full of, is in no difference. Three such seeds make three pairs. A trace is means of 25 steps. Claims:
// - trace: root mean square of the differences of two traces, bfloat16 to its float32, at most the smallest of the pairs
// - widest: the largest difference of two traces, at most the smallest of the pairs
// - drift: mean difference of the losses of all steps, with its sign, at most the root mean square of the pairs
// - held out: loss of held-out rows after the last step, weights of all runs measured in float32, likewise
// Told beside them, no claim: held-out loss as bfloat16 measures its own weights, and last of all float32 from adapters an ulp
// larger, the least that rounding does. About half an hour on one core that is free. Stopped or killed, the same command goes on.
// npm run trials -- bfloat16-traces [--steps 500] [--out FOLDER]
import fs from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { demonstrations, heldOutDemonstrations } from '#domains/customer-service'
import { lossPerToken } from '#align'
import { checkRows, writeRows } from '#data'
import type { Model } from '#engine'
import { ConfigError } from '#errors'
import { holdFolder, writeDurable } from '#files'
import { createEmbeddedEngine, importGguf, type Precision } from '#lm'
import { SftConfig } from '#schema'
import { loadTokenizer } from '#text'
import { describe, mulScalar_, noGrad, type Tensor } from '#torch'
import { demonstrationExamples, readDemonstrations, train } from '#trainer'
import { smollm2 } from '../scripts/smollm2.ts'
import { runOrResume } from '../src/cli/run-or-resume.ts'
import { Stopped, stoppable } from '../src/cli/stop.ts'
import { readJsonl } from '../src/cli/quickstart/stage.ts'

const WINDOW = 25
const ROWS = 400
const HELD_OUT = 60
const BATCH = 2
const LORA = { rank: 16, alpha: 32, targets: ['all-linear'] }
const ULP = 2 ** -23
/** Of adapters. Rows and their order are those of seed 1 in all runs. */
const SEEDS = [1, 2, 3]

type Start = { seed: number; factor: number }
type Run = { name: string; start: Start; dtype: Precision }
/** Nats a token: of each step, and of the held-out rows at the end, in float32 and as the run itself measures. */
type Losses = { steps: number[]; heldOut: number; ownHeldOut: number }
type Distance = { trace: number; widest: number; drift: number; heldOut: number }
/** What a handle of the embedded engine holds, as far as this looks. */
type Opened = Model & { body: { tensor: Tensor }[] }

const float32 = (seed: number): Run => ({ name: `float32-${seed}`, start: { seed, factor: 1 }, dtype: 'float32' })
const bfloat16 = (seed: number): Run => ({ name: `bfloat16-${seed}`, start: { seed, factor: 1 }, dtype: 'bfloat16' })
const ulp: Run = { name: 'float32-1-ulp', start: { seed: 1, factor: 1 + ULP }, dtype: 'float32' }
const COARSE = SEEDS.slice(0, 2)

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '500' }, out: { type: 'string', default: 'out/bfloat16-traces' } },
})
const steps = Number(values.steps)
if (!(Number.isInteger(steps) && steps >= 2 * WINDOW && steps % WINDOW === 0))
  throw new ConfigError(
    `--steps: expected a multiple of ${WINDOW} from ${2 * WINDOW} on, since traces are means of ${WINDOW} steps; got ${values.steps}`,
  )
const found = smollm2()
if ('missing' in found) {
  console.log(found.missing)
  process.exit(0)
}
const out = resolve(values.out, `steps-${steps}`)
fs.mkdirSync(out, { recursive: true })
const hold = holdFolder(out)
try {
  const base = join(out, 'base')
  if (!fs.existsSync(base)) importGguf({ file: found.file, to: base })
  writeData()
  const coarse = COARSE.map(bfloat16)
  const order = [float32(1), coarse[0]!, ...SEEDS.slice(1).map(float32), ...coarse.slice(1)]
  const losses = new Map<string, Losses>()
  for (const run of order) losses.set(run.name, await stoppable((signal) => lossesOf(run, { base, signal })))
  process.exitCode = report((run) => losses.get(run.name)!) ? 0 : 1
  const nudged = await stoppable((signal) => lossesOf(ulp, { base, signal }))
  console.log(`  an ulp, float32                  ${say(distance(nudged, losses.get(float32(1).name)!))}`)
} catch (error) {
  if (!(error instanceof Stopped)) throw error
  console.error(error.message)
  process.exitCode = 130
} finally {
  hold.release()
}

function data(name: string): string {
  return join(out, `${name}.jsonl`)
}

function writeData(): void {
  const heldOut = heldOutDemonstrations(1, HELD_OUT)
  const { kept } = checkRows(demonstrations(1, ROWS).rows, { kind: 'demonstrations', heldOut })
  writeRows(data('demonstrations'), kept, { kind: 'demonstrations', format: 'jsonl' })
  writeRows(data('held-out'), heldOut, { kind: 'demonstrations', format: 'jsonl' })
}

/** Begins the run, goes on with it, or takes it as it is; then measures its weights. */
async function lossesOf(
  { name, start, dtype }: Run,
  { base, signal }: { base: string; signal: AbortSignal },
): Promise<Losses> {
  const file = join(out, `${name}.json`)
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, 'utf8')) as Losses
  const began = performance.now()
  const model = await startFolder(start, base)
  const config = SftConfig.parse({
    seed: 1,
    steps,
    batchSize: BATCH,
    learningRate: 3e-4,
    warmupSteps: 10,
    evalEvery: steps,
  })
  const job = { recipe: 'sft', config, device: 'cpu', dtype, model, data: data('demonstrations') } as const
  const folder = join(out, name)
  const trained = await runOrResume(folder, { hone: 'trial', signal }, (o) =>
    train({ ...job, heldOut: data('held-out') }, folder, o),
  )
  const rows = readJsonl<{ loss?: number }>(join(folder, 'metrics.jsonl'))
  const losses = {
    steps: rows.flatMap(({ loss }) => loss ?? []),
    heldOut: await heldOutLoss(trained.model),
    ownHeldOut: trained.outcome.metrics.heldOutLoss!,
  }
  writeDurable(file, JSON.stringify(losses))
  console.log(
    `${name.padEnd(14)} last ${WINDOW} steps ${windows(losses.steps).at(-1)!.toFixed(4)}, held out ${losses.heldOut.toFixed(5)} (as it measures itself ${losses.ownHeldOut.toFixed(5)}); ${((performance.now() - began) / 1000).toFixed(0)} s`,
  )
  return losses
}

/** Fresh adapters of the seed on the base, as a folder; `factor` scales what was drawn. */
async function startFolder({ seed, factor }: Start, base: string): Promise<string> {
  const folder = join(out, `start-${seed}${factor === 1 ? '' : '-ulp'}`)
  if (fs.existsSync(folder)) return folder
  const engine = createEmbeddedEngine()
  const model = (await engine.load({ from: { weights: base }, trains: LORA, seed })) as Opened
  if (factor !== 1) noGrad(() => model.body.forEach(({ tensor }) => void mulScalar_(tensor, factor)))
  await engine.save(model, 'weights', folder)
  await engine.release(model)
  return folder
}

/** In float32, whatever the run trained in. */
async function heldOutLoss(weights: string): Promise<number> {
  const tokenizer = loadTokenizer(weights)
  const { rows } = await demonstrationExamples(tokenizer, await readDemonstrations(data('held-out')), {
    maxTokens: Infinity,
  })
  const engine = createEmbeddedEngine()
  const model = await engine.load({ from: { weights }, trains: 'nothing' })
  const loss = await lossPerToken(engine, model, rows)
  await engine.release(model)
  return loss
}

/** Prints figures and claims; whether all hold. */
function report(of: (run: Run) => Losses): boolean {
  const pairs = SEEDS.flatMap((a, i) => SEEDS.slice(i + 1).map((b) => distance(of(float32(b)), of(float32(a)))))
  const smallest = (key: keyof Distance) => Math.min(...pairs.map((pair) => Math.abs(pair[key])))
  const typical = (key: keyof Distance) => rootMeanSquare(pairs.map((pair) => pair[key]))
  const most: Distance = {
    trace: smallest('trace'),
    widest: smallest('widest'),
    drift: typical('drift'),
    heldOut: typical('heldOut'),
  }
  console.log(
    `\n${steps} steps of ${BATCH} rows, ${describe().features.bfloat16Units ? '' : 'no '}bfloat16 units; differences in nats a token`,
  )
  for (const pair of pairs) console.log(`  two seeds of adapters, float32   ${say(pair)}`)
  let holds = true
  for (const seed of COARSE) {
    const got = distance(of(bfloat16(seed)), of(float32(seed)))
    console.log(`  bfloat16, adapters of seed ${seed}     ${say(got)}`)
    for (const name of Object.keys(most) as (keyof Distance)[]) {
      const isWithin = Math.abs(got[name]) <= most[name]
      holds &&= isWithin
      console.log(
        `  ${isWithin ? 'holds' : 'FAILS'}  seed ${seed}  ${name.padEnd(8)} ${Math.abs(got[name]).toExponential(2)}, at most ${most[name].toExponential(2)} is asked`,
      )
    }
  }
  return holds
}

function say(apart: Distance): string {
  return Object.entries(apart)
    .map(([name, value]) => `${name} ${value.toExponential(2)}`)
    .join(', ')
}

function distance(a: Losses, b: Losses): Distance {
  const [of, from] = [windows(a.steps), windows(b.steps)]
  const apart = of.map((loss, i) => loss - from[i]!)
  return {
    trace: rootMeanSquare(apart),
    widest: Math.max(...apart.map(Math.abs)),
    drift: mean(apart),
    heldOut: a.heldOut - b.heldOut,
  }
}

/** Means of so many steps, one after another. */
function windows(losses: number[]): number[] {
  return Array.from({ length: losses.length / WINDOW }, (_, i) => mean(losses.slice(i * WINDOW, (i + 1) * WINDOW)))
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function rootMeanSquare(values: number[]): number {
  return Math.sqrt(mean(values.map((value) => value ** 2)))
}
