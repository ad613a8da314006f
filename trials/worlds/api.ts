// A server with something in it of every kind, in two projects, and people of every role: what trials of the API ask. The
// sampler is a process with a tiny model, or made up where no answer of a model is looked at; samples always are.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { hashFolder, hashRow, sha256, sha256File } from '#files'
import { openSamplerLink } from '#sampler'
import type { SamplerLink } from '#sampler/contract'
import { type Objective, Role } from '#schema'
import { addRelease, createCandidacy, createSession, setRole, signCandidacy } from '#store'
import type { ServerOptions } from '../../src/server/index.ts'
import { createTinyModel } from '../../src/sampler/tiny-model.test-data.ts'
import { type Harness, openHarness, ORIGIN, PASSWORD, type Person, setUp } from '../../src/server/harness.test-data.ts'
import type { Known } from './api-requests.ts'

export { ORIGIN, PASSWORD }
/** `outsider` owns another project; `stranger` has no account; `program` shows a key. */
export const ROLES = [...Role.options, 'outsider', 'stranger', 'program'] as const
export type RoleName = (typeof ROLES)[number]

export type ApiWorld = {
  harness: Harness
  people: Record<Role | 'outsider', Person>
  key: string
  /** By the name of a parameter or field: what exists, in both projects. */
  known: Known
  /** Reads `known` anew. */
  look: () => Promise<void>
  /** One thing of each kind in a project, by the name that paths give it. */
  idsOf: (project: 'desk' | 'other') => Promise<Record<string, string>>
  /** What somebody of that role sends; whatever was done to the account before, it has that role. */
  headersOf: (role: RoleName) => Promise<Record<string, string>>
  /** Of the process that holds the model. */
  samplerPid(): number | undefined
  close(): Promise<void>
}

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')
const asFile = (rows: unknown[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

/** `web`: the folder of the built pages, where somebody will look at them. */
export async function openApiWorld({
  isModelReal,
  web,
  contextTokens = 200,
}: {
  isModelReal: boolean
  web?: string
  /** Of the model, where it is real. */
  contextTokens?: number
}): Promise<ApiWorld> {
  const link = isModelReal
    ? openSamplerLink({ command: [process.execPath, HONE, 'sampler'], onSaid: () => {} })
    : undefined
  const sampler: SamplerLink = link ? { ...link, draw: (request) => MADE_UP.draw(request) } : MADE_UP
  // Webhooks know this machine's own names and no other: nothing leaves it.
  const resolve: ServerOptions['resolve'] = (host) =>
    /(^|\.)localhost\.?$/i.test(host)
      ? Promise.resolve([{ address: '127.0.0.1', family: 4 }])
      : Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
  const harness = await openHarness({ sampler, resolve, ...(web !== undefined && { web }) })
  const { workspace, store } = harness
  const owner = await setUp(harness)
  const members = new Map<Role | 'outsider', Person>([['owner', owner]])
  for (const role of Role.options) if (role !== 'owner') members.set(role, await harness.join('desk', role, owner))
  await must(owner, 'POST /api/projects', { name: 'Other' })
  members.set('outsider', await harness.join('other', 'owner', owner))
  const people = Object.fromEntries(members) as ApiWorld['people']

  const model = join(workspace, 'models', 'tiny')
  if (isModelReal) createTinyModel(model, { contextTokens })
  else writeModel(model)
  await link?.load(model)
  await fillProject(owner, 'desk', [people.annotator, people.reviewer])
  await fillProject(people.outsider, 'other', [people.outsider])
  for (const run of ['watched', 'other.watched']) writeRun(workspace, run)
  const evaluation = writeEvaluation(workspace, model)
  for (const slug of ['desk', 'other']) await release(harness, { slug, model, evaluation, people })
  const program = { name: 'program', perMinute: 10_000 }
  const { key } = await must<{ key: string }>(owner, 'POST /api/projects/desk/api-keys', program)
  await must(people.outsider, 'POST /api/projects/other/api-keys', program)

  const known: Record<string, string[]> = {}
  const tokens = new Map<string, string>()
  const columns = async (sql: string, values: unknown[] = []) =>
    (await store.query<{ id: string }>(sql, values)).map(({ id }) => id)
  const world: ApiWorld = {
    harness,
    people,
    key,
    known,
    async look() {
      const listed = (await owner.ask('GET /api/projects/desk/datasets')).json as { datasets?: { name: string }[] }
      const own = await world.idsOf('desk')
      const datasets = (listed.datasets ?? []).map(({ name }) => name).slice(0, 12)
      Object.assign(known, {
        project: [...Array.from({ length: 12 }, () => 'desk'), 'other', 'nowhere'],
        user: Object.values(people).map(({ id }) => id),
        // Mostly items of the campaign that is meant beside them.
        campaign: [
          ...Array.from({ length: 40 }, () => own.campaign!),
          ...(await columns('select id from campaigns limit 10')),
        ],
        item: await columns('select id::text as id from items order by campaign_id <> $1, id limit 14', [own.campaign]),
        fill: await columns('select id from fills order by made_at limit 20'),
        evaluation: await columns('select id from evaluations order by made_at limit 20'),
        withdrawal: await columns('select id from withdrawals limit 20'),
        credential: await columns('select id from credentials limit 10'),
        expertise: ['parcels', 'tax-law'],
        domain: ['customer-service', 'none'],
        candidacy: await columns('select id from candidacies order by asked_at limit 20'),
        key: await columns('select id from api_keys order by made_at desc limit 5'),
        submission: await columns('select id::text as id from submissions limit 10'),
        webhook: await columns('select id from webhooks order by made_at limit 10'),
        delivery: await columns('select id from deliveries limit 20'),
        url: ['https://hook.example/x', 'http://127.0.0.1:9/', 'http://hook.example:8080/'],
        guideline: await columns('select id from guidelines limit 20'),
        release: ['desk', 'none'],
        number: ['1', '2', '999'],
        run: ['watched', ...(await columns('select run as id from jobs limit 20'))],
        dataset: [...datasets, 'new-one'],
        prompts: [...datasets, 'none'],
        models: ['models/tiny', 'release desk', 'base'],
        candidate: ['models/tiny', 'release desk'],
        opponent: ['models/tiny', 'base'],
        model: ['desk', 'none'],
        hash: [evaluation, 'a'.repeat(64)],
        gate: ['preferred', 'none'],
        statistic: ['spring.win-rate', 'spring.strata.late', 'none'],
        email: [...Object.values(people).map(({ email }) => email), 'new@example.org'],
        password: [PASSWORD],
        current: [PASSWORD],
        token: [harness.server.setUpToken ?? 'x'.repeat(43), 'y'.repeat(43)],
        before: await columns('select id::text as id from adjudications limit 10'),
        to: ['1'],
        id: [
          evaluation,
          'desk',
          'watched',
          'release desk #1',
          ...(await columns('select id from judgements limit 20')),
        ],
        'inputs.keys': ['model', 'data', 'reward', 'reference'],
        'inputs.values': ['models/tiny', 'asks', 'shown', 'base', 'judged'],
        'settings.keys': ['steps', 'learningRate', 'seed', 'batchSize', 'loraRank', 'klBudget'],
        'computing.keys': ['threads', 'device', 'precision'],
      })
    },
    async idsOf(project) {
      const one = async (from: string): Promise<string> => {
        const found = await columns(`select ${from} limit 1`, [project])
        if (found[0] === undefined) throw new Error(`nothing of that kind in ${project}: ${from}`)
        return found[0]
      }
      const of = (table: string) =>
        `${table}.id::text as id from ${table} join projects on projects.id = project_id where slug = $1`
      return {
        user: people[project === 'desk' ? 'reviewer' : 'outsider'].id,
        campaign: await one(`${of('campaigns')} and kind = 'pairs'`),
        item: await one(
          `items.id::text as id from items join campaigns on campaigns.id = campaign_id join projects on projects.id = project_id where slug = $1 order by items.id`,
        ),
        fill: await one(of('fills')),
        evaluation: await one(of('evaluations')),
        withdrawal: await one(of('withdrawals')),
        credential: await one(of('credentials')),
        candidacy: await one(of('candidacies')),
        submission: await one(
          `submissions.id::text as id from submissions join items on items.id = item_id join campaigns on campaigns.id = campaign_id join projects on projects.id = project_id where slug = $1`,
        ),
        webhook: await one(of('webhooks')),
        delivery: await one(
          `deliveries.id from deliveries join webhooks on webhooks.id = webhook_id join projects on projects.id = project_id where slug = $1`,
        ),
        key: await one(of('api_keys')),
        release: project,
        run: project === 'desk' ? 'watched' : 'other.watched',
        dataset: `own-of-${project}`,
        // The other project has a version more.
        number: project === 'desk' ? '1' : '2',
      }
    },
    async headersOf(role) {
      if (role === 'stranger') return {}
      if (role === 'program') return { authorization: `Bearer ${key}` }
      const { id } = people[role]
      await store.query('update users set disabled_at = null where id = $1 and disabled_at is not null', [id])
      const [project] = await columns('select id from projects where slug = $1', [
        role === 'outsider' ? 'other' : 'desk',
      ])
      await setRole(store.query, project!, id, role === 'outsider' ? 'owner' : role)
      const there = tokens.get(role)
      const alive = await store.query('select 1 from sessions where id_hash = sha256($1::bytea)', [
        Buffer.from(there ?? ''),
      ])
      if (alive.length === 0) tokens.set(role, await createSession(store.query, id))
      return { cookie: `__Host-hone=${tokens.get(role)!}` }
    },
    samplerPid: () => link?.pid(),
    async close() {
      await harness.close()
      await link?.close()
    },
  }
  await world.look()
  return world
}

const OBJECTIVE: Objective = {
  name: 'other',
  version: '1',
  summary: 'Version 1.',
  criteria: [
    {
      name: 'fact',
      definition: 'It is true.',
      good: 'It comes on Monday.',
      bad: 'It came.',
      borderline: 'Soon.',
      scale: { low: 0, high: 1 },
      weight: 1,
      owner: 'lead',
      source: 'user promise',
      constraint: false,
      targets: [],
    },
  ],
}

const MADE_UP: SamplerLink = {
  load: (folder) =>
    Promise.resolve({
      hash: folder === 'base' ? sha256(folder) : hashFolder(folder),
      contextTokens: 200,
      hasChatTemplate: true,
    }),
  async *draw({ prompts, n }) {
    for (const { row } of prompts)
      for (let sample = 0; sample < n; sample++) {
        const completion = `made up ${row} ${sample}`
        yield await Promise.resolve({ row, sample, completion, finished: true, logprob: -1, tokens: 3 })
      }
  },
  answer: () => Promise.resolve(Response.json({ error: { message: 'made up' } }, { status: 404 })),
  pid: () => undefined,
  close: async () => {},
}

async function must<T>(person: Person, key: string, body?: unknown): Promise<T> {
  const { status, text, json } = await person.ask(key, body)
  if (status >= 300) throw new Error(`${key}: ${status} ${text}`)
  return json as T
}

/** Datasets, a campaign that is half judged, samples, an evaluation, a withdrawal. */
async function fillProject(lead: Person, project: string, judges: readonly Person[]): Promise<void> {
  const at = (path: string) => `/api/projects/${project}${path}`
  const pairs = Array.from({ length: 12 }, (_, i) => ({
    item: `pair-${i}`,
    prompt: `Question ${i}`,
    a: `first answer ${i}`,
    b: `second ${i}`,
    ...(i < 3 && { gold: 'a', goldReason: 'the second is wrong' }),
  }))
  const asks = Array.from({ length: 3 }, (_, i) => ({ prompt: `Where is parcel ${i}?` }))
  const shown = asks.map((row) => ({ ...row, completion: 'Here.' }))
  await must(lead, `POST ${at('/datasets/pairs?kind=comparisons')}`, asFile(pairs))
  await must(lead, `POST ${at('/datasets/asks?kind=prompts')}`, asFile(asks))
  await must(lead, `POST ${at(`/datasets/own-of-${project}?kind=prompts`)}`, asFile(asks))
  await must(lead, `POST ${at('/datasets/shown?kind=demonstrations')}`, asFile(shown))
  await must(lead, `PUT ${at('/guideline')}`, { text: `Be kind in ${project}.` })
  const { objective: standing, hash } = await must<{ objective: Objective | null; hash: string | null }>(
    lead,
    `GET ${at('/objective')}`,
  )
  const objective = standing ?? OBJECTIVE
  const { number } = await must<{ number: number }>(lead, `PUT ${at('/objective')}`, { objective, from: hash })
  if (!standing)
    await must(lead, `PUT ${at('/objective')}`, {
      objective: { ...objective, summary: `Version ${number + 1}.` },
      from: hashRow(objective),
    })
  const asked = { name: 'Round', dataset: 'pairs', overlap: 2, seed: 5, goldRate: 0.1 }
  const { id } = await must<{ id: string }>(lead, `POST ${at('/campaigns')}`, asked)
  for (const judge of judges) {
    await must(judge, `PUT ${at(`/campaigns/${id}/guideline-read`)}`)
    for (let i = 0; i < 5; i++) {
      const { task } = await must<{ task: { id: string } | null }>(judge, `POST ${at(`/campaigns/${id}/claim`)}`)
      if (!task) break
      const body = { key: randomUUID(), choice: 'left', strength: 2, activeSeconds: 3 }
      await must(judge, `POST ${at(`/campaigns/${id}/items/${task.id}/judgement`)}`, body)
    }
  }
  await must(lead, `POST ${at(`/campaigns/${id}/judgements`)}`, { dataset: 'judged' })
  const writing = { kind: 'demonstrations', name: 'Written', dataset: 'asks', overlap: 1, seed: 5 }
  const { id: written } = await must<{ id: string }>(lead, `POST ${at('/campaigns')}`, writing)
  const writer = judges[0]!
  await must(writer, `PUT ${at(`/campaigns/${written}/guideline-read`)}`)
  const { task } = await must<{ task: { id: string } | null }>(
    writer,
    `POST ${at(`/campaigns/${written}/demonstrations/claim`)}`,
  )
  const text = { key: randomUUID(), text: 'It comes on Monday.', activeSeconds: 30 }
  await must(writer, `POST ${at(`/campaigns/${written}/items/${task!.id}/demonstration`)}`, text)
  const model = project === 'desk' ? 'models/tiny' : 'base'
  await must(lead, `POST ${at('/fills')}`, { name: 'drawn', prompts: 'asks', models: [model], n: 2, maxTokens: 4 })
  const evaluation = { name: 'Spring', candidate: model, opponent: 'base', prompts: 'asks', maxTokens: 4 }
  await must(lead, `POST ${at('/evaluations')}`, evaluation)
  await must(lead, `POST ${at(`/people/${writer.id}/credentials`)}`, { expertise: 'parcels', days: 30 })
  const hook = { name: 'board', url: 'https://hook.example/', events: ['guideline.change'] }
  const { id: webhook } = await must<{ id: string }>(lead, `POST ${at('/webhooks')}`, hook)
  await must(lead, `POST ${at(`/webhooks/${webhook}/test`)}`)
  await must(lead, `POST ${at('/withdrawals')}`, { rule: { user: judges[0]!.id }, reason: 'in a hurry' })
}

function writeRun(workspace: string, run: string): void {
  const folder = join(workspace, 'runs', run)
  fs.mkdirSync(join(folder, 'checkpoints'), { recursive: true })
  const rows = Array.from({ length: 30 }, (_, step) => `${JSON.stringify({ step, loss: 1 / (step + 1) })}\n`)
  fs.writeFileSync(join(folder, 'config.json'), JSON.stringify({ recipe: 'sft', config: { steps: 30 } }))
  fs.writeFileSync(
    join(folder, 'run.json'),
    JSON.stringify({ recipe: 'sft', status: 'stopped', simulated: false, inputs: {}, outputs: {} }),
  )
  fs.writeFileSync(join(folder, 'metrics.jsonl'), rows.join(''))
}

/** Enough of a model to be listed. */
function writeModel(folder: string): void {
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(join(folder, 'config.json'), JSON.stringify({ architectures: ['LlamaForCausalLM'] }))
  fs.writeFileSync(join(folder, 'model.safetensors'), 'none')
}

function writeEvaluation(workspace: string, model: string): string {
  fs.mkdirSync(join(workspace, 'evaluations'), { recursive: true })
  const file = join(workspace, 'evaluations', 'spring.json')
  const written = {
    kind: 'evaluation',
    hone: '0.0.0',
    metric: 'win-rate',
    model: { path: model, hash: hashFolder(model) },
    suite: { name: 'spring', path: 'x', hash: 'a'.repeat(64), rows: 100 },
    settings: {},
    simulated: true,
    statistics: { 'win-rate': { value: 0.6, low: 0.55, high: 0.65, n: 100 } },
  }
  fs.writeFileSync(file, JSON.stringify(written, null, 2))
  return sha256File(file)
}

/** A name that stands for the model, in either project: the second owns no model by which it could get one over the API. */
async function release(
  { store }: Harness,
  o: { slug: string; model: string; evaluation: string; people: ApiWorld['people'] },
): Promise<void> {
  const { slug, model, evaluation, people } = o
  const [by, signer] = [people.engineer.id, people.reviewer.id]
  await store.transaction(async (query) => {
    const [row] = await query<{ id: string }>('select id from projects where slug = $1', [slug])
    const project = row!.id
    const candidacy = await createCandidacy(query, {
      project,
      release: slug,
      model: 'models/tiny',
      folder: model,
      hash: hashFolder(model),
      rules: [],
      evaluations: [{ hash: evaluation, name: 'evaluations/spring.json' }],
      gates: [{ name: 'preferred', passed: true, evidence: 'made up' }],
      simulated: true,
      by,
    })
    await signCandidacy(query, candidacy, { by: signer, signOff: 'released', reason: 'looked at' })
    await addRelease(query, { project, name: slug, candidacy, by: signer })
  })
}
