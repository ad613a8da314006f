// Deadlines: a campaign closes by itself when its time has come, once, as if a lead had closed it; a lead can move it before.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeOverdue } from '#store'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let annotator: Person
let campaign: string
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
const inHours = (hours: number) => new Date(Date.now() + 3_600_000 * hours).toISOString()
const stateOf = async () => (await owner.ask(`GET ${at()}`)).json as { state: string; deadline: string | null }
/** The time that was set comes while nobody looks. */
const pass = () =>
  harness.store.query("update campaigns set deadline = now() - interval '1 second' where id = $1", [campaign])
const closings = () =>
  harness.store.query<{ actor: string | null; detail: object }>(
    "select actor, detail from audit where action = 'campaign.state' and subject = $1 order by id",
    [campaign],
  )
const make = (over: object) =>
  owner.ask('POST /api/projects/desk/campaigns', { name: randomUUID(), dataset: 'pairs', overlap: 1, ...over })

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  annotator = await harness.join('desk', 'annotator', owner)
  const rows = [1, 2]
    .map((n) => `${JSON.stringify({ item: `p${n}`, prompt: 'Q', a: 'one', b: `two ${n}` })}\n`)
    .join('')
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', new TextEncoder().encode(rows))
})
afterAll(() => harness.close())

test('a deadline lies ahead; people at work see it, on their page and at home', async () => {
  const gone = await make({ deadline: inHours(-1) })
  expect([gone.status, gone.text]).toEqual([422, expect.stringContaining('deadline: expected a time to come')])
  const deadline = inHours(30)
  campaign = ((await make({ deadline })).json as { id: string }).id
  const work = await annotator.ask(`POST ${at('/claim')}`)
  expect(work.json).toMatchObject({ campaign: { deadline } })
  const { waiting } = (await annotator.ask('GET /api/projects/desk')).json as { waiting: { dueAt?: string }[] }
  expect(waiting.map(({ dueAt }) => dueAt)).toEqual([deadline])
  const moved = inHours(50)
  expect((await annotator.ask(`PUT ${at('/deadline')}`, { deadline: moved })).status).toBe(403)
  expect((await owner.ask(`PUT ${at('/deadline')}`, { deadline: inHours(-1) })).status).toBe(422)
  expect((await owner.ask(`PUT ${at('/deadline')}`, { deadline: moved })).status).toBe(204)
  expect(await stateOf()).toMatchObject({ state: 'open', deadline: moved })
  await owner.ask(`PUT ${at('/deadline')}`, { deadline: null })
  expect(await stateOf()).toMatchObject({ state: 'open', deadline: null })
})

test('when it has passed the campaign is closed by nobody; a late answer is kept and does not count', async () => {
  await annotator.ask(`PUT ${at('/guideline-read')}`)
  const { task } = (await annotator.ask(`POST ${at('/claim')}`)).json as { task: { id: string } }
  await pass()
  await expect.poll(async () => (await stateOf()).state, { timeout: 30_000 }).toBe('closed')
  expect(await closings()).toMatchObject([{ actor: null, detail: { from: 'open', to: 'closed' } }])
  const body = { key: randomUUID(), choice: 'tie', activeSeconds: 2 }
  const late = await annotator.ask(`POST ${at(`/items/${task.id}/judgement`)}`, body)
  expect([late.status, late.text]).toEqual([409, expect.stringContaining('closed; your answer is kept')])
  // To open it again is to say until when.
  const opened = await owner.ask(`PUT ${at('/state')}`, { state: 'open' })
  expect([opened.status, opened.text]).toEqual([422, expect.stringContaining('its deadline has passed')])
  await owner.ask(`PUT ${at('/deadline')}`, { deadline: inHours(1) })
  expect((await owner.ask(`PUT ${at('/state')}`, { state: 'open' })).status).toBe(204)
  expect((await annotator.ask(`POST ${at(`/items/${task.id}/judgement`)}`, body)).status).toBe(200)
})

test('however many look at once, it is closed once; a paused one closes too, a closed one stays as it is', async () => {
  campaign = ((await make({ deadline: inHours(1) })).json as { id: string }).id
  await owner.ask(`PUT ${at('/state')}`, { state: 'paused' })
  await pass()
  const closed = await Promise.all(Array.from({ length: 8 }, () => closeOverdue(harness.store)))
  // The server's own clock may have been there first.
  expect(closed.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(1)
  await expect.poll(async () => (await closings()).length, { timeout: 30_000 }).toBe(2)
  expect((await closings())[1]).toMatchObject({ actor: null, detail: { from: 'paused', to: 'closed' } })
  expect(await closeOverdue(harness.store)).toBe(0)
  expect(harness.defects).toEqual([])
})
