// The objective in Chromium: read as cards, edited from the keyboard, refused beside the field, saved as a version whose changes
// show word by word; what somebody else saved meanwhile is shown before it is saved over.
import fs from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { Objective } from '#schema'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const front = openFront()
let lead: Page
const onDisk = () => JSON.parse(fs.readFileSync(join(front.workspace, 'objective.json'), 'utf8')) as Objective
const criterion = (name: string) => lead.getByRole('group', { name, exact: true })

test('a lead reads the objective as cards and edits it from the keyboard', async (ctx) => {
  hasBrowser(ctx)
  const before = onDisk()
  lead = await openAsLead(front)
  await lead.getByRole('link', { name: 'Objective', exact: true }).press('Enter')
  const card = lead.getByRole('listitem', { name: /^fact/ })
  await card.getByText('On natural, the low end of the 95% interval of the change is above -0.05.').waitFor()
  await looksRight(lead, 'objective-before')
  await lead.getByRole('button', { name: 'Edit' }).press('Enter')
  await criterion('Criterion 1').getByLabel('Name').waitFor()
  await looksRight(lead, 'objective-form')
  const [first, second] = before.criteria.map(({ name }) => name) as [string, string]
  // What moved keeps the focus: where it cannot move on, its name has it.
  await lead.getByRole('button', { name: `Move down ${first}` }).press('Enter')
  expect(await lead.evaluate('document.activeElement.textContent')).toBe(`Move down ${first}`)
  await lead.getByRole('button', { name: `Move up ${first}` }).press('Enter')
  expect(await lead.evaluate('document.activeElement.value')).toBe(first)
  await lead.getByRole('button', { name: `Move down ${first}` }).press('Enter')
  const added = before.criteria.length + 1
  await lead.getByRole('button', { name: 'Add a criterion' }).press('Enter')
  await lead.keyboard.type('Tone Of Voice')
  await criterion(`Criterion ${added}`).getByLabel('Definition').fill('It sounds like a person.')
  await criterion(`Criterion ${added}`).getByLabel('Hard constraint').press('Space')
  await lead.getByRole('button', { name: 'Add a target to Tone Of Voice' }).press('Enter')
  const target = lead.getByRole('group', { name: 'Target 1 of Tone Of Voice' })
  await target.getByLabel('Suite').fill('natural')
  await target.getByLabel('Statistic').selectOption('rate')
  await target.getByLabel('Value').fill('0.8')
  await lead.getByLabel('Note of the change').fill('a voice of our own')
  await lead.keyboard.press('Enter')
  const name = criterion(`Criterion ${added}`).getByLabel('Name')
  await criterion(`Criterion ${added}`).getByRole('alert').getByText('expected lower-case letters').waitFor()
  expect(await lead.evaluate('document.activeElement.value')).toBe('Tone Of Voice')
  expect(onDisk()).toEqual(before)
  await looksRight(lead, 'objective-refused')
  // The focus is led there once, and not again while something else is written.
  const owner = criterion(`Criterion ${added}`).getByLabel('Owner')
  await owner.pressSequentially('brand lead')
  expect(await owner.inputValue()).toBe('brand lead')
  await name.fill('tone')
  await name.press('Enter')
  await lead.getByText('2 versions').waitFor()
  const { criteria } = onDisk()
  expect(criteria.map((each) => each.name).slice(0, 2)).toEqual([second, first])
  expect(criteria.at(-1)).toMatchObject({
    name: 'tone',
    constraint: true,
    owner: 'brand lead',
    targets: [{ suite: 'natural', statistic: 'rate', bound: 'low', comparison: 'above', value: 0.8, level: 0.95 }],
  })
})

test('versions show who made them, why, and what changed', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByText('a voice of our own').waitFor()
  await lead.getByRole('button', { name: 'What changed in version 2' }).press('Enter')
  await lead.getByText('tone: definition').waitFor()
  expect(await lead.locator('.changed-fields ins').allTextContents()).toContain('It sounds like a person.')
  await looksRight(lead, 'objective')
  await lead.getByLabel('Version', { exact: true }).selectOption('1')
  await lead.getByRole('button', { name: 'Edit, beginning from version 1' }).waitFor()
  expect(await lead.getByRole('listitem', { name: /^tone/ }).count()).toBe(0)
  await lead.getByLabel('Version', { exact: true }).selectOption('2')
  await lead.getByRole('listitem', { name: /^tone/ }).waitFor()
})

test('what was changed meanwhile is shown before it is saved over; a file changed by hand shows as such', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByRole('button', { name: 'Edit', exact: true }).press('Enter')
  await lead.getByLabel('Summary').fill('Mine.')
  const { hash } = (await ask(front, lead.context(), 'GET /api/projects/desk/objective')) as { hash: string }
  const theirs = { objective: { ...onDisk(), summary: 'Theirs.' }, from: hash }
  await ask(front, lead.context(), 'PUT /api/projects/desk/objective', theirs)
  await lead.getByLabel('Note of the change').press('Enter')
  const meanwhile = lead.getByRole('region', { name: 'From what it is now to what you wrote' })
  await meanwhile.getByText('Theirs.').waitFor()
  expect(onDisk().summary).toBe('Theirs.')
  await looksRight(lead, 'objective-meanwhile')
  await meanwhile.getByRole('button', { name: 'I have looked: save mine' }).press('Enter')
  await lead.getByText('4 versions').waitFor()
  expect(onDisk().summary).toBe('Mine.')
  fs.writeFileSync(join(front.workspace, 'objective.json'), JSON.stringify({ ...onDisk(), summary: 'By hand.' }))
  await lead.reload()
  await lead.getByText('was changed outside of the server').waitFor()
  await lead.getByText('By hand.').waitFor()
  await looksRight(lead, 'objective-by-hand')
})

test('left half written, it is found again on another device, with when and from what; what was saved since is shown, and the lead chooses', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByRole('button', { name: 'Edit', exact: true }).press('Enter')
  await lead.getByLabel('Summary').fill('Half a sen')
  await criterion('Criterion 1').getByLabel('Weight').fill('')
  await lead.getByText('Your draft: saved').waitFor()
  // Left by a link, before the last keystroke is saved.
  await lead.getByLabel('Summary').fill('Half a sentence')
  await lead.getByRole('link', { name: 'Guideline', exact: true }).press('Enter')
  await lead.getByRole('heading', { name: 'Guideline', exact: true }).waitFor()
  const other = await lead
    .context()
    .browser()!
    .newContext({ storageState: await lead.context().storageState() })
  const elsewhere = await other.newPage()
  await elsewhere.goto(`${front.served.url}/p/desk/objective`)
  const notice = elsewhere.getByRole('region', { name: 'You have a draft' })
  await notice.getByText('begun from the workspace’s file as it was then').waitFor()
  expect(await elsewhere.getByRole('button', { name: 'Edit', exact: true }).count()).toBe(0)
  await notice.getByRole('button', { name: 'Go on with the draft' }).press('Enter')
  await elsewhere.getByRole('note').getByText('Restored from your draft.').waitFor()
  expect(await elsewhere.getByLabel('Summary').inputValue()).toBe('Half a sentence')
  expect(await elsewhere.getByLabel('Weight').first().inputValue()).toBe('')
  await other.close()
  const { hash } = (await ask(front, lead.context(), 'GET /api/projects/desk/objective')) as { hash: string }
  const second = await joinAs(front, lead, 'lead', 'Max Holm')
  const theirs = { objective: { ...onDisk(), summary: 'Of Max.' }, from: hash }
  await ask(front, second.context(), 'PUT /api/projects/desk/objective', theirs)
  await lead.goto(`${front.served.url}/p/desk/objective`)
  const mine = lead.getByRole('region', { name: 'You have a draft' })
  await mine.getByText('Version 6 was saved since it was begun, by Max Holm.').waitFor()
  await looksRight(lead, 'objective-left')
  await mine.getByRole('button', { name: 'Go on with the draft' }).press('Enter')
  const meanwhile = lead.getByRole('region', { name: 'From what it is now to what you wrote' })
  await meanwhile.getByText('Of Max.').waitFor()
  await looksRight(lead, 'objective-restored')
  await criterion('Criterion 1').getByLabel('Weight').fill('2')
  await meanwhile.getByRole('button', { name: 'I have looked: save mine' }).press('Enter')
  await lead.getByText('7 versions').waitFor()
  expect(onDisk().summary).toBe('Half a sentence')
  expect(await lead.getByRole('region', { name: 'You have a draft' }).count()).toBe(0)
})

test('a draft of the guideline is offered again and can be discarded; while the server is away it stays on the device', async (ctx) => {
  hasBrowser(ctx)
  lead.on('dialog', (dialog) => void dialog.accept())
  await lead.getByRole('link', { name: 'Guideline', exact: true }).press('Enter')
  await lead.getByRole('button', { name: 'Write a new version' }).press('Enter')
  const isDraft = (url: URL): boolean => url.pathname.endsWith('/draft')
  await lead.route(isDraft, (route) => (route.request().method() === 'PUT' ? route.abort() : route.continue()))
  await lead.getByLabel('Text').fill('# Choose what is true')
  await lead.getByText('kept on this device').waitFor()
  await lead.reload()
  const mine = lead.getByRole('region', { name: 'You have a draft' })
  await mine.getByText('Kept on this device, begun when version 1 was the newest.').waitFor()
  await lead.unroute(isDraft)
  await ask(front, lead.context(), 'PUT /api/projects/desk/guideline', { text: '# Choose what is kind' })
  await lead.reload()
  await mine.getByText('Version 2 was saved since it was begun').waitFor()
  await looksRight(lead, 'guideline-left')
  await mine.getByRole('button', { name: 'Go on with the draft' }).press('Enter')
  await lead.getByText('Your draft: saved').waitFor()
  await lead.getByRole('region', { name: 'From version 2 to what you wrote' }).getByText('kind').waitFor()
  expect(await lead.getByLabel('Text').inputValue()).toBe('# Choose what is true')
  await looksRight(lead, 'guideline-restored')
  await lead.getByRole('button', { name: 'Leave it as a draft' }).press('Enter')
  await mine.getByRole('button', { name: 'Discard the draft' }).press('Enter')
  await lead.getByRole('button', { name: 'Write a new version' }).waitFor()
  await lead.reload()
  await lead.getByRole('button', { name: 'Write a new version' }).waitFor()
  expect(await mine.count()).toBe(0)
  expect(await lead.evaluate('localStorage.length')).toBe(0)
})

test('a project without one is empty, with the same form; others read and do not edit', async (ctx) => {
  hasBrowser(ctx)
  const reader = await joinAs(front, lead, 'viewer', 'Vera Reed')
  await reader.goto(`${front.served.url}/p/desk/objective`)
  await reader.getByText('Half a sentence').waitFor()
  expect(await reader.getByRole('button', { name: /Edit/ }).count()).toBe(0)
  await ask(front, lead.context(), 'POST /api/projects', { name: 'Care' })
  await lead.goto(`${front.served.url}/p/care/objective`)
  await lead.getByText('No objective yet').waitFor()
  await looksRight(lead, 'objective-empty')
  await lead.getByRole('button', { name: 'Write the objective' }).press('Enter')
  await criterion('Criterion 1').getByLabel('Name').fill('fact')
  await criterion('Criterion 1').getByLabel('Definition').fill('It is true.')
  await lead.getByLabel('Summary').fill('Tell the truth.')
  await looksRight(lead, 'objective-first')
  await lead.getByRole('button', { name: 'Save as version 1' }).press('Enter')
  await lead.getByText('1 version', { exact: true }).waitFor()
  expect(fs.existsSync(join(front.workspace, 'care.objective.json'))).toBe(true)
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
