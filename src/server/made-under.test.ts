// Everything names the objective of its time: guideline versions, campaigns, exported judgements, runs, gates; lineage hangs old
// guidelines where they were written, the objective's page lists what depends on each version, and other projects see none of it.
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findVersion, versionRows } from '#data'
import { hashRow, sha256 } from '#files'
import { Objective } from '#schema'
import { importJudgements } from '#store'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let annotator: Person
let first: Objective
beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  annotator = await harness.join('desk', 'annotator', owner)
  first = Objective.parse(JSON.parse(fs.readFileSync(join(harness.workspace, 'objective.json'), 'utf8')))
  const pairs = Buffer.from('{"item":"one","prompt":"Q","a":"Yes.","b":"No."}\n')
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', new Uint8Array(pairs))
})
afterAll(() => harness.close())

const AT = '/api/projects/desk'
type Node = { id: string; kind: string; label: string; way: string }
type Under = {
  hash: string
  number: number | null
  guidelines: { number: number }[]
  campaigns: { id: string; name: string }[]
  runs: { run: string }[]
  gates: { id: string }[]
}
const get = async <T>(path: string, by = owner) => (await by.ask(`GET ${AT}/${path}`)).json as T
const walk = async (id: string) => (await get<{ nodes: Node[] }>(`lineage/walk?id=${encodeURIComponent(id)}`)).nodes
const objectivesAbove = async (id: string) =>
  (await walk(id)).flatMap((node) => (node.kind === 'objective' && node.way === 'up' ? [node.id] : []))
const made = async () => (await get<{ objectives: Under[] }>('objective/made')).objectives
const second = () => ({ ...first, summary: 'Kinder.' })

async function campaign(name: string): Promise<string> {
  const body = { kind: 'pairs', name, dataset: 'pairs', overlap: 1 }
  const { json } = await owner.ask(`POST ${AT}/campaigns`, body)
  const { id } = json as { id: string }
  const answer = {
    item: 'one',
    user: annotator.id,
    isALeft: true,
    choice: 'left',
    strength: 1,
    reason: '',
    seconds: 1,
  } as const
  await harness.store.transaction((query) => importJudgements(query, id, [answer]))
  return id
}

test('a guideline keeps the objective that it was written under, and so do its campaigns and what people said in them', async () => {
  const guideline = () => get<{ versions: { number: number; label: string; objective: string | null }[] }>('guideline')
  expect((await guideline()).versions).toMatchObject([{ number: 1, objective: hashRow(first) }])
  const early = await campaign('Before')
  await owner.ask(`PUT ${AT}/objective`, { objective: second(), from: hashRow(first) })
  // The campaign after the change of the objective is still under the guideline of before.
  const between = await campaign('Between')
  expect((await owner.ask(`PUT ${AT}/guideline`, { text: 'Be kinder.' })).json).toEqual({ isNew: true })
  const late = await campaign('After')
  const { versions } = await guideline()
  expect(versions.map(({ objective }) => objective)).toEqual([hashRow(second()), hashRow(first)])

  const { campaigns } = await get<{ campaigns: { id: string; objective: string; objectiveNumber: number }[] }>(
    'campaigns',
  )
  const under = new Map(campaigns.map((each) => [each.id, [each.objective, each.objectiveNumber]]))
  for (const id of [early, between]) expect(under.get(id)).toEqual([hashRow(first), 1])
  expect(under.get(late)).toEqual([hashRow(second()), 2])

  for (const [id, objective] of [
    [between, first],
    [late, second()],
  ] as const) {
    const exported = (await owner.ask(`GET ${AT}/campaigns/${id}/judgements`)).text
    expect(JSON.parse(exported)).toMatchObject({ objective: hashRow(objective), choice: 'left' })
    const { json } = await owner.ask(`POST ${AT}/campaigns/${id}/judgements`, { dataset: 'judged' })
    const version = findVersion(harness.workspace, (json as { version: string }).version)
    expect(version.source).toMatchObject({ campaign: id, objective: hashRow(objective) })
    expect([...versionRows(harness.workspace, version)]).toMatchObject([{ objective: hashRow(objective) }])
  }
  expect(await objectivesAbove(versions[1]!.label)).toEqual([hashRow(first)])
  expect(await objectivesAbove(versions[0]!.label)).toEqual([hashRow(second())])
  const labels = (await walk(hashRow(first))).filter(({ way }) => way === 'down').map(({ label }) => label)
  expect(labels).toContain(versions[1]!.label)
  expect(labels).not.toContain(versions[0]!.label)
})

test('the same words under another objective are another version, and a judgement under it leads to that objective', async () => {
  const third = { ...first, summary: 'Third.' }
  await owner.ask(`PUT ${AT}/objective`, { objective: third, from: hashRow(second()) })
  expect((await owner.ask(`PUT ${AT}/guideline`, { text: 'Be kinder.' })).json).toEqual({ isNew: true })
  expect((await owner.ask(`PUT ${AT}/guideline`, { text: 'Be kinder.' })).json).toEqual({ isNew: false })
  const id = await campaign('Third')
  const [judgement] = await harness.store.query<{ id: string }>(
    'select judgements.id from judgements join items on items.id = item_id where campaign_id = $1',
    [id],
  )
  const nodes = await walk(judgement!.id)
  expect(nodes.find(({ way }) => way === 'target')?.kind).toBe('judgement')
  expect(nodes.flatMap((node) => (node.kind === 'objective' ? [node.id] : []))).toContain(hashRow(third))
})

test('runs and gates are listed under their objective, with the sentence where they mix', async () => {
  const folder = join(harness.workspace, 'runs', 'early')
  fs.mkdirSync(folder, { recursive: true })
  const differ = `objectives differ: this run under desk 1; data ${harness.workspace}/x under desk 2`
  const record = { recipe: 'sft', hone: 't', status: 'done', inputs: {}, outputs: {}, simulated: false }
  const stamp = { id: hashRow(first), name: first.name }
  fs.writeFileSync(join(folder, 'run.json'), JSON.stringify({ ...record, objective: stamp, objectivesDiffer: differ }))
  expect(await get('runs/early')).toMatchObject({
    objective: { ...stamp, number: 1 },
    objectivesDiffer: 'objectives differ: this run under desk 1; data x under desk 2',
  })
  const [of1, of2] = [first, second()].map(hashRow)
  const under = new Map((await made()).map((each) => [each.hash, each]))
  expect(under.get(of1!)).toMatchObject({
    number: 1,
    guidelines: [{ number: 1 }],
    runs: [{ run: 'early', recipe: 'sft' }],
    gates: [],
  })
  expect(under.get(of1!)!.campaigns.map(({ name }) => name)).toEqual(['Between', 'Before'])
  expect(under.get(of2!)).toMatchObject({
    number: 2,
    guidelines: [{ number: 2 }],
    campaigns: [{ name: 'After' }],
    runs: [],
  })
  expect((await owner.ask(`GET ${AT}/lineage/walk?id=${of1!.slice(0, 12)}`)).status).toBe(200)
  expect((await annotator.ask(`GET ${AT}/objective/made`)).status).toBe(403)
})

test('another project walks over none of it, and its runs are never under the workspace’s own', async () => {
  await owner.ask('POST /api/projects', { name: 'Care' })
  const care = (key: string, body?: unknown) => owner.ask(key.replace(' ', ' /api/projects/care/'), body)
  for (const id of [hashRow(first), hashRow(second()), first.criteria[0]!.name])
    expect((await care(`GET lineage/walk?id=${id}`)).status, id).toBe(404)
  expect((await care('GET objective/made')).json).toEqual({ objectives: [] })
  const rows = Buffer.from('{"prompt":"Q","completion":"A"}\n')
  await care('POST datasets/asked?kind=demonstrations', new Uint8Array(rows))
  const order = (name: string) =>
    care('POST runs', { name, recipe: 'sft', inputs: { model: 'base', data: 'asked' }, settings: {}, computing: {} })
  await order('bare')
  await care('PUT objective', { objective: { ...first, name: 'care' }, from: null })
  await order('under')
  const ordered = await harness.store.query<{ run: string; objective: string }>(
    "select run, ordered->>'objective' as objective from jobs order by run",
  )
  expect(ordered).toEqual([
    { run: 'care.bare', objective: 'none' },
    { run: 'care.under', objective: 'care.objective.json' },
  ])
  const { command } = (await care('GET runs/care.under')).json as { command: string }
  expect(command).toContain('--objective care.objective.json')
  expect(harness.defects).toEqual([])
})

test('older guidelines get the objective that had been saved by then, or the file that the first save kept', async () => {
  const { query } = harness.store
  const [project] = await query<{ id: string }>(
    "insert into projects (slug, name, file_prefix, objective_file) values ('old', 'Old', 'old.', 'old.objective.json') returning id",
  )
  const [user] = await query<{ id: string }>("select id from users where name = 'Owner'")
  const id = (text: string) => sha256(text)
  const day = (n: number) => `2026-01-0${n}T00:00:00Z`
  for (const [number, by, at] of [
    [1, null, 3],
    [2, user!.id, 4],
    [3, user!.id, 6],
  ] as const)
    await query(
      "insert into objectives (project_id, number, content, sha256, made_by, made_at) values ($1, $2, '{}', $3, $4, $5)",
      [project!.id, number, id(`objective ${number}`), by, day(at)],
    )
  for (const [number, at] of [
    [1, 1],
    [2, 5],
    [3, 7],
  ] as const)
    await query(
      "insert into guidelines (project_id, number, text, sha256, made_by, made_at) values ($1, $2, 't', 's', $3, $4)",
      [project!.id, number, user!.id, day(at)],
    )
  const sql = fs.readFileSync(join(import.meta.dirname, '../store/migrations/027-made-under.sql'), 'utf8')
  for (const statement of sql.slice(sql.indexOf('update guidelines')).split(';'))
    if (statement.trim()) await query(statement)
  const filled = await query<{ of: string }>(
    'select objective_sha256 as of from guidelines where project_id = $1 order by number',
    [project!.id],
  )
  expect(filled.map(({ of }) => of)).toEqual([1, 2, 3].map((n) => id(`objective ${n}`)))
})
