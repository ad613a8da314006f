// A release whose waiver has run out: it goes on answering, says so wherever it is met, and is told of once.
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashFolder, sha256File } from '#files'
import { openSamplerLink } from '#sampler'
import type { SamplerLink } from '#sampler/contract'
import { tellLapses } from '#store'
import { createTinyModel } from '../sampler/tiny-model.test-data.ts'
import { type Harness, openHarness, ORIGIN, type Person, setUp } from './harness.test-data.ts'

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')
const RULES = ['better', 'much better'].map((name, i) => {
  return { name, statistic: 'spring.win-rate', bound: 'value', comparison: 'above', value: 0.6 + i / 10 }
})
let harness: Harness
let sampler: SamplerLink
let owner: Person
let engineer: Person
let annotator: Person
let candidacy: string
let key: string

const waive = (gate: string) =>
  owner.ask(`POST /api/projects/desk/candidacies/${candidacy}/waivers`, { gate, reason: 'a trial', days: 3 })
/** Every waiver of the rule runs out, so long ago. */
const expire = (gate: string, seconds: number) =>
  harness.store.query(
    `update waivers set waived_at = now() - interval '9 days', expires_at = now() - $2 * interval '1 second' where gate = $1`,
    [gate, seconds],
  )
const ask = (path: string, body?: object) =>
  harness.server.app.request(`${ORIGIN}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
const HELLO = { model: 'desk', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4, temperature: 0 }
type Told = { subject: string; actor: string | null; detail: { at: string } }
const told = () =>
  harness.store.query<Told>("select subject, actor, detail from audit where action = 'release.lapse' order by id")
const lapsedAt = async () => {
  const { releases } = (await owner.ask('GET /api/projects/desk/releases')).json as {
    releases: { history: { lapsedAt: string | null }[] }[]
  }
  return releases[0]!.history[0]!.lapsedAt
}

beforeAll(async () => {
  sampler = openSamplerLink({ command: [process.execPath, HONE, 'sampler'] })
  harness = await openHarness({ sampler })
  owner = await setUp(harness)
  engineer = await harness.join('desk', 'engineer', owner)
  annotator = await harness.join('desk', 'annotator', owner)
  const folder = join(harness.workspace, 'models', 'first')
  createTinyModel(folder, { contextTokens: 400, seed: 1 })
  fs.mkdirSync(join(harness.workspace, 'evaluations'))
  const file = join(harness.workspace, 'evaluations', 'first.json')
  const written = {
    kind: 'evaluation',
    hone: '0.0.0',
    metric: 'win-rate',
    model: { path: folder, hash: hashFolder(folder) },
    suite: { name: 'spring', path: 'x', hash: 'a'.repeat(64), rows: 100 },
    settings: {},
    simulated: false,
    statistics: { 'win-rate': { value: 0.55, low: 0.5, high: 0.6, n: 100 } },
  }
  fs.writeFileSync(file, JSON.stringify(written, null, 2))
  const evaluations = [{ hash: sha256File(file) }]
  const made = await engineer.ask('POST /api/projects/desk/candidacies', { release: 'desk', rules: RULES, evaluations })
  candidacy = (made.json as { id: string }).id
  for (const { name } of RULES) expect((await waive(name)).status).toBe(204)
  const signed = await owner.ask(`POST /api/projects/desk/candidacies/${candidacy}/signature`, { signOff: 'released' })
  expect(signed.status, signed.text).toBe(204)
  key = ((await owner.ask('POST /api/projects/desk/api-keys', { name: 'Help desk' })).json as { key: string }).key
  const hook = { name: 'Board', url: 'https://board.example.org', events: ['release.lapse'] }
  expect((await owner.ask('POST /api/projects/desk/webhooks', hook)).status).toBe(200)
})
afterAll(async () => {
  await harness.close()
  await sampler.close()
})

test('while its waivers count, nothing is said', async () => {
  expect(await lapsedAt()).toBeNull()
  expect(await tellLapses(harness.store)).toBe(0)
  const answer = await ask('/v1/chat/completions', HELLO)
  expect([answer.status, answer.headers.get('x-hone-release')]).toEqual([200, null])
  expect(await (await ask('/v1/models')).text()).not.toContain('waiver_expired')
  expect((await engineer.ask('GET /api/projects/desk')).text).not.toContain('waiver')
})

test('one that has run out is shown on the page, at home, in lineage and by the API, and the release answers', async () => {
  await expire('better', 60)
  const at = (await lapsedAt())!
  expect(Date.now() - Date.parse(at)).toBeGreaterThan(59_000)
  const answer = await ask('/v1/chat/completions', HELLO)
  expect([answer.status, answer.headers.get('x-hone-release')]).toEqual([200, `waiver expired ${at}`])
  expect(((await answer.json()) as { choices: unknown[] }).choices).toHaveLength(1)
  const streamed = await ask('/v1/chat/completions', { ...HELLO, stream: true })
  expect(streamed.headers.get('x-hone-release')).toBe(`waiver expired ${at}`)
  expect(await streamed.text()).toContain('data: [DONE]')
  const models = (await (await ask('/v1/models')).json()) as { data: object[] }
  expect(models.data).toMatchObject([{ id: 'desk', waiver_expired: Math.floor(Date.parse(at) / 1000) }])
  for (const person of [owner, engineer]) {
    const { waiting, steps } = (await person.ask('GET /api/projects/desk')).json as {
      waiting: object[]
      steps: { step: string; note: string }[]
    }
    expect(waiting).toContainEqual(
      expect.objectContaining({ what: 'waiver expired: the release desk still answers', screen: 'releases' }),
    )
    expect(steps.at(-1)).toMatchObject({ state: 'waiting', note: 'release rests on a waiver that has expired' })
  }
  expect((await annotator.ask('GET /api/projects/desk')).text).not.toContain('desk still answers')
  expect((await owner.ask('GET /api/projects/desk/lineage')).text).toContain('waiver expired')
})

test('it is told once, by nobody, to the audit log and to webhooks, however many look', async () => {
  await Promise.all(Array.from({ length: 6 }, () => tellLapses(harness.store)))
  await expect.poll(async () => (await told()).length, { timeout: 30_000 }).toBe(1)
  // The other rule's waiver runs out later, which changes nothing that was told.
  await expire('much better', 5)
  await tellLapses(harness.store)
  expect(await told()).toMatchObject([{ subject: 'desk', actor: null, detail: { release: 1 } }])
  const deliveries = await harness.store.query("select 1 from deliveries where event = 'release.lapse'")
  expect(deliveries).toHaveLength(1)
})

test('waived for longer it is a release like another; when that ends too, that is told anew', async () => {
  for (const { name } of RULES) await waive(name)
  expect(await lapsedAt()).toBeNull()
  expect((await ask('/v1/chat/completions', HELLO)).headers.get('x-hone-release')).toBeNull()
  await expire('better', 1)
  await expect
    .poll(async () => (await told()).length + (await tellLapses(harness.store)), { timeout: 30_000 })
    .toBeGreaterThanOrEqual(2)
  expect(new Set((await told()).map(({ detail }) => detail.at)).size).toBe(2)
  expect(harness.defects).toEqual([])
})
