// Stores as each migration left them, with rows in every table, are opened by this hone; and each migration is killed at each
// of its statements, once per migration by SIGKILL of the whole database: the old store is there whole, and the next opener
// brings it up to date with all its rows.
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { openStore, type Query, type Store } from '#store'
import { readTables, type Table } from '../../src/store/backup/tables.ts'
import { listMigrations, migrate, type Migration } from '../../src/store/migrate.ts'
import { makeEmptyWorkspace } from '../worlds/visitors.ts'
import { ROWS_AFTER } from './older-stores.ts'
import { compare, type Outcome } from './outcome.ts'

/** `killed`: how many of the newest migrations are killed; all by default. */
export async function migrations({ killed = Infinity }: { killed?: number } = {}): Promise<Outcome> {
  const workspace = makeEmptyWorkspace()
  const admin = await openStore({ workspace })
  const failures: string[] = []
  const known = listMigrations()
  const urlOf = (name: string): string => {
    const password = fs.readFileSync(join(workspace, 'postgres/password'), 'utf8')
    return `postgresql://hone:${password}@/${name}?host=${encodeURIComponent(join(workspace, 'postgres'))}`
  }
  let [kills, killedDatabases, opened] = [0, 0, 0]
  const place = { admin, urlOf, workspace, failures }
  await admin.query('create database state_0')
  for (const [i, migration] of known.entries()) {
    const before = await rowsOf(urlOf(`state_${i}`))
    const statements = statementsOf(migration.sql)
    const last = known.length - i <= killed ? statements.length : -1
    for (let at = 0; at <= last; at++) {
      const how = at === statements.length >> 1 ? 'sigkill' : 'terminate'
      await killedAt(place, { known: known.slice(0, i), migration, statements, at, how, before })
      kills++
      killedDatabases += Number(how === 'sigkill')
    }
    await admin.query(`create database state_${i + 1} template state_${i}`)
    await withPlain(urlOf(`state_${i + 1}`), async (store) => {
      await migrate(store, known.slice(0, i + 1))
      await store.query(ROWS_AFTER[i + 1] ?? '')
    })
    const rows = await rowsOf(urlOf(`state_${i + 1}`))
    await admin.query(`create database opened template state_${i + 1}`)
    const store = await openStore({ workspace, databaseUrl: urlOf('opened') })
    await store.close()
    await keepsRows(place, { name: `a store of migration ${i + 1}`, database: 'opened', before: rows })
    opened++
    await admin.query('drop database opened')
  }
  await admin.close()
  fs.rmSync(workspace, { recursive: true, force: true })
  const figure = `${known.length} migrations: killed at ${kills} statements, ${killedDatabases} of them by SIGKILL of the database; none half done, all done by the next opener; stores of ${opened} states opened with all their rows`
  return { figures: [figure], failures }
}

type Place = { admin: Store; urlOf: (name: string) => string; workspace: string; failures: string[] }
type Kill = {
  /** What is applied. */
  known: Migration[]
  migration: Migration
  statements: string[]
  at: number
  how: 'terminate' | 'sigkill'
  before: Table[]
}

async function killedAt(place: Place, { known, migration, statements, at, how, before }: Kill): Promise<void> {
  const { admin, urlOf, workspace, failures } = place
  const name = `${migration.name} killed before statement ${at + 1} of ${statements.length}`
  await admin.query(`create database killed template state_${known.length}`)
  const kill = how === 'sigkill' ? 'select pg_sleep(60)' : 'select pg_terminate_backend(pg_backend_pid())'
  const sql = [...statements.slice(0, at), kill, ...statements.slice(at)].join(';\n')
  const failed = withPlain(urlOf('killed'), (store) => migrate(store, [...known, { ...migration, sql }])).then(
    () => failures.push(`${name}: it went through`),
    () => {},
  )
  if (how === 'sigkill') await killWhileAsleep(admin, workspace)
  await failed
  // The list of what was applied is made before the first migration; empty, it is the same as none.
  const after = (await rowsOf(urlOf('killed'))).filter((table) => table.name !== 'migrations' || table.rows > 0)
  compare(failures, name, after, before)
  const store = await openStore({ workspace, databaseUrl: urlOf('killed') })
  await store.close()
  await keepsRows(place, { name, database: 'killed', before })
  await again(() => admin.query('drop database killed'))
}

async function killWhileAsleep(admin: Store, workspace: string): Promise<void> {
  for (;;) {
    const asleep = await admin.query(
      "select 1 from pg_stat_activity where datname = 'killed' and wait_event = 'PgSleep'",
    )
    if (asleep.length > 0) break
    await sleep(10)
  }
  const pid = Number(fs.readFileSync(join(workspace, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
  for (const victim of [pid, ...children]) {
    try {
      process.kill(victim, 'SIGKILL')
    } catch {
      // ended by itself in this moment
    }
  }
  await again(() => admin.query('select 1'))
}

/** A statement that was on its way when the server died fails; the one after it starts the server. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (tries >= 50) throw error
      await sleep(50)
    }
  }
}

/** Every row that was there, in the columns that it had. */
async function keepsRows(
  { urlOf, failures }: Place,
  { name, database, before }: { name: string; database: string; before: Table[] },
): Promise<void> {
  const columns = new Map(before.map((table) => [table.name, table.columns]))
  const now = await rowsOf(urlOf(database), columns)
  for (const table of before.filter((t) => t.name !== 'migrations'))
    compare(
      failures,
      `${name}: rows of ${table.name}`,
      now.find((t) => t.name === table.name),
      table,
    )
}

function rowsOf(url: string, columns?: Map<string, string[]>): Promise<Table[]> {
  return withClient(url, async (client) => {
    await client.query('begin')
    return readTables(client, { columns })
  })
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const options = '-c search_path=hone -c timezone=UTC'
  const client = new Client({ connectionString: url, options })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** A store as it is, not brought up to date by being opened. */
function withPlain(url: string, work: (store: Store) => Promise<void>): Promise<void> {
  return withClient(url, async (client) => {
    const query: Query = async <Row>(text: string, values: readonly unknown[] = []) =>
      (await client.query(text, [...values])).rows as Row[]
    await work({
      query,
      async transaction(inside) {
        await query('begin')
        const answer = await inside(query)
        await query('commit')
        return answer
      },
      close: async () => {},
    })
  })
}

/** Statements of a file of SQL: cut at semicolons that stand in no text, no $$ and no comment. */
function statementsOf(sql: string): string[] {
  const pieces = sql.split(/(--[^\n]*|'(?:[^']|'')*'|\$\$[\s\S]*?\$\$|;)/)
  const statements = ['']
  for (const piece of pieces) {
    if (piece === ';') statements.push('')
    else if (!piece.startsWith('--')) statements[statements.length - 1] += piece
  }
  return statements.map((text) => text.trim()).filter(Boolean)
}
