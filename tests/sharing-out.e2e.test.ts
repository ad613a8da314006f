// A lead shares a campaign out in Chromium: overlap on a part of the pairs, a limit for each person, pairs assigned to people by
// name; and what each of them then gets.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const PAIRS = 12
const front = openFront()
let lead: Page
let one: Page
let two: Page

const rows = Array.from({ length: PAIRS }, (_, i) => ({
  item: `pair-${i}`,
  prompt: `Order ${41_300 + i} is ${i + 2} days late. When does my parcel arrive?`,
  a: `Your parcel arrives on Friday; I can refund up to the limit of $${20 + i}.`,
  b: `We will pay back $${90 + i} today.`,
  ...(i < 4 && { stratum: 'late' }),
}))

test('a lead opens a campaign of which a part gets the overlap, and sees what was drawn', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  one = await joinAs(front, lead, 'annotator', 'Ann Berg')
  two = await joinAs(front, lead, 'annotator', 'Bo Chen')
  await lead.goto(`${front.served.url}/p/desk/campaigns`)
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('Name').fill('Replies')
  await lead.getByLabel('People for each pair').fill('2')
  await lead.getByLabel('Of the pairs, %, that so many people get').fill('40')
  await looksRight(lead, 'new-campaign-share')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByText(/2 people on \d of them and one on the others/).waitFor()
})

test('limits and assignments are set on its page and hold', async (ctx) => {
  hasBrowser(ctx)
  const sharing = lead.getByRole('region', { name: 'Who does what' })
  await sharing.getByRole('button', { name: 'Set limits' }).click()
  await sharing.getByLabel('Most judgements of one person').fill('3')
  await sharing.getByLabel('Give out only what is assigned').check()
  await looksRight(lead, 'campaign-limits')
  await sharing.getByRole('button', { name: 'Keep the limits' }).click()
  await sharing.getByText('One person may give 3 judgements').waitFor()
  await sharing.getByRole('button', { name: 'Assign pairs' }).click()
  await sharing.getByRole('checkbox', { name: 'Ann Berg' }).check()
  await sharing.getByRole('checkbox', { name: 'Bo Chen' }).check()
  await sharing.getByLabel('From').selectOption({ index: 2 })
  await sharing.getByLabel('Deal them out').check()
  await looksRight(lead, 'campaign-assign')
  await sharing.getByRole('button', { name: 'Assign', exact: true }).click()
  await sharing.getByRole('button', { name: 'Take back from Ann Berg' }).waitFor()

  const address = lead.url().replace('/campaigns/', '/judge/')
  for (const page of [one, two]) {
    await page.goto(address)
    await page.getByRole('button', { name: 'I have read it' }).press('Enter')
    for (let done = 0; done < 2; done++) {
      await page.getByText(`${done} answer${done === 1 ? '' : 's'} by you`).waitFor()
      expect(await page.getByRole('region', { name: 'Prompt' }).textContent()).toMatch(/Order 4130[0-3]/)
      await page.keyboard.press('7')
      await page.keyboard.press('Enter')
    }
    await page.getByText('2 answers by you').waitFor()
    await page.getByText('All that was assigned to you is done').waitFor()
  }
  await lead.reload()
  const row = sharing.getByRole('row', { name: /Ann Berg/ })
  await row.waitFor()
  expect(await row.getByRole('cell').allTextContents()).toEqual(['2', '2', '0', ''])
  await looksRight(lead, 'campaign-shared-out')
  expect(complaints).toEqual([])
})
