// A folder that appears whole or not at all: built under a temporary name, every file and folder synced, renamed into
// its place, the parent synced. A manifest, written last, names each file by SHA-256 and carries a hash of itself, so
// that any flipped bit is found before the files are used.
import fs from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { DataError } from '#errors'
import { type Disk, diskError, makeFolder, syncFolder, temporaryName, writeNew } from './disk.ts'
import { canonicalJson, sha256, sha256File } from './hash.ts'
import { isAlive } from './hold.ts'

export const MANIFEST = 'manifest.json'

export type ManifestFile = { path: string; bytes: number; sha256: string }
/** `fields`: what the writer says of the folder (kind, parents by hash, ...). `sha256`: of the canonical JSON of the rest. */
export type Manifest = { fields: Record<string, unknown>; files: ManifestFile[]; sha256: string }

/** An empty folder beside `final`, to fill and then commit. Removes what dead processes left of earlier tries. `final` may exist only as an empty folder. */
export function temporaryFolder(final: string): string {
  const parent = dirname(resolve(final))
  refuseFull(final)
  try {
    makeFolder(parent)
    removeLeftovers(parent, basename(final))
    const temporary = join(parent, temporaryName(basename(final)))
    fs.mkdirSync(temporary)
    return temporary
  } catch (cause) {
    throw diskError(cause, final)
  }
}

/** Gives the filled temporary folder its final name, durably. A failure leaves no folder of that name. */
export function commitFolder(temporary: string, final: string, disk: Disk = fs): void {
  refuseFull(final)
  try {
    syncTree(temporary, disk)
    disk.renameSync(temporary, final)
    try {
      syncFolder(dirname(resolve(final)), disk)
    } catch (cause) {
      fs.renameSync(final, temporary)
      throw cause
    }
  } catch (cause) {
    throw diskError(cause, final)
  }
}

/** Fills a folder by `fill` and commits it; whatever fails, the temporary is removed and nothing of that name appears. */
export function writeWholeFolder<T>(final: string, fill: (temporary: string) => T, disk: Disk = fs): T {
  const temporary = temporaryFolder(final)
  try {
    const result = fill(temporary)
    commitFolder(temporary, final, disk)
    return result
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true })
    throw error
  }
}

/** Writes manifest.json over every file now in the folder; the last write before the commit. `known`: hashes from their writing, by path; the other files are read. */
export function writeManifest(
  folder: string,
  fields: Record<string, unknown> = {},
  { disk = fs, known }: { disk?: Disk; known?: ReadonlyMap<string, string> } = {},
): Manifest {
  const files = filesUnder(folder)
    .filter((path) => path !== MANIFEST)
    .map((path) => {
      const whole = join(folder, path)
      return { path, bytes: fs.statSync(whole).size, sha256: known?.get(path) ?? sha256File(whole) }
    })
  return sealManifest(folder, { fields, files }, disk)
}

/** The same over files whose hashes are known from their writing; `files` are all there are, sorted by path. */
export function sealManifest(
  folder: string,
  { fields, files }: Pick<Manifest, 'fields' | 'files'>,
  disk: Disk = fs,
): Manifest {
  const manifest = { fields, files, sha256: sha256(canonicalJson({ fields, files })) }
  writeNew(join(folder, MANIFEST), `${canonicalJson(manifest)}\n`, disk)
  return manifest
}

/** SHA-256 over the names and hashes of all files: two folders with the same content have the same. */
export function hashFolder(folder: string): string {
  return sha256(canonicalJson(filesUnder(folder).map((path) => [path, sha256File(join(folder, path))])))
}

/** Reads the manifest and checks every file it names. A missing, changed or unnamed file, or a changed manifest, is a DataError naming it. */
export function verifyManifest(folder: string): Manifest {
  const manifest = readManifest(folder)
  const present = new Set(filesUnder(folder))
  present.delete(MANIFEST)
  for (const { path, bytes, sha256: expected } of manifest.files) {
    const file = join(folder, path)
    if (!present.delete(path))
      throw new DataError(`is named by ${MANIFEST} but missing; the folder is damaged`, { file })
    const size = fs.statSync(file).size
    if (size !== bytes) throw new DataError(`expected ${bytes} bytes, got ${size}; the file is damaged`, { file })
    const got = sha256File(file)
    if (got !== expected) throw new DataError(`expected sha256 ${expected}, got ${got}; the file is damaged`, { file })
  }
  for (const path of present)
    throw new DataError(`is not named by ${MANIFEST}; remove it`, { file: join(folder, path) })
  return manifest
}

/** The manifest, checked against its own hash but not against the files. */
export function readManifest(folder: string): Manifest {
  const file = join(folder, MANIFEST)
  let text: string
  try {
    text = fs.readFileSync(file, 'utf8')
  } catch (cause) {
    throw new DataError('cannot be read; expected a complete folder with a manifest', { file }, { cause })
  }
  const manifest = parseManifest(text)
  // Byte for byte what writeManifest writes: so no flipped bit, not even in a space or a key, goes unseen.
  const isIntact =
    manifest !== undefined &&
    `${canonicalJson(manifest)}\n` === text &&
    manifest.sha256 === sha256(canonicalJson({ fields: manifest.fields, files: manifest.files }))
  if (!isIntact) throw new DataError('does not agree with its own hash; the manifest is damaged', { file })
  return manifest
}

/** Relative paths of all files under a folder, `/` between parts, sorted. Links and devices are a DataError. */
export function filesUnder(folder: string): string[] {
  const found: string[] = []
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile()) throw new DataError('is not a plain file', { file: path })
    found.push(path.slice(folder.endsWith(sep) ? folder.length : folder.length + 1).replaceAll(sep, '/'))
  }
  return found.sort()
}

function parseManifest(text: string): Manifest | undefined {
  try {
    const parsed = JSON.parse(text) as Manifest
    const isManifest =
      typeof parsed.fields === 'object' &&
      Array.isArray(parsed.files) &&
      parsed.files.every((f) => typeof f.path === 'string' && !f.path.split('/').includes('..'))
    return isManifest ? parsed : undefined
  } catch {
    return undefined
  }
}

/** A folder that is to be made must not hold anything: for whoever does long work before it writes. */
export function refuseFull(final: string): void {
  let entries: string[]
  try {
    entries = fs.readdirSync(final)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new DataError('expected a new folder, got something that is there already', { file: final }, { cause })
  }
  if (entries.length > 0)
    throw new DataError('already exists and is not empty; choose another folder or remove it', { file: final })
}

function removeLeftovers(parent: string, name: string): void {
  const start = `.${name}.writing-`
  for (const entry of fs.readdirSync(parent)) {
    const pid = Number(entry.startsWith(start) ? entry.slice(start.length).split('-')[0] : Number.NaN)
    if (Number.isInteger(pid) && !isAlive(pid)) fs.rmSync(join(parent, entry), { recursive: true, force: true })
  }
}

function syncTree(folder: string, disk: Disk): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) syncTree(path, disk)
    else syncFolder(path, disk) // the same open, fsync, close serves a file
  }
  syncFolder(folder, disk)
}
