// Peak memory of training SmolLM2-135M's shape, each case a process of its own: the whole process (what the system counts) and
// what tensors held. Cases: adapters on 2,048 packed tokens, and on one sequence of 8,192 with layers recomputed; all weights.
// npm run bench -- memory [--case lora-2048|lora-8192|full-2048] [--threads 2] [--base-dtype bfloat16]
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BaseDtype, createEmbeddedEngine } from '#lm'
import { memory, resetPeakMemory } from '#torch'
import { makeSequences, trainStep } from './worlds/rows.ts'
import { makeSmollm2, SMOLLM2 } from './worlds/smollm2-shape.ts'

const CASES = {
  'lora-2048': { sequences: 16, length: 128, isFull: false, recomputes: false },
  'lora-8192': { sequences: 1, length: 8192, isFull: false, recomputes: true },
  'full-2048': { sequences: 16, length: 128, isFull: true, recomputes: false },
} as const
type CaseName = keyof typeof CASES

const { values } = parseArgs({
  options: {
    case: { type: 'string' },
    threads: { type: 'string', default: String(cpus().length) },
    'base-dtype': { type: 'string', default: 'float32' },
    weights: { type: 'string' },
  },
})

async function measureCase(name: CaseName, weights: string): Promise<void> {
  const { sequences, length, isFull, recomputes } = CASES[name]
  const baseDtype = values['base-dtype'] as BaseDtype
  const engine = createEmbeddedEngine({
    threads: Number(values.threads),
    gradientCheckpointing: recomputes,
    ...(!isFull && { baseDtype }),
  })
  const trains = isFull ? 'all' : { rank: 16, alpha: 32, targets: ['all-linear'] }
  const model = await engine.load({ from: { weights }, trains })
  const rows = makeSequences(sequences, { length, scored: Math.round(length * 0.6), vocabulary: SMOLLM2.vocabSize })
  resetPeakMemory()
  const start = performance.now()
  await trainStep(engine, model, rows)
  const seconds = (performance.now() - start) / 1000
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`
  console.log(
    [
      name,
      isFull ? '' : `, base in ${baseDtype}`,
      recomputes ? ', layers recomputed' : '',
      `: peak of the process ${gigabytes(process.resourceUsage().maxRSS * 1024)}, of tensors ${gigabytes(memory().peak)}`,
      `; ${seconds.toFixed(1)} s for ${sequences * length} tokens`,
    ].join(''),
  )
  await engine.release(model)
}

if (values.weights !== undefined) await measureCase(values.case as CaseName, values.weights)
else {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-memory-'))
  try {
    const { folder: weights } = makeSmollm2(join(folder, 'model'))
    for (const name of Object.keys(CASES) as CaseName[]) {
      if (values.case !== undefined && values.case !== name) continue
      const args = ['--case', name, '--weights', weights, '--threads', values.threads]
      const own = [...args, '--base-dtype', values['base-dtype']]
      execFileSync(process.execPath, ['--import', 'tsx', import.meta.filename, ...own], { stdio: 'inherit' })
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
