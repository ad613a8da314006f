// A million rows of JSONL imported as a version, checked for near-duplicates and split, beside reading and hashing alone: the
// file's bytes, and its rows (parsed, written canonically, hashed: what a version's name is made of). By turns in one run.
// npm run bench -- import [rows 1000000]
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { checkRows, CHECKS, type Check, importVersion, type RowOf, splitRows, versionRows } from '#data'
import { canonicalJson, sha256, sha256File } from '#files'
import { writeRowsFile } from '../trials/worlds/many-rows.ts'

const [rows = '1000000'] = process.argv.slice(2)
const workspace = fs.mkdtempSync(join(tmpdir(), 'hone-bench-import-'))
fs.writeFileSync(join(workspace, 'hone.json'), '{}')
const file = join(workspace, 'rows.jsonl')
const bytes = writeRowsFile(file, Number(rows))
console.log(`${rows} rows, ${(bytes / 1e6).toFixed(0)} MB`)

async function timed<T>(what: string, work: () => Promise<T> | T): Promise<{ done: T; seconds: number }> {
  const cpu = process.cpuUsage()
  const began = performance.now()
  const done = await work()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  console.log(`${what}: ${seconds.toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s of CPU)`)
  return { done, seconds }
}

await timed('reading and hashing the bytes', () => sha256File(file))
const { seconds: alone } = await timed('reading and hashing the rows', async () => {
  const whole = createHash('sha256')
  for await (const line of createInterface({ input: fs.createReadStream(file) }))
    whole.update(sha256(canonicalJson(JSON.parse(line))))
  return whole.digest('hex')
})
const imported = await timed('imported', () => importVersion(workspace, file, { kind: 'demonstrations', name: 'many' }))
const { version } = imported.done
const held: RowOf['demonstrations'][] = []
const read = await timed('read from the version', () => {
  for (const row of versionRows(workspace, { ...version, kind: 'demonstrations' as const })) held.push(row)
})
const off = Object.fromEntries((Object.keys(CHECKS) as Check[]).map((check) => [check, 'off'])) as Record<Check, 'off'>
const policy = { ...off, 'near-duplicate': 'set-aside', 'exact-duplicate': 'set-aside' } as const
const checked = await timed('checked for near-duplicates', () => checkRows(held, { kind: 'demonstrations', policy }))
const split = await timed('split', () => splitRows(checked.done.kept, { seed: 1 }))
const { counts, kept } = checked.done
const all = imported.seconds + read.seconds + checked.seconds + split.seconds
console.log(
  `${kept.length} kept, near ${counts['near-duplicate'] ?? 0}, exact ${counts['exact-duplicate'] ?? 0}; all of it ${all.toFixed(1)} s, ${(all / alone).toFixed(2)} times reading and hashing the rows; peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`,
)
fs.rmSync(workspace, { recursive: true })
