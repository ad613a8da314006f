// Adaptive overlap over the API: pairs on which people agree get the least, pairs on which they differ get more, never more
// than the cap however many answer at once; the next one is asked for in the transaction of the answer.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const PAIRS = 12
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Work = { task: { id: string; left: string; prompt: string } | null }

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = await Promise.all([1, 2, 3, 4, 5, 6].map(() => harness.join('desk', 'annotator', owner)))
  const pairs = Array.from({ length: PAIRS }, (_, i) => ({
    item: `pair-${i}`,
    prompt: `Q${i}`,
    a: `first ${i}`,
    b: `second ${i}`,
  }))
  const file = new TextEncoder().encode(pairs.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
})
afterAll(() => harness.close())

async function open(adaptive: { threshold: number; cap: number } | undefined, overlap = 2, over: object = {}) {
  const body = { name: randomUUID(), dataset: 'pairs', overlap, seed: 5, adaptive, ...over }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  campaign = (made.json as { id?: string }).id ?? ''
  for (const person of campaign ? people : []) await person.ask(`PUT ${at('/guideline-read')}`)
  return made
}

async function answer(person: Person, { task }: Work, choose: (pair: number) => boolean): Promise<Work> {
  const isFirst = choose(Number(task!.prompt.slice(1)))
  const choice = task!.left.startsWith('first') === isFirst ? 'left' : 'right'
  const body = { key: randomUUID(), choice, strength: 2, activeSeconds: 1 }
  const { status, json, text } = await person.ask(`POST ${at(`/items/${task!.id}/judgement`)}`, body)
  if (status !== 200) throw new Error(text)
  return json as Work
}
const items = () =>
  harness.store.query<{ pair: number; wanted: number; judged: number }>(
    `select substring(item from 6)::int as pair, wanted, judged from items where campaign_id = $1 order by 1`,
    [campaign],
  )

test('a cap that adds nothing is refused', async () => {
  const { status, text } = await open({ threshold: 0.9, cap: 2 })
  expect([status, text]).toEqual([422, expect.stringContaining('adaptive.cap')])
})

test('who agrees is enough; where people differ one more is asked until it is settled or the cap is reached', async () => {
  // By coins of two thirds, two who agree give 0.8, two against one 0.67, three against one 0.8.
  await open({ threshold: 0.75, cap: 4 })
  const [one, two, three, four] = people as [Person, Person, Person, Person]
  const all = async (person: Person, choose: (pair: number) => boolean) => {
    let work = (await person.ask(`POST ${at('/claim')}`)).json as Work
    while (work.task) work = await answer(person, work, choose)
  }
  await all(one, () => true)
  expect((await items()).every(({ wanted }) => wanted === 2)).toBe(true)
  await all(two, (pair) => pair > 3)
  expect((await items()).map(({ wanted }) => wanted)).toEqual([3, 3, 3, 3, ...Array<number>(PAIRS - 4).fill(2)])
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ wanted: 2 * PAIRS + 4, judged: 2 * PAIRS })
  await all(three, () => true)
  await all(four, (pair) => pair > 1)
  const done = await items()
  expect(done.every(({ wanted, judged }) => wanted === judged)).toBe(true)
  // Coins that the campaign has shown by now may settle a pair sooner, never later.
  expect(done.slice(0, 4).every(({ judged }) => judged >= 3 && judged <= 4)).toBe(true)
  expect(done.slice(4).every(({ judged }) => judged === 2)).toBe(true)
})

test('six people at once, always divided: no pair gets more than the cap, and each gets it', async () => {
  await open({ threshold: 0.99999, cap: 4 }, 1)
  await Promise.all(
    people.map(async (person, n) => {
      for (let tries = 0; tries < 4; ) {
        const work = (await person.ask(`POST ${at('/claim')}`)).json as Work
        if (!work.task)
          tries++ // another answer may ask for one more
        else await answer(person, work, () => n % 2 === 0)
      }
    }),
  )
  for (const person of people) {
    let work = (await person.ask(`POST ${at('/claim')}`)).json as Work
    while (work.task) work = await answer(person, work, () => true)
  }
  expect((await items()).map(({ judged, wanted }) => [judged, wanted])).toEqual(
    Array.from({ length: PAIRS }, () => [4, 4]),
  )
})

test('a share of the pairs gets the overlap, which the campaign tells; a share that would do nothing is refused', async () => {
  for (const [adaptive, overlap, over] of [
    [undefined, 1, { overlapShare: 0.5 }],
    [{ threshold: 0.9, cap: 4 }, 2, { overlapShare: 0.5 }],
    [undefined, 2, { overlapShare: 0.5, isCalibration: true }],
    [undefined, 2, { overlapShare: 1e-9 }],
    [undefined, 2, { overlapShare: 1.5 }],
    [undefined, 2, { overlapShare: 0 }],
  ] as const) {
    const { status, text } = await open(adaptive, overlap, over)
    expect([status, text], JSON.stringify(over)).toEqual([422, expect.stringContaining('overlapShare')])
  }
  await open(undefined, 3, { overlapShare: 0.5 })
  const drawn = (await items()).filter(({ wanted }) => wanted === 3).length
  expect(drawn).toBeGreaterThan(0)
  expect(drawn).toBeLessThan(PAIRS)
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({
    overlapShare: 0.5,
    overlapped: drawn,
    wanted: PAIRS + 2 * drawn,
  })
  const [row] = await harness.store.query<{ detail: object }>(
    "select detail from audit where action = 'campaign.create' and subject = $1",
    [campaign],
  )
  expect(row!.detail).toMatchObject({ overlap: 3, overlapShare: 0.5, overlapped: drawn })
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
