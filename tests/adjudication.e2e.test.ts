// Adjudication as a reviewer meets it, in Chromium, by keyboard: blind first, then what people said, then settled; and what the
// campaign's page says of it afterwards.
import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const PAIRS = 5
const front = openFront()
let lead: Page
let reviewer: Page
let campaign: string

const rows = Array.from({ length: PAIRS }, (_, i) => ({
  item: `sft-vs-ppo-${i}`,
  prompt: `Order ${41_300 + i} is late. When does my parcel arrive, and can I get something back?`,
  a: `GOOD Hello and welcome! Your parcel arrives on Friday; I can refund up to the limit of $${20 + i}.`,
  b: `POOR Dear customer, good day. We will pay back $${90 + i} today. That is all.`,
}))

type Task = { id: string; left: string; prompt: string }

/** Answers every pair; `likesGood` by the number of the pair. */
async function judge(page: Page, likesGood: (pair: number) => boolean): Promise<void> {
  const at = `/api/projects/desk/campaigns/${campaign}`
  const of = page.context()
  await ask(front, of, `PUT ${at}/guideline-read`)
  for (;;) {
    const { task } = (await ask(front, of, `POST ${at}/claim`)) as { task: Task | null }
    if (!task) return
    const pair = Number(/\d+/.exec(task.prompt)![0]) - 41_300
    const choice = task.left.startsWith('GOOD') === likesGood(pair) ? 'left' : 'right'
    if (pair === 3 && !likesGood(pair))
      await ask(front, of, `POST ${at}/items/${task.id}/flag`, { note: 'The refund is not ours to give.' })
    await ask(front, of, `POST ${at}/items/${task.id}/judgement`, {
      key: randomUUID(),
      choice,
      strength: 1 + (pair % 4),
      reason: likesGood(pair) ? 'It says when the parcel arrives.' : 'It is short.',
      activeSeconds: 8,
    })
  }
}

test('a campaign is judged, and people differ on three pairs', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const body = { name: 'Replies', dataset: 'pairs', overlap: 3, seed: 4 }
  campaign = ((await ask(front, lead.context(), 'POST /api/projects/desk/campaigns', body)) as { id: string }).id
  for (const [name, likesGood] of [
    ['Ann Berg', () => true],
    ['Ben Cho', () => true],
    ['Cem Dal', (pair: number) => pair > 3],
  ] as const)
    await judge(await joinAs(front, lead, 'annotator', name), likesGood)
  reviewer = await joinAs(front, lead, 'reviewer', 'Rea Voss')
})

test('a reviewer settles what waits, by keyboard: blind first, then decided, subjective, wrong', async (ctx) => {
  hasBrowser(ctx)
  await reviewer.goto(`${front.served.url}/p/desk`)
  await reviewer.getByRole('link', { name: '4 pairs to adjudicate in Replies' }).press('Enter')
  await reviewer.getByText('4 pairs to settle').waitFor()
  await reviewer.getByText('Here because: flagged, people differ').waitFor()
  expect(await reviewer.getByText('What people said').count()).toBe(0)
  await looksRight(reviewer, 'adjudicate-blind')
  await reviewer.keyboard.press('Enter')
  await reviewer.getByText('Choose first').waitFor()
  await reviewer.keyboard.press('3')
  await reviewer.keyboard.press('Enter')
  await reviewer.getByRole('heading', { name: 'What people said' }).waitFor()
  await reviewer.getByText('The refund is not ours to give.').waitFor()
  expect(await reviewer.locator('main').textContent()).not.toMatch(/Ann Berg|Ben Cho|Cem Dal/)
  await looksRight(reviewer, 'adjudicate')
  // A reason is asked for, and the field has the focus then.
  await reviewer.keyboard.press('w')
  await reviewer.getByText('Give the reason').waitFor()
  await reviewer.keyboard.type('The order is made up: wrong pair.')
  await reviewer.getByRole('button', { name: 'Wrong pair' }).click()

  await reviewer.getByText('3 pairs to settle').waitFor()
  const settle = async (key: string, reason: string): Promise<void> => {
    await reviewer.getByRole('button', { name: 'Show what others said' }).waitFor()
    const isGoodLeft = (await reviewer.getByRole('region', { name: 'Left' }).textContent())!.includes('GOOD')
    await reviewer.keyboard.press(isGoodLeft ? '2' : '8')
    await reviewer.keyboard.press('Enter')
    await reviewer.getByRole('heading', { name: 'What people said' }).waitFor()
    if (key === 'Enter') await reviewer.keyboard.press(isGoodLeft ? '1' : '9')
    await reviewer.keyboard.press('r')
    await reviewer.keyboard.type(reason)
    if (key === 'Enter') await reviewer.keyboard.press('Control+Enter')
    else {
      await reviewer.getByRole('button', { name: 'Truly subjective' }).focus()
      await reviewer.keyboard.press(key)
    }
  }
  await settle('Enter', 'Only it answers the question.')
  await reviewer.getByText('2 pairs to settle').waitFor()
  await settle('t', 'Some like it short.')
  await reviewer.getByText('1 pair to settle').waitFor()
})

test('the lead sees what was settled and why, by name, and can put it back', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  await lead.getByText('1 decided · 1 truly subjective · 1 left out as wrong').waitFor()
  await lead.getByRole('cell', { name: /^Better: GOOD/ }).waitFor()
  await looksRight(lead, 'campaign-adjudicated')
  const row = lead.getByRole('row', { name: /Wrong, left out/ })
  await row.getByText('Rea Voss').waitFor()
  await row.getByRole('link').press('Enter')
  await lead.getByRole('button', { name: 'Show what others said' }).waitFor()
  await lead.keyboard.press('5')
  await lead.keyboard.press('Enter')
  await lead.getByText('Ann Berg', { exact: true }).waitFor()
  await lead.getByRole('heading', { name: 'Settled before' }).waitFor()
  await lead.keyboard.press('r')
  await lead.keyboard.type('The order exists after all.')
  // What is asked again after a write takes its time: who has left by then is not fetched back.
  const isProject = (url: URL): boolean => url.pathname === '/api/projects/desk'
  await lead.route(isProject, (route) => setTimeout(() => void route.continue(), 1500))
  const late = lead.waitForResponse((response) => isProject(new URL(response.url())))
  await lead.getByRole('button', { name: 'Back to the queue' }).click()
  await lead.getByText('2 pairs to settle').waitFor()
  await lead.getByRole('link', { name: 'Campaign', exact: true }).click()
  await (await late).finished()
  await lead.evaluate('new Promise((done) => setTimeout(done, 100))')
  await lead.unroute(isProject)
  await lead.getByText('1 decided · 1 truly subjective · 0 left out as wrong').waitFor()
  await lead.getByLabel('Keep the judgements').fill('judged')
  await lead.getByRole('button', { name: 'Keep' }).click()
  await lead.getByText(`Kept ${PAIRS * 3 + 2} judgements as`).waitFor()
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
