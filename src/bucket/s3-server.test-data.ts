// A small S3 of the tests' own: it computes every signature anew from what arrived, holds bodies to their signed hashes, takes
// uploads in parts, and misbehaves when told to. After the service's documents, not after our client:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Asked = { method: string; bucket: string; key: string; query: URLSearchParams; range: string | undefined }
export type Fault =
  | 'reset' // before anything is done
  | 'lost' // it is done, and the answer is lost
  | 'cut' // half of the answer's bytes come
  | 'corrupt' // one bit of them is another
  | 'stall' // nothing comes
  | { status: number; code?: string; headers?: Record<string, string> }
type Upload = { key: string; bucket: string; began: Date; parts: Map<number, { body: Buffer; etag: string }> }

export type FakeS3 = {
  url: string
  env: Record<string, string>
  /** Objects by bucket and key. */
  buckets: Map<string, Map<string, Buffer>>
  uploads: Map<string, Upload>
  seen: Asked[]
  /** Asked for each request. */
  fault: (asked: Asked) => Fault | undefined
  ignoresRange: boolean
  close(): Promise<void>
}

const KEYS = { id: 'AKIATESTTESTTEST', secret: 'secret/of+the/tests', token: 'token-of-the-tests' }
const REGION = 'eu-test-1'
const MOST_LISTED = 1000

export async function startS3(): Promise<FakeS3> {
  const server = createServer((request, response) => {
    void answer(fake, request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fake: FakeS3 = {
    url,
    env: {
      AWS_ACCESS_KEY_ID: KEYS.id,
      AWS_SECRET_ACCESS_KEY: KEYS.secret,
      AWS_SESSION_TOKEN: KEYS.token,
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL: url,
    },
    buckets: new Map([['desk', new Map()]]),
    uploads: new Map(),
    seen: [],
    fault: () => undefined,
    ignoresRange: false,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return fake
}

async function answer(fake: FakeS3, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url!, 'http://host')
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/.exec(decodeURIComponent(url.pathname))!
  const asked = { method: request.method!, bucket, key, query: url.searchParams, range: request.headers.range }
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const body = Buffer.concat(pieces)
  fake.seen.push(asked)
  const fault = fake.fault(asked)
  if (fault === 'reset') return void request.socket.resetAndDestroy()
  if (fault === 'stall') return
  if (typeof fault === 'object') return refuse(response, fault.status, fault.code ?? '', fault.headers)
  const refusal = refusalOf(request, body)
  if (refusal !== undefined) return refuse(response, refusal === 'XAmzContentSHA256Mismatch' ? 400 : 403, refusal)
  const objects = fake.buckets.get(bucket)
  if (!objects) return refuse(response, 404, 'NoSuchBucket')
  const done = perform(fake, { asked, objects, body })
  if (fault === 'lost') return void request.socket.resetAndDestroy()
  send(response, done, { method: asked.method, fault })
}

type Done = { status: number; headers?: Record<string, string>; body?: Buffer | string; code?: string }

function perform(
  fake: FakeS3,
  { asked, objects, body }: { asked: Asked; objects: Map<string, Buffer>; body: Buffer },
): Done {
  const { method, key, query } = asked
  const uploadId = query.get('uploadId')
  if (key === '') return query.has('uploads') ? listUploads(fake, asked) : list(objects, query)
  if (method === 'POST' && query.has('uploads')) {
    const id = `upload-${fake.uploads.size}-&`
    fake.uploads.set(id, { key, bucket: asked.bucket, began: new Date(), parts: new Map() })
    return xml(`<InitiateMultipartUploadResult><UploadId>${escape(id)}</UploadId></InitiateMultipartUploadResult>`)
  }
  if (uploadId !== null) return performPart(fake, { asked, objects, body, uploadId })
  if (method === 'PUT') {
    objects.set(key, body)
    return { status: 200, headers: { etag: etagOf(body) } }
  }
  const object = objects.get(key)
  if (!object) return { status: 404, code: 'NoSuchKey' }
  const from = fake.ignoresRange ? undefined : /^bytes=(\d+)-$/.exec(asked.range ?? '')?.[1]
  if (from === undefined) return { status: 200, body: object }
  if (Number(from) >= object.length) return { status: 416, code: 'InvalidRange' }
  const headers = { 'content-range': `bytes ${from}-${object.length - 1}/${object.length}` }
  return { status: 206, headers, body: object.subarray(Number(from)) }
}

function performPart(
  fake: FakeS3,
  o: { asked: Asked; objects: Map<string, Buffer>; body: Buffer; uploadId: string },
): Done {
  const { method, key, query } = o.asked
  const upload = fake.uploads.get(o.uploadId)
  if (upload?.key !== key) return { status: 404, code: 'NoSuchUpload' }
  if (method === 'PUT') {
    const etag = etagOf(o.body)
    upload.parts.set(Number(query.get('partNumber')), { body: o.body, etag })
    return { status: 200, headers: { etag } }
  }
  if (method === 'DELETE') {
    fake.uploads.delete(o.uploadId)
    return { status: 204 }
  }
  const named = [...o.body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)]
  const parts = named.map(([, number, etag]) => {
    const part = upload.parts.get(Number(number))
    return part && part.etag === etag ? part.body : undefined
  })
  if (parts.length !== upload.parts.size || parts.includes(undefined)) return { status: 400, code: 'InvalidPart' }
  o.objects.set(key, Buffer.concat(parts as Buffer[]))
  fake.uploads.delete(o.uploadId)
  return xml('<CompleteMultipartUploadResult/>')
}

function list(objects: Map<string, Buffer>, query: URLSearchParams): Done {
  const after = query.get('continuation-token') ?? ''
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(query.get('prefix') ?? '') && `+${key}` > after)
    .sort()
  const page = keys.slice(0, MOST_LISTED)
  const rows = page.map(
    (key) => `<Contents><Key>${escape(key)}</Key><Size>${objects.get(key)!.length}</Size></Contents>`,
  )
  const isTruncated = keys.length > page.length
  const next = isTruncated ? `<NextContinuationToken>+${escape(page.at(-1)!)}</NextContinuationToken>` : ''
  return xml(
    `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}\n${rows.join('\n')}</ListBucketResult>`,
  )
}

function listUploads(fake: FakeS3, { bucket, query }: Asked): Done {
  const rows = [...fake.uploads]
    .filter(([, upload]) => upload.bucket === bucket && upload.key.startsWith(query.get('prefix') ?? ''))
    .map(
      ([id, { key, began }]) =>
        `<Upload><Key>${escape(key)}</Key><UploadId>${escape(id)}</UploadId><Initiated>${began.toISOString()}</Initiated></Upload>`,
    )
  return xml(`<ListMultipartUploadsResult>${rows.join('')}</ListMultipartUploadsResult>`)
}

function send(
  response: ServerResponse,
  { status, headers = {}, body = '', code }: Done,
  { method, fault }: { method: string; fault: 'cut' | 'corrupt' | undefined },
): void {
  if (code !== undefined) return refuse(response, method === 'HEAD' ? 404 : status, method === 'HEAD' ? '' : code)
  const bytes = Buffer.from(body)
  response.writeHead(status, { ...headers, ...(status !== 204 && { 'content-length': bytes.length }) })
  if (method === 'HEAD' || status === 204) return void response.end()
  if (fault === 'corrupt') bytes[bytes.length >> 1]! ^= 1
  if (fault !== 'cut') return void response.end(bytes)
  response.write(bytes.subarray(0, bytes.length >> 1), () => setTimeout(() => response.destroy(), 20))
}

function refuse(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  // As the service does, it quotes the key that came.
  const text = code === '' ? '' : `<Error><Code>${code}</Code><AWSAccessKeyId>${KEYS.id}</AWSAccessKeyId></Error>`
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text)
}

/** A code of S3's, or undefined where the request is whoever's it says it is and has the bytes that were signed. */
function refusalOf({ method, url, headers }: IncomingMessage, body: Buffer): string | undefined {
  const [, id, day, region, signed, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? []
  if (id === undefined) return 'AccessDenied'
  if (id !== KEYS.id) return 'InvalidAccessKeyId'
  if (headers['x-amz-security-token'] !== KEYS.token) return 'InvalidToken'
  if (region !== REGION) return 'AuthorizationHeaderMalformed'
  const names = signed!.split(';')
  for (const name of ['host', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'])
    if (!names.includes(name)) return 'SignatureDoesNotMatch'
  const [path = '', search = ''] = url!.split('?')
  const encode = (text: string) =>
    encodeURIComponent(decodeURIComponent(text)).replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  const pairs = search === '' ? [] : search.split('&').map((pair) => pair.split('='))
  const query = pairs.map(([name = '', value = '']) => `${encode(name)}=${encode(value)}`).sort()
  const payload = headers['x-amz-content-sha256'] as string
  const canonical = [
    method,
    path.split('/').map(encode).join('/'),
    query.join('&'),
    ...names.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    signed,
    payload,
  ].join('\n')
  const stamp = headers['x-amz-date'] as string
  if (Math.abs(Date.now() - Date.parse(stamp.replace(/(....)(..)(..T..)(..)/, '$1-$2-$3:$4:'))) > 900_000)
    return 'RequestTimeTooSkewed'
  const scope = `${day}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', stamp, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  let key: string | Buffer = `AWS4${KEYS.secret}`
  for (const step of [day!, region, 's3', 'aws4_request', text]) key = createHmac('sha256', key).update(step).digest()
  if (key.toString('hex') !== signature) return 'SignatureDoesNotMatch'
  return createHash('sha256').update(body).digest('hex') === payload ? undefined : 'XAmzContentSHA256Mismatch'
}

function xml(text: string): Done {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0"?>\n${text}` }
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;')
}
