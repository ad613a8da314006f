// Set-up, sessions, links, sign-in limits, the audit log: as people meet them.
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sealAudit } from '#store'
import { type Harness, openHarness, ORIGIN, PASSWORD, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person

beforeAll(async () => {
  harness = await openHarness()
})
afterAll(() => harness.close())

const signIn = (person: Person, password = PASSWORD) =>
  person.ask('POST /api/session', { email: person.email, password })

test('before set-up nothing else works, and only the printed link sets up, once', async () => {
  const nobody = harness.stranger()
  expect((await nobody.ask('GET /api/state')).json).toEqual({
    isSetUp: false,
    isDemo: false,
    suggestedProject: 'desk',
    bringsObjective: true,
    domains: [expect.objectContaining({ name: 'customer-service' })],
    me: null,
  })
  expect((await nobody.ask('GET /api/projects/desk')).status).toBe(401)
  const body = { name: 'Eve', email: 'eve@example.org', password: PASSWORD, project: 'Mine' }
  expect((await nobody.ask('POST /api/set-up', { ...body, token: 'x'.repeat(43) })).status).toBe(403)
  const token = harness.server.setUpToken
  const both = await Promise.all(
    [0, 1].map(() => harness.stranger().ask('POST /api/set-up', { ...body, token, email: 'owner@example.org' })),
  )
  expect(both.map(({ status }) => status).sort((x, y) => x - y)).toEqual([200, 404])
  await harness.store.query('truncate users, projects, audit cascade')
})

test('set-up signs in, makes the project, and is over', async () => {
  await harness.close()
  harness = await openHarness()
  owner = await setUp(harness)
  const { json } = await owner.ask('GET /api/state')
  expect(json).toMatchObject({
    isSetUp: true,
    me: { isAdministrator: true, projects: [{ slug: 'desk', role: 'owner' }] },
  })
  expect((await owner.ask('GET /api/projects/desk')).json).toMatchObject({ name: 'Desk', role: 'owner' })
})

test('a session is 256 random bits in a cookie for this host alone, kept hashed, new at every sign-in', async () => {
  const person = await harness.join('desk', 'viewer', owner)
  const first = person.cookie()!
  const { headers } = await signIn(person)
  const cookie = headers.get('set-cookie')!
  expect(cookie).toMatch(/^__Host-hone=[\w-]{43}; /)
  for (const part of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']) expect(cookie).toContain(part)
  expect(person.cookie()).not.toBe(first)
  const token = person.cookie()!.split('=')[1]!
  const rows = await harness.store.query<{ row: string }>('select sessions::text as row from sessions')
  expect(rows.length).toBeGreaterThan(0)
  expect(rows.filter(({ row }) => row.includes(token))).toEqual([])
  // The old session ended with the new sign-in.
  const old = await harness.server.app.request('http://localhost:4600/api/projects/desk', {
    headers: { cookie: first },
  })
  expect(old.status).toBe(401)
})

test('a session ends idle, at its age, by signing out, and when the account is disabled', async () => {
  const person = await harness.join('desk', 'viewer', owner)
  const isIn = async () => (await person.ask('GET /api/projects/desk')).status === 200
  expect(await isIn()).toBe(true)
  const who = [person.id]
  await harness.store.query("update sessions set seen_at = now() - interval '13 hours' where user_id = $1", who)
  expect(await isIn()).toBe(false)
  await signIn(person)
  expect(await isIn()).toBe(true)
  await harness.store.query("update sessions set expires_at = now() - interval '1 second' where user_id = $1", who)
  expect(await isIn()).toBe(false)
  await signIn(person)
  expect((await person.ask('DELETE /api/session')).status).toBe(204)
  expect(person.cookie()).toBeUndefined()
  await signIn(person)
  await harness.store.query('update users set disabled_at = now() where id = $1', who)
  expect(await isIn()).toBe(false)
  expect((await signIn(person)).status).toBe(401)
})

test('a changed role ends the sessions that worked by the old one', async () => {
  const person = await harness.join('desk', 'annotator', owner)
  expect((await owner.ask(`PUT /api/projects/desk/people/${person.id}`, { role: 'lead' })).status).toBe(204)
  expect((await person.ask('GET /api/projects/desk')).status).toBe(401)
  await signIn(person)
  expect((await person.ask('GET /api/projects/desk')).json).toMatchObject({ role: 'lead' })
})

test('links end with the right of who made them, and a password link with the membership it was made in', async () => {
  const second = await harness.join('desk', 'owner', owner)
  const asOwner = { role: 'owner' }
  const { token } = (await second.ask('POST /api/projects/desk/invitations', asOwner)).json as { token: string }
  const path = `POST /api/projects/desk/people/${second.id}/password-link`
  const password = (await owner.ask(path)).json as { token: string }
  expect((await owner.ask(`DELETE /api/projects/desk/people/${second.id}`)).status).toBe(204)
  await signIn(second)
  expect((await second.ask('POST /api/links/join', { token })).status).toBe(404)
  const taken = await harness.stranger().ask('POST /api/links/password', {
    token: password.token,
    password: 'another long sentence',
  })
  expect(taken.status).toBe(404)
  expect((await signIn(second)).status).toBe(200)
})

test('a password link that was made before its person joined another project opens nothing there', async () => {
  const person = await harness.join('desk', 'annotator', owner)
  const { token } = (await owner.ask(`POST /api/projects/desk/people/${person.id}/password-link`)).json as {
    token: string
  }
  await owner.ask('POST /api/projects', { name: 'Elsewhere' })
  const invited = await owner.ask('POST /api/projects/elsewhere/invitations', { role: 'viewer' })
  expect((await person.ask('POST /api/links/join', { token: (invited.json as { token: string }).token })).status).toBe(
    200,
  )
  const taken = await harness.stranger().ask('POST /api/links/password', { token, password: 'another long sentence' })
  expect(taken.status).toBe(404)
})

test('a project keeps its last owner', async () => {
  expect((await owner.ask(`PUT /api/projects/desk/people/${owner.id}`, { role: 'viewer' })).status).toBe(422)
  expect((await owner.ask(`DELETE /api/projects/desk/people/${owner.id}`)).status).toBe(422)
})

test('an invitation works once; a lead makes none for owners and leads', async () => {
  const lead = await harness.join('desk', 'lead', owner)
  expect((await lead.ask('POST /api/projects/desk/invitations', { role: 'owner' })).status).toBe(403)
  const { token } = (await lead.ask('POST /api/projects/desk/invitations', { role: 'annotator' })).json as {
    token: string
  }
  const people = Array.from({ length: 4 }, () => harness.stranger())
  const joined = await Promise.all(
    people.map((person) =>
      person.ask('POST /api/links/join', { token, account: { name: 'Ann', email: person.email, password: PASSWORD } }),
    ),
  )
  expect(joined.map(({ status }) => status).sort((x, y) => x - y)).toEqual([200, 404, 404, 404])
  const stored = await harness.store.query<{ row: string }>('select links::text as row from links')
  expect(stored.filter(({ row }) => row.includes(token))).toEqual([])
})

test('a password link ends every session and works once; not for an administrator, not for a member elsewhere', async () => {
  const person = await harness.join('desk', 'annotator', owner)
  const { token } = (await owner.ask(`POST /api/projects/desk/people/${person.id}/password-link`)).json as {
    token: string
  }
  const change = () => harness.stranger().ask('POST /api/links/password', { token, password: 'another long sentence' })
  expect((await change()).status).toBe(204)
  expect((await change()).status).toBe(404)
  expect((await person.ask('GET /api/projects/desk')).status).toBe(401)
  expect((await signIn(person)).status).toBe(401)
  expect((await signIn(person, 'another long sentence')).status).toBe(200)
  const second = await harness.join('desk', 'owner', owner)
  expect((await second.ask(`POST /api/projects/desk/people/${owner.id}/password-link`)).status).toBe(403)
})

test('ten attempts in fifteen minutes for an account from an address, right or wrong, known or not', async () => {
  const person = await harness.join('desk', 'viewer', owner)
  for (const email of [person.email, 'nobody@example.org']) {
    const guesser = harness.stranger('203.0.113.9')
    const statuses: number[] = []
    // Sent together: counting happens before the slow comparison, so none slips through.
    const tries = await Promise.all(
      Array.from({ length: 14 }, (_, i) => guesser.ask('POST /api/session', { email, password: `guess number ${i}` })),
    )
    for (const { status } of tries) statuses.push(status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(10)
    expect(statuses.filter((status) => status === 429)).toHaveLength(4)
    const refused = tries.find(({ status }) => status === 429)!
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(800)
  }
  // From elsewhere the account still opens.
  expect((await signIn(person)).status).toBe(200)
})

test('every write leaves an audit row with its actor, and no row holds a password or a token', async () => {
  const before = await harness.store.query<{ id: number }>('select id from audit')
  const person = await harness.join('desk', 'annotator', owner)
  await person.ask('PUT /api/me/password', { current: PASSWORD, password: 'a third long sentence' })
  await person.ask('DELETE /api/session')
  await owner.ask(`DELETE /api/projects/desk/people/${person.id}`)
  await sealAudit(harness.store)
  const { text } = await owner.ask('GET /api/audit')
  const rows = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { action: string; actor: string })
  const actions = rows
    .slice(before.length)
    .map(({ action, actor }) => [action, actor === person.id ? 'person' : 'owner'])
  expect(actions).toEqual([
    ['invitation.create', 'owner'],
    ['member.join', 'person'],
    ['password.change', 'person'],
    ['session.end', 'person'],
    ['member.remove', 'owner'],
  ])
  expect(text).not.toContain('sentence')
  expect((await owner.ask('GET /api/audit/verdict')).json).toMatchObject({ rows: rows.length })
  await harness.store.query("update audit set actor = null where action = 'member.remove'")
  expect((await owner.ask('GET /api/audit/verdict')).json).toMatchObject({ because: 'a row was changed' })
})

test('an administrator disables an account: it is out within a second, streams included, and in again when enabled', async () => {
  const person = await harness.join('desk', 'viewer', owner)
  const { token } = (await owner.ask(`POST /api/projects/desk/people/${person.id}/password-link`)).json as {
    token: string
  }
  const folder = join(harness.workspace, 'runs', 'watched')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(join(folder, 'run.json'), JSON.stringify({ recipe: 'sft', status: 'stopped', simulated: false }))
  const stream = await harness.server.app.request(`${ORIGIN}/api/projects/desk/runs/watched/events`, {
    headers: { cookie: person.cookie() ?? '' },
  })
  expect(stream.status).toBe(200)
  const state = (by: Person, id: string, to: string) => by.ask(`PUT /api/accounts/${id}/state`, { state: to })
  expect((await state(person, owner.id, 'disabled')).status).toBe(403)
  expect((await state(owner, owner.id, 'disabled')).status).toBe(422)
  expect((await state(owner, '00000000-0000-4000-8000-000000000000', 'disabled')).status).toBe(404)
  expect((await state(owner, person.id, 'disabled')).status).toBe(204)
  expect((await person.ask('GET /api/projects/desk')).status).toBe(401)
  const reader = stream.body!.getReader()
  while (!(await reader.read()).done);
  expect((await signIn(person)).status).toBe(401)
  const taken = await harness.stranger().ask('POST /api/links/password', { token, password: 'another long sentence' })
  expect(taken.status).toBe(404)
  const { accounts } = (await owner.ask('GET /api/accounts')).json as { accounts: { user: string }[] }
  expect(accounts.find(({ user }) => user === person.id)).toMatchObject({ isDisabled: true, seenAt: null, projects: 1 })
  expect((await state(owner, person.id, 'active')).status).toBe(204)
  // The session from before is gone for good.
  expect((await person.ask('GET /api/projects/desk')).status).toBe(401)
  expect((await signIn(person)).status).toBe(200)
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
