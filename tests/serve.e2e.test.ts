// The web application as people meet it: a real `hone serve` on its own Postgres, in Chromium, by keyboard.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight, somebody } from './browser.ts'
import { openFront, startServe } from './serve.test-data.ts'

const PASSWORD = 'a long enough sentence'
const front = openFront()

/** Goes to a control by Tab alone. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    const label = await page.evaluate<string>(
      `(() => { const e = document.activeElement; return (e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent || '').trim() })()`,
    )
    if (name.test(label)) return
  }
  throw new Error(`no control ${name} within 60 tabs`)
}

let owner: Page
let invitation: string
let secret: string

test('the set-up link leads to an account and a project whose home shows the loop, by keyboard alone', async (ctx) => {
  hasBrowser(ctx)
  const { page } = await somebody(front.browser)
  await page.goto(front.served.url)
  await page.getByRole('heading', { name: 'Not set up yet' }).waitFor()
  await page.goto(front.served.setUp!)
  await page.getByRole('heading', { name: 'Set up hone' }).waitFor()
  await looksRight(page, 'set-up')
  for (const [label, text] of [
    [/^Project/, ''],
    [/^Your name/, 'Lea Winter'],
    [/^E-mail/, 'lea@example.org'],
    [/^Password/, PASSWORD],
  ] as const) {
    await tabTo(page, label)
    if (text !== '') await page.keyboard.type(text)
  }
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'desk', level: 1 }).waitFor()
  const stations = page.getByRole('list', { name: 'The loop' }).getByRole('listitem')
  expect(await stations.count()).toBe(7)
  expect(await stations.first().textContent()).toMatch(/Objective.*7 criteria, 1 of them a constraint/)
  await looksRight(page, 'home')
  expect(await stations.getByRole('link').count()).toBe(7)
  await tabTo(page, /^Comparisons: nobody has judged yet \(not begun\)$/)
  const ring = await page.evaluate(`getComputedStyle(document.activeElement, '::after').outlineStyle`)
  expect(ring).toBe('solid')
  await looksRight(page, 'home-focus')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Campaigns', level: 1 }).waitFor()
  await page.goBack()
  expect(await page.evaluate('document.cookie')).toBe('')
  owner = page
})

test('an owner invites by a link; the person who opens it joins in the role it names', async (ctx) => {
  hasBrowser(ctx)
  await owner.getByRole('link', { name: 'People' }).click()
  await owner.getByLabel('Invite somebody as').selectOption('annotator')
  await owner.getByRole('button', { name: 'Make a link' }).click()
  invitation = await owner.getByLabel('Invitation for one annotator').inputValue()
  await looksRight(owner, 'people')
  const { page } = await somebody(front.browser)
  await page.goto(invitation)
  await page.getByRole('heading', { name: 'Join desk' }).waitFor()
  await page.getByText('You are invited as an annotator.').waitFor()
  await looksRight(page, 'join')
  await page.getByLabel('Your name').fill('Ann Berg')
  await page.getByLabel('E-mail address').fill('ann@example.org')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Join' }).click()
  await page.getByText('You are annotator here.').waitFor()
  const stations = page.getByRole('list', { name: 'The loop' })
  await stations.getByRole('link', { name: 'Objective: 7 criteria, 1 of them a constraint (there)' }).waitFor()
  expect(await stations.getByRole('link').count()).toBe(1)
  await looksRight(page, 'home-annotator')
  // What an annotator may not see has no way to it.
  expect(await page.getByRole('link', { name: 'People' }).count()).toBe(0)
  await page.goto(invitation)
  await page.getByRole('heading', { name: 'This link does not work' }).waitFor()
  await page.context().close()
})

test('a webhook is added with its secret shown once; a test that may not be sent says why; removed, it is gone', async (ctx) => {
  hasBrowser(ctx)
  await owner.getByRole('link', { name: 'Webhooks' }).click()
  await owner.getByText('No program is told anything yet').waitFor()
  await owner.getByRole('textbox', { name: 'Program' }).fill('Board')
  await owner.getByRole('textbox', { name: 'Address' }).fill('http://127.0.0.1:9/hook')
  await owner.getByLabel('run.start').check()
  await owner.getByRole('button', { name: 'Add' }).click()
  secret = await owner.getByLabel('The secret of its signatures').inputValue()
  expect(secret).toMatch(/^whsec_[\w+/]{43}=$/)
  await owner.getByRole('button', { name: 'Send a test' }).click()
  await owner.getByText('127.0.0.1 is no public address').waitFor()
  await looksRight(owner, 'webhooks')
  await owner.reload()
  await owner.getByRole('button', { name: 'Remove Board' }).waitFor()
  expect(await owner.getByLabel('The secret of its signatures').count()).toBe(0)
  await owner.getByRole('button', { name: 'Remove Board' }).click()
  await owner.getByText('No program is told anything yet').waitFor()
})

test('the API can be read and searched; a password is changed by who knows it, and changed back', async (ctx) => {
  hasBrowser(ctx)
  await owner.getByRole('link', { name: 'Lea Winter' }).click()
  await owner.getByRole('link', { name: 'What programs can ask of this server' }).click()
  await owner.getByRole('heading', { name: 'API', level: 1 }).waitFor()
  await looksRight(owner, 'reference')
  await owner.getByLabel('Find').fill('/me/password')
  await owner.getByText(/^1 operation of \d+$/).waitFor()
  await owner.getByText('Change my password; my other sessions end').click()
  await owner.getByText(/current: string \(at least 1 long, at most 128 long\)/).waitFor()
  await looksRight(owner, 'reference-operation')
  await owner.getByRole('link', { name: 'Lea Winter' }).click()
  await owner.getByText('Signed in as lea@example.org.').waitFor()
  const change = async (current: string, next: string): Promise<void> => {
    await owner.getByLabel('Current password').fill(current)
    await owner.getByLabel('New password').fill(next)
    await owner.keyboard.press('Enter')
  }
  await change('not my password', 'another long sentence')
  await owner.getByRole('alert').waitFor()
  await looksRight(owner, 'me')
  await change(PASSWORD, 'another long sentence')
  await owner.getByText('Your password is changed').waitFor()
  await change('another long sentence', PASSWORD)
  await owner.getByLabel('New password').and(owner.locator(':invalid')).waitFor()
  await owner.goto(`${front.served.url}/p/desk`)
  await owner.getByText('You are owner here.').waitFor()
})

test('signing out ends it; a wrong password says so; the right one comes back to the address that was asked for', async (ctx) => {
  hasBrowser(ctx)
  await owner.getByRole('link', { name: 'Audit' }).click()
  await owner.getByText('member.join').waitFor()
  await looksRight(owner, 'audit')
  await owner.getByRole('button', { name: 'Sign out' }).click()
  await owner.getByRole('heading', { name: 'Sign in' }).waitFor()
  await looksRight(owner, 'sign-in')
  await owner.getByLabel('E-mail address').fill('lea@example.org')
  await owner.getByLabel('Password').fill('not my password')
  await owner.keyboard.press('Enter')
  await owner.getByText('e-mail address or password is wrong').waitFor()
  await owner.getByLabel('Password').fill(PASSWORD)
  await owner.keyboard.press('Enter')
  await owner.getByRole('heading', { name: 'Audit' }).waitFor()
})

test('a second server on the workspace is refused by the name of the first; Ctrl-C ends the first, and all is there again', async (ctx) => {
  hasBrowser(ctx)
  await expect(startServe(front.workspace)).rejects.toThrow(new RegExp(`in use by process ${front.served.process.pid}`))
  const port = Number(new URL(front.served.url).port)
  expect(await front.served.stop()).toBe(0)
  front.served = await startServe(front.workspace, { port })
  expect(front.served.setUp).toBeUndefined()
  await owner.reload()
  await owner.getByRole('heading', { name: 'Audit' }).waitFor()
})

test('the browser had nothing to complain about: no script, style or request that the headers forbid', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
  // Nor has the server anything to say of what only its people know.
  for (const canary of [PASSWORD, 'not my password', secret.slice(6), invitation.split('#')[1]!])
    expect(front.served.said()).not.toContain(canary)
})
