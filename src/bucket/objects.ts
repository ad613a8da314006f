// Files in a bucket under the names they have in a folder, `<first 2 of the hash>/<hash>`. The signature of what is sent
// holds the SHA-256 of its bytes, so the server refuses bytes that are not those of the name; an object is there when its last
// byte is, as one, whether it came in one piece or in parts. What is got is hashed as it comes.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { open } from 'node:fs/promises'
import { DataError, HttpError } from '#errors'
import { diskError, sha256 } from '#files'
import { ask, readText, Refusal, type Request, tagged } from './ask.ts'
import type { Bucket } from './place.ts'

/** One of them is in memory for each request. */
export const PART_BYTES = 16 << 20
/** S3's own limits, https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MOST_PARTS = 10_000
const PARTS_AT_ONCE = 4
/** An upload in parts that nobody ended for so long is nobody's. */
const ABANDONED_MS = 24 * 60 * 60 * 1000

export type Stored = { hash: string; bytes: number }

/** Stores the file, which must hold what its hash says (a DataError if not). Doing it twice is doing it once; `anew`: also where an object of that length is there. */
export async function putObject(
  bucket: Bucket,
  file: string,
  { hash, partBytes = PART_BYTES, anew = false }: { hash: string; partBytes?: number; anew?: boolean },
): Promise<void> {
  const handle = await openToRead(file)
  try {
    const { size } = await handle.stat()
    const piece = Math.max(partBytes, Math.ceil(size / MOST_PARTS))
    if (size > piece) {
      const isThere = !anew && (await sizeOfObject(bucket, hash)) === size
      return isThere ? undefined : await putParts(bucket, handle, { file, hash, size, piece })
    }
    const body = await readPiece(handle, { at: 0, length: size })
    if (sha256(body) !== hash) throw damaged(file, sha256(body))
    // Kept beside the object by servers that know it, for checks where it lies.
    const headers = { 'x-amz-checksum-sha256': Buffer.from(hash, 'hex').toString('base64') }
    await tell(bucket, { method: 'PUT', key: keyOf(bucket, hash), headers, body, sha256: hash })
  } finally {
    await handle.close()
  }
}

/** Length in bytes; undefined where it is not there, or where these keys may not know. */
export async function sizeOfObject(bucket: Bucket, hash: string): Promise<number | undefined> {
  try {
    const { headers } = await tell(bucket, { method: 'HEAD', key: keyOf(bucket, hash) })
    return Number(headers.get('content-length'))
  } catch (error) {
    if (error instanceof Refusal && [403, 404].includes(error.answered.status)) return undefined
    throw error
  }
}

/** Gives the content piece by piece, after a cut from where it was cut. Missing, or other bytes than its name says: a DataError at the end, so `take` must not keep what it was given before. */
export async function getObject(bucket: Bucket, hash: string, take: (piece: Uint8Array) => void): Promise<number> {
  const hasher = createHash('sha256')
  let received = 0
  const request = (): Request => ({ method: 'GET', key: keyOf(bucket, hash), from: received })
  try {
    await ask(bucket, request, {
      received: () => received,
      async read(response, alive) {
        // A server that does not know ranges sends all of it again.
        let skip = response.status === 206 ? 0 : received
        for await (const piece of response.body ?? []) {
          alive()
          const fresh = (piece as Uint8Array).subarray(Math.min(skip, piece.byteLength))
          skip -= piece.byteLength - fresh.byteLength
          hasher.update(fresh)
          take(fresh)
          received += fresh.byteLength
        }
      },
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (error.answered.code === 'NoSuchKey') throw new DataError('is not in the store', { file: placeOf(bucket, hash) })
    // Cut after the last byte: nothing is left to be asked for.
    if (error.answered.status !== 416 || received === 0) throw error
  }
  const got = hasher.digest('hex')
  if (got === hash) return received
  throw new DataError(
    `expected content of its name, got ${received} bytes of sha256 ${got}; the object is damaged: hone artifacts check --read --repair puts the right one there`,
    { file: placeOf(bucket, hash) },
  )
}

/** Everything of hone's under the prefix, by 1,000 a request. */
export async function* listObjects(bucket: Bucket): AsyncGenerator<Stored> {
  for (let token: string | undefined; ; ) {
    const query = {
      'list-type': '2',
      ...(bucket.prefix !== '' && { prefix: bucket.prefix }),
      ...(token !== undefined && { 'continuation-token': token }),
    }
    const { text } = await tell(bucket, { method: 'GET', query })
    for (const [, object] of text.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
      const key = tagged(object!, 'Key') ?? ''
      const hash = /(?:^|\/)([0-9a-f]{2})\/(\1[0-9a-f]{62})$/.exec(key)?.[2]
      const bytes = Number(tagged(object!, 'Size'))
      if (hash !== undefined && key === keyOf(bucket, hash)) yield { hash, bytes }
    }
    token = tagged(text, 'IsTruncated') === 'true' ? tagged(text, 'NextContinuationToken') : undefined
    if (token === undefined) return
  }
}

/** Its place in words. */
export function placeOf(bucket: Bucket, hash: string): string {
  return `${bucket.url}/${hash.slice(0, 2)}/${hash}`
}

/** Runs over all of them, so many at once; the first failure ends it when those that run have ended. */
export async function inParallel<T>(
  all: Iterable<T> | AsyncIterable<T>,
  most: number,
  work: (each: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  for await (const each of all) {
    const done = work(each)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => running.delete(done))
    running.add(done)
    if (running.size >= most) await Promise.race(running)
    if (failure) break
  }
  await Promise.all(running)
  if (failure) throw failure.error
}

function keyOf({ prefix }: Bucket, hash: string): string {
  return `${prefix}${hash.slice(0, 2)}/${hash}`
}

function tell(bucket: Bucket, request: Request): Promise<{ text: string; headers: Headers }> {
  return ask(bucket, () => request, { read: readText })
}

/** Some servers copy all parts before they answer. */
const ENDING_MS = 10 * 60 * 1000

type Handle = Awaited<ReturnType<typeof open>>
type Parts = { file: string; hash: string; size: number; piece: number }

async function putParts(bucket: Bucket, handle: Handle, { file, hash, size, piece }: Parts): Promise<void> {
  const key = keyOf(bucket, hash)
  await endAbandoned(bucket, key)
  const { text } = await tell(bucket, { method: 'POST', key, query: { uploads: '' } })
  const uploadId = tagged(text, 'UploadId')
  if (uploadId === undefined) throw new HttpError(502, `${bucket.url}: began an upload in parts without a name for it`)
  const whole = createHash('sha256')
  const etags: string[] = []
  try {
    await inParallel(partsOf(handle, { size, piece }), PARTS_AT_ONCE, async ({ number, body }) => {
      whole.update(body)
      const query = { partNumber: String(number), uploadId }
      const { headers } = await tell(bucket, { method: 'PUT', key, query, body, sha256: sha256(body) })
      etags[number - 1] = headers.get('etag') ?? ''
    })
    const got = whole.digest('hex')
    if (got !== hash) throw damaged(file, got)
    await endParts(bucket, { hash, size, uploadId, etags })
  } catch (error) {
    await tell(bucket, { method: 'DELETE', key, query: { uploadId } }).catch(() => {}) // what failed is what is told
    throw error
  }
}

async function* partsOf(handle: Handle, { size, piece }: { size: number; piece: number }) {
  for (let at = 0, number = 1; at < size; at += piece, number++)
    yield { number, body: await readPiece(handle, { at, length: Math.min(piece, size - at) }) }
}

async function endParts(
  bucket: Bucket,
  { hash, size, uploadId, etags }: { hash: string; size: number; uploadId: string; etags: string[] },
): Promise<void> {
  const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
  const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
  const key = keyOf(bucket, hash)
  try {
    const { text } = await tell(bucket, { method: 'POST', key, query: { uploadId }, body, patienceMs: ENDING_MS })
    // It may begin to answer before it knows how this ends.
    const code = tagged(text, 'Code')
    if (code === undefined) return
    throw new Refusal({ status: 200, code }, `${bucket.url}: could not put the parts together (${code}): run again`)
  } catch (error) {
    // An earlier try may have done it though its answer was lost.
    if (error instanceof Refusal && (await sizeOfObject(bucket, hash)) === size) return
    throw error
  }
}

/** Parts of uploads that were killed cost their storage, though nobody sees them. */
async function endAbandoned(bucket: Bucket, key: string): Promise<void> {
  const { text } = await tell(bucket, { method: 'GET', query: { uploads: '', prefix: key } })
  for (const [, upload] of text.matchAll(/<Upload>(.*?)<\/Upload>/gs)) {
    const uploadId = tagged(upload!, 'UploadId')
    const began = Date.parse(tagged(upload!, 'Initiated') ?? '')
    if (uploadId === undefined || tagged(upload!, 'Key') !== key || !(Date.now() - began > ABANDONED_MS)) continue
    await tell(bucket, { method: 'DELETE', key, query: { uploadId } }).catch((error: unknown) => {
      if (!(error instanceof Refusal && error.answered.code === 'NoSuchUpload')) throw error
    })
  }
}

async function openToRead(file: string): Promise<Handle> {
  try {
    return await open(file, 'r')
  } catch (cause) {
    throw new DataError('cannot be opened', { file }, { cause })
  }
}

async function readPiece(handle: Handle, { at, length }: { at: number; length: number }): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(piece, done, length - done, at + done)
    if (bytesRead === 0) return piece.subarray(0, done)
    done += bytesRead
  }
  return piece
}

function damaged(file: string, got: string): DataError {
  return new DataError(`expected content of its name, got sha256 ${got}; the file is damaged, and was not sent`, {
    file,
  })
}

/** Writes to an open file; a full disk is a DataError. */
export function writerTo(fd: number, path: string): (piece: Uint8Array) => void {
  return (piece) => {
    try {
      for (let done = 0; done < piece.byteLength; ) done += fs.writeSync(fd, piece, done, piece.byteLength - done)
    } catch (cause) {
      throw diskError(cause, path)
    }
  }
}
