// Gold as people meet it, in Chromium: a lead marks pairs and sets a qualification; somebody fails it, sees which and why, reads
// the guideline again and passes on other pairs; after that gold is mixed in, and nothing on the screen tells it.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const front = openFront()
let lead: Page
let person: Page
let campaign: string
/** Two gold pairs are marked on the screen; these come with the file. */
const GOLD = 5
const PAIRS = 8
const rows = Array.from({ length: GOLD + PAIRS }, (_, i) => ({
  item: `sft-vs-ppo-${i}`,
  prompt: `Order ${41_300 + i} is late. When does my parcel arrive, and can I get something back?`,
  a: `GOOD Hello and welcome! Your parcel arrives on Friday; I can refund up to the limit of $${20 + i}.`,
  b: `POOR Dear customer, good day. We will pay back $${90 + i} today. That is all.`,
  ...(i < GOLD && { gold: 'a', goldReason: 'The other promises what nobody may promise.' }),
}))

test('a lead imports gold with the pairs, marks one more, and sets a qualification', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  await lead.getByRole('link', { name: 'Campaigns' }).click()
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('Name').fill('Replies')
  await lead.getByLabel('People for each pair').fill('1')
  await lead.getByLabel('Gold among the tasks').fill('25')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByText(`${GOLD} gold pairs mixed in at 25%`).waitFor()
  campaign = lead.url().split('/').at(-1)!
  await lead.getByRole('link', { name: 'Gold and qualification' }).click()
  await lead.getByLabel('Gold ones only').uncheck()
  const item = lead.getByRole('article', { name: 'Pair sft-vs-ppo-12' })
  await item.getByLabel('Why').fill('It says when.')
  await item.getByRole('button', { name: 'This one is better' }).first().click()
  await item.getByRole('button', { name: 'Better, by gold' }).waitFor()
  await lead.getByText(`${GOLD + 1} gold pairs.`).waitFor()
  await lead.getByLabel('Before the first task').selectOption('right')
  await lead.getByLabel('Pairs in the round').fill('3')
  await lead.getByLabel('Right answers asked for').fill('5')
  await lead.getByRole('button', { name: 'Keep these rules' }).click()
  await lead.getByText('5 right answers of 3 cannot be given').waitFor()
  await lead.getByLabel('Right answers asked for').fill('2.5')
  await lead.getByRole('button', { name: 'Keep these rules' }).click()
  await lead.getByText('Kept.').waitFor()
  await lead.getByLabel('Gold ones only').check()
  await lead.getByText('Nobody has met it yet.').first().waitFor()
  await looksRight(lead, 'gold')
})

/** Judges until the head of the page says so; likes the reply that starts with GOOD, or the other one. */
async function judge(likesGood: (i: number) => boolean, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const before = (await person.locator('.annotate-head p').textContent())!
    const mine = Number(/(\d+) answers? by you/.exec(before)![1])
    const isGoodLeft = (await person.getByRole('region', { name: 'Left' }).textContent())!.includes('GOOD')
    await person.keyboard.press(isGoodLeft === likesGood(i) ? '2' : '8')
    await person.keyboard.press('Enter')
    await person.getByText(`${mine + 1} answer${mine === 0 ? '' : 's'} by you`).waitFor()
  }
}

test('who fails sees which answers and why, reads the guideline again, passes on other pairs, and goes to work', async (ctx) => {
  hasBrowser(ctx)
  person = await joinAs(front, lead, 'annotator', 'Ann Berg')
  await person.goto(`${front.served.url}/p/desk/judge/${campaign}`)
  await person.getByRole('button', { name: 'I have read it' }).press('Enter')
  await person.getByText('qualification: 0 of 3').waitFor()
  await judge((i) => i === 0, 3)
  await person.getByRole('heading', { name: 'The qualification was not passed' }).waitFor()
  await person.getByText('1 of 3 right; asked for is 2.5 of 3 right.').waitFor()
  expect(await person.getByRole('region', { name: 'Not as known' }).count()).toBe(2)
  expect(await person.locator('.missed').first().textContent()).toMatch(/(Left|Right) is better.*(promises|says when)/)
  await looksRight(person, 'qualification-failed')
  await person.getByRole('button', { name: 'I have read it again' }).press('Enter')
  await person.getByText('qualification: 0 of 3').waitFor()
  await judge(() => true, 3)
  await person.getByText('qualified, 3 of 3 right').waitFor()
  await judge(() => true, 7)
  await person.getByText('Nothing is left for you here').waitFor()
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  await lead.getByText('qualified, 3 of 3').waitFor()
  await lead.getByRole('img', { name: /Ann Berg on gold: 0\.67/ }).waitFor()
  await looksRight(lead, 'campaign-gold')
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
