// A workspace whose artifacts are in a bucket, through the front door: commands and a real `hone serve` against a small S3.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findVersion, versionRows } from '#data'
import { artifactPath, putArtifact, sha256 } from '#files'
import { type FakeS3, startS3 } from '../src/bucket/s3-server.test-data.ts'
import { startServe } from './serve.test-data.ts'

const HONE = join(import.meta.dirname, '../scripts/hone.mjs')
const ADDRESS = 's3://desk/first'

let root: string
let workspace: string
let s3: FakeS3
/** What becomes of ADDRESS where AWS_ENDPOINT_URL is not AWS. */
let address: string

beforeEach(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-artifacts-'))
  workspace = join(root, 'desk')
  s3 = await startS3()
  address = `${s3.url}/desk/first`
  fs.writeFileSync(join(root, 'more.jsonl'), '{"prompt":"And now?"}\n')
  fs.writeFileSync(join(root, 'demos.jsonl'), '{"prompt":"Where is it?","completion":"On its way."}\n')
  expect((await hone('init', workspace)).code).toBe(0)
})
afterEach(async () => {
  await s3.close()
  fs.rmSync(root, { recursive: true, force: true })
})

type Ran = { code: number | null; done: Record<string, unknown>; said: string }

async function hone(...args: string[]): Promise<Ran> {
  return honeWith(s3.env, ...args)
}

async function honeWith(env: Record<string, string>, ...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [HONE, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let [out, said] = ['', '']
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
  const code = await new Promise<number | null>((done) => child.once('close', done))
  for (const key of secrets()) expect(out + said).not.toContain(key)
  return { code, said, done: JSON.parse(out.trim().split('\n').at(-1) || '{}') as Ran['done'] }
}

function secrets(): string[] {
  return [s3.env.AWS_ACCESS_KEY_ID!, s3.env.AWS_SECRET_ACCESS_KEY!, s3.env.AWS_SESSION_TOKEN!]
}

const objects = (): Map<string, Buffer> => s3.buckets.get('desk')!
const hashes = (): string[] =>
  [...objects()].map(([key, content]) => {
    expect(key).toBe(`first/${sha256(content).slice(0, 2)}/${sha256(content)}`)
    return sha256(content)
  })

test('a version is there once the bucket has its rows, and not before', async () => {
  expect(await hone('artifacts', 'move', ADDRESS, '--dir', workspace)).toMatchObject({
    code: 0,
    done: { artifacts: address, files: 0 },
  })
  const importing = ['data', 'import', join(root, 'demos.jsonl'), '--kind', 'demonstrations', '--dir', workspace]
  s3.fault = ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied' } : undefined)
  const refused = await hone(...importing)
  expect(refused.code).toBe(1)
  expect(refused.said).toMatch(/these keys may not do this: they need s3:GetObject/)
  expect(fs.readdirSync(join(workspace, 'datasets'))).toEqual([])
  s3.fault = ({ method }) => {
    if (method === 'PUT') expect(fs.existsSync(join(workspace, 'datasets', 'demos.jsonl'))).toBe(false)
    return undefined
  }
  const imported = await hone(...importing)
  expect(imported.code).toBe(0)
  expect(hashes()).toContain(imported.done.content)
}, 60_000)

test('a folder without artifacts gets them before a command works in it; what another command made follows it', async () => {
  await hone('artifacts', 'move', ADDRESS, '--dir', workspace)
  await hone('data', 'import', join(root, 'demos.jsonl'), '--kind', 'demonstrations', '--dir', workspace)
  const own = putArtifact(workspace, 'a guideline, say')
  await hone('data', 'log', '--dir', workspace)
  expect(hashes()).toContain(own)

  const other = join(root, 'other')
  fs.cpSync(workspace, other, { recursive: true })
  fs.rmSync(join(other, 'artifacts'), { recursive: true })
  const shown = await hone('data', 'show', 'demos', '--dir', other)
  expect(shown).toMatchObject({ code: 0, done: { first: [{ completion: 'On its way.' }] } })
  expect(shown.said).toMatch(/got 2 artifacts, 0\.0 MB, that this folder lacked/)
  expect(fs.readFileSync(artifactPath(other, own), 'utf8')).toBe('a guideline, say')
  s3.seen = []
  await hone('data', 'show', 'demos', '--dir', other)
  expect(s3.seen).toEqual([])

  expect(await honeWith({}, 'data', 'show', 'demos', '--dir', other)).toMatchObject({
    code: 0,
    said: expect.not.stringContaining('AWS'),
  })
  const keyless = await honeWith({}, 'data', 'import', join(root, 'more.jsonl'), '--kind', 'prompts', '--dir', other)
  expect(keyless).toMatchObject({ code: 1, said: expect.stringMatching(/set AWS_ACCESS_KEY_ID and AWS_SECRET/) })

  // Away, it hinders nobody who has all that is asked for.
  s3.fault = () => 'reset'
  const late = putArtifact(other, 'made meanwhile')
  const without = await hone('data', 'show', 'demos', '--dir', other)
  expect(without.code).toBe(0)
  expect(without.said).toMatch(/artifacts wait in .* to be sent: .*no answer from http.*the next command/)
  s3.fault = () => undefined
  const where = await hone('artifacts', 'where', '--dir', other)
  expect(where.done).toMatchObject({ artifacts: address, waiting: { files: 2, bytes: 36 } })
  expect((await hone('artifacts', 'send', '--dir', other)).done).toMatchObject({ files: 2 })
  expect(hashes()).toContain(late)
}, 120_000)

test('a backup is whole by itself; what the bucket has lost, a restored workspace gives it again', async () => {
  await hone('artifacts', 'move', ADDRESS, '--dir', workspace)
  await hone('data', 'import', join(root, 'demos.jsonl'), '--kind', 'demonstrations', '--dir', workspace)
  fs.rmSync(join(workspace, 'artifacts'), { recursive: true })
  expect((await hone('backup', join(root, 'copy'), '--dir', workspace)).code).toBe(0)
  objects().clear()
  const back = join(root, 'back')
  expect((await hone('restore', join(root, 'copy'), '--dir', back)).code).toBe(0)
  const version = findVersion(back, 'demos')
  expect([...versionRows(back, version)]).toHaveLength(1)
  expect(hashes()).toEqual([version.content])
}, 120_000)

test('checks find what is damaged or missing, and the way back to the folder is whole', async () => {
  const kept = ['one', 'two', 'three'].map((text) => putArtifact(workspace, text))
  await hone('artifacts', 'move', ADDRESS, '--dir', workspace)
  expect((await hone('artifacts', 'check', '--dir', workspace)).done).toMatchObject({ inBoth: 3 })
  objects().set(`first/${kept[0]!.slice(0, 2)}/${kept[0]!}`, Buffer.from('0ne'))
  fs.rmSync(artifactPath(workspace, kept[1]!))
  const found = await hone('artifacts', 'check', '--read', '--dir', workspace)
  expect(found).toMatchObject({ code: 1, done: { inBoth: 1, damagedThere: [kept[0]], onlyThere: [kept[1]] } })
  const repaired = await hone('artifacts', 'check', '--read', '--repair', '--dir', workspace)
  expect(repaired).toMatchObject({ code: 0, done: { repaired: 2 } })
  fs.rmSync(join(workspace, 'artifacts'), { recursive: true })
  const back = await hone('artifacts', 'move', 'folder', '--dir', workspace)
  expect(back).toMatchObject({ code: 0, done: { files: 3, artifacts: join(workspace, 'artifacts') } })
  expect(fs.readFileSync(join(workspace, 'hone.json'), 'utf8')).not.toContain('artifacts')
  for (const hash of kept) expect(sha256(fs.readFileSync(artifactPath(workspace, hash)))).toBe(hash)
  const again = await hone('artifacts', 'check', '--dir', workspace)
  expect(again.said).toMatch(/are in its folder: hone artifacts move s3:\/\/BUCKET\/PREFIX moves them/)
}, 120_000)

test('hone serve sends what is left and says where artifacts are; it and hone doctor say what is wrong with them', async () => {
  await hone('artifacts', 'move', ADDRESS, '--dir', workspace)
  const before = { ...process.env }
  try {
    Object.assign(process.env, s3.env)
    const own = putArtifact(workspace, 'left by a command that was killed')
    const served = await startServe(workspace)
    await expect.poll(hashes).toContain(own)
    expect(await served.stop()).toBe(0)
    expect(served.said()).toMatch(new RegExp(`artifacts are in ${address}, which can be read and written`))

    process.env.AWS_SECRET_ACCESS_KEY = 'another'
    await expect(startServe(workspace)).rejects.toThrow(/AWS_SECRET_ACCESS_KEY is not the one of AWS_ACCESS_KEY_ID/)
    s3.env.AWS_SECRET_ACCESS_KEY = 'another'
    const sick = await hone('doctor', '--dir', workspace)
    expect(sick).toMatchObject({ code: 1, done: { artifacts: { place: address, can: false } } })
    expect(sick.done.problems).toContainEqual(expect.stringMatching(/AWS_SECRET_ACCESS_KEY/))
  } finally {
    for (const name of Object.keys(s3.env)) delete process.env[name]
    Object.assign(process.env, before)
  }
}, 120_000)
