// Work that asks for an expertise goes to people who hold a credential of it, while it holds, and to nobody else.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let doctor: Person
let other: Person
let campaign: string
type Credential = { id: string; expertise: string; isExpired: boolean; proof: string }
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Work = { task: { id: string; prompt: string } | null }
const claim = async (person: Person) => ((await person.ask(`POST ${at('/claim')}`)).json as Work).task
const judge = (person: Person, item: string) =>
  person.ask(`POST ${at(`/items/${item}/judgement`)}`, { key: randomUUID(), choice: 'tie', activeSeconds: 2 })
const give = (body: object, person = doctor, by = owner) =>
  by.ask(`POST /api/projects/desk/people/${person.id}/credentials`, body)
const of = async (person: Person) => {
  const { people } = (await owner.ask('GET /api/projects/desk/people')).json as {
    people: { user: string; credentials: Credential[] }[]
  }
  return people.find(({ user }) => user === person.id)!.credentials
}
const waiting = async (person: Person) => {
  const { waiting: all } = (await person.ask('GET /api/projects/desk')).json as {
    waiting: { isMine: boolean; campaign: string; count: number }[]
  }
  return all.find((each) => each.isMine && each.campaign === campaign)?.count ?? 0
}

async function open(over: object): Promise<void> {
  const body = { name: randomUUID(), dataset: 'pairs', overlap: 2, ...over }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  expect(made.status, made.text).toBe(200)
  campaign = (made.json as { id: string }).id
  for (const person of [doctor, other]) await person.ask(`PUT ${at('/guideline-read')}`)
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  doctor = await harness.join('desk', 'annotator', owner)
  other = await harness.join('desk', 'annotator', owner)
  const asFile = (rows: object[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const rows = [0, 1, 2, 3].map((n) => ({
    item: `p${n}`,
    prompt: n < 2 ? `heart ${n}` : `parcel ${n}`,
    a: 'one',
    b: `two ${n}`,
    ...(n < 2 && { expertise: 'cardiology' }),
  }))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', asFile(rows))
  const wrong = [{ item: 'x', prompt: 'Q', a: 'one', b: 'two', expertise: 'The Heart!' }]
  await owner.ask('POST /api/projects/desk/datasets/wrong?kind=comparisons', asFile(wrong))
})
afterAll(() => harness.close())

test('a lead says what somebody knows, by which proof and until when; nobody says so of themselves', async () => {
  const body = { expertise: 'Cardiology', proof: 'licence 12', days: 30 }
  expect((await give(body, doctor, doctor)).status).toBe(403)
  expect((await give({ ...body, expertise: 'the heart' })).status).toBe(422)
  expect((await owner.ask(`POST /api/projects/desk/people/${randomUUID()}/credentials`, body)).status).toBe(404)
  expect((await give(body)).status).toBe(200)
  expect(await of(doctor)).toMatchObject([{ expertise: 'cardiology', proof: 'licence 12', isExpired: false }])
  expect(await of(other)).toEqual([])
  const refused = await owner.ask('POST /api/projects/desk/campaigns', { name: 'x', dataset: 'wrong', overlap: 1 })
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('expertise: expected a word')])
})

test('rows that ask for it are given to who holds it; others get the rest, cannot answer them, and count only theirs', async () => {
  await open({})
  expect([await waiting(doctor), await waiting(other)]).toEqual([4, 2])
  const met: string[] = []
  for (let task = await claim(other); task; task = await claim(other)) {
    met.push(task.prompt)
    expect((await judge(other, task.id)).status).toBe(200)
  }
  expect(met.sort()).toEqual(['parcel 2', 'parcel 3'])
  const [heart] = await harness.store.query<{ id: string }>(
    "select id::text as id from items where campaign_id = $1 and expertise = 'cardiology' limit 1",
    [campaign],
  )
  const refused = await judge(other, heart!.id)
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('an expertise')])
  const page = (await owner.ask(`GET ${at()}`)).json as { expertise: object[] }
  expect(page.expertise).toEqual([{ expertise: 'cardiology', items: 2, open: 2, people: 1 }])
  let count = 0
  for (let task = await claim(doctor); task; task = await claim(doctor)) {
    count++
    expect((await judge(doctor, task.id)).status).toBe(200)
  }
  expect(count).toBe(4)
})

test('a campaign asks for it as a whole; expired, nothing more is given, and what is in hand is not taken', async () => {
  await open({ expertise: 'cardiology' })
  expect(await claim(other)).toBeNull()
  const task = await claim(doctor)
  await harness.store.query("update credentials set expires_at = now() - interval '1 second'")
  expect(await of(doctor)).toMatchObject([{ isExpired: true }])
  expect((await judge(doctor, task!.id)).status).toBe(422)
  expect(await waiting(doctor)).toBe(0)
  const page = (await owner.ask(`GET ${at()}`)).json as { expertise: { people: number }[] }
  expect(page.expertise[0]!.people).toBe(0)
  // Said anew, they go on with what they had.
  await give({ expertise: 'cardiology' })
  expect((await judge(doctor, task!.id)).status).toBe(200)
})

test('taken back, what was claimed goes to others at once; the answers stay', async () => {
  const task = await claim(doctor)
  const held = (await of(doctor)).find(({ isExpired }) => !isExpired)!
  const end = (by: Person) => by.ask(`DELETE /api/projects/desk/people/${doctor.id}/credentials/${held.id}`)
  expect((await end(other)).status).toBe(403)
  expect((await end(owner)).status).toBe(204)
  expect((await end(owner)).status).toBe(404)
  const [row] = await harness.store.query<{ claimed: number }>('select claimed from items where id = $1', [task!.id])
  expect(row!.claimed).toBe(0)
  expect(await claim(doctor)).toBeNull()
  const [done] = await harness.store.query<{ n: number }>(
    "select count(*)::int as n from judgements join items on items.id = item_id where campaign_id = $1 and state = 'current'",
    [campaign],
  )
  expect(done!.n).toBe(1)
  const audited = (await owner.ask('GET /api/projects/desk/audit')).text
  for (const action of ['credential.give', 'credential.end']) expect(audited).toContain(action)
  expect(harness.defects).toEqual([])
})
