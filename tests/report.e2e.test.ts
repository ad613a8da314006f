// The report as a browser shows it: silent, self-sufficient, readable in light and dark, on a phone and printed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Report } from '#schema'
import { renderReport } from '#report'
import { executablePath, FAINT_TEXTS, hasBrowser, launchChromium } from './browser.ts'
import { fixtureReport } from './report-fixture.ts'
import { EMPTY_COLUMNS, POINT_INTERVALS } from './report-page.ts'

const folder = mkdtempSync(join(tmpdir(), 'hone-report-'))
let browser: Browser | undefined
let context: BrowserContext | undefined
const complaints: string[] = []
const requests: string[] = []

beforeAll(async () => {
  if (!executablePath) return
  browser = await launchChromium()
  context = await browser.newContext()
  context.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
  context.on('weberror', (error) => complaints.push(error.error().message))
  context.on('request', (request) => requests.push(request.url()))
})

afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Opens a report from a file, as a reader does. */
async function open(report: Report, name: string): Promise<{ page: Page; url: string }> {
  const file = join(folder, `${name}.html`)
  writeFileSync(file, renderReport(report))
  const page = await context!.newPage()
  const url = pathToFileURL(file).href
  complaints.length = 0
  requests.length = 0
  await page.goto(url, { timeout: 120_000 })
  return { page, url }
}

/** px at 96 to the inch, within the margins of the page. */
const A4_WIDTH = 695

const whole = Report.parse(fixtureReport())

test('opens from a file in light and dark: nothing in the console, no request but itself, every text legible', async (ctx) => {
  hasBrowser(ctx)
  const { page, url } = await open(whole, 'whole')
  const grounds: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    grounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'))
    const { faint, looked } = await page.evaluate<{ faint: string[]; looked: number }>(FAINT_TEXTS)
    expect(faint, colorScheme).toEqual([])
    expect(looked).toBeGreaterThan(500)
  }
  expect(new Set(grounds).size).toBe(2)
  expect(requests).toEqual([url])
  expect(complaints).toEqual([])
  await page.close()
})

test('no table has a column that says nothing, no number an interval that is a point; also not of real people', async (ctx) => {
  hasBrowser(ctx)
  const table = whole.protocol!.table!.map(({ name, judgements, accuracy }) => ({ name, judgements, accuracy }))
  const { world: _, ...people } = {
    ...whole,
    simulated: false,
    simulatedWho: [],
    protocol: { ...whole.protocol!, table },
  }
  for (const [name, report] of Object.entries({ simulated: whole, people })) {
    const { page } = await open(report, `columns-${name}`)
    expect(await page.evaluate(EMPTY_COLUMNS), name).toEqual([])
    expect(await page.evaluate(POINT_INTERVALS), name).toEqual([])
    expect(await page.locator('table').count()).toBeGreaterThan(10)
    expect(await page.locator('.whisker').count()).toBeGreaterThan(100)
    await page.close()
  }
})

test('never scrolls sideways, from a phone to a desk, whole or with steps missing or hostile', async (ctx) => {
  hasBrowser(ctx)
  const { rl: _, evaluation: __, ...partial } = whole
  const long = 'w'.repeat(3000)
  const hostile: Report = {
    ...whole,
    title: long,
    command: long,
    samples: [
      {
        prompt: long,
        completions: [
          { from: 'sft', text: `\u202e${long}` },
          { from: 'rl', text: 'ابج '.repeat(3000) },
        ],
      },
    ],
    evaluation: { ...whole.evaluation!, checkpoint: long, gates: [{ name: long, passed: false, evidence: long }] },
    lineage: { checkpoint: 'x', nodes: [{ id: 'x', kind: long, label: long, detail: long }], edges: [] },
  }
  for (const [name, report] of Object.entries({ whole, partial, hostile })) {
    const { page } = await open(report, name)
    for (const width of [320, 390, 820, 1280]) {
      await page.setViewportSize({ width, height: 844 })
      const across = await page.evaluate<number>('document.documentElement.scrollWidth')
      expect(across, `${name} at ${width}`).toBeLessThanOrEqual(width)
    }
    expect(complaints, name).toEqual([])
    await page.close()
  }
})

test('a sample that is an attack neither runs nor loads', async (ctx) => {
  hasBrowser(ctx)
  const attack = `</script><script>hacked=1</script><img src=x onerror="hacked=1"><svg onload=hacked=1><iframe src="javascript:hacked=1">`
  const samples = [{ prompt: attack, completions: [{ from: 'rl' as const, text: attack }] }]
  const { page, url } = await open({ ...whole, title: attack, samples }, 'attack')
  expect(await page.evaluate('[document.scripts.length, document.images.length, "hacked" in window]')).toEqual([
    1,
    0,
    false,
  ])
  expect(await page.textContent('.sample-prompt')).toBe(attack)
  expect(requests).toEqual([url])
  expect(complaints).toEqual([])
  await page.close()
})

test('pointing at a chart shows the numbers behind the nearest points', async (ctx) => {
  hasBrowser(ctx)
  const { page } = await open(whole, 'hover')
  await page.setViewportSize({ width: 1280, height: 900 })
  const chart = page.locator('#rl .full svg.w1056')
  await chart.scrollIntoViewIfNeeded()
  const box = (await chart.boundingBox())!
  await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2)
  const tip = page.locator('.tip')
  await expect.poll(() => tip.isVisible()).toBe(true)
  const text = (await tip.textContent())!
  expect(text).toMatch(/^step \d+ \u00b7 proxy: [\d.]+$/m)
  expect(text).toMatch(/^step \d+ \u00b7 KL: [\d.]+$/m)
  await page.mouse.move(2, 2)
  await expect.poll(() => tip.isVisible()).toBe(false)
  await page.close()
})

test('without scripts every point still says its number, and the page prints', async (ctx) => {
  hasBrowser(ctx)
  const { page } = await open(whole, 'print')
  await page.emulateMedia({ media: 'print' })
  await page.setViewportSize({ width: A4_WIDTH, height: 980 })
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(A4_WIDTH)
  const pdf = await page.pdf({ format: 'A4' })
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
  const still = await browser!.newContext({ javaScriptEnabled: false })
  const plain = await still.newPage()
  await plain.goto(page.url())
  expect(await plain.locator('#rl .w1056 .pt > title').count()).toBeGreaterThan(100)
  await still.close()
  await page.close()
})
