// Runs as people meet them, in Chromium: an engineer starts SFT of the bundled base from the form, corrects a field, watches
// it finish, stops another and branches from it; PPO reaches a mark and waits; three people judge its pairs on their pages;
// it goes on by itself. The models of PPO are tiny and random, so that a mark comes at once.
import fs from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { addTinyRuns } from '../trials/worlds/job-workspace.ts'
import { makeSmallFiles } from '../trials/worlds/small-run.ts'
import { complaints, hasBrowser, looksRight, somebody } from './browser.ts'
import { openFront } from './serve.test-data.ts'

const PASSWORD = 'a long enough sentence'
const front = openFront()
let lead: Page
const annotators: Page[] = []

async function signUp(page: Page, name: string, email: string): Promise<void> {
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.keyboard.press('Enter')
}

async function invite(role: string, name: string): Promise<Page> {
  await lead.getByRole('link', { name: 'People' }).click()
  await lead.getByLabel('Invite somebody as').selectOption(role)
  await lead.getByRole('button', { name: 'Make a link' }).click()
  const link = await lead.getByLabel(`Invitation for one ${role}`).inputValue()
  await lead.getByRole('link', { name: 'Home' }).click()
  const { page } = await somebody(front.browser)
  await page.goto(link)
  await signUp(page, name, `${name.toLowerCase()}@example.org`)
  await page.getByText(`You are ${role} here.`).waitFor()
  return page
}

const state = (page: Page, text: string) => page.locator('.run-head .chip', { hasText: text }).waitFor()
const newRun = async (page: Page) => {
  await page.getByRole('link', { name: 'Runs' }).click()
  await page.getByRole('button', { name: 'New run' }).click()
  await page.getByRole('form', { name: 'New run' }).waitFor()
}

test('SFT is started from the form, with the error at its field, and watched to its end', async (ctx) => {
  hasBrowser(ctx)
  const files = fs.mkdtempSync(join(front.workspace, 'files-'))
  await makeSmallFiles(files)
  await addTinyRuns(front.workspace, files)
  lead = (await somebody(front.browser)).page
  await lead.goto(front.served.setUp!)
  await signUp(lead, 'Lea', 'lea@example.org')
  await lead.getByText('You are owner here.').waitFor()
  await lead.getByRole('link', { name: 'Runs' }).click()
  await lead.getByText('tiny-reward').waitFor()
  await newRun(lead)
  await lead.getByLabel('Name').fill('polite')
  await lead.getByLabel('Model', { exact: true }).selectOption('base')
  await lead.getByLabel('Data').selectOption('colours')
  await lead.getByLabel('Held out').selectOption('colours')
  await lead.getByLabel('Steps', { exact: true }).fill('-4')
  await lead.getByRole('button', { name: 'Start the run' }).click()
  await lead.getByRole('alert').waitFor()
  expect(await lead.evaluate('document.activeElement.name')).toBe('settings.steps')
  await looksRight(lead, 'start-run')
  await lead.getByLabel('Steps', { exact: true }).fill('4')
  await lead.getByRole('button', { name: 'Start the run' }).click()
  await lead.getByRole('heading', { name: 'polite' }).waitFor()
  await state(lead, 'done')
  await lead.getByText('all 4 steps are done').first().waitFor()
  await lead.getByRole('img', { name: /^Loss: loss from/ }).waitFor()
  // Numbers by keyboard, and as a file.
  await lead.getByRole('img', { name: /^Loss:/ }).press('End')
  await lead.getByText(/step 4: .*loss \d/i).waitFor()
  const [download] = await Promise.all([lead.waitForEvent('download'), lead.getByRole('link', { name: 'CSV' }).click()])
  const csv = fs
    .readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n')
  expect(csv[0]).toMatch(/^step,.*loss/)
  expect(csv.at(-1)).toMatch(/^4,/)
  await lead.getByText('Config and inputs').click()
  await lead.getByText(/^hone train sft --out runs\/polite --model base/).waitFor()
  await looksRight(lead, 'run')
})

test('an engineer stops a run, which saved, and branches from its checkpoint; a viewer only watches', async (ctx) => {
  hasBrowser(ctx)
  const engineer = await invite('engineer', 'Eve')
  const viewer = await invite('viewer', 'Vic')
  await newRun(engineer)
  await engineer.getByLabel('Name').fill('long')
  await engineer.getByLabel('Model', { exact: true }).selectOption('tiny')
  await engineer.getByLabel('Data').selectOption('colours')
  await engineer.getByLabel('Steps', { exact: true }).fill('5000')
  await engineer.getByRole('button', { name: 'Start the run' }).click()
  await state(engineer, 'running')
  await viewer.getByRole('link', { name: 'Runs' }).click()
  await viewer.getByRole('link', { name: /^long/ }).click()
  await state(viewer, 'running')
  // Live: it moves without a reload, for both.
  for (const page of [engineer, viewer])
    await expect.poll(() => page.locator('.run-head').textContent(), { timeout: 120_000 }).toMatch(/step \d/)
  expect(await viewer.getByRole('button', { name: 'Stop' }).count()).toBe(0)
  await engineer.getByRole('button', { name: 'Stop' }).click()
  await state(engineer, 'stopped')
  await state(viewer, 'stopped')
  await engineer.getByRole('button', { name: 'Branch from a checkpoint' }).click()
  const form = engineer.getByRole('form', { name: 'Branch' })
  const step = Number(await form.getByLabel('Checkpoint', { exact: true }).inputValue())
  await form.getByLabel('Name', { exact: true }).fill('shorter')
  await form.getByLabel('Steps', { exact: true }).fill(String(step + 3))
  await looksRight(engineer, 'branch')
  await engineer.getByRole('button', { name: 'Start the branch' }).click()
  await engineer.getByRole('heading', { name: 'shorter' }).waitFor()
  await state(engineer, 'done')
  const config = JSON.parse(fs.readFileSync(join(front.workspace, 'runs/shorter/config.json'), 'utf8')) as {
    config: { steps: number }
  }
  expect(config.config.steps).toBe(step + 3)
  await engineer.getByRole('link', { name: 'Runs' }).click()
  await engineer.getByText('shorter').waitFor()
  await looksRight(engineer, 'runs')
})

test('PPO waits at a mark; three people judge its pairs on their pages; it goes on by itself to its end', async (ctx) => {
  hasBrowser(ctx)
  for (const name of ['Ann', 'Ben', 'Cem']) annotators.push(await invite('annotator', name))
  await newRun(lead)
  await lead.getByLabel('Recipe').selectOption('ppo')
  await lead.getByLabel('Name').fill('ppo')
  await lead.getByLabel('Model', { exact: true }).selectOption('tiny')
  await lead.getByLabel('Reward', { exact: true }).selectOption('tiny-reward')
  await lead.getByLabel('Data', { exact: true }).selectOption('questions')
  await lead.getByLabel('Judge').selectOption('people')
  await lead.getByLabel('Watch').selectOption('questions')
  await lead.getByText('All settings').click()
  const settings = {
    Steps: '3',
    'Learning rate': '0.003',
    'KL budget': 'off',
    'Mark every': '0.01',
    'Mark pairs': '4',
    'Prompts per step': '4',
    'Max tokens': '8',
    'Warmup steps': '1',
    'Critic warmup steps': '1',
    'Samples every': '1',
  }
  for (const [label, value] of Object.entries(settings)) await lead.getByLabel(label, { exact: true }).fill(value)
  await lead.getByRole('button', { name: 'Start the run' }).click()
  await state(lead, 'waits for people')
  const missing = async () =>
    Number(/Waits for (\d+) judgement/.exec((await lead.locator('main').textContent()) ?? '')?.[1])
  const wanted = await missing()
  expect(wanted).toBeGreaterThan(0)
  await looksRight(lead, 'run-waiting')
  await lead.getByRole('link', { name: 'Home' }).click()
  await lead.getByText(/judgements missing in Fresh pairs 1: the run ppo waits for them/).waitFor()
  await lead.getByText('run waits for people').waitFor()

  let judged = 0
  for (let round = 1; ; round++) {
    const counts = await Promise.all(annotators.map((page) => judgeAll(page, round)))
    judged += counts.reduce((sum, count) => sum + count, 0)
    if (round === 1) expect(judged).toBe(wanted)
    await lead.getByRole('link', { name: 'Runs' }).click()
    await lead.getByRole('link', { name: /^ppo/ }).click()
    await expect
      .poll(
        async () =>
          (await lead.locator('.run-head .chip').textContent()) === 'done' ||
          ((await lead.locator('.run-head .chip').textContent()) === 'waits for people' &&
            (await lead.getByRole('link', { name: `Fresh pairs ${round + 1}` }).count()) > 0),
        { timeout: 200_000 },
      )
      .toBe(true)
    if ((await lead.locator('.run-head .chip').textContent()) === 'done') break
  }
  await lead.getByRole('heading', { name: 'What the KL bought' }).waitFor()
  await lead.getByRole('heading', { name: 'The same prompts along the run' }).waitFor()
  await looksRight(lead, 'run-ppo')
  const marks = join(front.workspace, 'runs/ppo/marks')
  const rows = fs.readdirSync(marks).flatMap((step) =>
    fs
      .readFileSync(join(marks, step, 'judgements.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .filter(Boolean),
  )
  expect(rows).toHaveLength(judged)
})

/** One person judges all that is open, by keyboard; answers how many. */
async function judgeAll(page: Page, round: number): Promise<number> {
  await page.reload()
  await page.getByRole('link', { name: `to judge in Fresh pairs ${round}` }).press('Enter')
  if (round === 1) await page.getByRole('button', { name: 'I have read it' }).press('Enter')
  const sides = page.getByRole('region', { name: 'Left' })
  for (let count = 0; ; count++) {
    await page.getByText(new RegExp(`^${count} answers? by you`)).waitFor()
    if (!(await sides.isVisible())) {
      await page.getByText('Nothing is left for you here').waitFor()
      await page.getByRole('link', { name: 'Home' }).click()
      return count
    }
    await page.keyboard.press(count % 3 === 0 ? '5' : '3')
    await page.keyboard.press('Enter')
  }
}

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
