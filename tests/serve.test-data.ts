// A real `hone serve` on a fresh workspace, as a child process, for tests that come through the front door.
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { executablePath, launchChromium, somebody } from './browser.ts'

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

/** A workspace in a temporary folder. */
async function makeWorkspace(domain: string): Promise<string> {
  const folder = join(fs.mkdtempSync(join(tmpdir(), 'hone-serve-')), 'desk')
  const made = spawn(process.execPath, [HONE, 'init', folder, '--domain', domain], { stdio: 'ignore' })
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
export function openFront({ domain = 'customer-service' } = {}): Front {
  const front: Partial<Front> = {}
  beforeAll(async () => {
    if (!executablePath) return
    front.workspace = await makeWorkspace(domain)
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

export const PASSWORD = 'a long enough sentence'

/** A call of the API as who is signed in there: for what a test needs but is not about. */
export async function ask(front: Front, of: BrowserContext, key: string, body?: unknown): Promise<unknown> {
  const [method, path] = key.split(' ') as [string, string]
  const isFile = body instanceof Buffer
  const answer = await of.request.fetch(`${front.served.url}${path}`, {
    method,
    headers: {
      origin: front.served.url,
      'sec-fetch-site': 'same-origin',
      ...(body !== undefined && { 'content-type': isFile ? 'application/octet-stream' : 'application/json' }),
    },
    ...(body !== undefined && { data: isFile ? body : JSON.stringify(body) }),
  })
  if (!answer.ok()) throw new Error(`${key}: ${answer.status()} ${await answer.text()}`)
  return answer.status() === 204 ? undefined : answer.json()
}

/** The first account, which owns project `desk`, in a browser of its own. */
export async function openAsLead(front: Front): Promise<Page> {
  const { page } = await somebody(front.browser)
  await page.goto(front.served.setUp!)
  await page.getByLabel('Your name').fill('Lea Winter')
  await page.getByLabel('E-mail address').fill('lea@example.org')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByText('You are owner here.').waitFor()
  return page
}

/** Somebody new in the project, in a browser of their own. */
export async function joinAs(front: Front, lead: Page, role: string, name: string): Promise<Page> {
  const { token } = (await ask(front, lead.context(), 'POST /api/projects/desk/invitations', { role })) as {
    token: string
  }
  const { page, context } = await somebody(front.browser)
  const account = { name, email: `${name.toLowerCase().replaceAll(' ', '.')}@example.org`, password: PASSWORD }
  await ask(front, context, 'POST /api/links/join', { token, account })
  return page
}
