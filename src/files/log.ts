// A JSONL file that only grows, and that a resumed run cuts back to where its checkpoint stood: lines after the
// checkpoint are written again, byte for byte the same.
import fs from 'node:fs'
import { dirname } from 'node:path'
import { DataError } from '#errors'
import { type Disk, diskError, syncFolder, writeAll } from './disk.ts'

export type Log = {
  /** Appends one line of JSON. On failure the file is cut back to whole lines. */
  append(row: unknown): void
  /** Length of the file in bytes: what a checkpoint stores to cut back to. */
  bytes(): number
  /** Makes what was appended survive a power cut. */
  sync(): void
  close(): void
}

/** Opens or creates the log. `cutTo` (bytes) drops what came after a checkpoint; without it only a torn last line goes. Shorter than `cutTo` is a DataError. */
export function openLog(path: string, { cutTo, disk = fs }: { cutTo?: number; disk?: Disk } = {}): Log {
  let length = cutTo ?? wholeLines(path)
  const present = fs.existsSync(path) ? fs.statSync(path).size : 0
  if (length > present)
    throw new DataError(`expected at least ${length} bytes, got ${present}; the checkpoint is newer than this log`, {
      file: path,
    })
  let fd: number
  try {
    const isNew = !fs.existsSync(path)
    fd = disk.openSync(path, 'a')
    // What is synced later is the file; that it has a name is its folder's.
    if (isNew) syncFolder(dirname(path), disk)
    if (length < present) disk.ftruncateSync(fd, length)
  } catch (cause) {
    throw diskError(cause, path)
  }
  return {
    append(row) {
      const line = Buffer.from(`${JSON.stringify(row)}\n`)
      try {
        writeAll(fd, line, disk)
      } catch (cause) {
        disk.ftruncateSync(fd, length)
        throw diskError(cause, path)
      }
      length += line.byteLength
    },
    bytes: () => length,
    sync() {
      try {
        disk.fsyncSync(fd)
      } catch (cause) {
        throw diskError(cause, path)
      }
    },
    close: () => disk.closeSync(fd),
  }
}

/** Bytes up to and with the last newline; 0 if there is no file. Reads backwards in pieces. */
function wholeLines(path: string): number {
  if (!fs.existsSync(path)) return 0
  const fd = fs.openSync(path, 'r')
  try {
    const piece = Buffer.allocUnsafe(1 << 16)
    let end = fs.fstatSync(fd).size
    while (end > 0) {
      const start = Math.max(0, end - piece.byteLength)
      const read = fs.readSync(fd, piece, 0, end - start, start)
      const newline = piece.subarray(0, read).lastIndexOf(10)
      if (newline >= 0) return start + newline + 1
      end = start
    }
    return 0
  } finally {
    fs.closeSync(fd)
  }
}
