// Rating dialogues in Chromium: each message of the assistant has its questions beneath it, the whole has its own after them, all
// from the keyboard; and a lead sees what was said by place in the dialogue.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const DIALOGUES = 3
const front = openFront()
let lead: Page
let page: Page
let campaign: string

const rows = Array.from({ length: DIALOGUES }, (_, i) => ({
  prompt: [
    { role: 'user', content: `Order ${41_300 + i} is ${i + 2} days late. When does it come?` },
    { role: 'assistant', content: 'I am sorry for the wait. It is with the carrier and comes on Friday.' },
    { role: 'user', content: 'And can I get something back?' },
  ],
  completion: `Yes: I can refund up to $${20 + i}. Shall I?`,
}))

test('a lead asks one question of each message and one of the whole', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/dialogues?kind=demonstrations', file)
  page = await joinAs(front, lead, 'annotator', 'Ann Berg')
  await lead.goto(`${front.served.url}/p/desk/campaigns`)
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('People are asked for').selectOption('ratings')
  await lead.getByLabel('Name').fill('Dialogues')
  await lead.getByLabel('People for each answer').fill('1')
  await lead.getByLabel('Question 1').fill('How is its tone?')
  await lead.getByLabel('Of each message of the assistant').check()
  await lead.getByRole('button', { name: 'One question more' }).click()
  await lead.getByLabel('Question 2').fill('Is the matter settled?')
  await lead.getByLabel('Answered by, 2').selectOption('boolean')
  await looksRight(lead, 'new-dialogues')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByRole('heading', { name: 'Dialogues' }).waitFor()
  campaign = lead.url()
})

test('messages are rated one by one and then the whole, from the keyboard; what is missing is named', async (ctx) => {
  hasBrowser(ctx)
  await page.goto(campaign.replace('/campaigns/', '/rate/'))
  await page.getByRole('button', { name: 'I have read it' }).press('Enter')
  const dialogue = page.getByRole('list', { name: 'Dialogue' })
  await dialogue.waitFor()
  expect(await dialogue.getByRole('listitem').count()).toBe(4)
  const second = dialogue.getByRole('listitem', { name: 'Message 2, assistant' })
  const last = dialogue.getByRole('listitem', { name: 'Message 4, assistant' })
  expect(await second.getByRole('radio').count()).toBe(5)
  expect(await dialogue.getByRole('listitem', { name: 'Message 3, user' }).getByRole('radio').count()).toBe(0)
  await page.keyboard.press('2')
  await page.keyboard.press('Enter')
  await page.getByText('Message 4: How is its tone? expected an answer.').waitFor()
  await page.keyboard.press('5')
  expect(await second.getByRole('radio', { checked: true }).getAttribute('aria-label')).toBe('2')
  expect(await last.getByRole('radio', { checked: true }).getAttribute('aria-label')).toBe('5')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('1')
  await looksRight(page, 'dialogue')
  await page.keyboard.press('Enter')
  await page.getByText('1 answer by you').waitFor()
  // Undo brings every value back to its message.
  await page.keyboard.press('u')
  await page.getByText('0 answers by you').waitFor()
  expect(await second.getByRole('radio', { checked: true }).getAttribute('aria-label')).toBe('2')
  expect(await last.getByRole('radio', { checked: true }).getAttribute('aria-label')).toBe('5')
  await page.keyboard.press('Enter')
  await page.getByText('1 answer by you').waitFor()
})

test('the others are rated in the same way, without the mouse', async (ctx) => {
  hasBrowser(ctx)
  for (let done = 1; done < DIALOGUES; done++) {
    await page.getByText(`${done} answer${done === 1 ? '' : 's'} by you`).waitFor()
    for (const key of ['3', 'ArrowDown', '4', 'ArrowDown', '2', 'Enter']) await page.keyboard.press(key)
  }
  await page.getByText(`${DIALOGUES} answers by you`).waitFor()
})

test('the lead sees both, the tone by place in the dialogue', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(campaign)
  await lead.getByRole('row', { name: /^Message 2/ }).waitFor()
  await lead.getByText('By place in the dialogue').waitFor()
  await lead.getByRole('heading', { name: 'Is the matter settled?' }).waitFor()
  await looksRight(lead, 'dialogues-report')
  expect(complaints).toEqual([])
})
