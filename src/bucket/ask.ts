// One request to a bucket: signed, timed, tried again while it may help, and what it is refused for in plain words. Words come
// from the code that the server gives and never from its text, which may quote a key
// (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, HttpError } from '#errors'
import { sha256 } from '#files'
import type { Bucket } from './place.ts'

export type Request = {
  method: 'GET' | 'PUT' | 'POST' | 'HEAD' | 'DELETE'
  /** Below the bucket; without it the bucket itself is asked. */
  key?: string
  query?: Record<string, string>
  headers?: Record<string, string>
  /** The first byte that is asked for. */
  from?: number
  body?: Uint8Array
  /** Of the body, in hex: the server refuses any other bytes. */
  sha256?: string
  /** Where the server may think for long before it answers. */
  patienceMs?: number
}
/** `alive` is called whenever something came, so that a slow answer is not taken for none. */
export type Reader<T> = (response: Response, alive: () => void) => Promise<T>

const MOST_TRIES = 5
const LONGEST_WAIT_MS = 20_000
const EMPTY = sha256('')

/** What the server said no to: with a status, and a code of S3's or none (an answer to HEAD has no text). */
export class Refusal extends HttpError {
  readonly answered: { status: number; code: string }
  constructor(answered: { status: number; code: string }, message: string) {
    super(502, message)
    this.answered = answered
  }
}

/**
 * What `read` makes of the answer. `request` is asked anew for each try, so that a download goes on where it was cut; while
 * `received` grows, tries are counted from the beginning. @throws Refusal where the server says no, ConfigError where it is a
 * setting that must be mended, HttpError 504 where there is no answer.
 */
export async function ask<T>(
  bucket: Bucket,
  request: () => Request,
  { read, received = () => 0 }: { read: Reader<T>; received?: () => number },
): Promise<T> {
  for (let tries = 1, had = received(); ; tries++) {
    try {
      return await once(bucket, request(), read)
    } catch (error) {
      if (received() > had) tries = 1
      had = received()
      if (tries === MOST_TRIES || !(error instanceof Passing)) throw error instanceof Passing ? error.told : error
      bucket.signal?.throwIfAborted()
      const wait = Math.min(bucket.pace.firstWaitMs * 2 ** (tries - 1), LONGEST_WAIT_MS)
      await sleep(Math.max(error.wait, wait * (0.5 + Math.random() / 2)), undefined, signalOf(bucket))
    }
  }
}

const signalOf = ({ signal }: Bucket): { signal?: AbortSignal } => (signal ? { signal } : {})

/** The text of an answer. */
export const readText: Reader<{ text: string; headers: Headers }> = async (response) => ({
  text: await response.text(),
  headers: response.headers,
})

/** Text between the first tags of that name, its entities read; undefined where there are none. */
export function tagged(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`)
    .exec(xml)?.[1]
    ?.replace(/&(quot|apos|lt|gt|amp);/g, (_, entity: string) => ENTITIES[entity]!)
}
const ENTITIES: Record<string, string> = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' }

/** What another try may mend; `told`: what is thrown when none did. */
class Passing extends Error {
  readonly told: Error
  readonly wait: number
  constructor(told: Error, wait = 0) {
    super(told.message)
    this.told = told
    this.wait = Math.min(wait, LONGEST_WAIT_MS)
  }
}

async function once<T>(bucket: Bucket, request: Request, read: Reader<T>): Promise<T> {
  const { method, key, query = {}, body, from } = request
  const { endpoint, name, pace } = bucket
  const search = new URLSearchParams(query).toString()
  const url = `${endpoint}/${name}${key === undefined ? '' : `/${key}`}${search && `?${search}`}`
  const payload = { 'x-amz-content-sha256': request.sha256 ?? (body ? sha256(body) : EMPTY) }
  const headers = await bucket.sign({ method, url, headers: { ...request.headers, ...payload } })
  // After signing: proxies change these. Compressed on the way, lengths and ranges would be those of other bytes.
  headers.set('accept-encoding', 'identity')
  headers.set('user-agent', 'hone')
  if (from !== undefined && from > 0) headers.set('range', `bytes=${from}-`)
  const over = new AbortController()
  const patience = (request.patienceMs ?? pace.patienceMs) + (body?.byteLength ?? 0) / pace.leastBytesPerMs
  const timer = setTimeout(() => over.abort(), patience)
  const signal = bucket.signal ? AbortSignal.any([over.signal, bucket.signal]) : over.signal
  try {
    const init: RequestInit = { method, headers, redirect: 'manual', signal }
    // An ArrayBufferView at run time; its type names a narrower buffer.
    const response = await fetch(url, body ? { ...init, body: body as Uint8Array<ArrayBuffer> } : init)
    timer.refresh()
    if (!response.ok) throw await refusalOf(bucket, response)
    return await read(response, () => timer.refresh())
  } catch (cause) {
    bucket.signal?.throwIfAborted()
    if (cause instanceof HttpError || cause instanceof ConfigError || cause instanceof Passing) throw cause
    if (!over.signal.aborted && !isOfNetwork(cause)) throw cause
    const reason = over.signal.aborted ? `nothing for ${Number((patience / 1000).toPrecision(2))} s` : reasonOf(cause)
    throw new Passing(
      new HttpError(504, `${bucket.url}: no answer from ${endpoint}: ${reason}; check the network and the address`),
    )
  } finally {
    clearTimeout(timer)
  }
}

/** fetch throws a TypeError, and so does a body that ends too early. */
function isOfNetwork(cause: unknown): boolean {
  return cause instanceof TypeError && ['fetch failed', 'terminated'].includes(cause.message)
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  if (!(inner instanceof Error)) return 'the connection failed'
  const code = (inner as NodeJS.ErrnoException).code
  return inner.message || code || 'the connection failed'
}

const PASSING_STATUSES = [408, 429, 500, 502, 503, 504]
const PASSING_CODES = ['SlowDown', 'InternalError', 'RequestTimeout', 'OperationAborted', 'ServiceUnavailable']

async function refusalOf(bucket: Bucket, response: Response): Promise<Error> {
  const text = await response.text().catch(() => '')
  const code = /^\w{1,64}$/.exec(tagged(text, 'Code') ?? '')?.[0] ?? ''
  const region = response.headers.get('x-amz-bucket-region') ?? tagged(text, 'Region')
  const told = refused(bucket, { status: response.status, code, region })
  if (!PASSING_STATUSES.includes(response.status) && !PASSING_CODES.includes(code)) return told
  return new Passing(told, 1000 * Number(response.headers.get('retry-after') ?? 0) || 0)
}

/** The one error for an answer of refusal. */
export function refused(
  { url, name, endpoint, region: own }: Bucket,
  { status, code, region }: { status: number; code: string; region?: string | undefined },
): Error {
  const said = code === '' ? `HTTP ${status}` : `${code}, HTTP ${status}`
  const settings = meaningOfSettings(code)
  if (code === 'NoSuchBucket')
    return new ConfigError(
      `${url}: there is no bucket ${name} at ${endpoint} (${said}): create it, or mend the address`,
    )
  if (region !== undefined && region !== own && /^[a-z0-9-]{1,32}$/.test(region))
    return new ConfigError(`${url}: the bucket is in ${region}, asked in ${own} (${said}): set AWS_REGION`)
  if (code === 'AuthorizationHeaderMalformed')
    return new ConfigError(`${url}: the bucket is not in ${own} (${said}): set AWS_REGION`)
  if (status >= 300 && status < 400)
    return new ConfigError(`${url}: ${endpoint} sends elsewhere (${said}): give the address at which it answers itself`)
  if (settings !== undefined) return new ConfigError(`${url}: ${settings} (${said})`)
  const refusal = (words: string) => new Refusal({ status, code }, `${url}: ${words} (${said})`)
  if (status === 429 || status === 503 || code === 'SlowDown') return refusal('is too busy: run again later')
  if (status >= 500) return refusal('the server failed: run again later')
  return refusal('the server refused')
}

function meaningOfSettings(code: string): string | undefined {
  switch (code) {
    case 'InvalidAccessKeyId':
    case 'XAdminUserNotFound': // Versity's gateway
      return 'does not know the key in AWS_ACCESS_KEY_ID: check it'
    case 'SignatureDoesNotMatch':
      return 'the key in AWS_SECRET_ACCESS_KEY is not the one of AWS_ACCESS_KEY_ID: check it'
    case 'AccessDenied':
    case 'AllAccessDisabled':
      return 'these keys may not do this: they need s3:GetObject, s3:PutObject, s3:ListBucket, s3:AbortMultipartUpload and s3:ListBucketMultipartUploads'
    case 'ExpiredToken':
    case 'InvalidToken':
      return 'the keys have expired or AWS_SESSION_TOKEN is not theirs: get new ones'
    case 'RequestTimeTooSkewed':
      return 'the clocks of this machine and of the server differ: set this one'
    default:
      return undefined
  }
}
