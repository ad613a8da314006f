// The whole loop as a team walks it, in Chromium, on a real `hone serve`: from the set-up link to a released model and from
// there back to one judgement. A lead prepares, three people qualify and judge by keyboard, a reviewer adjudicates and signs;
// SFT, the reward model and PPO are real runs of the bundled base, at the smallest sizes that go through every station. What
// such runs learn is not tested here. Nothing but the pages is used, except where a program asks for the released model.
import fs from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterEach, expect, test } from 'vitest'
import { demonstrations, heldOutDemonstrations, prompts } from '#domains/customer-service'
import type { Judgement } from '#schema'
import { leaksIn } from './blindness.ts'
import { complaints, hasBrowser, looksRight, somebody } from './browser.ts'
import { openFront } from './serve.test-data.ts'
import {
  type Annotator,
  joinAsAnnotator,
  joinByLink,
  judge,
  liking,
  mailOf,
  pairOn,
  type Shown,
  signUp,
} from './story.cast.ts'

const SEED = 1
/** Of which gold are so many: two rounds of qualification, and some that are mixed in. */
const [PAIRS, GOLD, ROUND] = [35, 5, 2]
const HELD_OUT = 12
const RUNS = { sft: 'first-words', reward: 'good-taste', ppo: 'second-words' }
/** Who judges, and a word that only their reasons have. */
const WORDS: Record<string, string> = { 'Ann Berg': 'marmalade', 'Ben Cho': 'saxophone', 'Cem Dal': 'lighthouse' }
const NAMES = Object.keys(WORDS)
const GOLD_WHY = 'Only this one speaks of what was asked.'
const FLAG = 'Which order is this about?'
/** Empty: the project brings what the domain has. */
const front = openFront({ domain: 'none' })
let owner: Page
let lead: Page
let reviewer: Page
const people: Annotator[] = []
let campaign: string
const goldPrompts = new Set<string>()
/** Rows of the campaign as they were taken out. */
let judged: (Judgement & { id: string })[]

const go = (page: Page, screen: string) =>
  page.getByRole('navigation').getByRole('link', { name: screen, exact: true }).click()
const state = (text: string) => lead.locator('.run-head .chip', { hasText: text }).waitFor()
const named = (name: string): Annotator => people.find((person) => person.name === name)!

async function drop(kind: string, name: string, rows: readonly object[]): Promise<void> {
  await lead.getByLabel('Kind of rows').selectOption(kind)
  const text = rows.map((row) => JSON.stringify(row)).join('\n')
  const dropped = await lead.evaluateHandle(
    `(() => { const t = new DataTransfer(); t.items.add(new File([${JSON.stringify(text)}], '${name}.jsonl')); return t })()`,
  )
  await lead.getByRole('region', { name: 'Import' }).dispatchEvent('drop', { dataTransfer: dropped })
  await lead.getByText(`Imported ${name}, ${rows.length} rows`).waitFor()
}

/** Fills in the form of a recipe and starts the run. */
async function start(recipe: string, name: string, o: { inputs: object; settings: object }) {
  await go(lead, 'Runs')
  await lead.getByRole('button', { name: 'New run' }).click()
  await lead.getByLabel('Recipe').selectOption(recipe)
  await lead.getByLabel('Name', { exact: true }).fill(name)
  for (const [label, value] of Object.entries(o.inputs))
    await lead.getByLabel(label, { exact: true }).selectOption(value as string)
  await lead.getByText('All settings').click()
  for (const [label, value] of Object.entries(o.settings))
    await lead.getByLabel(label, { exact: true }).fill(String(value))
}
const begin = () => lead.getByRole('button', { name: 'Start the run' }).click()

/** What the lead saw last, where pictures are wanted. */
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail' && process.env.HONE_PICTURES)
    await lead.screenshot({ path: join(process.env.HONE_PICTURES, `failed-${task.id}.png`), fullPage: true })
})

test('the set-up link opens a project of the domain; its owner invites, and everybody joins by a link', async (ctx) => {
  hasBrowser(ctx)
  owner = (await somebody(front.browser)).page
  await owner.goto(front.served.setUp!)
  await owner.getByLabel('Begin from').selectOption('customer-service')
  await owner.getByText(/Brings an objective of 7 criteria, a guideline, \d+ prompts\.$/).waitFor()
  await looksRight(owner, 'set-up')
  await signUp(owner, 'Ona Wolf')
  await owner.getByText('You are owner here.').waitFor()
  lead = await joinByLink(front.browser, owner, { role: 'lead', name: 'Lea Winter' })
  reviewer = await joinByLink(front.browser, owner, { role: 'reviewer', name: 'Rea Voss' })
  for (const name of NAMES) people.push(await joinAsAnnotator(front.browser, lead, name))
  const stations = lead.getByRole('list', { name: 'The loop' }).getByRole('listitem')
  expect(await stations.first().textContent()).toMatch(/Objective.*7 criteria, 1 of them a constraint/)
})

test('the lead writes a new version of the guideline, and drops prompts and demonstrations into the project', async (ctx) => {
  hasBrowser(ctx)
  await go(lead, 'Guideline')
  await lead.getByRole('button', { name: 'Write a new version' }).click()
  const text = await lead.getByLabel('Text').inputValue()
  await lead.getByLabel('Text').fill(`${text}\nA reply that speaks of something else loses. [fact]\n`)
  await lead.getByRole('button', { name: 'Save as version 2' }).click()
  const difference = lead.getByRole('region', { name: 'What differs' })
  await difference.getByRole('insertion').getByText('A reply that speaks of something else loses.').waitFor()
  await looksRight(lead, 'guideline')
  await go(lead, 'Samples')
  await lead.getByRole('button', { name: 'Draw samples' }).click()
  await lead.getByLabel('Prompts').selectOption('prompts')
  await go(lead, 'Datasets')
  await lead.getByLabel('Kind of rows').selectOption('prompts')
  const wrong = { name: 'requests.jsonl', mimeType: 'text/plain', buffer: Buffer.from('{"prompts": "Where is it?"}') }
  await lead.getByLabel('Drop a file here').setInputFiles(wrong)
  await lead.getByText(/Nothing was imported\. requests\.jsonl:1/).waitFor()
  // The domain's own prompts are there from the first day, and nothing else.
  await lead.getByRole('link', { name: 'prompts', exact: true }).waitFor()
  expect(await lead.locator('tbody tr').count()).toBe(1)
  await drop('prompts', 'requests', prompts(SEED, { n: PAIRS, split: 'pairs' }))
  await drop('prompts', 'held-out', prompts(SEED, { n: HELD_OUT, split: 'evaluation' }))
  await drop(
    'demonstrations',
    'replies',
    demonstrations(SEED, 48).rows.filter(({ completion }) => completion.trim() !== ''),
  )
  await drop('demonstrations', 'replies-held-out', heldOutDemonstrations(SEED, 8))
  await lead.getByRole('link', { name: 'requests' }).click()
  await lead.getByText(`Rows 1 to ${PAIRS} of ${PAIRS}`).waitFor()
  await looksRight(lead, 'datasets')
})

test('SFT starts from the form, with what is wrong said at its field, and is watched to its end', async (ctx) => {
  hasBrowser(ctx)
  const inputs = { Model: 'base', Data: 'replies', 'Held out': 'replies-held-out' }
  await start('sft', RUNS.sft, { inputs, settings: { Steps: -4, 'Warmup steps': 1 } })
  await begin()
  await lead.getByRole('alert').waitFor()
  expect(await lead.evaluate('document.activeElement.name')).toBe('settings.steps')
  await looksRight(lead, 'start-run')
  await lead.getByLabel('Steps', { exact: true }).fill('6')
  await begin()
  await lead.getByRole('heading', { name: RUNS.sft }).waitFor()
  await state('done')
  await lead.getByText('all 6 steps are done').first().waitFor()
  // Numbers by keyboard, and as a file.
  await lead.getByRole('img', { name: /^Loss: loss from/ }).press('End')
  await lead.getByText(/step 6: .*loss \d/i).waitFor()
  const [download] = await Promise.all([lead.waitForEvent('download'), lead.getByRole('link', { name: 'CSV' }).click()])
  const csv = fs
    .readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n')
  expect(csv[0]).toMatch(/^step,.*loss/)
  expect(csv.at(-1)).toMatch(/^6,/)
  await lead.getByText('Config and inputs').click()
  await lead.getByText(new RegExp(`^hone train sft --out runs/${RUNS.sft} --model base`)).waitFor()
  await looksRight(lead, 'run-sft')
})

test('its samples, drawn by the sampler, become a campaign of blind pairs', async (ctx) => {
  hasBrowser(ctx)
  await go(lead, 'Samples')
  await lead.getByRole('button', { name: 'Draw samples' }).click()
  await lead.getByLabel('Name').fill('first-round')
  await lead.getByLabel('Model').selectOption(RUNS.sft)
  await lead.getByLabel('Prompts').selectOption('requests')
  await lead.getByLabel('Most tokens').fill('24')
  await looksRight(lead, 'new-samples')
  await lead.getByRole('button', { name: 'Draw them' }).click()
  await lead.getByText(`${2 * PAIRS} of ${2 * PAIRS} samples · drawn`).waitFor()
  await lead.getByRole('button', { name: 'Show the first samples' }).click()
  await lead.getByRole('region', { name: 'Prompt 1', exact: true }).waitFor()
  await looksRight(lead, 'samples')
  await lead.getByRole('link', { name: 'To the campaigns' }).click()
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('Name').fill('Which reply is better')
  await looksRight(lead, 'new-campaign')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.waitForURL(/campaigns\/[0-9a-f-]{36}$/)
  await lead.getByText(`0 of ${3 * PAIRS} judgements`).waitFor()
  campaign = lead.url().split('/').at(-1)!
})

test('the lead marks gold among the pairs and sets a qualification', async (ctx) => {
  hasBrowser(ctx)
  await lead.getByRole('link', { name: 'Gold and qualification' }).click()
  const items = lead.getByRole('article')
  await items.first().waitFor()
  const texts = await Promise.all((await items.all()).map((item) => item.locator('.text').allTextContents()))
  // The plainest of the first page: where the rule sees the greatest difference.
  const plain = texts
    .map(([prompt, a, b], i) => ({ i, liked: liking(prompt!, a!, b!) }))
    .sort((x, y) => Math.abs(y.liked) - Math.abs(x.liked))
    .slice(0, GOLD)
  for (const { i, liked } of plain) {
    goldPrompts.add(texts[i]![0]!)
    await items.nth(i).getByLabel('Why').fill(GOLD_WHY)
    const buttons = items.nth(i).getByRole('button', { name: 'This one is better' })
    await buttons.nth(liked > 0 ? 0 : 1).click()
    await items.nth(i).getByRole('button', { name: 'Better, by gold' }).waitFor()
  }
  await lead.getByText(`${GOLD} gold pairs.`).waitFor()
  await lead.getByLabel('Gold among the tasks').fill('20')
  await lead.getByLabel('Before the first task').selectOption('right')
  await lead.getByLabel('Pairs in the round').fill(String(ROUND))
  await lead.getByLabel('Right answers asked for').fill('5')
  await lead.getByRole('button', { name: 'Keep these rules' }).click()
  await lead.getByText(`5 right answers of ${ROUND} cannot be given`).waitFor()
  await lead.getByLabel('Right answers asked for').fill(String(ROUND))
  await lead.getByRole('button', { name: 'Keep these rules' }).click()
  await lead.getByText('Kept.').waitFor()
  await looksRight(lead, 'gold')
})

/** By the rule without carelessness: 1 or 9. */
const plainly = ({ prompt, left, right }: Shown) => (liking(prompt, left, right) > 0 ? '1' : '9')
const falsely = (pair: Shown) => (plainly(pair) === '1' ? '9' : '1')

test('three people qualify on gold by keyboard alone; who fails sees which and why, rereads, and passes on other pairs', async (ctx) => {
  hasBrowser(ctx)
  for (const { page } of people) {
    await page.reload()
    await page.getByRole('link', { name: /to judge in Which reply is better/ }).press('Enter')
    await page.getByRole('button', { name: 'I have read it' }).press('Enter')
    await page.getByText(`qualification: 0 of ${ROUND}`).waitFor()
  }
  const ben = named('Ben Cho')
  await judge(ben, { key: falsely })
  await ben.page.getByRole('heading', { name: 'The qualification was not passed' }).waitFor()
  expect(await ben.page.getByRole('region', { name: 'Not as known' }).count()).toBe(ROUND)
  await ben.page.getByText(GOLD_WHY).first().waitFor()
  await looksRight(ben.page, 'qualification-failed')
  await ben.page.getByRole('button', { name: 'I have read it again' }).press('Enter')
  await ben.page.getByText(`qualification: 0 of ${ROUND}`).waitFor()
  await Promise.all(people.map((person) => judge(person, { most: ROUND, key: plainly })))
  for (const { page } of people) await page.getByText(`qualified, ${ROUND} of ${ROUND} right`).waitFor()
})

test('they judge every pair by keyboard alone, with gold among them unseen; one flags a pair', async (ctx) => {
  hasBrowser(ctx)
  const cem = named('Cem Dal')
  await looksRight(cem.page, 'annotate')
  while (goldPrompts.has((await pairOn(cem.page)).prompt)) await judge(cem, { most: 1 })
  await cem.page.keyboard.press('f')
  await cem.page.getByRole('dialog').waitFor()
  await cem.page.keyboard.type(FLAG)
  await cem.page.keyboard.press('Tab')
  await cem.page.keyboard.press('Enter')
  await cem.page.getByRole('dialog').waitFor({ state: 'detached' })
  for (const person of people) await judge(person, { most: 1, reason: `It has the ring of a ${WORDS[person.name]}.` })
  const counts = await Promise.all(people.map((person) => judge(person)))
  // One each was answered before, with its reason.
  for (const count of counts) expect(count).toBeGreaterThanOrEqual(PAIRS - GOLD - 1)
  for (const person of people) await person.page.getByText('Nothing is left for you here').waitFor()
})

test('agreement and one person show on their pages, to the lead and to the person', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  await lead.getByRole('rowheader', { name: /Krippendorff/ }).waitFor()
  await lead.getByRole('heading', { name: 'Who agrees with whom' }).waitFor()
  await lead.getByText(`qualified, ${ROUND} of ${ROUND}`).first().waitFor()
  await looksRight(lead, 'campaign')
  await lead.getByRole('link', { name: 'Ben Cho' }).press('Enter')
  await lead.getByRole('heading', { name: 'Ben Cho' }).waitFor()
  await lead.getByRole('img', { name: /^Share of left/ }).waitFor()
  await looksRight(lead, 'person')
  const { page } = named('Ann Berg')
  await page.getByRole('link', { name: 'mine' }).press('Enter')
  await page.getByRole('heading', { name: 'My judgements' }).waitFor()
  expect(await page.locator('main').textContent()).not.toMatch(/gold|Ben Cho/)
  await looksRight(page, 'person-self')
})

test('a reviewer settles the flagged pair by keyboard, blind first', async (ctx) => {
  hasBrowser(ctx)
  await reviewer.reload()
  await reviewer.getByRole('link', { name: /to adjudicate in Which reply/ }).press('Enter')
  await reviewer.getByText('Here because: flagged').waitFor()
  await reviewer.keyboard.press(plainly(await pairOn(reviewer)))
  await reviewer.keyboard.press('Enter')
  await reviewer.getByText(FLAG).waitFor()
  await looksRight(reviewer, 'adjudicate')
  await reviewer.keyboard.press(plainly(await pairOn(reviewer)))
  await reviewer.keyboard.press('r')
  await reviewer.keyboard.type('The order is named in the facts.')
  await reviewer.keyboard.press('Control+Enter')
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  await lead.getByText('1 decided').waitFor()
})

test('a reward run starts on these preferences from the form; its config lists exactly these judgements', async (ctx) => {
  hasBrowser(ctx)
  await lead.goto(`${front.served.url}/p/desk/campaigns/${campaign}`)
  await lead.getByLabel('Keep the judgements').fill('first-judged')
  await lead.getByRole('button', { name: 'Keep' }).click()
  await lead.getByText(/Kept \d+ judgements as/).waitFor()
  const [download] = await Promise.all([
    lead.waitForEvent('download'),
    lead.getByRole('link', { name: 'Download judgements' }).click(),
  ])
  const rows = fs
    .readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n')
  judged = rows.map((row) => JSON.parse(row) as (typeof judged)[number])
  const trains = judged.filter(({ gold }) => gold === undefined)
  // Three people on every pair that is not gold, and the one that was settled.
  expect(trains.filter(({ adjudication }) => adjudication === undefined)).toHaveLength(NAMES.length * (PAIRS - GOLD))
  expect(trains).toHaveLength(NAMES.length * (PAIRS - GOLD) + 1)
  expect(JSON.stringify(judged)).not.toMatch(/Ann Berg|Ben Cho|Cem Dal/)
  await start('reward', RUNS.reward, {
    inputs: { Model: RUNS.sft, Data: 'first-judged' },
    settings: { Steps: 4, 'Warmup steps': 1 },
  })
  await begin()
  await lead.getByRole('heading', { name: RUNS.reward }).waitFor()
  await state('done')
  const file = join(front.workspace, 'runs', RUNS.reward, 'config.json')
  const { judgements } = JSON.parse(fs.readFileSync(file, 'utf8')) as { judgements: string[] }
  expect([...judgements].sort()).toEqual(trains.map(({ id }) => id).sort())
  await lead.getByRole('heading', { name: 'What people said' }).waitFor()
  await lead.getByText(`${trains.length} judgements went in`).waitFor()
  await looksRight(lead, 'run-reward')
  // Each one's way into the loss can be walked from here.
  await lead.getByRole('link', { name: 'Judgement 1 of ' }).first().click()
  await lead.getByRole('heading', { name: /^judgement person-/ }).waitFor()
  const picture = lead.getByRole('group', { name: 'Picture of what came from what' })
  await picture.getByRole('link', { name: new RegExp(`^run runs/${RUNS.reward}`) }).waitFor()
})

test('PPO stops at a mark and waits for people; they judge its fresh pairs, and it goes on by itself to its end', async (ctx) => {
  hasBrowser(ctx)
  await start('ppo', RUNS.ppo, {
    inputs: {
      Model: RUNS.sft,
      Reward: RUNS.reward,
      // Its run had no held-out pairs.
      'Without ticket': 'yes',
      Data: 'requests',
      Judge: 'people',
      Watch: 'held-out',
    },
    settings: {
      Steps: 4,
      'Learning rate': 0.0005,
      'KL budget': 'off',
      'Mark every': 0.01,
      'Mark pairs': 4,
      'Prompts per step': 8,
      'Max tokens': 16,
      'Warmup steps': 1,
      'Critic warmup steps': 1,
      'Samples every': 1,
    },
  })
  await looksRight(lead, 'start-ppo')
  await begin()
  await state('waits for people')
  await looksRight(lead, 'run-waiting')
  await go(lead, 'Home')
  await lead.getByText(new RegExp(`judgements missing in Fresh pairs 1: the run ${RUNS.ppo} waits for them`)).waitFor()
  await lead.getByText('run waits for people').waitFor()
  await looksRight(lead, 'home')
  for (let mark = 1; ; mark++) {
    for (const { page } of people) {
      await page.goto(`${front.served.url}/p/desk`)
      await page.getByRole('link', { name: `to judge in Fresh pairs ${mark}` }).press('Enter')
      await page.getByRole('region', { name: 'Left' }).waitFor()
    }
    await Promise.all(people.map((person) => judge(person)))
    await lead.goto(`${front.served.url}/p/desk/runs/${RUNS.ppo}`)
    const chip = lead.locator('.run-head .chip')
    const next = lead.getByRole('link', { name: `Fresh pairs ${mark + 1}`, exact: true })
    await chip.filter({ hasText: 'done' }).or(next).first().waitFor()
    if ((await chip.textContent()) === 'done') break
  }
  await lead.getByRole('heading', { name: 'What the KL bought' }).waitFor()
  await lead.getByRole('heading', { name: 'The same prompts along the run' }).waitFor()
  await looksRight(lead, 'run-ppo')
  await go(lead, 'Runs')
  await lead.getByText(RUNS.ppo).waitFor()
  await looksRight(lead, 'runs')
})

test('people judge the candidate against SFT, blind; the result is read by stratum and pair by pair, and recorded', async (ctx) => {
  hasBrowser(ctx)
  await go(lead, 'Evaluations')
  await lead.getByText('Nothing was held against anything yet').waitFor()
  await lead.getByRole('button', { name: 'New evaluation' }).click()
  await lead.getByLabel('Name').fill('Spring round')
  await lead.getByLabel('Candidate').selectOption(RUNS.ppo)
  await lead.getByLabel('Against').selectOption(RUNS.sft)
  await lead.getByLabel('Prompts').selectOption('held-out')
  await lead.getByLabel('Most tokens').fill('24')
  await looksRight(lead, 'new-evaluation')
  await lead.getByRole('button', { name: 'Draw, then let people judge' }).click()
  await lead.getByRole('heading', { name: 'Spring round' }).waitFor()
  await lead.getByText(`0 of ${HELD_OUT} judgements`).waitFor()
  // Nobody is told before the end.
  expect(await lead.getByText('Pair by pair').count()).toBe(0)
  await looksRight(lead, 'evaluation-judging')
  for (const { page } of people) {
    await page.goto(`${front.served.url}/p/desk`)
    await page.getByRole('link', { name: /to judge in Spring round/ }).press('Enter')
    await page.getByRole('region', { name: 'Left' }).waitFor()
  }
  expect(await judge(people[0]!, { most: 1, key: () => '5' })).toBe(1)
  const counts = await Promise.all(people.map((person) => judge(person)))
  expect(counts.reduce((sum, count) => sum + count)).toBe(HELD_OUT - 1)
  await lead.getByRole('heading', { name: new RegExp(`% for ${RUNS.ppo}: `) }).waitFor()
  const strata = new Set(prompts(SEED, { n: HELD_OUT, split: 'evaluation' }).map(({ stratum }) => stratum))
  for (const name of ['all', ...strata]) await lead.getByRole('rowheader', { name: new RegExp(`^${name}`) }).waitFor()
  await lead.getByRole('button', { name: /^Tied [1-9]/ }).click()
  await lead.getByText('a tie', { exact: true }).first().waitFor()
  await lead.getByRole('button', { name: 'Record the result' }).click()
  await lead.getByText('Recorded by Lea Winter').waitFor()
  await looksRight(lead, 'evaluation')
  await go(lead, 'Evaluations')
  await lead.getByText('recorded').first().waitFor()
  await looksRight(lead, 'evaluations')
})

test('rules decide over it: one passes, one fails and is waived by name, reason and expiry; a reviewer signs', async (ctx) => {
  hasBrowser(ctx)
  await go(lead, 'Releases')
  await lead.getByText('Nothing is released yet').waitFor()
  await lead.getByRole('button', { name: 'Put a model to the rules' }).click()
  // The objective's own rules ask for suites that nobody ran here.
  while ((await lead.getByRole('group', { name: /^Rule / }).count()) > 1)
    await lead.getByRole('button', { name: 'Take rule 2 out' }).click()
  const rule = async (number: number, name: string, [end, limit]: [string, string]) => {
    const group = lead.getByRole('group', { name: `Rule ${number}` })
    await group.getByLabel('Name').fill(name)
    await group.getByLabel('End').selectOption(end)
    await group.getByLabel('Statistic').fill('spring-round.win-rate')
    await group.getByLabel('Limit').fill(limit)
  }
  // Of a dozen pairs no more can be said than that it is not plainly worse.
  await rule(1, 'not plainly worse', ['high', '0.3'])
  await lead.getByRole('button', { name: 'Another rule' }).click()
  await rule(2, 'nearly always preferred', ['low', '0.9'])
  await lead.getByLabel('Name of the release').fill('desk')
  await looksRight(lead, 'new-candidacy')
  await lead.getByRole('button', { name: 'Let the rules decide' }).click()
  await lead.getByText('refused by the rules').waitFor()
  await lead.getByText('1 of 2 rules passed').waitFor()
  await lead.getByRole('button', { name: 'Waive this rule' }).click()
  await lead.getByLabel('Why may this rule be passed over?').fill('a trial with one shop')
  await lead.getByLabel('For how many days').fill('7')
  await lead.getByRole('button', { name: 'Waive it' }).click()
  await lead.getByText('passed by waiver, waits for a signature').waitFor()
  await lead.getByText(/waived by Lea Winter until .*: a trial with one shop/).waitFor()
  // Who asked has no way to sign.
  expect(await lead.getByRole('button', { name: 'Sign and release' }).count()).toBe(0)
  await looksRight(lead, 'candidacy')
  await go(reviewer, 'Releases')
  await reviewer.getByLabel('Your word on it').fill('looked at the losses')
  await reviewer.getByRole('button', { name: 'Sign and release' }).click()
  await reviewer.getByRole('region', { name: 'desk' }).getByText('stands for').waitFor()
})

test('a program asks by the name of the release and a key, until the key is revoked', async (ctx) => {
  hasBrowser(ctx)
  await go(lead, 'Releases')
  await lead.getByText('Signed by').waitFor()
  await lead.getByLabel('Program', { exact: true }).fill('Help desk')
  await lead.getByRole('button', { name: 'Make a key' }).click()
  const key = await lead.getByLabel('The key').inputValue()
  await looksRight(lead, 'releases')
  const ask = () =>
    fetch(`${front.served.url}/v1/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'desk',
        prompt: prompts(SEED, { n: 1, split: 'evaluation' })[0]!.prompt,
        max_tokens: 6,
      }),
    })
  const answer = await ask()
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({
    model: 'desk',
    choices: [{ text: expect.stringMatching(/./) as string }],
  })
  await lead.getByRole('button', { name: 'Revoke Help desk' }).click()
  await lead.getByText('revoked', { exact: true }).waitFor()
  expect((await ask()).status).toBe(401)
})

test('from the release down to one judgement, and from the judgement back up to the release', async (ctx) => {
  hasBrowser(ctx)
  await go(lead, 'Releases')
  await lead.getByRole('link', { name: 'what it came from' }).click()
  const picture = lead.getByRole('group', { name: 'Picture of what came from what' })
  const made = [
    /^objective/,
    /^guideline/,
    /^evaluation/,
    ...Object.values(RUNS).map((run) => new RegExp(`^run runs/${run}$`)),
  ]
  for (const name of made) await picture.getByRole('link', { name }).first().waitFor()
  await looksRight(lead, 'lineage')
  await picture.getByRole('link', { name: /^dataset first-judged@/ }).click()
  await lead.getByRole('heading', { name: /^The first \d+ of \d+ rows/ }).waitFor()
  await lead
    .getByRole('link', { name: /^judgement person-/ })
    .first()
    .click()
  await lead.getByRole('heading', { name: /^judgement person-/ }).waitFor()
  await picture
    .getByRole('link', { name: /^criterion/ })
    .first()
    .waitFor()
  await looksRight(lead, 'lineage-judgement')
  await picture.getByRole('link', { name: /^release/ }).click()
  await lead.getByRole('heading', { name: /^release desk #/ }).waitFor()
})

test('nothing that an annotator’s browser got names a model, marks gold or tells of somebody else', async (ctx) => {
  hasBrowser(ctx)
  for (const { name, page, ear } of people) {
    await page.close()
    await expect.poll(() => ear.asked() - ear.heard.length).toBe(0)
    expect(ear.heard.filter(({ path }) => path.endsWith('/judgement')).length).toBeGreaterThan(PAIRS)
    const others = [...NAMES, 'Ona Wolf', 'Lea Winter', 'Rea Voss'].filter((each) => each !== name)
    const secrets = [
      ...Object.values(RUNS),
      ...others.flatMap((each) => [each, mailOf(each), WORDS[each] ?? each]),
      ...judged.map(({ id }) => id),
      'first-round',
      'first-judged',
      'pair-',
      'person-',
      GOLD_WHY,
      FLAG,
    ]
    expect(leaksIn(ear.heard, secrets), name).toEqual([])
  }
})

test('the browsers had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
