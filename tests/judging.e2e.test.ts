// The judging screen as each person has it, in Chromium, by keyboard: texts formatted, as written and compared, scrolled
// together, other keys, stretches marked with a reason, and what becomes of what is skipped.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight, somebody } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const front = openFront()
let lead: Page
let page: Page
let campaign: string

const lines = (word: string) => Array.from({ length: 60 }, (_, i) => `${word} ${i + 1} of a long answer.`).join('\n\n')
const code =
  '```ts\nconst total = items.reduce((sum, { price }) => sum + price, 0) // over every item of the order, taxes included\n```'
/** The first is judged first: order and sides are drawn by the seed, and both sides are checked. */
const rows = [
  {
    item: 'formatted',
    prompt: 'Explain **variance** to a customer, with a formula and a table.',
    a: `# Variance\r\n\r\nThe *spread* 😀 around the mean: $\\sigma^2 = \\frac{1}{n}\\sum_{i=1}^{n}(x_i-\\mu)^2$ costs $20.\r\n\r\n| month | parcels |\r\n|:--|--:|\r\n| May | 12 |\r\n\r\n${code}\r\n\r\n${lines('Left')}`,
    b: `The spread is [explained here](https://example.org/variance), not [here](javascript:alert(1)).\n\n![chart](https://example.org/chart.png) <b>bold</b>\n\n- one\n- two\n\n${lines('Other')}${lines('And')}`,
  },
  ...Array.from({ length: 3 }, (_, i) => ({
    item: `plain-${i}`,
    prompt: `Where is parcel ${i}?`,
    a: `It arrives on Friday, and we pay ${i + 1} back.`,
    b: `It arrives on Monday, and we pay ${i + 1} back.`,
  })),
]

const open = async (): Promise<void> => {
  await page.goto(`${front.served.url}/p/desk/judge/${campaign}`)
  await page.getByRole('group', { name: 'How texts are shown' }).waitFor()
}
const side = (name: string) => page.getByRole('region', { name, exact: true })
/** The side on which the formatted answer stands. */
const ofA = async (): Promise<'Left' | 'Right'> =>
  (await side('Left').textContent())?.includes('Variance') === true ? 'Left' : 'Right'
/** Until the first row is at hand. */
const untilFormatted = async (): Promise<void> => {
  for (let i = 0; i < rows.length; i++) {
    if ((await page.getByRole('region', { name: 'Prompt' }).textContent())?.includes('variance') === true) return
    const before = await page.getByRole('region', { name: 'Prompt' }).textContent()
    await page.keyboard.press('s')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('region', { name: 'Prompt' }).textContent()).not.toBe(before)
  }
}

test('prompt and answers are formatted; a key shows them as they are written, and that stays with the person', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/texts?kind=comparisons', file)
  const body = { name: 'Texts', dataset: 'texts', overlap: 2, seed: 1, skipPolicy: 'back-to-me' }
  campaign = ((await ask(front, lead.context(), 'POST /api/projects/desk/campaigns', body)) as { id: string }).id
  page = await joinAs(front, lead, 'annotator', 'Ann Berg')
  await page.goto(`${front.served.url}/p/desk/judge/${campaign}`)
  await page.getByRole('button', { name: 'I have read it' }).press('Enter')
  await untilFormatted()
  await page.locator('math.formula').waitFor()
  const a = side(await ofA())
  const b = side((await ofA()) === 'Left' ? 'Right' : 'Left')
  expect(await a.locator('h3').textContent()).toBe('Variance')
  expect(await a.locator('table td').allTextContents()).toEqual(['May', '12'])
  expect(await a.locator('pre code').textContent()).toContain('items.reduce')
  expect(await a.textContent()).toContain('costs $20')
  expect(await page.getByRole('region', { name: 'Prompt' }).locator('strong').textContent()).toBe('variance')
  const links = await b
    .locator('a')
    .evaluateAll((all) => (all as { outerHTML: string }[]).map(({ outerHTML }) => outerHTML))
  expect(links).toHaveLength(1)
  expect(links[0]).toContain('rel="noopener noreferrer nofollow"')
  expect(await page.locator('main img, main b').count()).toBe(0)
  expect(await b.textContent()).toContain('![chart](https://example.org/chart.png) <b>bold</b>')
  await looksRight(page, 'judging-formatted')

  const kept = page.waitForResponse((response) => response.url().endsWith('/me/settings') && response.ok())
  await page.keyboard.press('m')
  await a.getByText('# Variance').waitFor()
  expect(await page.locator('math').count()).toBe(0)
  await kept
  await open()
  await a.getByText('# Variance').waitFor()
  await looksRight(page, 'judging-written')
})

test('the words that differ are marked alike on both sides, by a key', async (ctx) => {
  hasBrowser(ctx)
  await page.keyboard.press('d')
  await page.locator('.differing mark').first().waitFor()
  const marked = async (name: string) => (await side(name).locator('mark').allTextContents()).join(' ')
  expect(await marked(await ofA())).toContain('Variance')
  expect(await page.getByText('Not all of it is compared').count()).toBe(0)
  await looksRight(page, 'judging-differences')
  await page.keyboard.press('d')
  await page.locator('math.formula').waitFor()
})

test('two long answers scroll together by their shares, until a key parts them; stacked, each is shown whole', async (ctx) => {
  hasBrowser(ctx)
  await page.setViewportSize({ width: 1280, height: 850 })
  const share = (name: string) =>
    page.locator(`[data-side=${name}]`).evaluate((e) => {
      const { scrollTop, scrollHeight, clientHeight } = e as unknown as Record<string, number>
      return scrollTop! / (scrollHeight! - clientHeight!)
    })
  const left = page.getByRole('group', { name: 'Left, scrolls' })
  await left.focus()
  await page.keyboard.press('End')
  await expect.poll(() => share('right')).toBeGreaterThan(0.99)
  // The other one leads as well, and nothing swings back.
  await page.getByRole('group', { name: 'Right, scrolls' }).focus()
  await page.keyboard.press('Home')
  await expect.poll(() => share('left')).toBeLessThan(0.01)
  for (let i = 0; i < 6; i++) await page.keyboard.press('PageDown')
  await expect.poll(() => share('right')).toBeGreaterThan(0.05)
  let last = -1
  const isStill = async () => last === (last = await share('right'))
  await expect.poll(isStill, { interval: 200 }).toBe(true)
  expect(Math.abs((await share('left')) - (await share('right')))).toBeLessThan(0.02)

  await page.keyboard.press('y')
  await page.getByRole('button', { name: 'Scroll together', pressed: false }).waitFor()
  const before = await share('left')
  await page.keyboard.press('End')
  await expect.poll(() => share('right')).toBeGreaterThan(0.99)
  expect(await share('left')).toBe(before)
  await page.setViewportSize({ width: 390, height: 850 })
  await expect.poll(() => page.getByRole('group', { name: 'Left, scrolls' }).count()).toBe(0)
  await page.setViewportSize({ width: 1280, height: 850 })
})

test('stretches are marked by keyboard in the text as it is written, with a reason, and kept over a reload', async (ctx) => {
  hasBrowser(ctx)
  const a = await ofA()
  await page.keyboard.press('h')
  const sheet = page.getByRole('dialog', { name: 'Highlight' })
  await sheet.waitFor()
  await sheet.getByRole('radio', { name: a }).check()
  await sheet.getByLabel('Select what you mean').focus()
  await page.keyboard.press('Control+Home')
  // Over a line end that is two code units, and up to a character that is two.
  for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowDown')
  for (let i = 0; i < 'The *spread* '.length; i++) await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Shift+ArrowRight')
  await sheet.getByText('Selected: 😀').waitFor()
  await sheet.getByLabel('Why?').fill('no place for this <b>')
  await looksRight(page, 'judging-highlight')
  const saved = page.waitForResponse((response) => response.url().endsWith('/draft') && response.ok())
  await page.keyboard.press('Enter')
  await saved
  const marks = page.getByRole('list', { name: 'Highlights' })
  expect(await marks.textContent()).toContain('no place for this <b>')
  await page.reload()
  await marks.waitFor()
  // Selected with the mouse in the text as it is written, it is picked already.
  await page.keyboard.press('m')
  expect(await side(a).locator('mark').allTextContents()).toEqual(['😀'])
  await side(a).locator('mark').dblclick()
  await page.keyboard.press('h')
  await sheet.getByText(/Selected: .*😀/).waitFor()
  await page.keyboard.press('Escape')
  await looksRight(page, 'judging-marked')
  await page.keyboard.press('m')
})

test('keys are chosen in fields, exchanged and never doubled, shown where they are used, and reset', async (ctx) => {
  hasBrowser(ctx)
  await page.keyboard.press('?')
  await page.getByRole('link', { name: 'Choose other keys' }).click()
  const field = (name: string) => page.getByRole('textbox', { name, exact: true })
  await field('Skip').press('k')
  await page.getByText('Skip is k now.').waitFor()
  await field('Left much better').press('9')
  await page.getByText('Left much better is 9 now, and Right much better 1.').waitFor()
  await field('Flag for the lead').press(' ')
  await page.getByText('Space cannot be chosen').waitFor()
  await looksRight(page, 'judging-keys')
  await open()
  await page.keyboard.press('s')
  expect(await page.getByRole('dialog').count()).toBe(0)
  await page.keyboard.press('9')
  expect(await page.locator('.chosen').textContent()).toBe('Left much better')
  expect(await page.locator('.place kbd').allTextContents()).toEqual(['9', '2', '3', '4', '5', '6', '7', '8', '1'])
  await page.keyboard.press('?')
  const sheet = page.getByRole('dialog', { name: 'Shortcuts' })
  expect(await sheet.locator('div', { hasText: /^kSkip$/ }).count()).toBe(1)
  await looksRight(page, 'judging-shortcuts')
  await page.keyboard.press('Escape')
  // While somebody types, no key does anything but write.
  await page.getByLabel('Reason').fill('')
  await page.getByLabel('Reason').pressSequentially('k9mdyh')
  expect(await page.getByRole('dialog').count()).toBe(0)
  expect(await page.locator('.chosen').textContent()).toBe('Left much better')
  await page.getByLabel('Reason').fill('')
  await page.keyboard.press('Escape')

  await page.goto(`${front.served.url}/me`)
  await page.getByRole('button', { name: 'Keys as they come' }).click()
  await page.getByText('All keys are as they come.').waitFor()
  expect(await field('Skip').inputValue()).toBe('s')
})

test('who settles the pair sees what was marked and why, on their own sides', async (ctx) => {
  hasBrowser(ctx)
  await open()
  await untilFormatted()
  const isLeft = (await ofA()) === 'Left'
  await page.keyboard.press(isLeft ? '1' : '9')
  await page.keyboard.press('Enter')
  await page.getByText('1 answer by you').waitFor()
  const other = await joinAs(front, lead, 'annotator', 'Bo Lind')
  await ask(front, other.context(), `PUT /api/projects/desk/campaigns/${campaign}/guideline-read`)
  const asOther = (path: string, body?: unknown) =>
    ask(front, other.context(), `POST /api/projects/desk/campaigns/${campaign}${path}`, body)
  type Work = { task: { id: string; prompt: string; left: string } | null }
  for (let work = (await asOther('/claim')) as Work; work.task; ) {
    const { id, prompt, left } = work.task
    const answer = { key: crypto.randomUUID(), strength: 4, activeSeconds: 1 }
    // About the formatted one, the opposite.
    const choice = left.includes('# Variance') ? 'right' : 'left'
    work = (await asOther(`/items/${id}/judgement`, { ...answer, choice })) as Work
    if (prompt.includes('variance')) break
  }
  const reviewer = await joinAs(front, lead, 'reviewer', 'Rae Moor')
  await reviewer.goto(`${front.served.url}/p/desk/adjudicate/${campaign}`)
  await reviewer.getByText('Which of the two is better?').first().waitFor()
  expect(await reviewer.getByText('no place for this').count()).toBe(0)
  await reviewer.keyboard.press('5')
  await reviewer.keyboard.press('Enter')
  const marks = reviewer.getByRole('list', { name: 'Highlights' })
  await marks.getByText('no place for this <b>').waitFor()
  await reviewer.keyboard.press('m')
  expect(await reviewer.locator('.side mark').allTextContents()).toEqual(['😀'])
  await looksRight(reviewer, 'judging-settled')
})

test('the time that somebody was active goes on over a reload and on another device, and ends with the answer', async (ctx) => {
  hasBrowser(ctx)
  const person = await joinAs(front, lead, 'annotator', 'Cy Wolf')
  await ask(front, person.context(), `PUT /api/projects/desk/campaigns/${campaign}/guideline-read`)
  const enter = async (on: Page): Promise<void> => {
    await on.goto(`${front.served.url}/p/desk/judge/${campaign}`)
    await on.getByRole('group', { name: 'How texts are shown' }).waitFor()
  }
  /** Submits and answers the seconds that were sent. */
  const submitted = async (on: Page): Promise<number> => {
    const sent = on.waitForRequest((request) => request.url().endsWith('/judgement'))
    await on.keyboard.press('Enter')
    return ((await sent).postDataJSON() as { activeSeconds: number }).activeSeconds
  }
  const saved = () => person.waitForRequest((request) => request.url().endsWith('/draft'))
  await enter(person)
  await person.waitForTimeout(3000)
  await person.reload()
  await enter(person)
  const draft = saved()
  await person.keyboard.press('2')
  const { activeSeconds } = (await draft).postDataJSON() as { activeSeconds: number }
  expect(activeSeconds).toBeGreaterThan(3)
  // Another device has what the draft brought; the first has gone on from there.
  const { page: other, context } = await somebody(front.browser)
  await context.addCookies(await person.context().cookies())
  await enter(other)
  await other.locator('.chosen').waitFor()
  await person.waitForTimeout(1500)
  expect(await submitted(other)).toBeGreaterThanOrEqual(activeSeconds)
  await other.getByText('1 answer by you').waitFor()
  await other.keyboard.press('2')
  expect(await submitted(other)).toBeLessThan(3)
  await other.getByText('2 answers by you').waitFor()
  const kept = await other.evaluate<string[]>('Object.keys(sessionStorage)')
  expect(kept.filter((place) => place.startsWith('hone.active.')).length).toBeLessThanOrEqual(1)
  await context.close()
})

test('what a campaign does with what is skipped is chosen with it, said on its page and where one skips', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(`${front.served.url}/p/desk/campaigns`)
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('Name').fill('Dropped')
  await lead.getByLabel('What somebody skips').selectOption('is put to nobody more')
  await looksRight(lead, 'judging-new-campaign')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByText('what somebody skips is put to nobody more').waitFor()
  const dropped = lead.url().split('/').at(-1)!
  await page.goto(`${front.served.url}/p/desk/judge/${dropped}`)
  await page.getByRole('group', { name: 'How texts are shown' }).waitFor()
  await page.keyboard.press('s')
  await page.getByText('Nobody more is asked about it.').waitFor()
  const skipped = page.waitForResponse((response) => response.url().endsWith('/skip') && response.ok())
  await page.keyboard.press('Enter')
  await skipped
  await lead.reload()
  await lead.getByText('1 pair dropped').waitFor()
  await open()
  await page.keyboard.press('s')
  await page.getByText('it comes back to you when nothing else is left').waitFor()
  await page.keyboard.press('Escape')
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
})
