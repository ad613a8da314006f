// What an author takes back: a demonstration that nobody has reviewed; and what a reviewer takes back: a review that nothing was
// made of. Both stay in the history, and count once they are given anew.
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

type Reviewing = {
  waiting: number
  next: { id: string; own: { completion: string | null; reason: string } | null } | null
  mine: { submission: string; outcome: string }[]
}
const undoReview = (person: Person, id: string) => person.ask(`POST ${at(`/submissions/${id}/review-undo`)}`)
const reviewsOf = (id: string) =>
  harness.store.query<{ outcome: string; undone: boolean }>(
    'select outcome, undone_at is not null as undone from reviews where submission_id = $1 order by reviewed_at',
    [id],
  )
const writeOne = async (text: string) => {
  const { task } = await claimBy(writer)
  return (await write(writer, task!.id, text)).mine[0]!.id
}

test('a review that is taken back stays in the history, the answer waits again with what was said, and the next word holds', async () => {
  await open()
  await writeOne('Another one.')
  const id = await writeOne('It comes on Monday.')
  await review(id, { outcome: 'fixed', text: 'It comes on Friday.', reason: 'No Mondays.' })
  const taken = await undoReview(reviewer, id)
  expect(taken.json).toMatchObject({
    waiting: 2,
    next: { id, own: { completion: 'It comes on Friday.', reason: 'No Mondays.' } },
    mine: [],
  })
  expect(await history()).toMatchObject([{ state: 'waiting' }, { state: 'waiting' }])
  // Another reviewer is not told.
  const lead = await harness.join('desk', 'lead', owner)
  const others = (await lead.ask(`GET ${at('/review')}`)).text
  expect(others).not.toContain('Mondays')
  await review(id, { outcome: 'returned', reason: 'Say when.' })
  expect(await reviewsOf(id)).toEqual([
    { outcome: 'fixed', undone: true },
    { outcome: 'returned', undone: false },
  ])
  const shown = await owner.ask(`GET /api/projects/desk/submissions/${id}`)
  expect(shown.json).toMatchObject({
    state: 'returned',
    fixed: null,
    review: { outcome: 'returned' },
    takenBack: [{ outcome: 'fixed', fixed: 'It comes on Friday.', reason: 'No Mondays.' }],
  })
  const page = await owner.ask(`GET ${at('/demonstrations')}`)
  expect(page.json).toMatchObject({ waiting: 1, accepted: 0, returned: 1, fixed: 0 })
  expect((await claimBy(writer)).task!.returned).toMatchObject({
    completion: 'It comes on Monday.',
    reason: 'Say when.',
  })
  expect((await owner.ask('GET /api/projects/desk/audit')).text).toContain('demonstration.review-undo')
})

test('a review stays that is another’s, or was taken back, or its author answered, or a dataset version was made of', async () => {
  await open()
  const id = await writeOne('Fine.')
  await review(id, { outcome: 'accepted' })
  expect((await undoReview(writer, id)).status).toBe(403)
  expect((await undoReview(owner, id)).status).toBe(409)
  await owner.ask(`PUT ${at('/state')}`, { state: 'closed' })
  expect((await undoReview(reviewer, id)).status).toBe(422)
  await owner.ask(`PUT ${at('/state')}`, { state: 'open' })
  const both = await Promise.all([undoReview(reviewer, id), undoReview(reviewer, id)])
  expect(both.map(({ status }) => status).sort((x, y) => x - y)).toEqual([200, 409])

  await review(id, { outcome: 'accepted' })
  await owner.ask(`POST ${at('/demonstrations')}`, { dataset: 'kept' })
  const kept = await undoReview(reviewer, id)
  expect([kept.status, kept.text]).toEqual([409, expect.stringMatching(/kept@\w+ holds this demonstration already/)])

  const second = await writeOne('Too short.')
  await review(second, { outcome: 'returned', reason: 'More.' })
  const { task } = await claimBy(writer)
  await write(writer, task!.id, 'Long enough, and kind.')
  const replaced = await undoReview(reviewer, second)
  expect([replaced.status, replaced.text]).toEqual([409, expect.stringContaining('has written it anew since')])

  const third = await writeOne('No.')
  await review(third, { outcome: 'returned', reason: 'More.' })
  const back = await claimBy(writer)
  await writer.ask(`POST ${at(`/items/${back.task!.id}/demonstration-skip`)}`, { reason: '' })
  const left = await undoReview(reviewer, third)
  expect([left.status, left.text]).toEqual([409, expect.stringContaining('has left the prompt to others')])
  expect((await reviewsOf(third)).map(({ undone }) => undone)).toEqual([false])
})

test('sent anew and taken back at once, one of the two holds; kept and taken back at once, what is kept was accepted', async () => {
  await open()
  for (let i = 0; i < 5; i++) {
    const id = await writeOne(`Try ${i}.`)
    await review(id, { outcome: 'returned', reason: 'More.' })
    const { task } = await claimBy(writer)
    const body = { key: randomUUID(), text: `Try ${i}, longer.`, activeSeconds: 3 }
    const [anew, taken] = await Promise.all([
      writer.ask(`POST ${at(`/items/${task!.id}/demonstration`)}`, body),
      undoReview(reviewer, id),
    ])
    expect([anew.status, taken.status].sort((x, y) => x - y)).toEqual([200, 409])
  }
  const ids: string[] = []
  for (;;) {
    const { next } = (await reviewer.ask(`GET ${at('/review')}`)).json as Reviewing
    if (!next) break
    ids.push(next.id)
    await review(next.id, { outcome: 'accepted' })
  }
  const [kept, ...taken] = await Promise.all([
    owner.ask(`POST ${at('/demonstrations')}`, { dataset: 'raced' }),
    ...ids.map((id) => undoReview(reviewer, id)),
  ])
  const undone = taken.filter(({ status }) => status === 200).length
  const rows = kept.status === 200 ? (kept.json as { rows: number }).rows : 0
  expect(rows + undone).toBe(ids.length)
  expect(harness.defects).toEqual([])
})
