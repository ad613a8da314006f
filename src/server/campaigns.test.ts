// A campaign over the API: imported, opened, judged by three people at once, watched, taken out; and blind to the bone.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gatherItems, ratingsOf, reportAgreement } from '#feedback'
import type { Judgement } from '#schema'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const PAIRS = 8
const pairs = Array.from({ length: PAIRS }, (_, i) => ({
  item: `ppo-${i}`,
  prompt: `Q${i}`,
  a: `first ${i}`,
  b: i === 5 ? 'second 5: as an AI I cannot say' : `second ${i}`,
}))
const asFile = (rows: unknown[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = [
    await harness.join('desk', 'annotator', owner),
    await harness.join('desk', 'annotator', owner),
    await harness.join('desk', 'reviewer', owner),
  ]
})
afterAll(() => harness.close())

type Work = {
  task: { id: string; left: string; right: string } | null
  mine: number
  past: { id: string }[]
  guideline: { hasRead: boolean }
}
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/claim')}`)).json as Work
const answer = (over: object = {}) => ({ key: randomUUID(), choice: 'left', strength: 3, activeSeconds: 4.5, ...over })

test('an upload becomes a version, or says line and field and leaves nothing', async () => {
  const wrong = await owner.ask(
    'POST /api/projects/desk/datasets/pairs?kind=comparisons&file=my%20pairs.jsonl',
    asFile([...pairs, { item: 'x', prompt: 'Q' }]),
  )
  expect(wrong.status).toBe(422)
  expect(wrong.text).toContain(`my pairs.jsonl:${PAIRS + 1}`)
  expect(wrong.text).not.toContain(harness.workspace)
  expect((await owner.ask('GET /api/projects/desk/datasets')).json).toEqual({ datasets: [] })
  const made = await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', asFile(pairs))
  expect(made.json).toMatchObject({ name: 'pairs', rows: PAIRS, isNew: true })
  const again = await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', asFile(pairs))
  expect(again.json).toMatchObject({ isNew: false })
  const shown = (await owner.ask('GET /api/projects/desk/datasets/pairs/rows?from=6')).json as { rows: unknown[] }
  expect(shown.rows).toEqual(pairs.slice(6))
})

test('datasets of another project are not there, under any name', async () => {
  await owner.ask('POST /api/projects', { name: 'Other' })
  // Two long names that differ only at their ends are never one dataset.
  const long = await owner.ask(`POST /api/projects/other/datasets/${'x'.repeat(63)}?kind=comparisons`, asFile(pairs))
  expect([long.status, long.text]).toEqual([422, expect.stringContaining('at most 58 characters')])
  for (const name of ['pairs', 'other.pairs', 'desk.pairs'])
    expect((await owner.ask(`GET /api/projects/other/datasets/${name}/rows`)).status, name).toBeGreaterThanOrEqual(404)
  await owner.ask('POST /api/projects/other/datasets/pairs?kind=prompts', asFile([{ prompt: 'Of the other' }]))
  expect((await owner.ask('GET /api/projects/other/datasets')).json).toMatchObject({
    datasets: [{ name: 'pairs', rows: 1 }],
  })
  expect((await owner.ask('GET /api/projects/desk/datasets')).json).toMatchObject({
    datasets: [{ name: 'pairs', rows: PAIRS }],
  })
})

test('a campaign opens over comparisons only, under a guideline that the workspace brought', async () => {
  const body = { name: 'Round one', dataset: 'pairs', overlap: 3, seed: 5 }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  campaign = (made.json as { id: string }).id
  expect((await owner.ask('POST /api/projects/desk/campaigns', body)).status).toBe(422)
  expect((await owner.ask('POST /api/projects/other/campaigns', body)).status).toBe(422)
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({
    items: PAIRS,
    wanted: PAIRS * 3,
    judged: 0,
    agreement: null,
  })
  expect((await owner.ask(`GET ${at().replace('desk', 'other')}`)).status).toBe(404)
})

test('who has not read the guideline gets no task and may not answer', async () => {
  const [person] = people
  expect(await claimBy(person!)).toMatchObject({ task: null, guideline: { hasRead: false } })
  const { status, text } = await person!.ask(`POST ${at('/items/1/judgement')}`, answer())
  expect([status, text]).toEqual([422, expect.stringContaining('read the guideline')])
  for (const each of people) await each.ask(`PUT ${at('/guideline-read')}`)
})

test('an answer is refused by its field when it does not hold together', async () => {
  const { task } = await claimBy(people[0]!)
  const path = `POST ${at(`/items/${task!.id}/judgement`)}`
  for (const [over, field] of [
    [{ strength: undefined }, 'strength'],
    [{ choice: 'tie' }, 'strength'],
    [{ strength: 5 }, 'strength'],
    [{ choice: 'maybe' }, 'choice'],
    [{ key: 'x' }, 'key'],
    [{ activeSeconds: -1 }, 'activeSeconds'],
    [{ reason: 'a\0b' }, 'reason'],
    [{ more: 1 }, 'more'],
  ] as const) {
    const { status, text } = await people[0]!.ask(path, answer(over))
    expect(status, JSON.stringify(over)).toBe(422)
    expect(text).toContain(field)
  }
  const other = await people[1]!.ask(`POST ${at('/items/999999/judgement')}`, answer())
  expect(other.status).toBe(404)
})

test('three people judge at once; a stale answer is a conflict that says what stands; nothing they see tells on anybody', async () => {
  const seen: string[] = []
  await Promise.all(
    people.map(async (person) => {
      let work = await claimBy(person)
      while (work.task) {
        const { id, left } = work.task
        const isFirstLeft = left.startsWith('first')
        const given = answer({ choice: isFirstLeft ? 'left' : 'right', reason: `of ${person.email}` })
        const path = `POST ${at(`/items/${id}/judgement`)}`
        const [sent, again] = await Promise.all([person.ask(path, given), person.ask(path, given)])
        expect([sent.status, again.status]).toEqual([200, 200])
        const stale = await person.ask(path, answer({ choice: 'tie', strength: undefined }))
        expect(stale.status).toBe(409)
        expect(stale.json).toMatchObject({ error: { detail: { standing: { strength: 3 } } } })
        seen.push(sent.text, again.text)
        work = await claimBy(person)
        seen.push(JSON.stringify(work))
      }
      expect(work.mine).toBe(PAIRS)
    }),
  )
  const told = seen.join('\n')
  expect(told).not.toMatch(/ppo-|"a":|"b":|"item"|isALeft|gold|model/)
  for (const { email } of people) expect(told).not.toContain(email)
})

test('the lead sees agreement, each person, and rows that the reward run takes', async () => {
  const report = (await owner.ask(`GET ${at()}`)).json as {
    judged: number
    agreement: object
    people: { judged: number }[]
  }
  expect(report.judged).toBe(PAIRS * 3)
  // All chose the first, always: agreement is whole, and nothing beyond chance can be said.
  expect(report.agreement).toMatchObject({
    percent: { value: 1 },
    alpha: null,
    alphaInterval: null,
    gwetAC2: { value: 1 },
  })
  // Three people judged.
  expect(report.agreement).not.toHaveProperty('cohen')
  expect(report.people.map(({ judged }) => judged)).toEqual([PAIRS, PAIRS, PAIRS])
  // An answer that says what wrote it may not be judged blind; leads are told.
  expect(report).toMatchObject({ giveaways: { items: 1, first: [{ item: 'ppo-5', found: ['as an AI'] }] } })
  const file = await owner.ask(`GET ${at('/judgements')}`)
  const rows = file.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { left: string; choice: string; item: string; annotator: string })
  expect(rows).toHaveLength(PAIRS * 3)
  for (const { left, choice } of rows) expect(choice).toBe(left.startsWith('first') ? 'left' : 'right')
  expect(new Set(rows.map(({ annotator }) => annotator)).size).toBe(3)
  expect(new Set(rows.map(({ item }) => item))).toEqual(new Set(pairs.map(({ item }) => item)))
  const kept = await owner.ask(`POST ${at('/judgements')}`, { dataset: 'judged' })
  expect(kept.json).toMatchObject({ name: 'judged', file: 'judged', rows: PAIRS * 3, isNew: true })
  expect((await people[0]!.ask(`GET ${at('/judgements')}`)).status).toBe(403)
})

test('the lead sees every coefficient of hone label agreement, Cohen’s of exactly two people, and that one answer prevails', async () => {
  const rare = [
    { 3: 'second', 10: 'second' },
    { 3: 'second', 7: 'second', 12: 'tie' },
  ] as Record<number, string>[]
  const many = Array.from({ length: 24 }, (_, i) => ({
    item: `m${i}`,
    prompt: `R${i}`,
    a: `first ${i}`,
    b: `second ${i}`,
  }))
  await owner.ask('POST /api/projects/desk/datasets/many?kind=comparisons', asFile(many))
  const body = { name: 'Two people', dataset: 'many', overlap: 2, seed: 5 }
  campaign = ((await owner.ask('POST /api/projects/desk/campaigns', body)).json as { id: string }).id
  for (const [i, said] of rare.entries()) {
    await people[i]!.ask(`PUT ${at('/guideline-read')}`)
    for (let { task } = await claimBy(people[i]!); task; ) {
      const { id, left } = task
      const wins = said[Number(left.split(' ')[1])] ?? 'first'
      const given = answer({ choice: left.startsWith(wins) ? 'left' : 'right' })
      const sent = wins === 'tie' ? { ...given, choice: 'tie', strength: undefined } : given
      task = ((await people[i]!.ask(`POST ${at(`/items/${id}/judgement`)}`, sent)).json as Work).task
    }
  }
  const { agreement } = (await owner.ask(`GET ${at()}`)).json as { agreement: Record<string, unknown> }
  const { text } = await owner.ask(`GET ${at('/judgements')}`)
  const rows = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Judgement)
  // The order of rows decides which are resampled, so intervals are theirs within the noise of that.
  const { judgements: _, items, warning, ...told } = reportAgreement(ratingsOf(gatherItems(rows, many)), { seed: 0 })
  const { items: shownItems, warning: shownWarning, ...shown } = agreement
  expect([shownItems, shownWarning, Object.keys(shown).sort()]).toEqual([items, warning, Object.keys(told).sort()])
  for (const [key, { value, low, high }] of Object.entries(told)) {
    const interval = shown[key] as { value: number; low: number; high: number }
    expect(interval.value, key).toBeCloseTo(value, 10)
    expect(Math.max(Math.abs(interval.low - low), Math.abs(interval.high - high)), key).toBeLessThan(0.15)
  }
  expect(agreement.warning).toMatch(/^one category is so common that kappa misleads/)
})

test('paused, nothing is given out; closed, an answer is kept and does not count until it is opened again', async () => {
  const made = await owner.ask('POST /api/projects/desk/campaigns', {
    name: 'Round two',
    dataset: 'pairs',
    overlap: 1,
    seed: 6,
  })
  campaign = (made.json as { id: string }).id
  const { task } = await claimBy(people[0]!)
  await owner.ask(`PUT ${at('/state')}`, { state: 'paused' })
  expect((await claimBy(people[1]!)).task).toBeNull()
  await owner.ask(`PUT ${at('/state')}`, { state: 'closed' })
  const path = `POST ${at(`/items/${task!.id}/judgement`)}`
  const late = answer({ reason: 'late' })
  const refused = await people[0]!.ask(path, late)
  expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('closed; your answer is kept')])
  expect(await harness.store.query('select state, reason from judgements where key = $1', [late.key])).toEqual([
    { state: 'surplus', reason: 'late' },
  ])
  await owner.ask(`PUT ${at('/state')}`, { state: 'open' })
  expect((await people[0]!.ask(path, late)).status).toBe(200)
  // Counted, and then closed: who did not hear of it and sends it again is not refused.
  await owner.ask(`PUT ${at('/state')}`, { state: 'closed' })
  expect((await people[0]!.ask(path, late)).status).toBe(200)
})

test('a guideline changes by versions; a campaign keeps the one it began with', async () => {
  expect((await owner.ask('PUT /api/projects/desk/guideline', { text: 'A new guideline.' })).json).toEqual({
    isNew: true,
  })
  expect((await owner.ask('PUT /api/projects/desk/guideline', { text: 'A new guideline.' })).json).toEqual({
    isNew: false,
  })
  const { versions } = (await people[0]!.ask('GET /api/projects/desk/guideline')).json as {
    versions: { number: number }[]
  }
  expect(versions.map(({ number }) => number)).toEqual([2, 1])
  expect(versions.filter((version) => 'by' in version)).toEqual([])
  expect((await owner.ask('GET /api/projects/desk/guideline')).json).toMatchObject({ versions: [{ by: 'Owner' }, {}] })
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ guidelineNumber: 1 })
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
