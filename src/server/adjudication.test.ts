// Adjudication over the API: what others said is shown after one's own answer, pseudonymous but to leads; what is settled is
// honoured by the rows that the reward run takes.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aggregate } from '#feedback'
import type { Judgement } from '#schema'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let reviewer: Person
let annotators: Person[]
let campaign: string
const PAIRS = 5
const pairs = Array.from({ length: PAIRS }, (_, i) => ({
  item: `pair-${i}`,
  prompt: `Q${i}`,
  a: `first ${i}`,
  b: `second ${i}`,
}))
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Queue = { waiting: { id: string; opening: string; because: string[]; isOwn: boolean }[]; settled: object[] }
type Shown = {
  left: string
  shown: { answers: { person: string; choice: string; reason: string }[]; history: { id: string }[] } | null
}
const queueOf = async (person: Person) => (await person.ask(`GET ${at('/adjudication')}`)).json as Queue
const waitingFor = async (n: number) => (await queueOf(reviewer)).waiting.find(({ opening }) => opening === `Q${n}`)!
const settle = (person: Person, id: string, over: object) =>
  person.ask(`POST ${at(`/items/${id}/adjudication`)}`, { key: randomUUID(), before: null, reason: 'because', ...over })
const look = (person: Person, id: string) =>
  person.ask(`POST ${at(`/items/${id}/first-look`)}`, { choice: 'left', strength: 2 })

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  reviewer = await harness.join('desk', 'reviewer', owner)
  annotators = await Promise.all([1, 2, 3].map(() => harness.join('desk', 'annotator', owner)))
  const file = new TextEncoder().encode(pairs.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const body = { name: 'Round', dataset: 'pairs', overlap: 3, seed: 5 }
  campaign = ((await owner.ask('POST /api/projects/desk/campaigns', body)).json as { id: string }).id
  // The first is better; the third annotator differs on pairs 0 to 2, and flags pair 4.
  for (const [n, person] of annotators.entries()) {
    await person.ask(`PUT ${at('/guideline-read')}`)
    for (;;) {
      const { task } = (await person.ask(`POST ${at('/claim')}`)).json as {
        task: { id: string; left: string; prompt: string } | null
      }
      if (!task) break
      const pair = Number(task.prompt.slice(1))
      if (n === 2 && pair === 4) await person.ask(`POST ${at(`/items/${task.id}/flag`)}`, { note: 'two languages' })
      const isFirst = n < 2 || pair > 2
      const choice = task.left.startsWith('first') === isFirst ? 'left' : 'right'
      await person.ask(`POST ${at(`/items/${task.id}/judgement`)}`, {
        key: randomUUID(),
        choice,
        strength: 2,
        reason: `${isFirst ? 'first' : 'second'} it is`,
        activeSeconds: 3,
      })
    }
  }
})
afterAll(() => harness.close())

test('the queue holds what people differ on and what was flagged, flags first; annotators do not see it', async () => {
  const { waiting } = await queueOf(reviewer)
  expect(waiting[0]).toMatchObject({ opening: 'Q4', because: ['flagged'] })
  expect(
    waiting
      .slice(1)
      .map(({ opening }) => opening)
      .sort(),
  ).toEqual(['Q0', 'Q1', 'Q2'])
  expect(waiting[1]).toMatchObject({ because: ['split'], isOwn: false })
  expect((await annotators[0]!.ask(`GET ${at('/adjudication')}`)).status).toBe(403)
  expect((await owner.ask('GET /api/projects/desk')).json).toMatchObject({
    waiting: [{ what: 'pairs to adjudicate in Round', count: 4, isMine: true, screen: 'adjudicate' }],
  })
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ adjudication: { waiting: 4, decided: 0 } })
})

test('what others said shows after one’s own answer, which stays; by pseudonym to a reviewer, by name to a lead', async () => {
  const { id } = await waitingFor(0)
  const blind = await reviewer.ask(`GET ${at(`/items/${id}/adjudication`)}`)
  expect(blind.json).toMatchObject({ first: null, shown: null })
  expect(blind.text).not.toMatch(/pair-0|it is/)
  const refused = await settle(reviewer, id, { outcome: 'excluded' })
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('yourself first')])
  const { json, text } = await look(reviewer, id)
  const { left, shown } = json as Shown
  expect(shown!.answers).toHaveLength(3)
  // Everybody's sides are turned to those of this reader.
  for (const { choice, reason } of shown!.answers)
    expect(choice).toBe(reason.startsWith(left.split(' ')[0]!) ? 'left' : 'right')
  expect(text).not.toMatch(/annotator \d/)
  expect(shown!.answers[0]!.person).toMatch(/^person-[0-9a-f]{10}$/)
  const second = await reviewer.ask(`POST ${at(`/items/${id}/first-look`)}`, { choice: 'tie' })
  expect(second.json).toMatchObject({ first: { choice: 'left', strength: 2 } })
  const byLead = (await look(owner, id)).json as Shown
  expect(byLead.shown!.answers.map(({ person }) => person)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^annotator \d+$/)]),
  )
})

test('decided, subjective, wrong: the exported rows and the preferences honour them; all is audited and can be undone', async () => {
  const [zero, one, two] = await Promise.all([waitingFor(0), waitingFor(1), waitingFor(2)])
  const sides = new Map<string, string>()
  for (const { id } of [zero, one, two]) sides.set(id, ((await look(reviewer, id)).json as Shown).left)
  const second = sides.get(zero.id)!.startsWith('second') ? 'left' : 'right'
  for (const wrong of [
    { outcome: 'decided' },
    { outcome: 'decided', choice: 'cannot-judge' },
    { outcome: 'decided', choice: 'left' },
    { outcome: 'subjective', choice: 'tie' },
    { outcome: 'decided', choice: 'tie', reason: ' ' },
    { outcome: 'reopened' },
  ])
    expect((await settle(reviewer, zero.id, wrong)).status, JSON.stringify(wrong)).toBe(422)
  await settle(reviewer, zero.id, { outcome: 'decided', choice: second, strength: 4, reason: 'only it answers' })
  await settle(reviewer, one.id, { outcome: 'subjective', reason: 'a matter of tone' })
  await settle(reviewer, two.id, { outcome: 'excluded', reason: 'no question' })
  const stale = await settle(owner, zero.id, { outcome: 'excluded' })
  expect(stale.status).toBe(409)
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({
    adjudication: { waiting: 1, decided: 1, subjective: 1, excluded: 1 },
  })

  const kept = await owner.ask(`POST ${at('/judgements')}`, { dataset: 'judged' })
  expect(kept.json).toMatchObject({ rows: 4 * 3 + 2, excluded: 1 })
  const file = (await owner.ask(`GET ${at('/judgements')}`)).text
  const rows = file
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Judgement)
  const { preferences } = aggregate({ judgements: rows, seed: 1 })
  const of = (n: number) => preferences.find(({ item }) => item === `pair-${n}`)
  const towardsFirst = (n: number) => (of(n)!.a.startsWith('first') ? of(n)!.probability : 1 - of(n)!.probability)
  expect(towardsFirst(0)).toBeCloseTo(0.1, 9)
  expect(of(0)).toMatchObject({ adjudication: 'decided', strength: 4 })
  expect(towardsFirst(1)).toBeCloseTo(2 / 3, 9)
  expect(of(2)).toBeUndefined()
  expect(towardsFirst(3)).toBeGreaterThan(0.7)
  const record = fs.readFileSync(join(harness.workspace, 'datasets/judged.jsonl'), 'utf8')
  expect(JSON.parse(record.trim())).toMatchObject({ source: { excluded: 1 } })

  const { shown } = (await reviewer.ask(`GET ${at(`/items/${two.id}/adjudication`)}`)).json as Shown
  const undone = await settle(owner, two.id, { outcome: 'reopened', before: shown!.history[0]!.id })
  expect(undone.status).toBe(422) // a lead too looks first
  await look(owner, two.id)
  await settle(owner, two.id, { outcome: 'reopened', before: shown!.history[0]!.id })
  expect((await queueOf(reviewer)).waiting.map(({ opening }) => opening)).toEqual(['Q4', 'Q2'])
  expect((await owner.ask(`POST ${at('/judgements')}`, { dataset: 'judged' })).json).toMatchObject({
    rows: 5 * 3 + 2,
    excluded: 0,
  })
  const audited = await harness.store.query<{ outcome: string }>(
    "select detail->>'outcome' as outcome from audit where action = 'item.adjudicate' order by id",
  )
  expect(audited.map(({ outcome }) => outcome)).toEqual(['decided', 'subjective', 'excluded', 'reopened'])
})

test('who judged an item does not settle it', async () => {
  const body = { name: 'Own', dataset: 'pairs', overlap: 1, seed: 5 }
  campaign = ((await owner.ask('POST /api/projects/desk/campaigns', body)).json as { id: string }).id
  await reviewer.ask(`PUT ${at('/guideline-read')}`)
  const { task } = (await reviewer.ask(`POST ${at('/claim')}`)).json as { task: { id: string } }
  await reviewer.ask(`POST ${at(`/items/${task.id}/flag`)}`, { note: 'odd' })
  const answer = { key: randomUUID(), choice: 'tie', activeSeconds: 1 }
  await reviewer.ask(`POST ${at(`/items/${task.id}/judgement`)}`, answer)
  expect((await queueOf(reviewer)).waiting).toMatchObject([{ id: task.id, isOwn: true }])
  expect((await look(reviewer, task.id)).status).toBe(422)
  await look(owner, task.id)
  expect((await settle(owner, task.id, { outcome: 'excluded' })).json).toMatchObject({
    shown: { answers: [{ choice: 'tie' }], history: [{ outcome: 'excluded', by: 'Owner' }] },
  })
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
