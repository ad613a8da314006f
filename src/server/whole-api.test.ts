// Every endpoint against a server with something in it of every kind, in two projects: ids of another project are not there,
// reads write nothing, secrets stay where they were made, and hostile requests are refused in words.
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Role } from '#schema'
import { fuzzApi } from '../../trials/api-fuzz.ts'
import { type ApiWorld, openApiWorld, ORIGIN, PASSWORD, type RoleName } from '../../trials/worlds/api.ts'
import { type Document, filled, type Schema, valuesOf } from '../../trials/worlds/api-requests.ts'
import type { Endpoint } from './api/endpoint.ts'
import { API } from './contract.ts'

let world: ApiWorld
let document: Document
let passwords: { id: string; hash: string }[]

beforeAll(async () => {
  world = await openApiWorld({ isModelReal: false })
  document = (await world.people.owner.ask('GET /api/openapi.json')).json as Document
  passwords = await world.harness.store.query('select id, password_hash as hash from users')
  // What writes by itself is over before reads are watched.
  while ((await counts()).waiting! > 0) await sleep(50)
})
afterAll(() => world.close())

const ENDPOINTS = Object.entries<Endpoint>(API)
const namesIn = (key: string) => [...key.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)

async function ask(role: RoleName, key: string, body?: unknown, headers: Record<string, string> = {}) {
  const [method, path] = key.split(' ') as [string, string]
  const isFile = body instanceof Uint8Array
  const leaving = new AbortController()
  const response = await world.harness.server.app.request(`${ORIGIN}${path}`, {
    method,
    signal: leaving.signal,
    headers: {
      origin: ORIGIN,
      'sec-fetch-site': 'same-origin',
      ...(await world.headersOf(role)),
      ...(body !== undefined && { 'content-type': isFile ? 'application/octet-stream' : 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isFile ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
  })
  const isLive = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  if (!isLive || !response.body) return { status: response.status, text: await response.text() }
  const reader = response.body.getReader()
  const text = new TextDecoder().decode((await reader.read()).value)
  leaving.abort()
  await reader.cancel().catch(() => {})
  return { status: response.status, text }
}

/** Bodies that the document says are valid; some break a rule that JSON Schema has no words for. */
function bodiesOf(key: string): unknown[] {
  const [method, path] = key.split(' ') as [string, string]
  const content = document.paths[path]![method.toLowerCase()]!.requestBody?.content
  if (!content) return [undefined]
  const schema = content['application/json']?.schema
  if (!schema) return [new TextEncoder().encode('{"prompt":"Hi"}\n')]
  return fc
    .sample(valuesOf(schema as Schema, '', {}), { numRuns: 60, seed: 1 })
    .map((value) => JSON.parse(filled(JSON.stringify(value), {})) as unknown)
}

test('an id of another project is not there, for no role and at no endpoint, event streams included', async () => {
  const [ours, theirs] = [await world.idsOf('desk'), await world.idsOf('other')]
  /** What makes a thing of that name, and so takes any name. */
  const makes = ['POST /api/projects/{project}/datasets/{dataset}']
  let cells = 0
  for (const [key, { access }] of ENDPOINTS) {
    const names = namesIn(key).filter((name) => name !== 'project')
    if (names.length === 0 || makes.includes(key) || access === 'administrator') continue
    expect(Array.isArray(access), `${key} has an id and no project`).toBe(true)
    for (const foreign of names) {
      expect(theirs, `no id of the kind {${foreign}} of ${key}: give idsOf one`).toHaveProperty(foreign)
      const path = key.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        name === 'project' ? 'desk' : (name === foreign ? theirs : ours)[name]!,
      )
      for (const role of Role.options) {
        const isIn = (access as readonly Role[]).includes(role)
        let [status, text] = [422, '']
        for (const body of bodiesOf(key)) {
          ;({ status, text } = await ask(role, path, body))
          if (status !== 422) break
        }
        // Our own campaign is of another kind: it is refused before anybody looks at the item.
        if (
          foreign === 'item' &&
          status === 422 &&
          /in this campaign nothing is|is no calibration|not a calibration/.test(text)
        )
          status = 404
        // One's own person page is open to all who judge, another's to leads.
        const isOwnPage = key.endsWith('/people/{user}') && foreign === 'user' && !['owner', 'lead'].includes(role)
        expect(status, `${key} with their ${foreign} as ${role}`).toBe(isIn && !isOwnPage ? 404 : 403)
        cells++
      }
    }
  }
  expect(cells).toBeGreaterThan(200)
})

/** Rows of every table, by name. */
async function counts(): Promise<Record<string, number>> {
  const { query } = world.harness.store
  const tables = await query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'hone' and table_type = 'BASE TABLE'",
  )
  const all: Record<string, number> = {}
  for (const { name } of tables) {
    const [row] = await query<{ count: number }>(`select count(*)::int as count from "${name}"`)
    all[name] = row!.count
  }
  const [waiting] = await query<{ count: number }>(
    "select count(*)::int as count from fills where state in ('waiting', 'drawing')",
  )
  return { ...all, waiting: waiting!.count }
}

test('reads write nothing, whoever asks and whatever is there', async () => {
  const ids = await world.idsOf('desk')
  for (const role of [...Role.options, 'program'] as const) await world.headersOf(role)
  const before = await counts()
  expect(Object.keys(before).length).toBeGreaterThan(20)
  let answered = 0
  for (const [key] of ENDPOINTS.filter(([given]) => given.startsWith('GET ')))
    for (const role of key.includes(' /v1/') ? (['program'] as const) : (['owner', 'annotator'] as const)) {
      const path = key.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'project' ? 'desk' : ids[name]!))
      const query = key.endsWith('/walk') ? '?id=watched' : key.endsWith('/effect') ? `?user=${ids.user}` : ''
      const { status } = await ask(role, path + query)
      if (status === 200) answered++
      // Sent as another method, or with one in a header, it is no more than a read.
      await ask(role, path + query, undefined, { 'x-http-method-override': 'DELETE' })
      expect((await ask(role, path.replace('GET', 'HEAD') + query)).status).toBe(status)
    }
  expect(answered).toBeGreaterThan(35)
  expect(await counts()).toEqual(before)
})

test('what fuzzing found stays mended', async () => {
  const { campaign } = await world.idsOf('desk')
  const drawing = { name: 'x', prompts: 'asks', models: ['base'], n: 2 }
  // Lineage cannot be read over a record that hone did not write, and says of which without the folder of the workspace.
  const record = join(world.harness.workspace, 'runs/watched/run.json')
  const whole = fs.readFileSync(record)
  fs.writeFileSync(record, '{"recipe":"sft","status":"stopped"}')
  for (const [key, body, expected] of [
    ['GET /api/projects/%00/people', undefined, 404],
    ['GET /api/projects/desk/lineage/walk?id=none', undefined, 422],
    ['HEAD /api/projects/desk/runs/watched/events', undefined, 200],
    ['POST /api/projects/desk/withdrawals', { rule: { from: '0000-01-01T00:00:00Z' }, reason: 'x' }, 422],
    ['POST /api/projects/desk/withdrawals', { rule: { from: '5308-11-30T14:19:56+22:08' }, reason: 'x' }, 422],
    ['POST /api/projects/desk/fills', { ...drawing, temperature: 8.5e-189 }, 422],
    ['POST /api/projects/desk/fills', { ...drawing, topP: 5e-324 }, 422],
    [`PUT /api/projects/desk/campaigns/${campaign}/gold`, { goldRate: 5e-324, qualification: null }, 422],
  ] as const) {
    const { status, text } = await ask('owner', key, body)
    expect(status, `${key} ${text}`).toBe(expected)
    expect(text).not.toContain(world.harness.workspace)
  }
  fs.writeFileSync(record, whole)
  // A whole one is found by its folder in the workspace, and told by nothing longer.
  const walk = await world.people.owner.ask('GET /api/projects/desk/lineage/walk?id=runs/watched')
  expect([walk.status, walk.text]).toEqual([200, expect.stringContaining('"id":"runs/watched"')])
  expect(walk.text).not.toContain(world.harness.workspace)
  for (const nested of [
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    `${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`,
  ]) {
    const response = await world.harness.server.app.request(`${ORIGIN}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...(await world.headersOf('program')), 'content-type': 'application/json' },
      body: `{"model":"desk","messages":${nested}}`,
    })
    expect(response.status).toBe(422)
  }
  expect(world.harness.defects).toEqual([])
})

test('hostile requests, drawn from the server’s own document, are refused in words', async () => {
  const { wrong, reached, requests } = await fuzzApi(world, { count: 300, seed: 7 })
  expect(wrong).toEqual([])
  expect(requests).toBe(300)
  expect(reached.length).toBeGreaterThan(30)
})

/** Every file of the workspace, the database's own among them, that holds the text. */
function filesWith(text: string): string[] {
  const files = fs.readdirSync(world.harness.workspace, { recursive: true, withFileTypes: true })
  return files
    .filter((entry) => entry.isFile() && fs.readFileSync(join(entry.parentPath, entry.name)).includes(text))
    .map(({ name }) => name)
}

test('no secret is in a log, an error, an export, a table or a file: passwords, links, sessions, keys', async () => {
  const { harness, people, key } = world
  const { query } = harness.store
  const { email } = people.owner
  // Hostile requests knew the password, and may have changed it.
  for (const { id, hash } of passwords) await query('update users set password_hash = $2 where id = $1', [id, hash])
  const session = (await world.headersOf('owner')).cookie!.split('=')[1]!
  const made = async <T>(path: string, body: object): Promise<T> =>
    JSON.parse((await ask('owner', `POST /api/projects/desk/${path}`, body)).text) as T
  const { token } = await made<{ token: string }>('invitations', { role: 'viewer' })
  const hook = { name: 'board', url: 'https://hook.example/', events: ['run.done'] }
  const { secret } = await made<{ secret: string }>('webhooks', hook)
  const canaries = {
    PASSWORD,
    session,
    token,
    key,
    secret: secret.slice('whsec_'.length),
  }
  const said: string[] = []
  for (const [path] of ENDPOINTS.filter(([given]) => given.startsWith('GET ')))
    said.push(
      (
        await ask(
          'owner',
          path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
            name === 'project' ? 'desk' : (world.known[name]?.[0] ?? '0'),
          ),
        )
      ).text,
    )
  // What the server says when the database cannot do what was asked with them in hand.
  const before = harness.defects.length
  for (const table of ['audit', 'sign_in_failures', 'links']) {
    await query(`alter table ${table} rename to ${table}_away`)
    for (const [method, body] of [
      ['POST /api/session', { email, password: PASSWORD }],
      ['PUT /api/me/password', { current: PASSWORD, password: `${PASSWORD} and more` }],
      ['POST /api/links/look', { token }],
      ['POST /api/links/join', { token, account: { name: 'Ann', email: 'ann@example.org', password: PASSWORD } }],
      ['POST /api/projects/desk/api-keys', { name: 'x' }],
      ['POST /api/projects/desk/webhooks', hook],
    ] as const)
      said.push((await ask('owner', method, body)).text)
    await query(`alter table ${table}_away rename to ${table}`)
  }
  const defects = harness.defects.slice(before)
  expect(defects.length).toBeGreaterThan(6)
  said.push(...defects.map((defect) => `${(defect as Error).stack}${JSON.stringify(defect)}`))
  const tables = await query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'hone'",
  )
  for (const { name } of tables)
    said.push(...(await query<{ row: string }>(`select t::text as row from "${name}" as t`)).map(({ row }) => row))
  for (const [name, canary] of Object.entries(canaries)) {
    expect(canary.length, name).toBeGreaterThan(15)
    expect(
      said.filter((text) => text.includes(canary)),
      name,
    ).toEqual([])
    expect(filesWith(canary), name).toEqual([])
  }
  expect(filesWith('person-1@example.org'), 'the look at files finds what is there').not.toEqual([])
  expect(fs.statSync(join(harness.workspace, 'webhook.key')).mode & 0o077).toBe(0)
})
