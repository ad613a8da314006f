// The picture of the loop, station by station: where its work is done, and to whom that is open.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Role } from '#schema'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
const members = new Map<Role, Person>()
type Station = { step: string; place: { screen: string; campaign: string | null } | null }

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  members.set('owner', owner)
  for (const role of Role.options) if (role !== 'owner') members.set(role, await harness.join('desk', role, owner))
})
afterAll(() => harness.close())

const placesOf = async (role: Role) => {
  const { steps } = (await members.get(role)!.ask('GET /api/projects/desk')).json as { steps: Station[] }
  return Object.fromEntries(steps.map(({ step, place }) => [step, place]))
}
const page = (screen: string) => ({ screen, campaign: null })
async function open(kind: string, dataset: string): Promise<string> {
  const body = { kind, name: `${kind} of spring`, dataset, overlap: 1 }
  return ((await owner.ask('POST /api/projects/desk/campaigns', body)).json as { id: string }).id
}

test('every page that a station leads to lets its reader in; an annotator is led to what they may read', async () => {
  for (const role of Role.options.filter((each) => each !== 'annotator')) {
    expect(await placesOf(role), role).toEqual({
      objective: page('objective'),
      demonstrations: page('datasets'),
      sft: page('runs'),
      comparisons: page('campaigns'),
      reward: page('runs'),
      rl: page('runs'),
      evaluation: page('evaluations'),
    })
    for (const screen of ['objective', 'datasets', 'campaigns', 'runs', 'evaluations', 'releases'])
      expect((await members.get(role)!.ask(`GET /api/projects/desk/${screen}`)).status, `${role} ${screen}`).toBe(200)
  }
  const { objective, ...others } = await placesOf('annotator')
  expect(objective).toEqual(page('objective'))
  expect(Object.values(others)).toEqual(Array.from({ length: 6 }, () => null))
})

test('what is open for an annotator is led to, and no longer once it is done', async () => {
  const prompts = Buffer.from('{"prompt":"Q"}\n')
  await owner.ask('POST /api/projects/desk/datasets/asked?kind=prompts', new Uint8Array(prompts))
  const pairs = Buffer.from('{"item":"one","prompt":"Q","a":"Yes.","b":"No."}\n')
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', new Uint8Array(pairs))
  const [written, judged] = [await open('demonstrations', 'asked'), await open('pairs', 'pairs')]
  expect(await placesOf('annotator')).toMatchObject({
    demonstrations: { screen: 'write', campaign: written },
    comparisons: { screen: 'judge', campaign: judged },
    reward: null,
  })
  expect(await placesOf('lead')).toMatchObject({ demonstrations: page('campaigns'), comparisons: page('campaigns') })
  await owner.ask(`PUT /api/projects/desk/campaigns/${judged}/state`, { state: 'closed' })
  expect(await placesOf('annotator')).toMatchObject({ comparisons: null })
  expect(harness.defects).toEqual([])
})
