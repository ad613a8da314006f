// Demonstrations over the API: written from an empty box or over a drafted answer, reviewed by somebody else, sent back and
// written anew, fixed, kept as rows that fine-tuning reads, each of which leads back to what was submitted.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findVersion, versionRows } from '#data'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let writer: Person
let other: Person
let reviewer: Person
let campaign: string
const PROMPTS = 4
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Writing = {
  task: {
    id: string
    prompt: string
    drafted: string | null
    draft: string | null
    returned: { completion: string; reason: string } | null
  } | null
  written: number
  mine: { id: string; state: string; reason: string }[]
}
type Reviewing = {
  waiting: number
  next: {
    id: string
    completion: string
    drafted: string | null
    editedWords: number | null
    before: { reason: string } | null
  } | null
}
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/demonstrations/claim')}`)).json as Writing
const reviewBy = async (person: Person) => (await person.ask(`GET ${at('/review')}`)).json as Reviewing
const write = (person: Person, item: string, text: string, key = randomUUID()) =>
  person.ask(`POST ${at(`/items/${item}/demonstration`)}`, { key, text, activeSeconds: 30 })
const decide = (person: Person, id: string, body: object) => person.ask(`POST ${at(`/submissions/${id}/review`)}`, body)
const asFile = (rows: unknown[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
const stateOf = async (id: string) =>
  (await harness.store.query<{ state: string }>('select state from submissions where id = $1', [id]))[0]?.state
const counts = () =>
  harness.store.query<{ item: string; wanted: number; judged: number; claimed: number }>(
    'select item, wanted, judged, claimed from items where campaign_id = $1 order by item',
    [campaign],
  )

async function open(over: object): Promise<void> {
  const body = { kind: 'demonstrations', name: randomUUID(), dataset: 'asked', overlap: 1, seed: 2, ...over }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  expect(made.status, made.text).toBe(200)
  campaign = (made.json as { id: string }).id
  for (const person of [writer, other, reviewer]) await person.ask(`PUT ${at('/guideline-read')}`)
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  writer = await harness.join('desk', 'annotator', owner)
  other = await harness.join('desk', 'annotator', owner)
  reviewer = await harness.join('desk', 'reviewer', owner)
  const prompts = Array.from({ length: PROMPTS }, (_, i) => ({
    prompt: `Q${i}`,
    stratum: i % 2 ? 'late' : 'lost',
    group: `g${i}`,
  }))
  await owner.ask('POST /api/projects/desk/datasets/asked?kind=prompts', asFile(prompts))
  const drafts = prompts.map((row) => ({ ...row, completion: `The parcel of ${row.prompt} comes on Monday.` }))
  await owner.ask('POST /api/projects/desk/datasets/drafted?kind=demonstrations', asFile(drafts))
})
afterAll(() => harness.close())

test('a campaign of another kind refuses what only pairs have, and the endpoints of pairs refuse it', async () => {
  const body = { kind: 'demonstrations', name: 'Wrong', dataset: 'asked', overlap: 1, seed: 2 }
  for (const [over, says] of [
    [{ criteria: ['fact'] }, 'criteria'],
    [{ adaptive: { threshold: 0.9, cap: 3 } }, 'adaptive'],
    [{ goldRate: 0.2 }, 'goldRate'],
    [{ tokensBy: 'nobody' }, 'no language model nobody'],
    [{ kind: 'pairs' }, 'expected comparisons, got prompts'],
    [{ kind: 'pairs', tokensBy: 'base' }, 'dataset'],
  ] as const) {
    const { status, text } = await owner.ask('POST /api/projects/desk/campaigns', { ...body, ...over })
    expect([status, text], JSON.stringify(over)).toEqual([422, expect.stringContaining(says)])
  }
  await open({})
  const { task } = await claimBy(writer)
  for (const [path, given] of [
    ['/claim', undefined],
    [`/items/${task!.id}/judgement`, { key: randomUUID(), choice: 'tie', activeSeconds: 1 }],
    [`/items/${task!.id}/skip`, { reason: '' }],
  ] as const)
    expect((await writer.ask(`POST ${at(path)}`, given)).status, path).toBe(422)
  expect((await owner.ask(`PUT ${at(`/items/${task!.id}/gold`)}`, { better: 'a', note: 'x' })).status).toBe(422)
})

test('from an empty box: the draft is kept and counted in tokens, what is submitted counts once and waits for another', async () => {
  await open({})
  expect((await owner.ask(`GET ${at('/review')}`)).json).toMatchObject({ waiting: 0, next: null })
  const { task } = await claimBy(writer)
  expect(task).toMatchObject({ drafted: null, draft: null, activeSeconds: null, returned: null })
  const draft = `PUT ${at(`/items/${task!.id}/demonstration`)}`
  const short = (await writer.ask(draft, { text: 'Your parcel' })).json as { tokens: number }
  const longer = { text: 'Your parcel arrives on Friday.\n\n  Sorry!', activeSeconds: 41.5 }
  const long = (await writer.ask(draft, longer)).json as { tokens: number }
  expect(short.tokens).toBeGreaterThan(0)
  expect(long.tokens).toBeGreaterThan(short.tokens)
  expect((await claimBy(writer)).task).toMatchObject({ draft: longer.text, activeSeconds: 41.5 })
  expect((await writer.ask(draft, { ...longer, activeSeconds: -1 })).status).toBe(422)
  expect((await write(writer, task!.id, '  \n ')).status).toBe(422)

  const key = randomUUID()
  const text = ' Your parcel arrives on Friday. '
  const [sent, again] = await Promise.all([write(writer, task!.id, text, key), write(writer, task!.id, text, key)])
  expect([sent.status, again.status]).toEqual([200, 200])
  const next = await claimBy(writer)
  expect(next.task!.id).not.toBe(task!.id)
  expect(next.mine).toHaveLength(1)
  // Of two answers to one prompt the first stands.
  const stale = await write(writer, task!.id, 'Another.')
  expect([stale.status, stale.text]).toEqual([409, expect.stringContaining('already')])
  const late = await write(other, task!.id, 'Mine.')
  expect([late.status, late.text]).toEqual([409, expect.stringContaining('others have')])
  const own = await owner.ask(`GET ${at('/review')}`)
  expect(own.json).toMatchObject({ waiting: 1, next: { completion: text, drafted: null, editedWords: null } })
  expect(own.text).not.toContain(writer.email)
  expect(own.text).not.toMatch(/"user"|"by"|annotator/)
  expect((await writer.ask(`GET ${at('/review')}`)).status).toBe(403)
})

test('nobody reviews what they wrote; two reviewers at once, and one word stands', async () => {
  await open({})
  const { task } = await claimBy(reviewer)
  await write(reviewer, task!.id, 'By the reviewer.')
  expect(await reviewBy(reviewer)).toMatchObject({ waiting: 0, next: null })
  const { next } = await reviewBy(owner)
  const own = await decide(reviewer, next!.id, { outcome: 'accepted' })
  expect([own.status, own.text]).toEqual([422, expect.stringContaining('yourself')])
  const lead = await harness.join('desk', 'lead', owner)
  const both = await Promise.all([
    decide(owner, next!.id, { outcome: 'accepted' }),
    decide(lead, next!.id, { outcome: 'returned', reason: 'no' }),
  ])
  expect(both.map(({ status }) => status).sort((x, y) => x - y)).toEqual([200, 409])
  expect(await harness.store.query('select 1 from reviews where submission_id = $1', [next!.id])).toHaveLength(1)
})

test('sent back it comes first to its author, with the reason; written anew it waits again, and the chain is kept', async () => {
  await open({ dataset: 'drafted' })
  const first = await claimBy(writer)
  const { id, drafted } = first.task!
  expect(drafted).toMatch(/comes on Monday\.$/)
  await write(writer, id, drafted!.replace('Monday', 'Friday, surely'))
  const { next } = await reviewBy(reviewer)
  // One word out, two in.
  expect(next).toMatchObject({ drafted, editedWords: 3 })
  for (const [body, field] of [
    [{ outcome: 'returned' }, 'reason'],
    [{ outcome: 'fixed' }, 'text'],
    [{ outcome: 'accepted', text: 'x' }, 'text'],
    [{ outcome: 'fixed', text: next!.completion }, 'nothing was changed'],
  ] as const) {
    const { status, text } = await decide(reviewer, next!.id, body)
    expect([status, text], JSON.stringify(body)).toEqual([422, expect.stringContaining(field)])
  }
  const back = await decide(reviewer, next!.id, { outcome: 'returned', reason: 'Promise no day.' })
  expect(back.json).toMatchObject({ waiting: 0, next: null })
  const again = await claimBy(writer)
  expect(again.task).toMatchObject({ id, returned: { reason: 'Promise no day.', completion: next!.completion } })
  expect((await owner.ask('GET /api/projects/desk')).text).not.toContain('sent back to you')
  expect((await writer.ask('GET /api/projects/desk')).text).toContain('sent back to you')
  // The place stays the author's.
  expect((await claimBy(other)).task!.id).not.toBe(id)
  expect((await write(writer, id, 'It is on its way.')).status).toBe(200)
  const second = await reviewBy(reviewer)
  expect(second.next).toMatchObject({ completion: 'It is on its way.', before: { reason: 'Promise no day.' } })
  expect([await stateOf(next!.id), await stateOf(second.next!.id)]).toEqual(['replaced', 'waiting'])
  await decide(reviewer, second.next!.id, { outcome: 'fixed', text: 'It is on its way. Warmly, Larkspur.' })
  const shown = await owner.ask(`GET /api/projects/desk/submissions/${second.next!.id}`)
  expect(shown.json).toMatchObject({
    state: 'accepted',
    drafted,
    completion: 'It is on its way.',
    fixed: 'It is on its way. Warmly, Larkspur.',
    review: { outcome: 'fixed', editedWords: 2 },
    earlier: [{ reason: 'Promise no day.', completion: next!.completion }],
  })
  expect((await writer.ask(`GET /api/projects/desk/submissions/${second.next!.id}`)).status).toBe(403)
})

test('given up after it was sent back, the prompt goes to others', async () => {
  await open({})
  const { task } = await claimBy(writer)
  await write(writer, task!.id, 'Too short.')
  const { next } = await reviewBy(reviewer)
  await decide(reviewer, next!.id, { outcome: 'returned', reason: 'More.' })
  await writer.ask(`POST ${at(`/items/${task!.id}/demonstration-skip`)}`, { reason: '' })
  expect(await stateOf(next!.id)).toBe('given-up')
  const met: string[] = []
  for (let work = await claimBy(other); work.task; work = await claimBy(other)) {
    met.push(work.task.id)
    await write(other, work.task.id, `An answer to ${work.task.prompt}.`)
  }
  expect(met).toContain(task!.id)
  for (const { wanted, judged, claimed } of await counts()) expect(judged + claimed).toBeLessThanOrEqual(wanted)
})

test('what is accepted becomes rows with prompt, stratum and group, named by submission; lineage leads back to it', async () => {
  await open({ dataset: 'drafted' })
  for (let work = await claimBy(writer); work.task; work = await claimBy(writer))
    await write(writer, work.task.id, `${work.task.drafted!} Warmly, Larkspur.`)
  const empty = await owner.ask(`POST ${at('/demonstrations')}`, { dataset: 'written' })
  expect([empty.status, empty.text]).toEqual([422, expect.stringContaining('nothing is accepted')])
  const ids: string[] = []
  for (let i = 0; ; i++) {
    const { next } = await reviewBy(reviewer)
    if (!next) break
    if (i === 0) await decide(reviewer, next.id, { outcome: 'returned', reason: 'No.' })
    else {
      ids.push(next.id)
      const fixed = { outcome: 'fixed', text: next.completion.replace('Warmly', 'Kindly') }
      await decide(reviewer, next.id, i === 1 ? fixed : { outcome: 'accepted' })
    }
  }
  expect(ids).toHaveLength(PROMPTS - 1)
  const kept = await owner.ask(`POST ${at('/demonstrations')}`, { dataset: 'written' })
  expect(kept.json).toMatchObject({ name: 'written', rows: PROMPTS - 1, isNew: true })
  const version = findVersion(harness.workspace, 'written')
  expect(version.parents).toEqual([findVersion(harness.workspace, 'drafted').version])
  const rows = [...versionRows(harness.workspace, { ...version, kind: 'demonstrations' as const })]
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(ids))
  for (const { prompt, group, stratum, author, reviewer: by, original, editedWords, guideline } of rows) {
    const i = Number((prompt as string).slice(1))
    expect([group, stratum]).toEqual([`g${i}`, i % 2 ? 'late' : 'lost'])
    expect([original, editedWords]).toEqual([`The parcel of Q${i} comes on Monday.`, 2])
    expect(author).toMatch(/^person-/)
    expect(by).not.toBe(author)
    expect(guideline).toMatch(/^guideline@/)
  }
  const fixed = rows.filter(({ completion }) => completion.includes('Kindly'))
  expect(fixed.map(({ written }) => written?.includes('Warmly'))).toEqual([true])
  const walked = await owner.ask(`GET /api/projects/desk/lineage/walk?id=${ids[0]!}`)
  expect(walked.json).toMatchObject({ target: { kind: 'demonstration' } })
  const { nodes } = walked.json as { nodes: { kind: string; way: string }[] }
  expect(nodes.filter(({ way }) => way === 'up').map(({ kind }) => kind)).toContain('guideline')
  expect(nodes.filter(({ way }) => way === 'down').map(({ kind }) => kind)).toContain('dataset')
  // What was not accepted is found by its id too.
  const [back] = await harness.store.query<{ id: string }>(
    "select id from submissions where state = 'returned' limit 1",
  )
  expect((await owner.ask(`GET /api/projects/desk/lineage/walk?id=${back!.id}`)).json).toMatchObject({
    target: { kind: 'demonstration' },
  })
})

test('16 people write at once: every prompt gets what it wants and no more; closed, an answer is kept and does not count', async () => {
  await open({ overlap: 2 })
  const crowd = await Promise.all(Array.from({ length: 8 }, () => harness.join('desk', 'annotator', owner)))
  await Promise.all(
    crowd.map(async (person) => {
      await person.ask(`PUT ${at('/guideline-read')}`)
      for (let work = await claimBy(person); work.task; work = await claimBy(person))
        expect([200, 409]).toContain((await write(person, work.task.id, `By ${person.id}`)).status)
    }),
  )
  expect((await counts()).map(({ judged, claimed }) => [judged, claimed])).toEqual(
    Array.from({ length: PROMPTS }, () => [2, 0]),
  )
  const [row] = await harness.store.query<{ n: number; pairs: number }>(
    `select count(*)::int as n, count(distinct (item_id, user_id))::int as pairs from submissions join items on items.id = item_id
     where campaign_id = $1 and state = 'waiting'`,
    [campaign],
  )
  expect(row).toEqual({ n: 2 * PROMPTS, pairs: 2 * PROMPTS })

  await open({})
  const { task } = await claimBy(writer)
  await owner.ask(`PUT ${at('/state')}`, { state: 'closed' })
  const key = randomUUID()
  const refused = await write(writer, task!.id, 'Late.', key)
  expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('closed; your answer is kept')])
  await owner.ask(`PUT ${at('/state')}`, { state: 'open' })
  expect((await write(writer, task!.id, 'Late.', key)).status).toBe(200)
  expect(harness.defects).toEqual([])
})
