// A real `hone serve` on a fresh workspace, as a child process, for tests that come through the front door.
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { executablePath, launchChromium } from './browser.ts'

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
async function makeWorkspace(): Promise<string> {
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

export type Front = {
  workspace: string
  /** A test that ends it puts the next in its place. */
  served: Served
  browser: Browser
}

/** For the tests of one file: a served workspace and a browser, there from the first test and gone after the last. */
export function openFront(): Front {
  const front: Partial<Front> = {}
  beforeAll(async () => {
    if (!executablePath) return
    front.workspace = await makeWorkspace()
    front.served = await startServe(front.workspace)
    front.browser = await launchChromium()
  })
  afterAll(async () => {
    await front.browser?.close()
    await front.served?.stop()
    if (front.workspace !== undefined) fs.rmSync(dirname(front.workspace), { recursive: true, force: true })
  })
  return front as Front
}
