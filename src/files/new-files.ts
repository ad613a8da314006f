// The files of a folder that is committed as a whole (folder.ts), one after another. Large ones are hashed by a thread that
// reads back from the system's cache what is written, and the disk takes one in while the next is written: so they take
// little more than their writing. Whoever calls waits for both, since nothing may change in the middle of a save.
// Handing the bytes over instead would keep tensors alive until they are hashed, and hash what should be in the file.
import fs from 'node:fs'
import { join } from 'node:path'
import { type Content, chunksOf, type Disk, diskError, writeAll, writeNew } from './disk.ts'
import type { ManifestFile } from './folder.ts'
import { type Follower, followWriting, LEAST_BYTES } from './hash-beside.ts'

/** Whatever the disk is asked to take in at once. */
const SYNC_BYTES = 256 << 20

/** Writes new files by their names in `folder`, every byte synced; sorted by path. A failure is a DataError that names the file. */
export function writeNewFiles(folder: string, files: Record<string, Content>, disk: Disk = fs): ManifestFile[] {
  const entries = Object.entries(files).map(([path, content]) => ({ path, whole: join(folder, path), content }))
  const large = entries.filter(({ content }) => typeof content !== 'string' && (content.byteLength ?? 0) >= LEAST_BYTES)
  const small = entries.filter((entry) => !large.includes(entry))
  const written = [
    ...small.map(({ path, whole, content }) => ({ path, ...writeNew(whole, content, disk) })),
    ...(large.length > 0 ? writeLarge(large, disk) : []),
  ]
  return written.sort((a, b) => (a.path < b.path ? -1 : 1))
}

type Entry = { path: string; whole: string; content: Content }

function writeLarge(entries: readonly Entry[], disk: Disk): ManifestFile[] {
  const follower = followWriting(entries.map(({ whole }) => whole))
  const opened: { fd: number; whole: string }[] = []
  let at = ''
  try {
    const sizes = entries.map(({ whole, content }, file) => {
      at = whole
      const fd = disk.openSync(whole, 'wx')
      opened.push({ fd, whole })
      return writeFollowed(fd, { whole, content, file, follower }, disk)
    })
    // Through the descriptors that wrote: an error of the disk is told once to each.
    for (const { fd, whole } of opened) {
      at = whole
      disk.fsyncSync(fd)
    }
    const hashes = follower.hashes()
    return entries.map(({ path }, i) => ({ path, bytes: sizes[i]!, sha256: hashes[i]! }))
  } catch (cause) {
    throw diskError(cause, at)
  } finally {
    follower.stop()
    for (const { fd } of opened) disk.closeSync(fd)
  }
}

function writeFollowed(
  fd: number,
  { whole, content, file, follower }: Omit<Entry, 'path'> & { file: number; follower: Follower },
  disk: Disk,
): number {
  let bytes = 0
  let asked = 0
  for (const chunk of chunksOf(content)) {
    writeAll(fd, chunk, disk)
    bytes += chunk.byteLength
    follower.wrote(file, bytes)
    if (bytes - asked < SYNC_BYTES) continue
    beginSync(whole)
    asked = bytes
  }
  follower.ended(file)
  if (bytes > asked) beginSync(whole)
  return bytes
}

/** Lets the disk begin, in a thread of libuv. It counts for nothing: the sync that does comes at the end. */
function beginSync(path: string): void {
  const fd = fs.openSync(path, 'r')
  fs.fsync(fd, () => fs.closeSync(fd))
}
