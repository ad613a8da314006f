// An evaluation from its asking to its record: a real sampler draws, people judge over the API by what they see, and the
// file that is left names everything by hash.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findVersion } from '#data'
import { hashFolder, sha256File } from '#files'
import { readEvaluation } from '#lineage'
import { openSamplerLink } from '#sampler'
import { Objective } from '#schema'
import type { SamplerLink } from '#sampler/contract'
import { createTinyModel } from '../sampler/tiny-model.test-data.ts'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')
const PROMPTS = 12
let harness: Harness
let sampler: SamplerLink
let owner: Person
let people: Person[]
let id: string
const asFile = (rows: unknown[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

beforeAll(async () => {
  sampler = openSamplerLink({ command: [process.execPath, HONE, 'sampler'] })
  harness = await openHarness({ sampler })
  for (const [i, name] of ['candidate', 'rival'].entries())
    createTinyModel(join(harness.workspace, 'models', name), { contextTokens: 400, seed: i + 1 })
  owner = await setUp(harness)
  people = [await harness.join('desk', 'annotator', owner), await harness.join('desk', 'reviewer', owner)]
  const rows = Array.from({ length: PROMPTS }, (_, i) => ({ stratum: i < 4 ? 'late' : 'refund', prompt: `Q${i}?` }))
  await owner.ask('POST /api/projects/desk/datasets/held-out?kind=prompts', asFile(rows))
})
afterAll(async () => {
  await harness.close()
  await sampler.close()
})

type Shown = {
  state: string
  campaign: string | null
  winRate: { value: number; low: number; high: number; wins: number; losses: number; ties: number } | null
  result: {
    strata: { name: string; value: number }[]
    criteria: { name: string; value: number; n: number; cannotJudge: number }[]
    weighted: { value: number; weights: Record<string, number>; ofWeight: number } | null
    adjudicated: number
    excluded: number
    items: {
      item: string
      outcome: string
      candidate: string
      opponent: string
      share: number
      settled: { outcome: string; choice: string | null } | null
      judgements: unknown[]
    }[]
  } | null
  judgements: { judged: number; wanted: number }
}
const look = async (): Promise<Shown> => (await owner.ask(`GET /api/projects/desk/evaluations/${id}`)).json as Shown

test('samples are drawn and a campaign opens by itself; nothing tells whose answers they are before all is judged', async () => {
  const body = {
    name: 'Spring',
    candidate: 'models/candidate',
    opponent: 'models/rival',
    prompts: 'held-out',
    maxTokens: 20,
    overlap: 2,
    criteria: ['brand', 'fact'],
  }
  const made = await owner.ask('POST /api/projects/desk/evaluations', body)
  expect(made.status, made.text).toBe(200)
  id = (made.json as { id: string }).id
  expect((await owner.ask('POST /api/projects/desk/evaluations', body)).status).toBe(422)
  expect(
    (await owner.ask('POST /api/projects/desk/evaluations', { ...body, name: 'x', candidate: 'none' })).status,
  ).toBe(422)
  let shown = await look()
  while (shown.campaign === null) {
    await sleep(50)
    shown = await look()
  }
  expect(shown).toMatchObject({ state: 'judging', winRate: null, result: null })
  expect(shown.judgements.wanted).toBe(PROMPTS * 2)
  expect((await owner.ask(`POST /api/projects/desk/evaluations/${id}/record`)).status).toBe(422)
})

/** Of the first model, so the one that people like here. */
async function textsOfCandidate(): Promise<Set<string>> {
  const rows = await harness.store.query<{ completion: string }>(
    'select completion from samples join evaluations on evaluations.fill_id = samples.fill_id where model = 0 and evaluations.id = $1',
    [id],
  )
  return new Set(rows.map(({ completion }) => completion))
}

test('what people say is turned to candidate and opponent; the interval and the strata are of their answers', async () => {
  const liked = await textsOfCandidate()
  const { campaign } = await look()
  const at = `/api/projects/desk/campaigns/${campaign!}`
  const seen: string[] = []
  for (const person of people) {
    await person.ask(`PUT ${at}/guideline-read`)
    let answer = await person.ask(`POST ${at}/claim`)
    for (let i = 0; ; i++) {
      seen.push(answer.text)
      const { task } = answer.json as { task: { id: string; prompt: string; left: string } | null }
      if (!task) break
      // The candidate wins where the customer waits for a parcel, and else loses.
      const isLate = Number(/\d+/.exec(task.prompt)![0]) < 4
      const choice = liked.has(task.left) === isLate ? 'left' : 'right'
      answer = await person.ask(`POST ${at}/items/${task.id}/judgement`, {
        key: randomUUID(),
        choice,
        strength: 2,
        activeSeconds: 3,
        // By fact the candidate is better wherever it can be told, and by brand the two never differ.
        criteria: {
          fact: isLate ? { choice: liked.has(task.left) ? 'left' : 'right', strength: 4 } : { choice: 'cannot-judge' },
          brand: { choice: 'tie' },
        },
      })
      expect(answer.status, answer.text).toBe(200)
    }
  }
  expect(seen.join('')).not.toMatch(/candidate|rival|models\//)
  const { state, winRate, result } = await look()
  expect(state).toBe('judged')
  expect(winRate).toMatchObject({ wins: 4, losses: 8, ties: 0 })
  expect(winRate!.value).toBeCloseTo(1 / 3, 10)
  expect(winRate!.low).toBeLessThan(1 / 3)
  expect(winRate!.high).toBeGreaterThan(1 / 3)
  expect(result!.strata.map(({ name, value }) => [name, value])).toEqual([
    ['late', 1],
    ['refund', 0],
  ])
  // In the order of the objective.
  expect(result!.criteria).toMatchObject([
    { name: 'fact', value: 1, n: 4, cannotJudge: PROMPTS - 4 },
    { name: 'brand', value: 0.5, n: PROMPTS, cannotJudge: 0 },
  ])
  // fact weighs 0.25 and brand 0.15 of the objective's 1; whoever is ahead stays so.
  const { weighted } = result!
  expect(weighted).toMatchObject({ n: PROMPTS, standing: 'ahead', holds: true })
  expect(weighted!.value).toBeCloseTo((0.25 * 1 + 0.15 * 0.5) / 0.4, 12)
  expect(weighted!.weights.fact).toBeCloseTo(0.625, 12)
  expect(weighted!.ofWeight).toBeCloseTo(0.4, 12)
  expect(result!.items).toHaveLength(PROMPTS)
  for (const { candidate, opponent, judgements } of result!.items) {
    expect(liked.has(candidate)).toBe(true)
    expect(liked.has(opponent)).toBe(false)
    expect(judgements).toHaveLength(2)
  }
})

/** The owner, who judged nothing, looks at the item and then says what holds of it. */
async function settle(item: string, outcome: string, better?: string): Promise<void> {
  const [row] = await harness.store.query<{ id: string }>('select id::text as id from items where item = $1', [item])
  const at = `/api/projects/desk/campaigns/${(await look()).campaign!}/items/${row!.id}`
  await owner.ask(`POST ${at}/first-look`, { choice: 'tie' })
  type Case = { left: string; shown: { history: { id: string }[] } }
  const { left, shown } = (await owner.ask(`GET ${at}/adjudication`)).json as Case
  const said = await owner.ask(`POST ${at}/adjudication`, {
    key: randomUUID(),
    before: shown.history[0]?.id ?? null,
    outcome,
    ...(better !== undefined && { choice: left === better ? 'left' : 'right', strength: 3 }),
    reason: 'as the facts are',
  })
  expect(said.status, said.text).toBe(200)
}

test('what an adjudicator decides is what came of the pair; a wrong pair is in no rate; a subjective one keeps its shares', async () => {
  const lost = (await look()).result!.items.filter(({ outcome }) => outcome === 'loss')
  const [turned, wrong, subjective] = lost as [(typeof lost)[0], (typeof lost)[0], (typeof lost)[0]]
  await settle(turned.item, 'decided', turned.candidate)
  expect((await look()).winRate).toMatchObject({ wins: 5, losses: 7 })
  expect((await look()).winRate!.value).toBeCloseTo(5 / 12, 10)
  await settle(wrong.item, 'excluded')
  await settle(subjective.item, 'subjective')
  const { state, winRate, result } = await look()
  expect(state).toBe('judged')
  expect(winRate).toMatchObject({ wins: 5, losses: 6, n: PROMPTS - 1 })
  expect(winRate!.value).toBeCloseTo(5 / 11, 10)
  expect(result).toMatchObject({ adjudicated: 1, excluded: 1 })
  expect(result!.strata[1]).toMatchObject({ name: 'refund', value: 1 / 7 })
  const of = (item: string) => result!.items.find((each) => each.item === item)
  expect(of(turned.item)).toMatchObject({ share: 1, settled: { outcome: 'decided', choice: 'candidate' } })
  expect(of(subjective.item)).toMatchObject({ share: 0, settled: { outcome: 'subjective', choice: null } })
  expect(of(wrong.item)).toBeUndefined()
  for (const { item } of [wrong, subjective]) await settle(item, 'reopened')
  // The votes were right after all.
  await settle(turned.item, 'decided', turned.opponent)
  expect((await look()).winRate).toMatchObject({ wins: 4, losses: 8, n: PROMPTS })
  expect((await look()).result).toMatchObject({ adjudicated: 1, excluded: 0 })
})

test('recorded once, as a file that names models, prompts, pairs and judgements by hash; gates and lists know it', async () => {
  const objective = Objective.parse(JSON.parse(fs.readFileSync(join(harness.workspace, 'objective.json'), 'utf8')))
  objective.criteria[0]!.targets[0]!.level = 0.99
  fs.writeFileSync(join(harness.workspace, 'objective.json'), JSON.stringify(objective))
  const recorded = await owner.ask(`POST /api/projects/desk/evaluations/${id}/record`)
  expect(recorded.status, recorded.text).toBe(200)
  const { artifact, file } = recorded.json as { artifact: string; file: string }
  const path = join(harness.workspace, file)
  expect(sha256File(path)).toBe(artifact)
  const { model, against, suite, pairs, judgements, statistics, simulated } = readEvaluation(path)
  expect(model.hash).toBe(hashFolder(join(harness.workspace, 'models', 'candidate')))
  expect(against!.hash).toBe(hashFolder(join(harness.workspace, 'models', 'rival')))
  expect(suite).toMatchObject({
    name: 'spring',
    rows: PROMPTS,
    hash: findVersion(harness.workspace, 'held-out').content,
  })
  for (const named of [pairs!, ...judgements!]) expect(sha256File(named.path)).toBe(named.hash)
  expect(fs.readFileSync(judgements![0]!.path, 'utf8').trim().split('\n')).toHaveLength(PROMPTS * 2 * 3 + 1)
  expect(statistics).toMatchObject({
    adjudicated: 1,
    'win-rate': { wins: 4, losses: 8 },
    fact: { 'win-rate': { wins: 4, losses: 0 } },
    weighted: { 'win-rate': { standing: 'ahead', further: [{ level: 0.99 }] } },
  })
  // The level that a target asks for stands beside the one that is shown.
  const { 'win-rate': rate } = statistics as { 'win-rate': { high: number; further: { high: number }[] } }
  expect(rate).toMatchObject({ level: 0.95, further: [{ level: 0.99 }] })
  expect(rate.further[0]!.high).toBeGreaterThan(rate.high)
  expect(simulated).toBe(false)
  expect((await owner.ask(`POST /api/projects/desk/evaluations/${id}/record`)).status).toBe(422)
  expect((await look()).state).toBe('recorded')
  const { evaluations, files } = (await owner.ask('GET /api/projects/desk/evaluations')).json as {
    evaluations: { name: string; winRate: { wins: number } }[]
    files: unknown[]
  }
  expect(evaluations).toMatchObject([{ name: 'Spring', winRate: { wins: 4 } }])
  expect(files).toEqual([])
})

type Walk = {
  target: { id: string; kind: string; label: string }
  nodes: { id: string; kind: string; label: string; way: string }[]
  edges: { from: string; to: string }[]
  rows: { id: string; kind: string }[]
  rowsInAll: number
}
const walk = async (from: string): Promise<Walk> => {
  const { status, json, text } = await owner.ask(`GET /api/projects/desk/lineage/walk?id=${encodeURIComponent(from)}`)
  expect(status, text).toBe(200)
  return json as Walk
}
const kindsOf = ({ nodes }: Walk, way: string) =>
  new Set(nodes.filter((node) => node.way === way).map(({ kind }) => kind))

test('from a release down to one judgement, its guideline and objective, and from the judgement up to the release', async () => {
  const { artifact } = (await owner.ask(`GET /api/projects/desk/evaluations/${id}`)).json as { artifact: string }
  const rules = ['spring.win-rate', 'spring.fact.win-rate'].map((statistic) => ({
    name: statistic,
    statistic,
    bound: 'value',
    comparison: 'above',
    value: 0,
  }))
  const asked = await owner.ask('POST /api/projects/desk/candidacies', {
    release: 'desk',
    rules,
    evaluations: [{ hash: artifact }],
  })
  const candidacy = (asked.json as { id: string }).id
  const sign = { signOff: 'released' }
  expect((await people[1]!.ask(`POST /api/projects/desk/candidacies/${candidacy}/signature`, sign)).status).toBe(204)

  const beginnings = (await owner.ask('GET /api/projects/desk/lineage')).json as {
    nodes: { id: string; kind: string }[]
  }
  const release = beginnings.nodes.find(({ kind }) => kind === 'release')!
  const down = await walk(release.id)
  expect(down.target).toMatchObject({ kind: 'release', label: 'desk #1' })
  expect([...kindsOf(down, 'up')]).toEqual(
    expect.arrayContaining(['model', 'evaluation', 'dataset', 'guideline', 'criterion', 'objective']),
  )
  expect(down.nodes.filter(({ way }) => way === 'down')).toEqual([])
  // Whose answers, of which weights: told to who may see it.
  expect(down.nodes.map(({ label }) => label)).toEqual(expect.arrayContaining(['models/candidate', 'models/rival']))
  for (const { from, to } of down.edges)
    for (const end of [from, to]) expect(down.nodes.map((node) => node.id)).toContain(end)

  const judged = down.nodes.find(({ kind, label }) => kind === 'dataset' && label.includes('-judged@'))!
  const dataset = await walk(judged.id)
  expect(dataset.rowsInAll).toBe(PROMPTS * 2 * 3 + 1)
  const up = await walk(dataset.rows[0]!.id)
  expect(up.target.kind).toBe('judgement')
  expect([...kindsOf(up, 'down')]).toEqual(expect.arrayContaining(['dataset', 'evaluation', 'release']))
  expect([...kindsOf(up, 'up')]).toEqual(expect.arrayContaining(['guideline', 'criterion', 'objective']))
  expect(up.nodes.some((node) => node.id === release.id)).toBe(true)

  // By the id that the database gave it, too.
  const [row] = await harness.store.query<{ id: string }>('select id from judgements limit 1')
  expect((await walk(row!.id)).nodes.some((node) => node.id === release.id)).toBe(true)
  expect((await owner.ask('GET /api/projects/desk/lineage/walk?id=nothing-of-that-name')).status).toBe(404)
})

test('the worker that walks does not keep the process of a server that was closed', async () => {
  const held = () => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length
  await harness.restart()
  const before = held()
  expect((await owner.ask('GET /api/projects/desk/lineage')).status).toBe(200)
  expect(held()).toBe(before + 1)
  await harness.restart()
  expect(held()).toBe(before)
})

test('what hone evaluate left in the workspace is listed with its figures; another project sees none of it', async () => {
  await owner.ask('POST /api/projects', { name: 'Other' })
  // It does not walk over rows and datasets that are not its own.
  const others = (from: string) => owner.ask(`GET /api/projects/other/lineage/walk?id=${encodeURIComponent(from)}`)
  const [judged] = await harness.store.query<{ id: string }>('select id from judgements limit 1')
  for (const from of ['held-out', 'evaluation-spring-judged', judged!.id])
    expect((await others(from)).status, from).toBe(404)
  // What lies in models/ is everybody's; what was made of it is not.
  expect((await others('models/candidate')).json).toMatchObject({ nodes: [{ label: 'models/candidate' }], edges: [] })
  const hash = 'a'.repeat(64)
  const written = {
    kind: 'evaluation',
    hone: '0.0.0',
    metric: 'perplexity',
    model: { path: join(harness.workspace, 'models/candidate'), hash },
    suite: { name: 'general', path: 'general.jsonl', hash, rows: 9 },
    settings: {},
    simulated: true,
    statistics: { perplexity: { value: 12.5, low: 11, high: 14, n: 9 }, tokens: 40, rows: [{ name: 'x', value: 1 }] },
  }
  fs.writeFileSync(join(harness.workspace, 'general.json'), JSON.stringify(written, null, 2))
  fs.writeFileSync(join(harness.workspace, 'broken.json'), '{\n  "kind": "evaluation",')
  const { files } = (await owner.ask('GET /api/projects/desk/evaluations')).json as { files: unknown[] }
  expect(files).toMatchObject([
    {
      path: 'general.json',
      model: 'models/candidate',
      isSimulated: true,
      figures: [
        { name: 'perplexity', value: 12.5, low: 11, high: 14, n: 9 },
        { name: 'tokens', value: 40, low: null },
        { name: 'rows.x', value: 1 },
      ],
    },
  ])
  expect((await owner.ask('GET /api/projects/other/evaluations')).json).toEqual({ evaluations: [], files: [] })
  expect((await owner.ask(`GET /api/projects/other/evaluations/${id}`)).status).toBe(404)
})

test('runs, their models and the evaluations of them belong to the project whose prefix they bear, or that ordered them', async () => {
  fs.rmSync(join(harness.workspace, 'broken.json'))
  const runs = join(harness.workspace, 'runs')
  for (const run of ['ours', 'other.theirs', 'ordered']) {
    fs.cpSync(join(harness.workspace, 'models', 'rival'), join(runs, run, 'model'), { recursive: true })
    const record = { recipe: 'sft', status: 'done', simulated: false, inputs: {}, outputs: {} }
    fs.writeFileSync(join(runs, run, 'run.json'), JSON.stringify(record))
  }
  await harness.store.query(
    `insert into jobs (project_id, run, recipe, ordered, made_by)
     select projects.id, 'ordered', 'sft', '{}', $1 from projects where slug = 'other'`,
    [owner.id],
  )
  const written = JSON.parse(fs.readFileSync(join(harness.workspace, 'general.json'), 'utf8')) as object
  const model = { path: join(runs, 'other.theirs', 'model'), hash: 'b'.repeat(64) }
  const theirs = join(harness.workspace, 'evaluations', 'other.general.json')
  fs.writeFileSync(theirs, JSON.stringify({ ...written, model }, null, 2))
  const has = async (project: string) => {
    const ask = async <T>(of: string) => (await owner.ask(`GET /api/projects/${project}/${of}`)).json as T
    const { models } = await ask<{ models: { name: string }[] }>('models')
    const { files } = await ask<{ files: { path: string }[] }>('evaluations')
    const { nodes } = await ask<{ nodes: { kind: string; label: string }[] }>('lineage')
    const shown = nodes.filter(({ kind }) => ['run', 'evaluation'].includes(kind)).map(({ label }) => label)
    const walked = await owner.ask(`GET /api/projects/${project}/lineage/walk?id=runs/other.theirs`)
    return { models: models.map(({ name }) => name), files: files.map(({ path }) => path), shown, walk: walked.status }
  }
  const desk = await has('desk')
  expect(desk).toMatchObject({
    models: ['ours', 'models/candidate', 'models/rival', 'base', 'release desk'],
    files: ['general.json'],
  })
  expect(desk.shown).not.toContainEqual(expect.stringMatching(/other\.|ordered/))
  expect(desk.walk).toBe(404)
  expect(await has('other')).toEqual({
    models: ['ordered', 'other.theirs', 'models/candidate', 'models/rival', 'base'],
    files: ['evaluations/other.general.json'],
    shown: ['evaluations/other.general.json', 'runs/other.theirs', 'runs/ordered'],
    walk: 200,
  })
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
