// hone's recipes beside TRL's trainers: SFT tokens a second and reward pairs a second, one pass over the same rows of spread
// lengths, the same model folder, threads and float32, each in a process of its own, by turns; TRL in the better of two
// orders of rows. Also the peak memory of each process. Weights are random: speed does not see the difference.
// npm run bench -- trl --python PATH [--cases sft-5M,sft-135M-lora,sft-135M,reward-5M,reward-135M-lora] [--threads 2] [--steps 0] [--rounds 2]
// PATH: a Python that has trl, peft and datasets. --steps 0: 30 of the 5M model, 6 of the 135M.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeRecipeWork, type RecipeAnswer, type What } from './peers/recipe-work.ts'
import { makeModel } from './peers/work.ts'
import { makeSmollm2, SMOLLM2 } from './worlds/smollm2-shape.ts'

type Case = { what: What; size: '5M' | '135M'; isLora: boolean; settings: string[] }
const SETTINGS = ['sequential', 'group_by_length']
const CASES: Record<string, Case> = {
  'sft-5M': { what: 'sft', size: '5M', isLora: false, settings: SETTINGS },
  'sft-135M-lora': { what: 'sft', size: '135M', isLora: true, settings: SETTINGS },
  'sft-135M': { what: 'sft', size: '135M', isLora: false, settings: SETTINGS },
  'reward-5M': { what: 'reward', size: '5M', isLora: false, settings: ['sequential'] },
  'reward-135M-lora': { what: 'reward', size: '135M', isLora: true, settings: ['sequential'] },
}
const STEPS = { '5M': 30, '135M': 6 }
const BATCH = 16

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    cases: { type: 'string', default: Object.keys(CASES).join(',') },
    threads: { type: 'string', default: String(cpus().length) },
    steps: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '2' },
  },
})
const { python } = values
if (!python) throw new Error('expected --python PATH of a Python that has trl, peft and datasets')
const names = values.cases.split(',')
for (const name of names)
  if (!(name in CASES)) throw new Error(`--cases: expected some of ${Object.keys(CASES).join(', ')}, got ${name}`)

const folder = mkdtempSync(join(tmpdir(), 'hone-trl-'))
const models = { '5M': join(folder, '5M'), '135M': join(folder, '135M') }

function ask(command: string, args: string[]): RecipeAnswer {
  const env = { ...process.env, HONE_THREADS: values.threads, OMP_NUM_THREADS: values.threads }
  const out = execFileSync(command, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] })
  return JSON.parse(out.trim().split('\n').at(-1)!) as RecipeAnswer
}

/** Rates: the better of the rounds, since what else the machine did can only have slowed it down. */
function better(a: RecipeAnswer | undefined, b: RecipeAnswer): RecipeAnswer {
  return a && a.perSecond > b.perSecond ? a : b
}

try {
  makeModel('5M', models['5M'])
  makeSmollm2(models['135M'], { isRandom: true })
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${values.threads} threads, float32`)
  for (const name of names) {
    const { what, size, isLora, settings } = CASES[name]!
    const file = join(folder, `${name}.json`)
    const steps = Number(values.steps) || STEPS[size]
    const vocabulary = size === '5M' ? 896 : SMOLLM2.vocabSize
    const shared = { what, model: models[size], isLora, threads: Number(values.threads), batchSize: BATCH }
    writeFileSync(file, JSON.stringify(makeRecipeWork({ ...shared, steps, vocabulary })))
    const beside = (script: string): string => join(import.meta.dirname, 'peers', script)
    let own: RecipeAnswer | undefined
    let peer: RecipeAnswer | undefined
    for (let round = 0; round < Number(values.rounds); round++) {
      own = better(own, ask(process.execPath, ['--import', 'tsx', beside('hone-recipe.ts'), file]))
      for (const setting of settings) peer = better(peer, ask(python, [beside('trl_recipe.py'), file, setting]))
    }
    if (own!.firstLoss !== undefined && Math.abs(own!.firstLoss - peer!.firstLoss!) > 1e-3 * own!.firstLoss)
      throw new Error(`${name}: first losses differ, ${own!.firstLoss} and ${peer!.firstLoss}: not the same work`)
    const unit = what === 'sft' ? 'tokens/s' : 'pairs/s'
    for (const [who, a] of [
      ['hone', own!],
      ['TRL', peer!],
    ] as const)
      console.log(
        [
          name.padEnd(17),
          who.padEnd(5),
          `${a.perSecond.toFixed(1)} ${unit}`.padEnd(18),
          `${a.perCpuSecond.toFixed(1)} a CPU second`.padEnd(22),
          `peak ${(a.peakMemoryBytes / 1e9).toFixed(2)} GB`.padEnd(14),
          `${a.setting}; ${a.version}`,
        ].join(' '),
      )
    console.log(
      `${name.padEnd(17)} hone / TRL ${(own!.perSecond / peer!.perSecond).toFixed(2)} by the wall clock, ${(own!.perCpuSecond / peer!.perCpuSecond).toFixed(2)} by the CPU clock, memory ${(own!.peakMemoryBytes / peer!.peakMemoryBytes).toFixed(2)}`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
