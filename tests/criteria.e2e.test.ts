// Several questions about one pair, in Chromium: arrows move between them, digits answer the one at hand, what is missing
// gets the focus; and the lead sees how far people agree on each.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const PAIRS = 4
const front = openFront()
let lead: Page
let people: Page[]

test('a lead chooses the criteria that people are asked about', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const rows = Array.from({ length: PAIRS }, (_, i) => ({
    item: `pair-${i}`,
    prompt: `Order ${41_300 + i} is ${i + 2} days late. When does my parcel arrive, and can I get something back?`,
    a: `GOOD Your parcel arrives on Friday; I can refund up to $${20 + i}. Warmly, Larkspur.`,
    b: `POOR Dear customer, good day. We get many such cases. That is all.`,
    ...(i > 0 && { stratum: i === 3 ? 'late parcel' : 'refund' }),
  }))
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  await lead.getByRole('link', { name: 'Campaigns' }).click()
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('Name').fill('Replies by criterion')
  await lead.getByLabel('People for each pair').fill('2')
  for (const name of [/^fact/, /^empathy/, /^brand/]) await lead.getByLabel(name).check()
  await looksRight(lead, 'new-campaign-criteria')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByText('also asked about fact, empathy, brand').waitFor()
  people = await Promise.all(['Ann Berg', 'Ben Cho'].map((name) => joinAs(front, lead, 'annotator', name)))
})

test('digits answer the question at hand, arrows move, and one that was left open gets the focus', async (ctx) => {
  hasBrowser(ctx)
  const [page] = people as [Page, Page]
  await page.goto(`${front.served.url}/p/desk`)
  await page.getByRole('link', { name: /pairs to judge in Replies by criterion/ }).press('Enter')
  await page.getByRole('button', { name: 'I have read it' }).press('Enter')
  await page.getByRole('region', { name: 'Left' }).waitFor()
  await page.getByText('0 of 4 answered').waitFor()
  await looksRight(page, 'annotate-criteria')
  await page.keyboard.press('2')
  for (const key of ['ArrowDown', '5', 'ArrowDown', 'ArrowDown', '8']) await page.keyboard.press(key)
  await page.getByText('3 of 4 answered').waitFor()
  const said = () => page.locator('.chosen').allTextContents()
  expect(await said()).toEqual(['Left better', 'Equally good', 'Nothing chosen yet', 'Right better'])
  await page.keyboard.press('Enter')
  await page.getByText('empathy wants an answer').waitFor()
  const focused = await page.evaluate<string>(
    "document.activeElement.closest('fieldset').querySelector('legend').textContent",
  )
  expect(focused).toMatch(/^empathy/)
  // Past the ends nothing moves; an answer that is there is changed in its place.
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowUp')
  await page.keyboard.press('1')
  expect(await said()).toEqual(['Left much better', 'Equally good', 'Nothing chosen yet', 'Right better'])
  await page.waitForResponse((response) => response.url().endsWith('/draft') && response.ok())
  await page.reload()
  await page.getByText('3 of 4 answered').waitFor()
  for (const key of ['ArrowDown', 'ArrowDown', '0', 'Control+Enter']) await page.keyboard.press(key)
  await page.getByText('1 answer by you').waitFor()
  // Taken back, it comes with all its answers.
  await page.keyboard.press('u')
  await page.getByText('4 of 4 answered').waitFor()
  expect(await said()).toEqual(['Left much better', 'Equally good', 'Both bad', 'Right better'])
  await looksRight(page, 'annotate-criteria-answered')
  await page.keyboard.press('Enter')
  await page.getByText('1 answer by you').waitFor()
})

test('two people judge the rest, and agreement shows by criterion and by stratum', async (ctx) => {
  hasBrowser(ctx)
  const [first, second] = people as [Page, Page]
  await second.goto(`${front.served.url}/p/desk`)
  await second.getByRole('link', { name: /pairs to judge in Replies by criterion/ }).press('Enter')
  await second.getByRole('button', { name: 'I have read it' }).press('Enter')
  const judge = async (page: Page, from: number, byBrand: string): Promise<void> => {
    for (let i = from; i < PAIRS; i++) {
      await page.getByText(`${i} answer${i === 1 ? '' : 's'} by you`).waitFor()
      const isGoodLeft = (await page.getByRole('region', { name: 'Left' }).textContent())!.includes('GOOD')
      const good = isGoodLeft ? '2' : '8'
      for (const key of [good, 'ArrowDown', good, 'ArrowDown', i % 2 ? '5' : good, 'ArrowDown', byBrand, 'Enter'])
        await page.keyboard.press(key)
    }
    await page.getByText('Nothing is left for you here').waitFor()
  }
  await judge(first, 1, '1')
  await judge(second, 0, '5')
  await lead.reload()
  const table = lead.getByRole('region', { name: 'Agreement by criterion' })
  for (const name of [/^fact/, /^empathy/, /^brand/]) await table.getByRole('rowheader', { name }).waitFor()
  await table.getByText('8 answers').first().waitFor()
  const strata = lead.getByRole('region', { name: 'Agreement by stratum' })
  await strata.getByRole('row', { name: /^refund 4 answers 2 / }).waitFor()
  for (const name of [/^late parcel 2 answers not yet known/, /^none named 2 answers not yet known/])
    await strata.getByRole('row', { name }).waitFor()
  await looksRight(lead, 'campaign-criteria')
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
