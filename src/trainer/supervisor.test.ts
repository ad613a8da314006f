// The trainer against a real Postgres and real child processes: `hone train` on a tiny random model. Jobs run, stop, pause,
// go on; children and trainers are killed; two trainers never work on one job.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isFolderHeld } from '#files'
import type { RunOrder } from '#schema'
import {
  askJob,
  claimJob,
  createJob,
  findJob,
  type JobState,
  mayStart,
  MOST_DEATHS,
  openStore,
  renewLease,
  settleJob,
  type Store,
} from '#store'
import { generator } from '#stats'
import { killWorker, makeJobWorkspace, tinyOrder } from '../../trials/worlds/job-workspace.ts'
import { checkpointSteps } from './checkpoints.ts'
import { readRun } from './run-folder.ts'
import { supervise } from './supervisor.ts'

const HONE = [process.execPath, join(import.meta.dirname, '../../scripts/hone.mjs')]
let workspace: string
let store: Store
let ids: { project: string; user: string }

beforeAll(async () => {
  workspace = fs.mkdtempSync(join(tmpdir(), 'hone-jobs-'))
  await makeJobWorkspace(workspace)
  store = await openStore({ workspace })
  const [user] = await store.query<{ id: string }>(
    "insert into users (email, name, password_hash) values ('e@example.org', 'Eva', 'x') returning id",
  )
  const [project] = await store.query<{ id: string }>(
    "insert into projects (slug, name, file_prefix) values ('desk', 'Desk', '') returning id",
  )
  ids = { project: project!.id, user: user!.id }
})
afterAll(async () => {
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })
})

const order = (run: string, ordered: RunOrder) =>
  createJob(store.query, { project: ids.project, run, recipe: ordered.recipe, ordered, by: ids.user })
const folderOf = (run: string) => join(workspace, 'runs', run)
const stateOf = async (run: string) => (await findJob(store.query, run))!.state
const becomes = (run: string, state: JobState) =>
  expect.poll(() => stateOf(run), { timeout: 200_000, interval: 100 }).toBe(state)
const stepsOf = (run: string) => {
  const file = join(folderOf(run), 'metrics.jsonl')
  if (!fs.existsSync(file)) return []
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as { step: number; kind?: string })
    .filter(({ kind }) => kind === undefined)
    .map(({ step }) => step)
}
const reaches = (run: string, step: number) =>
  expect.poll(() => stepsOf(run).at(-1) ?? -1, { timeout: 200_000, interval: 50 }).toBeGreaterThanOrEqual(step)
const defects: unknown[] = []
const start = () =>
  supervise({ store, workspace, hone: HONE, leaseSeconds: 3, onDefect: (error) => defects.push(error) })
/** The process that holds the run's folder. */
test('a claim is exclusive while its lease lasts, and goes to the next when it ran out', async () => {
  for (let i = 0; i < 40; i++) await order(`claimed-${i}`, tinyOrder(2))
  const claimed = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const trainer = randomUUID()
      const runs: string[] = []
      for (;;) {
        const job = await claimJob(store, { trainer, leaseSeconds: 60 })
        if (!job) return runs
        runs.push(job.run)
      }
    }),
  )
  const all = claimed.flat()
  expect(all).toHaveLength(40)
  expect(new Set(all).size).toBe(40)

  await store.query("update jobs set lease_until = now() - interval '1 second' where run = 'claimed-7'")
  const [late, next] = [
    (await store.query<{ t: string }>("select trainer as t from jobs where run = 'claimed-7'"))[0]!.t,
    randomUUID(),
  ]
  const again = await claimJob(store, { trainer: next, leaseSeconds: 60 })
  expect(again?.run).toBe('claimed-7')
  const { id } = again!
  // Whoever lost it can no longer say how it ended.
  expect(await renewLease(store.query, { id, trainer: late }, 60)).toBeUndefined()
  await settleJob(store.query, { id, trainer: late }, { state: 'done', reason: '' })
  expect(await stateOf('claimed-7')).toBe('running')
  expect(await renewLease(store.query, { id, trainer: next }, 60)).toEqual({ wish: null })
  await store.query('delete from jobs')
})

test('a job that dies without getting further fails after so many deaths; one that does gets further tries', async () => {
  await order('mortal', tinyOrder(2))
  let deaths = 0
  const die = async (reached: number): Promise<boolean> => {
    await store.query("update jobs set ready_at = now() where run = 'mortal'")
    const trainer = randomUUID()
    const { id } = (await claimJob(store, { trainer, leaseSeconds: 60 }))!
    const may = await mayStart(store.query, { id, trainer }, reached)
    deaths++
    await settleJob(store.query, { id, trainer }, { state: 'died', reason: 'killed' })
    return may
  }
  while (await die(-1)) expect(deaths).toBeLessThanOrEqual(MOST_DEATHS)
  expect(deaths).toBe(MOST_DEATHS + 1)
  expect(await die(3)).toBe(true)
  await store.query('delete from jobs')
})

test('a job is ordered, run as a child process to its end, and its folder says what was ordered', async () => {
  expect(await order('first', tinyOrder(4))).toBe(true)
  expect(await order('first', tinyOrder(4))).toBe(false)
  const trainer = start()
  await becomes('first', 'done')
  await trainer.close()
  const { record, config } = readRun(folderOf('first'))
  expect(record.status).toBe('done')
  expect(config).toMatchObject({ recipe: 'sft', config: { steps: 4, batchSize: 4, learningRate: 0.002 } })
  expect(stepsOf('first').at(-1)).toBe(4)
  expect(await findJob(store.query, 'first')).toMatchObject({
    attempts: 1,
    by: 'Eva',
    reason: expect.stringMatching(/4/),
  })
  expect(fs.readFileSync(join(folderOf('first'), 'output.txt'), 'utf8')).toMatch(/^\$ hone train sft .*--steps 4/m)
})

test('what cannot work fails with the reason that the command line gives', async () => {
  await order('wrong', { ...tinyOrder(4), inputs: { ...tinyOrder(4).inputs, data: 'nothing' } })
  const trainer = start()
  await becomes('wrong', 'failed')
  await trainer.close()
  expect((await findJob(store.query, 'wrong'))!.reason).toMatch(/no dataset|expected/i)
})

test('pause and stop save; resume goes on; a stopped server puts its run back in the queue and the next goes on', async () => {
  await order('long', tinyOrder(400))
  const trainer = start()
  await reaches('long', 2)
  await askJob(store.query, 'long', 'pause')
  await becomes('long', 'paused')
  const paused = checkpointSteps(folderOf('long')).at(-1)!
  expect(paused).toBeGreaterThanOrEqual(2)
  expect(await askJob(store.query, 'long', 'pause')).toBe(false)
  expect(await askJob(store.query, 'long', 'resume')).toBe(true)
  await reaches('long', paused + 1)
  await trainer.close()
  expect(await findJob(store.query, 'long')).toMatchObject({ state: 'queued', reason: 'the server was stopped' })
  expect(isFolderHeld(folderOf('long'))).toBe(false)
  const next = start()
  await reaches('long', checkpointSteps(folderOf('long')).at(-1)! + 1)
  await askJob(store.query, 'long', 'stop')
  await becomes('long', 'stopped')
  await next.close()
  const steps = stepsOf('long')
  expect(steps).toEqual(Array.from({ length: steps.length }, (_, i) => i + steps[0]!))
})

test('a run branches from a checkpoint of another with other settings', async () => {
  const step = checkpointSteps(folderOf('long')).at(-1)!
  await order('branched', {
    recipe: 'sft',
    inputs: {},
    computing: {},
    settings: { steps: step + 2, learningRate: 0.0001 },
    branch: { run: 'long', step },
  })
  const trainer = start()
  await becomes('branched', 'done')
  await trainer.close()
  const { record, config } = readRun(folderOf('branched'))
  expect(config).toMatchObject({ config: { steps: step + 2, learningRate: 0.0001, batchSize: 4 } })
  expect(record.inputs.branchedFrom!.path).toContain(`long/checkpoints/`)
  expect(stepsOf('branched').at(-1)).toBe(step + 2)
})

test('children and trainers are killed at random: every run ends once, as if it had been left alone', async () => {
  const random = generator(7)
  const runs = Array.from({ length: 3 }, (_, i) => `killed-${i}`)
  await order('alone', tinyOrder(30))
  for (const run of runs) await order(run, tinyOrder(30))
  const script = join(import.meta.dirname, '../../trials/worlds/trainer-child.ts')
  const begin = (): ChildProcess =>
    spawn(process.execPath, ['--import', 'tsx', script, workspace], { stdio: ['ignore', 'ignore', 'inherit'] })
  let trainer = begin()
  await becomes('alone', 'done')
  for (let kill = 0; kill < 6; kill++) {
    if (kill % 2 === 0) {
      expect(await killWorker(workspace, runs, { delay: random.uniform() * 300 })).toBe(true)
    } else {
      await sleep(random.uniform() * 1500)
      trainer.kill('SIGKILL')
      trainer = begin()
    }
  }
  for (const run of runs) await becomes(run, 'done')
  trainer.kill('SIGINT')
  const alone = fs.readFileSync(join(folderOf('alone'), 'metrics.jsonl'))
  const { outputs } = readRun(folderOf('alone')).record
  for (const run of runs) {
    expect(fs.readFileSync(join(folderOf(run), 'metrics.jsonl')).equals(alone), run).toBe(true)
    expect(readRun(folderOf(run)).record.outputs.model!.hash).toBe(outputs.model!.hash)
  }
})

test('no defect was met on the way', () => expect(defects).toEqual([]))
