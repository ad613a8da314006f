// A release in Chromium: rules over an evaluation, one of them waived, a reviewer signs, a program asks by name with a key.
import fs from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { hashFolder } from '#files'
import { createTinyModel } from '../src/sampler/tiny-model.test-data.ts'
import { complaints, hasBrowser, looksRight, somebody } from './browser.ts'
import { openFront } from './serve.test-data.ts'

const front = openFront()
let owner: Page

test('a model is put to rules over its evaluation; one fails and is waived, by name and for a time', async (ctx) => {
  hasBrowser(ctx)
  const folder = join(front.workspace, 'models', 'candidate')
  createTinyModel(folder, { contextTokens: 400 })
  const evaluation = {
    kind: 'evaluation',
    hone: '0.0.0',
    metric: 'win-rate',
    model: { path: folder, hash: hashFolder(folder) },
    suite: { name: 'spring', path: 'x', hash: 'a'.repeat(64), rows: 400 },
    settings: {},
    simulated: false,
    statistics: {
      'win-rate': { value: 0.58, low: 0.53, high: 0.63, n: 400 },
      strata: [{ name: 'late', value: 0.49, low: 0.41, high: 0.57, n: 120 }],
    },
  }
  fs.writeFileSync(join(front.workspace, 'spring.json'), JSON.stringify(evaluation, null, 2))
  const rules = [
    { name: 'preferred blind', statistic: 'spring.win-rate', bound: 'low', comparison: 'above', value: 0.5 },
  ]
  fs.writeFileSync(join(front.workspace, 'gates.json'), JSON.stringify(rules))
  owner = (await somebody(front.browser)).page
  await owner.goto(front.served.setUp!)
  await owner.getByLabel('Your name').fill('Lea Winter')
  await owner.getByLabel('E-mail address').fill('lea@example.org')
  await owner.getByLabel('Password').fill('a long enough sentence')
  await owner.keyboard.press('Enter')
  await owner.getByRole('link', { name: 'Releases' }).click()
  await owner.getByText('Nothing is released yet').waitFor()
  await owner.getByRole('button', { name: 'Put a model to the rules' }).click()
  expect(await owner.getByRole('group', { name: 'Rule 1' }).getByLabel('Statistic').inputValue()).toBe(
    'spring.win-rate',
  )
  await owner.getByRole('button', { name: 'Another rule' }).click()
  const second = owner.getByRole('group', { name: 'Rule 2' })
  await second.getByLabel('Name').fill('late parcels')
  await second.getByLabel('Statistic').fill('spring.strata.late')
  await second.getByLabel('Limit').fill('0.45')
  await owner.getByLabel('Name of the release').fill('desk')
  await looksRight(owner, 'new-candidacy')
  await owner.getByRole('button', { name: 'Let the rules decide' }).click()
  await owner.getByText('refused by the rules').waitFor()
  await owner.getByText('spring.strata.late is 0.49 [0.41, 0.57], n = 120, low end 0.41: not above 0.45').waitFor()
  await owner.getByRole('button', { name: 'Waive this rule' }).click()
  await owner.getByLabel('Why may this rule be passed over?').fill('a new carrier from Monday')
  await owner.getByRole('button', { name: 'Waive it' }).click()
  await owner.getByText('passed by waiver, waits for a signature').waitFor()
  // Who asked has no way to sign.
  expect(await owner.getByRole('button', { name: 'Sign and release' }).count()).toBe(0)
  await looksRight(owner, 'candidacy')
})

test('a reviewer who did not ask signs; the name stands for the weights, and a program asks by it', async (ctx) => {
  hasBrowser(ctx)
  await owner.getByRole('link', { name: 'People' }).click()
  await owner.getByLabel('Invite somebody as').selectOption('reviewer')
  await owner.getByRole('button', { name: 'Make a link' }).click()
  const link = await owner.getByLabel('Invitation for one reviewer').inputValue()
  const { page } = await somebody(front.browser)
  await page.goto(link)
  await page.getByLabel('Your name').fill('Rob Stein')
  await page.getByLabel('E-mail address').fill('rob@example.org')
  await page.getByLabel('Password').fill('a long enough sentence')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'Releases' }).click()
  await page.getByLabel('Your word on it').fill('looked at ten of the losses')
  await page.getByRole('button', { name: 'Sign and release' }).click()
  await page.getByRole('region', { name: 'desk' }).getByText('stands for').waitFor()
  await page.context().close()

  await owner.getByRole('link', { name: 'Releases' }).click()
  await owner.getByText('Signed by').waitFor()
  await owner.getByLabel('Program', { exact: true }).fill('Help desk')
  await owner.getByRole('button', { name: 'Make a key' }).click()
  const key = await owner.getByLabel('The key').inputValue()
  await looksRight(owner, 'releases')
  const answer = await fetch(`${front.served.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'desk', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 6 }),
  })
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({ model: 'desk', choices: [{ message: { role: 'assistant' } }] })
  await owner.getByRole('button', { name: 'Revoke Help desk' }).click()
  await owner.getByText('revoked', { exact: true }).waitFor()
  const refused = await fetch(`${front.served.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
  expect(refused.status).toBe(401)
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
