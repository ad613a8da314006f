// A process killed between any two disk calls of a save: what is found afterwards is the state before or after, whole.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryFolder, verifyManifest } from './folder.ts'

let root: string
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-kill-'))
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

/** Saves checkpoint 1, a small file and one that a thread hashes beside, then replaces `latest` durably, on a disk that kills its process at the n-th call. */
const SAVE = `
  import fs from 'node:fs'
  const [root, room, n] = process.argv.slice(-3)
  const { writeDurable, writeManifest, writeNewFiles, writeWholeFolder } = await import(room)
  let calls = 0
  const counted = (call) => (...given) => {
    if (calls++ === Number(n)) process.kill(process.pid, 'SIGKILL')
    return call(...given)
  }
  const names = ['openSync', 'writeSync', 'fsyncSync', 'renameSync']
  const disk = { ...fs, ...Object.fromEntries(names.map((name) => [name, counted(fs[name])])) }
  writeWholeFolder(root + '/1', (folder) => {
    const files = writeNewFiles(folder, { config: '{}', weights: Buffer.alloc(70 << 20, 'w') }, disk)
    writeManifest(folder, { step: 1 }, { disk, known: new Map(files.map(({ path, sha256 }) => [path, sha256])) })
  }, disk)
  writeDurable(root + '/latest', 'checkpoint 1', disk)
  console.log(calls)`

async function save(folder: string, n: number): Promise<{ calls: number; signal: string | null }> {
  const flags = ['--import', 'tsx', '--input-type=module', '-e', SAVE]
  const child = spawn(process.execPath, [...flags, folder, join(import.meta.dirname, 'index.ts'), String(n)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { calls: Number(said), signal }
}

test('a kill at any disk call leaves the old state or the new one, and the next save goes through', async () => {
  const { calls } = await save(fs.mkdtempSync(join(root, 'count-')), -1)
  expect(calls).toBeGreaterThan(15)
  const points = [0, 1, 2, 3].map((third) => Math.round((third * (calls - 1)) / 3))
  await Promise.all(points.map((n) => killedAt(n)))
})

async function killedAt(n: number): Promise<void> {
  const folder = fs.mkdtempSync(join(root, 'run-'))
  fs.writeFileSync(join(folder, 'latest'), 'checkpoint 0')
  expect((await save(folder, n)).signal, `call ${n}`).toBe('SIGKILL')
  const isSaved = fs.existsSync(join(folder, '1'))
  if (isSaved) expect(verifyManifest(join(folder, '1')).fields).toEqual({ step: 1 })
  const latest = fs.readFileSync(join(folder, 'latest'), 'utf8')
  expect(isSaved ? ['checkpoint 0', 'checkpoint 1'] : ['checkpoint 0']).toContain(latest)
  if (isSaved) return
  const again = temporaryFolder(join(folder, '1'))
  expect(fs.readdirSync(folder).sort()).toEqual([again.slice(folder.length + 1), 'latest'].sort())
}
