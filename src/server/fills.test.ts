// Samples that become comparisons, drawn by a real sampler: killed, stopped, gone on with, and never drawn twice.
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findVersion, versionRows } from '#data'
import { hashFolder } from '#files'
import { openSamplerLink } from '#sampler'
import type { SamplerLink } from '#sampler/contract'
import type { Comparison } from '#schema'
import { createTinyModel } from '../sampler/tiny-model.test-data.ts'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')
const PROMPTS = 40
let harness: Harness
let sampler: SamplerLink
let owner: Person
const asFile = (rows: unknown[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

beforeAll(async () => {
  sampler = openSamplerLink({ command: [process.execPath, HONE, 'sampler'] })
  harness = await openHarness({ sampler })
  for (const [i, name] of ['candidate', 'rival'].entries())
    createTinyModel(join(harness.workspace, 'models', name), { contextTokens: 400, seed: i + 1 })
  owner = await setUp(harness)
  const rows = Array.from({ length: PROMPTS }, (_, i) => ({
    id: `q${i}`,
    stratum: i % 2 ? 'odd' : 'even',
    prompt: `Q${i}?`,
  }))
  await owner.ask('POST /api/projects/desk/datasets/questions?kind=prompts', asFile(rows))
})
afterAll(async () => {
  await harness.close()
  await sampler.close()
})

type Fill = { id: string; state: string; problem: string | null; drawn: number; wanted: number; version: string | null }
const settings = (over: object = {}) => ({
  name: 'pairs',
  prompts: 'questions',
  models: ['models/candidate', 'models/rival'],
  n: 2,
  seed: 7,
  maxTokens: 40,
  ...over,
})
const begin = async (over: object = {}): Promise<string> => {
  const { status, text, json } = await owner.ask('POST /api/projects/desk/fills', settings(over))
  expect(status, text).toBe(200)
  return (json as { id: string }).id
}
const look = async (id: string): Promise<Fill> => (await owner.ask(`GET /api/projects/desk/fills/${id}`)).json as Fill
async function until(id: string, isThere: (fill: Fill) => boolean): Promise<Fill> {
  for (;;) {
    const fill = await look(id)
    if (isThere(fill)) return fill
    if (fill.state === 'failed') throw new Error(String(fill.problem))
    await sleep(20)
  }
}
const ended = (id: string) => until(id, ({ state }) => state === 'done')
const rowsOf = (version: string) =>
  [
    ...versionRows(harness.workspace, { ...findVersion(harness.workspace, version), kind: 'comparisons' as const }),
  ] as Comparison[]

let whole: Fill

test('models of the workspace are listed; what is no language model of it is refused by its field', async () => {
  const { json } = await owner.ask('GET /api/projects/desk/models')
  expect((json as { models: { name: string }[] }).models.map(({ name }) => name)).toEqual([
    'models/candidate',
    'models/rival',
    'base',
  ])
  for (const [over, said] of [
    [{ models: ['models/../secret'] }, 'models'],
    [{ models: ['models/candidate'], n: 3 }, 'even'],
    [{ prompts: 'nothing' }, 'nothing'],
    [{ n: 0 }, 'n'],
  ] as const) {
    const { status, text } = await owner.ask('POST /api/projects/desk/fills', settings(over))
    expect([404, 422]).toContain(status)
    expect(text).toContain(said)
  }
})

test('two models answer every prompt; rows tell on nobody, the version says all: models, hashes, seed, settings', async () => {
  const id = await begin()
  whole = await ended(id)
  expect(whole).toMatchObject({ drawn: PROMPTS * 4, wanted: PROMPTS * 4 })
  const version = findVersion(harness.workspace, whole.version!)
  const folders = ['candidate', 'rival'].map((name) => join(harness.workspace, 'models', name))
  expect(version.source).toMatchObject({
    fill: id,
    models: [
      { name: 'models/candidate', hash: hashFolder(folders[0]!) },
      { name: 'models/rival', hash: hashFolder(folders[1]!) },
    ],
    settings: { n: 2, seed: 7, temperature: 1, topP: 1, maxTokens: 40 },
  })
  const rows = rowsOf(whole.version!)
  expect(rows.length + (version.source.equal as number)).toBe(PROMPTS * 2)
  expect(JSON.stringify(rows)).not.toMatch(/candidate|rival|models\//)
  expect(new Set(rows.map(({ stratum }) => stratum))).toEqual(new Set(['odd', 'even']))
  // Sides are drawn: the first model's sample is `a` in some rows and `b` in others.
  const samples = await harness.store.query<{ completion: string; row: number }>(
    'select completion, row_number as row from samples where fill_id = $1 and model = 0',
    [id],
  )
  const byFirst = new Set(samples.map(({ row, completion }) => `q${row} ${completion}`))
  const isFirstA = rows.map((row) => byFirst.has(`${row.id} ${row.a}`))
  expect(isFirstA).toContain(true)
  expect(isFirstA).toContain(false)
  expect((await owner.ask('POST /api/projects/desk/fills', settings())).status).toBe(422)
})

test('a sampler that is killed again and again: the fill goes on, without doubles, to the very same version', async () => {
  const id = await begin({ name: 'killed' })
  for (const share of [0.1, 0.4, 0.7]) {
    await until(id, ({ drawn, state }) => drawn >= share * PROMPTS * 4 || state === 'done')
    const pid = sampler.pid()
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }
  const fill = await ended(id)
  expect(fill.version).toBe(whole.version)
  const [counted] = await harness.store.query<{ all: number; different: number }>(
    `select count(*)::int as all, count(distinct (model, row_number, sample))::int as different from samples where fill_id = $1`,
    [id],
  )
  expect(counted).toEqual({ all: PROMPTS * 4, different: PROMPTS * 4 })
})

test('a server that ends in the middle leaves it, and the next one goes on; stopped, it waits to be asked', async () => {
  const id = await begin({ name: 'left' })
  await until(id, ({ drawn }) => drawn > 0)
  await harness.server.close()
  const [before] = await harness.store.query<{ drawn: number; state: string }>(
    'select (select count(*)::int from samples where fill_id = id) as drawn, state from fills where id = $1',
    [id],
  )
  expect(before!.state).toBe('drawing')
  await harness.restart()
  const fill = await ended(id)
  expect(fill.version).toBe(whole.version)

  const other = await begin({ name: 'stopped', models: ['models/candidate'], seed: 9 })
  await until(other, ({ drawn }) => drawn > 0)
  const set = (state: string) => owner.ask(`PUT /api/projects/desk/fills/${other}/state`, { state })
  if ((await look(other)).state !== 'done') {
    expect((await set('stopped')).status).toBe(204)
    await sleep(300)
    const rest = await look(other)
    expect(rest.state).toBe('stopped')
    expect((await set('stopped')).status).toBe(422)
    expect((await set('waiting')).status).toBe(204)
  }
  const one = await ended(other)
  const { source, rows } = findVersion(harness.workspace, one.version!)
  expect(rows + (source.equal as number)).toBe(PROMPTS)
})

test('a prompt that does not fit says its row, and the fill has failed', async () => {
  await owner.ask(
    'POST /api/projects/desk/datasets/long?kind=prompts',
    asFile([{ prompt: 'Q' }, { prompt: 'x '.repeat(900) }]),
  )
  const id = await begin({ name: 'too-long', prompts: 'long' })
  await expect(ended(id)).rejects.toThrow(/in row 2: shorten it/)
})

test('weights that change under a fill that was stopped end it', async () => {
  createTinyModel(join(harness.workspace, 'models', 'moving'), { contextTokens: 400, seed: 5 })
  const id = await begin({ name: 'moved', models: ['models/moving'] })
  await until(id, ({ drawn }) => drawn > 0)
  const stopped = await owner.ask(`PUT /api/projects/desk/fills/${id}/state`, { state: 'stopped' })
  if (stopped.status !== 204) return
  const { models } = (await owner.ask(`GET /api/projects/desk/fills/${id}`)).json as { models: { hash: string }[] }
  await harness.store.query('update fills set models = $2 where id = $1', [
    id,
    JSON.stringify([
      { name: 'models/moving', folder: join(harness.workspace, 'models', 'candidate'), hash: models[0]!.hash },
    ]),
  ])
  await owner.ask(`PUT /api/projects/desk/fills/${id}/state`, { state: 'waiting' })
  await expect(ended(id)).rejects.toThrow(/they changed while samples were drawn/)
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
