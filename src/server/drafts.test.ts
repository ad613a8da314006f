// Half-written objectives and guidelines over the API: kept for their writer alone, whatever is wrong in them, until they are
// saved as a version or discarded.
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Objective } from '#schema'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let lead: Person

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  lead = await harness.join('desk', 'lead', owner)
})
afterAll(() => harness.close())

const AT = '/api/projects/desk'
type Editor = 'objective' | 'guideline'
const left = async (by: Person, editor: Editor) => (await by.ask(`GET ${AT}/${editor}/draft`)).json
const keep = (by: Person, editor: Editor, body: unknown) => by.ask(`PUT ${AT}/${editor}/draft`, body)
const NOTHING = { draft: null, savedAt: null }
const CRITERION = { name: 'Not A Name', definition: '', good: '', bad: '', borderline: '', low: '', high: '1' }
const HALF = {
  name: 'desk',
  version: '2',
  summary: '',
  criteria: [
    {
      ...CRITERION,
      weight: '0.',
      owner: '',
      source: 'business need',
      constraint: false,
      targets: [{ statistic: 'mean', bound: 'low', comparison: 'above', value: '', level: '0.9', suite: '' }],
    },
  ],
  note: 'half',
}

test('what is half written is kept as it is for its writer alone; the newest is in place of the one before', async () => {
  const { hash } = (await owner.ask(`GET ${AT}/objective`)).json as { hash: string }
  expect(await left(owner, 'objective')).toEqual(NOTHING)
  const first = { objective: { ...HALF, criteria: [] }, from: null }
  expect((await keep(owner, 'objective', first)).status).toBe(200)
  const kept = await keep(owner, 'objective', { objective: HALF, from: hash })
  expect(await left(owner, 'objective')).toEqual({ draft: { objective: HALF, from: hash }, ...(kept.json as object) })
  expect((await keep(owner, 'guideline', { text: '# Cho', from: null })).status).toBe(200)
  expect(await left(owner, 'guideline')).toMatchObject({ draft: { text: '# Cho', from: null } })
  for (const editor of ['objective', 'guideline'] as const) {
    expect(await left(lead, editor)).toEqual(NOTHING)
    expect((await owner.ask(`GET /api/projects/desk/audit`)).text).not.toContain('draft')
  }
  await harness.restart()
  expect(await left(owner, 'objective')).toMatchObject({ draft: { objective: HALF } })
})

test('what is no draft is refused by its field', async () => {
  for (const [editor, body, says] of [
    ['objective', { objective: { ...HALF, colour: 'red' }, from: null }, 'objective: '],
    ['objective', { objective: HALF, from: 'x' }, 'from: expected the hash of an objective'],
    ['objective', { objective: { ...HALF, criteria: [{ ...HALF.criteria[0], weight: 1 }] }, from: null }, 'weight'],
    ['guideline', { text: 'x', from: 0 }, 'from: '],
  ] as const) {
    const { status, text } = await keep(owner, editor, body)
    expect([status, text], says).toEqual([422, expect.stringContaining(says)])
  }
})

test('saved as a version, the draft of who saved it is gone, and the drafts of others know what they began from', async () => {
  const { objective, hash } = (await owner.ask(`GET ${AT}/objective`)).json as { objective: Objective; hash: string }
  await keep(lead, 'objective', { objective: HALF, from: hash })
  const saved = await owner.ask(`PUT ${AT}/objective`, { objective: { ...objective, summary: 'Kinder.' }, from: hash })
  expect(saved.status).toBe(200)
  expect(await left(owner, 'objective')).toEqual(NOTHING)
  expect(await left(lead, 'objective')).toMatchObject({ draft: { from: hash } })
  const { versions } = (await lead.ask(`GET ${AT}/objective`)).json as { versions: { number: number; hash: string }[] }
  expect(versions.find((version) => version.hash === hash)?.number).toBe(1)
  await owner.ask(`PUT ${AT}/guideline`, { text: '# Choose' })
  expect(await left(owner, 'guideline')).toEqual(NOTHING)
  // A save that is refused takes no draft.
  const refused = await lead.ask(`PUT ${AT}/objective`, { objective, from: hash })
  expect(refused.status).toBe(409)
  expect(await left(lead, 'objective')).toMatchObject({ draft: { from: hash } })
})

test('discarded, it is gone, once and again; the file of the workspace never was touched; no defect was met', async () => {
  const before = fs.readFileSync(join(harness.workspace, 'objective.json'), 'utf8')
  for (let i = 0; i < 2; i++) expect((await lead.ask(`DELETE ${AT}/objective/draft`)).status).toBe(204)
  expect(await left(lead, 'objective')).toEqual(NOTHING)
  expect(fs.readFileSync(join(harness.workspace, 'objective.json'), 'utf8')).toBe(before)
  expect(harness.defects).toEqual([])
})
