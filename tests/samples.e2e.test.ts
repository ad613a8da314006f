// Samples as a lead draws them, in Chromium: a model and prompts are chosen, the answers appear, a campaign is made of them,
// and nothing that an annotator gets says whose answers they are.
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { createTinyModel } from '../src/sampler/tiny-model.test-data.ts'
import { complaints, hasBrowser, looksRight, somebody } from './browser.ts'
import { openFront } from './serve.test-data.ts'

const front = openFront()
let lead: Page

test('two models answer the prompts of a dataset that was dropped', async (ctx) => {
  hasBrowser(ctx)
  for (const [i, name] of ['candidate', 'rival'].entries())
    createTinyModel(join(front.workspace, 'models', name), { contextTokens: 400, seed: i + 1 })
  lead = (await somebody(front.browser)).page
  await lead.goto(front.served.setUp!)
  await lead.getByLabel('Your name').fill('Lea Winter')
  await lead.getByLabel('E-mail address').fill('lea@example.org')
  await lead.getByLabel('Password').fill('a long enough sentence')
  await lead.keyboard.press('Enter')
  await lead.getByRole('link', { name: 'Samples' }).click()
  await lead.getByText('No samples yet').waitFor()
  await lead.getByRole('button', { name: 'Draw samples' }).click()
  await lead.getByText('First import prompts').waitFor()
  await lead.getByRole('link', { name: 'Datasets' }).first().click()
  await lead.getByLabel('Kind of rows').selectOption('prompts')
  const text = Array.from({ length: 12 }, (_, i) => JSON.stringify({ prompt: `Where is order ${i}?` })).join('\n')
  await lead
    .getByLabel('Drop a file here')
    .setInputFiles({ name: 'questions.jsonl', mimeType: 'text/plain', buffer: Buffer.from(text) })
  await lead.getByText('Imported questions, 12 rows').waitFor()
  await lead.getByRole('link', { name: 'Samples' }).click()
  await lead.getByRole('button', { name: 'Draw samples' }).click()
  await lead.getByLabel('Name').fill('first-look')
  await lead.getByLabel('Model').selectOption('models/candidate')
  await lead.getByLabel('Held against').selectOption('models/rival')
  await lead.getByLabel('Samples a prompt').fill('1')
  await lead.getByLabel('Most tokens').fill('30')
  await looksRight(lead, 'new-samples')
  await lead.getByRole('button', { name: 'Draw them' }).click()
  await lead.getByText('24 of 24 samples · drawn').waitFor()
  await lead.getByRole('button', { name: 'Show the first samples' }).click()
  await lead.getByRole('region', { name: 'Prompt 1', exact: true }).waitFor()
  await lead.getByText('models/rival, sample 1').first().waitFor()
  await looksRight(lead, 'samples')
})

test('a campaign of them tells its annotator nothing of the models', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByRole('link', { name: 'To the campaigns' }).click()
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('Name').fill('Which is better')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByRole('heading', { name: 'Which is better' }).waitFor()
  await lead.getByRole('link', { name: 'People' }).click()
  await lead.getByLabel('Invite somebody as').selectOption('annotator')
  await lead.getByRole('button', { name: 'Make a link' }).click()
  const link = await lead.getByLabel('Invitation for one annotator').inputValue()
  const { page } = await somebody(front.browser)
  const told: string[] = []
  page.on('response', (response) => {
    if (response.url().includes('/api/'))
      void response.text().then(
        (body) => told.push(body),
        () => {},
      )
  })
  await page.goto(link)
  await page.getByLabel('Your name').fill('Ann Berg')
  await page.getByLabel('E-mail address').fill('ann@example.org')
  await page.getByLabel('Password').fill('a long enough sentence')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: /to judge in Which is better/ }).click()
  await page.getByRole('button', { name: 'I have read it' }).click()
  await page.getByRole('region', { name: 'Left' }).waitFor()
  for (let i = 1; i <= 3; i++) {
    await page.keyboard.press('1')
    await page.keyboard.press('Enter')
    await page.getByText(`${i} answer${i === 1 ? '' : 's'} by you`).waitFor()
  }
  expect(told.join('\n')).toContain('Where is order')
  expect(told.join('\n')).not.toMatch(/candidate|rival|models\/|first-look/)
  expect(await page.getByRole('link', { name: 'Samples' }).count()).toBe(0)
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
