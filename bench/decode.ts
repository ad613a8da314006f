// Decoding SmolLM2-135M in bfloat16 at small batches: hone, transformers and llama.cpp on the same weights and threads, each in
// a process of its own, by turns, beside the time that reading the weights and the cache once takes on this machine (the
// floor). Time a step is the slope between two completions of different length, so that loading and prompts drop out.
// npm run bench -- decode [--python PATH] [--llama FOLDER] [--threads 2] [--batches 1,8,32] [--rounds 3] [--base-dtype int8]
// FOLDER is one where `npm install node-llama-cpp` was done; PATH a Python that has torch and transformers.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exportFolder, exportGguf } from '#lm'
import { makeSmollm2, STORED_PARAMETERS } from './worlds/smollm2-shape.ts'

/** A step of one side: seconds, at the best of the rounds. */
type Answer = { seconds: number; setting: string; version: string; readBytesPerSecond?: number }

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    llama: { type: 'string' },
    threads: { type: 'string', default: String(cpus().length) },
    batches: { type: 'string', default: '1,8,32' },
    rounds: { type: 'string', default: '3' },
    'base-dtype': { type: 'string' },
  },
})
const SHORT = 16
const LONG = 80
const PROMPT = 32
const KEYS_AND_VALUES = 2 * 30 * 3 * 64

const folder = fs.mkdtempSync(join(tmpdir(), 'hone-decode-'))

function ask(command: string, args: string[], work: object): Answer {
  const env = { ...process.env, HONE_THREADS: values.threads, OMP_NUM_THREADS: values.threads }
  const given = [...args, JSON.stringify(work)]
  const out = execFileSync(command, given, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] })
  return JSON.parse(out.trim().split('\n').at(-1)!) as Answer
}

try {
  const source = makeSmollm2(join(folder, 'source'))
  exportFolder({ folder: source.folder, to: join(folder, 'model'), dtype: 'bfloat16' })
  const gguf = join(folder, 'model.gguf')
  if (source.isReal) exportGguf({ folder: source.folder, to: gguf, type: 'BF16' })
  const beside = (name: string) => join(import.meta.dirname, 'decode', name)
  const sides: Record<string, (work: object) => Answer> = {
    hone: (work) => ask(process.execPath, ['--import', 'tsx', beside('hone.ts')], work),
  }
  const { python, llama } = values
  if (values['base-dtype'])
    sides[`hone ${values['base-dtype']}`] = (work) =>
      ask(process.execPath, ['--import', 'tsx', beside('hone.ts')], { ...work, baseDtype: values['base-dtype'] })
  if (python) sides.transformers = (work) => ask(python, [beside('transformers_step.py')], work)
  else console.log('transformers skipped: name a Python that has it by --python PATH')
  if (llama && source.isReal)
    sides['llama.cpp'] = (work) => ask(process.execPath, [beside('llama.mjs')], { ...work, llama, gguf })
  else console.log('llama.cpp skipped: it takes --llama FOLDER and the real weights (scripts/smollm2.ts)')
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${values.threads} threads, bfloat16, ${source.isReal ? 'SmolLM2-135M-Instruct' : 'random weights of its shape'}`,
  )
  for (const batch of values.batches.split(',').map(Number)) {
    const work = { model: join(folder, 'model'), batch, prompt: PROMPT, short: SHORT, long: LONG }
    const best = new Map<string, Answer>()
    for (let round = 0; round < Number(values.rounds); round++)
      for (const [name, side] of Object.entries(sides)) {
        if (name === 'llama.cpp' && batch > 1) continue
        const answer = side({ ...work, threads: Number(values.threads) })
        const known = best.get(name)
        best.set(name, {
          ...(known && known.seconds < answer.seconds ? known : answer),
          readBytesPerSecond: Math.max(known?.readBytesPerSecond ?? 0, answer.readBytesPerSecond ?? 0),
        })
      }
    const own = best.get('hone')!
    const cached = PROMPT + (SHORT + LONG) / 2
    const bytes = 2 * STORED_PARAMETERS + 4 * batch * cached * KEYS_AND_VALUES
    const floor = bytes / own.readBytesPerSecond!
    for (const [name, { seconds, setting, version }] of best)
      console.log(
        [
          `batch ${batch}`.padEnd(9),
          name.padEnd(13),
          `${(1000 * seconds).toFixed(1)} ms a step`.padEnd(17),
          `${(batch / seconds).toFixed(0)} tokens/s`.padEnd(14),
          (name === 'hone' ? '' : `hone is ${(seconds / own.seconds).toFixed(2)} times as fast`).padEnd(32),
          `${setting}; ${version}`,
        ].join(' '),
      )
    console.log(
      `batch ${batch}   floor         ${(1000 * floor).toFixed(1)} ms a step  (${(bytes / 1e6).toFixed(0)} MB at ${(own.readBytesPerSecond! / 1e9).toFixed(1)} GB/s): hone reaches ${((100 * floor) / own.seconds).toFixed(0)}%`,
    )
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
