// A release from its evaluations to a program that asks by its name: rules, waivers that expire, two persons, rollback, keys.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listVersions, saveVersion } from '#data'
import { artifactPath, hashFolder, hashRow, sha256File } from '#files'
import { openSamplerLink } from '#sampler'
import type { SamplerLink } from '#sampler/contract'
import { Objective } from '#schema'
import { createTinyModel } from '../sampler/tiny-model.test-data.ts'
import { type Harness, openHarness, ORIGIN, type Person, setUp } from './harness.test-data.ts'

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')
let harness: Harness
let sampler: SamplerLink
let owner: Person
let lead: Person
let engineer: Person
let reviewer: Person
const hashes: Record<string, string> = {}

function evaluate(name: string, win: { value: number; low: number; high: number }, more: object = {}): string {
  const file = join(harness.workspace, 'evaluations', `${name}.json`)
  const folder = join(harness.workspace, 'models', name)
  const written = {
    kind: 'evaluation',
    hone: '0.0.0',
    metric: 'win-rate',
    model: { path: folder, hash: hashes[name] },
    suite: { name: 'spring', path: 'x', hash: 'a'.repeat(64), rows: 100 },
    settings: {},
    simulated: false,
    statistics: { 'win-rate': { ...win, n: 100 }, strata: [{ name: 'late', value: 0.4, low: 0.3, high: 0.5, n: 40 }] },
    ...more,
  }
  fs.writeFileSync(file, JSON.stringify(written, null, 2))
  return sha256File(file)
}

beforeAll(async () => {
  sampler = openSamplerLink({ command: [process.execPath, HONE, 'sampler'] })
  harness = await openHarness({ sampler })
  for (const [i, name] of ['first', 'second'].entries()) {
    const folder = join(harness.workspace, 'models', name)
    createTinyModel(folder, { contextTokens: 400, seed: i + 1 })
    hashes[name] = hashFolder(folder)
  }
  fs.mkdirSync(join(harness.workspace, 'evaluations'))
  owner = await setUp(harness)
  lead = await harness.join('desk', 'lead', owner)
  engineer = await harness.join('desk', 'engineer', owner)
  reviewer = await harness.join('desk', 'reviewer', owner)
})
afterAll(async () => {
  await harness.close()
  await sampler.close()
})

const RULES = [
  { name: 'preferred', statistic: 'spring.win-rate', bound: 'low', comparison: 'above', value: 0.5 },
  { name: 'late parcels', statistic: 'spring.strata.late', bound: 'high', comparison: 'at-least', value: 0.5 },
]
type Candidacy = {
  id: string
  verdict: string
  isMine: boolean
  objectivesDiffer: string | null
  gates: { name: string; passed: boolean; evidence: string }[]
  waivers: { counts: boolean; reason: string }[]
}
type All = {
  releases: { name: string; history: { id: number; hash: string; backTo: number | null; lapsedAt: string | null }[] }[]
  candidacies: Candidacy[]
}
const look = async (by = owner): Promise<All> => (await by.ask('GET /api/projects/desk/releases')).json as All
const put = (by: Person, evaluation: string, over: object = {}) =>
  by.ask('POST /api/projects/desk/candidacies', {
    release: 'desk',
    rules: RULES,
    evaluations: [{ hash: evaluation }],
    ...over,
  })
const sign = (by: Person, id: string, signOff: string) =>
  by.ask(`POST /api/projects/desk/candidacies/${id}/signature`, { signOff, reason: 'looked at' })

test('the rules decide and keep their evidence; who asks does not sign, a second person does', async () => {
  const made = await put(engineer, evaluate('first', { value: 0.6, low: 0.52, high: 0.68 }))
  expect(made.status, made.text).toBe(200)
  const { id } = made.json as { id: string }
  const [candidacy] = (await look(engineer)).candidacies
  expect(candidacy).toMatchObject({ id, verdict: 'passed', isMine: true })
  expect(candidacy!.gates.map(({ passed, evidence }) => [passed, evidence])).toEqual([
    [true, 'spring.win-rate is 0.6 [0.52, 0.68], n = 100, low end 0.52: above 0.5'],
    [true, 'spring.strata.late is 0.4 [0.3, 0.5], n = 40, high end 0.5: at least 0.5'],
  ])
  const point = [{ ...RULES[0], bound: 'value', level: 0.99 }]
  expect((await put(engineer, 'a'.repeat(64), { rules: point })).text).toContain('a point has no level')
  for (const by of [engineer, lead]) expect((await sign(by, id, 'released')).status).toBe(403)
  const own = (await put(owner, evaluate('first', { value: 0.6, low: 0.52, high: 0.68 }))).json as { id: string }
  expect((await sign(owner, own.id, 'released')).text).toContain('who asks does not sign')
  expect((await look()).releases).toEqual([])
  expect((await sign(reviewer, id, 'released')).status).toBe(204)
  expect((await sign(owner, id, 'refused')).text).toContain('signed already')
  expect((await look()).releases).toMatchObject([{ name: 'desk', history: [{ hash: hashes.first, backTo: null }] }])
})

test('a gate names the objective in force, and says where its evaluation or the labels behind it are of another', async () => {
  const win = { value: 0.6, low: 0.52, high: 0.68 }
  const own = hashRow(Objective.parse(JSON.parse(fs.readFileSync(join(harness.workspace, 'objective.json'), 'utf8'))))
  expect((await look()).candidacies[0]).toMatchObject({ objective: own, objectivesDiffer: null })
  const [other, third] = ['1', '2'].map((digit) => digit.repeat(64)) as [string, string]
  const { version } = await saveVersion(harness.workspace, [{ prompt: 'q', completion: 'a' }], {
    kind: 'demonstrations',
    name: 'judged',
    source: { campaign: 'c', objective: third },
  })
  const judged = { path: artifactPath(harness.workspace, version.content), hash: version.content }
  await put(engineer, evaluate('first', win, { objective: { id: other, name: 'desk' }, judgements: [judged] }))
  const [mixed] = (await look()).candidacies
  expect(mixed).toMatchObject({ verdict: 'passed', objective: own })
  expect(mixed!.objectivesDiffer).toMatch(
    new RegExp(
      `^objectives differ: this gate under customer-service ${own.slice(0, 12)}; ` +
        'evaluation evaluations/first.json under desk 1{12}; judgements content [0-9a-f]{12} under 2{12}$',
    ),
  )
})

test('a rule that failed refuses, until it is waived by name and reason; an expired waiver no longer counts', async () => {
  const made = await put(engineer, evaluate('second', { value: 0.51, low: 0.42, high: 0.6 }))
  const { id } = made.json as { id: string }
  expect((await look()).candidacies[0]).toMatchObject({ id, verdict: 'refused' })
  expect((await sign(reviewer, id, 'released')).text).toContain('no waiver of it counts')
  const waive = (by: Person, over: object = {}) =>
    by.ask(`POST /api/projects/desk/candidacies/${id}/waivers`, {
      gate: 'preferred',
      reason: 'a holiday trial',
      days: 2,
      ...over,
    })
  expect((await waive(engineer)).status).toBe(403)
  expect((await waive(lead, { gate: 'late parcels' })).text).toContain('nothing to waive')
  expect((await waive(lead, { gate: 'no such rule' })).status).toBe(422)
  expect((await waive(lead, { reason: ' ' })).status).toBe(422)
  expect((await waive(lead)).status).toBe(204)
  expect((await look()).candidacies[0]).toMatchObject({ verdict: 'passed by waiver', waivers: [{ counts: true }] })
  // Before the signature the waiver runs out.
  const expire = `update waivers set waived_at = now() - interval '3 day', expires_at = now() - interval '1 day' where candidacy_id = $1`
  await harness.store.query(expire, [id])
  expect((await look()).candidacies[0]).toMatchObject({ verdict: 'refused', waivers: [{ counts: false }] })
  expect((await sign(reviewer, id, 'released')).status).toBe(422)
  expect((await waive(lead)).status).toBe(204)
  expect((await sign(reviewer, id, 'released')).status).toBe(204)
  expect((await look()).releases[0]!.history.map(({ hash, lapsedAt }) => [hash, lapsedAt])).toEqual([
    [hashes.second, null],
    [hashes.first, null],
  ])
  // And after it: the release says so.
  await harness.store.query(expire, [id])
  expect((await look()).releases[0]!.history[0]).toMatchObject({ lapsedAt: expect.any(String) as string })
  const logged = (await owner.ask('GET /api/projects/desk/audit')).json as { entries: { action: string }[] }
  expect(logged.entries.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['gate.waive', 'candidacy.sign', 'candidacy.create']),
  )
})

let key: string
const ask = (path: string, body?: object, bearer = key) =>
  harness.server.app.request(`${ORIGIN}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${bearer}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
const HELLO = { model: 'desk', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8, temperature: 0 }

test('a program asks by release name and key, and gets the weights that the name stands for', async () => {
  const body = { name: 'Help desk', perMinute: 6 }
  expect((await engineer.ask('POST /api/projects/desk/api-keys', body)).status).toBe(403)
  const made = (await lead.ask('POST /api/projects/desk/api-keys', body)).json as { id: string; key: string }
  key = made.key
  const listed = await lead.ask('GET /api/projects/desk/api-keys')
  expect(listed.json).toMatchObject({ keys: [{ name: 'Help desk', prefix: key.slice(0, 10), usedAt: null }] })
  expect(listed.text).not.toContain(key)
  const dump = await harness.store.query('select * from api_keys')
  expect(JSON.stringify(dump)).not.toContain(key)

  const models = (await (await ask('/v1/models')).json()) as { data: { id: string }[] }
  expect(models.data.map(({ id }) => id)).toEqual(['desk'])
  const answer = await ask('/v1/chat/completions', HELLO)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'/)
  const { model, choices } = (await answer.json()) as { model: string; choices: { message: { content: string } }[] }
  expect(model).toBe('desk')
  const own = await sampler.answer(
    { folder: join(harness.workspace, 'models', 'second'), hash: hashes.second!, name: 'desk' },
    { method: 'POST', path: '/v1/chat/completions', body: JSON.stringify(HELLO), signal: new AbortController().signal },
  )
  expect(((await own.json()) as { choices: unknown }).choices).toEqual(choices)
  const streamed = await (await ask('/v1/chat/completions', { ...HELLO, stream: true })).text()
  expect(streamed).toMatch(/^data: \{.*"model":"desk"/)
  expect(streamed).toContain('data: [DONE]')
  expect((await ask('/v1/chat/completions', { ...HELLO, model: 'nothing' })).status).toBe(404)
  expect((await ask('/v1/chat/completions', HELLO, 'hone_wrong')).status).toBe(401)
  expect((await ask('/v1/chat/completions', HELLO, `hone_${'x'.repeat(43)}`)).status).toBe(401)
})

test('back to an earlier entry is a new entry, and the name answers by those weights at once', async () => {
  const { history } = (await look()).releases[0]!
  const back = (to: number, by = reviewer) =>
    by.ask('POST /api/projects/desk/releases/desk/rollback', { to, reason: 'complaints' })
  expect((await back(history[1]!.id, engineer)).status).toBe(403)
  expect((await back(history[0]!.id)).status).toBe(422)
  expect((await back(999)).status).toBe(422)
  expect((await back(history[1]!.id)).status).toBe(204)
  expect((await look()).releases[0]!.history.map(({ hash, backTo }) => [hash, backTo])).toEqual([
    [hashes.first, history[1]!.id],
    [hashes.second, null],
    [hashes.first, null],
  ])
  // Not to what rests on a waiver that has run out.
  expect((await back(history[0]!.id)).text).toContain('has expired')
  const answer = (await (await ask('/v1/chat/completions', HELLO)).json()) as { choices: unknown }
  const own = await sampler.answer(
    { folder: join(harness.workspace, 'models', 'first'), hash: hashes.first!, name: 'desk' },
    { method: 'POST', path: '/v1/chat/completions', body: JSON.stringify(HELLO), signal: new AbortController().signal },
  )
  expect(answer.choices).toEqual(((await own.json()) as { choices: unknown }).choices)
})

test('beyond its limit a key is told when to come again; revoked, it opens nothing', async () => {
  const statuses: number[] = []
  for (let i = 0; i < 7; i++) {
    const { status, headers } = await ask('/v1/chat/completions', { ...HELLO, max_tokens: 1 })
    statuses.push(status)
    if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  }
  expect(statuses).toContain(429)
  const { keys } = (await lead.ask('GET /api/projects/desk/api-keys')).json as {
    keys: { id: string; usedAt: string }[]
  }
  expect(keys[0]!.usedAt).not.toBeNull()
  expect((await lead.ask(`DELETE /api/projects/desk/api-keys/${keys[0]!.id}`)).status).toBe(204)
  expect((await ask('/v1/models')).status).toBe(401)
  // A scope is all a key is good for.
  const narrow = (await lead.ask('POST /api/projects/desk/api-keys', { name: 'Lister', scopes: ['models'] })).json as {
    key: string
  }
  expect((await ask('/v1/models', undefined, narrow.key)).status).toBe(200)
  expect((await ask('/v1/chat/completions', HELLO, narrow.key)).status).toBe(403)
})

test('a key has eight answers at once and no ninth, until one of their readers leaves', async () => {
  const body = { name: 'Burst', perMinute: 1000 }
  const { key: burst } = (await lead.ask('POST /api/projects/desk/api-keys', body)).json as { key: string }
  const long = { ...HELLO, max_tokens: 300, stream: true }
  const open: Response[] = []
  for (let i = 0; i < 8; i++) open.push(await ask('/v1/chat/completions', long, burst))
  expect(open.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
  const ninth = await ask('/v1/chat/completions', long, burst)
  expect(ninth.status).toBe(429)
  expect(Number(ninth.headers.get('retry-after'))).toBeGreaterThan(0)
  await open[0]!.body!.cancel()
  await expect
    .poll(async () => {
      const again = await ask('/v1/chat/completions', long, burst)
      await again.body!.cancel()
      return again.status
    })
    .toBe(200)
  for (const { body: left } of open.slice(1)) await left!.cancel()
  // What the key may ask in all is beside that, and so is what the model takes: too long is refused, not cut.
  expect((await ask('/v1/chat/completions', { ...HELLO, max_tokens: 5000 }, burst)).status).toBe(400)
  const wide = { ...HELLO, messages: [{ role: 'user', content: 'x'.repeat(5000) }] }
  expect((await ask('/v1/chat/completions', wide, burst)).status).toBe(400)
})

test('weights that changed since are not released; another project sees and serves none of it', async () => {
  const { id } = (await put(engineer, evaluate('second', { value: 0.7, low: 0.6, high: 0.8 }))).json as { id: string }
  fs.appendFileSync(join(harness.workspace, 'models', 'second', 'config.json'), '\n')
  expect((await sign(reviewer, id, 'released')).text).toContain('changed since they were evaluated')
  await owner.ask('POST /api/projects', { name: 'Other' })
  expect((await owner.ask('GET /api/projects/other/releases')).json).toMatchObject({ releases: [], candidacies: [] })
  expect((await owner.ask(`POST /api/projects/other/candidacies/${id}/signature`, { signOff: 'refused' })).status).toBe(
    404,
  )
  const foreign = (await owner.ask('POST /api/projects/other/api-keys', { name: 'x' })).json as { key: string }
  expect(((await (await ask('/v1/models', undefined, foreign.key)).json()) as { data: unknown[] }).data).toEqual([])
})

test('a model that was trained on withdrawn answers is refused, put to the rules or signed, until they count again', async () => {
  const call = async (key: string, body?: unknown) => {
    const [method, path] = key.split(' ') as [string, string]
    const { status, json, text } = await lead.ask(`${method} /api/projects/desk/${path}`, body)
    expect(status, text).toBeLessThan(300)
    return json as Record<string, unknown>
  }
  const row = { item: 'one', prompt: 'Q', a: 'Yes.', b: 'No.' }
  await call('POST datasets/pairs?kind=comparisons', new TextEncoder().encode(JSON.stringify(row)))
  const { id: campaign } = await call('POST campaigns', { name: 'Round', dataset: 'pairs', overlap: 1 })
  await call(`PUT campaigns/${campaign as string}/guideline-read`)
  const { task } = (await call(`POST campaigns/${campaign as string}/claim`)) as { task: { id: string } }
  const answer = { key: randomUUID(), choice: 'left', strength: 2, activeSeconds: 1 }
  await call(`POST campaigns/${campaign as string}/items/${task.id}/judgement`, answer)
  await call(`POST campaigns/${campaign as string}/judgements`, { dataset: 'answers' })
  const [version] = listVersions(harness.workspace, 'answers')
  const run = join(harness.workspace, 'runs', 'taught')
  fs.mkdirSync(run, { recursive: true })
  const data = { path: artifactPath(harness.workspace, version!.content), hash: version!.content }
  const model = { path: join(harness.workspace, 'models', 'first'), hash: hashes.first }
  const record = { recipe: 'dpo', hone: '0', status: 'done', inputs: { data }, outputs: { model }, simulated: false }
  fs.writeFileSync(join(run, 'run.json'), JSON.stringify(record))
  const candidate = () => put(engineer, evaluate('first', { value: 0.6, low: 0.52, high: 0.68 }))
  const { id } = (await candidate()).json as { id: string }
  const made = await call('POST withdrawals', { rule: { user: lead.id }, reason: 'without consent' })
  const words = /models\/first was trained on withdrawn answers \(answers@[0-9a-f]{12}, 1 of 1 rows\): .* train again/
  const again = await candidate()
  expect([again.status, again.text]).toEqual([422, expect.stringMatching(words)])
  const signed = await sign(reviewer, id, 'released')
  expect([signed.status, signed.text]).toEqual([422, expect.stringMatching(words)])
  const { dependants } = (await call('GET withdrawals')) as { dependants: { kind: string; label: string }[] }
  expect(dependants.map(({ kind, label }) => `${kind} ${label}`)).toEqual(
    expect.arrayContaining([
      `dataset answers@${version!.version.slice(0, 12)}`,
      'run runs/taught',
      'model models/first',
      'release desk #1',
    ]),
  )
  await call(`POST withdrawals/${made.id as string}/undo`, { reason: 'consent is there' })
  expect((await call('GET withdrawals')).dependants).toEqual([])
  expect((await candidate()).status).toBe(200)
  expect((await sign(reviewer, id, 'released')).status).toBe(204)
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
