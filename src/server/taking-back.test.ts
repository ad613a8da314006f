// What an author takes back: a demonstration that nobody has reviewed. It stays in the history, and counts once it is given anew.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

const PROMPTS = 12
let harness: Harness
let owner: Person
let writer: Person
let reviewer: Person
let campaign: string
type Mine = { id: string; state: string }
type Writing = {
  task: { id: string; draft: string | null; returned: { completion: string } | null } | null
  written: number
  mine: Mine[]
}
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/demonstrations/claim')}`)).json as Writing
const write = async (person: Person, item: string, text: string) => {
  const body = { key: randomUUID(), text, activeSeconds: 30 }
  return (await person.ask(`POST ${at(`/items/${item}/demonstration`)}`, body)).json as Writing
}
const undo = (person: Person, submission: string) => person.ask(`POST ${at(`/submissions/${submission}/undo`)}`)
const review = (id: string, body: object) => reviewer.ask(`POST ${at(`/submissions/${id}/review`)}`, body)
const counts = () =>
  harness.store.query<{ judged: number; claimed: number }>(
    'select judged, claimed from items where campaign_id = $1 order by judged desc, claimed desc',
    [campaign],
  )
const history = () =>
  harness.store.query<{ completion: string; state: string }>(
    `select completion, s.state from submissions as s join items on items.id = item_id where campaign_id = $1
     order by submitted_at`,
    [campaign],
  )

async function open(): Promise<void> {
  const body = { kind: 'demonstrations', name: randomUUID(), dataset: 'asked', overlap: 1 }
  campaign = ((await owner.ask('POST /api/projects/desk/campaigns', body)).json as { id: string }).id
  for (const person of [writer, reviewer]) await person.ask(`PUT ${at('/guideline-read')}`)
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  writer = await harness.join('desk', 'annotator', owner)
  reviewer = await harness.join('desk', 'reviewer', owner)
  const rows = Array.from({ length: PROMPTS }, (_, i) => `{"prompt": "Q${i}"}\n`).join('')
  await owner.ask('POST /api/projects/desk/datasets/asked?kind=prompts', new TextEncoder().encode(rows))
})
afterAll(() => harness.close())

test('the prompt is its author’s again, with the words as draft, and what was at hand is given back', async () => {
  await open()
  const { task } = await claimBy(writer)
  const next = await write(writer, task!.id, 'Too soon.')
  expect(next.task!.id).not.toBe(task!.id)
  const taken = await undo(writer, next.mine[0]!.id)
  expect(taken.json).toMatchObject({ task: { id: task!.id, draft: 'Too soon.', returned: null }, written: 0 })
  expect((taken.json as Writing).mine).toMatchObject([{ state: 'undone' }])
  expect((await counts()).filter(({ judged, claimed }) => judged + claimed > 0)).toEqual([{ judged: 0, claimed: 1 }])
  expect((await reviewer.ask(`GET ${at('/review')}`)).json).toMatchObject({ waiting: 0, next: null })
  await write(writer, task!.id, 'Better so.')
  expect(await history()).toEqual([
    { completion: 'Too soon.', state: 'undone' },
    { completion: 'Better so.', state: 'waiting' },
  ])
  const page = await owner.ask(`GET ${at('/demonstrations')}`)
  expect(page.json).toMatchObject({ waiting: 1, people: [{ written: 1 }] })
  expect((await owner.ask('GET /api/projects/desk/audit')).text).toContain('demonstration.undo')
})

test('what was reviewed stays, and so does what is somebody else’s, or of a closed campaign', async () => {
  await open()
  const { task } = await claimBy(writer)
  const { mine } = await write(writer, task!.id, 'Fine.')
  const id = mine[0]!.id
  expect((await undo(reviewer, id)).status).toBe(404)
  await owner.ask(`PUT ${at('/state')}`, { state: 'closed' })
  expect((await undo(writer, id)).status).toBe(422)
  await owner.ask(`PUT ${at('/state')}`, { state: 'open' })
  await review(id, { outcome: 'accepted' })
  const late = await undo(writer, id)
  expect([late.status, late.text]).toEqual([409, expect.stringContaining('until somebody has reviewed')])
  expect(await history()).toEqual([{ completion: 'Fine.', state: 'accepted' }])
})

test('a second try that is taken back is sent back as before, and can be tried again', async () => {
  await open()
  const { task } = await claimBy(writer)
  const first = (await write(writer, task!.id, 'No.')).mine[0]!.id
  await review(first, { outcome: 'returned', reason: 'More.' })
  const second = (await write(writer, task!.id, 'Not yet.')).mine[0]!.id
  const taken = (await undo(writer, second)).json as Writing
  expect(taken.task).toMatchObject({ id: task!.id, draft: 'Not yet.', returned: { completion: 'No.' } })
  expect((await counts())[0]).toEqual({ judged: 1, claimed: 0 })
  const third = (await write(writer, task!.id, 'Yes, with all that is asked.')).mine[0]!.id
  expect((await history()).map(({ state }) => state)).toEqual(['replaced', 'undone', 'waiting'])
  const shown = await owner.ask(`GET /api/projects/desk/submissions/${third}`)
  expect(shown.json).toMatchObject({ earlier: [{ completion: 'No.', reason: 'More.' }] })
})

test('ten can be taken back and no more; taken back and reviewed at once, one of the two holds', async () => {
  await open()
  const ids: string[] = []
  for (let work = await claimBy(writer); work.task; ) {
    work = await write(writer, work.task.id, 'An answer.')
    ids.push(work.mine[0]!.id)
  }
  expect(ids).toHaveLength(PROMPTS)
  expect((await undo(writer, ids[1]!)).status).toBe(409)
  for (const id of ids.slice(2)) {
    const both = await Promise.all([undo(writer, id), review(id, { outcome: 'accepted' })])
    expect(both.map(({ status }) => status).sort((x, y) => x - y)).toEqual([200, 409])
  }
  for (const { judged, claimed } of await counts()) expect(judged + claimed).toBeLessThanOrEqual(1)
  expect(harness.defects).toEqual([])
})
