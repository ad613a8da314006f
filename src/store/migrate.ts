// Tables come by numbered SQL files, forward only. Each file and the row that records it are one transaction, so a kill at
// any statement leaves the old tables whole; an advisory lock lets one process migrate while the others wait.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '#errors'
import { sha256 } from '#files'
import type { Query, Store } from './store.ts'

export type Migration = { number: number; name: string; sql: string; sha256: string }

const FOLDER = join(import.meta.dirname, 'migrations')
/** Any number, the same for every hone: "hone" in ASCII. */
const LOCK = 0x686f6e65

const MIGRATIONS = `create table if not exists migrations (
  number integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now())`

/** The migrations of this hone, in order. */
export function listMigrations(): Migration[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((name, i) => {
      const number = Number(name.slice(0, 3))
      if (number !== i + 1) throw new Error(`migration ${name} should have number ${i + 1}`)
      const sql = readFileSync(join(FOLDER, name), 'utf8')
      return { number, name, sql, sha256: sha256(sql) }
    })
}

/** Applies what is missing. A store of a newer hone, or one whose migrations were changed since, is refused untouched. */
export async function migrate(store: Store, migrations = listMigrations()): Promise<void> {
  await store.transaction(async (query) => {
    await lock(query)
    await query('create schema if not exists hone')
    await query(MIGRATIONS)
  })
  for (const migration of migrations)
    await store.transaction(async (query) => {
      await lock(query)
      if (await isApplied(query, migration, migrations.length)) return
      await query(migration.sql)
      const { number, name, sha256 } = migration
      await query('insert into migrations (number, name, sha256) values ($1, $2, $3)', [number, name, sha256])
    })
}

/** Makes the tables as they were after migration `last`, in the caller's transaction; what they held then is loaded next. */
export async function makeTables(query: Query, last: number): Promise<void> {
  await lock(query)
  await query('create schema if not exists hone')
  await query(MIGRATIONS)
  for (const { sql } of listMigrations().slice(0, last)) await query(sql)
}

async function lock(query: Query): Promise<void> {
  await query("select set_config('lock_timeout', '60s', true), pg_advisory_xact_lock($1)", [LOCK])
  // A large table takes the time it takes.
  await query("select set_config('statement_timeout', '0', true)")
}

async function isApplied(query: Query, { number, name, sha256 }: Migration, known: number): Promise<boolean> {
  const rows = await query<{ number: number; sha256: string }>('select number, sha256 from migrations order by number')
  const newest = rows.at(-1)?.number ?? 0
  if (newest > known)
    throw new ConfigError(`this store was opened by a newer hone (migration ${newest}, here ${known}): upgrade hone`)
  const applied = rows.find((row) => row.number === number)
  if (applied && applied.sha256 !== sha256)
    throw new ConfigError(`migration ${name} is not the one that this store was made with: expected ${applied.sha256}`)
  return applied !== undefined
}
