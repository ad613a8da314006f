// The page of one dataset, in Chromium, from the keyboard: versions, rows, how two differ.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const front = openFront()
let lead: Page

const TOPICS = [
  ['refund', 'When do I get the money back for the kettle I returned'],
  ['delivery', 'My parcel was to arrive on Monday and the courier never came'],
  ['account', 'I forgot my password and the reset mail does not reach me'],
] as const
const rows = Array.from({ length: 60 }, (_, i) => {
  const [stratum, text] = TOPICS[i % 3]!
  return {
    id: `r${i}`,
    group: `customer ${i % 20}`,
    stratum,
    prompt: `${text}, order ${4100 + i}, written by person${i} about thing${i} on day${i}.`,
    completion: `Thank you for writing, person${i}: I look into number${i} of thing${i} and answer by evening${i}.`,
  }
})

async function put(name: string, kind: string, given: object[]): Promise<void> {
  const file = Buffer.from(given.map((row) => JSON.stringify(row)).join('\n'))
  await ask(front, lead.context(), `POST /api/projects/desk/datasets/${name}?kind=${kind}&file=${name}.jsonl`, file)
}

test('a lead opens a dataset, downloads a version and sees word by word what a later one changed', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  await put('replies', 'demonstrations', rows)
  const later = rows.map((row, i) => (i === 3 ? { ...row, completion: `${row.completion} I am sorry.` } : row))
  await put('replies', 'demonstrations', [...later.slice(0, 59), { ...rows[59]!, id: 'new' }])
  await lead.getByRole('link', { name: 'Datasets' }).click()
  await lead.getByRole('link', { name: 'replies' }).press('Enter')
  await lead.getByRole('heading', { name: 'Rows 1 to 50 of 60' }).waitFor()
  expect(await lead.getByRole('row', { name: /import of replies\.jsonl/ }).count()).toBe(2)
  await lead.getByRole('button', { name: 'After' }).press('Enter')
  await lead.getByRole('heading', { name: 'Rows 51 to 60 of 60' }).waitFor()
  await looksRight(lead, 'dataset-rows')
  const [download] = await Promise.all([
    lead.waitForEvent('download'),
    lead.getByRole('link', { name: 'Download CSV' }).press('Enter'),
  ])
  expect(download.suggestedFilename()).toMatch(/^replies-[0-9a-f]{12}\.csv$/)
  await lead.getByRole('navigation').getByRole('link', { name: 'Difference' }).press('Enter')
  await lead.getByText('1 added, 1 removed, 1 changed, 58 the same.').waitFor()
  expect(await lead.locator('ins').allTextContents()).toEqual(['I am sorry.'])
  await looksRight(lead, 'dataset-difference')
})

test('who only looks on is offered no file and nothing to make', async (ctx) => {
  hasBrowser(ctx)
  const viewer = await joinAs(front, lead, 'viewer', 'Vera Gast')
  await viewer.goto(`${front.served.url}/p/desk/datasets/replies`)
  await viewer.getByRole('heading', { name: 'Rows 1 to 50 of 60' }).waitFor()
  expect(await viewer.getByRole('link', { name: /Download/ }).count()).toBe(0)
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
