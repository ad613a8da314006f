// A real Postgres in a workspace of its own: made, shared, killed, taken up again; migrations; the audit chain.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client } from 'pg'
import { sha256 } from '#files'
import { audit, auditRows, isDown, openStore, sealAudit, type Store, verifyAudit } from './index.ts'
import { openEmbedded } from './embedded.ts'
import { listMigrations, migrate } from './migrate.ts'

let workspace: string
let store: Store

beforeAll(async () => {
  workspace = fs.mkdtempSync(join(tmpdir(), 'hone-store-'))
  store = await openStore({ workspace })
})
afterAll(async () => {
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })
})

const postmaster = () => Number(fs.readFileSync(join(workspace, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])

test('commits reach the disk before they are acknowledged, and nobody listens on the network', async () => {
  const [settings] = await store.query<Record<string, string>>(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
       current_setting('full_page_writes') as pages, current_setting('listen_addresses') as addresses`,
  )
  expect(settings).toEqual({ fsync: 'on', commit: 'on', pages: 'on', addresses: '' })
  expect(fs.statSync(join(workspace, 'postgres')).mode & 0o077).toBe(0)
  expect(fs.statSync(join(workspace, 'postgres/password')).mode & 0o077).toBe(0)
})

test('who comes together makes one cluster, migrates once and shares it; the last to leave stops it', async () => {
  const other = fs.mkdtempSync(join(tmpdir(), 'hone-share-'))
  const stores = await Promise.all(Array.from({ length: 3 }, () => openStore({ workspace: other })))
  const pidFile = join(other, 'postgres/data/postmaster.pid')
  const [row] = await stores[0]!.query<{ count: number }>('select count(*)::int as count from migrations')
  expect(row!.count).toBe(listMigrations().length)
  await stores[0]!.query('create table shared (n integer)')
  await stores[1]!.query('insert into shared values (7)')
  await stores[0]!.close()
  await stores[1]!.close()
  expect(fs.existsSync(pidFile)).toBe(true)
  expect(await stores[2]!.query('select n from shared')).toEqual([{ n: 7 }])
  await stores[2]!.close()
  expect(fs.existsSync(pidFile)).toBe(false)
  const again = await openStore({ workspace: other })
  expect(await again.query('select n from shared')).toEqual([{ n: 7 }])
  await again.close()
  fs.rmSync(other, { recursive: true })
})

test('a path too long for a unix socket opens; as root somebody else runs it, even where only root may enter', async () => {
  const closed = fs.mkdtempSync(join(tmpdir(), 'hone-deep-'))
  expect(fs.statSync(closed).mode & 0o077).toBe(0)
  const deep = join(closed, 'd'.repeat(120))
  fs.mkdirSync(deep)
  const embedded = await openEmbedded(deep)
  const pid = fs.readFileSync(join(deep, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]
  if (fs.existsSync('/proc')) expect(fs.statSync(`/proc/${pid}`).uid).not.toBe(0)
  await embedded.leave()
  fs.rmSync(closed, { recursive: true })
})

test('a folder that somebody else put where the socket would be is refused', async () => {
  const deep = join(fs.mkdtempSync(join(tmpdir(), 'hone-deep-')), 'd'.repeat(120))
  const planted = join(tmpdir(), `hone-${sha256(join(deep, 'postgres')).slice(0, 16)}`)
  fs.mkdirSync(planted)
  fs.chmodSync(planted, 0o777)
  await expect(openEmbedded(deep)).rejects.toThrow(/that nobody else may enter/)
  fs.rmdirSync(planted)
  fs.symlinkSync(tmpdir(), planted)
  await expect(openEmbedded(deep)).rejects.toThrow(/that nobody else may enter/)
  fs.rmSync(planted)
  fs.rmSync(join(deep, '..'), { recursive: true })
})

test('only a connection that fails means that the database is down, not a file that is missing', async () => {
  const fails = async (ask: () => Promise<unknown>): Promise<unknown> =>
    ask().then(
      () => undefined,
      (error: unknown) => error,
    )
  const missing = join(workspace, 'nothing')
  expect(isDown(await fails(() => fs.promises.readFile(missing)))).toBe(false)
  expect(isDown(await fails(() => new Client({ host: missing }).connect()))).toBe(true)
})

test('a killed database is started again by the next statement, with all that was committed', async () => {
  await store.query('create table if not exists kept (n integer primary key)')
  for (let kill = 0; kill < 3; kill++) {
    await store.query('insert into kept values ($1)', [kill])
    const before = postmaster()
    process.kill(before, 'SIGKILL')
    // Its children, which serve the open connections, outlive it by moments.
    await expect
      .poll(() => untilAnswered(() => store.query('select 1')).then(postmaster), { timeout: 60_000 })
      .not.toBe(before)
    const rows = await store.query<{ n: number }>('select n from kept order by n')
    expect(rows.map(({ n }) => n)).toEqual([...Array(kill + 1).keys()])
  }
})

/** A statement that was on its way when the server died fails; the one after it works. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (tries >= 20) throw error
    }
  }
}

test('a transaction that throws leaves nothing', async () => {
  await store.query('create table if not exists tried (n integer)')
  const failing = store.transaction(async (query) => {
    await query('insert into tried values (1)')
    throw new Error('half-way')
  })
  await expect(failing).rejects.toThrow('half-way')
  expect(await store.query('select * from tried')).toEqual([])
})

test('a migration killed at any of its statements is not half done, and is done by the next opener', async () => {
  const known = listMigrations()
  const statements = [
    'create table planted (n integer)',
    'insert into planted values (1)',
    "select 1 / (current_setting('statement_timeout') = '0')::integer",
    'alter table planted add column m integer',
  ]
  for (let at = 0; at <= statements.length; at++) {
    const killed = [
      ...statements.slice(0, at),
      'select pg_terminate_backend(pg_backend_pid())',
      ...statements.slice(at),
    ]
    const next = { number: known.length + 1, name: 'planted.sql', sha256: 'x' }
    await expect(migrate(store, [...known, { ...next, sql: killed.join(';\n') }])).rejects.toThrow()
    const [seen] = await untilAnswered(() => store.query("select to_regclass('planted') as planted"))
    expect(seen).toEqual({ planted: null })
  }
  const whole = { number: known.length + 1, name: 'planted.sql', sha256: 'x', sql: statements.join(';\n') }
  await migrate(store, [...known, whole])
  await migrate(store, [...known, whole])
  expect(await store.query('select n, m from planted')).toEqual([{ n: 1, m: null }])
  await expect(migrate(store, known)).rejects.toThrow(/newer hone/)
  await store.query('drop table planted')
  await store.query('delete from migrations where number = $1', [known.length + 1])
})

test('a migration that was edited after it was applied is refused', async () => {
  const known = listMigrations()
  const edited = known.map((m) => ({ ...m, sha256: 'other' }))
  await expect(migrate(store, edited)).rejects.toThrow(/not the one that this store was made with/)
})

test('the audit chain holds under writers at once, and shows a row that was changed or taken out', async () => {
  const entry = { actor: null, project: null, action: 'test.write', subject: 'x' }
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let i = 0; i < 25; i++) {
      await store.transaction((query) => audit(query, { ...entry, detail: { writer, i } }))
      if (i % 10 === 0) await sealAudit(store)
    }
  })
  await Promise.all(writers)
  await sealAudit(store)
  expect(await verifyAudit(store)).toMatchObject({ rows: 200 })
  expect((await verifyAudit(store)).brokenAt).toBeUndefined()
  const positions: number[] = []
  for await (const row of auditRows(store)) positions.push(row.position)
  expect(positions).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))

  await store.query(`update audit set detail = '{"forged": true}' where position = 117`)
  expect(await verifyAudit(store)).toMatchObject({ brokenAt: 117, because: 'a row was changed' })
  await store.query('delete from audit where position = 90')
  expect(await verifyAudit(store)).toMatchObject({ brokenAt: 90, because: 'a row is missing' })
})
