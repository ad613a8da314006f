// The browser of end-to-end tests: Debian's Chromium or what CHROMIUM names; where there is none the tests say so and skip.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Its path; undefined where there is none. */
function findChromium(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  const folders = (process.env.PATH ?? '').split(delimiter)
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file))
}

export const executablePath = findChromium()

/** A launch makes itself a fresh profile folder and removes it at the end. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath!, headless: true, args: ARGUMENTS })
}

export const hasBrowser = (ctx: { skip: (note: string) => void }) => {
  if (!executablePath) ctx.skip('needs Chromium: set CHROMIUM to its path, or apt-get install chromium')
}

/**
 * Run in the page: texts whose colour stands too little out from their ground, by WCAG AA: 4.5, or 3 from 24 px on.
 * As text, since the DOM's types are not those of this program.
 */
export const FAINT_TEXTS = String.raw`(() => {
  const rgb = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = ([r, g, b]) => {
    const [lr, lg, lb] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * lr + 0.7152 * lg + 0.0722 * lb
  }
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, a = 1] = rgb(getComputedStyle(e).backgroundColor)
      if (a > 0.5) return [r, g, b]
    }
    return [255, 255, 255]
  }
  const faint = []
  let looked = 0
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== '')
    // What is not rendered has no box; step numbers are decoration beside their heading.
    if (!own || element.tagName === 'title' || element.getClientRects().length === 0 || element.closest('[aria-hidden]')) continue
    looked++
    const style = getComputedStyle(element)
    const colours = [rgb(element instanceof SVGElement ? style.fill : style.color), ground(element)].map(luminance)
    const ratio = (Math.max(...colours) + 0.05) / (Math.min(...colours) + 0.05)
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5))
      faint.push(ratio.toFixed(2) + ' ' + element.tagName + ' ' + element.getAttribute('class') + ': ' + element.textContent.slice(0, 40))
  }
  return { faint, looked }
})()`

/** Run in the page: headings that stand far higher than wide, for want of room. */
const SQUEEZED_HEADINGS = `[...document.querySelectorAll('h1, h2, h3')].flatMap((heading) => {
  const { width, height } = heading.getBoundingClientRect()
  return !heading.closest('.unseen') && width > 0 && height > 3 * width ? [heading.textContent] : []
})`

/** What browsers of `somebody` had to say: it should be nothing. */
export const complaints: string[] = []

/** A browser context of its own: another person. */
export async function somebody(browser: Browser): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 850 } })
  context.setDefaultTimeout(120_000)
  // A refused request is logged by the browser itself; what the page says about it is tested where it matters.
  context.on('console', (message) => {
    if (!/Failed to load resource/.test(message.text())) complaints.push(`${message.type()}: ${message.text()}`)
  })
  context.on('weberror', (error) => complaints.push(error.error().message))
  return { context, page: await context.newPage() }
}

/** Legible in light and dark, and never scrolling sideways from a phone to a desk; pictures of all where HONE_PICTURES names a folder. */
export async function looksRight(page: Page, name: string): Promise<void> {
  const pictures = process.env.HONE_PICTURES
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    // What fits in light fits in dark.
    for (const width of colorScheme === 'light' || pictures ? WIDTHS : []) {
      await page.setViewportSize({ width, height: 850 })
      expect(await page.evaluate('document.documentElement.scrollWidth'), `${name} at ${width}`).toBeLessThanOrEqual(
        width,
      )
      expect(await page.evaluate(SQUEEZED_HEADINGS), `${name} at ${width}`).toEqual([])
      if (pictures) await page.screenshot({ path: `${pictures}/${name}-${width}-${colorScheme}.png`, fullPage: true })
    }
    const { faint, looked } = await page.evaluate<{ faint: string[]; looked: number }>(FAINT_TEXTS)
    expect(faint, `${name}, ${colorScheme}`).toEqual([])
    expect(looked).toBeGreaterThan(2)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}
/** A phone, a tablet, a desk, where it ends. */
const WIDTHS = [390, 768, 1280]
