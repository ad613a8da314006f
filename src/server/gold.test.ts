// Gold and qualification over the API: who fails sees what and why and may try again on other pairs, who has not passed gets
// nothing else; mixed in, gold is not to be told from the rest; and what it shows reaches the rows of the reward run.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aggregate } from '#feedback'
import type { Judgement } from '#schema'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const GOLD = 12
const PAIRS = 20
/** The first is better in gold rows, and known to be. */
const rows = Array.from({ length: GOLD + PAIRS }, (_, i) => ({
  item: `pair-${i}`,
  prompt: `Q${i}`,
  a: `first ${i}`,
  b: `second ${i}`,
  ...(i < GOLD && { gold: 'a', goldReason: `the second is wrong about ${i}` }),
}))
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Work = {
  task: { id: string; left: string; prompt: string } | null
  qualification: null | {
    state: string
    done?: number
    right?: number
    wrong?: { left: string; better: string; why: string }[]
    mayRetry?: boolean
  }
  mine: number
  wanted: number
  judged: number
  past: { id: string }[]
}
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/claim')}`)).json as Work
const numberOf = (task: { prompt: string }) => Number(task.prompt.slice(1))
async function answerAs(person: Person, task: NonNullable<Work['task']>, isFirst: boolean): Promise<Work> {
  const choice = task.left.startsWith('first') === isFirst ? 'left' : 'right'
  const body = { key: randomUUID(), choice, strength: 2, activeSeconds: 2 }
  const { status, json, text } = await person.ask(`POST ${at(`/items/${task.id}/judgement`)}`, body)
  if (status !== 200) throw new Error(`${status} ${text}`)
  return json as Work
}
const open = async (over: object) => {
  const body = { name: randomUUID(), dataset: 'pairs', overlap: 2, seed: 5, ...over }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  campaign = (made.json as { id?: string }).id ?? ''
  for (const person of people) if (campaign) await person.ask(`PUT ${at('/guideline-read')}`)
  return made
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = await Promise.all([1, 2].map(() => harness.join('desk', 'annotator', owner)))
  const asFile = (given: object[]) => new TextEncoder().encode(given.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', asFile(rows))
  const plain = asFile(rows.slice(GOLD))
  await owner.ask('POST /api/projects/desk/datasets/plain?kind=comparisons', plain)
})
afterAll(() => harness.close())

test('rules that could never be met or would do nothing are refused by their field', async () => {
  for (const [over, says] of [
    [{ dataset: 'plain', goldRate: 0.1 }, 'goldRate'],
    [{ qualification: { items: 13, mark: { right: 3 }, mayRetry: true } }, 'at most the campaign'],
    [{ qualification: { items: 4, mark: { right: 5 }, mayRetry: true } }, 'cannot be given'],
    [{ qualification: { items: 4, mark: { low: 0.9 }, mayRetry: true } }, 'with all 4 right the lower bound is 0.5'],
    [{ goldRate: 0.6 }, 'goldRate'],
  ] as const) {
    const { status, text } = await open(over)
    expect([status, text], JSON.stringify(over)).toEqual([422, expect.stringContaining(says)])
  }
})

test('a qualification comes first; who fails sees which and why, rereads, tries on other pairs, passes, and works', async () => {
  await open({ qualification: { items: 5, mark: { right: 4 }, mayRetry: true } })
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ items: PAIRS, wanted: 2 * PAIRS, goldItems: GOLD })
  const [person, other] = people as [Person, Person]
  const met: number[] = []
  let work = await claimBy(person)
  expect(work.qualification).toEqual({ state: 'open', done: 0, of: 5 })
  const ordinary = await harness.store.query<{ id: string }>(
    'select id::text from items where campaign_id = $1 and gold is null order by position limit 1',
    [campaign],
  )
  const aside = await person.ask(`POST ${at(`/items/${ordinary[0]!.id}/judgement`)}`, {
    key: randomUUID(),
    choice: 'tie',
    activeSeconds: 1,
  })
  expect([aside.status, aside.text]).toEqual([422, expect.stringContaining('qualification comes first')])
  expect((await person.ask(`POST ${at(`/items/${work.task!.id}/skip`)}`, { reason: '' })).status).toBe(422)
  for (let i = 0; i < 5; i++) {
    met.push(numberOf(work.task!))
    work = await answerAs(person, work.task!, i < 3)
  }
  expect(work).toMatchObject({ task: null, past: [], qualification: { state: 'failed', right: 3, mayRetry: true } })
  const { wrong } = work.qualification!
  expect(wrong!.map(({ why }) => why)).toEqual(met.slice(3).map((n) => `the second is wrong about ${n}`))
  for (const { left, better } of wrong!) expect(better).toBe(left.startsWith('first') ? 'left' : 'right')
  const late = await person.ask(`POST ${at(`/items/${ordinary[0]!.id}/judgement`)}`, {
    key: randomUUID(),
    choice: 'tie',
    activeSeconds: 1,
  })
  expect([late.status, late.text]).toEqual([422, expect.stringContaining('not passed')])
  expect((await claimBy(person)).task).toBeNull()

  await person.ask(`PUT ${at('/guideline-read')}`)
  work = await claimBy(person)
  for (let i = 0; i < 5; i++) {
    expect(met).not.toContain(numberOf(work.task!))
    met.push(numberOf(work.task!))
    work = await answerAs(person, work.task!, i > 0)
  }
  expect(work.qualification).toEqual({ state: 'passed', right: 4, of: 5 })
  // At a rate of nothing no more gold comes, and what counts is what is wanted.
  expect(work).toMatchObject({ judged: 0, wanted: 2 * PAIRS })
  while (work.task) {
    expect(numberOf(work.task)).toBeGreaterThanOrEqual(GOLD)
    work = await answerAs(person, work.task, true)
  }
  expect(work).toMatchObject({ mine: PAIRS + 10, judged: PAIRS })

  // Two gold items are left for nobody's third try; another person fails for good.
  await owner.ask(`PUT ${at('/gold')}`, {
    goldRate: 0,
    qualification: { items: 5, mark: { low: 0.5 }, mayRetry: false },
  })
  work = await claimBy(other)
  for (let i = 0; i < 5; i++) work = await answerAs(other, work.task!, i < 4)
  expect(work.qualification).toMatchObject({ state: 'failed', right: 4, mayRetry: false })
  await other.ask(`PUT ${at('/guideline-read')}`)
  expect((await claimBy(other)).task).toBeNull()
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({
    people: expect.arrayContaining([
      expect.objectContaining({ user: person.id, qualified: { passed: true, attempt: 2, right: 4, answers: 5 } }),
      expect.objectContaining({ user: other.id, qualified: expect.objectContaining({ passed: false }) }),
    ]),
  })
  const audited = await harness.store.query(
    "select detail->>'passed' as passed from audit where action = 'qualification.conclude' and subject = $1 order by id",
    [campaign],
  )
  expect(audited).toEqual([{ passed: 'false' }, { passed: 'true' }, { passed: 'false' }])
})

test('mixed in, gold is told from the rest by nothing that an annotator is sent; it moves the same figures', async () => {
  await open({ goldRate: 0.3 })
  const told: string[] = []
  const progress: number[] = []
  const met: boolean[][] = []
  for (const person of people) {
    const own: boolean[] = []
    let work = await claimBy(person)
    while (work.task) {
      own.push(numberOf(work.task) < GOLD)
      const { judged, wanted } = work
      expect(wanted).toBe(2 * PAIRS + Math.round((2 * PAIRS * 0.3) / 0.7))
      work = await answerAs(person, work.task, person === people[0])
      progress.push(work.judged - judged)
      told.push(JSON.stringify({ ...work, task: { ...work.task, id: '' } }))
    }
    expect(own.filter((isGold) => !isGold)).toHaveLength(PAIRS)
    met.push(own)
  }
  const golden = met.flat().filter(Boolean).length
  expect(golden).toBeGreaterThan(4)
  expect(golden).toBeLessThanOrEqual(2 * GOLD)
  // Not all at the beginning, not at the same places for both, and none as the last.
  expect(met.map((own) => own.at(-1))).toEqual([false, false])
  expect(met[0]).not.toEqual(met[1])
  expect(told.join('\n')).not.toMatch(/gold|is wrong about|"better"|pair-/)
  const expected = Math.round((2 * PAIRS * 0.3) / 0.7)
  expect(progress.filter((step) => step === 1)).toHaveLength(2 * PAIRS + Math.min(golden, expected))
})

test('gold accuracy shows by person and item, and makes the reliable one’s word count', async () => {
  const report = (await owner.ask(`GET ${at()}`)).json as { people: { user: string; gold: { value: number } | null }[] }
  const goldOf = (person: Person) => report.people.find(({ user }) => user === person.id)!.gold?.value
  expect([goldOf(people[0]!), goldOf(people[1]!)]).toEqual([1, 0])
  const { items } = (await owner.ask(`GET ${at('/items?only=gold')}`)).json as {
    items: { gold: string; judged: number; right: number | null; note: string }[]
  }
  expect(items).toHaveLength(GOLD)
  expect(items.filter(({ judged }) => judged === 2).every(({ right }) => right === 1)).toBe(true)
  const exported = (await owner.ask(`GET ${at('/judgements')}`)).text
  const judgements = exported
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Judgement)
  const { preferences } = aggregate({ judgements, seed: 1, method: 'dawid-skene' })
  expect(preferences).toHaveLength(PAIRS)
  for (const { a, probability } of preferences)
    expect(a.startsWith('first') ? probability : 1 - probability).toBeGreaterThan(0.6)
})

test('an item is marked and unmarked; its answers stay, and a qualification keeps the gold it needs', async () => {
  await open({ dataset: 'plain' })
  const { task } = await claimBy(people[0]!)
  await answerAs(people[0]!, task!, true)
  const mark = (better: string | null, id = task!.id) =>
    owner.ask(`PUT ${at(`/items/${id}/gold`)}`, { better, note: better === null ? '' : 'plain to see' })
  expect((await mark('a')).status).toBe(204)
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ items: PAIRS - 1, goldItems: 1, judged: 0 })
  const rules = { goldRate: 0.2, qualification: { items: 1, mark: { right: 1 }, mayRetry: false } }
  expect((await owner.ask(`PUT ${at('/gold')}`, rules)).status).toBe(204)
  const refused = await mark(null)
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('change it first')])
  await owner.ask(`PUT ${at('/gold')}`, { goldRate: 0, qualification: null })
  expect((await mark(null)).status).toBe(204)
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ items: PAIRS, goldItems: 0, judged: 1, wanted: 40 })
  expect((await mark('a', '999999')).status).toBe(404)
  const words = await harness.store.query('select better from gold where item_id = $1 order by id', [task!.id])
  expect(words).toEqual([{ better: 'a' }, { better: null }])
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
