// Questions by criterion over the API: asked of everybody, answered whole or not at all, kept with the answer, taken back
// with it, and taken out as rows that name their criterion.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aggregate, rowsOfQuestion } from '#feedback'
import type { Judgement } from '#schema'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const PAIRS = 6
const GOLD = 2
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Work = {
  campaign: { criteria: { name: string; definition: string }[] }
  task: { id: string; left: string; prompt: string; draft: { criteria?: object } | null } | null
  past: { id: string }[]
}
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/claim')}`)).json as Work

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = await Promise.all([1, 2].map(() => harness.join('desk', 'annotator', owner)))
  const rows = Array.from({ length: PAIRS + GOLD }, (_, i) => ({
    item: `pair-${i}`,
    prompt: `Q${i}`,
    a: `first ${i}`,
    b: `second ${i}`,
    ...(i >= PAIRS && { gold: 'a' }),
    ...(i !== 1 && { stratum: i < 3 || i >= PAIRS ? 'refund' : 'late' }),
  }))
  const file = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
})
afterAll(() => harness.close())

const body = (over: object = {}) => ({ name: 'With criteria', dataset: 'pairs', overlap: 2, seed: 3, ...over })

test('what is asked about are criteria of the objective, each once; they are shown to who opens a campaign', async () => {
  const { criteria } = (await owner.ask('GET /api/projects/desk/objective')).json as { criteria: { name: string }[] }
  expect(criteria.map(({ name }) => name)).toContain('fact')
  for (const [names, says] of [
    [['beauty'], 'got beauty'],
    [['fact', 'fact'], 'each criterion once'],
    [['Not A Name'], 'criteria'],
  ] as const) {
    const { status, text } = await owner.ask('POST /api/projects/desk/campaigns', body({ criteria: names }))
    expect([status, text], String(names)).toEqual([422, expect.stringContaining(says)])
  }
  const made = await owner.ask(
    'POST /api/projects/desk/campaigns',
    body({ criteria: ['fact', criteria.find(({ name }) => name !== 'fact')!.name], goldRate: 0.2 }),
  )
  campaign = (made.json as { id: string }).id
  for (const person of people) await person.ask(`PUT ${at('/guideline-read')}`)
})

test('an answer that leaves a question open, or answers another, is refused by the field', async () => {
  const { task, campaign: told } = await claimBy(people[0]!)
  const [one, two] = told.criteria.map(({ name }) => name) as [string, string]
  expect(told.criteria[0]!.definition.length).toBeGreaterThan(5)
  const path = `POST ${at(`/items/${task!.id}/judgement`)}`
  const whole = { [one]: { choice: 'tie' }, [two]: { choice: 'left', strength: 1 } }
  for (const [criteria, field] of [
    [{}, `criteria.${one}`],
    [{ [one]: { choice: 'tie' } }, `criteria.${two}`],
    [{ ...whole, beauty: { choice: 'tie' } }, 'criteria.beauty'],
    [{ ...whole, [two]: { choice: 'left' } }, 'strength'],
    [{ ...whole, [two]: { choice: 'tie', strength: 2 } }, 'strength'],
    [{ ...whole, 'Not A Name': { choice: 'tie' } }, 'criteria'],
  ] as const) {
    const given = { key: randomUUID(), choice: 'left', strength: 2, activeSeconds: 1, criteria }
    const { status, text } = await people[0]!.ask(path, given)
    expect([status, text], JSON.stringify(criteria)).toEqual([422, expect.stringContaining(field)])
  }
})

test('drafts and answers taken back keep every question', async () => {
  const [person] = people as [Person]
  const { task, campaign: told } = await claimBy(person)
  const [one, two] = told.criteria.map(({ name }) => name) as [string, string]
  const criteria = { [one]: { choice: 'right', strength: 4 } }
  expect((await person.ask(`PUT ${at(`/items/${task!.id}/draft`)}`, { criteria })).status).toBe(204)
  expect((await claimBy(person)).task!.draft).toEqual({ criteria })
  const given = { ...criteria, [two]: { choice: 'cannot-judge' } }
  const answer = { key: randomUUID(), choice: 'left', strength: 2, activeSeconds: 1, criteria: given }
  expect((await person.ask(`POST ${at(`/items/${task!.id}/judgement`)}`, answer)).status).toBe(200)
  const back = (await person.ask(`POST ${at(`/items/${task!.id}/reopen`)}`)).json as Work
  expect(back.task).toMatchObject({ id: task!.id, draft: { choice: 'left', strength: 2, criteria: given } })
})

test('agreement shows by criterion; rows name theirs, and the reward run reads the overall question', async () => {
  const seen: string[] = []
  for (const [who, person] of people.entries()) {
    let work = await claimBy(person)
    while (work.task) {
      const { id, left } = work.task
      const [one, two] = work.campaign.criteria.map(({ name }) => name) as [string, string]
      const first = left.startsWith('first') ? 'left' : 'right'
      // Overall and by the first criterion the first is better; by the second, each prefers their own.
      const second = who === 0 ? first : first === 'left' ? 'right' : 'left'
      const criteria = { [one]: { choice: first, strength: 3 }, [two]: { choice: second, strength: 1 } }
      const answer = { key: randomUUID(), choice: first, strength: 2, activeSeconds: 4, reason: 'so', criteria }
      const sent = await person.ask(`POST ${at(`/items/${id}/judgement`)}`, answer)
      expect(sent.status, sent.text).toBe(200)
      seen.push(sent.text)
      work = sent.json as Work
    }
  }
  expect(seen.join('')).not.toMatch(/"gold|pair-\d|isALeft|refund/)
  const report = (await owner.ask(`GET ${at()}`)).json as {
    criteria: { name: string }[]
    agreement: { percent: { value: number } }
    strata: { count: number; largest: object[] }
    agreementBy: { criterion: string; judgements: number; agreement: { items: number; percent: { value: number } } }[]
  }
  expect(report.agreement.percent.value).toBe(1)
  expect(report.agreementBy.map(({ criterion }) => criterion)).toEqual(report.criteria.map(({ name }) => name))
  const [agreed, apart] = report.agreementBy.map(({ agreement }) => agreement)
  expect([agreed, apart].map((each) => each!.percent.value)).toEqual([1, 0])
  expect(agreed!.items).toBe(PAIRS)
  // Gold pairs are no votes on a stratum; the pair that names none stands apart.
  expect(report.strata.count).toBe(3)
  expect(report.strata.largest).toMatchObject([
    { stratum: 'refund', judgements: 4, agreement: { items: 2, percent: { value: 1 } } },
    { stratum: 'late', judgements: 6, agreement: { items: 3 } },
    { stratum: null, judgements: 2, agreement: { items: 1 } },
  ])

  const file = await owner.ask(`GET ${at('/judgements')}`)
  const rows = file.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Judgement & { id: string })
  const overall = rows.filter(({ criterion }) => criterion === undefined)
  const by = rows.filter(({ criterion }) => criterion !== undefined)
  expect(by).toHaveLength(2 * 2 * PAIRS)
  expect(overall.filter(({ gold }) => gold === undefined)).toHaveLength(2 * PAIRS)
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
  for (const { id, item, annotator, criterion, left, right, gold, time } of by) {
    const whole = overall.find((row) => `${row.id}.${criterion}` === id)!
    expect([whole.item, whole.annotator, whole.left, whole.right]).toEqual([item, annotator, left, right])
    expect([gold, time]).toEqual([undefined, undefined])
  }
  const { preferences } = aggregate({ judgements: rowsOfQuestion(rows), seed: 1 })
  expect(preferences).toHaveLength(PAIRS)
  for (const { a, probability } of preferences)
    expect(a.startsWith('first') ? probability : 1 - probability).toBeGreaterThan(0.5)
})

test('of very many strata the largest are told, and each says that it is not judged yet', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    item: `own-${i}`,
    prompt: `Q${i}`,
    a: 'first',
    b: 'second',
    stratum: i < 2 ? 'common' : `row ${i}`,
  }))
  const file = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/own-strata?kind=comparisons', file)
  const made = await owner.ask('POST /api/projects/desk/campaigns', body({ name: 'Strata', dataset: 'own-strata' }))
  const { id } = made.json as { id: string }
  const { strata } = (await owner.ask(`GET /api/projects/desk/campaigns/${id}`)).json as {
    strata: { count: number; largest: object[] }
  }
  expect([strata.count, strata.largest.length]).toEqual([59, 40])
  expect(strata.largest[0]).toEqual({ stratum: 'common', judgements: 0, agreement: null })
})

test('a campaign without criteria refuses answers to any, and no defect was met', async () => {
  const made = await owner.ask('POST /api/projects/desk/campaigns', body({ name: 'Without' }))
  campaign = (made.json as { id: string }).id
  await people[0]!.ask(`PUT ${at('/guideline-read')}`)
  const { task } = await claimBy(people[0]!)
  const answer = { key: randomUUID(), choice: 'tie', activeSeconds: 1, criteria: { fact: { choice: 'tie' } } }
  const { status, text } = await people[0]!.ask(`POST ${at(`/items/${task!.id}/judgement`)}`, answer)
  expect([status, text]).toEqual([422, expect.stringContaining('does not ask')])
  expect(harness.defects).toEqual([])
})
