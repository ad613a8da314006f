// PPO that waits for people, without a browser: a run that reaches a mark puts its pairs into a campaign and ends; asked
// again it asks nobody twice; with the answers it goes on, and what they said lies in the run with their ids.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readRows, saveVersion } from '#data'
import { orderArguments } from '#schema'
import {
  addGuideline,
  claim,
  createJob,
  findJob,
  missingMarks,
  openStore,
  setCampaignState,
  setRole,
  type Store,
  submit,
} from '#store'
import { markSteps, readRun, supervise } from '#trainer'
import { makeJobWorkspace, peopleOrder } from '../../trials/worlds/job-workspace.ts'

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')
let workspace: string
let store: Store
let project: string
const people: string[] = []
const strata = new Map<string, string>()

beforeAll(async () => {
  workspace = fs.mkdtempSync(join(tmpdir(), 'hone-people-'))
  await makeJobWorkspace(workspace)
  await nameStrata()
  store = await openStore({ workspace })
  const [made] = await store.query<{ id: string }>(
    "insert into projects (slug, name, file_prefix) values ('desk', 'Desk', '') returning id",
  )
  project = made!.id
  for (const [name, role] of [
    ['lea', 'owner'],
    ['ann', 'annotator'],
    ['ben', 'annotator'],
  ] as const) {
    const [user] = await store.query<{ id: string }>(
      "insert into users (email, name, password_hash) values ($1, $2, 'x') returning id",
      [`${name}@example.org`, name],
    )
    await setRole(store.query, project, user!.id, role)
    people.push(user!.id)
  }
})
afterAll(async () => {
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })
})

/** Every third prompt names no stratum. */
async function nameStrata(): Promise<void> {
  const file = join(workspace, 'files/mark-prompts.jsonl')
  const { rows } = await readRows(file, { kind: 'prompts' })
  for (const [i, { prompt }] of rows.entries()) if (i % 3 > 0) strata.set(prompt as string, `part ${i % 3}`)
  const placed = rows.map((row) => ({ ...row, stratum: strata.get(row.prompt as string) }))
  await saveVersion(workspace, placed, { kind: 'prompts', name: 'questions', source: { file: 'with strata' } })
}

async function hone(args: readonly string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [HONE, ...args], { cwd: workspace, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
  const code = await new Promise<number | null>((done) => child.once('close', done))
  return { code, said }
}

/** Everybody answers everything: ann calls the longer one better, ben too, each by his key. */
async function judgeAll(campaign: string): Promise<string[]> {
  const ids: string[] = []
  for (const user of people.slice(1))
    for (;;) {
      const task = await claim(store, campaign, user)
      if (!task) break
      const choice =
        task.left.length === task.right.length ? 'tie' : task.left.length > task.right.length ? 'left' : 'right'
      const answer = {
        key: crypto.randomUUID(),
        choice,
        reason: '',
        activeSeconds: 3,
        ...(choice !== 'tie' && { strength: 2 }),
      } as const
      const done = await submit(store, { project, campaign, item: task.id, user }, answer)
      expect(done.outcome).toBe('counted')
      ids.push(done.id)
    }
  return ids
}
const waiting = (run: string) => missingMarks(store.query, [run])
const campaigns = async () => (await store.query<{ n: number }>('select count(*)::int as n from campaigns'))[0]!.n

test('without a guideline nobody is asked', async () => {
  const { code, said } = await hone(orderArguments(peopleOrder(2), 'early'))
  expect(said).toMatch(/write a guideline first/)
  expect(code).toBe(1)
  expect(await campaigns()).toBe(0)
  await store.transaction((query) => addGuideline(query, project, { text: 'Judge by the colour.', by: people[0]! }))
})

test('from the command line: it waits with exit code 75, asks once, and goes on with the answers', async () => {
  const first = await hone(orderArguments(peopleOrder(2), 'by-hand'))
  expect(first.said).toMatch(/waits for \d+ judgements in the campaign Fresh pairs 1/)
  expect(first.code).toBe(75)
  const [mark] = await waiting('by-hand')
  // Two annotators, so two for each pair; the campaign's name says nothing of the run.
  const [asked] = await store.query<{ items: number; overlap: number; name: string }>(
    'select (select count(*)::int from items where campaign_id = campaigns.id) as items, overlap, name from campaigns',
  )
  expect(asked).toMatchObject({ overlap: 2, name: 'Fresh pairs 1' })
  expect(mark!.missing).toBe(asked!.items * 2)
  const put = await store.query<{ prompt: string; stratum: string | null }>('select prompt, stratum from items')
  expect(put.map(({ stratum }) => stratum)).toEqual(put.map(({ prompt }) => strata.get(prompt) ?? null))
  expect(put.filter(({ stratum }) => stratum !== null).length).toBeGreaterThan(0)
  const again = await hone(['train', 'ppo', '--resume', 'runs/by-hand'])
  expect(again.code).toBe(75)
  expect(await campaigns()).toBe(1)
  const ids = await judgeAll(mark!.campaign)
  expect(ids).toHaveLength(mark!.missing)
  expect(await waiting('by-hand')).toEqual([])
  const on = await hone(['train', 'ppo', '--resume', 'runs/by-hand'])
  expect([0, 75]).toContain(on.code)
  const folder = join(workspace, 'runs/by-hand')
  expect(markSteps(folder)).toContain(mark!.step)
  const file = join(folder, 'marks', String(mark!.step).padStart(6, '0'), 'judgements.jsonl')
  const rows = fs
    .readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; annotator: string; simulated?: boolean })
  expect(rows.map(({ id }) => id).sort()).toEqual([...ids].sort())
  for (const { annotator, simulated } of rows) {
    expect(annotator).toMatch(/^person-[0-9a-f]{10}$/)
    expect(simulated).toBeUndefined()
  }
  expect(readRun(folder).record.simulated).toBe(false)
})

test('under the trainer: it waits, is taken up when people have answered or the lead closed the campaign, and ends', async () => {
  const ordered = peopleOrder(3)
  await createJob(store.query, { project, run: 'ppo', recipe: 'ppo', ordered, by: people[0]! })
  const defects: unknown[] = []
  const start = () => supervise({ store, workspace, hone: [process.execPath, HONE], onDefect: (e) => defects.push(e) })
  let trainer = start()
  const state = async () => (await findJob(store.query, 'ppo'))!.state
  let rounds = 0
  for (;;) {
    await expect.poll(state, { timeout: 200_000, interval: 200 }).toMatch(/waiting|done|failed/)
    if ((await state()) !== 'waiting') break
    const before = await campaigns()
    const [mark] = await waiting('ppo')
    if (rounds++ === 0) {
      // The server is stopped and started while it waits: it waits on, and nobody is asked again.
      await trainer.close()
      trainer = start()
      await new Promise((done) => setTimeout(done, 1500))
      expect(await state()).toBe('waiting')
      expect(await campaigns()).toBe(before)
      await judgeAll(mark!.campaign)
    } else await setCampaignState(store.query, mark!.campaign, 'closed')
    await expect.poll(state, { timeout: 200_000, interval: 100 }).not.toBe('waiting')
  }
  await trainer.close()
  expect(rounds).toBeGreaterThan(0)
  expect(await findJob(store.query, 'ppo')).toMatchObject({ state: 'done' })
  expect(defects).toEqual([])
})
