// Runs that are stopped, killed or fail and go on end with the bytes of a run that was left alone: weights, moments, recipe
// state, metrics, samples. `npm run trials -- kill-resume` is the same at length.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { MarkResult } from '#align'
import { gatherItems } from '#feedback'
import { sha256File } from '#files'
import type { Judgement } from '#schema'
import { closeTemplates } from '#text'
import { liveTensors } from '#torch'
import type { ChildOrder } from '../../trials/worlds/run-child.ts'
import {
  hashesOf,
  makeSmallFiles,
  preferLonger,
  RECIPES,
  type RecipeName,
  smallJob,
} from '../../trials/worlds/small-run.ts'
import { checkpointSteps } from './checkpoints.ts'
import type { Job } from './jobs.ts'
import { type MarkRow, markFile, markSteps, removeMarksAfter } from './marks.ts'
import { readRun } from './run-folder.ts'
import { branch, resume, train, type Trained, type TrainOptions } from './train.ts'

const STEPS = 6
const options: TrainOptions = { hone: 'test', judge: preferLonger }
let root: string
let files: string
let before: number
/** Runs that nobody disturbed. */
const whole: Record<string, string> = {}

beforeAll(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-resume-'))
  vi.stubEnv('HONE_CACHE', join(root, 'cache'))
  files = join(root, 'files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
  for (const recipe of RECIPES) {
    whole[recipe] = join(root, `whole-${recipe}`)
    await train(jobOf(recipe), whole[recipe], options)
  }
})
afterAll(() => {
  vi.unstubAllEnvs()
  closeTemplates()
  fs.rmSync(root, { recursive: true, force: true })
})
beforeEach(() => {
  before = liveTensors()
})
afterEach(() => {
  expect(liveTensors()).toBe(before)
})

const jobOf = (recipe: RecipeName, o = {}) => smallJob(recipe, files, { steps: STEPS, checkpointEvery: 2, ...o })

describe.each(RECIPES)('%s', (recipe) => {
  test('stopped after every step, it ends with the bytes of a run left alone', async () => {
    const run = join(root, `stopped-${recipe}`)
    let trained: Trained | undefined
    let starts = 0
    while (!trained?.finished) {
      const controller = new AbortController()
      const stopping = {
        ...options,
        signal: controller.signal,
        onProgress: (event: { kind: string; step: number }) => {
          if (event.kind === 'step' && event.step > 0) controller.abort()
        },
      }
      trained = await (trained ? resume(run, stopping) : train(jobOf(recipe), run, stopping))
      starts++
      expect(readRun(run).record.status).toBe(trained.finished ? 'done' : 'stopped')
    }
    expect(starts).toBe(STEPS + 1)
    expect(hashesOf(run)).toEqual(hashesOf(whole[recipe]!))
    expect(readRun(run).record.outcome).toEqual(readRun(whole[recipe]!).record.outcome)
    await expect(resume(run, options)).rejects.toThrow(/is done/)
  })

  test('a disk that fills up is one error, leaves no half of a checkpoint, and the run goes on once there is room', async () => {
    const run = join(root, `full-${recipe}`)
    const { writeSync } = fs
    let left = Infinity
    const disk = vi.spyOn(fs, 'writeSync').mockImplementation(((
      fd: number,
      data: Uint8Array,
      offset: number,
      length: number,
    ) => {
      left -= length
      if (left < 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
      return writeSync(fd, data, offset, length)
    }) as typeof fs.writeSync)
    const filling = {
      ...options,
      onProgress: ({ kind, step }: { kind: string; step: number }) => {
        // Room for half of the next checkpoint.
        if (kind === 'step' && step === 4) left = 60_000
      },
    }
    await expect(train(jobOf(recipe), run, filling)).rejects.toThrow(/disk is full; free some space/)
    disk.mockRestore()
    expect(checkpointSteps(run).every((step) => step < 4)).toBe(true)
    expect(hidden(run)).toEqual([])
    expect((await resume(run, options)).finished).toBe(true)
    expect(hashesOf(run)).toEqual(hashesOf(whole[recipe]!))
  })
})

test.each(['sft', 'dpo'] as const)('%s without watched prompts has the same weights and metrics', async (recipe) => {
  const run = join(root, `unwatched-${recipe}`)
  const { watch, config, ...job } = jobOf(recipe) as Extract<Job, { recipe: 'sft' | 'dpo' }>
  const { samplesEvery: _, samplesMaxTokens: __, ...settings } = config
  await train({ ...job, config: settings } as Job, run, options)
  const samples = fs.readFileSync(join(whole[recipe]!, 'samples.jsonl'), 'utf8').trim().split('\n')
  const steps = samples.map((line) => (JSON.parse(line) as { step: number }).step)
  expect(steps).toEqual([0, 0, 2, 2, 4, 4, 6, 6])
  expect(watch).toMatch(/watched\.jsonl$/)
  expect(fs.readFileSync(join(run, 'samples.jsonl'), 'utf8')).toBe('')
  // Checkpoints tell how long the samples were, the card what went in.
  const without = (folder: string) =>
    Object.entries(hashesOf(folder)).filter(
      ([path]) => !/samples\.jsonl$|checkpoint\.json$|hone-training\.json$/.test(path),
    )
  expect(without(run)).toEqual(without(whole[recipe]!))
  expect(without(run).length).toBeGreaterThan(3)
})

test('killed in the middle of a save, by SIGKILL and in a process of its own, it goes on to the same bytes', async () => {
  const run = join(root, 'killed')
  const order = { run, files, recipe: 'sft', steps: STEPS, checkpointEvery: 2 } as const
  expect(await child({ ...order, killAt: 'mid-data', save: 2 })).toBe('SIGKILL')
  expect(checkpointSteps(run)).toEqual([2])
  expect(hidden(run)).not.toEqual([])
  // A kill while a mark is written; no process has such an id.
  const unfinished = join(run, 'marks', '000002', `.judgements.jsonl.writing-${2 ** 22 + 1}-1`)
  fs.mkdirSync(dirname(unfinished), { recursive: true })
  fs.writeFileSync(unfinished, '{"item"')
  await resume(run, options)
  expect(fs.existsSync(unfinished)).toBe(false)
  expect(hidden(run)).toEqual([])
  expect(hashesOf(run)).toEqual(hashesOf(whole.sft!))
})

describe("PPO with its critic on the policy's trunk", () => {
  const lora = { rank: 2, alpha: 4, targets: ['all-linear'], isRankStabilised: false }

  test.each([
    ['all weights train', {}],
    ['adapters train', { lora }],
  ])('%s: killed inside a save and stopped after a step, it ends with the bytes of a run left alone', async (name, o) => {
    const changes = { criticFrom: 'policy', ...o } as const
    const job = { ...jobOf('ppo'), ...changes } as Job
    const [alone, killed] = [`alone, ${name}`, `killed, ${name}`].map((folder) => join(root, folder)) as [
      string,
      string,
    ]
    await train(job, alone, options)
    const order = { run: killed, files, recipe: 'ppo', steps: STEPS, checkpointEvery: 2, changes } as const
    expect(await child({ ...order, killAt: 'before-rename', save: 2 })).toBe('SIGKILL')
    const controller = new AbortController()
    const onProgress = ({ kind }: { kind: string }) => void (kind === 'step' && controller.abort())
    expect((await resume(killed, { ...options, signal: controller.signal, onProgress })).finished).toBe(false)
    expect((await resume(killed, options)).finished).toBe(true)
    expect(hashesOf(killed)).toEqual(hashesOf(alone))

    const rounds = linesOf(alone, 'step').map((line) => JSON.parse(line) as Record<string, number>)
    for (const { firstRatioGap, samplerGapMax } of rounds) {
      expect(firstRatioGap).toBe(0)
      expect(samplerGapMax).toBeLessThan(1e-4)
    }
    const paths = Object.keys(hashesOf(alone))
    expect(paths.filter((path) => /checkpoints.*critic/.test(path))).toEqual([])
    expect(paths).toContain('model/hone-heads.safetensors')
  })

  test('at value weight 0 the head is detached: the trunk hears nothing of it', async () => {
    for (const [valueWeight, detached] of [
      [0, true],
      [0.5, false],
    ] as const) {
      const job = jobOf('ppo', { steps: 2 })
      const run = join(root, `weight-${valueWeight}`)
      await train({ ...job, criticFrom: 'policy', config: { ...job.config, valueWeight } } as Job, run, options)
      const head = fs.readFileSync(join(run, 'checkpoints/000002/policy/hone.json'), 'utf8')
      expect(JSON.parse(head)).toMatchObject({ value: { detached } })
    }
  })
})

describe('branch', () => {
  test('goes on from a checkpoint with other settings and holds the whole run, bit for bit the same up to there', async () => {
    const [short, out] = [join(root, 'short'), join(root, 'branched')]
    // Constant rate: the length of the run changes nothing before its end.
    const job = (steps: number) => {
      const whole = jobOf('ppo', { steps })
      if (whole.recipe !== 'ppo') throw new Error('expected ppo')
      return { ...whole, config: { ...whole.config, floor: 1 } }
    }
    await train(job(4), short, options)
    const controller = new AbortController()
    const stopping = { ...options, signal: controller.signal, onProgress: () => controller.abort() }
    expect((await branch(short, { step: 4, job: job(6), out }, stopping)).finished).toBe(false)
    // What it came from is needed no longer, and the run may lie elsewhere.
    fs.rmSync(short, { recursive: true })
    const moved = join(root, 'moved')
    fs.renameSync(out, moved)
    expect((await resume(moved, options)).finished).toBe(true)
    const straight = join(root, 'straight')
    await train(job(6), straight, options)
    expect(linesOf(moved, 'step')).toEqual(linesOf(straight, 'step'))
    expect(Object.keys(readRun(moved).record.inputs)).toContain('branchedFrom')
  })

  test('refuses other data than the run it goes on from', async () => {
    const other = join(root, 'other.jsonl')
    fs.writeFileSync(
      other,
      fs
        .readFileSync(join(files, 'demonstrations.jsonl'), 'utf8')
        .toUpperCase()
        .replaceAll('PROMPT', 'prompt')
        .replaceAll('COMPLETION', 'completion'),
    )
    const job = { ...jobOf('sft'), data: other }
    await expect(branch(whole.sft!, { step: 4, job, out: join(root, 'refused') }, options)).rejects.toThrow(
      /data\) changed since the run began/,
    )
  })
})

describe('the weights that a PPO run leaves', () => {
  const weights = (folder: string) => sha256File(join(folder, 'model.safetensors'))

  test('are those of the step that the marks chose', () => {
    const { kept } = readRun(whole.ppo!).record.outcome as { kept: number }
    expect(kept).toBeGreaterThan(0)
    const checkpoint = join(whole.ppo!, 'checkpoints', String(kept).padStart(6, '0'))
    expect(weights(join(whole.ppo!, 'model'))).toBe(weights(join(checkpoint, 'policy')))
  })

  test('are those of the start where no mark was better', async () => {
    const run = join(root, 'no-better')
    const judge: TrainOptions['judge'] = async (pairs) => pairs.map(() => ({ probability: 0.5, judgements: [] }))
    const { outcome } = await train(jobOf('ppo', { steps: 3 }), run, { ...options, judge })
    expect(outcome.kept).toBeUndefined()
    expect(weights(join(run, 'model'))).toBe(weights(join(files, 'model')))
  })
})

test('what a mark rests on is kept: every pair with its names, every answer with the sides as shown', () => {
  const run = whole.ppo!
  const marks = linesOf(run, 'mark').map((line) => (JSON.parse(line) as { mark: MarkResult }).mark)
  expect(markSteps(run)).toEqual(marks.map(({ step }) => step))
  const read = <T>(step: number, file: 'pairs' | 'judgements') =>
    fs
      .readFileSync(markFile(run, step, file), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T)
  let shown = 0
  for (const { step, winReference, winBest } of marks) {
    const pairs = read<MarkRow>(step, 'pairs')
    const judgements = read<Judgement>(step, 'judgements')
    // The mark's own figures follow from what is kept.
    for (const [opponent, win] of Object.entries({ reference: winReference, best: winBest })) {
      const own = pairs.filter((pair) => pair.opponent === opponent)
      const wins = own.reduce((sum, { probability: p }) => sum + (1 + Math.sign(p - 0.5)) / 2, 0)
      if (win) expect(wins / own.length).toBeCloseTo(win.value, 12)
      else expect(own).toEqual([])
    }
    const items = gatherItems(judgements, pairs)
    for (const [i, { votes }] of items.entries()) {
      expect(votes).toHaveLength(pairs[i]!.wasShown ? 1 : 0)
      if (votes[0]) expect(votes[0].towardsA).toBe((1 + Math.sign(pairs[i]!.probability - 0.5)) / 2)
      shown += votes.length
    }
    expect(judgements.every((j) => j.simulated && j.annotator === 'longer' && j.prompt !== undefined)).toBe(true)
  }
  expect(shown).toBeGreaterThan(0)
  // A resume from before a mark forgets it; it is judged again.
  const copy = join(root, 'forgets')
  fs.cpSync(run, copy, { recursive: true })
  removeMarksAfter(copy, marks[0]!.step)
  expect(markSteps(copy)).toEqual([marks[0]!.step])
})

test('a run whose data changed meanwhile is refused', async () => {
  const run = join(root, 'changed')
  const data = join(root, 'changing.jsonl')
  fs.copyFileSync(join(files, 'demonstrations.jsonl'), data)
  const controller = new AbortController()
  controller.abort()
  await train({ ...jobOf('sft'), data }, run, { ...options, signal: controller.signal })
  fs.appendFileSync(data, '{"prompt":"a","completion":"b"}\n')
  await expect(resume(run, options)).rejects.toThrow(/changed since the run began/)
})

test('a damaged checkpoint is refused by name, and removing it goes on from the one before', async () => {
  const run = join(root, 'damaged')
  fs.cpSync(whole.sft!, run, { recursive: true })
  const record = JSON.parse(fs.readFileSync(join(run, 'run.json'), 'utf8')) as object
  fs.writeFileSync(join(run, 'run.json'), JSON.stringify({ ...record, status: 'running' }))
  fs.appendFileSync(join(run, 'checkpoints/000006/model/model.safetensors'), 'x')
  await expect(resume(run, options)).rejects.toThrow(/remove .*000006 to go on from the checkpoint before/)
  fs.rmSync(join(run, 'checkpoints/000006'), { recursive: true })
  await resume(run, options)
  expect(hashesOf(run)).toEqual(hashesOf(whole.sft!))
})

test('checkpoints but the newest two and those of marks are removed', () => {
  expect(checkpointSteps(whole.sft!)).toEqual([4, 6])
  const marks = linesOf(whole.ppo!, 'mark').map((line) => (JSON.parse(line) as { step: number }).step)
  expect(marks.length).toBeGreaterThan(1)
  expect(checkpointSteps(whole.ppo!)).toEqual(
    [...new Set([...marks, ...checkpointSteps(whole.ppo!).slice(-2)])].sort((a, b) => a - b),
  )
})

/** Temporaries and holds that a run left behind. */
function hidden(run: string): string[] {
  return ['.', 'checkpoints'].flatMap((folder) =>
    fs.readdirSync(join(run, folder)).filter((name) => /writing/.test(name)),
  )
}

function linesOf(run: string, kind: 'step' | 'mark'): string[] {
  const lines = fs.readFileSync(join(run, 'metrics.jsonl'), 'utf8').trim().split('\n')
  return lines.filter((line) => line.startsWith(kind === 'step' ? '{"step"' : `{"kind":"${kind}"`))
}

async function child(order: ChildOrder): Promise<string | null> {
  const script = join(import.meta.dirname, '../../trials/worlds/run-child.ts')
  const started = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(order)], { stdio: 'ignore' })
  const [, signal] = (await once(started, 'exit')) as [number | null, string | null]
  return signal
}
