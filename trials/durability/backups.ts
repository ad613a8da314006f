// Backups taken while people judge and a run trains, restored, carried to an outside Postgres and back: each copy is one moment
// between the start and the end of its taking, and content hashes agree all the way.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { listDatasets, listVersions, saveVersion, versionRows } from '#data'
import { generator } from '#stats'
import {
  addGuideline,
  backup,
  createCampaign,
  createProject,
  createUser,
  newestGuideline,
  openStore,
  restore,
  type Store,
} from '#store'
import { checkpointSteps, readCheckpoint, resume, train } from '#trainer'
import { disagreements, judgeUntil, keysIn } from '../worlds/moment.ts'
import { makeSmallFiles, preferLonger, smallJob } from '../worlds/small-run.ts'
import { makeEmptyWorkspace } from '../worlds/visitors.ts'
import { compare, type Outcome } from './outcome.ts'

const PEOPLE = 8
/** Training is over long before; then another run begins. */
const STEPS = 40
const OPTIONS = { hone: 'trial', judge: preferLonger }

/** `databaseUrl`: an empty outside database; what is in its schema `hone` is removed between rounds. */
export async function backups({
  rounds,
  databaseUrl,
}: {
  rounds: number
  databaseUrl?: string | undefined
}): Promise<Outcome> {
  const root = fs.mkdtempSync(join(tmpdir(), 'hone-backups-'))
  const files = join(root, 'files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
  const workspace = makeEmptyWorkspace()
  const store = await openStore({ workspace })
  const failures: string[] = []
  const work = await begin(store, { workspace, files })
  const random = generator(1)
  const moments: string[] = []
  for (let round = 0; round < rounds; round++) {
    await sleep(200 + random.uniform() * 1000)
    const copy = join(root, `copy-${round}`)
    const before = new Set(work.acknowledged)
    const began = performance.now()
    const made = await backup({ workspace, to: copy, hone: 'trial' })
    const seconds = (performance.now() - began) / 1000
    const after = new Set(work.sent)
    const back = join(root, `back-${round}`)
    await restore({ from: copy, workspace: back })
    const opened = await openStore({ workspace: back })
    const keys = new Set(await keysIn(opened))
    compare(
      failures,
      `round ${round}: acknowledged before and not there`,
      [...before].filter((key) => !keys.has(key)),
      [],
    )
    compare(
      failures,
      `round ${round}: sent only afterwards`,
      [...keys].filter((key) => !after.has(key)),
      [],
    )
    compare(failures, `round ${round}: tables of one moment`, await disagreements(opened), {
      judged: 0,
      claimed: 0,
      audited: 0,
      alone: 0,
    })
    await opened.close()
    failures.push(...(await filesAreWhole(back)).map((problem) => `round ${round}: ${problem}`))
    const hashes = [made.database?.content]
    if (databaseUrl !== undefined) {
      await clear(databaseUrl)
      const theirs = join(root, `theirs-${round}`)
      await restore({ from: copy, workspace: theirs, databaseUrl })
      await (await openStore({ workspace: theirs, databaseUrl })).close()
      const second = await backup({ workspace: theirs, databaseUrl, to: join(root, `second-${round}`), hone: 'trial' })
      await restore({ from: join(root, `second-${round}`), workspace: join(root, `home-${round}`) })
      const last = { workspace: join(root, `home-${round}`), to: join(root, `third-${round}`), hone: 'trial' }
      const third = await backup(last)
      hashes.push(second.database?.content, third.database?.content)
      compare(failures, `round ${round}: content through the other Postgres`, new Set(hashes).size, 1)
      if (round === 0)
        moments.push(
          `outside Postgres ${second.database?.postgres}: content ${hashes.map((hash) => hash?.slice(0, 12)).join(' = ')}`,
        )
    }
    moments.push(
      `${keys.size} answers, ${before.size} acknowledged before and ${after.size} sent by the end; ${made.files.count} files, ${(made.files.bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`,
    )
  }
  await work.stop()
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })
  fs.rmSync(root, { recursive: true, force: true })
  return { figures: moments, failures }
}

type Work = { acknowledged: Set<string>; sent: Set<string>; stop(): Promise<void> }

/** Eight people judge, datasets get versions, tiny runs train one after the other. */
async function begin(store: Store, { workspace, files }: { workspace: string; files: string }): Promise<Work> {
  const people = await Promise.all(
    Array.from({ length: PEOPLE }, async () => {
      const email = `${randomUUID()}@example.org`
      return (await createUser(store.query, { email, name: 'Somebody', passwordHash: '' }))!.id
    }),
  )
  const project = (await createProject(store.query, { slug: 'desk', name: 'Desk' }))!.id
  await addGuideline(store.query, project, { text: 'Choose.', by: people[0]! })
  const guideline = (await newestGuideline(store.query, project))!.id
  const items = Array.from({ length: 20_000 }, (_, i) => ({ item: `pair-${i}`, prompt: `Q${i}`, a: 'a', b: 'b' }))
  const of = { dataset: 'd', version: 'v', guideline, overlap: 5, seed: 1, by: people[0]!, items }
  const campaign = (await createCampaign(store.query, { project, name: 'first', ...of }))!
  const over = new AbortController()
  const { acknowledged, sent, done: judging } = judgeUntil(store, { project, campaign, people }, over.signal)
  const importing = (async () => {
    for (let n = 0; !over.signal.aborted; n++) {
      await saveVersion(workspace, [{ prompt: `Question ${n}` }], { kind: 'prompts', name: `q-${n % 3}`, source: {} })
      await sleep(20)
    }
  })()
  const training = (async () => {
    for (let n = 0; !over.signal.aborted; n++) {
      const job = smallJob('sft', files, { steps: STEPS, checkpointEvery: 2 })
      await train(job, join(workspace, 'runs', `run-${n}`), { ...OPTIONS, onProgress: () => {}, signal: over.signal })
    }
  })()
  return {
    acknowledged,
    sent,
    async stop() {
      over.abort()
      await Promise.all([judging, importing, training])
    },
  }
}

/** Every version reads, every checkpoint opens, and a run that was under way goes on to its end. */
async function filesAreWhole(workspace: string): Promise<string[]> {
  const problems: string[] = []
  const tries = async (what: string, work: () => unknown): Promise<void> => {
    try {
      await work()
    } catch (error) {
      problems.push(`${what}: ${String(error)}`)
    }
  }
  for (const name of listDatasets(workspace))
    for (const version of listVersions(workspace, name))
      await tries(`${name}@${version.version}`, () => [...versionRows(workspace, version)])
  const runs = join(workspace, 'runs')
  for (const name of fs.readdirSync(runs)) {
    const run = join(runs, name)
    for (const step of checkpointSteps(run)) await tries(`${name}@${step}`, () => readCheckpoint(run, step))
    if (!fs.existsSync(join(run, 'run.json'))) continue
    const { status } = JSON.parse(fs.readFileSync(join(run, 'run.json'), 'utf8')) as { status: string }
    if (status === 'done') await tries(`${name}, done`, () => fs.readFileSync(join(run, 'model', 'model.safetensors')))
    else await tries(`${name}, gone on with`, () => resume(run, { ...OPTIONS, onProgress: () => {} }))
  }
  return problems
}

async function clear(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('drop schema if exists hone cascade')
  await client.end()
}
