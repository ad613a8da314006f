// The choice between models of the annotators: in a worker, once for the same answers, asked for by leads.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AGGREGATION_METHODS, aggregate, gatherItems } from '#feedback'
import type { Judgement } from '#schema'
import { type Aggregating, openAggregating } from './aggregating.ts'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const PAIRS = 24
const pairs = Array.from({ length: PAIRS }, (_, i) => ({
  item: `pair-${i}`,
  prompt: `Q${i}`,
  a: `first ${i}`,
  b: `second ${i}`,
}))

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = [
    await harness.join('desk', 'annotator', owner),
    await harness.join('desk', 'annotator', owner),
    await harness.join('desk', 'annotator', owner),
  ]
  const file = new TextEncoder().encode(pairs.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const made = await owner.ask('POST /api/projects/desk/campaigns', { name: 'Round', dataset: 'pairs', overlap: 3 })
  campaign = (made.json as { id: string }).id
  for (const person of people) await person.ask(`PUT ${at('/guideline-read')}`)
})
afterAll(() => harness.close())

type Compared = { state: string; isCurrent?: boolean; method?: string; evidence?: { method: string; gain: number }[] }
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
const look = async () => (await owner.ask(`GET ${at('/aggregation')}`)).json as Compared

/** The first two say that the first is better, the third the opposite of that. */
async function judge(person: Person, most: number): Promise<void> {
  for (let i = 0; i < most; i++) {
    const { task } = (await person.ask(`POST ${at('/claim')}`)).json as { task: { id: string; left: string } | null }
    if (!task) return
    const isFirst = task.left.startsWith('first') === (person !== people[2])
    const body = { key: randomUUID(), choice: isFirst ? 'left' : 'right', strength: 2, activeSeconds: 3 }
    const sent = await person.ask(`POST ${at(`/items/${task.id}/judgement`)}`, body)
    expect(sent.status, sent.text).toBe(200)
  }
}

test('with few judgements it is said what is missing, and nothing runs', async () => {
  await judge(people[0]!, PAIRS)
  const { status, text } = await owner.ask(`POST ${at('/aggregation')}`)
  expect([status, text]).toEqual([422, expect.stringContaining('needs 20 pairs with two answers each')])
  expect(await look()).toEqual({ state: 'none' })
  expect(harness.defects).toEqual([])
})

test('a comparison is asked for by leads, chooses as a reward run does, and is kept until somebody answers', async () => {
  for (const person of [people[0]!, await harness.join('desk', 'engineer', owner)])
    expect((await person.ask(`POST ${at('/aggregation')}`)).status).toBe(403)
  expect((await people[0]!.ask(`GET ${at('/aggregation')}`)).status).toBe(403)
  await judge(people[1]!, PAIRS)
  await judge(people[2]!, PAIRS - 1)
  const begun = await Promise.all([owner.ask(`POST ${at('/aggregation')}`), owner.ask(`POST ${at('/aggregation')}`)])
  expect(begun.map(({ json }) => json)).toContainEqual({ state: 'running', isCurrent: true })
  while ((await look()).state === 'running') await sleep(50)
  const done = await look()
  const rows = (await owner.ask(`GET ${at('/judgements')}`)).text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Judgement)
  const { method, evidence } = aggregate({ judgements: rows, seed: 1 })
  expect(done).toEqual({
    state: 'done',
    isCurrent: true,
    method,
    evidence: JSON.parse(JSON.stringify(evidence)) as object,
  })
  // Who always says the opposite is as good as the others to who knows it.
  expect(method).not.toBe('majority')
  expect(done.evidence!.map((row) => row.method)).toEqual([...AGGREGATION_METHODS])
  expect((await owner.ask(`POST ${at('/aggregation')}`)).json).toEqual(done)
  await judge(people[2]!, 1)
  expect(await look()).toEqual({ ...done, isCurrent: false })
  // What was finished outlives the server; what still ran does not.
  await harness.restart()
  expect(await look()).toEqual({ ...done, isCurrent: false })
  expect((await owner.ask(`POST ${at('/aggregation')}`)).json).toEqual({ state: 'running', isCurrent: true })
  await harness.restart()
  expect(await look()).toEqual({ ...done, isCurrent: false })
  await owner.ask(`POST ${at('/aggregation')}`)
  while ((await look()).state === 'running') await sleep(50)
  const later = await look()
  expect(later).toMatchObject({ state: 'done', isCurrent: true })
  // A flag or a closed campaign changes no answer; answers that are as they were before find what was made of them.
  await owner.ask(`PUT ${at('/state')}`, { state: 'paused' })
  expect(await look()).toEqual(later)
  await owner.ask(`PUT ${at('/state')}`, { state: 'open' })
  const [last] = await harness.store.query<{ item: string }>(
    'select item_id::text as item from judgements where user_id = $1 order by judged_at desc limit 1',
    [people[2]!.id],
  )
  await people[2]!.ask(`POST ${at(`/items/${last!.item}/reopen`)}`)
  expect(await look()).toEqual(done)
  expect((await owner.ask(`POST ${at('/aggregation')}`)).json).toEqual(done)
  expect(harness.defects).toEqual([])
})

/** Of 30 items by three people each. */
const said = (choiceOf: (annotator: number) => Judgement['choice']): Judgement[] =>
  Array.from({ length: 90 }, (_, i): Judgement => {
    const annotator = Math.floor(i / 30)
    return {
      item: `i${i % 30}`,
      annotator: `p${annotator}`,
      prompt: 'Q',
      left: 'x',
      right: 'y',
      choice: choiceOf(annotator),
    }
  })
const reportOf = (rows: Judgement[]) => ({
  rows: rows.map((row, i) => ({ ...row, id: String(i), judgedAt: '' })),
  items: () => gatherItems(rows),
})
/** In the store of a campaign that nobody has answered. */
async function open(): Promise<{ aggregating: Aggregating; of: string; defects: unknown[] }> {
  const body = { name: randomUUID(), dataset: 'pairs', overlap: 1 }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  const defects: unknown[] = []
  const { query } = harness.store
  const aggregating = openAggregating({ query, onDefect: (error) => defects.push(error) })
  return { aggregating, of: (made.json as { id: string }).id, defects }
}

test('who asks while one runs gets that one; what cannot be told apart still has finite figures', async () => {
  const { aggregating, of, defects } = await open()
  const alike = reportOf(said(() => 'left'))
  const first = aggregating.compare(of, alike)
  const later = reportOf(said((annotator) => (annotator === 1 ? 'tie' : 'right')))
  expect(aggregating.compare(of, later)).toBe(first)
  expect(await aggregating.look(of, later)).toEqual({ state: 'running', isCurrent: false })
  const chosen = await first
  for (const row of chosen.evidence) {
    const { method, judgements, ...figures } = row
    expect(judgements, method).toBe(90)
    expect(Object.values(figures).every(Number.isFinite), method).toBe(true)
  }
  // Not a digit is lost in the store; when and why somebody answered is no answer.
  const again = reportOf(said(() => 'left'))
  const elsewhere = { ...again, rows: again.rows.map((row) => ({ ...row, judgedAt: 'later', reason: 'why', time: 9 })) }
  expect(await aggregating.look(of, elsewhere)).toEqual({ state: 'done', isCurrent: true, ...chosen })
  const second = aggregating.compare(of, later)
  expect(second).not.toBe(first)
  await second
  await aggregating.close()
  expect(defects).toEqual([])
})

test('a worker that fails says why, is asked again, and ends when the server does', async () => {
  const { aggregating, of, defects } = await open()
  const rows = said(() => 'left')
  const twice = { ...reportOf([...rows, rows[0]!]), items: () => gatherItems(rows) }
  await expect(aggregating.compare(of, twice)).rejects.toThrow('judged item i0 twice')
  const problem = expect.stringContaining('twice')
  expect(await aggregating.look(of, twice)).toMatchObject({ state: 'failed', problem })
  const whole = reportOf(rows)
  const broken = { ...whole, rows: [{ ...whole.rows[0]!, choice: 7 as never }, ...whole.rows.slice(1)] }
  await expect(aggregating.compare(of, broken)).rejects.toThrow()
  const defect = expect.stringContaining('a defect')
  expect(await aggregating.look(of, broken)).toMatchObject({ state: 'failed', problem: defect })
  expect(defects).toHaveLength(1)
  const ended = aggregating.compare(of, whole)
  await Promise.all([expect(ended).rejects.toThrow('ended before it was done'), aggregating.close()])
})
