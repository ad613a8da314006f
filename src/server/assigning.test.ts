// Who does what, over the API: who may set it, what is refused by its field, what the audit log keeps, and that annotators are
// told by the next task alone.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let lead: Person
let people: Person[]
let campaign: string
const PAIRS = 8
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Work = { task: { id: string; prompt: string; left: string } | null }
type Sharing = {
  most: number | null
  fewest: number | null
  isManual: boolean
  people: { user: string; given: number; assigned: number; owed: number }[]
  slices: { stratum: string | null; items: number; open: number }[]
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  lead = await harness.join('desk', 'lead', owner)
  people = await Promise.all([1, 2, 3].map(() => harness.join('desk', 'annotator', owner)))
  const rows = Array.from({ length: PAIRS }, (_, i) => ({
    item: `pair-${i}`,
    prompt: `Q${i}`,
    a: `first ${i}`,
    b: `second ${i}`,
    ...(i < 3 && { stratum: 'late' }),
  }))
  const file = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
})
afterAll(() => harness.close())

async function open(over: object = {}) {
  const made = await lead.ask('POST /api/projects/desk/campaigns', {
    name: randomUUID(),
    dataset: 'pairs',
    overlap: 1,
    ...over,
  })
  campaign = (made.json as { id?: string }).id ?? ''
  for (const person of campaign ? people : []) await person.ask(`PUT ${at('/guideline-read')}`)
  return made
}
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/claim')}`)).json as Work
const judge = (person: Person, item: string) =>
  person.ask(`POST ${at(`/items/${item}/judgement`)}`, {
    key: randomUUID(),
    choice: 'left',
    strength: 1,
    activeSeconds: 1,
  })
async function judgeAll(person: Person): Promise<string[]> {
  const done: string[] = []
  for (let { task } = await claimBy(person); task; { task } = await claimBy(person)) {
    expect((await judge(person, task.id)).status).toBe(200)
    done.push(task.prompt)
  }
  return done
}
const sharing = async (person = owner) => (await person.ask(`GET ${at('/assignments')}`)).json as Sharing
const audited = async (action: string) =>
  (
    await harness.store.query<{ actor: string; detail: unknown }>(
      'select actor, detail from audit where action = $1 and subject = $2 order by id',
      [action, campaign],
    )
  ).map(({ actor, detail }) => ({ actor, detail }))

test('a limit holds of the work that is given out and of answers that come anyway', async () => {
  await open({ mostEach: 2 })
  const [one, two] = people as [Person, Person]
  expect((await claimBy(one)) as object).toMatchObject({ isAtLimit: false })
  expect(await judgeAll(one)).toHaveLength(2)
  expect((await claimBy(one)) as object).toMatchObject({ task: null, isAtLimit: true })
  const [free] = await harness.store.query<{ id: string }>(
    'select id::text as id from items where campaign_id = $1 and judged = 0 limit 1',
    [campaign],
  )
  const late = await judge(one, free!.id)
  expect([late.status, late.text]).toEqual([409, expect.stringContaining('all that one person may give')])
  const home = (await one.ask('GET /api/projects/desk/loop')).json
  expect(JSON.stringify(home ?? {})).not.toContain(campaign)
  expect(await judgeAll(two)).toHaveLength(2)
  expect(await sharing()).toMatchObject({ most: 2, fewest: 4, isManual: false })
  const limits = { mostEach: null, mostShare: 0.5, isManual: false }
  expect((await lead.ask(`PUT ${at('/limits')}`, limits)).status).toBe(204)
  expect(await judgeAll(one)).toHaveLength(2)
  expect(await sharing()).toMatchObject({ most: 4, fewest: 2 })
  expect(await audited('campaign.limits')).toEqual([
    { actor: lead.id, detail: { from: { mostEach: 2, mostShare: null, isManual: false }, to: limits } },
  ])
})

test('a lead assigns by name, by slice and dealt out; each gets theirs first, and who did what is told', async () => {
  await open({ isManual: true })
  const [one, two, three] = people as [Person, Person, Person]
  expect(await judgeAll(one)).toEqual([])
  const both = { people: [one.id, two.id], stratum: 'late', isDivided: true }
  const made = await lead.ask(`POST ${at('/assignments')}`, both)
  expect([made.status, made.json]).toEqual([
    200,
    {
      assigned: [
        { user: one.id, assigned: 2 },
        { user: two.id, assigned: 1 },
      ],
    },
  ])
  await lead.ask(`POST ${at('/assignments')}`, { people: [three.id], items: ['pair-6', 'pair-7'] })
  const [mine, theirs, last] = [await judgeAll(one), await judgeAll(two), await judgeAll(three)]
  expect([...mine, ...theirs].sort()).toEqual(['Q0', 'Q1', 'Q2'])
  expect(last.sort()).toEqual(['Q6', 'Q7'])
  await lead.ask(`POST ${at('/assignments')}`, { people: [three.id], stratum: null, first: 2 })
  const { people: shares, slices } = await sharing()
  expect(shares.find(({ user }) => user === three.id)).toMatchObject({ given: 2, assigned: 4, owed: 2 })
  expect(slices).toEqual([
    { stratum: null, items: 5, open: 3 },
    { stratum: 'late', items: 3, open: 0 },
  ])
  expect((await lead.ask(`DELETE ${at(`/people/${three.id}/assignments`)}`)).status).toBe(204)
  expect(await judgeAll(three)).toEqual([])
  expect(await audited('campaign.assign')).toHaveLength(3)
  expect((await audited('campaign.assign'))[0]).toEqual({
    actor: lead.id,
    detail: { assigned: (made.json as { assigned: unknown }).assigned, isDivided: true, stratum: 'late' },
  })
  expect(await audited('campaign.unassign')).toEqual([{ actor: lead.id, detail: { user: three.id, items: 2 } }])
})

test('what could not be, or would do nothing, is refused by its field', async () => {
  await open({ mostEach: 3 })
  const [one] = people as [Person]
  const viewer = await harness.join('desk', 'viewer', owner)
  for (const [body, says] of [
    [{ people: [one.id], items: ['pair-0', 'nothing'] }, 'items: this campaign has none called nothing'],
    [{ people: [viewer.id] }, 'people: expected members who may be given work'],
    [{ people: [randomUUID()] }, 'people: expected members'],
    [{ people: [one.id, one.id] }, 'people'],
    [{ people: [one.id], stratum: 'none-of-that' }, 'people: none of these items'],
    [{ people: [one.id], first: 4 }, 'would be to give 4, and one person may give 3'],
    [{ people: [] }, 'people'],
  ] as const) {
    const { status, text } = await lead.ask(`POST ${at('/assignments')}`, body)
    expect([status, text], JSON.stringify(body)).toEqual([422, expect.stringContaining(says)])
  }
  // A refused assignment leaves nothing behind.
  expect((await sharing()).people.every(({ assigned }) => assigned === 0)).toBe(true)
  for (const [limits, says] of [
    [{ mostEach: 0, mostShare: null, isManual: false }, 'mostEach'],
    [{ mostEach: null, mostShare: 0.01, isManual: false }, 'mostShare: of 8 judgements that is not one'],
    [{ mostEach: null, mostShare: 1, isManual: false }, 'mostShare'],
  ] as const) {
    const { status, text } = await lead.ask(`PUT ${at('/limits')}`, limits)
    expect([status, text], JSON.stringify(limits)).toEqual([422, expect.stringContaining(says)])
  }
  expect((await lead.ask(`DELETE ${at(`/people/${one.id}/assignments`)}`)).status).toBe(422)
  for (const over of [{ mostEach: 3 }, { mostShare: 0.5 }, { isManual: true }]) {
    const { status, text } = await open({ isCalibration: true, ...over })
    expect([status, text], JSON.stringify(over)).toEqual([422, expect.stringContaining('in a calibration round')])
  }
  await open({ isCalibration: true })
  expect((await lead.ask(`POST ${at('/assignments')}`, { people: [one.id] })).status).toBe(422)
})

test('annotators neither assign nor set limits nor see who got what', async () => {
  await open()
  const [one, two] = people as [Person, Person]
  for (const [key, body] of [
    [`GET ${at('/assignments')}`, undefined],
    [`POST ${at('/assignments')}`, { people: [two.id] }],
    [`DELETE ${at(`/people/${two.id}/assignments`)}`, undefined],
    [`PUT ${at('/limits')}`, { mostEach: 1, mostShare: null, isManual: false }],
  ] as const)
    expect((await one.ask(key, body)).status, key).toBe(403)
  const engineer = await harness.join('desk', 'engineer', owner)
  expect((await sharing(engineer)).people.length).toBeGreaterThan(3)
  expect((await engineer.ask(`POST ${at('/assignments')}`, { people: [two.id] })).status).toBe(403)
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
