// In what order people get the items of a campaign: each order by what it says, changed while people are at work, and each change
// in the audit log.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Vote } from '#feedback'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'
import { uncertaintyRank } from './ordering.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const PAIRS = 6
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Work = { task: { id: string; prompt: string; left: string } | null }

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = await Promise.all([1, 2, 3, 4].map(() => harness.join('desk', 'annotator', owner)))
  const plain = Array.from({ length: PAIRS }, (_, i) => ({
    item: `pair-${i}`,
    prompt: `Q${i}`,
    a: `first ${i}`,
    b: `second ${i}`,
  }))
  const keep = (name: string, rows: object[], kind = 'comparisons') =>
    owner.ask(
      `POST /api/projects/desk/datasets/${name}?kind=${kind}`,
      new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
    )
  await keep('plain', plain)
  await keep(
    'urgent',
    plain.map((row, i) => ({ ...row, ...(i < 3 && { priority: [0, 7.5, -1][i] }) })),
  )
  await keep(
    'scored',
    plain.map((row, i) => ({ ...row, margin: [3, -0.2, 0.5, -4, 1, -2][i] })),
  )
  await keep(
    'wrong',
    plain.map((row) => ({ ...row, priority: 'soon' })),
  )
  await keep(
    'answers',
    plain.map(({ prompt, a }, i) => ({ prompt, completion: a, priority: i })),
    'demonstrations',
  )
})
afterAll(() => harness.close())

async function open(over: object) {
  const body = { name: randomUUID(), dataset: 'plain', overlap: 2, seed: 3, ...over }
  const made = await owner.ask('POST /api/projects/desk/campaigns', body)
  campaign = (made.json as { id?: string }).id ?? ''
  for (const person of campaign ? people : []) await person.ask(`PUT ${at('/guideline-read')}`)
  return made
}
const setOrder = (order: string) => owner.ask(`PUT ${at('/order')}`, { order })
const claimBy = async (person: Person) => (await person.ask(`POST ${at('/claim')}`)).json as Work
/** The prompts that a person meets, in order; each answered for the first completion unless said otherwise. */
async function judge(
  person: Person,
  most = Infinity,
  isFirst: (prompt: string) => boolean = () => true,
): Promise<string[]> {
  const met: string[] = []
  while (met.length < most) {
    const { task } = await claimBy(person)
    if (!task) break
    const choice = task.left.startsWith('first') === isFirst(task.prompt) ? 'left' : 'right'
    const body = { key: randomUUID(), choice, strength: 2, activeSeconds: 1 }
    expect((await person.ask(`POST ${at(`/items/${task.id}/judgement`)}`, body)).status).toBe(200)
    met.push(task.prompt)
  }
  return met
}
const drawn = async () =>
  (
    await harness.store.query<{ prompt: string }>(
      `select prompt #>> '{}' as prompt from items where campaign_id = $1 order by position`,
      [campaign],
    )
  ).map(({ prompt }) => prompt)

test('without another word, everybody gets the order that the seed drew', async () => {
  await open({})
  const order = await drawn()
  expect(order).not.toEqual([...order].sort())
  expect(await judge(people[0]!)).toEqual(order)
  expect(await judge(people[1]!)).toEqual(order)
  await open({})
  expect(await drawn()).toEqual(order)
  await open({ seed: 4 })
  expect(await drawn()).not.toEqual(order)
})

test('the most urgent come first, the highest number before others, rows without one last and as drawn', async () => {
  await open({ dataset: 'urgent', order: 'priority' })
  const rest = (await drawn()).filter((prompt) => !['Q0', 'Q1', 'Q2'].includes(prompt))
  expect(await judge(people[0]!)).toEqual(['Q1', 'Q0', 'Q2', ...rest])
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ itemOrder: 'priority', priorities: 3, margins: 0 })
})

test('what others have begun comes first, what lacks the fewest answers before others', async () => {
  await open({ order: 'begun', overlap: 3 })
  const order = await drawn()
  const [one, two, three, four] = people as [Person, Person, Person, Person]
  // Somebody at work on the first keeps it; the next person finishes what is begun all the same.
  expect(await judge(one, 3)).toEqual(order.slice(0, 3))
  expect(await judge(two, 1)).toEqual([order[0]])
  await setOrder('random')
  expect(await judge(two, 2)).toEqual([order[1], order[2]])
  expect(await judge(two, 2)).toEqual([order[3], order[4]])
  await setOrder('begun')
  // Two of three are there of the first three, one of the next two, none of the last.
  expect(await judge(three, 4)).toEqual([order[0], order[1], order[2], order[3]])
  // The first person has had the fourth in hand since.
  expect(await judge(four)).toEqual([order[4], order[5]])
})

test('the least certain come first: by the margin where nobody has judged, and by what people say once they do', async () => {
  await open({ dataset: 'scored', order: 'uncertainty', overlap: 3 })
  const [one, two, three] = people as [Person, Person, Person]
  // |margin| of 0.2, 0.5, 1, 2, 3, 4.
  expect(await judge(one, 3, (prompt) => prompt !== 'Q1')).toEqual(['Q1', 'Q2', 'Q4'])
  // Answers that agree with the margin made these more certain; so the next by margin come before them.
  const met = await judge(two, 2)
  expect(met[0]).toBe('Q1')
  expect((await owner.ask(`GET ${at()}`)).json).toMatchObject({ itemOrder: 'uncertainty', margins: 6 })
  const ranks = await harness.store.query<{ prompt: string; rank: number }>(
    `select prompt #>> '{}' as prompt, rank from items where campaign_id = $1 order by rank`,
    [campaign],
  )
  expect(ranks.every(({ rank }) => rank >= 0 && rank <= 0.5)).toBe(true)
  expect(ranks.at(-1)!.prompt).toBe('Q3')
  expect((await claimBy(three)).task!.prompt).toBe(ranks[0]!.prompt)
})

test('a rank says how far from a toss of a coin a pair is: votes and margin are log-odds that add up', () => {
  const coinsOf = () => ({ left: 0.8, right: 0.8 })
  const vote = (towardsA: number): Vote => ({ annotator: 'p', row: 0, isALeft: true, choice: 'left', towardsA })
  expect(uncertaintyRank(null, [], coinsOf)).toBe(0)
  expect(uncertaintyRank(null, [vote(1)], coinsOf)).toBeCloseTo(0.3, 12)
  expect(uncertaintyRank(null, [vote(1), vote(0)], coinsOf)).toBeCloseTo(0, 12)
  expect(uncertaintyRank(Math.log(4), [vote(0)], coinsOf)).toBeCloseTo(0, 12)
  expect(uncertaintyRank(-Math.log(4), [], coinsOf)).toBeCloseTo(0.3, 12)
  expect(uncertaintyRank(1000, [vote(0)], coinsOf)).toBe(0.5)
})

test('an order that these items cannot have is refused, at the start and later; each change is in the audit log', async () => {
  for (const [over, says] of [
    [{ order: 'priority' }, 'order: no row of the dataset brings a priority'],
    [{ order: 'begun', overlap: 1 }, 'order: with one answer each'],
    [{ order: 'alphabet' }, 'order'],
    [{ dataset: 'wrong' }, 'dataset: priority: expected a number, got'],
    [
      {
        dataset: 'answers',
        kind: 'ratings',
        questions: [{ name: 'tone', text: 'Tone?', type: '1-5' }],
        order: 'uncertainty',
      },
      'order: only of pairs',
    ],
  ] as const) {
    const { status, text } = await open(over)
    expect([status, text], JSON.stringify(over)).toEqual([422, expect.stringContaining(says)])
  }
  await open({ dataset: 'urgent' })
  expect((await setOrder('priority')).status).toBe(204)
  expect((await claimBy(people[0]!)).task!.prompt).toBe('Q1')
  expect((await setOrder('random')).status).toBe(204)
  expect((await claimBy(people[1]!)).task!.prompt).toBe((await drawn())[0])
  await open({})
  expect((await setOrder('priority')).status).toBe(422)
  expect((await setOrder('begun')).status).toBe(204)
  expect((await people[0]!.ask(`PUT ${at('/order')}`, { order: 'random' })).status).toBe(403)
  const changes = await harness.store.query<{ actor: string; detail: object }>(
    "select actor, detail from audit where action = 'campaign.order' and subject = $1",
    [campaign],
  )
  expect(changes).toEqual([{ actor: owner.id, detail: { from: 'random', to: 'begun' } }])
})

test('ratings too are given out by priority', async () => {
  const questions = [{ name: 'tone', text: 'Tone?', type: '1-5' }]
  await open({ dataset: 'answers', kind: 'ratings', questions, order: 'priority' })
  const { task } = (await people[0]!.ask(`POST ${at('/answers/claim')}`)).json as Work
  expect(task!.prompt).toBe(`Q${PAIRS - 1}`)
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
