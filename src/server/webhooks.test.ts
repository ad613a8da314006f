// Webhooks over the API, to real receivers: told once a change is committed and not before, signed, tried until taken, under
// one id; and never to an address that is not public, however it is written, unless the operator named the host.
import { createHmac, randomUUID } from 'node:crypto'
import http from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { claimDelivery, claimJob, createJob, listDeliveries, settleDelivery, settleJob } from '#store'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'
import { type Address, addressFor, isPublic, type Resolve, webhookUrl } from './webhooks/addresses.ts'
import { attempt } from './webhooks/send.ts'
import { waitAfter } from './webhooks/sending.ts'

type Received = { path: string; headers: http.IncomingHttpHeaders; body: string }
/** A receiver; `answers` says what the next requests get. */
function openReceiver(): Promise<{
  port: number
  received: Received[]
  answers: (number | 'silence')[]
  close(): void
}> {
  const received: Received[] = []
  const answers: (number | 'silence')[] = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => (body += piece.toString()))
    request.on('end', () => {
      received.push({ path: request.url!, headers: request.headers, body })
      const answer = answers.shift() ?? 200
      if (answer === 'silence') return
      response.writeHead(answer, answer < 400 && answer >= 300 ? { location: `http://localhost:${canary.port}/` } : {})
      response.end()
    })
  })
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () =>
      done({
        port: (server.address() as AddressInfo).port,
        received,
        answers,
        close() {
          server.close()
          server.closeAllConnections()
        },
      }),
    )
  })
}

let harness: Harness
let owner: Person
let receiver: Awaited<ReturnType<typeof openReceiver>>
/** Nothing may ever reach it. */
let canary: Awaited<ReturnType<typeof openReceiver>>
const names: Record<string, Address[]> = {}
const resolve: Resolve = (host) => {
  const found = names[host]
  return found
    ? Promise.resolve(found)
    : Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
}
const LOCAL: Address = { address: '127.0.0.1', family: 4 }

beforeAll(async () => {
  canary = await openReceiver()
  receiver = await openReceiver()
  names['receiver.test'] = [LOCAL]
  harness = await openHarness({ webhookHosts: ['receiver.test'], resolve })
  owner = await setUp(harness)
})
beforeEach(() => {
  receiver.received.length = 0
  receiver.answers.length = 0
})
afterAll(async () => {
  expect(harness.defects).toEqual([])
  await harness.close()
  receiver.close()
  canary.close()
})

const at = (path = '') => `/api/projects/desk/webhooks${path}`
type Made = { id: string; secret: string }
async function add(over: object = {}): Promise<Made> {
  const body = {
    name: 'board',
    url: `http://receiver.test:${receiver.port}/hook`,
    events: ['guideline.change'],
    ...over,
  }
  const { status, text, json } = await owner.ask(`POST ${at()}`, body)
  expect(status, text).toBe(200)
  return json as Made
}
const remove = (id: string) => owner.ask(`DELETE ${at(`/${id}`)}`)
type Delivery = { id: string; event: string; state: string; attempts: number; status: number | null; problem: string }
const deliveriesOf = async (id: string) =>
  ((await owner.ask(`GET ${at(`/${id}/deliveries`)}`)).json as { deliveries: Delivery[] }).deliveries
const until = (look: () => unknown) => expect.poll(look, { timeout: 30_000, interval: 50 })

test('a change is told once it is committed, signed so that the receiver can check it, and what was not asked for is not', async () => {
  const { id, secret } = await add()
  await owner.ask('PUT /api/projects/desk/guideline', { text: 'Be brief.' })
  await owner.ask('POST /api/projects/desk/invitations', { role: 'viewer' })
  await until(() => receiver.received.length).toBe(1)
  const { headers, body, path } = receiver.received[0]!
  expect(path).toBe('/hook')
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
  expect(JSON.parse(body)).toEqual({
    type: 'guideline.change',
    timestamp: expect.stringMatching(/^\d{4}-/) as string,
    data: { project: 'desk', subject: 'desk' },
  })
  expect(body).not.toContain('brief')
  await until(async () => (await deliveriesOf(id))[0]).toMatchObject({ state: 'delivered', attempts: 1, status: 200 })
  // The secret is told once, and lies in no table.
  expect((await owner.ask(`GET ${at()}`)).text).not.toContain(secret)
  const rows = await harness.store.query<{ row: string }>('select webhooks::text as row from webhooks')
  expect(rows.filter(({ row }) => row.includes(secret) || row.includes(key.toString('hex')))).toEqual([])
  await remove(id)
})

test('who fails is tried again, later and later, under the same id; who takes it is left alone; in the end it is given up', async () => {
  const { id } = await add({ url: `http://receiver.test:${receiver.port}/flaky` })
  receiver.answers.push(500, 302)
  await owner.ask(`POST ${at(`/${id}/test`)}`)
  const due = () =>
    harness.store.query('update deliveries set due_at = now() where settled_at is null and due_at > now()')
  await until(async () => (await deliveriesOf(id))[0]).toMatchObject({ state: 'waiting', attempts: 1, status: 500 })
  await due()
  await until(async () => (await deliveriesOf(id))[0]).toMatchObject({ attempts: 2, status: 302 })
  expect((await deliveriesOf(id))[0]!.problem).toContain('redirection')
  await due()
  await until(async () => (await deliveriesOf(id))[0]).toMatchObject({ state: 'delivered', attempts: 3 })
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(receiver.received).toHaveLength(3)
  expect(canary.received).toEqual([])

  const waits = Array.from({ length: 9 }, (_, i) => waitAfter(i + 1))
  expect(waits.at(-1)).toBeUndefined()
  for (const [i, wait] of waits.slice(1, -1).entries()) expect(wait).toBeGreaterThan(waits[i]!)
  receiver.answers.push(500)
  await owner.ask(`POST ${at(`/${id}/test`)}`)
  await until(async () => (await deliveriesOf(id))[0]).toMatchObject({ attempts: 1 })
  receiver.answers.push(500)
  await harness.store.query('update deliveries set attempts = 8, due_at = now() where settled_at is null')
  await until(async () => (await deliveriesOf(id))[0]).toMatchObject({ state: 'failed', attempts: 9 })
  const [{ id: failed }] = (await deliveriesOf(id)) as [Delivery]
  expect((await owner.ask(`POST ${at(`/${id}/deliveries/${failed}/again`)}`)).status).toBe(204)
  await until(async () => (await deliveriesOf(id))[0]).toMatchObject({ state: 'delivered' })
  await remove(id)
  expect((await owner.ask(`POST ${at(`/${id}/test`)}`)).status).toBe(404)
})

test('a server that dies in an attempt leaves it to be sent again, and its late word does not count', async () => {
  const { id } = await add({
    events: ['webhook.test', 'guideline.change'].slice(1),
    url: `http://receiver.test:${receiver.port}/x`,
  })
  const { query } = harness.store
  await query(
    "insert into deliveries (webhook_id, event, subject, detail, due_at) values ($1, 'guideline.change', 'desk', '{}', now() + interval '1 hour')",
    [id],
  )
  await query("update deliveries set due_at = now() - interval '1 hour' where webhook_id = $1", [id])
  const dead = await claimDelivery(query, { except: [], leaseSeconds: 0 })
  // Perhaps the running server was faster: then it is there already, which is as good.
  await until(async () => (await listDeliveries(query, id, 1))[0]!.state).toBe('delivered')
  if (dead) await settleDelivery(query, dead, { isTaken: false, status: 500, problem: 'late', againSeconds: 5 })
  expect((await listDeliveries(query, id, 1))[0]).toMatchObject({ state: 'delivered', status: 200 })
  expect(receiver.received.length).toBeGreaterThan(0)
  await remove(id)
})

test('how a run ends is told, and that it waits for people, by nobody in particular; a run that is tried again tells nothing', async () => {
  const { id } = await add({ events: ['run.done', 'run.waiting'], url: `http://receiver.test:${receiver.port}/runs` })
  const { store } = harness
  const [project] = await store.query<{ id: string }>("select id from projects where slug = 'desk'")
  const order = { project: project!.id, run: 'told', recipe: 'ppo', ordered: null, by: owner.id }
  expect(await createJob(store.query, order)).toBe(true)
  const trainer = randomUUID()
  for (const state of ['again', 'waiting', 'done'] as const) {
    await store.query("update jobs set state = 'queued', ready_at = now() where run = 'told'")
    const job = await claimJob(store, { trainer, leaseSeconds: 60 })
    const ending = state === 'again' ? { state, reason: '', afterSeconds: 0 } : { state, reason: '' }
    await store.transaction((query) => settleJob(query, { id: job!.id, trainer }, ending))
  }
  await until(async () => (await deliveriesOf(id)).filter(({ state }) => state === 'delivered').length).toBe(2)
  const told = receiver.received.map(({ body }) => JSON.parse(body) as { type: string; data: { subject: string } })
  expect(told.map(({ type, data }) => `${type} ${data.subject}`).sort()).toEqual(['run.done told', 'run.waiting told'])
  await remove(id)
})

test('addresses that are no web addresses are refused when they are entered', async () => {
  for (const url of [
    'ftp://example.org/',
    'file:///etc/passwd',
    'gopher://localhost:70/',
    'javascript:alert(1)',
    'http://user:word@example.org/',
    'https://example.org/#part',
    'http://',
    'example.org',
    '//example.org',
    `https://example.org/${'x'.repeat(2000)}`,
  ]) {
    const body = { name: 'board', url, events: ['guideline.change'] }
    expect((await owner.ask(`POST ${at()}`, body)).status, url).toBe(422)
  }
})

/** Ways to write an address of this machine, of its network, or of a cloud's metadata. */
const INSIDE = [
  '127.0.0.1',
  '127.1',
  '0',
  '0.0.0.0',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
  '[fe80::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[ff02::1]',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.254',
  '192.168.1.1',
  '169.254.169.254',
  '100.100.100.200',
  '192.0.0.192',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'sub.localhost',
  'inside.test',
  'both.test',
  'mapped.test',
]

test('no form of an address inside is reached, by no name, and nothing is said of what is there', async () => {
  names.localhost = names['localhost.'] = names['sub.localhost'] = [LOCAL]
  names['inside.test'] = [{ address: '10.0.0.1', family: 4 }]
  names['both.test'] = [{ address: '93.184.215.14', family: 4 }, LOCAL]
  names['mapped.test'] = [{ address: '::ffff:127.0.0.1', family: 6 }]
  const o = { allowed: ['receiver.test'], resolve, version: '0', signal: new AbortController().signal }
  for (const host of INSIDE) {
    const message = { id: 'x', secret: Buffer.from('x'), body: '{}', url: `http://${host}:${canary.port}/` }
    const made = await attempt(message, o)
    expect(made, host).toMatchObject({ isTaken: false, status: null })
    expect(made.problem, host).toMatch(/is no public address|not known/)
    if (host === 'inside.test') expect(made.problem).not.toContain('10.0.0.1')
  }
  expect(canary.received).toEqual([])
  // The name of a host that is allowed opens that host alone, whatever it resolves to.
  const message = { id: 'x', secret: Buffer.from('x'), body: '{}', url: `http://RECEIVER.test:${receiver.port}/` }
  expect(await attempt(message, o)).toMatchObject({ isTaken: true })
  expect(await attempt({ ...message, url: `http://receiver.test.:${receiver.port}/` }, o)).toMatchObject({
    isTaken: false,
  })
})

test('a name is resolved once, and that address is the one connected to', async () => {
  let asked = 0
  const turning: Resolve = () => Promise.resolve([asked++ === 0 ? { address: '93.184.215.14', family: 4 } : LOCAL])
  const url = webhookUrl(`http://turning.test:${canary.port}/`)
  expect(await addressFor(url, { allowed: [], resolve: turning })).toEqual({ address: '93.184.215.14', family: 4 })
  expect(asked).toBe(1)
  await expect(addressFor(url, { allowed: [], resolve: turning })).rejects.toThrow('no public address')
  // The host keeps its name in what is sent, though the address came from elsewhere.
  names['receiver.test'] = [LOCAL]
  const message = { id: 'x', secret: Buffer.from('x'), body: '{}', url: `http://receiver.test:${receiver.port}/named` }
  await attempt(message, { allowed: ['receiver.test'], resolve, version: '0', signal: new AbortController().signal })
  expect(receiver.received.at(-1)!.headers.host).toBe(`receiver.test:${receiver.port}`)
})

test('what is public is, and what is special is not', () => {
  const of = (address: string): boolean => isPublic({ address, family: address.includes(':') ? 6 : 4 })
  for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '223.255.255.255', '2606:4700::1111'])
    expect(of(address), address).toBe(true)
  for (const address of [
    '100.64.0.1',
    '192.0.2.1',
    '203.0.113.9',
    '240.0.0.1',
    '2001:db8::1',
    '3fff::1',
    '4000::1',
    '1fff::1',
  ])
    expect(of(address), address).toBe(false)
})

test('only those who may see it do, and each change leaves its audit row', async () => {
  const { id } = await add()
  const viewer = await harness.join('desk', 'viewer', owner)
  const engineer = await harness.join('desk', 'engineer', owner)
  expect((await viewer.ask(`GET ${at()}`)).status).toBe(403)
  expect((await engineer.ask(`GET ${at()}`)).status).toBe(200)
  expect((await engineer.ask(`POST ${at(`/${id}/test`)}`)).status).toBe(403)
  await owner.ask('POST /api/projects', { name: 'Other' })
  const outsider = await harness.join('other', 'owner', owner)
  expect((await outsider.ask(`GET /api/projects/other/webhooks/${id}/deliveries`)).status).toBe(404)
  expect((await outsider.ask(`DELETE /api/projects/other/webhooks/${id}`)).status).toBe(404)
  await owner.ask(`POST ${at(`/${id}/test`)}`)
  await remove(id)
  const { json } = await owner.ask('GET /api/projects/desk/audit')
  const { entries } = json as { entries: { action: string; subject: string }[] }
  const own = entries.filter(({ subject }) => subject === id).map(({ action }) => action)
  expect(own).toEqual(['webhook.remove', 'webhook.test', 'webhook.create'])
})
