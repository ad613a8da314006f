// Two versions of a guideline beside each other, by what people judged under them in campaigns of their own.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

const PAIRS = 20
let harness: Harness
let owner: Person
let people: Person[]
type Change = { before: number; after: number; change: { value: number; low: number; high: number } }
type Answer = {
  items: { before: number; after: number; both: number }
  percent: Change
  alpha: Change
  goldAccuracy: Change | null
  verdict: string
}
const change = (before: number, after: number, by = owner) =>
  by.ask(`GET /api/projects/desk/guideline/change?before=${before}&after=${after}`)

/** A campaign under the guideline of now; the second person agrees with the first on so many of ten pairs. */
async function round(agreed: number): Promise<void> {
  const body = { name: randomUUID(), dataset: 'pairs', overlap: 2, goldRate: 0.5 }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  expect(made.status, made.text).toBe(200)
  const at = `/api/projects/desk/campaigns/${(made.json as { id: string }).id}`
  for (const [i, person] of people.entries()) {
    await person.ask(`PUT ${at}/guideline-read`)
    for (let work = await person.ask(`POST ${at}/claim`); ; ) {
      const { task } = work.json as { task: { id: string; prompt: string; left: string } | null }
      if (!task) break
      const number = Number(/\d+/.exec(task.prompt)![0])
      // By its number a pair is one that the long or the short side wins; who disagrees says the other.
      const isLong = (number % 2 === 0) !== (i === 1 && number % 10 >= agreed)
      const choice = task.left.includes('long') === isLong ? 'left' : 'right'
      work = await person.ask(`POST ${at}/items/${task.id}/judgement`, {
        key: randomUUID(),
        choice,
        strength: 2,
        activeSeconds: 3,
      })
      expect(work.status, work.text).toBe(200)
    }
  }
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = [await harness.join('desk', 'annotator', owner), await harness.join('desk', 'annotator', owner)]
  const rows = Array.from({ length: PAIRS }, (_, n) => ({
    item: `pair-${n}`,
    prompt: `Q${n}`,
    a: `a long one ${n}`,
    b: `short ${n}`,
    ...(n < 4 && { gold: n % 2 === 0 ? 'a' : 'b', goldReason: 'known' }),
  }))
  const file = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
})
afterAll(() => harness.close())

test('before anything was judged under both there is nothing to compare, and that is said', async () => {
  expect((await change(1, 2)).text).toContain('expected versions from 1 to 1')
  await round(3)
  await owner.ask('PUT /api/projects/desk/guideline', { text: 'Choose what answers the question.' })
  const early = await change(1, 2)
  expect([early.status, early.text]).toEqual([422, expect.stringContaining('nothing to compare yet')])
  expect((await change(2, 2)).text).toContain('expected another version')
  expect((await change(1, 2, people[0])).status).toBe(403)
  const byVersion = 'GET /api/projects/desk/guideline/agreement'
  expect((await owner.ask(byVersion)).json).toEqual({ versions: [] })
  expect((await people[0]!.ask(byVersion)).status).toBe(403)
})

test('a version under which people agree more helped, with the interval of the change; the other way round it hurt', async () => {
  await round(10)
  const answer = (await change(1, 2)).json as Answer
  expect(answer.items.both).toBe(Math.min(answer.items.before, answer.items.after))
  expect(answer.items.both).toBeGreaterThanOrEqual(PAIRS - 4)
  expect(answer.verdict).toBe('helped')
  expect(answer.percent.after).toBe(1)
  expect(answer.percent.before).toBeLessThan(0.5)
  expect(answer.alpha.change.low).toBeGreaterThan(0)
  expect(answer.alpha.change.value).toBeCloseTo(answer.alpha.after - answer.alpha.before, 10)
  const back = (await change(2, 1)).json as Answer
  expect(back.verdict).toBe('hurt')
  expect(back.alpha.change.value).toBeCloseTo(-answer.alpha.change.value, 10)
  const { versions } = (await owner.ask('GET /api/projects/desk/guideline/agreement')).json as {
    versions: { numbers: number[]; judgements: number; agreement: { items: number; percent: { value: number } } }[]
  }
  expect(versions.map(({ numbers }) => numbers)).toEqual([[2], [1]])
  expect(versions.map(({ agreement }) => agreement.percent.value)).toEqual([
    answer.percent.after,
    answer.percent.before,
  ])
  expect(versions.map(({ agreement }) => agreement.items)).toEqual([answer.items.after, answer.items.before])
  expect(harness.defects).toEqual([])
})
