// Suggestions of a model in Chromium: a lead turns them on and sees how far people lean on them; people see some beside the pair,
// none where it is hidden, and where the lead wants it so only once they have answered.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const PAIRS = 40
const front = openFront()
let lead: Page
let page: Page
let campaign: string

const rows = Array.from({ length: PAIRS }, (_, i) => ({
  item: `pair-${i}`,
  prompt: `Order ${41_300 + i} is ${i + 2} days late. When does my parcel arrive?`,
  a: `Your parcel arrives on Friday; I can refund up to the limit of $${20 + i}.`,
  b: `We will pay back $${90 + i} today.`,
  suggestion: { better: 'a', score: 0.83, source: 'reward-7' },
}))

test('off by default; turned on, people see it beside a part of the pairs', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const body = { name: 'Replies', dataset: 'pairs', overlap: 1, seed: 4 }
  const { id } = (await ask(front, lead.context(), 'POST /api/projects/desk/campaigns', body)) as { id: string }
  campaign = id
  page = await joinAs(front, lead, 'annotator', 'Ann Berg')
  await lead.goto(`${front.served.url}/p/desk/campaigns/${id}`)
  const section = lead.getByRole('region', { name: 'Suggestions of a model' })
  await section.getByText('Nobody is shown any.').waitFor()
  await section.getByRole('button', { name: 'Show them' }).click()
  await section.getByLabel('Hidden from, % of the tasks').fill('50')
  await section.getByRole('button', { name: 'Show them so' }).click()
  await section.getByText('from 50% of the tasks it is hidden by lot').waitFor()
})

test('who sees it takes it, who does not says something else: the report tells how far people lean', async (ctx) => {
  hasBrowser(ctx)
  await page.goto(`${front.served.url}/p/desk/judge/${campaign}`)
  await page.getByRole('button', { name: 'I have read it' }).press('Enter')
  let shown = 0
  for (let done = 0; done < PAIRS - 2; done++) {
    await page.getByText(`${done} answer${done === 1 ? '' : 's'} by you`).waitFor()
    const note = page.getByRole('note', { name: 'Suggestion' })
    const side = (await note.count()) > 0 ? await note.locator('b').textContent() : null
    if (side !== null && shown++ === 0) await looksRight(page, 'suggestion')
    // Towards the suggestion where it is shown, always to the left where it is not.
    await page.keyboard.press(side === 'right' ? '7' : '2')
    await page.keyboard.press('Enter')
  }
  await page.getByText(`${PAIRS - 2} answers by you`).waitFor()
  expect(shown).toBeGreaterThan(5)
  expect(shown).toBeLessThan(PAIRS - 7)
  await lead.reload()
  await lead.getByText('People lean on the suggestions').waitFor()
  await looksRight(lead, 'anchoring')
})

test('shown only afterwards, it stands with the next pair', async (ctx) => {
  hasBrowser(ctx)
  const section = lead.getByRole('region', { name: 'Suggestions of a model' })
  await section.getByRole('button', { name: 'Change how they are shown' }).click()
  await section.getByLabel('Show them only once people have answered').check()
  await section.getByLabel('Hidden from, % of the tasks').fill('5')
  await section.getByRole('button', { name: 'Show them so' }).click()
  await section.getByText('once they have answered; from 5%').waitFor()
  const two = await joinAs(front, lead, 'annotator', 'Bo Chen')
  await two.goto(`${front.served.url}/p/desk/judge/${campaign}`)
  await two.getByRole('button', { name: 'I have read it' }).press('Enter')
  await two.getByRole('region', { name: 'Prompt' }).waitFor()
  expect(await two.getByRole('note', { name: 'Suggestion' }).count()).toBe(0)
  await two.keyboard.press('7')
  await two.keyboard.press('Enter')
  await two.getByText('1 answer by you').waitFor()
  expect(complaints).toEqual([])
})
