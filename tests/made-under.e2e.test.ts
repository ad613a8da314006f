// What was made under each version of the objective, in Chromium: listed beside the version with the way to each, named on the pages
// of runs, campaigns and gates, with the sentence where objectives mix; from an objective the lineage leads down to all of it.
import fs from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { hashFolder, hashRow } from '#files'
import { Objective } from '#schema'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const BASE = join(import.meta.dirname, '../domains/customer-service/base')
const AT = '/api/projects/desk'
const front = openFront()
let lead: Page
let [first, second] = ['', '']

const write = (file: string, value: unknown) => {
  fs.mkdirSync(join(front.workspace, file, '..'), { recursive: true })
  fs.writeFileSync(join(front.workspace, file), JSON.stringify(value, null, 2))
}
const call = (key: string, body?: unknown) => ask(front, lead.context(), key.replace(' ', ` ${AT}/`), body)

/** A campaign, a run and a candidacy under the first objective, then a second one with a guideline and a campaign. */
async function fill(): Promise<void> {
  const before = Objective.parse(JSON.parse(fs.readFileSync(join(front.workspace, 'objective.json'), 'utf8')))
  first = hashRow(before)
  await call('POST datasets/pairs?kind=comparisons', Buffer.from('{"item":"one","prompt":"Q","a":"Yes.","b":"No."}\n'))
  const campaign = (name: string) => call('POST campaigns', { kind: 'pairs', name, dataset: 'pairs', overlap: 1 })
  await campaign('Spring')
  const next = { ...before, summary: 'Kinder.' }
  second = hashRow(next)
  await call('PUT objective', { objective: next, from: first, note: 'kinder' })
  await call('PUT guideline', { text: '# Be kind' })
  await campaign('Summer')
  const record = { recipe: 'sft', hone: 't', status: 'done', inputs: {}, outputs: {}, simulated: false }
  const [one, two] = [first, second].map((id) => `${before.name} ${id.slice(0, 12)}`)
  const objectivesDiffer = `objectives differ: this run under ${two}; data spring.jsonl under ${one}`
  write('runs/early/run.json', { ...record, objective: { id: first, name: before.name } })
  write('runs/late/run.json', { ...record, objective: { id: second, name: before.name }, objectivesDiffer })
  write('evaluations/spring.json', {
    kind: 'evaluation',
    hone: 't',
    metric: 'win-rate',
    model: { path: 'base', hash: hashFolder(BASE) },
    suite: { name: 'spring', path: 'x', hash: 'a'.repeat(64), rows: 10 },
    objective: { id: first, name: before.name },
    settings: {},
    simulated: false,
    statistics: { 'win-rate': { value: 0.6, low: 0.55, high: 0.7, n: 10 } },
  })
  const { nodes } = (await call('GET lineage')) as { nodes: { id: string; kind: string }[] }
  const evaluation = nodes.find(({ kind }) => kind === 'evaluation')!.id
  const rules = [{ name: 'preferred', statistic: 'win-rate', bound: 'low', comparison: 'above', value: 0.5 }]
  await call('POST candidacies', { release: 'desk', rules, evaluations: [{ hash: evaluation }] })
}

test('beside each version stands what was made under it, with the way there', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  await fill()
  await lead.goto(`${front.served.url}/p/desk/objective`)
  const version = (number: number) => lead.getByRole('listitem').filter({ hasText: `Version ${number}` })
  await version(1).getByRole('link', { name: 'Spring' }).waitFor()
  expect(await version(1).getByRole('link').allTextContents()).toEqual([
    'version 1',
    'Spring',
    'early',
    `All that came of it: ${first.slice(0, 12)}`,
  ])
  expect(await version(2).getByRole('link').allTextContents()).toEqual([
    'version 2',
    'Summer',
    'late',
    'base as desk',
    `All that came of it: ${second.slice(0, 12)}`,
  ])
  await looksRight(lead, 'objective-made')
  await version(1).getByRole('link', { name: 'early' }).press('Enter')
  await lead.getByRole('heading', { name: 'early' }).waitFor()
  await lead.getByText('under the objective’s version 1').waitFor()
  expect(await lead.getByText('Objectives differ').count()).toBe(0)
})

test('a run and a gate say where objectives mix; a campaign names its own; lineage leads down from an objective', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(`${front.served.url}/p/desk/runs/late`)
  await lead.getByText('Objectives differ: this run under').waitFor()
  await looksRight(lead, 'run-under')
  await lead.goto(`${front.served.url}/p/desk/releases`)
  await lead.getByText(/Objectives differ: this gate under .* evaluation evaluations\/spring.json under/).waitFor()
  await looksRight(lead, 'gate-under')
  await lead.goto(`${front.served.url}/p/desk/objective`)
  await lead.getByRole('link', { name: 'Summer' }).press('Enter')
  await lead.getByText('under the objective’s version 2').waitFor()
  await looksRight(lead, 'campaign-under')
  await lead.goto(`${front.served.url}/p/desk/guideline`)
  await lead.getByLabel('Version', { exact: true }).selectOption('1')
  await lead.getByRole('link', { name: first.slice(0, 12) }).waitFor()
  await looksRight(lead, 'guideline-under')
  await lead.getByLabel('Version', { exact: true }).selectOption('2')
  await lead.getByRole('link', { name: second.slice(0, 12) }).press('Enter')
  await lead.getByRole('heading', { name: /^objective / }).waitFor()
  const picture = lead.getByRole('group', { name: 'Picture of what came from what' })
  await picture.getByRole('link', { name: 'run runs/late' }).waitFor()
  expect(await picture.getByRole('link', { name: 'run runs/early' }).count()).toBe(0)
  await looksRight(lead, 'lineage-objective')
})

test('an annotator reads the objective and sees no runs; the browser had nothing to complain about', async (ctx) => {
  hasBrowser(ctx)
  const annotator = await joinAs(front, lead, 'annotator', 'Ann Lee')
  await annotator.goto(`${front.served.url}/p/desk/objective`)
  await annotator.getByText('2 versions').waitFor()
  expect(await annotator.getByRole('link', { name: 'early' }).count()).toBe(0)
  expect(await annotator.getByRole('alert').count()).toBe(0)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
