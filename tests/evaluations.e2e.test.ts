// Candidate against another model, in Chromium: asked for, drawn, judged blind from the keyboard, read, recorded.
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { rateModels } from '#evaluate'
import { writeEvaluation } from '#lineage'
import { createTinyModel } from '../src/sampler/tiny-model.test-data.ts'
import { complaints, hasBrowser, looksRight, somebody } from './browser.ts'
import { openFront } from './serve.test-data.ts'
import { judgedStyles, RATINGS } from '../trials/worlds/judged-styles.ts'

const PAIRS = 6
const front = openFront()
let lead: Page

test('a lead asks for an evaluation and its samples are drawn', async (ctx) => {
  hasBrowser(ctx)
  for (const [i, name] of ['candidate', 'rival'].entries())
    createTinyModel(join(front.workspace, 'models', name), { contextTokens: 400, seed: i + 1 })
  lead = (await somebody(front.browser)).page
  await lead.goto(front.served.setUp!)
  await lead.getByLabel('Your name').fill('Lea Winter')
  await lead.getByLabel('E-mail address').fill('lea@example.org')
  await lead.getByLabel('Password').fill('a long enough sentence')
  await lead.keyboard.press('Enter')
  await lead.getByRole('link', { name: 'Datasets' }).click()
  await lead.getByLabel('Kind of rows').selectOption('prompts')
  const rows = Array.from({ length: PAIRS }, (_, i) => ({
    prompt: `Where is order ${i}?`,
    stratum: i % 2 ? 'late' : 'lost',
  }))
  const buffer = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await lead.getByLabel('Drop a file here').setInputFiles({ name: 'held-out.jsonl', mimeType: 'text/plain', buffer })
  await lead.getByText(`Imported held-out, ${PAIRS} rows`).waitFor()
  await lead.getByRole('link', { name: 'Evaluations' }).click()
  await lead.getByText('Nothing was held against anything yet').waitFor()
  await lead.getByRole('button', { name: 'New evaluation' }).click()
  await lead.getByLabel('Name').fill('Spring round')
  await lead.getByLabel('Candidate').selectOption('models/candidate')
  await lead.getByLabel('Against').selectOption('models/rival')
  await lead.getByLabel('Most tokens').fill('24')
  await lead.getByLabel(/^fact/).check()
  await looksRight(lead, 'new-evaluation')
  await lead.getByRole('button', { name: 'Draw, then let people judge' }).click()
  await lead.getByRole('heading', { name: 'Spring round' }).waitFor()
  await lead.getByText(`0 of ${PAIRS} judgements`).waitFor()
  // Nobody who judges is told before the end.
  expect(await lead.getByText('Pair by pair').count()).toBe(0)
  await looksRight(lead, 'evaluation-judging')
})

test('judged from the keyboard, the result shows with its interval, by stratum and pair by pair, and is recorded', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByRole('link', { name: 'Judge' }).click()
  await lead.getByRole('button', { name: 'I have read it' }).click()
  for (let i = 0; i < PAIRS; i++) {
    await lead.getByText(`${i} answer${i === 1 ? '' : 's'} by you`).waitFor()
    await lead.keyboard.press(i === 0 ? '5' : '2')
    await lead.keyboard.press('ArrowDown')
    await lead.keyboard.press(i === 0 ? 'x' : '8')
    await lead.keyboard.press('Enter')
  }
  await lead.getByText('Nothing is left for you here').waitFor()
  await lead.getByRole('link', { name: 'Evaluations' }).click()
  await lead.getByText('judged, to be recorded').waitFor()
  await lead.getByRole('link', { name: /Spring round/ }).click()
  await lead.getByRole('heading', { name: /% for models\/candidate: / }).waitFor()
  for (const name of [/^all/, /^late/, /^lost/, /^fact.*1 pair could not/])
    await lead.getByRole('rowheader', { name }).waitFor()
  await lead.getByRole('button', { name: /^Tied 1/ }).click()
  await lead.getByText('a tie', { exact: true }).waitFor()
  await lead.getByRole('button', { name: 'Record the result' }).click()
  await lead.getByText('Recorded by Lea Winter').waitFor()
  await looksRight(lead, 'evaluation')
  await lead.getByRole('link', { name: 'Evaluations' }).click()
  await lead.getByText('recorded', { exact: false }).first().waitFor()
  await looksRight(lead, 'evaluations')
})

test('from the evaluation down to one judgement and its guideline, and back up, box by box', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByRole('link', { name: 'Lineage' }).click()
  await lead.getByRole('region', { name: 'Evaluations' }).getByRole('link').first().click()
  const picture = lead.getByRole('group', { name: 'Picture of what came from what' })
  for (const name of [/^objective/, /^guideline/, /^model models\/candidate/, /^model models\/rival/])
    await picture.getByRole('link', { name }).first().waitFor()
  await looksRight(lead, 'lineage')
  await picture.getByRole('link', { name: /^dataset .*-judged@/ }).click()
  await lead.getByRole('heading', { name: 'Its rows' }).waitFor()
  await lead
    .getByRole('link', { name: /^judgement person-/ })
    .first()
    .click()
  await lead.getByRole('heading', { name: /^judgement person-/ }).waitFor()
  await picture.getByRole('link', { name: /^evaluation/ }).waitFor()
  await picture
    .getByRole('link', { name: /^criterion/ })
    .first()
    .waitFor()
  await looksRight(lead, 'lineage-judgement')
})

test('three models meet blind, each two on every prompt, and what came of it shows as ratings', async (ctx) => {
  hasBrowser(ctx)
  createTinyModel(join(front.workspace, 'models', 'third'), { contextTokens: 400, seed: 3 })
  await lead.getByRole('link', { name: 'Evaluations' }).first().click()
  await lead.getByRole('button', { name: 'New evaluation' }).click()
  await lead.getByRole('button', { name: 'One more model' }).click()
  await lead.getByText('Each two of 3 models meet on every prompt: 3 pairs a prompt.').waitFor()
  await lead.getByLabel('Name', { exact: true }).fill('Summer round')
  await lead.getByLabel('Candidate', { exact: true }).selectOption('models/candidate')
  await lead.getByLabel('Against', { exact: true }).selectOption('models/rival')
  await lead.getByLabel('And against, 2').selectOption('models/third')
  await lead.getByLabel('Most tokens').fill('24')
  await looksRight(lead, 'new-round')
  await lead.getByRole('button', { name: 'Draw, then let people judge' }).click()
  await lead.getByRole('heading', { name: 'Summer round' }).waitFor()
  await lead.getByText(`0 of ${3 * PAIRS} judgements`).waitFor()
  await lead.getByRole('link', { name: 'Judge' }).click()
  for (let i = 0; i < 3 * PAIRS; i++) {
    await lead.getByText(`${i} answer${i === 1 ? '' : 's'} by you`).waitFor()
    await lead.keyboard.press(i % 3 === 0 ? '2' : '8')
    await lead.keyboard.press('Enter')
  }
  await lead.getByText('Nothing is left for you here').waitFor()
  await lead.getByRole('link', { name: 'Evaluations' }).click()
  await lead.getByRole('link', { name: /Summer round/ }).click()
  const ratings = lead.getByRole('table', { name: /^Ratings, logits/ })
  for (const name of ['models-candidate', 'models-rival', 'models-third'])
    await ratings.getByRole('rowheader', { name }).waitFor()
  await lead.getByRole('rowheader', { name: /^models-candidate over models-third/ }).waitFor()
  await looksRight(lead, 'round')
  await lead.getByRole('button', { name: 'Record the result' }).click()
  await lead.getByText('Recorded by Lea Winter').waitFor()
  await ratings.getByRole('rowheader', { name: 'models-third' }).waitFor()
})

test('ratings of three models that the command line left show as dots with intervals, with and without style control', async (ctx) => {
  hasBrowser(ctx)
  const models = Object.keys(RATINGS)
  const rated = rateModels({ ...judgedStyles(80, 1), models, anchor: 'current', seed: 1, resamples: 200 })
  const file = { path: 'models/candidate', hash: '0'.repeat(64) }
  writeEvaluation(join(front.workspace, 'round.json'), {
    kind: 'evaluation',
    hone: '0',
    metric: 'ratings',
    model: file,
    rated: models.map((name) => ({ name, ...file })),
    suite: { name: 'held-out', ...file, rows: 240 },
    settings: { anchor: 'current', level: 0.95 },
    simulated: true,
    statistics: { ...rated, tone: rated },
  })
  await lead.getByRole('link', { name: 'Evaluations' }).first().click()
  const table = lead.getByRole('table', { name: /^Ratings, logits/ })
  await table.getByRole('rowheader', { name: 'candidate' }).waitFor()
  const { value } = rated.controlled.ratings.find(({ name }) => name === 'candidate')!
  await table.getByText(`style controlled ${value.toFixed(2)} [`).waitFor()
  await lead.getByRole('table', { name: /^Ratings by tone/ }).waitFor()
  await lead.getByText('over current, sft on held-out').waitFor()
  await looksRight(lead, 'evaluation-ratings')
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
