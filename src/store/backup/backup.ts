// A backup: a folder with the tables of a store as they were at one moment, the workspace's files as they were then or
// later, and a manifest over all of it by SHA-256. It is taken while people judge and runs train. The moment comes first and
// the files after it, because rows name files and files name no rows: so whatever the rows name is there.
import fs from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { ConfigError } from '#errors'
import {
  commitFolder,
  diskError,
  type ManifestFile,
  refuseFull,
  sealManifest,
  syncFolder,
  temporaryFolder,
} from '#files'
import { type Alone, connectAlone } from './connect.ts'
import { contentHash, fixText, readSequences, readTables, Sequence, Table } from './tables.ts'
import { type Copying, copyWorkspace, sizeOfWorkspace } from './workspace-files.ts'

export const Database = z.strictObject({
  /** Of the server that it was read from. */
  postgres: z.string(),
  /** The newest migration, and what its store was made by. */
  migration: z.number().int(),
  /** One hash for all rows of all tables. */
  content: z.string(),
  tables: z.array(Table),
  sequences: z.array(Sequence),
})
export const Backup = z.strictObject({
  kind: z.literal('backup'),
  hone: z.string(),
  /** The moment that the rows are of. */
  taken: z.iso.datetime(),
  files: z.strictObject({ count: z.number().int(), bytes: z.number().int() }),
  /** Null: a workspace that no server has been started in. */
  database: Database.nullable(),
})
export type Backup = z.infer<typeof Backup>

/** Where the parts lie in a backup. */
export const FILES = 'files'
export const TABLES = 'database'
export const tableFile = (table: string): string => `${TABLES}/${table}.copy`

export type OnProgress = (done: { part: 'rows' | 'files' } & Copying & { of?: Copying }) => void

/** Takes a backup into a new folder, which is there whole or not at all. The workspace may be in use by anybody. */
export async function backup({
  workspace,
  databaseUrl,
  to,
  hone,
  onProgress = () => {},
}: {
  workspace: string
  databaseUrl?: string | undefined
  to: string
  hone: string
  onProgress?: OnProgress
}): Promise<Backup> {
  if (!relative(resolve(workspace), resolve(to)).startsWith('..'))
    throw new ConfigError(`expected a folder outside the workspace ${workspace}, got ${to}: choose another`)
  refuseFull(to)
  const store = await connectAlone({ workspace, databaseUrl })
  const temporary = temporaryFolder(to)
  try {
    // It holds password hashes and people's words.
    fs.chmodSync(temporary, 0o700)
    const files: ManifestFile[] = []
    const began = new Date().toISOString()
    const read = store && (await readDatabase(store, temporary, files, onProgress))
    const size = sizeOfWorkspace(workspace)
    const copied: Copying = { files: 0, bytes: 0 }
    fs.mkdirSync(join(temporary, FILES))
    await copyWorkspace(workspace, join(temporary, FILES), (file) => {
      files.push({ ...file, path: `${FILES}/${file.path}` })
      copied.files++
      copied.bytes += file.bytes
      onProgress({ part: 'files', ...copied, of: size })
    })
    // A checkpoint that was removed meanwhile was told and is not there.
    const told = [...new Map(files.map((file) => [file.path, file])).values()]
    const kept = told.filter(({ path }) => fs.existsSync(join(temporary, path))).sort(byPath)
    const own = kept.filter(({ path }) => path.startsWith(`${FILES}/`))
    const made: Backup = {
      kind: 'backup',
      hone,
      taken: read?.taken ?? began,
      files: { count: own.length, bytes: own.reduce((sum, { bytes }) => sum + bytes, 0) },
      database: read?.database ?? null,
    }
    sealManifest(temporary, { fields: made, files: kept })
    commitFolder(temporary, to)
    return made
  } catch (cause) {
    fs.rmSync(temporary, { recursive: true, force: true })
    throw cause instanceof Error && 'severity' in cause ? cause : diskError(cause, to)
  } finally {
    await store?.close()
  }
}

const byPath = (a: ManifestFile, b: ManifestFile): number => (a.path < b.path ? -1 : 1)

/** Every table in one transaction that sees one moment and keeps nobody from writing. */
async function readDatabase(
  { client }: Alone,
  folder: string,
  files: ManifestFile[],
  onProgress: OnProgress,
): Promise<{ taken: string; database: z.infer<typeof Database> } | undefined> {
  await client.query('begin transaction isolation level repeatable read read only')
  await fixText(client)
  // The first question fixes the moment.
  const { rows } = await client.query<{ taken: Date; postgres: string; isThere: boolean }>(
    `select clock_timestamp() as taken, current_setting('server_version') as postgres,
       to_regclass('migrations') is not null as "isThere"`,
  )
  const { taken, postgres, isThere } = rows[0]!
  if (!isThere) {
    await client.query('commit')
    return undefined
  }
  const newest = await client.query<{ number: number }>('select max(number) as number from migrations')
  fs.mkdirSync(join(folder, TABLES))
  const done: Copying = { files: 0, bytes: 0 }
  const write = (table: string): { piece(bytes: Uint8Array): void; end(): void } => {
    const path = tableFile(table)
    const out = fileWriter(join(folder, path))
    return {
      piece: (bytes) => out.piece(bytes),
      end() {
        const bytes = out.end()
        files.push({ path, bytes, sha256: '' })
        done.files++
        done.bytes += bytes
        onProgress({ part: 'rows', ...done })
      },
    }
  }
  const tables = await readTables(client, { write })
  const sequences = await readSequences(client)
  await client.query('commit')
  syncFolder(join(folder, TABLES))
  const hashes = new Map(tables.map(({ name, sha256 }) => [tableFile(name), sha256]))
  for (const file of files) file.sha256 = hashes.get(file.path) ?? file.sha256
  const database = { postgres, migration: newest.rows[0]!.number, content: contentHash(tables), tables, sequences }
  return { taken: taken.toISOString(), database }
}

const PIECE_BYTES = 1 << 20

/** A new file that is given piece by piece; its bytes are on disk when `end` answers how many they are. */
function fileWriter(path: string): { piece(bytes: Uint8Array): void; end(): number } {
  const fd = fs.openSync(path, 'wx', 0o600)
  let held: Uint8Array[] = []
  let waiting = 0
  let written = 0
  const flush = (): void => {
    fs.writeFileSync(fd, Buffer.concat(held))
    written += waiting
    held = []
    waiting = 0
  }
  return {
    piece(bytes) {
      held.push(Uint8Array.from(bytes))
      waiting += bytes.byteLength
      if (waiting >= PIECE_BYTES) flush()
    },
    end() {
      flush()
      fs.fsyncSync(fd)
      fs.closeSync(fd)
      return written
    },
  }
}
