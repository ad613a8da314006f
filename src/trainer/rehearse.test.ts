// A rehearsal knows the whole schedule from a few steps, counts parameters exactly, and leaves nothing behind.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { filesUnder, sha256File } from '#files'
import { closeTemplates } from '#text'
import { liveTensors } from '#torch'
import { makeSmallFiles, preferLonger, RECIPES, smallJob } from '../../trials/worlds/small-run.ts'
import type { Job } from './jobs.ts'
import { rehearse } from './rehearse.ts'
import { train } from './train.ts'

const QUICK = { steps: 2, seconds: 0, patience: 60 }
const lora = { rank: 2, alpha: 4, targets: ['all-linear'], isRankStabilised: false }
let root: string
let files: string
let before: number

beforeAll(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-rehearse-'))
  vi.stubEnv('HONE_CACHE', join(root, 'cache'))
  files = join(root, 'files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
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

const contents = () => filesUnder(root).map((path) => [path, sha256File(join(root, path))])
const jobOf = (recipe: (typeof RECIPES)[number], changes: object = {}): Job =>
  ({ ...smallJob(recipe, files, { steps: 40, checkpointEvery: 100 }), ...changes }) as Job

test.each(RECIPES)('%s: every figure is there and nothing is written', async (recipe) => {
  const found = contents()
  const { parameters, parts, probe, ...figures } = await rehearse(jobOf(recipe), { probe: QUICK })
  expect(contents()).toEqual(found)
  expect(figures.steps).toBe(40)
  for (const value of [...Object.values(figures), ...Object.values(parameters), probe.seconds, parts.steps])
    expect(value > 0 && Number.isFinite(value)).toBe(true)
  expect(parts.loading + parts.steps + parts.evaluation + parts.saving).toBeCloseTo(figures.seconds, 9)
  expect(probe.steps).toBe(2)
  expect(parts.evaluation).toBeGreaterThan(0)
})

test('parameters are exact: all weights, adapters, shared bases, heads', async () => {
  const { vocab_size: V } = JSON.parse(fs.readFileSync(join(files, 'model/config.json'), 'utf8')) as {
    vocab_size: number
  }
  // Two layers of 32 x 64 q, k and v (2 + 1 + 1 heads of 16), 32 x 32 output, 2 x 64 x 32 up, 32 x 64 down, two norms.
  const [E, M] = [32, 64]
  const all = V * E + 2 * (64 * E + E * E + 3 * M * E + 2 * E) + E
  const adapter = 2 * 2 * (3 * E + 64 + (E + E) + 2 * E + 2 * M + (M + E))
  const countsOf = async (job: Job) => (await rehearse(job, { probe: QUICK })).parameters
  expect(await countsOf(jobOf('sft'))).toEqual({ trained: all, all })
  expect(await countsOf(jobOf('sft', { lora }))).toEqual({ trained: adapter, all: all + adapter })
  expect(await countsOf(jobOf('reward'))).toEqual({ trained: all + E, all: all + E })
  // The critic on the policy: one adapter, one head of E weights and a bias; the reference on the same base; the reward model apart.
  const shared = jobOf('ppo', { lora, criticFrom: 'policy' })
  expect(await countsOf(shared)).toEqual({ trained: adapter + E + 1, all: 2 * all + adapter + E + E + 1 })
})

test('the schedule that is walked is the one that a run goes through: scored tokens and steps', async () => {
  const job = jobOf('sft', { config: { ...jobOf('sft').config, steps: 9 } })
  const { steps, tokensPerSecond, seconds, parts } = await rehearse(job, { probe: QUICK })
  const run = join(root, 'run')
  await train(job, run, { hone: 'test', judge: preferLonger })
  const lines = fs.readFileSync(join(run, 'metrics.jsonl'), 'utf8').trim().split('\n')
  const real = lines.map((line) => JSON.parse(line) as { step: number; tokens?: number })
  expect(steps).toBe(real.at(-1)!.step)
  expect(tokensPerSecond * (seconds - parts.loading)).toBeCloseTo(
    real.reduce((sum, { tokens = 0 }) => sum + tokens, 0),
    6,
  )
})
