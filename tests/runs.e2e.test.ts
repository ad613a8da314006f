// A run that people steer, in Chromium: an engineer stops it, which saves, and branches from its checkpoint; a viewer only
// watches. The model is tiny and random.
import fs from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { addTinyRuns } from '../trials/worlds/job-workspace.ts'
import { makeSmallFiles } from '../trials/worlds/small-run.ts'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { joinAs, openAsLead, openFront } from './serve.test-data.ts'

const front = openFront()
let lead: Page
const state = (page: Page, text: string) => page.locator('.run-head .chip', { hasText: text }).waitFor()

test('an engineer stops a run, which saved, and branches from its checkpoint; a viewer only watches', async (ctx) => {
  hasBrowser(ctx)
  const files = fs.mkdtempSync(join(front.workspace, 'files-'))
  await makeSmallFiles(files)
  await addTinyRuns(front.workspace, files)
  lead = await openAsLead(front)
  const [engineer, viewer] = [await joinAs(front, lead, 'engineer', 'Eve'), await joinAs(front, lead, 'viewer', 'Vic')]
  for (const page of [engineer, viewer]) await page.goto(`${front.served.url}/p/desk/runs`)
  await engineer.getByRole('button', { name: 'New run' }).click()
  await engineer.getByRole('form', { name: 'New run' }).waitFor()
  await engineer.getByLabel('Name').fill('long')
  await engineer.getByLabel('Model', { exact: true }).selectOption('tiny')
  await engineer.getByLabel('Data').selectOption('colours')
  await engineer.getByLabel('Steps', { exact: true }).fill('5000')
  await engineer.getByRole('button', { name: 'Start the run' }).click()
  await state(engineer, 'running')
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

test('rules are pasted into the form: what is wrong is said at their field, what is right is a term of the run', async (ctx) => {
  hasBrowser(ctx)
  const engineer = await joinAs(front, lead, 'engineer', 'Emil')
  await engineer.goto(`${front.served.url}/p/desk/runs`)
  await engineer.getByRole('button', { name: 'New run' }).click()
  await engineer.getByLabel('Recipe').selectOption('PPO under a KL budget')
  await engineer.getByLabel('Name', { exact: true }).fill('ruled')
  await engineer.getByLabel('Model', { exact: true }).selectOption('tiny')
  await engineer.getByLabel('Data', { exact: true }).selectOption('questions')
  const rules = engineer.getByLabel('Rules', { exact: true })
  await engineer.getByText('Paste them').click()
  const pasted = engineer.getByLabel('Rules, pasted')
  await pasted.fill('[{"name": "length", "weight": 1, "kind": "length"}]')
  // Not yet taken, it keeps a run from beginning without it.
  await engineer.getByRole('button', { name: 'Start the run' }).click()
  await engineer.getByText(/got what was pasted and not taken yet/).waitFor()
  await engineer.getByRole('button', { name: 'Check and take them' }).click()
  await engineer.getByText(/^term 1 \(length\): most: /).waitFor()
  expect(await rules.getAttribute('aria-invalid')).toBe('true')
  await looksRight(engineer, 'run-rules-wrong')
  await pasted.fill('[{"name": "length", "weight": 1, "kind": "length", "least": 12, "most": 24}]')
  await engineer.getByRole('button', { name: 'Check and take them' }).click()
  await engineer.getByRole('option', { name: /^1 term sent now, content / }).waitFor({ state: 'attached' })
  for (const [label, value] of [
    ['Steps', '1'],
    ['Prompts per step', '2'],
    ['Max tokens', '4'],
  ] as const)
    await engineer.getByLabel(label, { exact: true }).fill(value)
  await engineer.getByText('All settings').click()
  await engineer.getByLabel('Warmup steps', { exact: true }).fill('1')
  await engineer.getByLabel('Critic warmup steps', { exact: true }).fill('0')
  await looksRight(engineer, 'run-rules')
  await engineer.getByRole('button', { name: 'Start the run' }).click()
  await state(engineer, 'done')
  const config = JSON.parse(fs.readFileSync(join(front.workspace, 'runs/ruled/config.json'), 'utf8')) as object
  expect(config).toMatchObject({ rewardWeight: 1, criticFrom: 'model', rules: expect.stringMatching(/\/artifacts\//) })
  // A file is dropped likewise, and one that an earlier run took is offered.
  await engineer.goto(`${front.served.url}/p/desk/runs`)
  await engineer.getByRole('button', { name: 'New run' }).click()
  const texts = { name: 'texts.jsonl', mimeType: 'text/plain', buffer: Buffer.from('{"text":"The lamp is red."}\n') }
  await engineer.getByLabel('General: drop a file here, or choose one').setInputFiles(texts)
  await engineer.getByRole('option', { name: /^1 text sent now/ }).waitFor({ state: 'attached' })
  await engineer.getByLabel('Recipe').selectOption('PPO under a KL budget')
  await engineer.getByRole('option', { name: /^of ruled, content / }).waitFor({ state: 'attached' })
})

test('an SFT run watches prompts: what it answers at two steps stands side by side, with the words that differ', async (ctx) => {
  hasBrowser(ctx)
  const engineer = await joinAs(front, lead, 'engineer', 'Ella')
  await engineer.goto(`${front.served.url}/p/desk/runs`)
  await engineer.getByRole('button', { name: 'New run' }).click()
  await engineer.getByLabel('Name', { exact: true }).fill('watching')
  await engineer.getByLabel('Model', { exact: true }).selectOption('tiny')
  await engineer.getByLabel('Data', { exact: true }).selectOption('colours')
  await engineer.getByLabel('Steps', { exact: true }).fill('6')
  await engineer.getByText('All settings').click()
  await engineer.getByLabel('Samples every', { exact: true }).fill('2')
  await engineer.getByLabel('Samples max tokens', { exact: true }).fill('8')
  await engineer.getByRole('button', { name: 'Start the run' }).click()
  await engineer.getByText('samplesEvery would be ignored without watch').waitFor()
  await engineer.getByLabel('Watch', { exact: true }).selectOption('questions')
  await engineer.getByRole('button', { name: 'Start the run' }).click()
  await state(engineer, 'done')
  const panel = engineer.getByRole('region', { name: 'The same prompts along the run' })
  await panel.waitFor()
  expect(await panel.getByRole('listitem').count()).toBe(12)
  await expect.poll(() => panel.getByLabel('against step').getAttribute('aria-valuetext')).toBe('step 6')
  expect(await panel.locator('ins').count()).toBeGreaterThan(0)
  await panel.getByLabel('Step', { exact: false }).first().press('ArrowRight')
  await panel.getByText('Step 2', { exact: false }).first().waitFor()
  await looksRight(engineer, 'run-watched')
})

test('two runs on the same charts, ticked and opened by keyboard, with the settings in which they differ', async (ctx) => {
  hasBrowser(ctx)
  const viewer = await joinAs(front, lead, 'viewer', 'Vera')
  await viewer.goto(`${front.served.url}/p/desk/runs`)
  await viewer.getByText('Tick two runs or more').waitFor()
  for (const name of ['long', 'shorter']) await viewer.getByLabel(`Compare ${name}`).press('Space')
  await viewer.getByRole('link', { name: 'Compare 2 runs' }).press('Enter')
  await viewer.getByRole('heading', { name: 'Runs beside each other' }).waitFor()
  const loss = viewer.getByRole('img', { name: /^Loss: long from .*; shorter from / })
  await loss.press('End')
  await viewer.getByText(/^step \d+: .*(long|shorter) \d/).waitFor()
  const steps = viewer.getByRole('row', { name: /^steps 5000 \d+$/ })
  await steps.waitFor()
  expect(await viewer.getByRole('rowheader', { name: 'learning rate' }).count()).toBe(0)
  await looksRight(viewer, 'compare-runs')
  // The address is all there is to it.
  await viewer.goto(`${front.served.url}/p/desk/compare?runs=long`)
  await viewer.getByText('Choose two runs or more').waitFor()
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
