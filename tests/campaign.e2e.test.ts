// Judging under bad luck, in Chromium: one person at a campaign of one answer a pair. Keys do what the sheet says and nothing
// where they must not; what was written outlives a reload, a held key, and a server that is killed.
import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront, startServe } from './serve.test-data.ts'

const PAIRS = 6
const front = openFront()
let page: Page
let lead: Page
let others: Page[]
let campaign: string

const rows = Array.from({ length: PAIRS }, (_, i) => ({
  item: `pair-${i}`,
  prompt: `Order ${41_300 + i} is ${i + 2} days late. I am worried. When does my parcel arrive, and can I get something back?`,
  a: `Hello and welcome! I know how hard this feels. Your parcel arrives on Friday; I can refund up to the limit of $${20 + i}. Warmly, Larkspur.`,
  b: `Dear customer, good day. We will pay back $${90 + i} today. As you may know, we get many such cases.${i === 2 ? ' I am ChatGPT.' : ''} That is all.`,
}))

test('the guideline is read once; keys do what the sheet says, and nothing in a dialog or before something is chosen', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const body = { name: 'Replies', dataset: 'pairs', overlap: 1, seed: 4 }
  const { id } = (await ask(front, lead.context(), 'POST /api/projects/desk/campaigns', body)) as { id: string }
  campaign = id
  page = await joinAs(front, lead, 'annotator', 'Ann Berg')
  await page.goto(`${front.served.url}/p/desk/judge/${id}`)
  await page.getByRole('button', { name: 'I have read it' }).press('Enter')
  await page.getByText('0 answers by you').waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Shortcuts' }).waitFor()
  await looksRight(page, 'shortcuts')
  await page.keyboard.press('9')
  await page.keyboard.press('Escape')
  expect(await page.locator('.chosen').textContent()).toBe('Nothing chosen yet')
  await page.keyboard.press('Enter')
  await page.getByText('Choose first').waitFor()
})

test('skip, undo, drafts over a reload, a held key, a server that is away: nothing is lost and nothing sent twice', async (ctx) => {
  hasBrowser(ctx)
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
  await looksRight(page, 'skip')
  await page.getByLabel('Why?').fill('not in my language')
  await page.keyboard.press('Enter')
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
  expect(await page.evaluate('localStorage.getItem("hone.outbox")')).toBeNull()
  await expect.poll(() => page.locator('.annotate-head p').textContent()).toMatch(new RegExp(`2 of ${PAIRS} by all`))
})

test('words stay when a look for news fails, and when the screen is left before they were saved', async (ctx) => {
  hasBrowser(ctx)
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
  await page.getByRole('link', { name: /to judge in Replies/ }).click()
  await page.getByLabel('Reason').waitFor()
  expect(await page.getByLabel('Reason').inputValue()).toBe('a whole thought')
})

test('the lead reads why somebody skipped, and which answer says who wrote it', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  await lead.getByRole('region', { name: 'Why people skipped' }).getByText('not in my language').waitFor()
  await lead
    .getByRole('region', { name: /give their author away/ })
    .getByText('“ChatGPT”')
    .waitFor()
  await looksRight(lead, 'campaign-found')
  await lead.getByRole('link', { name: 'pair-2' }).click()
  await lead.waitForURL(/adjudicate/)
})

test('models of the annotators are compared for the lead, who is told what is missing and what is chosen', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  const models = lead.getByRole('region', { name: 'Models of the annotators' })
  const compare = models.getByRole('button', { name: 'Compare models of the annotators' })
  await compare.click()
  await models.getByText('needs 20 pairs with two answers each').waitFor()

  const many = Array.from({ length: 24 }, (_, i) => ({
    ...rows[0]!,
    item: `more-${i}`,
    prompt: `${rows[0]!.prompt} ${i}`,
  }))
  const file = Buffer.from(many.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/more?kind=comparisons', file)
  const body = { name: 'More replies', dataset: 'more', overlap: 3, seed: 4 }
  const { id } = (await ask(front, lead.context(), 'POST /api/projects/desk/campaigns', body)) as { id: string }
  others = await Promise.all(['Ben Cho', 'Cai Lund'].map((name) => joinAs(front, lead, 'annotator', name)))
  // One of the three says the opposite of what the others say.
  for (const person of [page, ...others]) await judgeAll(person, { id, isContrary: person === page })
  await lead.goto(`${front.served.url}/p/desk/campaigns/${id}`)
  await compare.click()
  await models.getByText('is chosen').waitFor()
  for (const name of [
    /^Majority/,
    /^Dawid-Skene, one coin/,
    /^Dawid-Skene, two coins/,
    /^MACE/,
    /^GLAD/,
    /^Bradley-Terry/,
  ])
    await models.getByRole('rowheader', { name }).waitFor()
  expect(await models.locator('.tag').count()).toBe(1)
  expect(await compare.count()).toBe(0)
  await looksRight(lead, 'campaign-models')
})

test('the guideline’s page shows agreement by version, once people judged under two', async (ctx) => {
  hasBrowser(ctx)
  await ask(front, lead.context(), 'PUT /api/projects/desk/guideline', { text: 'Choose what answers the question.' })
  const body = { name: 'Under the new one', dataset: 'more', overlap: 2, seed: 4 }
  const { id } = (await ask(front, lead.context(), 'POST /api/projects/desk/campaigns', body)) as { id: string }
  for (const person of others) await judgeAll(person, { id, isContrary: false })
  await lead.goto(`${front.served.url}/p/desk/campaigns/${id}`)
  const agreement = lead.getByRole('region', { name: 'Agreement', exact: true })
  for (const name of [/^α, interval/, /^Gwet’s AC2/, /^Cohen’s κ/]) await agreement.getByRole('row', { name }).waitFor()
  await looksRight(lead, 'campaign-agreement')
  await lead.goto(`${front.served.url}/p/desk/guideline`)
  const versions = lead.getByRole('region', { name: 'Agreement by version' })
  await versions.getByRole('row', { name: /^2 48 answers 24 / }).waitFor()
  await versions.getByRole('row', { name: /^1 7\d answers / }).waitFor()
  await looksRight(lead, 'guideline-agreement')
})

test('two versions of the guideline are compared word by word, whichever two; annotators see it too', async (ctx) => {
  hasBrowser(ctx)
  const text = 'Choose what answers the question.\n\n- A kind answer wins.\n- Length does not count.\n'
  await ask(front, lead.context(), 'PUT /api/projects/desk/guideline', { text })
  await ask(front, lead.context(), 'PUT /api/projects/desk/guideline', { text: text.replace('kind', 'true') })
  await lead.goto(`${front.served.url}/p/desk/guideline`)
  const difference = lead.getByRole('region', { name: 'What differs' })
  const marked = async (role: 'deletion' | 'insertion') =>
    (await difference.getByRole(role).allTextContents()).map((words) => words.trim())
  await difference.getByText('wins').waitFor()
  expect([await marked('deletion'), await marked('insertion')]).toEqual([['kind'], ['true']])
  await looksRight(lead, 'guideline-difference')
  await difference.getByLabel('From').selectOption('version 2')
  await difference.getByLabel('To').selectOption('version 3')
  expect([await marked('deletion'), await marked('insertion')]).toEqual([
    [],
    ['- A kind answer wins.\n- Length does not count.'],
  ])
  await difference.getByLabel('To').selectOption('version 2')
  await difference.getByText('It is one version').waitFor()
  // The version that the page shows is held against the one before it.
  await lead.getByLabel('Version', { exact: true }).selectOption('2')
  expect(await difference.getByLabel('From').inputValue()).toBe('1')
  await others[0]!.goto(`${front.served.url}/p/desk/guideline`)
  await others[0]!.getByRole('region', { name: 'What differs' }).getByRole('insertion').waitFor()
})

type Given = { task: { id: string; left: string } | null }

async function judgeAll(person: Page, { id, isContrary }: { id: string; isContrary: boolean }): Promise<void> {
  const at = `/api/projects/desk/campaigns/${id}`
  await ask(front, person.context(), `PUT ${at}/guideline-read`)
  let { task } = (await ask(front, person.context(), `POST ${at}/claim`)) as Given
  while (task) {
    const choice = task.left.startsWith('Hello') === isContrary ? 'right' : 'left'
    const body = { key: randomUUID(), choice, strength: 2, activeSeconds: 3 }
    ;({ task } = (await ask(front, person.context(), `POST ${at}/items/${task.id}/judgement`, body)) as Given)
  }
}

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
