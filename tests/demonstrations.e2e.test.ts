// Demonstrations in Chromium: a lead asks for answers, somebody writes with tokens counted and every keystroke kept, a second
// person sends back, fixes and accepts, and what is accepted is a dataset that a run of SFT can be started from.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const PROMPTS = 2
const front = openFront()
let lead: Page
let writer: Page
let reviewer: Page

const box = (page: Page) => page.locator('#answer')

test('a lead opens a campaign of drafted answers to be made right', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  const rows = Array.from({ length: PROMPTS }, (_, i) => ({
    prompt: `Order ${41_300 + i} is ${i + 2} days late. When does my parcel arrive?`,
    completion: 'Dear customer, your parcel arrives on Monday. That is all.',
  }))
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), 'POST /api/projects/desk/datasets/drafts?kind=demonstrations', file)
  await lead.getByRole('link', { name: 'Campaigns' }).click()
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('People are asked for').selectOption('demonstrations')
  await lead.getByLabel('Name').fill('Answers of spring')
  await looksRight(lead, 'new-demonstrations')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByText('Nothing is written yet').waitFor()
  ;[writer, reviewer] = (await Promise.all([
    joinAs(front, lead, 'annotator', 'Ann Berg'),
    joinAs(front, lead, 'reviewer', 'Rea Vogt'),
  ])) as [Page, Page]
})

test('what is written is counted in tokens, kept over a reload and while the server is away, and submitted by Ctrl-Enter', async (ctx) => {
  hasBrowser(ctx)
  await writer.goto(`${front.served.url}/p/desk`)
  await writer.getByRole('link', { name: `${PROMPTS} prompts to answer in Answers of spring` }).press('Enter')
  await writer.getByRole('button', { name: 'I have read it' }).press('Enter')
  expect(await box(writer).inputValue()).toMatch(/^Dear customer/)
  const counted = writer.getByText(/\d+ tokens of base · saved/)
  await counted.waitFor()
  const before = Number.parseInt((await counted.textContent())!, 10)
  await looksRight(writer, 'write')
  await box(writer).fill('Your parcel is on its way, and I am sorry that it is late. Warmly, Larkspur.')
  await expect.poll(async () => Number.parseInt((await counted.textContent())!, 10)).toBeGreaterThan(before)
  await writer.reload()
  await expect.poll(() => box(writer).inputValue()).toMatch(/^Your parcel is on its way/)
  // The server says nothing for a while: every keystroke is on the device.
  const isDraft = (url: URL): boolean => url.pathname.endsWith('/demonstration')
  await writer.route(isDraft, (route) => route.abort())
  await box(writer).press('End')
  await box(writer).pressSequentially(' Ann')
  await writer.getByText('kept on this device').waitFor()
  await writer.reload()
  expect(await box(writer).inputValue()).toMatch(/Larkspur\. Ann$/)
  await writer.unroute(isDraft)
  await counted.waitFor()
  await box(writer).press('Tab')
  await writer.keyboard.press('c')
  await writer.getByRole('dialog', { name: 'What you changed' }).waitFor()
  await looksRight(writer, 'write-changes')
  await writer.keyboard.press('Escape')
  await box(writer).press('Control+Enter')
  await writer.getByText('1 of 2 demonstrations by all').waitFor()
  expect(await writer.evaluate('localStorage.length')).toBe(0)
  await box(writer).fill('')
  await box(writer).press('Control+Enter')
  await writer.getByText('Write an answer first').waitFor()
  await box(writer).fill('It comes. Bye.')
  // Submitted while the server is away, it waits on the device, over a reload too, and leaves nothing there.
  await writer.route(isDraft, (route) => route.abort())
  await box(writer).press('Control+Enter')
  await writer.getByText('Your answer is kept on this device').waitFor()
  await looksRight(writer, 'write-away')
  await writer.reload()
  await writer.getByText('Your answer is kept on this device').waitFor()
  await writer.unroute(isDraft)
  await writer.getByText('Nothing is left for you here').waitFor()
  expect(await writer.evaluate('localStorage.length')).toBe(0)
})

test('a reviewer sends one back with a reason and fixes the other; its author writes it anew', async (ctx) => {
  hasBrowser(ctx)
  await reviewer.goto(`${front.served.url}/p/desk`)
  await reviewer.getByRole('link', { name: '2 demonstrations to review in Answers of spring' }).press('Enter')
  await reviewer.getByRole('region', { name: 'Answer' }).waitFor()
  await looksRight(reviewer, 'review')
  for (let i = 0; i < PROMPTS; i++) {
    await reviewer.getByText(`${PROMPTS - i} answer${i === 0 ? 's' : ''} to review`).waitFor()
    const shown = (await reviewer.getByRole('region', { name: 'Answer' }).textContent())!
    if (shown.includes('It comes. Bye.')) {
      await reviewer.keyboard.press('b')
      await reviewer.getByText('Say what is to be changed').waitFor()
      await reviewer.keyboard.type('Say when, and be kind.')
      await reviewer.getByRole('button', { name: 'Send back' }).click()
    } else {
      await reviewer.keyboard.press('e')
      const text = reviewer.getByLabel('The answer, to be fixed')
      await text.fill((await text.inputValue()).replace(' Ann', ''))
      await looksRight(reviewer, 'review-fixing')
      await text.press('Control+Enter')
    }
  }
  await reviewer.getByText('Nothing waits for your review').waitFor()
  await writer.getByRole('button', { name: 'Project home' }).click()
  await writer.getByRole('link', { name: '1 sent back to you in Answers of spring' }).press('Enter')
  await writer.getByRole('note').getByText('Say when, and be kind.').waitFor()
  await looksRight(writer, 'write-returned')
  await box(writer).fill('It comes on Friday. I am sorry for the wait. Warmly, Larkspur.')
  await box(writer).press('Control+Enter')
  await writer.getByText('Nothing is left for you here').waitFor()
  await reviewer.getByRole('button', { name: 'Look again' }).click()
  await reviewer.getByText('Sent back before:').waitFor()
  await reviewer.keyboard.press('Enter')
  await reviewer.getByText('Nothing waits for your review').waitFor()
})

test('a reviewer takes a review back, finds what they wrote, and reviews again; what its author answered stays', async (ctx) => {
  hasBrowser(ctx)
  const last = reviewer.getByRole('region', { name: 'Your last reviews' })
  await last.getByText('fixed and accepted').waitFor()
  await looksRight(reviewer, 'reviewed')
  await last.getByRole('listitem').filter({ hasText: 'fixed and accepted' }).getByRole('button').press('Enter')
  await reviewer.getByText('You took back your review of this one.').waitFor()
  const text = reviewer.getByLabel('The answer, to be fixed')
  expect(await text.inputValue()).toMatch(/Warmly, Larkspur\.$/)
  await looksRight(reviewer, 'review-taken-back')
  await text.press('Control+Enter')
  await reviewer.getByText('Nothing waits for your review').waitFor()
  await last.getByRole('listitem').filter({ hasText: 'sent back' }).getByRole('button').press('Enter')
  await reviewer.getByText('its author has written it anew since').waitFor()
  expect(await last.getByText('fixed and accepted').count()).toBe(1)
})

test('the lead keeps what is accepted, starts from it, and walks from a row to what was submitted', async (ctx) => {
  hasBrowser(ctx)
  await lead.reload()
  await lead.getByText('2 accepted, 1 of them in a reviewer’s words').waitFor()
  await looksRight(lead, 'campaign-demonstrations')
  await lead.getByLabel('Keep what is accepted').fill('written')
  await lead.getByRole('button', { name: 'Keep' }).click()
  await lead.getByText('Kept 2 demonstrations as written@').waitFor()
  await lead.getByRole('link', { name: 'Start a run of SFT from it' }).click()
  await lead.getByRole('button', { name: 'New run' }).click()
  await expect.poll(() => lead.getByRole('option', { name: 'written' }).count()).toBeGreaterThan(0)
  await lead.goBack()
  await lead.getByRole('region', { name: 'The newest' }).getByRole('link').first().click()
  await lead.getByRole('heading', { name: 'A demonstration by Ann Berg' }).waitFor()
  await lead.goBack()
  await lead.getByRole('region', { name: 'The newest' }).getByRole('link').last().click()
  await lead.getByRole('heading', { name: 'Reviews that were taken back' }).waitFor()
  await looksRight(lead, 'submission')
  await lead.getByRole('link', { name: 'Lineage', exact: true }).last().click()
  const picture = lead.getByRole('group', { name: 'Picture of what came from what' })
  await picture.getByRole('link', { name: /^dataset written@/ }).waitFor()
  await picture.getByRole('link', { name: /^guideline/ }).waitFor()
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
