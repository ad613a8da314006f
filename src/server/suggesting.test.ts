// Suggestions of a model beside pairs: off unless asked for, nowhere where answers measure something, kept with each answer as it
// was seen, and held against the answers from which they were hidden by lot.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generator } from '#stats'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'
import { anchoringOf } from './suggesting.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const PAIRS = 40
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Seen = { choice: 'left' | 'right'; score: number; source: string }
type Work = {
  task: { id: string; prompt: string; left: string; suggestion: Seen | null } | null
  revealed: (Seen & { agreed: boolean | null }) | null
}
type Row = {
  item: string
  choice: string
  left: string
  suggested?: string
  suggestedScore?: number
  suggestedBy?: string
  suggestionShown?: string
  agreesWithSuggestion?: boolean
}
type Report = {
  rule: object | null
  items: number
  groups: { shown: string; answers: number; agreement: { value: number } | null }[]
  difference: { value: number; low: number; high: number } | null
}
const pair = (i: number) => ({ item: `pair-${i}`, prompt: `Q${i}`, a: `first ${i}`, b: `second ${i}` })
const RULE = { hiddenShare: 0.4, isAfter: false }

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = await Promise.all([1, 2].map(() => harness.join('desk', 'annotator', owner)))
  const keep = (name: string, rows: object[]) =>
    owner.ask(
      `POST /api/projects/desk/datasets/${name}?kind=comparisons`,
      new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
    )
  const rows = Array.from({ length: PAIRS }, (_, i) => pair(i))
  await keep('plain', rows)
  // Even ones by a suggestion of their own, odd ones by a margin.
  const suggested = rows.map((row, i) =>
    i % 2 === 0
      ? { ...row, suggestion: { better: 'a', score: 0.9, source: 'rm-3' } }
      : { ...row, margin: -2, marginBy: 'rm-4' },
  )
  await keep('suggested', suggested)
  await keep(
    'golden',
    suggested.map((row, i) => ({ ...row, ...(i < 5 && { gold: 'a' }) })),
  )
  await keep(
    'broken',
    suggested.map((row) => ({ ...row, suggestion: { better: 'c', score: 2 } })),
  )
})
afterAll(() => harness.close())

async function open(over: object = {}) {
  const body = { name: randomUUID(), dataset: 'suggested', overlap: 2, seed: 8, ...over }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  campaign = (made.json as { id?: string }).id ?? ''
  for (const person of campaign ? people : []) await person.ask(`PUT ${at('/guideline-read')}`)
  return made
}
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/claim')}`)).json as Work
const answer = async (person: Person, { task }: Work, choice: string): Promise<Work> => {
  const strength = choice === 'left' || choice === 'right' ? { strength: 2 } : {}
  const body = { key: randomUUID(), choice, ...strength, activeSeconds: 1 }
  const sent = await person.ask(`POST ${at(`/items/${task!.id}/judgement`)}`, body)
  if (sent.status !== 200) throw new Error(sent.text)
  return sent.json as Work
}
const rowsOf = async () =>
  (await owner.ask(`GET ${at('/judgements')}`)).text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row)
const report = async () => (await owner.ask(`GET ${at('/suggestions')}`)).json as Report
/** The side on which what the row's model prefers stands. */
const sideSuggested = ({ prompt, left }: { prompt: string; left: string }) =>
  left.startsWith(Number(prompt.slice(1)) % 2 === 0 ? 'first' : 'second') ? 'left' : 'right'

test('nobody is shown any unless a lead asks for it, and answers carry none', async () => {
  await open()
  const work = await claimBy(people[0]!)
  expect(work).toMatchObject({ task: { suggestion: null }, revealed: null })
  await answer(people[0]!, work, 'left')
  expect((await rowsOf())[0]).not.toHaveProperty('suggested')
  expect(await report()).toMatchObject({ rule: null, items: PAIRS, difference: null })
})

test('refused for calibration, gold and evaluation, and where there is nothing to show', async () => {
  for (const [over, says] of [
    [{ isCalibration: true }, 'in a calibration round'],
    [{ dataset: 'golden' }, 'gold shows what people know'],
    [{ dataset: 'golden', goldRate: 0.1 }, 'gold shows what people know'],
    [{ dataset: 'plain' }, 'no row of the dataset brings one'],
    [{ suggestions: { hiddenShare: 0 } }, 'hiddenShare'],
    [{ dataset: 'broken', suggestions: undefined }, 'dataset: suggestion: expected {better'],
  ] as const) {
    const { status, text } = await open({ suggestions: RULE, ...over })
    expect([status, text], JSON.stringify(over)).toEqual([422, expect.stringContaining(says)])
  }
  await open({ suggestions: RULE })
  const [item] = await harness.store.query<{ id: string }>(
    'select id::text as id from items where campaign_id = $1 limit 1',
    [campaign],
  )
  const gold = { better: 'a', note: 'because' }
  expect((await owner.ask(`PUT ${at(`/items/${item!.id}/gold`)}`, gold)).text).toContain(
    'suggestions of this campaign off',
  )
  // Off, the pair can be gold, and then they cannot be turned on again.
  expect((await owner.ask(`PUT ${at('/suggestions')}`, { rule: null })).status).toBe(204)
  expect((await owner.ask(`PUT ${at(`/items/${item!.id}/gold`)}`, gold)).status).toBe(204)
  expect((await owner.ask(`PUT ${at('/suggestions')}`, { rule: RULE })).text).toContain('gold shows')
  await open()
  await harness.store.query("insert into mark_campaigns (campaign_id, run, step, sha256) values ($1, 'r', 1, 'x')", [
    campaign,
  ])
  expect((await owner.ask(`PUT ${at('/suggestions')}`, { rule: RULE })).text).toContain(
    'an evaluation is what people say',
  )
  await open()
  expect((await people[0]!.ask(`PUT ${at('/suggestions')}`, { rule: RULE })).status).toBe(403)
  expect((await people[0]!.ask(`GET ${at('/suggestions')}`)).status).toBe(403)
})

test('shown to a drawn part and hidden from the others; source, score, and whether it was seen and agreed with stay with the answer', async () => {
  await open({ suggestions: RULE })
  const seen = new Map<string, { person: string; seen: boolean }[]>()
  for (const [i, person] of people.entries())
    for (let work = await claimBy(person); work.task; ) {
      const { task } = work
      const side = sideSuggested(task)
      if (task.suggestion) {
        const isByScore = Number(task.prompt.slice(1)) % 2 === 0
        expect(task.suggestion).toEqual({
          choice: side,
          score: isByScore ? 0.9 : expect.closeTo(1 / (1 + Math.exp(-2)), 12),
          source: isByScore ? 'rm-3' : 'rm-4',
        })
      }
      seen.set(task.prompt, [...(seen.get(task.prompt) ?? []), { person: person.id, seen: task.suggestion !== null }])
      // The first always agrees, the second never and now and then cannot judge.
      const other = side === 'left' ? 'right' : 'left'
      work = await answer(person, work, i === 0 ? side : task.prompt === 'Q3' ? 'cannot-judge' : other)
      expect(work.revealed).toBeNull()
    }
  const all = [...seen.values()].flat()
  const hidden = all.filter((each) => !each.seen).length
  // Five standard deviations of a binomial of 80 at 0.4 are 22.
  expect(Math.abs(hidden - 32)).toBeLessThan(22)
  // The lot is drawn for each pair and person, not for either alone.
  expect([...seen.values()].some(([one, two]) => one!.seen !== two!.seen)).toBe(true)

  const rows = await rowsOf()
  expect(rows).toHaveLength(2 * PAIRS)
  expect(rows.filter(({ suggestionShown }) => suggestionShown === 'hidden')).toHaveLength(hidden)
  for (const row of rows) {
    const even = Number(row.item.slice(5)) % 2 === 0
    const side = row.left.startsWith(even ? 'first' : 'second') ? 'left' : 'right'
    expect(row).toMatchObject({ suggested: side, suggestedBy: even ? 'rm-3' : 'rm-4' })
    if (row.choice === 'cannot-judge') expect(row).not.toHaveProperty('agreesWithSuggestion')
    else expect(row.agreesWithSuggestion).toBe(row.choice === side)
  }
  const { groups, difference, rule } = await report()
  expect(rule).toEqual(RULE)
  expect(groups.reduce((sum, { answers }) => sum + answers, 0)).toBe(2 * PAIRS - 1)
  expect(groups.map(({ shown }) => shown)).toEqual(['before', 'after', 'hidden'])
  const agreed = (shown: string) => {
    const own = rows.filter((row) => row.suggestionShown === shown && row.agreesWithSuggestion !== undefined)
    return own.filter((row) => row.agreesWithSuggestion).length / own.length
  }
  expect(difference!.value).toBeCloseTo(agreed('before') - agreed('hidden'), 12)
})

test('shown afterwards: nothing beside the pair, told once the answer counts, and whoever answers anew has seen it', async () => {
  await open({ suggestions: { hiddenShare: 0.4, isAfter: true } })
  const [person] = people as [Person]
  let revealed = 0
  for (let work = await claimBy(person); work.task; ) {
    const { task } = work
    expect(task.suggestion).toBeNull()
    const side = sideSuggested(task)
    work = await answer(person, work, side)
    if (!work.revealed) continue
    revealed++
    expect(work.revealed).toMatchObject({ choice: side, agreed: true })
    if (revealed !== 1) continue
    const again = (await person.ask(`POST ${at(`/items/${task.id}/reopen`)}`)).json as Work
    expect(again.task).toMatchObject({ id: task.id, suggestion: { choice: side } })
    work = await answer(person, again, side === 'left' ? 'right' : 'left')
    expect(work.revealed).toBeNull()
  }
  const shown = (await rowsOf()).map(({ suggestionShown }) => suggestionShown)
  expect(shown.filter((each) => each === 'before')).toHaveLength(1)
  expect(shown.filter((each) => each === 'after')).toHaveLength(revealed - 1)
  expect(shown.filter((each) => each === 'hidden')).toHaveLength(PAIRS - revealed)
})

test('what a task was shown stays what its answer says, however the rule is changed meanwhile; changes are in the audit log', async () => {
  await open({ suggestions: { hiddenShare: 0.05, isAfter: false } })
  const [person] = people as [Person]
  let work = await claimBy(person)
  while (!work.task!.suggestion) work = await answer(person, work, 'left')
  const after = { hiddenShare: 0.9, isAfter: true }
  await owner.ask(`PUT ${at('/suggestions')}`, { rule: after })
  await answer(person, work, 'left')
  expect((await rowsOf()).at(-1)!.suggestionShown).toBe('before')
  await owner.ask(`PUT ${at('/suggestions')}`, { rule: null })
  const changes = await harness.store.query<{ detail: object }>(
    "select detail from audit where action = 'campaign.suggestions' and subject = $1 order by id",
    [campaign],
  )
  expect(changes.map(({ detail }) => detail)).toEqual([
    { from: { hiddenShare: 0.05, isAfter: false }, to: after },
    { from: after, to: null },
  ])
})

test('a row says what was marked, under which objective, and what was suggested; of a criterion only what is its own', async () => {
  const asked = (await owner.ask('GET /api/projects/desk/objective')).json as { criteria: { name: string }[] }
  const criterion = asked.criteria[0]!.name
  await open({ suggestions: { hiddenShare: 0.05, isAfter: false }, criteria: [criterion], skipPolicy: 'back-to-me' })
  const [person] = people as [Person]
  const { task } = await claimBy(person)
  const side = sideSuggested(task!)
  const highlights = [{ side: 'left', start: 0, end: 3, quote: task!.left.slice(0, 3), reason: 'why' }]
  const body = { key: randomUUID(), choice: side, strength: 2, activeSeconds: 1, highlights }
  const criteria = { [criterion]: { choice: 'tie' } }
  expect((await person.ask(`POST ${at(`/items/${task!.id}/judgement`)}`, { ...body, criteria })).status).toBe(200)
  const rows = await rowsOf()
  expect(rows).toHaveLength(2)
  const both = { objective: expect.stringMatching(/^[0-9a-f]{64}$/), suggested: side }
  const whole = rows.find((row) => !('criterion' in row))!
  expect(whole).toMatchObject({ ...both, highlights, agreesWithSuggestion: true })
  const part = rows.find((row) => 'criterion' in row)!
  expect(part).toMatchObject({ ...both, criterion, choice: 'tie' })
  for (const key of ['highlights', 'agreesWithSuggestion']) expect(part).not.toHaveProperty(key)
})

test('kept, downloaded and imported again, rows say how much better and what was suggested, in every format', async () => {
  await open({ suggestions: { hiddenShare: 0.4, isAfter: false } })
  const [person] = people as [Person]
  for (let work = await claimBy(person), i = 0; work.task && i < 12; i++)
    work = await answer(person, work, i % 3 === 0 ? 'tie' : 'right')
  const given = await rowsOf()
  const { version } = (await owner.ask(`POST ${at('/judgements')}`, { dataset: 'given' })).json as { version: string }
  const files = '/api/projects/desk/datasets'
  for (const format of ['jsonl', 'csv', 'parquet']) {
    const { bytes, text } = await owner.ask(`GET ${files}/given/file?format=${format}`)
    const columns = 'strength suggested suggestedScore suggestedBy suggestionShown agreesWithSuggestion'.split(' ')
    if (format === 'csv') expect(text.split('\r\n', 1)[0]!.split(',')).toEqual(expect.arrayContaining(columns))
    const name = `given-${format}`
    const sent = await owner.ask(`POST ${files}/${name}?kind=judgements&file=given.${format}`, bytes)
    expect(sent.json, sent.text).toMatchObject({ version, isNew: true })
    expect((await owner.ask(`GET ${files}/${name}/rows`)).json).toMatchObject({ rows: given })
  }
  expect(given.filter(({ choice }) => choice === 'right').every((row) => 'strength' in row)).toBe(true)
})

test('anchoring is found where it was planted and not where there is none', () => {
  const planted = (pull: number) => {
    const random = generator(5)
    return Array.from({ length: 1000 }, (_, i) => {
      const shown = random.uniform() < 0.3 ? ('hidden' as const) : ('before' as const)
      const agreed = random.uniform() < 0.6 + (shown === 'before' ? pull : 0)
      return { item: `${i % 400}`, suggestion: { choice: 'left' as const, score: 0.8, source: 's', shown, agreed } }
    })
  }
  const leaning = anchoringOf(planted(0.2)).difference!
  expect(leaning.low).toBeGreaterThan(0)
  expect(leaning.low < 0.2 && leaning.high > 0.2).toBe(true)
  const none = anchoringOf(planted(0)).difference!
  expect(none.low < 0 && none.high > 0).toBe(true)
  expect(anchoringOf(planted(0.2).slice(0, 12)).difference).toBeNull()
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
