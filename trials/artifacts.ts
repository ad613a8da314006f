// npm run trials -- artifacts URL [--kills 30] [--megabytes 256] [--lax]: what the tests ask of their own small S3, asked of a real
// one: s3://BUCKET/PREFIX or https://HOST/BUCKET/PREFIX, with the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Besides, 1,200
// small files and one large one, timed. --lax: the server is known to check no keys and hashes, and is not asked to. What it
// puts stays there, under PREFIX/trial-TIME. Exits 1 when a case fails.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '#errors'
import { artifactPath, makeFolder, putArtifact, sha256File, writeDurable } from '#files'
import { bytesOf, cases } from '../src/bucket/cases.test-data.ts'
import { bringArtifacts, fillFolder, moveToBucket, probeBucket, sendArtifacts, bucketAt } from '#bucket'

const SMALL_FILES = 1200
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '30' },
    megabytes: { type: 'string', default: '256' },
    lax: { type: 'boolean', default: false },
  },
})
const [url] = positionals
if (url === undefined)
  throw new ConfigError('expected the address of a bucket: npm run trials -- artifacts s3://BUCKET')
const address = `${url.replace(/\/+$/, '')}/trial-${Date.now()}`
let failed = 0

async function timed(name: string, run: () => Promise<void>): Promise<number> {
  const began = performance.now()
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  const seconds = (performance.now() - began) / 1000
  if (error !== undefined) failed++
  console.log(`${error === undefined ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(6)} s  ${name}`)
  if (error !== undefined) console.log(error)
  return seconds
}

/** Piece by piece, so that the memory that is told is that of sending. */
function writeLarge(workspace: string, bytes: number): string {
  const piece = bytesOf(7, 1e6)
  const pieces = function* () {
    for (let at = 0; at < bytes; at += piece.length) yield piece.subarray(0, bytes - at)
  }
  const file = join(workspace, 'large')
  const { sha256 } = writeDurable(file, pieces())
  makeFolder(dirname(artifactPath(workspace, sha256)))
  fs.renameSync(file, artifactPath(workspace, sha256))
  return sha256
}

const world = {
  address,
  env: process.env,
  kills: Number(values.kills),
  isStrict: !values.lax,
  say: (text: string) => console.log(`                 ${text}`),
}
await timed('it can be read and written', () => probeBucket(bucketAt(address)))
for (const { name, run } of cases) await timed(name, () => run(world))

const workspace = fs.mkdtempSync(join(tmpdir(), 'hone-artifacts-'))
try {
  fs.writeFileSync(join(workspace, 'hone.json'), '{}')
  for (let i = 0; i < SMALL_FILES; i++) putArtifact(workspace, bytesOf(i, 2000))
  const up = await timed(`${SMALL_FILES} files of 2 kB go up`, async () => {
    await moveToBucket(workspace, `${address}/speed`)
  })
  fs.rmSync(join(workspace, 'artifacts'), { recursive: true })
  const down = await timed('they come down, over two pages of a listing', async () => {
    const { files } = await fillFolder(workspace)
    if (files !== SMALL_FILES) throw new Error(`expected ${SMALL_FILES} files, got ${files}`)
  })
  const bytes = Number(values.megabytes) * 1e6
  const hash = writeLarge(workspace, bytes)
  const upLarge = await timed(`${values.megabytes} MB go up`, async () => {
    await sendArtifacts(workspace)
  })
  fs.rmSync(artifactPath(workspace, hash))
  const downLarge = await timed('they come down', async () => {
    await bringArtifacts(workspace)
    if (sha256File(artifactPath(workspace, hash)) !== hash) throw new Error('expected the same bytes')
  })
  const of = (amount: number, seconds: number) => Math.round(amount / seconds)
  console.log(`small files: ${of(SMALL_FILES, up)} a second up, ${of(SMALL_FILES, down)} down`)
  console.log(`a large one: ${of(bytes / 1e6, upLarge)} MB/s up, ${of(bytes / 1e6, downLarge)} MB/s down`)
  console.log(`most memory: ${Math.round(process.resourceUsage().maxRSS / 1000)} MB`)
} finally {
  fs.rmSync(workspace, { recursive: true, force: true })
}
console.log(failed === 0 ? 'all hold' : `${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
