// Training again without withdrawn answers, over the API: one new run in the old one's place, however often it is asked for; what
// rests on the old run is ordered by hand; what the server cannot order says so. No trainer runs here: what one would leave is
// written as it writes it.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findVersion, listVersions, saveVersion, versionRows } from '#data'
import { artifactPath } from '#files'
import { orderArguments, RunOrder } from '#schema'
import { findJob } from '#store'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let engineer: Person
let viewer: Person
let people: Person[]
let withdrawal: string
const PAIRS = 6
const AT = '/api/projects/desk'

async function call(by: Person, key: string, body?: unknown): Promise<Record<string, unknown>> {
  const [method, path] = key.split(' ') as [string, string]
  const { status, json, text } = await by.ask(`${method} ${AT}/${path}`, body)
  expect(status, `${key}: ${text}`).toBeLessThan(300)
  return json as Record<string, unknown>
}
const lines = (rows: object[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

/** Everybody's answers to pairs, kept as a version. */
async function judged(name: string): Promise<void> {
  const pairs = Array.from({ length: PAIRS }, (_, i) => ({ item: `${name}${i}`, prompt: `Q${i}`, a: 'Yes.', b: 'No.' }))
  await call(owner, `POST datasets/${name}-pairs?kind=comparisons`, lines(pairs))
  const { id } = await call(owner, 'POST campaigns', { name, dataset: `${name}-pairs`, overlap: 2 })
  const at = `campaigns/${id as string}`
  for (const person of people) {
    await call(person, `PUT ${at}/guideline-read`)
    for (let work = await call(person, `POST ${at}/claim`); work.task; ) {
      const body = { key: randomUUID(), choice: 'left', strength: 2, activeSeconds: 1 }
      work = await call(person, `POST ${at}/items/${(work.task as { id: string }).id}/judgement`, body)
    }
  }
  await call(owner, `POST ${at}/judgements`, { dataset: name })
}

/** What a trainer leaves of an order: a run that is done, and its model. */
async function finish(run: string): Promise<void> {
  const order = RunOrder.parse((await findJob(harness.store.query, run))!.ordered)
  const modelOf = (name: string) => ({ path: join(harness.workspace, 'runs', name, 'model'), hash: hashOf(name) })
  const inputs = Object.fromEntries(
    Object.entries(order.inputs).flatMap(([role, name]) => {
      if (role === 'reward' || (role === 'model' && name !== 'base')) return [[role, modelOf(name)]]
      if (!name.includes('@')) return []
      const { content } = findVersion(harness.workspace, name)
      return [[role, { path: artifactPath(harness.workspace, content), hash: content }]]
    }),
  )
  const record = {
    recipe: order.recipe,
    hone: '0',
    status: 'done',
    simulated: false,
    inputs: { ...inputs, ...(order.branch && { branchedFrom: checkpointOf(order.branch) }) },
    outputs: { model: modelOf(run) },
    ...(order.supersedes && { supersedes: `../${order.supersedes.run}` }),
  }
  leave(run, record)
  await harness.store.query("update jobs set state = 'done', ended_at = now() where run = $1", [run])
}
function leave(run: string, record: object): void {
  const folder = join(harness.workspace, 'runs', run)
  const { path } = checkpointOf({ run, step: 4 })
  for (const made of [join(folder, 'model'), path]) fs.mkdirSync(made, { recursive: true })
  fs.writeFileSync(join(path, 'manifest.json'), '{}')
  fs.writeFileSync(join(folder, 'config.json'), '{"config":{}}')
  fs.writeFileSync(join(folder, 'run.json'), JSON.stringify(record))
}
function checkpointOf({ run, step }: { run: string; step: number }) {
  const path = join(harness.workspace, 'runs', run, 'checkpoints', String(step).padStart(6, '0'))
  return { path, hash: hashOf(`${run}@${step}`) }
}
function evaluate(name: string): void {
  const modelOf = (path: string) => ({ path: join(harness.workspace, path), hash: hashOf(path.split('/')[1]!) })
  const written = {
    kind: 'evaluation',
    hone: '0',
    metric: 'win-rate',
    model: modelOf('runs/rl/model'),
    against: modelOf('models/first'),
    settings: {},
    simulated: false,
    statistics: {},
    suite: { name: 's', path: 'x', hash: 'a'.repeat(64), rows: 1 },
  }
  fs.mkdirSync(join(harness.workspace, 'evaluations'), { recursive: true })
  fs.writeFileSync(join(harness.workspace, 'evaluations', `${name}.json`), JSON.stringify(written, null, 2))
}
const hashOf = (run: string): string => Buffer.from(run.padEnd(32, '.')).toString('hex')

type Again = { is: string; why?: string; run?: string; by?: string; state?: string }
type Resting = { kind: string; label: string; rows: number | null; again: Again | null }
const resting = async (): Promise<Map<string, Again | null>> => {
  const { dependants } = (await call(owner, 'GET withdrawals')) as { dependants: Resting[] }
  return new Map(dependants.map(({ kind, label, again }) => [`${kind} ${label.split('@')[0]}`, again]))
}
const started = async () =>
  ((await call(owner, 'GET audit')).entries as { action: string; subject: string; detail: object }[]).filter(
    ({ action }) => action === 'run.start',
  )

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  engineer = await harness.join('desk', 'engineer', owner)
  viewer = await harness.join('desk', 'viewer', owner)
  people = await Promise.all([1, 2].map(() => harness.join('desk', 'annotator', owner)))
  await judged('judged')
  await judged('held')
  await call(owner, 'POST datasets/prompts?kind=prompts', lines([{ prompt: 'Q' }]))
  const reward = { recipe: 'reward', inputs: { model: 'base', data: 'judged', heldOut: 'held', read: 'sum' } }
  const settings = { epochs: 1, learningRate: 0.01, seed: 7 }
  await call(engineer, 'POST runs', { ...reward, name: 'taste', settings, computing: { dtype: 'bfloat16' } })
  await finish('taste')
  const ppo = { model: 'base', reward: 'taste', withoutTicket: 'yes', data: 'prompts' }
  await call(engineer, 'POST runs', { recipe: 'ppo', name: 'rl', inputs: ppo, settings: { steps: 5, klBudget: 3 } })
  await finish('rl')
  await call(engineer, 'POST runs', { recipe: 'dpo', name: 'later', inputs: { model: 'rl', data: 'judged' } })
  await finish('later')
  await call(engineer, 'POST runs', { ...reward, name: 'waits' })
  evaluate('rl-wins')
  const whole = listVersions(harness.workspace, 'judged')[0]!
  const some = [...versionRows(harness.workspace, { ...whole, kind: 'judgements' })].slice(3, 9)
  const split = { kind: 'judgements' as const, name: 'part', parents: [whole.version], source: { split: {} } }
  await saveVersion(harness.workspace, some, split)
  await call(engineer, 'POST runs', { ...reward, name: 'partial-9', inputs: { model: 'base', data: 'part' } })
  await finish('partial-9')
  const { content } = listVersions(harness.workspace, 'judged')[0]!
  const data = { path: artifactPath(harness.workspace, content), hash: content }
  leave('typed', { recipe: 'reward', hone: '0', status: 'done', simulated: false, inputs: { data }, outputs: {} })
  expect(await call(engineer, 'GET runs/taste/again')).toEqual({ again: null, order: null })
  expect((await engineer.ask(`POST ${AT}/runs/taste/again`)).text).toContain('taste rests on no withdrawn answer')
  const rule = { rule: { user: people[0]!.id }, reason: 'in a hurry' }
  withdrawal = (await call(owner, 'POST withdrawals', rule)).id as string
})
afterAll(() => harness.close())

test('what rests on withdrawn answers says what can be done about it', async () => {
  const list = await resting()
  expect(list.get('dataset judged')).toBeNull()
  const why = /^6 of 12 rows of judged@[0-9a-f]{12} are withdrawn answers; 6 of 12 rows of held@[0-9a-f]{12} are/
  expect(list.get('run runs/taste')).toEqual({
    is: 'trainable',
    run: 'taste',
    why: expect.stringMatching(why) as string,
  })
  expect(list.get('run runs/rl')).toEqual({ is: 'stale', why: 'taste rests on them too; train that again first' })
  expect(list.get('run runs/later')).toEqual({ is: 'stale', why: 'rl rests on them too; train that again first' })
  expect(list.get('run runs/waits')!.why).toContain('it has not begun; stop it')
  expect(list.get('run runs/typed')!.why).toMatch(/^it was begun at the command line/)
  expect(list.get('model runs/taste/model')).toBeNull()
  const evaluation = 'evaluation evaluations/rl-wins.json'
  expect(list.get(evaluation)).toEqual({ is: 'stale', why: 'rl rests on them too; train that again first' })
  for (const run of ['rl', 'typed', 'waits'])
    expect((await engineer.ask(`POST ${AT}/runs/${run}/again`)).status, run).toBe(422)
})

test('two presses at once and one more queue one run: the same recipe and settings, without them, in the old one’s place', async () => {
  expect((await viewer.ask(`POST ${AT}/runs/taste/again`)).status).toBe(403)
  const before = (await started()).length
  const answers = await Promise.all([engineer, owner].map((by) => call(by, 'POST runs/taste/again')))
  expect(answers.map(({ run }) => run)).toEqual(['taste-2', 'taste-2'])
  expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1)
  expect(await call(engineer, 'POST runs/taste/again')).toEqual({ run: 'taste-2', isNew: false })
  const [entry, ...others] = await started()
  expect(others).toHaveLength(before)
  expect(entry).toMatchObject({ subject: 'taste-2', detail: { recipe: 'reward', supersedes: 'taste' } })
  const [old, made] = await Promise.all(
    ['taste', 'taste-2'].map(async (run) => RunOrder.parse((await findJob(harness.store.query, run))!.ordered)),
  )
  const { inputs, supersedes, ...same } = made!
  expect({ ...same, inputs: { model: inputs.model, read: inputs.read } }).toEqual({
    ...old,
    inputs: { model: 'base', read: 'sum' },
  })
  expect(supersedes!.run).toBe('taste')
  expect(orderArguments(made!, 'taste-2').join(' ')).toContain(
    '--out runs/taste-2 --supersedes runs/taste --model base',
  )
  for (const input of ['data', 'heldOut'] as const) {
    const version = findVersion(harness.workspace, inputs[input]!)
    const source = findVersion(harness.workspace, old!.inputs[input]!)
    expect(version).toMatchObject({ name: `${source.name}-without`, kind: 'judgements', parents: source.parents })
    expect(version.source).toMatchObject({ without: { version: source.version, answers: PAIRS } })
    const all = [...versionRows(harness.workspace, { ...source, kind: 'judgements' as const })]
    const mine = new Set(all.map(({ annotator }) => annotator)).size
    expect(mine).toBe(2)
    const kept = [...versionRows(harness.workspace, { ...version, kind: 'judgements' as const })]
    expect(kept).toEqual(all.filter(({ annotator }) => annotator === kept[0]!.annotator))
    expect(kept).toHaveLength(PAIRS)
  }
  expect(listVersions(harness.workspace, 'judged')).toHaveLength(1)
})

test('both runs say it, and so does the list; a dependant of the old run waits for the new one', async () => {
  const why = expect.stringMatching(/^6 of 12 rows/) as string
  expect(await call(viewer, 'GET runs/taste')).toMatchObject({
    supersedes: null,
    supersededBy: { run: 'taste-2', state: 'queued', why },
  })
  expect(await call(viewer, 'GET runs/taste-2')).toMatchObject({
    supersedes: { run: 'taste', why },
    supersededBy: null,
  })
  const list = await resting()
  expect(list.get('run runs/taste')).toEqual({ is: 'superseded', by: 'taste-2', state: 'queued' })
  expect(list.get('model runs/taste/model')).toEqual({ is: 'superseded', by: 'taste-2', state: 'queued' })
  expect(list.get('run runs/rl')!.why).toBe('taste-2, which takes the place of taste, is not done yet')
})

test('once it is done it rests on nothing that is withdrawn, and lineage joins the two without walking over', async () => {
  await finish('taste-2')
  const list = await resting()
  expect([...list.keys()].filter((key) => key.includes('taste-2'))).toEqual([])
  expect(list.get('run runs/taste')).toEqual({ is: 'superseded', by: 'taste-2', state: 'done' })
  type Walk = { nodes: { id: string; label: string; way: string; detail?: string }[]; edges: object[] }
  const walk = async (id: string) => (await call(viewer, `GET lineage/walk?id=${id}`)) as Walk
  const labelled = ({ nodes }: Walk, label: string) => nodes.find((node) => node.label === label)
  const [old, made] = await Promise.all([walk('runs/taste'), walk('runs/taste-2')])
  const edge = { from: 'runs/taste', to: 'runs/taste-2', roles: ['superseded by'] }
  for (const each of [old, made]) expect(each.edges).toContainEqual(edge)
  expect(labelled(old, 'runs/taste-2')!.way).toBe('beside')
  expect(labelled(old, 'runs/taste')!.detail).toContain('superseded by runs/taste-2')
  expect(labelled(made, 'runs/taste')!.way).toBe('beside')
  expect(made.nodes.some(({ label }) => label.startsWith('judged@'))).toBe(false)
  expect(made.nodes.some(({ label }) => label.startsWith('judged-without@'))).toBe(true)
})

test('a run of RL is ordered again by the form, filled in with what took the place of its inputs', async () => {
  const list = await resting()
  expect(list.get('run runs/rl')).toEqual({
    is: 'order',
    run: 'rl',
    why: 'taste rests on withdrawn answers, and taste-2 took its place',
  })
  const { order } = await call(engineer, 'GET runs/rl/again')
  const prompts = listVersions(harness.workspace, 'prompts')[0]!.version
  expect(order).toEqual({
    name: 'rl-2',
    recipe: 'ppo',
    inputs: { model: 'base', reward: 'taste-2', withoutTicket: 'yes', data: `prompts@${prompts}` },
    settings: { steps: 5, klBudget: 3 },
    computing: {},
  })
  expect((await viewer.ask(`GET ${AT}/runs/rl/again`)).status).toBe(403)
  // By the form or not at all: nobody presses hours of training.
  expect((await engineer.ask(`POST ${AT}/runs/rl/again`)).status).toBe(422)
  const wrong = await engineer.ask(`POST ${AT}/runs`, { ...(order as object), supersedes: 'taste' })
  expect((wrong.json as { error: { detail: object } }).error.detail).toEqual({
    supersedes: 'taste was superseded by taste-2',
  })
  const body = { ...(order as object), supersedes: 'rl' }
  const answers = await Promise.all(
    [body, { ...body, name: 'rl-3' }].map((each) => engineer.ask(`POST ${AT}/runs`, each)),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 422]))
  expect((await call(viewer, 'GET runs/rl')).supersededBy).toMatchObject({ state: 'queued' })
})

test('a run whose model took another’s place is trained again on that; a branch, and what was made of stale data, are not', async () => {
  const { run } = (await call(viewer, 'GET runs/rl')).supersededBy as { run: string }
  await finish(run)
  const list = await resting()
  expect(list.get('evaluation evaluations/rl-wins.json')).toEqual({
    is: 'evaluate',
    models: [run, 'models/first'],
  })
  expect(list.get('run runs/later')).toMatchObject({
    is: 'trainable',
    why: expect.stringContaining(`${run} took its place`),
  })
  expect(await call(owner, 'POST runs/later/again')).toEqual({ run: 'later-2', isNew: true })
  const made = RunOrder.parse((await findJob(harness.store.query, 'later-2'))!.ordered)
  expect(made.inputs).toMatchObject({ model: run, data: expect.stringMatching(/^judged-without@/) })
  const { version } = listVersions(harness.workspace, 'judged')[0]!
  const rows = [{ item: 'x', prompt: 'Q', chosen: 'Yes.', rejected: 'No.' }]
  await saveVersion(harness.workspace, rows as never[], {
    kind: 'comparisons',
    name: 'told',
    parents: [version],
    source: { aggregate: {} },
  })
  await call(engineer, 'POST runs', { recipe: 'reward', name: 'second-hand', inputs: { model: 'base', data: 'told' } })
  await finish('second-hand')
  await call(engineer, 'POST runs/taste/branch', { name: 'branched', step: 4, settings: { learningRate: 0.1 } })
  await finish('branched')
  const after = await resting()
  expect(after.get('run runs/second-hand')!.why).toMatch(/^told@[0-9a-f]{12} was made of what rests on them/)
  expect(after.get('run runs/branched')!.why).toMatch(/^it went on from taste; train that again/)
})

test('what was split off a version that holds them is made anew beside it, and does not come of it', async () => {
  expect(await call(owner, 'POST runs/partial-9/again')).toEqual({ run: 'partial-10', isNew: true })
  const [whole, made] = ['judged', 'part-without'].map((name) => listVersions(harness.workspace, name)[0]!)
  expect(made!.parents).toEqual(whole!.parents)
  await finish('partial-10')
  expect((await resting()).has('run runs/partial-10')).toBe(false)
})

test('where all that a run learnt from is withdrawn there is nothing to train on', async () => {
  const rule = { rule: { user: people[1]!.id }, reason: 'in a hurry too' }
  const { id } = await call(owner, 'POST withdrawals', rule)
  const why = /^nothing is left of judged-without@[0-9a-f]{12} without them/
  expect((await resting()).get('run runs/taste-2')!.why).toMatch(why)
  expect((await resting()).get('run runs/taste')).toMatchObject({ is: 'superseded' })
  expect((await engineer.ask(`POST ${AT}/runs/taste-2/again`)).status).toBe(422)
  await call(owner, `POST withdrawals/${id as string}/undo`, { reason: 'it was not they' })
})

test('what was begun at the command line is superseded there, by a run that says so', async () => {
  const { content } = listVersions(harness.workspace, 'judged-without')[0]!
  const data = { path: artifactPath(harness.workspace, content), hash: content }
  const record = { recipe: 'reward', hone: '0', status: 'done', simulated: false, inputs: { data }, outputs: {} }
  leave('typed-2', { ...record, supersedes: '../typed' })
  expect((await resting()).get('run runs/typed')).toEqual({ is: 'superseded', by: 'typed-2', state: 'done' })
  const [before, after] = await Promise.all(['typed', 'typed-2'].map((run) => call(viewer, `GET runs/${run}`)))
  expect(before!.supersededBy).toEqual({ run: 'typed-2', state: 'done', why: null })
  expect(after!.supersedes).toEqual({ run: 'typed', why: null })
})

test('taken back, nothing rests on them any more, and what was superseded stays so', async () => {
  await call(owner, `POST withdrawals/${withdrawal}/undo`, { reason: 'it was somebody else' })
  expect((await call(owner, 'GET withdrawals')).dependants).toEqual([])
  expect(await call(engineer, 'GET runs/taste/again')).toEqual({ again: null, order: null })
  expect((await call(viewer, 'GET runs/taste')).supersededBy).toMatchObject({ run: 'taste-2', state: 'done' })
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
