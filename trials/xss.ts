// npm run trials -- xss [PAYLOADS]: hostile texts in every free-text field of the API, and every page that shows them opened in
// Chromium with what is folded unfolded. None may run, none may become an element, none may even try (the content security
// policy has nothing to report). Says which texts each page showed, since a page that shows none proves nothing.
import { serve, type ServerType } from '@hono/node-server'
import type { BrowserContext, Page } from 'playwright-core'
import { launchChromium } from '../tests/browser.ts'
import { type ApiWorld, openApiWorld, PASSWORD } from './worlds/api.ts'
import { plantTexts, type Planted } from './worlds/hostile-texts.ts'
import { PAYLOADS } from './worlds/payloads.ts'

export type TriedXss = {
  fields: Planted['fields']
  /** Pages, and how many different texts each showed. */
  shown: Record<string, number>
  /** What ran, tried to, or became an element. */
  wrong: string[]
}

const WEB = new URL('../.hone/web', import.meta.url).pathname

/** Run in each page before anything else. */
const HOOK = `(() => {
  globalThis.__ran = []
  for (const name of ['alert', 'confirm', 'prompt']) globalThis[name] = (n) => globalThis.__ran.push('ran ' + n)
  document.addEventListener('securitypolicyviolation', (e) => globalThis.__ran.push('refused ' + e.violatedDirective + ' ' + e.sample))
})()`
/** Elements and addresses that no page of ours has. */
const FOUND = `[
  ...globalThis.__ran,
  ...[...document.querySelectorAll('script:not([src]), script[src^="data:"], iframe, object, embed, base, meta[http-equiv=refresh], marquee, video, math:not(.formula), math [href], maction, annotation-xml, template, noscript *')].map((e) => 'element ' + e.outerHTML.slice(0, 120)),
  ...[...document.querySelectorAll('*')].flatMap((e) => [...e.attributes].filter((a) => /^on/i.test(a.name) || (/^(href|src|action|formaction|xlink:href|data)$/i.test(a.name) && /^\\s*(javascript|vbscript|data:text)/i.test(a.value))).map((a) => 'attribute ' + e.tagName + ' ' + a.name + '=' + a.value.slice(0, 80)))
]`
/** What is shown to somebody, fields too. */
const TEXT = `[document.body.innerText, ...[...document.querySelectorAll('input, textarea, select, [title], [aria-label]')].map((e) => [e.value, e.title, e.getAttribute('aria-label')].join(' '))].join(' ')`

/** Where texts are formatted, as they are written, and compared, by these keys; the last one leads back. */
const VIEWED = /\/(judge|adjudicate)\//
const VIEWS = ['', 'm', 'd', 'd']

export async function tryXss(texts: readonly string[]): Promise<TriedXss> {
  const world = await openApiWorld({ isModelReal: false, web: WEB })
  let server: ServerType | undefined
  const browser = await launchChromium()
  try {
    const { fields, pages } = await plantTexts(world, texts)
    const url = await new Promise<string>((done) => {
      server = serve({ fetch: world.harness.server.app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
        done(`http://localhost:${port}`),
      )
    })
    const tried: TriedXss = { fields, shown: {}, wrong: [] }
    const contexts = new Map<string, BrowserContext>()
    for (const { path, as } of pages) {
      const context = contexts.get(as) ?? (await signIn(await browser.newContext(), { url, world, as }))
      contexts.set(as, context)
      const page = await context.newPage()
      page.on('pageerror', (error) => tried.wrong.push(`${path}: ${error.message}`))
      await page.addInitScript(HOOK)
      await page.goto(url + path)
      const marks = new Set<string>()
      const wrong = new Set<string>()
      for (let turn = 0; turn < (path.includes('/judge/') ? texts.length : 1); turn++) {
        if (turn > 0 && !(await nextTask(page))) break
        await unfold(page)
        for (const key of VIEWED.test(path) ? VIEWS : ['']) {
          if (key !== '') await page.keyboard.press(key)
          if (key !== '') await page.waitForTimeout(30)
          const text = await page.evaluate<string>(TEXT)
          for (const [mark] of text.matchAll(/\bx\d+\b/g)) marks.add(mark)
          for (const found of await page.evaluate<string[]>(FOUND)) wrong.add(`${path}: ${found}`)
        }
      }
      tried.wrong.push(...wrong)
      const screen = path.replaceAll(/[0-9a-f-]{36}|\d+$|#.*/g, '*')
      tried.shown[screen] = Math.max(marks.size, tried.shown[screen] ?? 0)
      await page.close()
    }
    return tried
  } finally {
    await browser.close()
    server?.close()
    if (server && 'closeAllConnections' in server) server.closeAllConnections()
    await world.close()
  }
}

async function signIn(
  context: BrowserContext,
  { url, world, as }: { url: string; world: ApiWorld; as: Planted['pages'][number]['as'] },
): Promise<BrowserContext> {
  context.setDefaultTimeout(240_000)
  if (as === 'nobody') return context
  const { status } = await context.request
    .post(`${url}/api/session`, {
      headers: { origin: url, 'sec-fetch-site': 'same-origin' },
      data: { email: world.people[as].email, password: PASSWORD },
    })
    .then((answer) => ({ status: answer.status() }))
  if (status !== 200) throw new Error(`could not sign in as ${as}: ${status}`)
  return context
}

/** Until all has come; then whatever can be opened is. */
async function unfold(page: Page): Promise<void> {
  await page.locator('main').first().waitFor()
  await settled(page)
  for (const button of await page
    .locator('main button[aria-expanded=false]:enabled')
    .all()
    .then((all) => all.slice(0, 12)))
    await button.click({ timeout: 5000 }).catch(() => {})
  await page.evaluate(`for (const e of document.querySelectorAll('details')) e.open = true`)
  await settled(page)
  await page.waitForTimeout(50)
}

/** Nothing loads any more. Asked from outside, since pages here allow no evaluation of texts. */
async function settled(page: Page): Promise<void> {
  while (await page.evaluate<boolean>(`document.querySelector('.loading') !== null`)) await page.waitForTimeout(20)
}

/** Answers what is on the screen by keyboard; false: nothing is. */
async function nextTask(page: Page): Promise<boolean> {
  const answer = page.getByRole('radio', { name: /Cannot judge/ })
  if ((await answer.count()) === 0) return false
  await page.keyboard.press('x')
  await page.keyboard.press('Control+Enter')
  await page.waitForTimeout(100)
  return true
}

if (process.argv[1] === import.meta.filename) {
  const start = performance.now()
  const texts = PAYLOADS.slice(0, Number(process.argv[2] ?? PAYLOADS.length))
  const { fields, shown, wrong } = await tryXss(texts)
  console.table(fields)
  console.table(shown)
  for (const line of wrong.slice(0, 20)) console.log(line)
  console.log({
    payloads: texts.length,
    fields: Object.keys(fields).length,
    pages: Object.keys(shown).length,
    wrong: wrong.length,
    seconds: Math.round((performance.now() - start) / 1000),
  })
  process.exit(wrong.length === 0 ? 0 : 1)
}
