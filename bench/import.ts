// A million rows of JSONL imported as a version, checked for near-duplicates and split as they stream, beside reading and
// hashing alone: the file's bytes (SHA-256 over pieces of 1 MiB), and its rows (read a line at a time, parsed, written
// canonically, hashed: what a version's name is made of). By the clock and by CPU, in one process, one after the other.
// npm run bench -- import [rows 1000000]
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Check, CHECKS, importVersion, inspectRows, keptRows, planSplit, versionRows } from '#data'
import { canonicalJson, sha256, sha256File } from '#files'
import { writeRowsFile } from '../trials/worlds/many-rows.ts'

const [rows = '1000000'] = process.argv.slice(2)
const workspace = fs.mkdtempSync(join(tmpdir(), 'hone-bench-import-'))
fs.writeFileSync(join(workspace, 'hone.json'), '{}')
const file = join(workspace, 'rows.jsonl')
const bytes = writeRowsFile(file, Number(rows))
console.log(`${rows} rows, ${(bytes / 1e6).toFixed(0)} MB`)

async function timed<T>(what: string, work: () => Promise<T> | T): Promise<{ done: T; seconds: number; cpu: number }> {
  const before = process.cpuUsage()
  const began = performance.now()
  const done = await work()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  const cpu = (user + system) / 1e6
  console.log(`${what}: ${seconds.toFixed(2)} s (${cpu.toFixed(2)} s of CPU)`)
  return { done, seconds, cpu }
}

const bytesAlone = await timed('reading and hashing the bytes', () => sha256File(file))
const rowsAlone = await timed('reading and hashing the rows', async () => {
  const whole = createHash('sha256')
  for await (const line of createInterface({ input: fs.createReadStream(file) }))
    whole.update(sha256(canonicalJson(JSON.parse(line))))
  return whole.digest('hex')
})
const imported = await timed('imported', () => importVersion(workspace, file, { kind: 'demonstrations', name: 'many' }))
const read = await timed('read from the version and its content checked', () =>
  versionRows(workspace, { ...imported.done.version, kind: 'demonstrations' as const }),
)
const off = Object.fromEntries((Object.keys(CHECKS) as Check[]).map((check) => [check, 'off'])) as Record<Check, 'off'>
const policy = { ...off, 'near-duplicate': 'set-aside', 'exact-duplicate': 'set-aside' } as const
const checked = await timed('checked for near-duplicates', () =>
  inspectRows(read.done, { kind: 'demonstrations', policy }),
)
const { counts, found } = checked.done
const split = await timed('split', () => planSplit(keptRows(read.done, found), { seed: 1 }))
const all = [imported, read, checked, split].reduce(
  (sum, { seconds, cpu }) => ({ seconds: sum.seconds + seconds, cpu: sum.cpu + cpu }),
  { seconds: 0, cpu: 0 },
)
const times = (what: { seconds: number; cpu: number }) =>
  `${(all.seconds / what.seconds).toFixed(2)} times by the clock and ${(all.cpu / what.cpu).toFixed(2)} by CPU`
console.log(
  `${split.done.splitOf.length} kept, near ${counts['near-duplicate'] ?? 0}, exact ${counts['exact-duplicate'] ?? 0}`,
)
console.log(
  `all of it ${all.seconds.toFixed(2)} s (${all.cpu.toFixed(2)} s of CPU), peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`,
)
console.log(`beside the bytes: ${times(bytesAlone)}`)
console.log(`beside the rows: ${times(rowsAlone)}`)
fs.rmSync(workspace, { recursive: true })
