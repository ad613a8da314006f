// Writes that survive a power cut: temporary file beside its place, fsync, rename, fsync of the folder. So a reader sees
// the old file or the new one, whole. All of it is synchronous: a save is one step of the process that trains, and
// nothing may change in the middle of it. Left out: Windows, where a folder cannot be synced.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DataError } from '#errors'

/** What durable writes ask of the file system; `node:fs` is one, tests pass one that fails at the n-th call. */
export type Disk = {
  openSync(path: string, flags: string): number
  writeSync(fd: number, data: Uint8Array, offset: number, length: number): number
  fsyncSync(fd: number): void
  ftruncateSync(fd: number, length: number): void
  closeSync(fd: number): void
  renameSync(from: string, to: string): void
}

/** Pieces may say how many bytes they are together: then large ones are hashed beside their writing. */
export type Content = string | Uint8Array | (Iterable<Uint8Array> & { byteLength?: number })
export type Written = { bytes: number; sha256: string }

/** Replaces or creates the file, whole or not at all. A failure (full disk, broken disk, no right to write) is a DataError that names the file; what was there before is untouched. */
export function writeDurable(path: string, content: Content, disk: Disk = fs): Written {
  const temporary = join(dirname(path), temporaryName(basename(path)))
  try {
    const written = writeSynced(temporary, content, disk)
    disk.renameSync(temporary, path)
    confirm(path, disk)
    return written
  } catch (cause) {
    fs.rmSync(temporary, { force: true })
    throw diskError(cause, path)
  }
}

/** Gives a file that was written beside its place, on the same disk, its name: durable and whole, as if written by `writeDurable`. */
export function moveDurable(temporary: string, path: string, disk: Disk = fs): void {
  try {
    syncFolder(temporary, disk) // the same open, fsync, close serves a file
    disk.renameSync(temporary, path)
    confirm(path, disk)
  } catch (cause) {
    throw diskError(cause, path)
  }
}

/** After the rename there is no way back to the old file: all that can be said is that a power cut may undo it. */
function confirm(path: string, disk: Disk): void {
  try {
    syncFolder(dirname(path), disk)
  } catch (cause) {
    throw new DataError('was written whole, but the disk did not confirm it; check the disk', { file: path }, { cause })
  }
}

/** Writes a new file and syncs its bytes, with no rename: for files inside a folder that is committed as a whole. */
export function writeNew(path: string, content: Content, disk: Disk = fs): Written {
  try {
    return writeSynced(path, content, disk)
  } catch (cause) {
    throw diskError(cause, path)
  }
}

/** Syncs a folder's own entries: what was created, renamed or removed in it. */
export function syncFolder(folder: string, disk: Disk = fs): void {
  const fd = disk.openSync(folder, 'r')
  try {
    disk.fsyncSync(fd)
  } finally {
    disk.closeSync(fd)
  }
}

/** Makes a folder, and those above it that are missing, so that a power cut does not take them with what is put there. */
export function makeFolder(folder: string, disk: Disk = fs): void {
  if (fs.existsSync(folder)) return
  const parent = dirname(folder)
  makeFolder(parent, disk)
  try {
    fs.mkdirSync(folder, { recursive: true }) // another process may have been first
    syncFolder(parent, disk)
  } catch (cause) {
    throw diskError(cause, folder)
  }
}

/** Writes all of the bytes: one call may write fewer. */
export function writeAll(fd: number, bytes: Uint8Array, disk: Disk): void {
  let done = 0
  while (done < bytes.byteLength) done += disk.writeSync(fd, bytes, done, bytes.byteLength - done)
}

/** The one error for what a disk refuses; anything that is no system error passes through. */
export function diskError(cause: unknown, path: string): unknown {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  if (cause instanceof DataError || typeof code !== 'string') return cause
  const meaning = MEANINGS[code] ?? (cause as Error).message
  return new DataError(
    `could not be written: ${meaning} (${code}); what was there before is unchanged`,
    { file: path },
    { cause },
  )
}

let made = 0
/** A name for a temporary beside `name`, unique in this machine's living processes. */
export function temporaryName(name: string): string {
  return `.${name}.writing-${process.pid}-${++made}`
}

const MEANINGS: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space and run again',
  EDQUOT: 'the disk quota is used up; free some space and run again',
  EIO: 'the disk reports an error; check the disk, then run again',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied; choose a folder that you may write to',
  EPERM: 'permission denied; choose a folder that you may write to',
  ENOENT: 'its folder does not exist; create it first',
  ENOTDIR: 'part of its path is a file and not a folder',
  EISDIR: 'there is a folder of that name',
}

function writeSynced(path: string, content: Content, disk: Disk): Written {
  const hash = createHash('sha256')
  let bytes = 0
  const fd = disk.openSync(path, 'wx')
  try {
    for (const chunk of chunksOf(content)) {
      writeAll(fd, chunk, disk)
      hash.update(chunk)
      bytes += chunk.byteLength
    }
    disk.fsyncSync(fd)
  } finally {
    disk.closeSync(fd)
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Node takes less than 2 GiB in one write or one update of a hash; pieces of this size also are hashed while they are in the cache. */
const LARGEST_CHUNK = 4 << 20

export function* chunksOf(content: Content): Generator<Uint8Array> {
  const whole =
    typeof content === 'string' ? [Buffer.from(content)] : content instanceof Uint8Array ? [content] : content
  for (const bytes of whole)
    for (let at = 0; at < bytes.byteLength; at += LARGEST_CHUNK) yield bytes.subarray(at, at + LARGEST_CHUNK)
}
