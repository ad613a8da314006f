// The page of one dataset, in Chromium, from the keyboard: versions, rows, how two differ.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  const [parquet] = await Promise.all([
    lead.waitForEvent('download'),
    lead.getByRole('link', { name: 'Download Parquet' }).press('Enter'),
  ])
  expect(parquet.suggestedFilename()).toMatch(/^replies-[0-9a-f]{12}\.parquet$/)
  await lead.getByRole('navigation').getByRole('link', { name: 'Difference' }).press('Enter')
  await lead.getByText('1 added, 1 removed, 1 changed, 58 the same.').waitFor()
  expect(await lead.locator('ins').allTextContents()).toEqual(['I am sorry.'])
  await looksRight(lead, 'dataset-difference')
})

test('checks show what clashes side by side, and what passes is kept as the next version', async (ctx) => {
  hasBrowser(ctx)
  const near = {
    ...rows[7]!,
    id: 'near',
    group: 'somebody',
    completion: `${rows[7]!.completion} With regards, the desk.`,
  }
  const mail = {
    ...rows[8]!,
    id: 'mail',
    group: 'somebody',
    prompt: 'Who am I?',
    completion: 'Write to jo@example.org.',
  }
  await put('drafts', 'demonstrations', [...rows, { ...rows[5]!, id: 'copy' }, near, mail])
  await put('held-out', 'prompts', [{ id: 'h1', prompt: rows[11]!.prompt }])
  await lead.goto(`${front.served.url}/p/desk/datasets/drafts`)
  await lead.getByRole('link', { name: 'Checks' }).press('Enter')
  await lead.getByText('Of 63 rows').waitFor()
  await lead.getByLabel('Held-out rows').selectOption('held-out')
  await lead.getByLabel('Near-duplicates from').fill('0.6')
  await lead.getByText('What is done about each').press('Enter')
  await lead.getByLabel('personal-data', { exact: true }).selectOption('off')
  await lead.getByRole('button', { name: 'Check' }).press('Enter')
  await lead.getByRole('heading', { name: 'leak-text: 1 row' }).waitFor()
  await lead.getByText('Not looked for: token-budget, personal-data').waitFor()
  await lead.getByRole('heading', { name: 'near-duplicate: 1 row' }).waitFor()
  const pair = lead.getByRole('region', { name: 'near-duplicate' }).locator('.clash')
  expect(await pair.textContent()).toMatch(/near.*With regards.*Row 8.*r7/s)
  await looksRight(lead, 'dataset-checks')
  await lead.getByRole('button', { name: 'Keep the 60 rows that pass as the next version' }).press('Enter')
  await lead.getByText('0 added, 3 removed, 0 changed, 60 the same.').waitFor()
  await lead.getByRole('row', { name: /check: .*1 near-duplicate/ }).waitFor()
})

test('a split is looked at by stratum before it is made', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(`${front.served.url}/p/desk/datasets/replies`)
  await lead.getByRole('link', { name: 'Split' }).press('Enter')
  await lead.getByText('Rows with the same group stay together: 20 groups.').waitFor()
  await lead.getByLabel('Shares').fill('train=0.7, test=0.2')
  await lead.keyboard.press('Enter')
  await lead.getByText('add up to 1').waitFor()
  await lead.getByLabel('Shares').fill('train=0.7, test=0.3')
  await lead.getByLabel('Keep the share of each stratum').press('Space')
  await lead.getByRole('button', { name: 'Look where the rows go' }).press('Enter')
  await lead.getByRole('row', { name: /^test 30\.0% 18 / }).waitFor()
  await looksRight(lead, 'dataset-split')
  await lead.getByRole('button', { name: 'Make replies-train, replies-test' }).press('Enter')
  await lead.getByRole('link', { name: /^replies-test [0-9a-f]{12}$/ }).press('Enter')
  await lead.getByRole('heading', { name: 'replies-test', level: 1 }).waitFor()
  await lead.getByRole('row', { name: /split: test by group, seed 1 replies [0-9a-f]{12}/ }).waitFor()
})

test('the coverage map says first what has no demonstration, and with which words', async (ctx) => {
  hasBrowser(ctx)
  const asks = [
    ...rows.map(({ stratum, prompt }) => ({ stratum, prompt })),
    ...Array.from({ length: 24 }, (_, i) => ({
      stratum: 'invoice',
      prompt: `The invoice ${700 + i} shows a wrong tax number for the company of person${i}`,
    })),
  ]
  await put('asks', 'prompts', asks)
  await lead.goto(`${front.served.url}/p/desk/datasets/asks`)
  await lead.getByRole('link', { name: 'Coverage' }).press('Enter')
  await lead.getByLabel('Demonstrations', { exact: true }).selectOption('replies')
  await lead.getByLabel('Alike from').fill('0.5')
  await lead.keyboard.press('Enter')
  await lead.getByText(/^\d+% of 84 prompts have one of 60 demonstrations like them\./).waitFor()
  const clusters = lead.getByRole('table', { name: 'Clusters' }).locator('tbody tr')
  expect(await clusters.first().textContent()).toMatch(/invoice.*Write for.*The invoice.*0 demonstrations0%/s)
  const invoices = lead.getByRole('table', { name: 'Strata' }).locator('tbody tr').first()
  expect(await invoices.textContent()).toMatch(/^invoice24 prompts0 demonstrations0%$/)
  expect(await lead.getByRole('table', { name: 'Quotas by stratum' }).count()).toBe(0)
  const quotas = '{"demonstrations": {"refund": 12, "invoice": 24, "emotional": 10}, "prompts": {"invoice": 30}}'
  writeFileSync(join(front.workspace, 'quotas.json'), quotas)
  await lead.reload()
  await lead.getByLabel('Demonstrations', { exact: true }).selectOption('replies')
  await lead.getByLabel('Alike from').fill('0.5')
  await lead.keyboard.press('Enter')
  const wanted = lead.getByRole('table', { name: 'Quotas by stratum' }).locator('tbody tr')
  await wanted.first().waitFor()
  expect(await wanted.allTextContents()).toEqual([
    'invoice0 of 24 demonstrations24',
    'emotional0 of 10 demonstrations10',
    'invoice24 of 30 prompts6',
    'refund20 of 12 demonstrations0',
  ])
  await looksRight(lead, 'dataset-coverage')
})

test('who only looks on is offered no file and nothing to make', async (ctx) => {
  hasBrowser(ctx)
  const viewer = await joinAs(front, lead, 'viewer', 'Vera Gast')
  await viewer.goto(`${front.served.url}/p/desk/datasets/replies`)
  await viewer.getByRole('heading', { name: 'Rows 1 to 50 of 60' }).waitFor()
  expect(await viewer.getByRole('link', { name: /Download/ }).count()).toBe(0)
  await viewer.goto(`${front.served.url}/p/desk/datasets/replies?view=split`)
  await viewer.getByText('Rows with the same group stay together: 20 groups.').waitFor()
  expect(await viewer.getByRole('button', { name: /^Make/ }).count()).toBe(0)
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
