// Large files are hashed by a thread beside, so that whoever reads or writes them need not wait for it.
import fs from 'node:fs'
import { Worker } from 'node:worker_threads'
import { DataError } from '#errors'
import { sha256File } from './hash.ts'

/** Files of fewer bytes together are hashed here and now: a thread takes some 50 ms to start. */
export const LEAST_BYTES = 64 << 20
/** Plain JavaScript, since a thread has no loader for anything else. */
const THREAD = `
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const { parentPort, workerData } = require('node:worker_threads')
const piece = Buffer.allocUnsafe(1 << 22)
parentPort.postMessage(workerData.map((path) => {
  const hash = createHash('sha256')
  const fd = fs.openSync(path, 'r')
  for (let read; (read = fs.readSync(fd, piece, 0, piece.length, null)) > 0; ) hash.update(piece.subarray(0, read))
  fs.closeSync(fd)
  return hash.digest('hex')
}))
`

/** Hex SHA-256 of each file. One that cannot be read is a DataError. */
export async function sha256Files(paths: readonly string[]): Promise<string[]> {
  const bytes = paths.reduce((sum, path) => sum + (fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)
  if (bytes < LEAST_BYTES) return paths.map(sha256File)
  const thread = new Worker(THREAD, { eval: true, workerData: paths, execArgv: [] })
  try {
    return await new Promise<string[]>((resolve, reject) => {
      thread.on('message', resolve)
      thread.on('error', (cause: NodeJS.ErrnoException) =>
        reject(new DataError('cannot be read', { ...(cause.path !== undefined && { file: cause.path }) }, { cause })),
      )
    })
  } finally {
    await thread.terminate()
  }
}

/** Hashes files, one after another, while they are written. */
export type Follower = {
  /** So many bytes of the file, counted from its beginning, are there to read. */
  wrote(file: number, bytes: number): void
  /** The file is whole. */
  ended(file: number): void
  /** Hex SHA-256 of each file, all of which have ended; this thread waits. */
  hashes(): string[]
  /** Frees the thread; once is enough, at any time. */
  stop(): void
}

/** Places in what both threads see: turns of the writer and of the follower, files hashed, 1 = the follower failed. */
const [WRITER, FOLLOWER, HASHED, FAILED] = [0, 1, 2, 3]
const HASH_BYTES = 32
/** A follower that gets on with nothing for so long is gone; the hashes are then taken by whoever waits. */
const PATIENCE_MS = 20_000

const FOLLOWING = `
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const { paths, places, lengths, whole, digests } = require('node:worker_threads').workerData
const piece = Buffer.allocUnsafe(1 << 22)
function turn() {
  Atomics.add(places, ${FOLLOWER}, 1)
  Atomics.notify(places, ${FOLLOWER})
}
function hashed(path, i) {
  const hash = createHash('sha256')
  let fd
  for (let at = 0; ; ) {
    const seen = Atomics.load(places, ${WRITER})
    // In this order: what is whole grows no more.
    const isWhole = Atomics.load(whole, i) === 1
    const left = Number(Atomics.load(lengths, i)) - at
    if (left > 0) {
      fd ??= fs.openSync(path, 'r')
      const read = fs.readSync(fd, piece, 0, Math.min(piece.length, left), at)
      if (read === 0) throw new Error('shorter than what was written')
      hash.update(piece.subarray(0, read))
      at += read
      turn()
    } else if (isWhole) break
    else Atomics.wait(places, ${WRITER}, seen)
  }
  if (fd !== undefined) fs.closeSync(fd)
  return hash.digest()
}
try {
  paths.forEach((path, i) => {
    digests.set(hashed(path, i), ${HASH_BYTES} * i)
    Atomics.add(places, ${HASHED}, 1)
    turn()
  })
} catch {
  Atomics.store(places, ${FAILED}, 1)
  turn()
}
`

/** Starts a thread that hashes the files in this order while they are written: it reads each back, mostly from the system's cache. They need not exist yet. */
export function followWriting(paths: readonly string[]): Follower {
  const shared = (bytes: number) => new SharedArrayBuffer(bytes)
  const places = new Int32Array(shared(16))
  const lengths = new BigInt64Array(shared(8 * paths.length))
  const whole = new Int32Array(shared(4 * paths.length))
  const digests = new Uint8Array(shared(HASH_BYTES * paths.length))
  const workerData = { paths, places, lengths, whole, digests }
  const thread = new Worker(FOLLOWING, { eval: true, workerData, execArgv: [] })
  thread.unref()
  // One that cannot start: told by its silence, when hashes are asked for.
  thread.on('error', () => undefined)
  const turn = () => {
    Atomics.add(places, WRITER, 1)
    Atomics.notify(places, WRITER)
  }
  return {
    wrote(file, bytes) {
      Atomics.store(lengths, file, BigInt(bytes))
      turn()
    },
    ended(file) {
      Atomics.store(whole, file, 1)
      turn()
    },
    hashes() {
      for (;;) {
        const seen = Atomics.load(places, FOLLOWER)
        const isOver = Atomics.load(places, HASHED) === paths.length || Atomics.load(places, FAILED) === 1
        if (isOver || Atomics.wait(places, FOLLOWER, seen, PATIENCE_MS) === 'timed-out') break
      }
      const taken = Atomics.load(places, HASHED)
      return paths.map((path, i) =>
        i < taken
          ? Buffer.from(digests.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1))).toString('hex')
          : sha256File(path),
      )
    },
    stop: () => void thread.terminate(),
  }
}
