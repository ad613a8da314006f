// One file of a model into a blob: begun, gone on with after a cut connection or an earlier stop (Range), and kept only
// if its hash is the one the Hub gave. Large files (LFS) are named by their SHA-256, the others by git's SHA-1 of a blob.
import { createHash, type Hash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { DataError, HttpError } from '#errors'
import { diskError, syncFolder } from '#files'
import { ask, refused } from './ask.ts'
import type { CacheFolder } from './cache.ts'
import type { Hub } from './environment.ts'

/** `hash`: 64 hex digits of SHA-256, or 40 of git's SHA-1. `size` in bytes. */
export type RemoteFile = { name: string; address: string; hash: string; size: number }
/** `bytes`: those that came over the network. */
export type Downloaded = { blob: string; bytes: number }

/** Tries that brought nothing before it is given up. */
const MOST_TRIES = 5
const FIRST_WAIT_MS = 250
const CHUNK = 2 ** 20

/** What the Hub says of a file of a commit. */
export async function describeFile(
  hub: Hub,
  { model, commit, name, signal }: { model: string; commit: string; name: string; signal?: AbortSignal | undefined },
): Promise<RemoteFile> {
  const address = `${hub.endpoint}/${model}/resolve/${commit}/${encodeURIComponent(name)}`
  const { response, headers } = await ask(hub, address, { method: 'HEAD', signal })
  if (response.status >= 400) throw refused(hub, response.status, `${model}/${name}`)
  const hash = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '')
  const size = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? Number.NaN)
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash))
    throw new DataError(`expected a hash as its etag, got ${JSON.stringify(hash)}: the file could not be checked`, {
      file: address,
    })
  if (!Number.isSafeInteger(size) || size < 0) throw new DataError('expected its length, got none', { file: address })
  return { name, address, hash, size }
}

/** The blob with the file's bytes. A wrong hash is a DataError, and nothing is kept; a server that fails is an HttpError, and what came is kept. */
export async function download(
  hub: Hub,
  file: RemoteFile,
  o: { folder: CacheFolder; onBytes: (received: number) => void; signal?: AbortSignal | undefined },
): Promise<Downloaded> {
  const blob = join(o.folder.blobs, file.hash)
  if (fs.statSync(blob, { throwIfNoEntry: false })?.size === file.size) return { blob, bytes: 0 }
  const partial = openPartial(`${blob}.incomplete`, file)
  let bytes = 0
  try {
    for (let tries = 0; partial.received < file.size; ) {
      const before = partial.received
      try {
        await fetchRest(hub, file, { partial, ...o })
      } catch (error) {
        o.signal?.throwIfAborted()
        if (!(error instanceof HttpError) || (error.status >= 400 && error.status < 500 && error.status !== 429))
          throw error
        tries = partial.received > before ? 0 : tries + 1
        if (tries === MOST_TRIES) throw error
        await setTimeout(FIRST_WAIT_MS * 2 ** tries, undefined, o.signal && { signal: o.signal })
      } finally {
        bytes += Math.max(0, partial.received - before)
      }
    }
    keep(partial, { file, blob, folder: o.folder })
    return { blob, bytes }
  } finally {
    fs.closeSync(partial.fd)
  }
}

/** An unfinished file, with the hash of what is there. */
type Partial = { path: string; fd: number; received: number; hash: Hash; start: () => void }

function openPartial(path: string, { hash: expected, size }: RemoteFile): Partial {
  const fresh = () => (expected.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`))
  let fd: number
  try {
    fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT)
  } catch (cause) {
    throw diskError(cause, path)
  }
  const partial: Partial = {
    path,
    fd,
    received: 0,
    hash: fresh(),
    start() {
      fs.ftruncateSync(fd, 0)
      this.received = 0
      this.hash = fresh()
    },
  }
  if (fs.fstatSync(fd).size > size) partial.start()
  const piece = Buffer.allocUnsafe(CHUNK)
  for (;;) {
    const read = fs.readSync(fd, piece, 0, CHUNK, partial.received)
    if (read === 0) return partial
    partial.hash.update(piece.subarray(0, read))
    partial.received += read
  }
}

/** One request for what is missing. A connection that ends early is an HttpError of status 0. */
async function fetchRest(
  hub: Hub,
  file: RemoteFile,
  o: { partial: Partial; onBytes: (received: number) => void; signal?: AbortSignal | undefined },
): Promise<void> {
  const { partial } = o
  const range = partial.received > 0 ? { range: `bytes=${partial.received}-` } : {}
  const { response } = await ask(hub, file.address, { ...range, signal: o.signal })
  const isPartial = response.status === 206
  if (!isPartial && response.status !== 200) {
    await response.body?.cancel()
    // The partial file cannot be gone on with.
    if (response.status === 416 && partial.received > 0) return partial.start()
    throw refused(hub, response.status, file.address)
  }
  const from = isPartial ? Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]) : 0
  if (from === 0) partial.start()
  if (from !== partial.received) {
    await response.body?.cancel()
    throw new DataError(`asked from byte ${partial.received} on, got byte ${from}`, { file: file.address })
  }
  try {
    for await (const piece of response.body ?? []) {
      if (partial.received + piece.byteLength > file.size)
        throw new DataError(`expected ${file.size} bytes, got more`, { file: file.address })
      write(partial, piece)
      o.onBytes(partial.received)
    }
  } catch (cause) {
    if (cause instanceof DataError || o.signal?.aborted) throw cause
    throw cutOff(partial, file, cause)
  }
  if (partial.received < file.size) throw cutOff(partial, file)
}

function write(partial: Partial, piece: Uint8Array): void {
  try {
    for (let done = 0; done < piece.byteLength; )
      done += fs.writeSync(partial.fd, piece, done, piece.byteLength - done, partial.received + done)
  } catch (cause) {
    throw diskError(cause, partial.path)
  }
  partial.hash.update(piece)
  partial.received += piece.byteLength
}

function cutOff({ received }: Partial, { address, size }: RemoteFile, cause?: unknown): HttpError {
  return new HttpError(0, `${address}: the connection ended after ${received} of ${size} bytes; run again to go on`, {
    cause,
  })
}

/** Gives a whole file its name, if it is the right one. */
function keep(partial: Partial, { file, blob, folder }: { file: RemoteFile; blob: string; folder: CacheFolder }): void {
  const got = partial.hash.digest('hex')
  if (got !== file.hash) {
    fs.rmSync(partial.path, { force: true })
    throw new DataError(`expected hash ${file.hash}, got ${got}; what came was removed, run again`, {
      file: file.address,
    })
  }
  try {
    fs.fsyncSync(partial.fd)
    fs.renameSync(partial.path, blob)
    syncFolder(folder.blobs)
  } catch (cause) {
    throw diskError(cause, blob)
  }
}
