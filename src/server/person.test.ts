// The page about one person over the API: a lead sees what stands out, a person their own without what would tell gold, and
// nobody somebody else's; the campaign's square of who agrees with whom counts shared pairs.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generator } from '#stats'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let people: Person[]
let campaign: string
const GOLD = 25
const PAIRS = 60
const rows = Array.from({ length: GOLD + PAIRS }, (_, i) => ({
  item: `pair-${i}`,
  prompt: `Q${i}`,
  a: `first ${i}`,
  b: `second ${i}`,
  ...(i < GOLD && { gold: 'a' }),
}))
const at = (path = '') => `/api/projects/desk/campaigns/${campaign}${path}`
type Shown = {
  judged: number
  isSelf: boolean
  gold: { value: number } | null
  goldChart: { points: number[] } | null
  agreementChart: { points: number[] } | null
  leftShare: { value: number }
  findings: { test: string; isAccused: boolean; says: string }[]
  pace: { labels: string[]; own: number[]; others: number[] }
  answers: { labels: string[]; own: number[]; others: number[] }
}
const sees = (reader: Person, person: Person) => reader.ask(`GET ${at(`/people/${person.id}`)}`)

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  people = await Promise.all([1, 2, 3, 4].map(() => harness.join('desk', 'annotator', owner)))
  const file = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const body = { name: 'Round', dataset: 'pairs', overlap: 4, seed: 5, goldRate: 0.3 }
  campaign = ((await owner.ask('POST /api/projects/desk/campaigns', body)).json as { id: string }).id
  // Three know that the first is better, nine times in ten; the fourth goes left.
  const random = generator(7)
  for (const [n, person] of people.entries()) {
    await person.ask(`PUT ${at('/guideline-read')}`)
    type Work = { task: { id: string; left: string } | null }
    let work = (await person.ask(`POST ${at('/claim')}`)).json as Work
    while (work.task) {
      const isRight = random.uniform() < 0.9
      const choice = n === 3 || work.task.left.startsWith('first') === isRight ? 'left' : 'right'
      const answer = { key: randomUUID(), choice, strength: n === 3 ? 4 : 2, activeSeconds: n === 3 ? 1 : 9 }
      work = (await person.ask(`POST ${at(`/items/${work.task.id}/judgement`)}`, answer)).json as Work
    }
  }
})
afterAll(() => harness.close())

test('a lead sees who leans to a side, with courses over time and how this person answers beside the others', async () => {
  const lefty = (await sees(owner, people[3]!)).json as Shown
  expect(lefty.findings.find(({ test }) => test === 'side')).toMatchObject({ isAccused: true })
  expect(lefty.leftShare.value).toBe(1)
  expect(lefty).toMatchObject({ isSelf: false })
  const good = (await sees(owner, people[0]!)).json as Shown
  expect(good.findings.filter(({ isAccused }) => isAccused)).toEqual([])
  expect(good.gold!.value).toBeGreaterThan(lefty.gold!.value)
  expect(good.agreementChart!.points).toHaveLength(good.judged)
  const strong = lefty.answers.labels.indexOf('strong')
  expect([lefty.answers.own[strong], lefty.answers.others[strong]]).toEqual([lefty.judged, 0])
  const sum = (counts: number[]) => counts.reduce((x, y) => x + y, 0)
  expect(sum(lefty.pace.own)).toBe(lefty.judged)
  expect(lefty.pace.own[lefty.pace.labels.indexOf('0 to 2 s')]).toBe(lefty.judged)
  expect(good.pace.own[good.pace.labels.indexOf('8 to 16 s')]).toBe(good.judged)
})

test('a person sees their own; gold only when the campaign is closed; nobody else’s', async () => {
  const own = (await sees(people[0]!, people[0]!)).json as Shown
  expect(own).toMatchObject({ isSelf: true, gold: null, goldChart: null })
  expect(own.findings.map(({ test }) => test)).not.toContain('gold')
  expect(own.judged).toBeGreaterThan(PAIRS)
  expect((await sees(people[0]!, people[1]!)).status).toBe(403)
  await owner.ask(`PUT ${at('/state')}`, { state: 'closed' })
  expect((await sees(people[0]!, people[0]!)).json).toMatchObject({ gold: { value: expect.closeTo(0.9, 0) } })
  const nobody = '00000000-0000-4000-8000-000000000000'
  expect((await owner.ask(`GET ${at(`/people/${nobody}`)}`)).status).toBe(404)
})

test('the campaign says who agrees with whom, on how many shared pairs', async () => {
  const { matrix } = (await owner.ask(`GET ${at()}`)).json as {
    matrix: { first: string; second: string; value: number; n: number }[]
  }
  expect(matrix).toHaveLength(6)
  expect(matrix.every(({ n }) => n === PAIRS)).toBe(true)
  const ofLefty = ({ first, second }: { first: string; second: string }) => [first, second].includes(people[3]!.id)
  const least = Math.min(...matrix.filter((pair) => !ofLefty(pair)).map(({ value }) => value))
  for (const pair of matrix.filter(ofLefty)) expect(pair.value).toBeLessThan(least)
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
