// Large files are hashed by a thread beside, so that whoever reads them anyway need not wait for it.
import fs from 'node:fs'
import { Worker } from 'node:worker_threads'
import { DataError } from '#errors'
import { sha256File } from './hash.ts'

/** Files of fewer bytes together are hashed here and now: a thread takes some 50 ms to start. */
const LEAST_BYTES = 64 << 20
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
