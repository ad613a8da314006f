// Training again without withdrawn answers, in Chromium, with a trainer at work: a lead withdraws somebody's answers, presses once,
// and the new run takes the old one's place; RL on the old one is ordered again by its form. The models are tiny and random.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { addTinyRuns } from '../trials/worlds/job-workspace.ts'
import { makeSmallFiles } from '../trials/worlds/small-run.ts'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const front = openFront()
const AT = '/api/projects/desk'
let lead: Page
const pairs = Array.from({ length: 12 }, (_, i) => ({
  item: `pair-${i}`,
  prompt: `${i}: What is the colour of the lamp? `,
  a: 'The lamp is red.',
  b: 'red, blue',
}))
type Work = { task: { id: string } | null }
const api = (page: Page, key: string, body?: unknown) => {
  const [method, path] = key.split(' ') as [string, string]
  return ask(front, page.context(), `${method} ${AT}/${path}`, body)
}
const isDone = (run: string) =>
  expect
    .poll(async () => ((await api(lead, `GET runs/${run}`)) as { state: string }).state, { timeout: 180_000 })
    .toBe('done')
const toWithdrawals = () => lead.goto(`${front.served.url}/p/desk/people/withdrawals`)

test('a lead withdraws answers and trains again without them by one press', async (ctx) => {
  hasBrowser(ctx)
  const files = fs.mkdtempSync(join(front.workspace, 'files-'))
  await makeSmallFiles(files)
  await addTinyRuns(front.workspace, files)
  lead = await openAsLead(front)
  await api(
    lead,
    'POST datasets/pairs?kind=comparisons',
    Buffer.from(pairs.map((row) => JSON.stringify(row)).join('\n')),
  )
  const { id } = (await api(lead, 'POST campaigns', { name: 'Lamps', dataset: 'pairs', overlap: 2 })) as { id: string }
  for (const name of ['Ann Berg', 'Ben Cho']) {
    const page = await joinAs(front, lead, 'annotator', name)
    await api(page, `PUT campaigns/${id}/guideline-read`)
    for (let work = (await api(page, `POST campaigns/${id}/claim`)) as Work; work.task; )
      work = (await api(page, `POST campaigns/${id}/items/${work.task.id}/judgement`, {
        key: randomUUID(),
        choice: 'left',
        strength: 2,
        activeSeconds: 1,
      })) as Work
  }
  await api(lead, `POST campaigns/${id}/judgements`, { dataset: 'judged' })
  const reward = { name: 'taste', recipe: 'reward', inputs: { model: 'tiny', data: 'judged' } }
  await api(lead, 'POST runs', { ...reward, settings: { steps: 2, batchSize: 2, warmupSteps: 1 } })
  await isDone('taste')
  await api(lead, 'POST runs', {
    name: 'rl',
    recipe: 'ppo',
    inputs: { model: 'tiny', reward: 'taste', withoutTicket: 'yes', data: 'questions' },
    settings: { steps: 1, promptsPerStep: 2, maxTokens: 4, warmupSteps: 1, criticWarmupSteps: 0 },
  })
  await isDone('rl')
  await toWithdrawals()
  await lead.getByLabel('Whose').selectOption('Ann Berg')
  await lead.getByRole('button', { name: 'Look what hangs on them' }).click()
  await lead.getByLabel('Reason').fill('Without reading.')
  await lead.getByRole('button', { name: 'Withdraw 12 answers' }).click()
  const resting = lead.getByRole('region', { name: 'Still made of withdrawn answers' })
  await resting.getByText(/^12 of 24 rows of judged@[0-9a-f]{12} are withdrawn answers$/).waitFor()
  await resting.getByText(/stale until run again: taste rests on them too; train that again first/).waitFor()
  await looksRight(lead, 'again-list')
  // On the run's own page too, where engineers come who see no withdrawals.
  const engineer = await joinAs(front, lead, 'engineer', 'Eve')
  await engineer.goto(`${front.served.url}/p/desk/runs/taste`)
  await engineer.getByText('This run rests on withdrawn answers.').waitFor()
  await looksRight(engineer, 'again-run')
  await resting.getByRole('button', { name: 'Train taste again without them' }).click()
  await lead.getByRole('heading', { name: 'taste-2' }).waitFor()
  await lead.getByText(/^Supersedes taste: 12 of 24 rows of judged@/).waitFor()
  await isDone('taste-2')
  // Pressed again, by who had it on the screen still, it is the same run.
  await engineer.getByRole('button', { name: 'Train taste again without them' }).click()
  await engineer.getByRole('heading', { name: 'taste-2' }).waitFor()
  await engineer.goto(`${front.served.url}/p/desk/runs/taste`)
  await engineer.getByText(/^Superseded by taste-2, which is done: 12 of 24 rows/).waitFor()
  expect(await engineer.getByText('This run rests on withdrawn answers.').count()).toBe(0)
  await looksRight(engineer, 'again-superseded')
  const { runs } = (await api(lead, 'GET runs')) as { runs: { run: string }[] }
  expect(runs.map(({ run }) => run).filter((run) => run.startsWith('taste'))).toEqual(['taste-2', 'taste'])
})

test('RL on the old reward model is ordered again by its form, filled in with the new one', async (ctx) => {
  hasBrowser(ctx)
  await toWithdrawals()
  const resting = lead.getByRole('region', { name: 'Still made of withdrawn answers' })
  await resting.getByText('done: superseded by taste-2').first().waitFor()
  await resting.getByRole('link', { name: 'Order it again' }).click()
  const form = lead.getByRole('form', { name: 'New run' })
  await form.getByText(/It supersedes rl\.$/).waitFor()
  for (const [label, value] of [
    ['Name', 'rl-2'],
    ['Recipe', 'ppo'],
    ['Model', 'tiny'],
    ['Reward', 'taste-2'],
    ['Without ticket', 'yes'],
    ['Steps', '1'],
    ['Max tokens', '4'],
  ] as const)
    expect(await form.getByLabel(label, { exact: true }).inputValue(), label).toBe(value)
  expect(await form.getByLabel('Data', { exact: true }).inputValue()).toMatch(/^questions@[0-9a-f]{64}$/)
  await looksRight(lead, 'again-form')
  await form.getByRole('button', { name: 'Start the run' }).click()
  await lead.getByRole('heading', { name: 'rl-2' }).waitFor()
  await isDone('rl-2')
  await toWithdrawals()
  await resting.getByText('done: superseded by rl-2').first().waitFor()
  expect(await resting.getByRole('button').count()).toBe(0)
  await lead.goto(`${front.served.url}/p/desk/lineage?id=runs/taste-2`)
  await lead.getByText('runs/taste was superseded by runs/taste-2').waitFor({ state: 'attached' })
  await looksRight(lead, 'again-lineage')
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
