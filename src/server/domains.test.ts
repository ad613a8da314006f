// A project that begins from a bundled domain, or empty: what it has, and what it leaves to others.
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, PASSWORD, type Person, setUp } from './harness.test-data.ts'

const DOMAIN = join(import.meta.dirname, '../../domains/customer-service')
const read = (name: string) => fs.readFileSync(join(DOMAIN, name), 'utf8')
type Criterion = { name: string; definition: string; constraint: boolean }
const OBJECTIVE = JSON.parse(read('objective.json')) as { summary: string; criteria: Criterion[] }
/** As the API tells them. */
const CRITERIA = OBJECTIVE.criteria.map(({ name, definition, constraint }) => ({ name, definition, constraint }))
const PROMPTS = read('prompts.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { prompt: string })

let harness: Harness
let owner: Person

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
})
afterAll(() => harness.close())

/** Criteria, the guideline, and rows of each dataset of a project. */
async function has(who: Person, project: string) {
  const { criteria } = (await who.ask(`GET /api/projects/${project}/objective`)).json as { criteria: unknown[] }
  const { versions } = (await who.ask(`GET /api/projects/${project}/guideline`)).json as {
    versions: { text: string; number: number }[]
  }
  const { datasets } = (await who.ask(`GET /api/projects/${project}/datasets`)).json as {
    datasets: { name: string; kind: string; rows: number }[]
  }
  return { criteria, versions, datasets }
}

test('the domains there are, with what each brings', async () => {
  const { domains } = (await owner.ask('GET /api/state')).json as { domains: object[] }
  expect(domains).toEqual([
    { name: 'customer-service', summary: OBJECTIVE.summary, criteria: CRITERIA.length, prompts: PROMPTS.length },
  ])
})

test('a project from a domain has its objective, guideline and prompts, which are its own from then on', async () => {
  const made = await owner.ask('POST /api/projects', { name: 'Second desk', domain: 'customer-service' })
  expect(made.json).toEqual({ slug: 'second-desk', name: 'Second desk' })
  const { criteria, versions, datasets } = await has(owner, 'second-desk')
  expect(criteria).toEqual(CRITERIA)
  expect(versions).toMatchObject([{ number: 1, text: read('guideline.md').trim() }])
  expect(datasets).toMatchObject([{ name: 'prompts', kind: 'prompts', rows: PROMPTS.length }])
  const { rows } = (await owner.ask('GET /api/projects/second-desk/datasets/prompts/rows')).json as { rows: object[] }
  expect(rows[0]).toMatchObject({ prompt: PROMPTS[0]!.prompt })
  // Nothing of it in the workspace's first project.
  expect((await has(owner, 'desk')).datasets).toEqual([])
  const own = join(harness.workspace, 'second-desk.objective.json')
  const changed = { ...(JSON.parse(fs.readFileSync(own, 'utf8')) as object), criteria: OBJECTIVE.criteria.slice(0, 2) }
  fs.writeFileSync(own, JSON.stringify(changed))
  expect((await has(owner, 'second-desk')).criteria).toHaveLength(2)
  expect((await has(owner, 'desk')).criteria).toHaveLength(CRITERIA.length)
  const audited = await owner.ask('GET /api/projects/second-desk/audit')
  expect(audited.text).toContain('"detail":{"domain":"customer-service"}')
})

test('its objective is what campaigns ask by, what releases begin with, and what its home counts', async () => {
  const { steps } = (await owner.ask('GET /api/projects/second-desk')).json as { steps: { figure: string }[] }
  expect(steps[0]!.figure).toBe('2')
  const asked = await owner.ask('POST /api/projects/second-desk/campaigns', {
    name: 'x',
    dataset: 'prompts',
    overlap: 1,
    criteria: [CRITERIA[4]!.name],
  })
  expect(asked.status).toBe(422)
  expect(asked.text).toContain(`(${CRITERIA[0]!.name}, ${CRITERIA[1]!.name})`)
  const { rules } = (await owner.ask('GET /api/projects/second-desk/releases')).json as { rules: object[] }
  expect(rules.length).toBeGreaterThan(0)
})

test('an empty project has none of it, whatever the first project has', async () => {
  expect((await owner.ask('POST /api/projects', { name: 'Bare' })).status).toBe(200)
  expect(await has(owner, 'bare')).toEqual({ criteria: [], versions: [], datasets: [] })
  const { steps } = (await owner.ask('GET /api/projects/bare')).json as { steps: object[] }
  expect(steps[0]).toMatchObject({ step: 'objective', state: 'empty' })
})

test('a domain that is not there is refused by its name, and no project is made', async () => {
  const refused = await owner.ask('POST /api/projects', { name: 'Third', domain: '../customer-service' })
  expect(refused.status).toBe(422)
  expect(refused.text).toContain('domain: expected one of customer-service, got ../customer-service')
  expect((await owner.ask('GET /api/projects/third')).status).toBe(404)
})

test('projects that shared the workspace’s objective before go on doing so', async () => {
  await owner.ask('POST /api/projects', { name: 'Old' })
  await harness.store.query("update projects set objective_file = default where slug = 'old'")
  expect((await has(owner, 'old')).criteria).toEqual(CRITERIA)
})

const account = (empty: Harness, domain: string) => ({
  token: empty.server.setUpToken,
  name: 'Owner',
  email: 'owner@example.org',
  password: PASSWORD,
  project: 'Desk',
  domain,
})

test('a workspace that was begun with an objective keeps it: set-up offers no other', async () => {
  const begun = await openHarness()
  const refused = await begun.stranger().ask('POST /api/set-up', account(begun, 'customer-service'))
  expect(refused.status).toBe(422)
  expect(refused.text).toContain('objective.json of its own')
  await begun.close()
})

test('the first project of an empty workspace begins from a domain too, for the command line as well', async () => {
  const empty = await openHarness({ isEmpty: true })
  const first = empty.stranger()
  expect((await first.ask('GET /api/state')).json).toMatchObject({ bringsObjective: false })
  expect((await first.ask('POST /api/set-up', account(empty, 'nothing-of-the-kind'))).status).toBe(422)
  expect((await first.ask('POST /api/set-up', account(empty, 'customer-service'))).status).toBe(200)
  expect((await has(first, 'desk')).criteria).toEqual(CRITERIA)
  expect((await has(first, 'desk')).datasets).toMatchObject([{ name: 'prompts' }])
  for (const file of ['objective.json', 'guideline.md'])
    expect(fs.readFileSync(join(empty.workspace, file), 'utf8')).toBe(read(file))
  await empty.close()
})
