// Ratings and rankings over the API: what is required and within range counts, orders of the screen are drawn for each person
// and undone before anything is kept, and rankings come out as pairs that stay together.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findVersion, splitRows, versionRows } from '#data'
import { aggregate } from '#feedback'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const PROMPTS = 6
const K = 4
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Walk = {
  target: { kind: string; detail: string }
  nodes: { kind: string; label: string; way: string }[]
}
type Work = {
  task: { id: string; prompt: string; completions: string[]; draft: object | null } | null
  mine: number
  judged: number
  past: { id: string }[]
}
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/answers/claim')}`)).json as Work
const answer = (person: Person, item: string, over: object) =>
  person.ask(`POST ${at(`/items/${item}/answer`)}`, { key: randomUUID(), activeSeconds: 5, ...over })
const asFile = (rows: unknown[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
const QUESTIONS = [
  { name: 'tone', text: 'How is its tone?', type: '1-5' },
  { name: 'safe', text: 'Is it safe?', type: 'boolean' },
  { name: 'verdict', text: 'And all in all?', type: 'category', options: ['pass', 'fail', 'critical'] },
  { name: 'why', text: 'Why?', type: 'text', required: false, most: 20 },
]

async function open(over: object) {
  const made = await owner.ask('POST /api/projects/desk/campaigns', {
    name: randomUUID(),
    overlap: 2,
    seed: 4,
    ...over,
  })
  campaign = (made.json as { id?: string }).id ?? ''
  for (const person of campaign ? people : []) await person.ask(`PUT ${at('/guideline-read')}`)
  return made
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = await Promise.all([1, 2].map(() => harness.join('desk', 'annotator', owner)))
  const ranked = Array.from({ length: PROMPTS }, (_, i) => ({
    prompt: `Q${i}`,
    completions: Array.from({ length: K }, (_, k) => `answer ${k} to Q${i}`),
  }))
  await owner.ask('POST /api/projects/desk/datasets/several?kind=prompts', asFile(ranked))
  const single = ranked.flatMap(({ prompt, completions }) => ({ prompt, completion: completions[0] }))
  await owner.ask('POST /api/projects/desk/datasets/single?kind=demonstrations', asFile(single))
  await owner.ask('POST /api/projects/desk/datasets/plain?kind=prompts', asFile([{ prompt: 'Q' }]))
})
afterAll(() => harness.close())

test('a campaign that could not be answered, or has settings of another kind, is refused by the field', async () => {
  for (const [over, says] of [
    [{ kind: 'ratings', dataset: 'single' }, 'questions'],
    [{ kind: 'ratings', dataset: 'several', questions: QUESTIONS }, 'expected demonstrations'],
    [{ kind: 'ratings', dataset: 'single', questions: [...QUESTIONS, QUESTIONS[0]] }, 'different names'],
    [{ kind: 'rankings', dataset: 'several', questions: QUESTIONS }, 'a campaign of rankings has none'],
    [{ kind: 'rankings', dataset: 'plain' }, 'completions'],
    [{ kind: 'rankings', dataset: 'single' }, '2 to 9 completions'],
    [{ kind: 'rankings', dataset: 'several', goldRate: 0.1 }, 'goldRate'],
  ] as const) {
    const { status, text } = await open(over)
    expect([status, text], JSON.stringify(over)).toEqual([422, expect.stringContaining(says)])
  }
})

test('what is required and within its range is taken, whole; drafts and what is taken back keep every value', async () => {
  await open({ kind: 'ratings', dataset: 'single', questions: QUESTIONS })
  const [person] = people as [Person]
  const { task } = await claimBy(person)
  expect(task!.completions).toEqual([`answer 0 to ${task!.prompt}`])
  const whole = { tone: 4, safe: true, verdict: 'fail' }
  for (const [values, says] of [
    [{}, 'values.tone: expected an answer'],
    [{ ...whole, tone: 6 }, 'values.tone: expected a whole number from 1 to 5'],
    [{ ...whole, tone: 2.5 }, 'values.tone'],
    [{ ...whole, safe: 'yes' }, 'values.safe'],
    [{ ...whole, verdict: 'good' }, 'values.verdict: expected one of pass, fail, critical'],
    [{ ...whole, why: 'much too long a reason to give' }, 'values.why: expected 0 to 20 characters'],
    [{ ...whole, beauty: 3 }, 'values.beauty: this campaign does not ask'],
  ] as const) {
    const { status, text } = await answer(person, task!.id, { values })
    expect([status, text], JSON.stringify(values)).toEqual([422, expect.stringContaining(says)])
  }
  expect((await answer(person, task!.id, { places: [1] })).status).toBe(422)
  const draft = { values: { tone: 4 }, reason: 'so far', activeSeconds: 12.3 }
  expect((await person.ask(`PUT ${at(`/items/${task!.id}/answer`)}`, draft)).status).toBe(204)
  expect((await claimBy(person)).task!.draft).toEqual(draft)

  const key = randomUUID()
  const sent = await Promise.all([1, 2].map(() => answer(person, task!.id, { key, values: { ...whole, why: ' ' } })))
  expect(sent.map(({ status }) => status)).toEqual([200, 200])
  expect(await claimBy(person)).toMatchObject({ mine: 1, judged: 1 })
  expect((await answer(person, task!.id, { values: whole })).status).toBe(409)
  const back = (await person.ask(`POST ${at(`/items/${task!.id}/answer-reopen`)}`)).json as Work
  expect(back).toMatchObject({ mine: 0, judged: 0, task: { id: task!.id, draft: { values: whole } } })
  expect((await answer(person, task!.id, { values: { ...whole, why: ' because ' } })).status).toBe(200)
})

test('means, counts and agreement by question; rows carry every value and no name', async () => {
  for (const [i, person] of people.entries()) {
    for (let work = await claimBy(person); work.task; work = await claimBy(person)) {
      const n = Number(work.task.prompt.slice(1))
      const values = { tone: 1 + (n % 5), safe: n % 2 === 0, verdict: ['pass', 'fail', 'critical'][(n + i) % 3] }
      expect((await answer(person, work.task.id, { values })).status).toBe(200)
    }
  }
  const { questions, people: who } = (await owner.ask(`GET ${at('/answers')}`)).json as {
    questions: {
      name: string
      answers: number
      mean: { value: number; low: number; high: number } | null
      counts: { value: string; count: number }[]
      agreement: { items: number; percent: { value: number } } | null
    }[]
    people: { answers: number }[]
  }
  const [tone, safe, verdict, why] = questions
  expect(questions.map(({ name }) => name)).toEqual(['tone', 'safe', 'verdict', 'why'])
  expect(who.map(({ answers }) => answers)).toEqual([PROMPTS, PROMPTS])
  expect(tone!.answers).toBe(2 * PROMPTS)
  expect(tone!.mean!.low).toBeLessThan(tone!.mean!.value)
  expect(tone!.counts.map(({ count }) => count).reduce((x, y) => x + y)).toBe(2 * PROMPTS)
  expect(safe!.counts.map(({ value }) => value)).toEqual(['no', 'yes'])
  expect(safe!.mean!.value).toBeGreaterThan(0)
  expect(safe!.mean!.value).toBeLessThan(1)
  // Two people never gave one verdict but on the first, which one of them rated otherwise before.
  expect(verdict!.agreement!.items).toBe(PROMPTS)
  expect(verdict!.agreement!.percent.value).toBeLessThan(0.5)
  expect(verdict!.mean).toBeNull()
  expect(why).toMatchObject({ answers: 1, counts: [], agreement: null })
  const file = await owner.ask(`GET ${at('/answers/rows')}`)
  const rows = file.text
    .trim()
    .split('\n')
    .map(
      (line) => JSON.parse(line) as { annotator: string; completion: string; ratings: { tone: number; why?: string } },
    )
  expect(rows).toHaveLength(2 * PROMPTS)
  expect(rows.filter(({ ratings }) => ratings.why === 'because')).toHaveLength(1)
  expect(new Set(rows.map(({ annotator }) => annotator)).size).toBe(2)
  expect(file.text).not.toMatch(/annotator \d|example\.org/)
  // Kept, they are a dataset whose rows lead to the guideline and to what was rated, and are found by the ids of the answers.
  const [given] = await harness.store.query<{ id: string }>(
    "select answers.id from answers join items on items.id = item_id where campaign_id = $1 and state = 'current' limit 1",
    [campaign],
  )
  const walk = async () => (await owner.ask(`GET /api/projects/desk/lineage/walk?id=${given!.id}`)).json as Walk
  expect((await walk()).target).toMatchObject({
    kind: 'judgement',
    detail: expect.stringMatching(/^rated in .*; in no dataset yet$/) as string,
  })
  const kept = await owner.ask(`POST ${at('/answers')}`, { dataset: 'rated' })
  expect(kept.json).toMatchObject({ name: 'rated', rows: 2 * PROMPTS, isNew: true })
  const version = findVersion(harness.workspace, 'rated')
  expect([version.kind, version.parents]).toEqual(['ratings', [findVersion(harness.workspace, 'single').version]])
  const { target, nodes } = await walk()
  expect(target.detail).toMatch(/rated \{.*"tone":\d/)
  expect(nodes.filter(({ way }) => way === 'down').map(({ label }) => label)).toContain(
    `rated@${version.version.slice(0, 12)}`,
  )
  expect(nodes.filter(({ way }) => way === 'up').map(({ kind }) => kind)).toEqual(expect.arrayContaining(['guideline']))
  // Taken out and brought in again it is the same version.
  const again = await owner.ask(
    'POST /api/projects/desk/datasets/rated?kind=ratings',
    new TextEncoder().encode(file.text),
  )
  expect(again.json).toMatchObject({ kind: 'ratings', version: version.version, isNew: false })
})

test('rankings: each person has an order of their own, kept places are those of the completions, pairs stay together', async () => {
  await open({ kind: 'rankings', dataset: 'several' })
  const orders = new Set<string>()
  const quality = (completion: string) => Number(/answer (\d)/.exec(completion)![1])
  for (const person of people)
    for (let work = await claimBy(person); work.task; work = await claimBy(person)) {
      const { id, completions } = work.task
      orders.add(completions.map(quality).join(''))
      expect(new Set(completions).size).toBe(K)
      // As it was shown when it is asked for again, with its draft in the same order.
      const places = completions.map((completion) => quality(completion) + 1)
      await person.ask(`PUT ${at(`/items/${id}/answer`)}`, { places: places.map((p, i) => (i === 0 ? 0 : p)) })
      const again = (await claimBy(person)).task!
      expect(again).toMatchObject({ completions, draft: { places: places.map((p, i) => (i === 0 ? 0 : p)) } })
      for (const wrong of [places.slice(1), [...places, 1], places.map(() => 0)])
        expect((await answer(person, id, { places: wrong })).status, String(wrong)).toBe(422)
      // The two best share a place: the next is the second.
      const shared = places.map((p) => Math.max(2, p))
      expect((await answer(person, id, { places: shared })).status).toBe(200)
    }
  expect(orders.size).toBeGreaterThan(2)
  const contents = await harness.store.query<{ content: { places: number[] } }>(
    'select content from answers join items on items.id = item_id where campaign_id = $1',
    [campaign],
  )
  expect(contents).toHaveLength(2 * PROMPTS)
  for (const { content } of contents) expect(content.places).toEqual([1, 1, 2, 3])

  const kept = await owner.ask(`POST ${at('/answers')}`, { dataset: 'ranked' })
  const rowsInAll = (2 * PROMPTS * K * (K - 1)) / 2
  expect(kept.json).toMatchObject({ rows: rowsInAll })
  const version = findVersion(harness.workspace, 'ranked')
  const rows = [...versionRows(harness.workspace, { ...version, kind: 'judgements' as const })] as never[]
  const { splits } = splitRows(rows, { seed: 3, shares: { train: 0.5, validation: 0.5 }, stratified: true })
  const prompts = Object.values(splits).map((side: { prompt: string }[]) => new Set(side.map(({ prompt }) => prompt)))
  expect([...prompts[0]!].filter((prompt) => prompts[1]!.has(prompt))).toEqual([])
  const { preferences } = aggregate({ judgements: rows, seed: 1, method: 'majority' })
  expect(preferences).toHaveLength((PROMPTS * K * (K - 1)) / 2)
  for (const { a, b, probability } of preferences) {
    const [p, q] = [quality(a), quality(b)].map((each) => Math.max(1, each)) as [number, number]
    if (p === q) expect(probability).toBeCloseTo(0.5, 6)
    else expect(p < q ? probability : 1 - probability).toBeGreaterThan(0.5)
  }
  const report = (await owner.ask(`GET ${at('/answers')}`)).json as {
    pairs: number
    agreement: { percent: { value: number } }
    firstByPosition: { shown: number; first: number }[]
  }
  expect(report).toMatchObject({ pairs: rowsInAll, agreement: { percent: { value: 1 } } })
  expect(report.firstByPosition.map(({ shown }) => shown)).toEqual(Array(K).fill(2 * PROMPTS))
  expect(report.firstByPosition.reduce((sum, { first }) => sum + first, 0)).toBe(2 * 2 * PROMPTS)
  expect(harness.defects).toEqual([])
})

test('messages of a dialogue are rated one by one and as a whole: required of each, exported with the index of the message', async () => {
  const turns = (i: number) => [
    { role: 'user', content: `Q${i}` },
    { role: 'assistant', content: `first answer ${i}` },
    { role: 'user', content: 'And then?' },
  ]
  const dialogues = Array.from({ length: 4 }, (_, i) => ({ prompt: turns(i), completion: `last answer ${i}` }))
  await owner.ask('POST /api/projects/desk/datasets/dialogues?kind=demonstrations', asFile(dialogues))
  const questions = [
    { name: 'solved', text: 'Solved?', type: 'boolean' },
    { name: 'tone', text: 'Tone?', type: '1-5', each: 'message' },
    { name: 'note', text: 'What else?', type: 'text', each: 'message', required: false },
  ]
  await open({ kind: 'ratings', dataset: 'dialogues', questions })
  const whole = { solved: true, 'tone@1': 2, 'tone@3': 5 }
  const [person] = people as [Person]
  const { task } = await claimBy(person)
  for (const [values, says] of [
    [{ solved: true, 'tone@1': 2 }, 'values.tone@3: expected an answer'],
    [{ ...whole, 'tone@3': 6 }, 'values.tone@3: expected a whole number'],
    [{ ...whole, 'tone@2': 3 }, 'values.tone@2: this campaign does not ask it'],
    [{ ...whole, tone: 3 }, 'values.tone: this campaign does not ask it'],
    [{ ...whole, 'solved@1': true }, 'values.solved@1: this campaign does not ask it'],
  ] as const) {
    const { status, text } = await answer(person, task!.id, { values })
    expect([status, text], JSON.stringify(values)).toEqual([422, expect.stringContaining(says)])
  }
  const draft = { values: { 'tone@1': 4 } }
  expect((await person.ask(`PUT ${at(`/items/${task!.id}/answer`)}`, draft)).status).toBe(204)
  expect((await claimBy(person)).task!.draft).toEqual(draft)
  for (const each of people)
    for (let work = await claimBy(each); work.task; work = await claimBy(each)) {
      const sent = await answer(each, work.task.id, { values: { ...whole, 'note@1': ' short ', 'note@3': ' ' } })
      expect(sent.status, sent.text).toBe(200)
    }
  type Row = { id: string; message?: number; prompt: object[]; completion: string; ratings: object }
  const rows = (await owner.ask(`GET ${at('/answers/rows')}`)).text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
  expect(rows).toHaveLength(people.length * 4 * 3)
  const [first, last, all] = rows as [Row, Row, Row]
  for (const row of rows) expect(row).toHaveProperty('objective', expect.stringMatching(/^[0-9a-f]{64}$/))
  const i = Number(/\d/.exec(first.completion)![0])
  expect(first).toMatchObject({
    id: `${all.id}.1`,
    message: 1,
    prompt: turns(i).slice(0, 1),
    completion: `first answer ${i}`,
    ratings: { tone: 2, note: 'short' },
  })
  expect(last).toMatchObject({ message: 3, prompt: turns(i), completion: `last answer ${i}`, ratings: { tone: 5 } })
  expect(all).toMatchObject({ prompt: turns(i), completion: `last answer ${i}`, ratings: { solved: true } })
  expect(all).not.toHaveProperty('message')

  const report = (await owner.ask(`GET ${at('/answers')}`)).json as {
    questions: { name: string; answers: number; mean: object | null; byMessage: object[]; agreement: object | null }[]
  }
  expect(report.questions.find(({ name }) => name === 'tone')).toMatchObject({
    answers: people.length * 8,
    mean: { value: 3.5 },
    byMessage: [
      { message: 1, mean: { value: 2 } },
      { message: 3, mean: { value: 5 } },
    ],
    agreement: { items: 8, percent: { value: 1 } },
  })
  expect(report.questions.find(({ name }) => name === 'solved')).toMatchObject({
    answers: people.length * 4,
    byMessage: [],
  })
  const kept = await owner.ask(`POST ${at('/answers')}`, { dataset: 'rated-dialogues' })
  expect(kept.json).toMatchObject({ rows: rows.length })
})
