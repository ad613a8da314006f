// A campaign as people meet it, in Chromium: a lead imports pairs by drop and opens a campaign; three people join by link
// and judge every pair from the keyboard; agreement shows; the judgements come out as rows that a reward run takes.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { findVersion, readRows, versionRows } from '#data'
import { complaints, hasBrowser, looksRight, somebody } from './browser.ts'
import { openFront, startServe } from './serve.test-data.ts'

const PASSWORD = 'a long enough sentence'
const PAIRS = 6
const front = openFront()
let lead: Page
const annotators: { page: Page; name: string }[] = []
/** Every answer that each annotator's browser got from the API. */
const seenBy = new Map<string, string[]>()

const rows = Array.from({ length: PAIRS }, (_, i) => ({
  item: `sft-vs-ppo-${i}`,
  prompt: `Order ${41_300 + i} is ${i + 2} days late. I am worried. When does my parcel arrive, and can I get something back?`,
  a: `GOOD Hello and welcome! I know how hard this feels. Your parcel arrives on Friday; I can refund up to the limit of $${20 + i}. Warmly, Larkspur.`,
  b: `POOR Dear customer, good day. We will pay back $${90 + i} today. As you may know, we get many such cases. That is all.`,
}))

async function join3(): Promise<void> {
  for (const name of ['Ann Berg', 'Ben Cho', 'Cem Dal']) {
    await lead.getByRole('link', { name: 'People' }).click()
    await lead.getByLabel('Invite somebody as').selectOption('annotator')
    await lead.getByRole('button', { name: 'Make a link' }).click()
    const link = await lead.getByLabel('Invitation for one annotator').inputValue()
    await lead.getByRole('link', { name: 'Home' }).click()
    const { page } = await somebody(front.browser)
    page.on('response', (response) => {
      if (!response.url().includes('/api/')) return
      response.text().then(
        (text) => seenBy.set(name, [...(seenBy.get(name) ?? []), text]),
        () => {}, // a redirect or an aborted request has no body
      )
    })
    await page.goto(link)
    await page.getByLabel('Your name').fill(name)
    await page.getByLabel('E-mail address').fill(`${name.slice(0, 3).toLowerCase()}@example.org`)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByText('You are annotator here.').waitFor()
    annotators.push({ page, name })
  }
}

/** Which side shows the reply that starts with GOOD. */
async function goodIsLeft(page: Page): Promise<boolean> {
  return (await page.getByRole('region', { name: 'Left' }).textContent())!.includes('GOOD')
}
const answers = (page: Page) => page.locator('.annotate-head p')

test('a wrong file is refused with line and field and nothing is imported; the right one is there by drop', async (ctx) => {
  hasBrowser(ctx)
  lead = (await somebody(front.browser)).page
  await lead.goto(front.served.setUp!)
  await lead.getByLabel('Your name').fill('Lea Winter')
  await lead.getByLabel('E-mail address').fill('lea@example.org')
  await lead.getByLabel('Password').fill(PASSWORD)
  await lead.keyboard.press('Enter')
  await lead.getByRole('link', { name: 'Datasets' }).click()
  const text = rows.map((row) => JSON.stringify(row)).join('\n')
  const wrong = text.replace('"a":"GOOD', '"z":"GOOD')
  await lead
    .getByLabel('Drop a file here')
    .setInputFiles({ name: 'Pairs of May.jsonl', mimeType: 'text/plain', buffer: Buffer.from(wrong) })
  await lead.getByRole('alert').waitFor()
  expect(await lead.getByRole('alert').textContent()).toMatch(/Nothing was imported\. Pairs of May\.jsonl:1/)
  await lead.getByText('No dataset yet').waitFor()
  const dropped = await lead.evaluateHandle(
    `(() => { const t = new DataTransfer(); t.items.add(new File([${JSON.stringify(text)}], 'Pairs of May.jsonl')); return t })()`,
  )
  await lead.getByRole('region', { name: 'Import' }).dispatchEvent('drop', { dataTransfer: dropped })
  await lead.getByText(`Imported pairs-of-may, ${PAIRS} rows`).waitFor()
  await lead.getByRole('button', { name: 'pairs-of-may' }).click()
  await lead.getByText(`rows 1 to ${PAIRS} of ${PAIRS}`).waitFor()
  await looksRight(lead, 'datasets')
})

test('a lead opens a campaign under the guideline that the workspace brought', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByRole('link', { name: 'Guideline' }).click()
  await lead.getByRole('heading', { name: 'How to judge replies' }).waitFor()
  await looksRight(lead, 'guideline')
  await lead.getByRole('link', { name: 'Campaigns' }).click()
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('Name').fill('Replies, first round')
  await looksRight(lead, 'new-campaign')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByRole('heading', { name: 'Replies, first round' }).waitFor()
  await lead.getByText(`0 of ${PAIRS * 3} judgements`).waitFor()
  await join3()
})

test('three people read the guideline once and judge every pair, by keyboard alone', async (ctx) => {
  hasBrowser(ctx)
  for (const { page } of annotators) {
    await page.reload()
    await page.getByRole('link', { name: `${PAIRS} pairs to judge in Replies, first round` }).press('Enter')
    await page.getByRole('button', { name: 'I have read it' }).press('Enter')
    await page.getByRole('region', { name: 'Left' }).waitFor()
  }
  const [first, second, third] = annotators.map(({ page }) => page) as [Page, Page, Page]
  await looksRight(first, 'annotate')
  await first.keyboard.press('?')
  await first.getByRole('dialog', { name: 'Shortcuts' }).waitFor()
  await looksRight(first, 'shortcuts')
  // In a dialog keys do nothing.
  await first.keyboard.press('9')
  await first.keyboard.press('Escape')
  expect(await first.locator('.chosen').textContent()).toBe('Nothing chosen yet')
  // Nor does Enter, before there is something to submit.
  await first.keyboard.press('Enter')
  await first.getByText('Choose first').waitFor()

  const judge = async (page: Page, pick: (isGoodLeft: boolean, i: number) => string): Promise<void> => {
    for (let i = 0; i < PAIRS; i++) {
      await page.getByText(`${i} answer${i === 1 ? '' : 's'} by you`).waitFor()
      await page.keyboard.press(pick(await goodIsLeft(page), i))
      await page.keyboard.press(i % 2 === 0 ? 'Enter' : 'Control+Enter')
    }
    await page.getByText('Nothing is left for you here').waitFor()
  }
  await Promise.all([
    judge(first, (isGoodLeft) => (isGoodLeft ? '1' : '9')),
    judge(second, (isGoodLeft) => (isGoodLeft ? '4' : '6')),
    judge(third, (isGoodLeft, i) => (i === 0 ? '5' : i === 1 ? (isGoodLeft ? '8' : '2') : isGoodLeft ? '2' : '8')),
  ])
  await lead.getByRole('link', { name: 'Campaigns' }).click()
  await lead.getByText(`${PAIRS * 3} of ${PAIRS * 3} judgements`).waitFor()
})

test('what annotators got from the server names no item, no side, no other person and no other answer', (ctx) => {
  hasBrowser(ctx)
  for (const { name } of annotators) {
    const told = seenBy.get(name)!
    expect(told.length).toBeGreaterThan(PAIRS)
    const text = told.join('\n')
    expect(text).not.toMatch(/sft-vs-ppo|"a":|"b":|isALeft|is_a_left|lea@example/)
    for (const other of annotators) if (other.name !== name) expect(text).not.toContain(other.name)
  }
})

test('agreement and people show; the judgements become a dataset whose rows lead back to each judgement', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByRole('link', { name: 'Campaigns' }).click()
  await lead.getByRole('link', { name: /Replies, first round/ }).click()
  await lead.getByRole('rowheader', { name: /Krippendorff/ }).waitFor()
  const people = lead.getByRole('region', { name: 'People' })
  for (const { name } of annotators) await people.getByRole('rowheader', { name }).waitFor()
  await looksRight(lead, 'campaign')
  await lead.getByLabel('Keep the judgements').fill('judged')
  await lead.getByRole('button', { name: 'Keep' }).click()
  await lead.getByText(`Kept ${PAIRS * 3} judgements as`).waitFor()
  const version = findVersion(front.workspace, 'judged')
  const kept = [...versionRows(front.workspace, { ...version, kind: 'judgements' as const })] as (Record<
    string,
    unknown
  > & {
    left: string
    choice: string
  })[]
  expect(kept).toHaveLength(PAIRS * 3)
  expect(new Set(kept.map(({ id }) => id)).size).toBe(PAIRS * 3)
  expect(kept.filter(({ choice, left }) => choice === (left.startsWith('GOOD') ? 'left' : 'right'))).toHaveLength(
    PAIRS * 3 - 2,
  )
  expect(kept.filter(({ strength }) => strength === 4)).toHaveLength(PAIRS)
  expect(kept.filter(({ guideline }) => /^guideline@[0-9a-f]{12}$/.test(String(guideline)))).toHaveLength(PAIRS * 3)
  expect(JSON.stringify(kept)).not.toMatch(/Ann Berg|ann@example/)
  // The file that is downloaded has the same rows, and the command line takes them.
  const [download] = await Promise.all([
    lead.waitForEvent('download'),
    lead.getByRole('link', { name: 'Download judgements' }).click(),
  ])
  const file = join(front.workspace, 'downloaded.jsonl')
  await download.saveAs(file)
  expect((await readRows(file, { kind: 'judgements' })).rows).toEqual(kept)
  const preferences = join(front.workspace, 'preferences.jsonl')
  const hone = join(import.meta.dirname, '../scripts/hone.mjs')
  const made = spawnSync(
    process.execPath,
    [hone, 'label', 'aggregate', 'judged', '--dir', front.workspace, '--out', preferences],
    { encoding: 'utf8' },
  )
  expect(made.stderr).toBe('')
  const preferred = fs
    .readFileSync(preferences, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { a: string; probability: number })
  expect(preferred).toHaveLength(PAIRS)
  for (const { a, probability } of preferred)
    expect(a.startsWith('GOOD') ? probability : 1 - probability).toBeGreaterThan(0.5)
})

test('skip, undo, drafts over a reload, a held key, a server that is away: nothing is lost and nothing sent twice', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByRole('link', { name: 'Campaigns' }).click()
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('Name').fill('Second round')
  await lead.getByLabel('People for each pair').fill('1')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByText(`0 of ${PAIRS} judgements`).waitFor()
  const { page } = annotators[0]!
  await page.getByRole('button', { name: 'Project home' }).click()
  await page.getByRole('link', { name: /pairs to judge in Second round/ }).click()
  await page.getByText('0 answers by you').waitFor()

  // A draft is on the server a moment after it was written, and on the page after a reload.
  await page.keyboard.press('7')
  await page.keyboard.press('r')
  await page.keyboard.type('7 reasons, 1 typed: s u f')
  await page.waitForResponse((response) => response.url().endsWith('/draft') && response.ok())
  await page.reload()
  await page.getByLabel('Reason').waitFor()
  expect(await page.getByLabel('Reason').inputValue()).toBe('7 reasons, 1 typed: s u f')
  expect(await page.locator('.chosen').textContent()).toBe('Right somewhat better')

  // Held down, in the text box: one answer.
  const sent: string[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/judgement')) sent.push(request.postData() ?? '')
  })
  await page.getByLabel('Reason').focus()
  await page.keyboard.down('Control')
  for (let i = 0; i < 20; i++) await page.keyboard.down('Enter')
  await page.keyboard.up('Enter')
  await page.keyboard.up('Control')
  await page.getByText('1 answer by you').waitFor()
  expect(sent).toHaveLength(1)

  // Undo brings it back as it was.
  await page.keyboard.press('u')
  await page.getByText('0 answers by you').waitFor()
  expect(await page.getByLabel('Reason').inputValue()).toBe('7 reasons, 1 typed: s u f')
  await page.keyboard.press('Enter')
  await page.getByText('1 answer by you').waitFor()

  // Skipped: another pair comes, and this one does not come back to the same person.
  const prompt = page.getByRole('region', { name: 'Prompt' })
  const skipped = await prompt.textContent()
  await page.keyboard.press('s')
  await expect.poll(() => prompt.textContent()).not.toBe(skipped)

  // The server is killed with the answer on its way: the page keeps it, sends it by the same key, and it counts once.
  const port = Number(new URL(front.served.url).port)
  front.served.process.kill('SIGKILL')
  await page.keyboard.press('1')
  await page.keyboard.press('Enter')
  await page.getByText('The server cannot be reached').waitFor()
  await page.keyboard.press('Enter')
  front.served = await startServe(front.workspace, { port })
  await page.getByText('2 answers by you').waitFor()
  const keys = sent.slice(2).map((text) => (JSON.parse(text) as { key: string }).key)
  expect(keys.length).toBeGreaterThan(1)
  expect(new Set(keys).size).toBe(1)
  expect(await page.evaluate('localStorage.getItem("hone.outbox")')).toBe('[]')
  await expect.poll(() => answers(page).textContent()).toMatch(new RegExp(`2 of ${PAIRS} by all`))
})

test('words stay when a look for news fails, and when the screen is left before they were saved', async (ctx) => {
  hasBrowser(ctx)
  const { page } = annotators[0]!
  const isProject = (url: URL): boolean => url.pathname === '/api/projects/desk'
  await page.getByLabel('Reason').fill('half a thought')
  await page.route(isProject, (route) => route.fulfill({ status: 404, json: { error: { message: 'gone' } } }))
  const news = page.waitForResponse((response) => isProject(new URL(response.url())))
  await page.evaluate("window.dispatchEvent(new Event('visibilitychange'))")
  await (await news).finished()
  await page.evaluate('new Promise((done) => setTimeout(done, 100))') // what would be shown now is shown
  await page.unroute(isProject)
  expect(await page.getByRole('heading', { name: 'This project cannot be opened' }).count()).toBe(0)
  expect(await page.getByLabel('Reason').inputValue()).toBe('half a thought')

  await page.getByLabel('Reason').fill('a whole thought')
  const saved = page.waitForResponse((response) => response.url().endsWith('/draft') && response.ok())
  await page.getByRole('link', { name: 'Home' }).click()
  await saved
  await page.getByRole('link', { name: /to judge in Second round/ }).click()
  await page.getByLabel('Reason').waitFor()
  expect(await page.getByLabel('Reason').inputValue()).toBe('a whole thought')
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
