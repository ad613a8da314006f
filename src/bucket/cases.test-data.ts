// What a store must do, whichever it is: held against the tests' own server in every run, and against a real one by
// npm run trials -- artifacts URL.
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { ConfigError, DataError, HttpError } from '#errors'
import { artifactPath, putArtifact, sha256 } from '#files'
import { ask, readText, Refusal } from './ask.ts'
import { checkArtifacts } from './check.ts'
import { getObject, listObjects, putObject, sizeOfObject } from './objects.ts'
import { type Bucket, bucketAt, type Environment } from './place.ts'
import { bringArtifacts, fillFolder, moveToBucket, sendArtifacts } from './workspace.ts'

/** `address`: a prefix that nobody else uses. `kills`: of an uploader. `isStrict`: false where a server is known to check no hashes and keys. */
export type World = { address: string; env: Environment; kills: number; isStrict: boolean; say: (text: string) => void }
type Case = { name: string; run: (world: World) => Promise<void> }

/** The least that S3 takes for a part that is not the last. */
const PART = 5 << 20

export const cases: Case[] = [
  { name: 'what is put is got, listed, and may be put again', run: roundTrip },
  { name: 'what is put in parts is there as one when it is whole, and not before', run: inParts },
  { name: 'bytes that are not those of their name are refused by the server', run: refusedByServer },
  { name: 'a damaged file is not sent', run: damagedFile },
  { name: 'an object of other bytes is refused when it is got', run: damagedObject },
  { name: 'wrong keys are told, and no key is in any word', run: wrongKeys },
  { name: 'a missing bucket, a missing object and an unreachable host are told apart', run: missing },
  { name: 'a workspace moves into a bucket, loses its folder, and has it again', run: moved },
  { name: 'an uploader that is killed leaves nothing that is not whole', run: killed },
  { name: 'an importer that is killed names nothing that the bucket lacks', run: importing },
]

function bucketOf({ address, env }: World, below: string): Bucket {
  return bucketAt(`${address}/${below}`, env)
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-bucket-'))
  try {
    return await use(folder)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** The same bytes for the same number. */
export function bytesOf(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed + 1
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

async function get(bucket: Bucket, hash: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  await getObject(bucket, hash, (piece) => pieces.push(Uint8Array.from(piece)))
  return Buffer.concat(pieces)
}

async function list(bucket: Bucket): Promise<{ hash: string; bytes: number }[]> {
  const all = []
  for await (const each of listObjects(bucket)) all.push(each)
  return all
}

async function roundTrip(world: World): Promise<void> {
  const bucket = bucketOf(world, 'round-trip')
  await withFolder(async (folder) => {
    for (const content of [Buffer.alloc(0), Buffer.from('Grüße, +/=&?\n'), bytesOf(1, 300_000)]) {
      const file = join(folder, 'file')
      fs.writeFileSync(file, content)
      const hash = sha256(content)
      strictEqual(await sizeOfObject(bucket, hash), undefined)
      await putObject(bucket, file, { hash })
      await putObject(bucket, file, { hash })
      strictEqual(await sizeOfObject(bucket, hash), content.length)
      ok((await get(bucket, hash)).equals(content))
    }
    const listed = (await list(bucket)).map(({ bytes }) => bytes)
    deepStrictEqual(
      listed.sort((a, b) => a - b),
      [0, 15, 300_000],
    )
  })
}

async function inParts(world: World): Promise<void> {
  const bucket = bucketOf(world, 'parts')
  const content = bytesOf(2, 2 * PART + 12_345)
  const hash = sha256(content)
  const key = `${bucket.prefix}${hash.slice(0, 2)}/${hash}`
  const begun = await ask(bucket, () => ({ method: 'POST', key, query: { uploads: '' } }), { read: readText })
  const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(begun.text)![1]!.replaceAll('&amp;', '&')
  const query = { partNumber: '1', uploadId }
  await ask(bucket, () => ({ method: 'PUT', key, query, body: content.subarray(0, PART) }), { read: readText })
  deepStrictEqual([await sizeOfObject(bucket, hash), await list(bucket)], [undefined, []])
  await rejects(get(bucket, hash), /is not in the store/)
  await ask(bucket, () => ({ method: 'DELETE', key, query: { uploadId } }), { read: readText })
  await withFolder(async (folder) => {
    const file = join(folder, 'file')
    fs.writeFileSync(file, content)
    await putObject(bucket, file, { hash, partBytes: PART })
    ok((await get(bucket, hash)).equals(content))
    deepStrictEqual(await list(bucket), [{ hash, bytes: content.length }])
    await putObject(bucket, file, { hash, partBytes: PART, anew: true })
    ok((await get(bucket, hash)).equals(content))
    content[PART + 7]! ^= 1
    fs.writeFileSync(file, content)
    const other = sha256('something else')
    await rejects(putObject(bucket, file, { hash: other, partBytes: PART }), /the file is damaged, and was not sent/)
    deepStrictEqual(await list(bucket), [{ hash, bytes: content.length }])
  })
}

async function refusedByServer(world: World): Promise<void> {
  if (!world.isStrict) return world.say('(skipped: this server checks no hashes)')
  const bucket = bucketOf(world, 'refused')
  const hash = sha256('what was meant')
  const key = `${bucket.prefix}${hash.slice(0, 2)}/${hash}`
  const put = ask(bucket, () => ({ method: 'PUT', key, body: Buffer.from('what came'), sha256: hash }), {
    read: readText,
  })
  await rejects(put, (error) => error instanceof Refusal && /SHA256Mismatch|BadDigest/.test(error.answered.code))
  strictEqual(await sizeOfObject(bucket, hash), undefined)
}

async function damagedFile(world: World): Promise<void> {
  const bucket = bucketOf(world, 'damaged')
  await withFolder(async (folder) => {
    const file = join(folder, 'file')
    fs.writeFileSync(file, 'what is there')
    const hash = sha256('what was there')
    await rejects(putObject(bucket, file, { hash }), DataError)
    strictEqual(await sizeOfObject(bucket, hash), undefined)
  })
}

async function damagedObject(world: World): Promise<void> {
  const bucket = bucketOf(world, 'other-bytes')
  const hash = sha256('what was meant')
  await putUnder(bucket, hash, 'what somebody put there')
  await rejects(get(bucket, hash), /expected content of its name, got 23 bytes .* the object is damaged/)
}

async function putUnder(bucket: Bucket, hash: string, content: string): Promise<void> {
  const key = `${bucket.prefix}${hash.slice(0, 2)}/${hash}`
  await ask(bucket, () => ({ method: 'PUT', key, body: Buffer.from(content) }), { read: readText })
}

async function wrongKeys(world: World): Promise<void> {
  if (!world.isStrict) return world.say('(skipped: this server checks no keys)')
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = world.env
  const other = 'notTheKey/notTheKey+notTheKey0123456789ab'
  const wrong = { AWS_ACCESS_KEY_ID: 'AKIANOTTHEKEY000', AWS_SECRET_ACCESS_KEY: other }
  for (const [name, words] of [
    ['AWS_SECRET_ACCESS_KEY', /is not the one of AWS_ACCESS_KEY_ID/],
    ['AWS_ACCESS_KEY_ID', /does not know the key in AWS_ACCESS_KEY_ID/],
  ] as const) {
    const bucket = bucketOf({ ...world, env: { ...world.env, [name]: wrong[name] } }, 'keys')
    for (const doing of [() => get(bucket, sha256('')), () => list(bucket), () => putUnder(bucket, sha256(''), '')]) {
      const error = await doing().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      ok(error instanceof ConfigError && words.test(error.message), inspect(error))
      const said = inspect({ error, bucket }, { depth: null, showHidden: true })
      for (const key of [id!, secret!, ...Object.values(wrong)]) ok(!said.includes(key), said)
    }
  }
}

async function missing(world: World): Promise<void> {
  const bucket = bucketOf(world, 'missing')
  await rejects(
    get(bucket, sha256('nothing')),
    (error) => error instanceof DataError && /is not in the store/.test(error.message),
  )
  const none = { ...bucket, name: 'hone-no-such-bucket-0', prefix: '' }
  const doings = [() => get(none, sha256('')), () => list(none), () => putUnder(none, sha256(''), '')]
  for (const doing of doings)
    await rejects(
      doing,
      (error) => error instanceof ConfigError && /there is no bucket hone-no-such/.test(error.message),
    )
  const away = { ...bucket, endpoint: 'http://127.0.0.1:1', pace: { ...bucket.pace, firstWaitMs: 1 } }
  await rejects(
    get(away, sha256('')),
    (error) => error instanceof HttpError && /no answer from .*127.0.0.1:1/.test(error.message),
  )
}

async function moved(world: World): Promise<void> {
  const bucket = bucketOf(world, 'moved')
  await withEnvironment(world.env, () =>
    withFolder(async (workspace) => {
      fs.writeFileSync(join(workspace, 'hone.json'), '{"name": "desk", "domain": "customer-service"}')
      const contents = Array.from({ length: 40 }, (_, i) => bytesOf(i, 1000 + i))
      const hashes = contents.map((content) => putArtifact(workspace, content))
      deepStrictEqual((await moveToBucket(workspace, bucket.url)).files, 40)
      const settings: unknown = JSON.parse(fs.readFileSync(join(workspace, 'hone.json'), 'utf8'))
      deepStrictEqual(settings, { name: 'desk', domain: 'customer-service', artifacts: bucket.url })
      deepStrictEqual(await sendArtifacts(workspace), { files: 0, bytes: 0 })
      deepStrictEqual(await fillFolder(workspace), { files: 0, bytes: 0 })
      fs.rmSync(join(workspace, 'artifacts'), { recursive: true })
      deepStrictEqual((await fillFolder(workspace)).files, 40)
      for (const [i, hash] of hashes.entries()) ok(fs.readFileSync(artifactPath(workspace, hash)).equals(contents[i]!))
      deepStrictEqual(await sendArtifacts(workspace), { files: 0, bytes: 0 })
      await putUnder(bucket, hashes[0]!, 'damaged')
      await putUnder(bucket, hashes[1]!, 'x'.repeat(1001)) // of the right length
      fs.writeFileSync(artifactPath(workspace, hashes[2]!), 'damaged')
      fs.rmSync(artifactPath(workspace, hashes[3]!))
      const found = await checkArtifacts(workspace, { read: true, repair: true })
      deepStrictEqual(
        [found.damagedThere.sort(), found.damagedHere, found.onlyThere, found.onlyHere, found.inBoth, found.repaired],
        [hashes.slice(0, 2).sort(), [hashes[2]], [hashes[3]], [], 36, 4],
      )
      const again = await checkArtifacts(workspace, { read: true })
      deepStrictEqual([again.inBoth, again.damagedThere, again.damagedHere, again.onlyThere], [40, [], [], []])
      deepStrictEqual(await bringArtifacts(workspace), { files: 0, bytes: 0 })
    }),
  )
}

/** Sends a workspace's artifacts over and over under new names, in one piece and in parts, until it is killed. */
const UPLOADER = `
  const [objects, place, address, folder, part, n] = process.argv.slice(-6)
  const { putObject } = await import(objects)
  const { bucketAt } = await import(place)
  const fs = await import('node:fs')
  const { createHash } = await import('node:crypto')
  const bucket = bucketAt(address)
  for (let i = 0; ; i++) {
    const content = Buffer.alloc(i % 2 === 0 ? 200_000 : 2 * Number(part) + 1000, n + '-' + i + ' ')
    const file = folder + '/' + n + '-' + i
    fs.writeFileSync(file, content)
    await putObject(bucket, file, { hash: createHash('sha256').update(content).digest('hex'), partBytes: Number(part) })
    fs.rmSync(file)
    console.log('one more')
  }`

/** Starts it, waits until it has done one, and kills it at a moment of its own. */
async function killOne(world: World, script: string, given: readonly (string | number)[], n: number): Promise<void> {
  const flags = ['--import', 'tsx', '--input-type=module', '-e', script]
  const child = spawn(process.execPath, [...flags, ...given.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...world.env },
  })
  await once(child.stdout, 'data')
  await new Promise((done) => setTimeout(done, 20 + 37 * n))
  child.kill('SIGKILL')
  await once(child, 'close')
}

async function killed(world: World): Promise<void> {
  const bucket = bucketOf(world, 'killed')
  await withFolder(async (folder) => {
    const files = ['objects.ts', 'place.ts'].map((name) => join(import.meta.dirname, name))
    for (let n = 0; n < world.kills; n++) await killOne(world, UPLOADER, [...files, bucket.url, folder, PART, n], n)
    const left = await list(bucket)
    for (const { hash, bytes } of left) strictEqual((await get(bucket, hash)).length, bytes)
    world.say(`(${world.kills} kills, ${left.length} objects, each whole)`)
    ok(left.length >= world.kills)
  })
}

/** Makes version after version of a dataset whose rows go to the bucket. */
const IMPORTER = `
  const [data, workspace, n] = process.argv.slice(-3)
  const { saveVersion } = await import(data)
  for (let i = 0; ; i++) {
    await saveVersion(workspace, [{ prompt: n + '-' + i }], { kind: 'prompts', name: 'questions', source: {} })
    console.log('one more')
  }`

async function importing(world: World): Promise<void> {
  const bucket = bucketOf(world, 'importing')
  await withFolder(async (workspace) => {
    fs.writeFileSync(join(workspace, 'hone.json'), JSON.stringify({ artifacts: bucket.url }))
    const data = join(import.meta.dirname, '../data/index.ts')
    for (let n = 0; n < world.kills; n++) await killOne(world, IMPORTER, [data, workspace, n], n)
    const lines = fs
      .readFileSync(join(workspace, 'datasets', 'questions.jsonl'), 'utf8')
      .trim()
      .split('\n')
    const named = lines.map((line) => (JSON.parse(line) as { content: string }).content)
    for (const hash of named) ok((await get(bucket, hash)).length > 0)
    world.say(`(${world.kills} kills, ${named.length} versions, the rows of each whole in the bucket)`)
    ok(named.length >= world.kills)
  })
}

/** The variables are those of commands, which is what a workspace goes by. */
async function withEnvironment(env: Environment, use: () => Promise<void>): Promise<void> {
  const before = { ...process.env }
  Object.assign(process.env, env)
  try {
    await use()
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
    Object.assign(process.env, before)
  }
}
