// Stretches that somebody marked: compared with the text, drafted, taken back with the answer, shown to who settles the pair on
// the sides as they have them, and taken out with the judgement.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Highlight, Judgement } from '#schema'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let annotators: Person[]
let reviewer: Person
let campaign: string
const TEXT = 'One\r\n\u05e9\u05dc\u05d5\u05dd \u{1f600} e\u0301 two'
const rows = Array.from({ length: 4 }, (_, i) => ({
  item: `p${i}`,
  prompt: `Q${i}`,
  a: `${TEXT} a${i}`,
  b: `b${i} ${TEXT}`,
}))
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Task = { id: string; left: string; right: string; draft: { highlights?: Highlight[] } | null }
type Work = { task: Task | null }
const claimBy = async (person: Person) => ((await person.ask(`POST ${at('/claim')}`)).json as Work).task!
const judge = (person: Person, item: string, highlights: unknown, choice = 'left') =>
  person.ask(`POST ${at(`/items/${item}/judgement`)}`, {
    key: randomUUID(),
    choice,
    strength: 2,
    activeSeconds: 1,
    highlights,
  })
const mark = (text: string, quote: string, over: object = {}): Highlight => {
  const start = text.indexOf(quote)
  return { side: 'left', start, end: start + quote.length, quote, reason: 'why', ...over }
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  annotators = await Promise.all([1, 2].map(() => harness.join('desk', 'annotator', owner)))
  reviewer = await harness.join('desk', 'reviewer', owner)
  const file = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const body = { name: 'Round', dataset: 'pairs', overlap: 2, seed: 3 }
  campaign = ((await owner.ask('POST /api/projects/desk/campaigns', body)).json as { id: string }).id
  for (const person of annotators) await person.ask(`PUT ${at('/guideline-read')}`)
})
afterAll(() => harness.close())

test('a quote that does not stand there, half a character, and a place beyond the text are refused in words', async () => {
  const { id, left } = await claimBy(annotators[0]!)
  const good = mark(left, '\u{1f600}')
  for (const [wrong, words] of [
    [{ ...good, start: good.start + 1, quote: '\ude00' }, /whole characters|Invalid|unicode|surrogate/i],
    [{ ...good, start: good.start - 1 }, /expected what stands/],
    [{ ...good, side: 'right' }, /of the right completion/],
    [{ ...good, end: 9999 }, /within \d+ code units/],
    [{ ...good, end: good.start, quote: 'x' }, /stretch/],
    [{ ...good, reason: ' ' }, /why it is marked/],
    [{ ...good, by: 'me' }, /by/],
  ] as const) {
    // The other side has the same words elsewhere.
    const { status, text } = await judge(annotators[0]!, id, [wrong])
    expect(status, JSON.stringify(wrong)).toBe(422)
    expect(text).toMatch(words)
  }
  expect(harness.defects).toEqual([])
})

test('marks are drafted, given, taken back with the answer, and given again', async () => {
  const [ann] = annotators
  const { id, left, right } = await claimBy(ann!)
  const highlights = [
    mark(left, 'One\r\n\u05e9\u05dc', { reason: 'two lines' }),
    mark(right, '\u{1f600} e\u0301', { side: 'right', reason: '<b>too much</b>' }),
  ]
  await ann!.ask(`PUT ${at(`/items/${id}/draft`)}`, { choice: 'left', strength: 2, highlights, activeSeconds: 7 })
  expect((await claimBy(ann!)).draft?.highlights).toEqual(highlights)
  expect((await judge(ann!, id, highlights)).status).toBe(200)
  const back = (await ann!.ask(`POST ${at(`/items/${id}/reopen`)}`)).json as Work
  expect(back.task).toMatchObject({ id, draft: { highlights } })
  expect((await judge(ann!, id, highlights)).status).toBe(200)

  const { text } = await owner.ask(`GET ${at('/judgements')}`)
  const exported = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Judgement)
  expect(exported).toHaveLength(1)
  for (const { side, start, end, quote } of exported[0]!.highlights!)
    expect(exported[0]![side].slice(start, end)).toBe(quote)
})

test('who settles the pair sees them where they stand on their own sides, and only after a look of their own', async () => {
  const [ann, bob] = annotators
  const known = await harness.store.query<{ id: string }>(
    "select item_id::text as id from judgements where state = 'current'",
  )
  for (let i = 0; i < rows.length; i++) {
    const task = await claimBy(bob!)
    const isKnown = task.id === known[0]!.id
    await judge(bob!, task.id, isKnown ? [mark(task.right, ' two', { side: 'right' })] : [], 'right')
    if (!isKnown) continue
    const path = at(`/items/${task.id}`)
    const before = await reviewer.ask(`GET ${path}/adjudication`)
    expect(before.text).not.toContain('two lines')
    const { json } = await reviewer.ask(`POST ${path}/first-look`, { choice: 'tie' })
    const { left, right, shown } = json as {
      left: string
      right: string
      shown: { answers: { highlights: Highlight[] }[] }
    }
    expect(shown.answers.map(({ highlights }) => highlights.length)).toEqual([2, 1])
    for (const { side, start, end, quote } of shown.answers.flatMap((each) => each.highlights))
      expect({ left, right }[side].slice(start, end)).toBe(quote)
    return
  }
  expect(ann).toBe('somebody whose pair came to the other too')
})
