// A backup becomes a workspace again: in a new folder, and in an empty database, its own or a team's. Every file is held to
// its hash while it is copied, the rows to theirs before they are committed. The folder appears last and whole, so a restore
// that was killed is begun again by the same command; rows that it had committed in a team's database are known again.
import fs from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Client } from 'pg'
import { ConfigError, DataError, invariant } from '#errors'
import { commitFolder, diskError, isAlive, type ManifestFile, readManifest, refuseFull, temporaryFolder } from '#files'
import { endAbandoned } from '../embedded.ts'
import { listMigrations, makeTables } from '../migrate.ts'
import { Backup, FILES, type OnProgress, tableFile } from './backup.ts'
import { connectAlone } from './connect.ts'
import { contentHash, fixText, listTables, loadTables, readTables, SCHEMA, type Table } from './tables.ts'
import { copyFile, pieces } from './workspace-files.ts'

type Rows = NonNullable<Backup['database']>

/** Restores into a folder that is not there or empty, and a database without a schema `hone`. Both are whole or not there. */
export async function restore({
  from,
  workspace,
  databaseUrl,
  onProgress = () => {},
}: {
  from: string
  workspace: string
  databaseUrl?: string | undefined
  onProgress?: OnProgress
}): Promise<Backup> {
  const { made, files } = readBackup(from)
  if (made.database) checkMigrations(from, made.database)
  refuseFull(workspace)
  for (const left of leftovers(workspace)) await endAbandoned(left)
  const temporary = temporaryFolder(workspace)
  try {
    const own = files.filter(({ path }) => path.startsWith(`${FILES}/`))
    const done = { files: 0, bytes: 0 }
    const of = { files: made.files.count, bytes: made.files.bytes }
    for (const file of own) {
      restoreFile(from, file, join(temporary, file.path.slice(FILES.length + 1)))
      done.files++
      done.bytes += file.bytes
      onProgress({ part: 'files', ...done, of })
    }
    if (made.database) await restoreDatabase(from, made.database, { workspace: temporary, databaseUrl, files })
    commitFolder(temporary, workspace)
    return made
  } catch (cause) {
    fs.rmSync(temporary, { recursive: true, force: true })
    throw isOfDatabase(cause) ? refusedBy(cause) : diskError(cause, workspace)
  }
}

/** Of restores that were killed: folders that the next one removes, under a server that may still run. */
function leftovers(workspace: string): string[] {
  const parent = dirname(resolve(workspace))
  if (!fs.existsSync(parent)) return []
  const start = `.${basename(workspace)}.writing-`
  return fs.readdirSync(parent).flatMap((name) => {
    const pid = Number(name.startsWith(start) ? name.slice(start.length).split('-')[0] : Number.NaN)
    return Number.isInteger(pid) && !isAlive(pid) ? [join(parent, name)] : []
  })
}

function readBackup(from: string): { made: Backup; files: ManifestFile[] } {
  const { fields, files } = readManifest(from)
  const parsed = Backup.safeParse(fields)
  if (parsed.success) return { made: parsed.data, files }
  throw new DataError('expected what hone backup made, got another folder with a manifest', { file: from })
}

/** Rows of an older hone are loaded into its tables and brought up to date when the store is next opened. */
function checkMigrations(from: string, { migration }: Rows): void {
  const known = listMigrations().length
  if (migration > known)
    throw new ConfigError(
      `${from} was made by a newer hone (migration ${migration}, here ${known}): restore it with that one`,
    )
}

function restoreFile(from: string, { path, sha256, bytes }: ManifestFile, to: string): void {
  const file = join(from, path)
  const copied = copyFile(file, to)
  if (!copied) throw new DataError('is named by manifest.json but missing; the backup is damaged', { file })
  if (copied.sha256 !== sha256)
    throw new DataError(
      `expected ${bytes} bytes of sha256 ${sha256}, got ${copied.bytes} of ${copied.sha256}; the backup is damaged`,
      { file },
    )
}

async function restoreDatabase(
  from: string,
  rows: Rows,
  { workspace, databaseUrl, files }: { workspace: string; databaseUrl: string | undefined; files: ManifestFile[] },
): Promise<void> {
  for (const { name, sha256 } of rows.tables) {
    const file = files.find(({ path }) => path === tableFile(name))
    if (file?.sha256 !== sha256)
      throw new DataError('its manifest names other rows than it holds; the backup is damaged', { file: from })
  }
  const store = await connectAlone({ workspace, databaseUrl, isNew: true })
  invariant(store !== undefined, 'a new database is there')
  try {
    const { client } = store
    await client.query('begin')
    await fixText(client)
    if ((await listTables(client)).length > 0) return await checkSame(client, rows)
    await makeTables(async (text, values = []) => (await client.query(text, [...values])).rows, rows.migration)
    await fixText(client)
    await loadTables(client, rows, (table) => piecesOf(join(from, tableFile(table.name)))).catch((cause: unknown) => {
      if (!isOfDatabase(cause)) throw cause
      throw new DataError(`its rows do not load: ${cause.message}; the backup is damaged`, { file: from }, { cause })
    })
    const content = contentHash(await readTables(client))
    if (content !== rows.content)
      throw new DataError(`expected rows of hash ${rows.content}, got ${content}; the backup is damaged`, {
        file: from,
      })
    await client.query('commit')
    await client.query('analyze')
  } finally {
    await store.close()
  }
}

/** Of a restore that was killed between its last two steps. Anything else that is there is nobody's to write over. */
async function checkSame(client: Client, rows: Rows): Promise<void> {
  const tables: Table[] = await readTables(client)
  if (contentHash(tables) === rows.content) return
  throw new ConfigError(
    `expected a database without a schema ${SCHEMA}, got one with ${tables.length} tables: name an empty one in DATABASE_URL`,
  )
}

/** Postgres's own errors have a code as those of files do. */
function isOfDatabase(error: unknown): error is Error {
  return error instanceof Error && 'severity' in error
}

function refusedBy(cause: Error): ConfigError {
  return new ConfigError(
    `the database refused: ${cause.message}; its user must be able to create the schema ${SCHEMA}`,
    {
      cause,
    },
  )
}

function* piecesOf(file: string): Generator<Uint8Array> {
  const fd = fs.openSync(file, 'r')
  try {
    yield* pieces(fd, fs.fstatSync(fd).size)
  } finally {
    fs.closeSync(fd)
  }
}
