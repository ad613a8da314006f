// Who may what: every endpoint against every role of its own project and of another, against the mounted router; and
// what every write must carry and leave behind.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Role } from '#schema'
import type { Endpoint } from './api/endpoint.ts'
import { API } from './contract.ts'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'
import { routeOf } from './mount.ts'

let harness: Harness
let owner: Person
const members = new Map<Role, Person>()
let outsider: Person

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  members.set('owner', owner)
  for (const role of Role.options) if (role !== 'owner') members.set(role, await harness.join('desk', role, owner))
  await owner.ask('POST /api/projects', { name: 'Other' })
  outsider = await harness.join('other', 'owner', owner)
})
afterAll(() => harness.close())

const ENDPOINTS = Object.entries<Endpoint>(API)
const isByKey = (access: Endpoint['access']): boolean => typeof access === 'object' && 'scope' in access
const NOWHERE = '00000000-0000-4000-8000-000000000000'
/** A path with ids of the right form that name nothing, so that a call that is let through changes nothing. */
const filled = (key: string, project: string) =>
  key
    .replace('{project}', project)
    .replaceAll(
      /\{(campaign|candidacy|credential|delivery|evaluation|fill|key|submission|user|webhook|withdrawal)\}/g,
      NOWHERE,
    )
    .replaceAll(/\{(item|number)\}/g, '999999')
    .replaceAll(/\{(dataset|run)\}/g, 'nothing')
    .replaceAll('{release}', 'nothing')

test('the mounted router has the routes of the table, and no others', () => {
  const mounted = harness.server.app.routes
    .filter(({ method, path }) => method !== 'ALL' && path !== '/*')
    .map(({ method, path }) => `${method} ${path}`)
  const wanted = ENDPOINTS.map(([key]) => `${routeOf(key).method} ${routeOf(key).path}`)
  expect([...new Set(mounted)].sort()).toEqual(wanted.sort())
})

test('every endpoint lets in exactly the roles it names; to all others the project is not there', async () => {
  let cells = 0
  for (const [key, { access }] of ENDPOINTS) {
    if (!Array.isArray(access)) continue
    for (const [role, person] of members) {
      const { status } = await person.ask(filled(key, 'desk'), key.startsWith('GET') ? undefined : { nonsense: true })
      cells++
      const isIn = access.includes(role)
      // What is let in fails at the nonsense (422, 415) or at the ids (404), never at the role.
      if (isIn) expect([401, 403], `${key} as ${role}: ${status}`).not.toContain(status)
      else expect(status, `${key} as ${role}`).toBe(403)
    }
    expect((await outsider.ask(filled(key, 'desk'))).status, `${key} from another project`).toBe(404)
    expect((await harness.stranger().ask(filled(key, 'desk'))).status, `${key} as nobody`).toBe(401)
    expect((await owner.ask(filled(key, 'not-there'))).status, `${key} of no project`).toBe(404)
  }
  expect(cells).toBeGreaterThan(300)
})

test('endpoints outside projects: administrators, the signed-in, anyone, and set-up when it is over', async () => {
  const lead = members.get('lead')!
  for (const [key, { access }] of ENDPOINTS) {
    if (isByKey(access)) {
      const [method, path] = key.split(' ') as [string, string]
      const asked = await harness.server.app.request(`http://localhost:4600${path}`, {
        method,
        headers: {
          cookie: lead.cookie() ?? '',
          authorization: 'Bearer hone_nothing',
          'content-type': 'application/json',
        },
        ...(method !== 'GET' && { body: '{}' }),
      })
      expect(asked.status, key).toBe(401)
    }
    if (typeof access !== 'string') continue
    const nobody = (await harness.stranger().ask(filled(key, 'desk'), key.startsWith('GET') ? undefined : {})).status
    if (access === 'signed-in' || access === 'administrator') expect(nobody, key).toBe(401)
    else if (access === 'set-up') expect(nobody, key).toBe(404)
    else expect([401, 403], key).not.toContain(nobody)
    if (access === 'administrator')
      expect((await lead.ask(filled(key, 'desk'), key.startsWith('GET') ? undefined : {})).status, key).toBe(403)
  }
})

test('a write without this origin, or not in JSON, is refused everywhere', async () => {
  const writes = ENDPOINTS.filter(([key, { access }]) => !key.startsWith('GET') && !isByKey(access))
  expect(writes.length).toBeGreaterThan(8)
  const own = { origin: 'http://localhost:4600', 'sec-fetch-site': 'same-origin' }
  for (const [key, { body }] of writes) {
    const path = filled(key, 'desk')
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'foo' },
      { ...own, 'sec-fetch-site': 'cross-site' },
      { ...own, 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'same-origin' },
    ])
      expect((await owner.ask(path, {}, headers)).status, `${key} ${JSON.stringify(headers)}`).toBe(403)
    if (body === undefined) continue
    const form = await harness.server.app.request(`http://localhost:4600${path.split(' ')[1]!}`, {
      method: path.split(' ')[0]!,
      headers: { ...own, cookie: owner.cookie() ?? '', 'content-type': 'text/plain' },
      body: '{}',
    })
    expect([404, 415], `${key} as text`).toContain(form.status)
  }
})

test('a name that was made to point here is refused', async () => {
  const asked = await harness.server.app.request('http://rebound.example/api/state', {
    headers: { host: 'rebound.example' },
  })
  expect(asked.status).toBe(403)
})

test('reads write nothing', async () => {
  const counts = async () => {
    const tables = await harness.store.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'hone' order by 1",
    )
    const all: Record<string, number> = {}
    for (const { name } of tables) {
      const [row] = await harness.store.query<{ count: number }>(`select count(*)::int as count from "${name}"`)
      all[name] = row!.count
    }
    return all
  }
  const before = await counts()
  expect(Object.keys(before).length).toBeGreaterThan(6)
  for (const [key] of ENDPOINTS) if (key.startsWith('GET')) await owner.ask(filled(key, 'desk'))
  expect(await counts()).toEqual(before)
})

test('what is no endpoint, or no id, is not found; every answer forbids inline scripts and frames', async () => {
  for (const path of [
    '/api/nothing',
    '/api/projects/desk/people/1',
    '/api/projects/..%2f/people',
    '/api/projects/DESK',
  ]) {
    const { status, headers, text } = await owner.ask(`GET ${path}`)
    expect(status, path).toBe(404)
    expect(text, path).not.toMatch(/\bat .*\.ts:\d/)
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/)
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe/)
  }
  const page = await owner.ask('GET /p/desk')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/)
  for (const path of ['/..%2fsecret.html', '/assets/..%2f..%2fsecret.html', '/%2e%2e/secret.html', '/assets/none.js'])
    expect((await owner.ask(`GET ${path}`)).text, path).not.toMatch(/outside of the web folder/)
})

test('the OpenAPI document names every endpoint, who may call it, and what an error looks like', async () => {
  const { status, json } = await harness.stranger().ask('GET /api/openapi.json')
  expect(status).toBe(200)
  const document = json as {
    openapi: string
    paths: Record<string, Record<string, { operationId: string; description: string }>>
  }
  expect(document.openapi).toBe('3.1.0')
  const named = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(named.sort()).toEqual(Object.keys(API).sort())
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
