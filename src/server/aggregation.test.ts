// The choice between models of the annotators: in a worker, once for the same answers, asked for by leads.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AGGREGATION_METHODS, aggregate, gatherItems } from '#feedback'
import type { Judgement } from '#schema'
import { openAggregating } from './aggregating.ts'
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
  expect((await owner.ask(`POST ${at('/aggregation')}`)).json).toEqual({ state: 'running', isCurrent: true })
  // The server ends with it.
  await harness.restart()
  expect(await look()).toEqual({ state: 'none' })
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
const reportOf = (version: string, rows: Judgement[]) => ({
  version,
  rows: rows.map((row, i) => ({ ...row, id: String(i), judgedAt: '' })),
  items: () => gatherItems(rows),
})

test('who asks while one runs gets that one; what cannot be told apart still has finite figures', async () => {
  const aggregating = openAggregating({ onDefect: (error) => expect.unreachable(String(error)) })
  const first = aggregating.compare(
    'one',
    reportOf(
      'v1',
      said(() => 'left'),
    ),
  )
  const later = reportOf(
    'v2',
    said((annotator) => (annotator === 1 ? 'tie' : 'right')),
  )
  expect(aggregating.compare('one', later)).toBe(first)
  expect(aggregating.look('one', 'v2')).toEqual({ state: 'running', isCurrent: false })
  for (const row of (await first).evidence) {
    const { method, judgements, ...figures } = row
    expect(judgements, method).toBe(90)
    expect(Object.values(figures).every(Number.isFinite), method).toBe(true)
  }
  const second = aggregating.compare('one', later)
  expect(second).not.toBe(first)
  await second
  await aggregating.close()
})

test('a worker that fails says why, is asked again, and ends when the server does', async () => {
  const defects: unknown[] = []
  const aggregating = openAggregating({ onDefect: (error) => defects.push(error) })
  const rows = said(() => 'left')
  const twice = { ...reportOf('v', [...rows, rows[0]!]), items: () => gatherItems(rows) }
  const failed = aggregating.compare('one', twice)
  await expect(failed).rejects.toThrow('judged item i0 twice')
  expect(aggregating.look('one', 'v')).toMatchObject({ state: 'failed', problem: expect.stringContaining('twice') })
  const broken = { ...reportOf('v', rows), rows: [null as never] }
  await expect(aggregating.compare('one', broken)).rejects.toThrow()
  expect(aggregating.look('one', 'v')).toMatchObject({ state: 'failed', problem: expect.stringContaining('a defect') })
  expect(defects).toHaveLength(1)
  const ended = aggregating.compare('one', reportOf('v', rows))
  await Promise.all([expect(ended).rejects.toThrow('ended before it was done'), aggregating.close()])
})
