// Artifacts in a bucket, against a small S3 of the tests' own that misbehaves in every way that networks and servers do.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError, DataError, HttpError } from '#errors'
import { putArtifact, sha256 } from '#files'
import { bytesOf, cases } from './cases.test-data.ts'
import { getObject, listObjects, putObject } from './objects.ts'
import { type Bucket, bucketAt } from './place.ts'
import { type Asked, type FakeS3, type Fault, startS3 } from './s3-server.test-data.ts'
import { keepSending } from './workspace.ts'

let root: string
let s3: FakeS3
let bucket: Bucket

beforeEach(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-bucket-'))
  s3 = await startS3()
  bucket = bucketAt('s3://desk/of/tests', s3.env, { firstWaitMs: 2, patienceMs: 400 })
})
afterEach(async () => {
  await s3.close()
  fs.rmSync(root, { recursive: true, force: true })
})

const PART = 50_000

function fileOf(content: Uint8Array): { file: string; hash: string } {
  const hash = sha256(content)
  const file = join(root, hash)
  fs.writeFileSync(file, content)
  return { file, hash }
}

async function got(hash: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  await getObject(bucket, hash, (piece) => pieces.push(Uint8Array.from(piece)))
  return Buffer.concat(pieces)
}

/** The faults in turn, at requests that `when` picks; then none. */
function failing(faults: Fault[], when: (asked: Asked) => boolean = () => true): void {
  const left = [...faults]
  s3.fault = (asked) => (when(asked) ? left.shift() : undefined)
}

test.each(cases)('$name', async ({ run }) => {
  await run({ address: 's3://desk/cases', env: s3.env, kills: 3, isStrict: true, say: () => {} })
})

const PASSING: Fault[] = ['reset', { status: 503, code: 'SlowDown' }, { status: 429 }, { status: 500 }, 'stall']

test.each(PASSING.map((fault) => [JSON.stringify(fault), fault] as const))('after %s it goes on', async (_, fault) => {
  const { file, hash } = fileOf(bytesOf(3, 3 * PART + 5))
  failing([fault, 'reset', fault, 'reset'])
  await putObject(bucket, file, { hash, partBytes: PART })
  failing([fault, 'reset'])
  expect((await got(hash)).equals(fs.readFileSync(file))).toBe(true)
  failing([fault], (asked) => asked.query.has('list-type'))
  for await (const each of listObjects(bucket)) expect(each).toEqual({ hash, bytes: 3 * PART + 5 })
})

test('a part whose answer is lost is sent again; the end of an upload whose answer is lost has happened', async () => {
  for (const when of [
    (asked: Asked) => asked.query.get('partNumber') === '2',
    ({ method, query }: Asked) => method === 'POST' && query.has('uploadId'),
  ]) {
    const { file, hash } = fileOf(bytesOf(4, 3 * PART))
    s3.buckets.get('desk')!.clear()
    failing(['lost'], when)
    await putObject(bucket, file, { hash, partBytes: PART })
    expect((await got(hash)).equals(fs.readFileSync(file))).toBe(true)
  }
})

test('an end that fails after it began to answer is no end', async () => {
  const { file, hash } = fileOf(bytesOf(4, 3 * PART))
  const isEnd = ({ method, query }: Asked) => method === 'POST' && query.has('uploadId')
  failing([{ status: 200, code: 'EntityTooSmall' }], isEnd)
  await expect(putObject(bucket, file, { hash, partBytes: PART })).rejects.toThrow(/EntityTooSmall/)
  expect([s3.buckets.get('desk')!.size, s3.uploads.size]).toEqual([0, 0])
})

test('a cut download goes on where it was cut, and from the beginning where the server knows no ranges', async () => {
  const { file, hash } = fileOf(bytesOf(5, 400_000))
  await putObject(bucket, file, { hash })
  for (const ignoresRange of [false, true]) {
    Object.assign(s3, { ignoresRange, seen: [] })
    failing(['cut', 'reset', 'cut'])
    expect((await got(hash)).equals(fs.readFileSync(file))).toBe(true)
    const from = s3.seen.map(({ range }) => Number(/\d+/.exec(range ?? '0')![0]))
    expect(from[0]).toBe(0)
    expect(from.at(-1)).toBeGreaterThan(199_000)
  }
})

test('while bytes come it does not give up', async () => {
  const { file, hash } = fileOf(bytesOf(6, 1 << 20))
  await putObject(bucket, file, { hash })
  failing(Array.from({ length: 9 }, () => 'cut'))
  expect((await got(hash)).equals(fs.readFileSync(file))).toBe(true)
})

test('a bit that flips on the way is found', async () => {
  const { file, hash } = fileOf(bytesOf(7, 100_000))
  await putObject(bucket, file, { hash })
  failing(['corrupt'])
  await expect(got(hash)).rejects.toThrow(DataError)
  await expect(got(hash)).resolves.toHaveLength(100_000)
})

test('a server that stays busy, silent or away is told as what it is, after five tries', async () => {
  const { file, hash } = fileOf(Buffer.from('x'))
  for (const [fault, words] of [
    [{ status: 503, code: 'SlowDown' }, /is too busy: run again later \(SlowDown, HTTP 503\)/],
    [{ status: 500 }, /the server failed: run again later \(HTTP 500\)/],
    ['reset', /no answer from http:\/\/127\.0\.0\.1:\d+: .*; check the network and the address/],
    ['stall', /no answer from .*: nothing for 0\.4\d* s/],
  ] as [Fault, RegExp][]) {
    s3.seen = []
    s3.fault = () => fault
    const error = await putObject(bucket, file, { hash }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(HttpError)
    expect((error as Error).message).toMatch(words)
    expect(s3.seen).toHaveLength(5)
  }
})

test('what another try cannot mend is not tried again, and says what to do', async () => {
  const { hash } = fileOf(Buffer.from('x'))
  for (const [fault, words] of [
    [{ status: 403, code: 'AccessDenied' }, /these keys may not do this: they need s3:GetObject/],
    [{ status: 400, code: 'ExpiredToken' }, /the keys have expired/],
    [{ status: 403, code: 'RequestTimeTooSkewed' }, /clocks/],
    [
      { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-3' } },
      /the bucket is in eu-west-3, asked in eu-test-1 .*: set AWS_REGION/,
    ],
    [{ status: 308, headers: { location: 'https://elsewhere' } }, /sends elsewhere \(HTTP 308\): give the address/],
  ] as [Fault, RegExp][]) {
    s3.seen = []
    s3.fault = () => fault
    await expect(got(hash)).rejects.toThrow(words)
    await expect(got(hash)).rejects.toThrow(ConfigError)
    expect(s3.seen).toHaveLength(2)
  }
})

test('as long as a server says, it is waited', async () => {
  const { file, hash } = fileOf(Buffer.from('x'))
  failing([{ status: 503, headers: { 'retry-after': '1' } }])
  const began = performance.now()
  await putObject(bucket, file, { hash })
  expect(performance.now() - began).toBeGreaterThan(990)
})

test('while a server runs what fails is said once, what is left goes, and its end waits for no bucket', async () => {
  const before = { ...process.env }
  Object.assign(process.env, s3.env)
  try {
    fs.writeFileSync(join(root, 'hone.json'), '{"artifacts": "s3://desk"}')
    const hash = putArtifact(root, 'left')
    const said: string[] = []
    s3.fault = () => ({ status: 403, code: 'AccessDenied' })
    const sending = keepSending(root, (words) => said.push(words), { everyMs: 5 })
    await expect.poll(() => s3.seen.length).toBeGreaterThan(3)
    expect(said).toEqual([expect.stringMatching(/wait in .* to be sent: http\S*\/desk: these keys may not do this/)])
    s3.fault = () => undefined
    await expect.poll(() => said.length).toBe(2)
    expect([said[1], [...s3.buckets.get('desk')!.keys()]]).toEqual([
      'artifacts are sent again, and none is left',
      [`${hash.slice(0, 2)}/${hash}`],
    ])
    s3.seen = []
    s3.fault = () => 'stall'
    putArtifact(root, 'later')
    await expect.poll(() => s3.seen.length).toBe(1)
    await sending.close()
    expect([s3.seen.length, said.length]).toEqual([1, 2])
  } finally {
    for (const name of Object.keys(s3.env)) delete process.env[name]
    Object.assign(process.env, before)
  }
}, 10_000)

test('listings go over pages, and what is not hone’s is passed over', async () => {
  const objects = s3.buckets.get('desk')!
  const hashes = Array.from({ length: 2300 }, (_, i) => sha256(String(i)))
  for (const hash of hashes) objects.set(`of/tests/${hash.slice(0, 2)}/${hash}`, Buffer.from('x'))
  const hash = hashes[0]!
  for (const key of ['README', `of/tests/${hash}`, `of/tests/zz/${hash}`, `of/tests/a/${hash.slice(0, 2)}/${hash}`])
    objects.set(key, Buffer.from('x'))
  const listed = []
  for await (const each of listObjects(bucket)) listed.push(each.hash)
  expect(listed.sort()).toEqual(hashes.sort())
  expect(s3.seen).toHaveLength(3)
})

test('an upload of the same object that was left a day ago is ended, a later one is not', async () => {
  const { file, hash } = fileOf(bytesOf(8, 3 * PART))
  const key = `of/tests/${hash.slice(0, 2)}/${hash}`
  const left = (hours: number) => ({
    key,
    bucket: 'desk',
    began: new Date(Date.now() - hours * 3_600_000),
    parts: new Map(),
  })
  s3.uploads.set('old', left(25))
  s3.uploads.set('new', left(23))
  s3.uploads.set('other', { ...left(50), key: `${key}0` })
  await putObject(bucket, file, { hash, partBytes: PART })
  expect([...s3.uploads.keys()]).toEqual(['new', 'other'])
})

test('addresses and variables that cannot be followed are refused, without their keys', async () => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKIAKEY', AWS_SECRET_ACCESS_KEY: 'topsecret' }
  for (const address of [
    'desk',
    's3://',
    's3://De_sk',
    's3://desk/a b',
    's3://desk/../x',
    's3://desk/x?topsecret',
    'https://AKIAKEY:topsecret@host/desk',
    'https://host',
    'ftp://host/desk',
  ]) {
    expect(() => bucketAt(address, keys), address).toThrow(ConfigError)
    expect(() => bucketAt(address, keys), address).not.toThrow(/topsecret|AKIAKEY/)
  }
  for (const env of [{}, { ...keys, AWS_SECRET_ACCESS_KEY: '' }, { ...keys, AWS_SESSION_TOKEN: 'topsecret\nx' }]) {
    const error: unknown = await listObjects(bucketAt('s3://desk', env))
      .next()
      .catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ConfigError)
    expect(inspect(error)).toMatch(/AWS_/)
    expect(inspect(error)).not.toMatch(/topsecret|AKIAKEY/)
  }
  expect(() => bucketAt('s3://desk', { ...keys, AWS_ENDPOINT_URL: 'http://u:topsecret@host' })).not.toThrow(/topsecret/)
  expect(() => bucketAt('s3://desk', { ...keys, AWS_ENDPOINT_URL: 'http://u:topsecret@host' })).toThrow(
    /AWS_ENDPOINT_URL/,
  )
  const made = bucketAt('s3://desk.of.us/a/b/', { ...keys, AWS_REGION: 'eu-west-1' })
  expect(made).toMatchObject({
    endpoint: 'https://s3.eu-west-1.amazonaws.com',
    name: 'desk.of.us',
    prefix: 'a/b/',
    url: 's3://desk.of.us/a/b',
  })
  expect(inspect(made, { depth: null, showHidden: true })).not.toMatch(/topsecret|AKIAKEY/)
  expect(bucketAt('http://localhost:9000/desk', { ...keys, AWS_ENDPOINT_URL: 'http://other' })).toMatchObject({
    endpoint: 'http://localhost:9000',
    name: 'desk',
    prefix: '',
  })
  const own = bucketAt('s3://desk/a', { AWS_ENDPOINT_URL: 'http://localhost:9000/' })
  expect(own.url).toBe('http://localhost:9000/desk/a')
  expect(bucketAt(own.url, {})).toMatchObject({ endpoint: own.endpoint, name: 'desk', prefix: 'a/', url: own.url })
})
