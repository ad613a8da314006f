// Dataset versions: a named line of immutable lists of rows. A version is the SHA-256 over its rows' hashes in order,
// each of the row's RFC 8785 JSON; the rows lie as canonical JSONL in `artifacts/`, found by their content; the line is
// `datasets/<name>.jsonl`, one JSON object a version, oldest first. Rows go to disk, and to the workspace's bucket where it has
// one, before the line that names them, and one importer at a time writes lines, so a version is there whole or not at all, and none is lost.
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { sendArtifact } from '#bucket'
import { ConfigError, DataError } from '#errors'
import {
  artifactPath,
  canonicalJson,
  diskError,
  type Hold,
  holdFolder,
  makeFolder,
  moveDurable,
  sha256File,
  temporaryFolder,
  writeDurable,
} from '#files'
import { type Format, sizeOf } from './bytes.ts'
import { writeRows } from './export.ts'
import { type Kind, KINDS, type RowOf } from './normalise.ts'
import { eachGoodRow, type ReadOptions, type WrongRow } from './read.ts'
import { Spool, type Spooled } from './spool.ts'

const Hash = z.string().regex(/^[0-9a-f]{64}$/)
const Version = z.strictObject({
  version: Hash.describe('SHA-256 over the SHA-256 of each row, in order'),
  name: z.string(),
  kind: z.enum(KINDS),
  rows: z.number().int().positive(),
  created: z.iso.datetime(),
  parents: z.array(Hash).describe('versions that this one was made from'),
  source: z.record(z.string(), z.unknown()).describe('what made it: a file and its hash, a check, a split'),
  content: Hash.describe('the artifact that holds the rows'),
})
export type Version = z.infer<typeof Version>

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
const PIECE_BYTES = 1 << 18
const NEWLINE = 10
const COMMA = 44
const WAIT_MILLISECONDS = 25
const MOST_WAITS = 1200

export type Imported = {
  version: Version /** False: the newest version of that name had these rows already. */
  isNew: boolean
}
type Origin = { name: string; parents?: string[]; source: Record<string, unknown> }

/** Reads a file into a new version. One wrong row refuses the file, unless wrong rows are set aside; then they are answered. */
export async function importVersion<K extends Kind>(
  workspace: string,
  file: string,
  { name, parents = [], ...read }: ReadOptions<K> & { name: string; parents?: string[] },
): Promise<Imported & { setAside: WrongRow[] }> {
  checkName(name)
  const setAside: WrongRow[] = []
  await sizeOf(file)
  const source = { import: basename(file), sha256: sha256File(file) }
  const imported = await storeVersion(workspace, { kind: read.kind, name, parents, source }, (spool) =>
    eachGoodRow(
      file,
      read,
      (outcome) => {
        if ('error' in outcome) setAside.push(outcome)
        else spool.add(outcome.row)
      },
      (row) => spool.addPlain(row),
    ),
  )
  return { ...imported, setAside }
}

/** Makes a version of rows. Nothing is stored unless all of them arrive. */
export async function saveVersion<K extends Kind>(
  workspace: string,
  rows: Iterable<RowOf[K]> | AsyncIterable<RowOf[K]>,
  origin: Origin & { kind: K },
): Promise<Imported> {
  return storeVersion(workspace, origin, async (spool) => {
    if (Symbol.iterator in rows) for (const row of rows) spool.add(row)
    else for await (const row of rows) spool.add(row)
  })
}

async function storeVersion(
  workspace: string,
  { kind, name, parents = [], source }: Origin & { kind: Kind },
  fill: (spool: Spool) => Promise<void>,
): Promise<Imported> {
  checkWorkspace(workspace)
  checkName(name)
  const temporary = temporaryFolder(join(workspace, 'artifacts', 'import'))
  try {
    const file = join(temporary, 'rows.jsonl')
    const { version, content, count } = await spoolRows(file, fill)
    if (count === 0) throw new DataError('expected at least one row, got none')
    storeArtifact(workspace, file, content)
    await sendArtifact(workspace, content)
    const created = new Date().toISOString()
    return await appendVersion(workspace, { version, name, kind, rows: count, created, parents, source, content })
  } catch (cause) {
    throw diskError(cause, workspace)
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true })
  }
}

async function spoolRows(file: string, fill: (spool: Spool) => Promise<void>): Promise<Spooled> {
  const spool = new Spool(file)
  try {
    await fill(spool)
    return spool.end()
  } finally {
    spool.close()
  }
}

function storeArtifact(workspace: string, spool: string, content: string): void {
  const path = artifactPath(workspace, content)
  if (fs.existsSync(path)) return
  makeFolder(dirname(path))
  moveDurable(spool, path)
}

async function appendVersion(workspace: string, version: Version): Promise<Imported> {
  const folder = join(workspace, 'datasets')
  makeFolder(folder)
  const hold = await waitForHold(folder)
  try {
    const versions = hasDataset(workspace, version.name) ? listVersions(workspace, version.name) : []
    const newest = versions.at(-1)
    if (newest && newest.kind !== version.kind)
      throw new ConfigError(
        `expected ${newest.kind} as in ${version.name}'s other versions, got ${version.kind}: choose another name`,
      )
    if (newest?.version === version.version) return { version: newest, isNew: false }
    const lines = [...versions, version].map((v) => `${canonicalJson(v)}\n`)
    writeDurable(datasetPath(workspace, version.name), lines.join(''))
    return { version, isNew: true }
  } finally {
    hold.release()
  }
}

/** Another importer's turn lasts milliseconds. */
async function waitForHold(folder: string): Promise<Hold> {
  for (let waits = 0; ; waits++) {
    try {
      return holdFolder(folder)
    } catch (error) {
      if (waits >= MOST_WAITS || !(error instanceof DataError && error.message.includes('is in use'))) throw error
      await setTimeout(WAIT_MILLISECONDS)
    }
  }
}

/** Names of all datasets of a workspace, sorted. */
export function listDatasets(workspace: string): string[] {
  checkWorkspace(workspace)
  const folder = join(workspace, 'datasets')
  if (!fs.existsSync(folder)) return []
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.jsonl') && !file.startsWith('.'))
  return files.map((file) => basename(file, '.jsonl')).sort()
}

/** All versions of a name, oldest first. */
export function listVersions(workspace: string, name: string): Version[] {
  checkWorkspace(workspace)
  checkName(name)
  const file = datasetPath(workspace, name)
  if (!hasDataset(workspace, name))
    throw new ConfigError(
      `expected a dataset among ${listDatasets(workspace).join(', ') || '(none yet)'}, got ${name}: import it first`,
    )
  const lines = fs.readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line, i) => (line === '' ? [] : [parseVersion(line, file, i + 1)]))
}

function parseVersion(text: string, file: string, line: number): Version {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new DataError('expected a version as JSON, got damaged text: restore the file', { file, line }, { cause })
  }
  const parsed = Version.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new DataError(`expected a version: ${issue?.message}`, {
    file,
    line,
    field: issue?.path.map(String).join('.') ?? '',
  })
}

/** The version that NAME (its newest), NAME@HASH or HASH means; of HASH the first eight digits or more are enough. */
export function findVersion(workspace: string, reference: string): Version {
  const [, name, prefix] = /^([^@]+)(?:@([0-9a-f]{6,64}))?$/.exec(reference) ?? []
  if (name === undefined) throw new ConfigError(`expected NAME, NAME@HASH or HASH, got ${JSON.stringify(reference)}`)
  if (prefix === undefined && hasDataset(workspace, name)) return listVersions(workspace, name).at(-1)!
  const isHash = prefix === undefined && /^[0-9a-f]{8,64}$/.test(name)
  const among = isHash
    ? listDatasets(workspace).flatMap((n) => listVersions(workspace, n))
    : listVersions(workspace, name)
  const matches = among.filter((v) => v.version.startsWith(prefix ?? name))
  const found = matches.at(-1)
  if (!found)
    throw new ConfigError(`expected a version that begins with ${prefix ?? name}, found none: see hone data log`)
  const other = matches.find((v) => v.version !== found.version)
  if (other)
    throw new ConfigError(
      `expected one version, got at least two that begin with ${prefix ?? name}: ${found.version} and ${other.version}`,
    )
  return found
}

/** The rows of a version, streamed from disk; can be gone through more than once. Throws when the content is damaged. */
export function versionRows<K extends Kind>(workspace: string, version: Version & { kind: K }): Iterable<RowOf[K]> {
  const path = artifactPath(workspace, version.content)
  if (!fs.existsSync(path))
    throw new DataError(
      `expected the rows of ${version.name}@${version.version.slice(0, 12)}, found none: restore the file`,
      { file: path },
    )
  const got = sha256File(path)
  if (got !== version.content)
    throw new DataError(`expected content of its name, got sha256 ${got}: the file is damaged, restore it`, {
      file: path,
    })
  return { [Symbol.iterator]: () => parseRows<RowOf[K]>(path) }
}

/** Lines are parsed as one array, a piece of the file at a time: a call for each would take as long as its parsing. */
function* parseRows<R>(path: string): Generator<R> {
  let rest: Buffer = Buffer.alloc(0)
  for (const piece of pieces(path)) {
    const bytes = rest.length ? Buffer.concat([rest, piece]) : piece
    const end = bytes.lastIndexOf(NEWLINE)
    if (end >= 0) yield* JSON.parse(`[${commaSeparated(bytes.subarray(0, end))}]`) as R[]
    rest = bytes.subarray(end + 1)
  }
}

/** In place: a line of canonical JSON has no line break inside. */
function commaSeparated(lines: Buffer): string {
  for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) lines[at] = COMMA
  return lines.toString('utf8')
}

/** Writes a version to a file. */
export function exportVersion(
  workspace: string,
  reference: string,
  { file, format }: { file: string; format: Format },
): Version {
  const version = findVersion(workspace, reference)
  writeRows(file, versionRows(workspace, version), { kind: version.kind, format })
  return version
}

/** The nearest folder at or above `from` that has a hone.json. */
export function findWorkspace(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (fs.existsSync(join(folder, 'hone.json'))) return folder
    if (dirname(folder) === folder) return undefined
  }
}

function checkWorkspace(workspace: string): void {
  if (!fs.existsSync(join(workspace, 'hone.json')))
    throw new ConfigError(`expected a workspace, a folder with hone.json, got ${workspace}: make one with hone init`)
}

function checkName(name: string): void {
  if (!NAME.test(name))
    throw new ConfigError(`expected a dataset name of a-z, 0-9, ., _ and -, at most 64, got ${JSON.stringify(name)}`)
}

function datasetPath(workspace: string, name: string): string {
  return join(workspace, 'datasets', `${name}.jsonl`)
}

function hasDataset(workspace: string, name: string): boolean {
  return NAME.test(name) && fs.existsSync(datasetPath(workspace, name))
}

function* pieces(path: string): Generator<Buffer> {
  const fd = fs.openSync(path, 'r')
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES)
      const read = fs.readSync(fd, piece, 0, PIECE_BYTES, null)
      if (read === 0) return
      yield piece.subarray(0, read)
    }
  } finally {
    fs.closeSync(fd)
  }
}
