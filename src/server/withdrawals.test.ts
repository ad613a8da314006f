// Withdrawing answers over the API: what hangs on them is listed before, they count no more and their items want others, the
// rows of the reward run leave them out, and taken back they count again unless their author has answered anew.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const PAIRS = 5
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Work = { task: { id: string } | null }
type Effect = {
  judgements: number
  people: object[]
  dependants: { kind: string; label: string; rows: number | null }[]
}
type Made = { id: string; judgements: number }

async function judge(person: Person): Promise<number> {
  let work = (await person.ask(`POST ${at('/claim')}`)).json as Work
  let count = 0
  for (; work.task; count++) {
    const body = { key: randomUUID(), choice: 'left', strength: 2, activeSeconds: 1 }
    work = (await person.ask(`POST ${at(`/items/${work.task.id}/judgement`)}`, body)).json as Work
  }
  return count
}
const effectOf = async (query: string) =>
  (await owner.ask(`GET /api/projects/desk/withdrawals/effect?${query}`)).json as Effect
const withdraw = (rule: object) => owner.ask('POST /api/projects/desk/withdrawals', { rule, reason: 'in a hurry' })

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = await Promise.all([1, 2].map(() => harness.join('desk', 'annotator', owner)))
  const rows = Array.from({ length: PAIRS }, (_, i) => ({ item: `p${i}`, prompt: `Q${i}`, a: `A${i}`, b: `B${i}` }))
  const file = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const body = { name: 'Round', dataset: 'pairs', overlap: 2, seed: 5 }
  campaign = ((await owner.ask('POST /api/projects/desk/campaigns', body)).json as { id: string }).id
  for (const person of people) {
    await person.ask(`PUT ${at('/guideline-read')}`)
    await judge(person)
  }
})
afterAll(() => harness.close())

test('what hangs on answers is listed; a rule that asks nothing, or means nothing, is refused', async () => {
  const user = `user=${people[0]!.id}`
  expect(await effectOf(user)).toMatchObject({ judgements: PAIRS, people: [{ judgements: PAIRS }], dependants: [] })
  await owner.ask(`POST ${at('/judgements')}`, { dataset: 'judged' })
  expect((await effectOf(user)).dependants).toEqual([
    { kind: 'dataset', label: expect.stringMatching(/^judged@/), rows: PAIRS },
  ])
  expect((await effectOf(`${user}&until=2020-01-01T00:00:00Z`)).judgements).toBe(0)
  expect((await owner.ask('GET /api/projects/desk/withdrawals/effect')).status).toBe(422)
  expect((await withdraw({})).status).toBe(422)
  expect((await withdraw({ user: people[0]!.id, until: '2020-01-01T00:00:00Z' })).status).toBe(422)
})

test('withdrawn, they count no more and others are wanted; taken back they count again, not beside a new answer', async () => {
  const made = (await withdraw({ user: people[0]!.id })).json as Made
  expect(made.judgements).toBe(PAIRS)
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ judged: PAIRS, wanted: 2 * PAIRS })
  const kept = await owner.ask(`POST ${at('/judgements')}`, { dataset: 'judged' })
  expect(kept.json).toMatchObject({ rows: PAIRS, isNew: true })
  // One of the five is answered anew by the same person.
  const { task } = (await people[0]!.ask(`POST ${at('/claim')}`)).json as Work
  const body = { key: randomUUID(), choice: 'tie', activeSeconds: 1 }
  await people[0]!.ask(`POST ${at(`/items/${task!.id}/judgement`)}`, body)
  const undo = () =>
    owner.ask(`POST /api/projects/desk/withdrawals/${made.id}/undo`, { reason: 'it was somebody else' })
  expect((await undo()).json).toMatchObject({ judgements: PAIRS - 1 })
  expect((await undo()).status).toBe(404)
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ judged: 2 * PAIRS, wanted: 2 * PAIRS })
  const { withdrawals } = (await owner.ask('GET /api/projects/desk/withdrawals')).json as {
    withdrawals: { judgements: number; isUndone: boolean; undoes: string | null }[]
  }
  expect(withdrawals.map(({ judgements, isUndone }) => [judgements, isUndone])).toEqual([
    [PAIRS - 1, false],
    [PAIRS, true],
  ])
})

test('a version of the guideline is withdrawn in every campaign that asked by it', async () => {
  const { versions } = (await owner.ask('GET /api/projects/desk/guideline')).json as { versions: { id: string }[] }
  const made = (await withdraw({ guideline: versions[0]!.id })).json as Made
  expect(made.judgements).toBe(2 * PAIRS)
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ judged: 0, wanted: 2 * PAIRS })
  const audited = await harness.store.query("select action from audit where action like 'judgements.%' order by id")
  expect(audited).toEqual([
    { action: 'judgements.withdraw' },
    { action: 'judgements.restore' },
    { action: 'judgements.withdraw' },
  ])
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
