// A backup of a workspace in use is one moment of it, comes back whole on any Postgres, and is never half there.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findVersion, listDatasets, saveVersion, versionRows } from '#data'
import { DataError } from '#errors'
import { MANIFEST, openLog, readManifest, sealManifest, verifyManifest } from '#files'
import { disagreements, judgeUntil, keysIn } from '../../../trials/worlds/moment.ts'
import { pruneCheckpoints, readCheckpoint, checkpointSteps, writeCheckpoint } from '../../trainer/checkpoints.ts'
import {
  addGuideline,
  backup,
  createCampaign,
  createProject,
  createUser,
  newestGuideline,
  openStore,
  restore,
  sealAudit,
  type Store,
  verifyAudit,
} from '../index.ts'
import { openEmbedded } from '../embedded.ts'
import type { Backup } from './backup.ts'
import { copyFile } from './workspace-files.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'hone-backup-'))
const workspace = join(root, 'desk')
let store: Store
let campaign: string
let project: string
let people: string[]

beforeAll(async () => {
  fs.mkdirSync(join(workspace, 'runs', 'first'), { recursive: true })
  fs.writeFileSync(join(workspace, 'hone.json'), '{"name":"desk"}')
  fs.writeFileSync(join(workspace, 'guideline.md'), 'Grüße: "quoted", a\ttab, a \\backslash\n')
  store = await openStore({ workspace })
  people = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const made = await createUser(store.query, { email: `${randomUUID()}@x.org`, name: 'Ü\t\\N', passwordHash: '' })
      return made!.id
    }),
  )
  project = (await createProject(store.query, { slug: 'desk', name: 'Desk' }))!.id
  await addGuideline(store.query, project, { text: 'Line\nbreak \\N and NULL', by: people[0]! })
  const guideline = (await newestGuideline(store.query, project))!.id
  const items = Array.from({ length: 2000 }, (_, i) => ({ item: `pair-${i}`, prompt: `Q${i}\\n`, a: 'a\r\n', b: 'b' }))
  const of = { dataset: 'd', version: 'v', guideline, overlap: 4, seed: 1, by: people[0]!, items }
  campaign = (await createCampaign(store.query, { project, name: 'first', ...of }))!
})
afterAll(async () => {
  await store.close()
  fs.rmSync(root, { recursive: true, force: true })
})

/** Files are written in this thread: connections must get their turn. */
const PAUSE = 150

type Load = { acknowledged: Set<string>; sent: Set<string>; stop(): Promise<void> }

/** People judge, datasets get versions, a run writes checkpoints and removes old ones, until it is stopped. */
function load(): Load {
  const over = new AbortController()
  const { acknowledged, sent, done: judging } = judgeUntil(store, { project, campaign, people }, over.signal)
  const writing = (async () => {
    const folder = join(workspace, 'runs', 'first')
    fs.writeFileSync(join(folder, 'run.json'), '{}')
    const metrics = openLog(join(folder, 'metrics.jsonl'))
    for (let step = 1; !over.signal.aborted; step++) {
      await saveVersion(workspace, [{ prompt: `Question ${step}` }], { kind: 'prompts', name: 'questions', source: {} })
      metrics.append({ step })
      await writeCheckpoint(folder, {
        step,
        models: ['model'],
        save: async (_, to) => {
          fs.mkdirSync(to)
          for (const name of ['a', 'b', 'c']) fs.writeFileSync(join(to, name), String(step))
        },
        record: () => ({ reason: 'due', state: {}, lengths: { metrics: metrics.bytes(), samples: 0 } }),
      })
      pruneCheckpoints(folder)
      await sleep(PAUSE)
    }
    metrics.close()
  })()
  const all = Promise.all([judging, writing])
  return {
    acknowledged,
    sent,
    async stop() {
      over.abort()
      await all
    },
  }
}

test('taken under load it is one moment; through another Postgres and back it is the same', async () => {
  const working = load()
  try {
    await takenUnderLoad(working)
  } finally {
    await working.stop()
  }
})

async function takenUnderLoad(working: Load): Promise<void> {
  while (working.acknowledged.size < 60 || checkpointSteps(join(workspace, 'runs/first')).length < 2) await sleep(5)
  const before = new Set(working.acknowledged)
  const made = await backup({ workspace, to: join(root, 'copy'), hone: 'test' })
  const after = new Set(working.sent)
  await working.stop()
  expect(fs.statSync(join(root, 'copy')).mode & 0o077).toBe(0)
  expect(working.acknowledged.size).toBeGreaterThan(before.size)
  verifyManifest(join(root, 'copy'))

  fs.writeFileSync(join(root, 'secret'), 'key', { mode: 0o600 })
  copyFile(join(root, 'secret'), join(root, 'secret-copy'))
  expect(fs.statSync(join(root, 'secret-copy')).mode & 0o777).toBe(0o600)

  const back = join(root, 'back')
  await restore({ from: join(root, 'copy'), workspace: back })
  const opened = await openStore({ workspace: back })
  const keys = new Set(await keysIn(opened))
  expect([...before].filter((key) => !keys.has(key))).toEqual([])
  expect([...keys].filter((key) => !after.has(key))).toEqual([])
  expect(await disagreements(opened)).toEqual({ judged: 0, claimed: 0, audited: 0, alone: 0 })
  // What was counted on is counted on: the next rows get numbers of their own, the chain goes on.
  await addGuideline(opened.query, project, { text: 'Another', by: people[0]! })
  await opened.query("insert into flags (item_id, user_id, note) select id, $1, '' from items limit 1", [people[0]])
  await opened.query("insert into audit (action, subject) values ('test.write', '')")
  await sealAudit(opened)
  expect((await verifyAudit(opened)).brokenAt).toBeUndefined()
  await opened.close()

  const outside = join(root, 'outside')
  fs.mkdirSync(outside)
  const embedded = await openEmbedded(outside)
  const { host, user, database, password } = embedded.connection
  const databaseUrl = `postgresql://${user}:${String(password)}@/${database}?host=${encodeURIComponent(host!)}`
  const others = join(root, 'theirs')
  await restore({ from: join(root, 'copy'), workspace: others, databaseUrl })
  expect(fs.existsSync(join(others, 'postgres'))).toBe(false)
  await (await openStore({ workspace: others, databaseUrl })).close()
  const theirs = await backup({ workspace: others, databaseUrl, to: join(root, 'copy-2'), hone: 'test' })
  expect(contentOf(theirs)).toBe(contentOf(made))
  await expect(restore({ from: join(root, 'copy'), workspace: join(root, 'more'), databaseUrl })).resolves.toBeTruthy()
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query("update hone.users set name = 'Somebody else'")
  await client.end()
  await expect(restore({ from: join(root, 'copy'), workspace: join(root, 'most'), databaseUrl })).rejects.toThrow(
    /expected a database without a schema hone/,
  )
  expect(fs.existsSync(join(root, 'most'))).toBe(false)
  await embedded.leave()
  await restore({ from: join(root, 'copy-2'), workspace: join(root, 'home') })
  const again = await backup({ workspace: join(root, 'home'), to: join(root, 'copy-3'), hone: 'test' })
  expect(contentOf(again)).toBe(contentOf(made))

  expect(fs.readFileSync(join(back, 'guideline.md'))).toEqual(fs.readFileSync(join(workspace, 'guideline.md')))
  expect(listDatasets(back)).toEqual(['questions'])
  expect([...versionRows(back, findVersion(back, 'questions'))]).toHaveLength(1)
  const run = join(back, 'runs', 'first')
  const newest = checkpointSteps(run).at(-1)!
  expect(newest).toBeGreaterThan(1)
  const { lengths } = readCheckpoint(run, newest).record
  expect(fs.statSync(join(run, 'metrics.jsonl')).size).toBeGreaterThanOrEqual(lengths.metrics)
  expect(readCheckpoint(workspace + '/runs/first', checkpointSteps(join(workspace, 'runs/first')).at(-1)!)).toBeTruthy()
}

const contentOf = ({ database }: Backup): string | undefined => database?.content

test('nothing that is there is written over, and a damaged backup is refused by the name of the file', async () => {
  const copy = join(root, 'whole')
  await backup({ workspace, to: copy, hone: 'test' })
  await expect(backup({ workspace, to: copy, hone: 'test' })).rejects.toThrow(/already exists and is not empty/)
  await expect(backup({ workspace, to: join(workspace, 'in'), hone: 'test' })).rejects.toThrow(/outside the workspace/)
  await expect(restore({ from: copy, workspace })).rejects.toThrow(/already exists and is not empty/)
  const to = join(root, 'refused')
  for (const path of ['files/guideline.md', 'database/judgements.copy', MANIFEST]) {
    const file = join(copy, path)
    const whole = fs.readFileSync(file)
    const changed = Buffer.from(whole)
    changed[Math.floor(changed.length / 2)]! ^= 1
    fs.writeFileSync(file, changed)
    await expect(restore({ from: copy, workspace: to }), path).rejects.toThrow(DataError)
    await expect(restore({ from: copy, workspace: to }), path).rejects.toThrow(path.startsWith('d') ? copy : file)
    expect(fs.existsSync(to)).toBe(false)
    fs.writeFileSync(file, whole)
  }
  const { fields, files } = readManifest(copy)
  const newer = { ...fields, database: { ...(fields.database as object), migration: 999 } }
  fs.rmSync(join(copy, MANIFEST))
  sealManifest(copy, { fields: newer, files })
  await expect(restore({ from: copy, workspace: to })).rejects.toThrow(/newer hone/)
  expect(fs.readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([])
})

/** Does it in a process of its own, which kills itself when it opens the `nth` path that ends so. */
async function killedAt(call: string, ending: string): Promise<string | null> {
  const script = `
    import fs from 'node:fs'
    const { openSync } = fs
    fs.openSync = (path, ...more) => {
      if (String(path).endsWith(${JSON.stringify(ending)})) process.kill(process.pid, 'SIGKILL')
      return openSync(path, ...more)
    }
    const { backup, restore } = await import(${JSON.stringify(join(import.meta.dirname, '../index.ts'))})
    await ${call}`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: 'inherit' })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  return signal
}

test('killed half way, nothing of that name is there, and the same again goes through', async () => {
  const from = join(root, 'taken')
  const taking = { workspace, to: from, hone: 'test' }
  for (const ending of ['judgements.copy', 'guideline.md', MANIFEST])
    expect([await killedAt(`backup(${JSON.stringify(taking)})`, ending), fs.existsSync(from)]).toEqual([
      'SIGKILL',
      false,
    ])
  const made = await backup(taking)
  const giving = { from, workspace: join(root, 'given') }
  for (const ending of ['guideline.md', 'judgements.copy'])
    expect([await killedAt(`restore(${JSON.stringify(giving)})`, ending), fs.existsSync(giving.workspace)]).toEqual([
      'SIGKILL',
      false,
    ])
  await restore(giving)
  expect(fs.readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([])
  const again = await backup({ workspace: giving.workspace, to: join(root, 'taken-again'), hone: 'test' })
  expect(contentOf(again)).toBe(contentOf(made))
})

test('a workspace that no server was started in has files alone', async () => {
  const plain = join(root, 'plain')
  fs.mkdirSync(join(plain, 'runs'), { recursive: true })
  fs.writeFileSync(join(plain, 'hone.json'), '{}')
  const made = await backup({ workspace: plain, to: join(root, 'plain-copy'), hone: 'test' })
  expect([made.database, made.files]).toEqual([null, { count: 1, bytes: 2 }])
  await restore({ from: join(root, 'plain-copy'), workspace: join(root, 'plain-back') })
  expect(fs.readdirSync(join(root, 'plain-back')).sort()).toEqual(['hone.json'])
})
