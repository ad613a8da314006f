// What becomes of what is skipped, by the campaign's policy: to others, back when nothing else is left, or to nobody more.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let ann: Person
let bob: Person
const rows = Array.from({ length: 3 }, (_, i) => ({ item: `p${i}`, prompt: `Q${i}`, a: `a${i}`, b: `b${i}` }))
const asFile = (all: unknown[]) => new TextEncoder().encode(all.map((row) => `${JSON.stringify(row)}\n`).join(''))
type Work = { task: { id: string } | null; wanted: number; judged: number; campaign: { skipPolicy: string } }

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  ann = await harness.join('desk', 'annotator', owner)
  bob = await harness.join('desk', 'annotator', owner)
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', asFile(rows))
})
afterAll(() => harness.close())

async function open(skipPolicy: string | undefined, over: object = {}) {
  const body = { name: randomUUID(), dataset: 'pairs', overlap: 1, seed: 2, ...(skipPolicy && { skipPolicy }), ...over }
  const { id } = (await owner.ask('POST /api/projects/desk/campaigns', body)).json as { id: string }
  const at = (path = '') => `/api/projects/desk/campaigns/${id}${path}`
  for (const person of [ann, bob]) await person.ask(`PUT ${at('/guideline-read')}`)
  return {
    claim: async (person: Person) => (await person.ask(`POST ${at('/claim')}`)).json as Work,
    skip: (person: Person, item: string, reason = '') => person.ask(`POST ${at(`/items/${item}/skip`)}`, { reason }),
    judge: (person: Person, item: string) =>
      person.ask(`POST ${at(`/items/${item}/judgement`)}`, {
        key: randomUUID(),
        choice: 'tie',
        activeSeconds: 1,
      }),
    look: async () =>
      (await owner.ask(`GET ${at()}`)).json as {
        wanted: number
        judged: number
        dropped: number
        skipPolicy: string
        skips: { reason: string; times: number }[]
      },
    toDo: async (person: Person) => {
      const { waiting } = (await person.ask('GET /api/projects/desk')).json as {
        waiting: { campaign?: string; isMine: boolean; count: number }[]
      }
      return waiting.find(({ campaign, isMine }) => isMine && campaign === id)?.count ?? 0
    },
  }
}

test('to others, unless said otherwise: it does not come back, and somebody else gets it', async () => {
  const { claim, skip, judge, look } = await open(undefined)
  const first = (await claim(ann)).task!
  expect((await look()).skipPolicy).toBe('to-others')
  await skip(ann, first.id, 'not my field')
  for (let task = (await claim(ann)).task; task; task = (await claim(ann)).task) {
    expect(task.id).not.toBe(first.id)
    await judge(ann, task.id)
  }
  expect((await claim(bob)).task!.id).toBe(first.id)
  expect(await look()).toMatchObject({
    wanted: 3,
    judged: 2,
    dropped: 0,
    skips: [{ reason: 'not my field', times: 1 }],
  })
})

test('back to me: what I skipped comes when nothing else is left, longest ago first, and others may have it before', async () => {
  const { claim, skip, judge, toDo } = await open('back-to-me')
  const skipped: string[] = []
  for (let i = 0; i < rows.length; i++) {
    const { task, campaign } = await claim(ann)
    expect(campaign.skipPolicy).toBe('back-to-me')
    expect(skipped).not.toContain(task!.id)
    await skip(ann, task!.id)
    skipped.push(task!.id)
  }
  expect(await toDo(ann)).toBe(3)
  expect((await claim(ann)).task!.id).toBe(skipped[0])
  // Once more, and it stands behind the others.
  await skip(ann, skipped[0]!)
  expect((await claim(ann)).task!.id).toBe(skipped[1])
  // While I have that one, somebody else gets another.
  const theirs = (await claim(bob)).task!.id
  expect([skipped[0], skipped[2]]).toContain(theirs)
  await judge(ann, skipped[1]!)
  const last = (await claim(ann)).task!.id
  expect(new Set([theirs, skipped[1], last])).toEqual(new Set(skipped))
  await judge(ann, last)
  await judge(bob, theirs)
  for (const person of [ann, bob]) expect((await claim(person)).task).toBeNull()
})

test('drop: nobody more is asked, what was answered stays, and it is wanted no more', async () => {
  const { claim, skip, judge, look, toDo } = await open('drop', { overlap: 2 })
  const first = (await claim(ann)).task!
  // Somebody at work on it may finish.
  expect((await claim(bob)).task!.id).toBe(first.id)
  await skip(ann, first.id, 'broken')
  expect(await look()).toMatchObject({ wanted: 4, judged: 0, dropped: 1 })
  expect((await judge(bob, first.id)).status).toBe(200)
  expect(await look()).toMatchObject({ wanted: 5, judged: 1, dropped: 1 })
  const late = await harness.join('desk', 'annotator', owner)
  expect(await toDo(late)).toBe(2)
  // Who was not given an item drops nothing.
  const other = (await claim(ann)).task!
  await skip(late, other.id)
  expect((await look()).dropped).toBe(1)
  for (const person of [ann, bob])
    for (let task = (await claim(person)).task; task; task = (await claim(person)).task) await judge(person, task.id)
  expect(await look()).toMatchObject({ wanted: 5, judged: 5 })
})

test('a claim that runs out on a dropped item puts it to nobody', async () => {
  const { claim, skip, look } = await open('drop', { overlap: 2 })
  const first = (await claim(ann)).task!
  await claim(bob)
  await skip(ann, first.id)
  await harness.store.query("update claims set expires_at = now() - interval '1 second' where item_id = $1", [first.id])
  for (let i = 0; i < 3; i++) {
    const { task } = await claim(bob)
    expect(task?.id).not.toBe(first.id)
    if (task) await skip(bob, task.id)
  }
  expect((await look()).dropped).toBe(3)
})

test('gold goes to others whatever the policy is, and in a calibration round nothing is dropped', async () => {
  await owner.ask(
    'POST /api/projects/desk/datasets/mixed?kind=comparisons',
    asFile([...rows, { item: 'g', prompt: 'G', a: 'x', b: 'y', gold: 'a' }]),
  )
  const { claim, skip, look } = await open('drop', { dataset: 'mixed', goldRate: 0.5 })
  for (let task = (await claim(ann)).task; task; task = (await claim(ann)).task) await skip(ann, task.id)
  expect((await look()).dropped).toBe(3)
  const { status, text } = await owner.ask('POST /api/projects/desk/campaigns', {
    name: 'Round',
    dataset: 'pairs',
    overlap: 1,
    isCalibration: true,
    skipPolicy: 'drop',
  })
  expect([status, text]).toEqual([422, expect.stringContaining('skipPolicy')])
})
