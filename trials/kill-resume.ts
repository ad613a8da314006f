// Kills training runs and goes on with them: 25 times from outside at random times over 60 steps, then at each named point
// inside a save, then on a disk that fills up. What they leave must be, byte for byte, what a run left alone leaves:
// weights, moments, recipe state, metrics, samples. Also said: how much work a kill cost.
// With `adapters`, low-rank adapters train on one frozen base, in PPO under policy, reference and critic alike.
// npm run trials -- kill-resume [sft|reward|dpo|ppo|all] [kills 25] [seed 1] [adapters]
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { generator } from '#stats'
import { checkpointSteps } from '#trainer'
import { type ChildOrder, KILL_POINTS } from './worlds/run-child.ts'
import { hashesOf, makeSmallFiles, RECIPES, type RecipeName } from './worlds/small-run.ts'

const STEPS = 60
const CHECKPOINT_EVERY = 5
const FULL_DISKS = 2
const [which = 'all', kills = '25', seed = '1', kind = 'weights'] = process.argv.slice(2)
if (!['weights', 'adapters'].includes(kind)) throw new Error(`expected weights or adapters, got ${kind}`)
const LORA = { rank: 2, alpha: 4, targets: ['all-linear'], isRankStabilised: false }
const random = generator(Number(seed))
const root = fs.mkdtempSync(join(tmpdir(), 'hone-kill-resume-'))
const files = join(root, 'files')
const orderOf = (recipe: RecipeName, run: string): ChildOrder => ({
  run,
  files,
  recipe,
  steps: STEPS,
  checkpointEvery: CHECKPOINT_EVERY,
  ...(kind === 'adapters' && { changes: { lora: LORA, ...(recipe === 'ppo' && { criticFrom: 'policy' as const }) } }),
})

type Ended = { done: boolean; killed: boolean; said: string; lost: number; firstStepAfter: number }
/** Two steps after `step` at the latest; before that `share` of the last step's time after it, or so many ms after the start. */
type Kill = { step: number } & ({ share: number } | { milliseconds: number })

/** Runs the child until its end or until it is killed. */
async function runChild(order: ChildOrder, kill?: Kill): Promise<Ended> {
  const script = join(import.meta.dirname, 'worlds/run-child.ts')
  const began = performance.now()
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  // Work since the last checkpoint; since the process began where it has made none.
  let savedAt = began
  let lastStep = began
  let firstStepAfter = 0
  let timer: NodeJS.Timeout | undefined
  const arm = (milliseconds: number) => (timer ??= setTimeout(() => child.kill('SIGKILL'), milliseconds))
  if (kill && 'milliseconds' in kill) arm(kill.milliseconds)
  createInterface({ input: child.stdout }).on('line', (line) => {
    said = line
    const now = performance.now()
    const [kind, step] = line.split(' ')
    if (kind === 'checkpoint') savedAt = now
    if (kind !== 'step') return
    if (kill && Number(step) >= kill.step && 'share' in kill) arm(kill.share * (now - lastStep))
    if (kill && Number(step) >= kill.step + 2) child.kill('SIGKILL')
    firstStepAfter ||= now - began
    lastStep = now
  })
  const signal = await new Promise<string | null>((end) => child.on('close', (_, by) => end(by)))
  clearTimeout(timer)
  return {
    done: said.startsWith('done'),
    killed: signal === 'SIGKILL',
    said,
    lost: signal === 'SIGKILL' ? (performance.now() - savedAt) / 1000 : 0,
    firstStepAfter,
  }
}

function differences(run: string, whole: string): string[] {
  const [a, b] = [hashesOf(run), hashesOf(whole)]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((path) => a[path] !== b[path])
}

/** Kills at random times: within two steps after a step drawn at random, a fifth of them between the start of the process and its second step or so. */
async function killFromOutside(recipe: RecipeName, whole: string, firstStepAfter: number) {
  const run = join(root, `${recipe}-killed`)
  const steps = Array.from({ length: Number(kills) }, () => Math.floor(random.uniform() * (STEPS - 3)))
  const lost: number[] = []
  let early = 0
  for (const step of steps.sort((a, b) => a - b)) {
    const isEarly = random.uniform() < 0.2
    const share = 2 * random.uniform()
    const kill = isEarly ? { step, milliseconds: share * firstStepAfter } : { step, share }
    const ended = await runChild(orderOf(recipe, run), kill)
    if (!ended.killed) throw new Error(`${recipe}: expected a kill near step ${step}, got: ${ended.said}`)
    firstStepAfter = ended.firstStepAfter || firstStepAfter
    early += Number(isEarly)
    lost.push(ended.lost)
  }
  const last = await runChild(orderOf(recipe, run))
  if (!last.done) throw new Error(`${recipe}: ${last.said}`)
  return { kills: lost.length, early, lost: Math.max(...lost), differs: differences(run, whole) }
}

/** One run, killed at each named point in turn: in the second save of each process, so that it gets on. */
async function killInsideSave(recipe: RecipeName, whole: string): Promise<string[]> {
  const run = join(root, `${recipe}-inside`)
  for (const killAt of KILL_POINTS) {
    const ended = await runChild({ ...orderOf(recipe, run), killAt, save: 2 })
    if (!ended.killed) throw new Error(`${recipe}: expected a kill ${killAt}, got: ${ended.said}`)
  }
  const last = await runChild(orderOf(recipe, run))
  if (!last.done) throw new Error(`${recipe}, killed inside saves: ${last.said}`)
  return differences(run, whole).map((path) => `inside save: ${path}`)
}

/** Disks that are full after a random share of what the run writes. */
async function fillDisk(recipe: RecipeName, whole: string) {
  const differs: string[] = []
  const errors = new Set<string>()
  for (let n = 0; n < FULL_DISKS; n++) {
    const run = join(root, `${recipe}-full-${n}`)
    // Runs of adapters write less in all.
    const diskBytes = Math.floor(2e4 + random.uniform() * (kind === 'adapters' ? 1e5 : 1e6))
    const ended = await runChild({ ...orderOf(recipe, run), diskBytes })
    if (!/^failed DataError: .*disk is full/.test(ended.said))
      throw new Error(`${recipe}: expected one error about a full disk, got: ${ended.said}`)
    errors.add(ended.said.replace(/^failed DataError: \S+ /, ''))
    const last = await runChild(orderOf(recipe, run))
    if (!last.done) throw new Error(`${recipe}, full disk: ${last.said}`)
    differs.push(...differences(run, whole).map((path) => `full disk ${diskBytes}: ${path}`))
  }
  return { differs, errors: [...errors] }
}

try {
  fs.mkdirSync(files)
  await makeSmallFiles(files)
  console.log(`recipe  kills (early)  most seconds lost  inside save  full disk  files compared  files that differ`)
  for (const recipe of RECIPES.filter((name) => which === 'all' || which === name)) {
    const whole = join(root, recipe)
    const alone = await runChild(orderOf(recipe, whole))
    if (!alone.done) throw new Error(`${recipe}: ${alone.said}`)
    const outside = await killFromOutside(recipe, whole, alone.firstStepAfter)
    const inside = await killInsideSave(recipe, whole)
    const full = await fillDisk(recipe, whole)
    const differs = [...outside.differs, ...inside, ...full.differs]
    console.log(
      [
        recipe.padEnd(7),
        `${outside.kills} (${outside.early})`.padEnd(14),
        outside.lost.toFixed(1).padEnd(18),
        `${KILL_POINTS.length} points`.padEnd(12),
        `${FULL_DISKS} times`.padEnd(10),
        String(Object.keys(hashesOf(whole)).length).padEnd(15),
        differs.length === 0 ? 'none' : differs.join(', '),
      ].join(' '),
    )
    for (const error of full.errors) console.log(`        full disk says: ${error}`)
    if (differs.length > 0 || outside.lost > 30) process.exitCode = 1
    if (checkpointSteps(whole).at(-1) !== STEPS) throw new Error('the run ended before its last step')
  }
} finally {
  fs.rmSync(root, { recursive: true, force: true })
}
