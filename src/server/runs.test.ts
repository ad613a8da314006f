// Runs over the API: what may be ordered and by whom, what is refused by field, what people ask of a run, whose runs are
// whose. No trainer runs here: what it would do is written into the table.
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let engineer: Person
let viewer: Person
let annotator: Person
let outsider: Person

const RUNS = '/api/projects/desk/runs'
const demonstrations = Array.from({ length: 4 }, (_, i) => JSON.stringify({ prompt: `Q${i}`, completion: `A${i}` }))

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  engineer = await harness.join('desk', 'engineer', owner)
  viewer = await harness.join('desk', 'viewer', owner)
  annotator = await harness.join('desk', 'annotator', owner)
  await owner.ask('POST /api/projects', { name: 'Other' })
  outsider = await harness.join('other', 'owner', owner)
  const file = new TextEncoder().encode(demonstrations.join('\n'))
  const done = await owner.ask('POST /api/projects/desk/datasets/demos?kind=demonstrations', file)
  expect(done.status).toBe(200)
})
afterAll(() => harness.close())

const order = { name: 'first', recipe: 'sft', inputs: { model: 'base', data: 'demos' }, settings: { steps: 3 } }
type Shown = { run: string; state: string; may: string[]; by: string | null; step: number | null; reason: string }
const listed = async (who = viewer) => ((await who.ask(`GET ${RUNS}`)).json as { runs: Shown[] }).runs
const shown = async (run: string) => (await viewer.ask(`GET ${RUNS}/${run}`)).json as Shown & Record<string, unknown>

/** A run as the command line leaves it. */
function leaveRun(run: string, { status, recipe = 'sft' }: { status: string; recipe?: string }): void {
  const folder = join(harness.workspace, 'runs', run)
  fs.mkdirSync(join(folder, 'checkpoints', '000004'), { recursive: true })
  fs.writeFileSync(join(folder, 'checkpoints', '000004', 'manifest.json'), '{}')
  const config = { recipe, model: '/elsewhere/models/m', config: { steps: 9, batchSize: 2, seed: 5 } }
  fs.writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const record = { recipe, status, simulated: false, outcome: { reason: 'all 9 steps' } }
  fs.writeFileSync(join(folder, 'run.json'), JSON.stringify(record))
  fs.writeFileSync(
    join(folder, 'metrics.jsonl'),
    '{"step":0,"heldOutLoss":3}\n{"step":1,"loss":2.5}\n{"kind":"alarm","step":1}\n{"step":2,"lo',
  )
}

test('a form is made of the recipes: fields with defaults and words, inputs that say what they take', async () => {
  const { status, json } = await viewer.ask('GET /api/projects/desk/recipes')
  expect(status).toBe(200)
  const { recipes, models, datasets } = json as {
    recipes: {
      name: string
      inputs: { properties: Record<string, { takes?: string; description: string }> }
      settings: { properties: Record<string, { default?: unknown; description: string }> }
    }[]
    models: unknown[]
    datasets: unknown[]
  }
  expect(recipes.map(({ name }) => name)).toEqual(['sft', 'reward', 'dpo', 'ppo'])
  expect(recipes[0]!.inputs.properties.data).toMatchObject({ takes: 'demonstrations' })
  expect(recipes[0]!.settings.properties.batchSize).toMatchObject({ default: 8, description: expect.any(String) })
  expect(models).toEqual([{ name: 'base', recipe: 'given' }])
  expect(datasets).toEqual([{ name: 'demos', kind: 'demonstrations', rows: 4 }])
})

test('each field that is wrong is named, all at once, and nothing is queued', async () => {
  const wrong = {
    ...order,
    inputs: { model: 'nobody', data: 'nothing', judge: 'x' },
    settings: { steps: -1, epochs: 2, batchSize: 1.5 },
    computing: { device: 'tpu' },
  }
  const { status, json } = await engineer.ask(`POST ${RUNS}`, wrong)
  expect(status).toBe(422)
  const { detail } = (json as { error: { detail: Record<string, string> } }).error
  expect(Object.keys(detail).sort()).toEqual([
    'computing.device',
    'inputs.judge',
    'settings.batchSize',
    'settings.steps',
  ])
  const names = await engineer.ask(`POST ${RUNS}`, { ...order, inputs: { model: 'nobody', data: 'nothing' } })
  expect((names.json as { error: { detail: Record<string, string> } }).error.detail).toMatchObject({
    'inputs.model': expect.stringMatching(/none called nobody/),
    'inputs.data': expect.stringMatching(/no dataset nothing/),
  })
  const twice = await engineer.ask(`POST ${RUNS}`, { ...order, settings: { steps: 3, epochs: 2 } })
  expect((twice.json as { error: { detail: object } }).error.detail).toHaveProperty('settings.epochs')
  const idle = await engineer.ask(`POST ${RUNS}`, { ...order, settings: { steps: 3, evalEvery: 2 } })
  expect((idle.json as { error: { detail: object } }).error.detail).toEqual({
    'settings.evalEvery': 'evalEvery would be ignored without heldOut',
  })
  expect((await engineer.ask(`POST ${RUNS}`, { ...order, name: '../up' })).status).toBe(422)
  expect(await listed()).toEqual([])
})

test('an engineer orders a run; data is pinned to its version; the same name is refused; who may not, may not', async () => {
  expect((await viewer.ask(`POST ${RUNS}`, order)).status).toBe(403)
  expect((await annotator.ask(`GET ${RUNS}`)).status).toBe(403)
  expect((await outsider.ask(`GET ${RUNS}/first`)).status).toBe(404)
  expect(await engineer.ask(`POST ${RUNS}`, order)).toMatchObject({ status: 200, json: { run: 'first' } })
  const again = await engineer.ask(`POST ${RUNS}`, order)
  expect(again.status).toBe(422)
  expect(again.text).toMatch(/there is a run first/)
  const [run] = await listed()
  expect(run).toMatchObject({ run: 'first', state: 'queued', may: ['pause', 'stop'], step: null })
  const { command, config } = await shown('first')
  expect(command).toMatch(/^hone train sft --out runs\/first --model base --data demos@[0-9a-f]{64} --steps 3$/)
  expect(config).toMatchObject({ recipe: 'sft', config: { steps: 3 } })
  // A run of this project is not there for another's owner, by any way.
  for (const what of ['stop', 'pause', 'resume'])
    expect((await outsider.ask(`POST /api/projects/other/runs/first/${what}`)).status).toBe(404)
})

test('what does not run obeys at once; what runs keeps the wish for its trainer', async () => {
  expect((await viewer.ask(`POST ${RUNS}/first/stop`)).status).toBe(403)
  expect((await engineer.ask(`POST ${RUNS}/first/pause`)).status).toBe(204)
  expect(await shown('first')).toMatchObject({ state: 'paused', may: ['resume', 'stop'] })
  expect((await engineer.ask(`POST ${RUNS}/first/pause`)).status).toBe(409)
  expect((await engineer.ask(`POST ${RUNS}/first/resume`)).status).toBe(204)
  await harness.store.query(
    "update jobs set state = 'running', trainer = gen_random_uuid(), lease_until = now() + interval '1 hour' where run = 'first'",
  )
  expect((await engineer.ask(`POST ${RUNS}/first/stop`)).status).toBe(204)
  expect(await shown('first')).toMatchObject({ state: 'running', wish: 'stop', may: [] })
  const log = (await owner.ask('GET /api/projects/desk/audit')).json as { entries: { action: string }[] }
  const actions = log.entries.map(({ action }) => action).filter((action) => action.startsWith('run.'))
  expect(actions).toEqual(['run.stop', 'run.resume', 'run.pause', 'run.start'])
})

test('runs of the command line are listed, read from their folders, and gone on with as a job', async () => {
  leaveRun('by-hand', { status: 'stopped' })
  leaveRun('cut-off', { status: 'running' })
  leaveRun('ready', { status: 'done' })
  leaveRun('stale', { status: 'paused', recipe: 'ppo' })
  const { state, reason, may } = await shown('stale')
  expect([state, may]).toEqual(['paused', []])
  expect(reason).toMatch(/^all 9 steps\. To go on: .* hone train ppo --resume runs\/stale --reward RUN$/)
  fs.rmSync(join(harness.workspace, 'runs', 'stale'), { recursive: true })
  expect((await listed()).map(({ run, state }) => [run, state]).sort(([a], [b]) => a!.localeCompare(b!))).toEqual([
    ['by-hand', 'stopped'],
    ['cut-off', 'broken-off'],
    ['first', 'running'],
    ['ready', 'done'],
  ])
  expect(await shown('ready')).toMatchObject({
    by: null,
    step: 1,
    of: 9,
    outcome: 'all 9 steps',
    checkpoints: [4],
    may: [],
  })
  expect(JSON.stringify(await shown('ready'))).not.toContain('/elsewhere')
  expect((await engineer.ask(`POST ${RUNS}/cut-off/resume`)).status).toBe(204)
  expect(await shown('cut-off')).toMatchObject({ state: 'queued', by: expect.any(String) })
  expect((await engineer.ask(`POST ${RUNS}/ready/resume`)).status).toBe(409)
  // A folder that names another project belongs to it.
  const { prefix } = (
    await harness.store.query<{ prefix: string }>("select file_prefix as prefix from projects where slug = 'other'")
  )[0]!
  leaveRun(`${prefix}theirs`, { status: 'done' })
  expect((await listed()).map(({ run }) => run)).not.toContain(`${prefix}theirs`)
  expect((await outsider.ask(`GET /api/projects/other/runs/${prefix}theirs`)).status).toBe(200)
})

test('a branch names a checkpoint that is there and settings that hold', async () => {
  const branch = (body: object) => engineer.ask(`POST ${RUNS}/ready/branch`, body)
  expect((await branch({ name: 'on', step: 5 })).text).toMatch(/no checkpoint of step 5/)
  expect((await branch({ name: 'on', step: 4, settings: { batchSize: 0 } })).text).toMatch(/settings\.batchSize/)
  expect(await branch({ name: 'on', step: 4, settings: { learningRate: 0.01 } })).toMatchObject({ json: { run: 'on' } })
  expect((await shown('on')).command).toBe('hone train sft --out runs/on --branch runs/ready@4 --learning-rate 0.01')
})

test('what judgements were made into is read a page at a time by who may take judgements out; the config counts them', async () => {
  leaveRun('taste', { status: 'done', recipe: 'reward' })
  const folder = join(harness.workspace, 'runs', 'taste')
  const config = JSON.parse(fs.readFileSync(join(folder, 'config.json'), 'utf8')) as object
  const ids = Array.from({ length: 50 }, (_, i) => `judgement-${i}`)
  fs.writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, judgements: ids }))
  const rows = Array.from({ length: 25 }, (_, i) => ({
    item: `pair-${i}`,
    prompt: 'Q',
    a: 'A',
    b: 'B',
    probability: 0.9,
    weight: 1,
    judgements: 2,
    annotators: ['person-1', 'person-2'],
    from: ids.slice(2 * i, 2 * i + 2),
  }))
  fs.writeFileSync(join(folder, 'preferences.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  expect((await shown('taste')).config).toMatchObject({ recipe: 'reward', judgements: 50 })
  const page = async (from: number) => (await engineer.ask(`GET ${RUNS}/taste/preferences?from=${from}`)).json
  const [first, second] = (await Promise.all([page(0), page(20)])) as { preferences: typeof rows; isLast: boolean }[]
  expect([first!.isLast, second!.isLast]).toEqual([false, true])
  const told = [...first!.preferences, ...second!.preferences]
  expect(told.flatMap(({ from }) => from)).toEqual(ids)
  expect(JSON.stringify(told)).not.toContain('person-')
  expect((await viewer.ask(`GET ${RUNS}/taste/preferences`)).status).toBe(403)
  expect(await engineer.ask(`GET ${RUNS}/ready/preferences`)).toMatchObject({ json: { preferences: [], isLast: true } })
})

test('a reward model without its ticket enters PPO only by a word that is kept; with one the word is refused', async () => {
  const accuracy = { value: 0.7, low: 0.6, high: 0.8 }
  for (const [run, reward] of [
    ['untried', {}],
    ['guesses', { accuracy: { ...accuracy, low: 0.5 } }],
    ['knows', { accuracy }],
  ] as const) {
    leaveRun(run, { status: 'done', recipe: 'reward' })
    fs.mkdirSync(join(harness.workspace, 'runs', run, 'model'))
    fs.writeFileSync(join(harness.workspace, 'runs', run, 'model', 'hone-training.json'), JSON.stringify({ reward }))
  }
  const ppo = (name: string, inputs: object) =>
    engineer.ask(`POST ${RUNS}`, { name, recipe: 'ppo', inputs: { model: 'base', data: 'demos', ...inputs } })
  const detailOf = async (inputs: object) =>
    ((await ppo('refused', inputs)).json as { error: { detail: Record<string, string> } }).error.detail
  expect((await detailOf({ reward: 'untried' }))['inputs.reward']).toMatch(
    /has no ticket: its run measured no accuracy/,
  )
  expect((await detailOf({ reward: 'guesses' }))['inputs.reward']).toMatch(/right on 0\.700 \[0\.500, 0\.800\]/)
  expect(await detailOf({ reward: 'knows', withoutTicket: 'yes' })).toHaveProperty(['inputs.withoutTicket'])
  expect(await ppo('bold', { reward: 'guesses', withoutTicket: 'yes' })).toMatchObject({ status: 200 })
  expect((await shown('bold')).command).toMatch(/ --reward runs\/guesses --without-ticket --data demos@/)
})

test('rules and texts are sent, checked as a run checks them, and chosen again; what is wrong is said at its field', async () => {
  const send = (text: string, kind = 'rules', who = engineer) =>
    who.ask(`POST /api/projects/desk/run-files?kind=${kind}`, new TextEncoder().encode(text))
  const rules = JSON.stringify([{ name: 'thanks', weight: 0.5, kind: 'regex', pattern: 'thank', flags: 'i' }])
  for (const [wrong, words] of [
    ['[{', /expected a JSON array of rule terms/],
    ['{}', /expected a JSON array of rule terms/],
    ['[]', /at least one rule term/],
    ['[{"name":"a","weight":1,"kind":"regex","pattern":"("}]', /a: expected a regular expression/],
    ['[{"name":"a","weight":"1","kind":"regex","pattern":"x"}]', /term 1 \(a\): weight: .*expected number/],
    [JSON.stringify([1, 2].map(() => ({ name: 'a', weight: 1, kind: 'length', most: 9 }))), /each name once/],
    ['[{"name":"a","weight":1,"kind":"module","file":"/etc/a.mjs"}]', /expected a term of kind regex or length/],
    ['[{"name":"a","weight":1,"kind":"json-schema","file":"a.json"}]', /expected a term of kind regex or length/],
  ] as const) {
    const { status, text } = await send(wrong)
    expect([status, text], wrong).toEqual([422, expect.stringMatching(words)])
  }
  expect((await send('{"text":"one"}\n{"txt":"two"}', 'texts')).text).toMatch(/line 2:1: expected a row/)
  expect((await send(' ', 'texts')).text).toMatch(/at least one row/)
  expect((await send(`[${' '.repeat(2 ** 20)}]`)).status).toBe(413)
  expect((await send(rules, 'rules', viewer)).status).toBe(403)
  type Sent = { file: string; count: number; isNew: boolean }
  const kept = (await send(rules)).json as Sent
  expect(kept).toMatchObject({ count: 1, isNew: true })
  expect((await send(rules)).json).toEqual({ ...kept, isNew: false })
  const { file: texts } = (await send('{"text":"one two"}\n', 'texts')).json as Sent
  // Its name tells what it is, and content has none.
  const csv = (text: string) => send(text, 'texts&file=a.csv')
  expect((await csv('text,n\n"one two",1\n')).json).toEqual({ file: texts, count: 1, isNew: false })
  expect((await csv('text\none\n"two\n')).text).toMatch(/"line 3: expected \\" at the end/)

  const replayed = (settings: object, inputs: object) =>
    engineer.ask(`POST ${RUNS}`, { ...order, name: 'r', settings, inputs: { ...order.inputs, ...inputs } })
  expect((await replayed({}, { replay: texts })).text).toMatch(/settings\.replayShare: expected a share above 0/)
  expect((await replayed({ replayShare: 0.1 }, {})).text).toMatch(/would be ignored without replay/)

  const ppo = (name: string, inputs: object) =>
    engineer.ask(`POST ${RUNS}`, { name, recipe: 'ppo', inputs: { model: 'base', data: 'demos', ...inputs } })
  const detailOf = async (inputs: object) =>
    ((await ppo('refused', inputs)).json as { error: { detail: Record<string, string> } }).error.detail
  expect(await detailOf({})).toEqual({ 'inputs.reward': expect.stringMatching(/nothing to optimise/) })
  const { file } = kept
  expect(await detailOf({ rules: file, rewardWeight: 2 })).toHaveProperty(['inputs.rewardWeight'])
  expect(await detailOf({ rules: file, withoutTicket: 'yes' })).toHaveProperty(['inputs.withoutTicket'])
  expect(await detailOf({ rules: file, criticFrom: 'reward' })).toHaveProperty(['inputs.criticFrom'])
  for (const elsewhere of ['secret.html', '../hone.json', '/etc/passwd', texts, `artifacts/00/${'0'.repeat(64)}`])
    expect(await detailOf({ rules: elsewhere }), elsewhere).toEqual({
      'inputs.rules': expect.stringMatching(/expected a/),
    })
  expect(await detailOf({ reward: 'knows', rewardWeight: 'much', rules: file })).toHaveProperty(['inputs.rewardWeight'])
  expect(await ppo('ruled', { rules: file })).toMatchObject({ status: 200 })
  expect((await shown('ruled')).command).toBe(
    `hone train ppo --out runs/ruled --model base --rules ${file} --data ${(await shown('first')).command?.toString().match(/demos@\w+/)?.[0]}`,
  )
  // What a run of the command line took from the workspace is offered beside it, and another project's is not.
  leaveRun('stale', { status: 'done', recipe: 'ppo' })
  fs.writeFileSync(join(harness.workspace, 'rules.json'), rules.replace('0.5', '1'))
  fs.writeFileSync(
    join(harness.workspace, 'runs', 'stale', 'config.json'),
    JSON.stringify({ recipe: 'ppo', rules: join(harness.workspace, 'rules.json') }),
  )
  const offered = async (who: Person, project = 'desk') =>
    ((await who.ask(`GET /api/projects/${project}/recipes`)).json as { files: object[] }).files
  expect(await offered(engineer)).toEqual(
    expect.arrayContaining([
      { file, kind: 'rules', words: 'of ruled' },
      { file: 'rules.json', kind: 'rules', words: 'of stale' },
    ]),
  )
  expect(await offered(outsider, 'other')).toEqual([])
  expect(await ppo('again', { rules: 'rules.json' })).toMatchObject({ status: 200 })
})

test('no defect was met on the way', () => expect(harness.defects).toEqual([]))
