// A workspace whose jobs are over in a moment: a tiny random model as a finished run, and a dataset of demonstrations.
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { importVersion } from '#data'
import type { RunOrder } from '#schema'
import { makeSmallFiles } from './small-run.ts'

export async function makeJobWorkspace(workspace: string): Promise<void> {
  fs.mkdirSync(join(workspace, 'runs'), { recursive: true })
  fs.writeFileSync(join(workspace, 'guideline.md'), 'Judge by the colour.\n')
  fs.writeFileSync(join(workspace, 'hone.json'), JSON.stringify({ name: 'desk', domain: 'customer-service' }))
  const files = join(workspace, 'files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
  await addTinyRuns(workspace, files)
}

/** Finished runs `tiny` and `tiny-reward`, datasets `colours` and `questions`. */
export async function addTinyRuns(workspace: string, files: string): Promise<void> {
  for (const [run, recipe, model] of [
    ['tiny', 'sft', 'model'],
    ['tiny-reward', 'reward', 'reward'],
  ] as const) {
    const folder = join(workspace, 'runs', run)
    fs.cpSync(join(files, model), join(folder, 'model'), { recursive: true })
    const record = { recipe, hone: '0', status: 'done', inputs: {}, outputs: {}, simulated: false }
    fs.writeFileSync(join(folder, 'run.json'), JSON.stringify(record))
    fs.writeFileSync(join(folder, 'config.json'), '{}')
  }
  await importVersion(workspace, join(files, 'demonstrations.jsonl'), { kind: 'demonstrations', name: 'colours' })
  await importVersion(workspace, join(files, 'mark-prompts.jsonl'), { kind: 'prompts', name: 'questions' })
}

/** SFT of the tiny model, a checkpoint every fifth step. */
export function tinyOrder(steps: number): RunOrder {
  return {
    recipe: 'sft',
    inputs: { model: 'tiny', data: 'colours' },
    settings: { steps, batchSize: 4, checkpointEvery: 5 },
    computing: {},
  }
}

/** PPO of the tiny model on its tiny reward, with marks every step or two, judged by people. */
export function peopleOrder(steps: number): RunOrder {
  return {
    recipe: 'ppo',
    inputs: {
      model: 'tiny',
      reward: 'tiny-reward',
      withoutTicket: 'yes',
      data: 'questions',
      watch: 'questions',
      judge: 'people',
    },
    settings: {
      steps,
      warmupSteps: 1,
      criticWarmupSteps: 1,
      promptsPerStep: 4,
      maxTokens: 8,
      learningRate: 0.003,
      klBudget: 'off',
      markEvery: 0.01,
      markPairs: 4,
      samplesEvery: 2,
    },
    computing: {},
  }
}

/**
 * Kills by SIGKILL a process that trains in one of the runs' folders, `delay` ms after it was first seen there; one that ended
 * meanwhile is passed over for the next. False where none came within the time: then nothing was killed.
 */
export async function killWorker(
  workspace: string,
  runs: readonly string[],
  { delay, withinSeconds = 30 }: { delay: number; withinSeconds?: number },
): Promise<boolean> {
  const until = performance.now() + withinSeconds * 1000
  const missed = new Set<number>()
  while (performance.now() < until) {
    for (const pid of runs.flatMap((run) => holdersOf(join(workspace, 'runs', run)))) {
      if (missed.has(pid)) continue
      await sleep(delay)
      try {
        process.kill(pid, 'SIGKILL')
        return true
      } catch {
        missed.add(pid)
      }
    }
    await sleep(10)
  }
  return false
}

/** Process ids that holds in a folder name, the dead among them. */
function holdersOf(folder: string): number[] {
  if (!fs.existsSync(folder)) return []
  return fs.readdirSync(folder).flatMap((name) => {
    if (!name.startsWith('.hold-')) return []
    try {
      return [(JSON.parse(fs.readFileSync(join(folder, name), 'utf8')) as { pid: number }).pid]
    } catch {
      return [] // let go between the two looks
    }
  })
}
