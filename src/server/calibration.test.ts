// A calibration round: everybody answers every pair, nobody sees another's answer before it is closed, and then those who took
// part do. And people who fall behind on gold: paused by themselves, given nothing, and let go on by a lead.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let people: Person[]
let late: Person
let campaign: string
const PAIRS = 3
const GOLD = 8
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Work = {
  task: { id: string; left: string; prompt: string } | null
  isPaused: boolean
  mine: number
  wanted: number
}
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/claim')}`)).json as Work
const asFile = (rows: unknown[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
const judge = (person: Person, task: NonNullable<Work['task']>, isFirst: boolean, over: object = {}) => {
  const choice = task.left.startsWith('first') === isFirst ? 'left' : 'right'
  const body = { key: randomUUID(), choice, strength: 2, activeSeconds: 2, ...over }
  return person.ask(`POST ${at(`/items/${task.id}/judgement`)}`, body)
}
async function open(over: object) {
  const body = { name: randomUUID(), dataset: 'pairs', overlap: 1, seed: 5, ...over }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  campaign = (made.json as { id?: string }).id ?? ''
  for (const person of campaign ? [...people, late] : []) await person.ask(`PUT ${at('/guideline-read')}`)
  return made
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = await Promise.all([1, 2, 3].map(() => harness.join('desk', 'annotator', owner)))
  late = await harness.join('desk', 'annotator', owner)
  const pair = (i: number) => ({ item: `pair-${i}`, prompt: `Q${i}`, a: `first ${i}`, b: `second ${i}` })
  const rows = Array.from({ length: PAIRS }, (_, i) => pair(i))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', asFile(rows))
  const many = Array.from({ length: 30 + GOLD }, (_, i) => ({ ...pair(i), ...(i < GOLD && { gold: 'a' }) }))
  await owner.ask('POST /api/projects/desk/datasets/golden?kind=comparisons', asFile(many))
})
afterAll(() => harness.close())

test('everybody answers every pair of a calibration round, and what is wanted follows who takes part', async () => {
  const wrong = await open({ isCalibration: true, adaptive: { threshold: 0.9, cap: 3 } })
  expect([wrong.status, wrong.text]).toEqual([422, expect.stringContaining('adaptive')])
  await open({ isCalibration: true, criteria: ['fact'] })
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ isCalibration: true, judged: 0, wanted: PAIRS })
  for (const [who, person] of people.entries())
    for (let work = await claimBy(person); work.task; work = await claimBy(person)) {
      const isFirst = work.task.prompt !== 'Q0' || who !== 2
      const criteria = { fact: { choice: work.task.left.startsWith('first') ? 'left' : 'right', strength: 1 } }
      const sent = await judge(person, work.task, isFirst, { criteria, reason: `because ${who}` })
      expect(sent.status, sent.text).toBe(200)
    }
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ judged: 3 * PAIRS, wanted: 3 * PAIRS })
})

test('nothing of others is told before the round is closed, to nobody; then to those who took part, on their own sides', async () => {
  for (const person of [people[0]!, owner]) {
    const early = await person.ask(`GET ${at('/discussion')}`)
    expect([early.status, early.text]).toEqual([403, expect.stringContaining('once the round is closed')])
  }
  const [item] = await harness.store.query<{ id: string }>('select id::text from items where campaign_id = $1', [
    campaign,
  ])
  const remark = `POST ${at(`/items/${item!.id}/remarks`)}`
  expect((await people[0]!.ask(remark, { key: randomUUID(), text: 'Early.' })).status).toBe(403)
  await owner.ask(`PUT ${at('/state')}`, { state: 'closed' })
  expect((await late.ask(`GET ${at('/discussion')}`)).status).toBe(403)
  expect((await late.ask(remark, { key: randomUUID(), text: 'Not mine.' })).status).toBe(403)

  type Shown = {
    people: number
    items: {
      id: string
      prompt: string
      left: string
      isAgreed: boolean
      answers: { person: string; isMine: boolean; choice: string; criteria: { choice: string }[]; reason: string }[]
      remarks: { person: string; isMine: boolean; text: string }[]
    }[]
  }
  for (const person of people) {
    const { json, text } = await person.ask(`GET ${at('/discussion')}`)
    const shown = json as Shown
    expect(shown.people).toBe(3)
    expect(shown.items).toHaveLength(PAIRS)
    const agreed = shown.items.flatMap(({ prompt, isAgreed }) => (isAgreed ? [prompt] : []))
    expect(agreed.sort()).toEqual(['Q1', 'Q2'])
    for (const { left, prompt, answers } of shown.items) {
      expect(answers.filter(({ isMine }) => isMine)).toHaveLength(1)
      const first = left.startsWith('first') ? 'left' : 'right'
      for (const { choice, criteria, reason } of answers) {
        const isFirst = prompt !== 'Q0' || reason !== 'because 2'
        expect(choice === first, `${prompt} ${reason}`).toBe(isFirst)
        expect(criteria.map((each) => each.choice)).toEqual([first])
      }
    }
    // Letters, the same on every pair; no name and no id of anybody.
    expect(new Set(shown.items.flatMap(({ answers }) => answers.map((each) => each.person)))).toEqual(
      new Set(['Person A', 'Person B', 'Person C']),
    )
    for (const other of people) expect(text).not.toContain(other.id)
    expect(text).not.toMatch(/annotator \d|@example/)
  }
  const led = await owner.ask(`GET ${at('/discussion')}`)
  expect(led.text).toMatch(/annotator \d/)
})

test('remarks stay with their pair, one a key; home says that there is something to talk about; no second opening', async () => {
  const [one, two] = people as [Person, Person]
  const [item] = await harness.store.query<{ id: string }>('select id::text from items where campaign_id = $1', [
    campaign,
  ])
  const remark = `POST ${at(`/items/${item!.id}/remarks`)}`
  const key = randomUUID()
  await Promise.all([1, 2].map(() => one.ask(remark, { key, text: 'The second states no fact.' })))
  const shown = (await two.ask(remark, { key: randomUUID(), text: 'True.' })).json as {
    items: { id: string; remarks: { text: string; isMine: boolean }[] }[]
  }
  expect(shown.items.find(({ id }) => id === item!.id)!.remarks).toMatchObject([
    { text: 'The second states no fact.', isMine: false },
    { text: 'True.', isMine: true },
  ])
  expect((await one.ask('GET /api/projects/desk')).text).toContain('pairs to talk about')
  expect((await late.ask('GET /api/projects/desk')).text).not.toContain('pairs to talk about')
  const again = await owner.ask(`PUT ${at('/state')}`, { state: 'open' })
  expect([again.status, again.text]).toEqual([422, expect.stringContaining('another round')])
  await open({})
  await owner.ask(`PUT ${at('/state')}`, { state: 'closed' })
  expect((await one.ask(`GET ${at('/discussion')}`)).status).toBe(422)
})

test('who falls below the share after so many gold answers is paused, keeps nothing claimed, and goes on by a lead alone', async () => {
  await open({ dataset: 'golden', goldRate: 0.5 })
  const rule = { items: 4, below: 0.6 }
  const many = await owner.ask(`PUT ${at('/pause-rule')}`, { rule: { items: GOLD + 1, below: 0.5 } })
  expect([many.status, many.text]).toEqual([422, expect.stringContaining('rule.items')])
  expect((await owner.ask(`PUT ${at('/pause-rule')}`, { rule })).status).toBe(204)
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ pauseRule: rule })
  const [bad, good] = people as [Person, Person]
  const isGold = (task: { prompt: string }) => Number(task.prompt.slice(1)) < GOLD
  /** Works until nothing comes; answers how many gold ones were met. */
  const work = async (person: Person, isRight: (gold: number) => boolean): Promise<{ gold: number; last: Work }> => {
    let [gold, last] = [0, await claimBy(person)]
    while (last.task) {
      const sent = await judge(person, last.task, isGold(last.task) ? isRight(gold) : true)
      expect(sent.status, sent.text).toBe(200)
      if (isGold(last.task)) gold++
      last = sent.json as Work
    }
    return { gold, last }
  }
  // Two of four right: below 0.6.
  const first = await work(bad, (gold) => gold % 2 === 0)
  expect(first).toMatchObject({ gold: 4, last: { isPaused: true } })
  expect(await harness.store.query('select 1 from claims where user_id = $1', [bad.id])).toEqual([])
  const [open_] = await harness.store.query<{ id: string }>(
    'select id::text from items where campaign_id = $1 and gold is null and judged = 0 limit 1',
    [campaign],
  )
  const aside = await bad.ask(`POST ${at(`/items/${open_!.id}/judgement`)}`, {
    key: randomUUID(),
    choice: 'tie',
    activeSeconds: 1,
  })
  expect([aside.status, aside.text]).toEqual([422, expect.stringContaining('paused')])
  type Report = { people: { user: string; paused: { by: string | null; right: number; answers: number } | null }[] }
  const pausedOf = async (person: Person) =>
    ((await owner.ask(`GET ${at()}`)).json as Report).people.find(({ user }) => user === person.id)!.paused
  expect(await pausedOf(bad)).toMatchObject({ by: null, right: 2, answers: 4 })
  expect((await owner.ask('GET /api/projects/desk')).text).toContain('person paused by gold')
  expect((await good.ask('GET /api/projects/desk')).text).not.toContain('paused by gold')
  // Nothing says which were gold.
  const { past: _, guideline: __, ...told } = first.last as Work & { past: unknown; guideline: unknown }
  expect(JSON.stringify(told)).not.toMatch(/gold|right|better/)

  for (const verb of ['pause', 'resume'])
    expect((await good.ask(`POST ${at(`/people/${bad.id}/${verb}`)}`, { reason: 'x' })).status).toBe(403)
  expect((await owner.ask(`POST ${at(`/people/${bad.id}/resume`)}`, { reason: 'We talked.' })).status).toBe(204)
  expect((await owner.ask(`POST ${at(`/people/${bad.id}/resume`)}`, { reason: 'Again.' })).status).toBe(422)
  // What was before does not pause them again; what comes after may.
  expect(await claimBy(bad)).toMatchObject({ isPaused: false })
  const second = await work(bad, () => true)
  expect(second).toMatchObject({ gold: GOLD - 4, last: { isPaused: false } })
  expect(await pausedOf(bad)).toBeNull()

  expect((await owner.ask(`POST ${at(`/people/${good.id}/pause`)}`, { reason: 'Holiday.' })).status).toBe(204)
  expect(await claimBy(good)).toMatchObject({ isPaused: true, task: null })
  const actions = await harness.store.query<{ action: string }>(
    "select action from audit where action like 'person.%' order by id",
  )
  expect(actions.map(({ action }) => action)).toEqual(['person.pause', 'person.resume', 'person.pause'])
  expect(harness.defects).toEqual([])
})
