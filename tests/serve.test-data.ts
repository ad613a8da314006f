// A real `hone serve` on a fresh workspace, as a child process, for tests that come through the front door.
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const HONE = join(import.meta.dirname, '../scripts/hone.mjs')

export type Served = {
  url: string
  /** The set-up link, when nobody has an account. */
  setUp: string | undefined
  process: ChildProcess
  /** What it wrote to standard error. */
  said: () => string
  /** Ctrl-C, and the wait for its end; answers the exit code. */
  stop(): Promise<number | null>
}

/** A workspace from the customer-service domain in a temporary folder. */
export async function makeWorkspace(): Promise<string> {
  const folder = join(fs.mkdtempSync(join(tmpdir(), 'hone-serve-')), 'desk')
  const made = spawn(process.execPath, [HONE, 'init', folder], { stdio: 'ignore' })
  await new Promise((done) => made.once('close', done))
  return folder
}

export async function startServe(workspace: string, { port = 0 }: { port?: number } = {}): Promise<Served> {
  const child = spawn(process.execPath, [HONE, 'serve', '--dir', workspace, '--port', String(port), '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
  const closed = new Promise<number | null>((done) => child.once('close', done))
  const first = await Promise.race([
    new Promise<string>((done) => createInterface(child.stdout).once('line', done)),
    closed.then((code) => Promise.reject(new Error(`hone serve ended with ${code}: ${said}`))),
  ])
  const { url, setUp } = JSON.parse(first) as { url: string; setUp?: string }
  return {
    url,
    setUp,
    process: child,
    said: () => said,
    async stop() {
      child.kill('SIGINT')
      return closed
    },
  }
}
