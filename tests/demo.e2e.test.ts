// hone demo as people meet it, far smaller: the quickstart runs once, the link leads in, and every screen has something to
// show and says that it is simulated. The same command opens it again without running anything.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { complaints, hasBrowser, launchChromium, looksRight, somebody } from './browser.ts'

const HONE = resolve(import.meta.dirname, '../scripts/hone.mjs')
/** A small quickstart, on a machine with other work. */
const PATIENCE_MS = 1_800_000
const folder = fs.mkdtempSync(join(tmpdir(), 'hone-demo-'))
const dir = join(folder, 'demo')
const children = new Set<ChildProcess>()
let browser: Browser | undefined
afterAll(async () => {
  await browser?.close()
  for (const child of children) child.kill('SIGKILL')
  fs.rmSync(folder, { recursive: true, force: true })
})

type Opened = { url: string; link: string | undefined; words: () => string; stop(): Promise<number | null> }

async function open(): Promise<Opened> {
  const child = spawn(process.execPath, [HONE, 'demo', '--dir', dir, '--scale', '0.01', '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let words = ''
  child.stderr.on('data', (piece: Buffer) => (words += piece.toString()))
  const closed = once(child, 'close').then(([code]) => {
    children.delete(child)
    return code as number | null
  })
  const first = await Promise.race([
    new Promise<string>((done) => createInterface(child.stdout).once('line', done)),
    closed.then((code) => Promise.reject(new Error(`hone demo ended with ${code}: ${words}`))),
  ])
  const { url, link } = JSON.parse(first) as { url: string; link?: string }
  return {
    url,
    link,
    words: () => words,
    stop() {
      child.kill('SIGINT')
      return closed
    },
  }
}

test(
  'a small demo fills every screen, says on each that it is simulated, and opens again at once',
  async (ctx) => {
    hasBrowser(ctx)
    const opened = await open()
    expect(opened.words()).toContain('1 of 7')
    browser = await launchChromium()
    const { page } = await somebody(browser)
    await page.goto(opened.link!)
    await page.getByText('Simulated: everybody here but you').waitFor()
    await page.getByLabel('Your name').fill('Vera Gast')
    await page.getByLabel('E-mail address').fill('vera@example.org')
    await page.getByLabel('Password').fill('a long enough sentence')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Customer service (simulated)', level: 1 }).waitFor()
    await page.getByRole('list', { name: 'The loop' }).waitFor()
    await looksRight(page, 'demo-home')
    for (const [screen, shows] of [
      ['Guideline', /How to judge/],
      ['Datasets', /first-pairs/],
      ['Samples', /Draw samples/],
      ['Campaigns', /First round \(simulated people\)/],
      ['Evaluations', /evaluation\.json/],
      ['Releases', /desk/],
      ['Lineage', /Releases/],
      ['People', /Simulated annotator/],
      ['Audit', /demo\.fill/],
    ] as const) {
      await page.getByRole('navigation').getByRole('link', { name: screen, exact: true }).click()
      await page.getByRole('main').getByText(shows).first().waitFor()
      expect(await page.getByText('Simulated: everybody here but you').count(), screen).toBe(1)
    }
    await page.getByRole('link', { name: 'Campaigns' }).click()
    await page.getByRole('link', { name: /First round/ }).click()
    await page.getByRole('rowheader', { name: /Krippendorff/ }).waitFor()
    await page.getByRole('region', { name: 'Agreement by stratum' }).getByRole('rowheader').first().waitFor()
    await looksRight(page, 'demo-campaign')
    await page.getByRole('link', { name: 'Releases' }).click()
    await page.getByRole('link', { name: 'what it came from' }).click()
    const picture = page.getByRole('group', { name: 'Picture of what came from what' })
    for (const name of [/^objective/, /^guideline/, /^run runs\/reward/, /^run runs\/ppo$/, /^dataset judgements@/])
      await picture.getByRole('link', { name }).first().waitFor()
    await looksRight(page, 'demo-lineage')
    expect(await opened.stop()).toBe(0)

    const again = await open()
    expect(again.words()).not.toContain('1 of 7')
    expect(again.link).toBeUndefined()
    const state = (await (await fetch(`${again.url}/api/state`)).json()) as { isDemo: boolean }
    expect(state.isDemo).toBe(true)
    expect(await again.stop()).toBe(0)
    expect(complaints).toEqual([])
  },
  PATIENCE_MS,
)
