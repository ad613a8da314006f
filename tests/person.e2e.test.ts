// The page about one person, in Chromium: a lead comes to it from the campaign and sees what stands out, courses and habits; the
// person sees their own from where they work.
import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { generator } from '#stats'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const front = openFront()
const GOLD = 30
const PAIRS = 60
const rows = Array.from({ length: GOLD + PAIRS }, (_, i) => ({
  item: `pair-${i}`,
  prompt: `Order ${41_300 + i} is late. When does my parcel arrive?`,
  a: `GOOD Your parcel arrives on Friday; I can refund up to $${20 + i}.`,
  b: `POOR Dear customer, we will pay back $${90 + i} today, whatever the reason may be.`,
  ...(i < GOLD && { gold: 'a' }),
}))
let lead: Page
let campaign: string
const people = new Map<string, Page>()

type Work = { task: { id: string; left: string } | null }

/** Answers all that comes: right with that chance, or always left; from the half on worse. */
async function judge(page: Page, o: { skill: number; later: number; isLefty: boolean; seed: number }): Promise<void> {
  const random = generator(o.seed)
  const at = `/api/projects/desk/campaigns/${campaign}`
  await ask(front, page.context(), `PUT ${at}/guideline-read`)
  let work = (await ask(front, page.context(), `POST ${at}/claim`)) as Work
  for (let i = 0; work.task; i++) {
    const isRight = random.uniform() < (i < 45 ? o.skill : o.later)
    const isLeft = o.isLefty || work.task.left.startsWith('GOOD') === isRight
    work = (await ask(front, page.context(), `POST ${at}/items/${work.task.id}/judgement`, {
      key: randomUUID(),
      choice: isLeft ? 'left' : 'right',
      strength: o.isLefty ? 4 : 1 + random.int(4),
      activeSeconds: o.isLefty ? 1.5 : 4 + 20 * random.uniform(),
    })) as Work
  }
}

test('a lead sees who agrees with whom, and of one person what stands out', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const body = { name: 'Replies', dataset: 'pairs', overlap: 4, seed: 4, goldRate: 0.35 }
  campaign = ((await ask(front, lead.context(), 'POST /api/projects/desk/campaigns', body)) as { id: string }).id
  for (const [i, name] of ['Ann Berg', 'Ben Cho', 'Cem Dal', 'Dot Eklund'].entries()) {
    people.set(name, await joinAs(front, lead, 'annotator', name))
    const [skill, later] = i === 2 ? [0.95, 0.4] : [0.9, 0.9]
    await judge(people.get(name)!, { skill: skill!, later: later!, isLefty: i === 3, seed: i + 1 })
  }
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  await lead.getByRole('heading', { name: 'Who agrees with whom' }).waitFor()
  await lead.getByTitle(/^Ann Berg and Ben Cho: 0\.\d\d, 95% interval .* 60 pairs$/).waitFor()
  await looksRight(lead, 'campaign-matrix')
  await lead.getByRole('link', { name: 'Dot Eklund' }).press('Enter')
  await lead.getByRole('heading', { name: 'Dot Eklund' }).waitFor()
  await lead.getByRole('row', { name: /chooses one side more often.*left on 100%.*stands out/ }).waitFor()
  await looksRight(lead, 'person-lefty')
  await lead.getByRole('link', { name: 'Campaign', exact: true }).click()
  await lead.getByRole('link', { name: 'Cem Dal' }).click()
  await lead.getByRole('img', { name: /^Right on gold, \d+ values/ }).waitFor()
  await lead.getByRole('img', { name: /^Agreement with the others/ }).waitFor()
  await looksRight(lead, 'person')
})

test('a person comes to their own figures from their work, and gold is not among them', async (ctx) => {
  hasBrowser(ctx)
  const page = people.get('Ann Berg')!
  await page.goto(`${front.served.url}/p/desk/judge/${campaign}`)
  await page.getByRole('link', { name: 'mine' }).press('Enter')
  await page.getByRole('heading', { name: 'My judgements' }).waitFor()
  await page.getByRole('img', { name: /^Share of left/ }).waitFor()
  expect(await page.locator('main').textContent()).not.toMatch(/gold|Ben Cho/)
  await page.getByRole('link', { name: 'Back to work' }).press('Enter')
  await page.getByText('Nothing is left for you here').waitFor()
})

test('a lead withdraws somebody’s answers, sees first what hangs on them, and takes it back', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  await lead.getByLabel('Keep the judgements').fill('judged')
  await lead.getByRole('button', { name: 'Keep' }).click()
  await lead.getByText(/Kept \d+ judgements as/).waitFor()
  await lead.getByRole('link', { name: 'People' }).click()
  await lead.getByRole('link', { name: 'Withdraw answers' }).click()
  await lead.getByRole('button', { name: 'Look what hangs on them' }).click()
  await lead.getByText('Choose a person, a time or a guideline.').waitFor()
  await lead.getByLabel('Whose').selectOption('Dot Eklund')
  await lead.getByRole('button', { name: 'Look what hangs on them' }).click()
  await lead.getByText(/^dataset judged@[0-9a-f]{12} \d+ rows of it$/).waitFor()
  await lead.getByLabel('Reason').fill('Always left, without reading.')
  await looksRight(lead, 'withdrawals')
  await lead.getByRole('button', { name: /^Withdraw \d+ answers$/ }).click()
  await lead.getByText(/answers of Dot Eklund withdrawn/).waitFor()
  const resting = lead.getByRole('region', { name: 'Still made of withdrawn answers' })
  await resting.getByText(/^dataset judged@[0-9a-f]{12} \d+ rows of it$/).waitFor()
  await looksRight(lead, 'withdrawals-resting')
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  await lead.getByText(`of ${PAIRS * 4} judgements`).waitFor()
  expect(await lead.getByRole('link', { name: 'Dot Eklund' }).count()).toBe(0)
  lead.once('dialog', (dialog) => void dialog.accept('It was the mouse.'))
  await lead.goto(`${front.served.url}/p/desk/people/withdrawals`)
  await lead.getByRole('button', { name: 'Take it back' }).click()
  await lead.getByText(/answers taken back/).waitFor()
  expect(await resting.count()).toBe(0)
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
