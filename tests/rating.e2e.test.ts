// Ratings, rankings and a calibration round in Chromium, from the form that opens them to what the lead sees.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { complaints, hasBrowser, looksRight } from './browser.ts'
import { ask, joinAs, openAsLead, openFront } from './serve.test-data.ts'

const front = openFront()
const PROMPTS = 2
const TONE = { name: 'tone', text: 'How kind is it?', type: '1-5' }
let lead: Page
let people: Page[]

async function newCampaign(kind: string, name: string): Promise<void> {
  await lead.getByRole('link', { name: 'Campaigns' }).click()
  await lead.getByRole('button', { name: 'New campaign' }).click()
  await lead.getByLabel('People are asked for').selectOption(kind)
  await lead.getByLabel('Name').fill(name)
}
async function begin(page: Page, link: RegExp): Promise<void> {
  await page.goto(`${front.served.url}/p/desk`)
  await page.getByRole('link', { name: link }).press('Enter')
  // One of the links leads there before the guideline was read, the others after.
  const read = page.getByRole('button', { name: 'I have read it' })
  const task = page.locator('[data-question]').or(page.getByRole('region', { name: 'Left' }))
  await read.or(task.first()).first().waitFor()
  if (await read.isVisible()) await read.press('Enter')
  await task.first().waitFor()
}

test('a lead asks for ratings; digits and arrows answer, and what is missing or out of range gets the focus', async (ctx) => {
  hasBrowser(ctx)
  lead = await openAsLead(front)
  people = await Promise.all(['Ann Berg', 'Ben Cho'].map((name) => joinAs(front, lead, 'annotator', name)))
  const prompts = Array.from({ length: PROMPTS }, (_, i) => `Order ${41_300 + i} is late. When does my parcel arrive?`)
  const rows = prompts.map((prompt) => ({ prompt, completion: 'It arrives on Friday. Warmly, Larkspur.' }))
  const ranked = prompts.map((prompt, i) => ({
    prompt,
    completions: ['It arrives on Friday. Warmly, Larkspur.', 'On Friday.', 'We get many such cases. That is all.'].map(
      (text) => `${text} (${i})`,
    ),
  }))
  const pairs = prompts.map((prompt, i) => ({
    item: `p${i}`,
    prompt,
    a: `GOOD On Friday (${i}).`,
    b: `POOR No (${i}).`,
  }))
  for (const [name, kind, given] of [
    ['answers', 'demonstrations', rows],
    ['several', 'prompts', ranked],
    ['pairs', 'comparisons', pairs],
  ] as const) {
    const file = Buffer.from(given.map((row) => JSON.stringify(row)).join('\n'))
    await ask(front, lead.context(), `POST /api/projects/desk/datasets/${name}?kind=${kind}`, file)
  }
  await lead.reload()
  await newCampaign('ratings', 'How good they are')
  await lead.getByLabel('Question 1').fill('How kind is it?')
  await lead.getByRole('button', { name: 'One question more' }).click()
  await lead.getByLabel('Question 2').fill('May it go out?')
  await lead.getByLabel('Answered by, 2').selectOption('category')
  await lead.getByRole('button', { name: 'One question more' }).click()
  await lead.getByLabel('Question 3').fill('What is wrong?')
  await lead.getByLabel('Answered by, 3').selectOption('text')
  await lead.getByLabel('Must be answered').nth(2).uncheck()
  await looksRight(lead, 'new-ratings')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByText('Nobody has answered yet').waitFor()

  const [page] = people as [Page]
  await begin(page, /answers to rate in How good they are/)
  await looksRight(page, 'rate')
  await page.keyboard.press('4')
  await page.keyboard.press('Enter')
  await page.getByText('May it go out? expected an answer.').waitFor()
  const at = await page.evaluate<string>(
    "document.activeElement.closest('fieldset').querySelector('legend').textContent",
  )
  expect(at).toMatch(/^May it go out/)
  await page.keyboard.press('3')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.type('Nothing: 1 2 3 s')
  await page.waitForResponse((response) => response.url().endsWith('/answer') && response.request().method() === 'PUT')
  await page.reload()
  await page.locator('[data-question] textarea').waitFor()
  expect(await page.locator('[data-question] textarea').inputValue()).toBe('Nothing: 1 2 3 s')
  expect(await page.getByRole('radio', { name: 'critical' }).isChecked()).toBe(true)
  await page.locator('[data-question] textarea').press('Control+Enter')
  await page.getByText('1 answer by you').waitFor()
  await page.keyboard.press('u')
  await page.getByText('0 answers by you').waitFor()
  expect(await page.getByRole('radio', { name: 'critical' }).isChecked()).toBe(true)
  await page.keyboard.press('Enter')
  await page.getByText('1 answer by you').waitFor()
  for (const person of people) {
    if (person !== page) await begin(person, /answers to rate in How good they are/)
    for (let n = person === page ? 1 : 0; n < PROMPTS; n++) {
      await person.getByText(`${n} answer${n === 1 ? '' : 's'} by you`).waitFor()
      for (const key of ['5', 'ArrowDown', '1', 'Enter']) await person.keyboard.press(key)
    }
    await person.getByText('Nothing is left for you here').waitFor()
  }
  await lead.reload()
  await lead.getByRole('heading', { name: 'How kind is it?' }).waitFor()
  await lead.getByText('4 answers').first().waitFor()
  await looksRight(lead, 'campaign-ratings')
})

test('an answer whose server is away is kept on the device over a reload, sent once it is back, and counts once', async (ctx) => {
  hasBrowser(ctx)
  const opened = { name: 'From a train', kind: 'ratings', dataset: 'answers', overlap: 1, seed: 1, questions: [TONE] }
  const { id } = (await ask(front, lead.context(), 'POST /api/projects/desk/campaigns', opened)) as { id: string }
  const [page] = people as [Page]
  await ask(front, page.context(), `PUT /api/projects/desk/campaigns/${id}/guideline-read`)
  await page.goto(`${front.served.url}/p/desk/rate/${id}`)
  await page.locator('[data-question]').waitFor()
  const isAnswer = (url: URL): boolean => url.pathname.endsWith('/answer')
  const keys: string[] = []
  page.on('request', (request) => {
    if (isAnswer(new URL(request.url())) && request.method() === 'POST')
      keys.push((request.postDataJSON() as { key: string }).key)
  })
  await page.route(isAnswer, (route) => route.abort())
  await page.keyboard.press('4')
  await page.keyboard.press('Enter')
  await page.getByText('Your answer is kept on this device').waitFor()
  await looksRight(page, 'rate-away')
  await page.reload()
  await page.getByText('Your answer is kept on this device').waitFor()
  await page.unroute(isAnswer)
  await page.getByText('1 answer by you').waitFor()
  expect(keys.length).toBeGreaterThan(1)
  expect(new Set(keys).size).toBe(1)
  expect(await page.evaluate('localStorage.getItem("hone.outbox")')).toBeNull()
  await page.keyboard.press('2')
  await page.keyboard.press('Enter')
  await page.getByText('Nothing is left for you here').waitFor()
})

test('rankings: a digit puts the answer at hand in its place, equal ones share one; kept as pairs', async (ctx) => {
  hasBrowser(ctx)
  await newCampaign('rankings', 'In which order')
  await lead.getByLabel('Prompts with their answers').selectOption('several')
  await looksRight(lead, 'new-rankings')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByText('Nobody has answered yet').waitFor()
  for (const [i, page] of people.entries()) {
    await begin(page, /prompts to rank in In which order/)
    if (i === 0) {
      await looksRight(page, 'rank')
      await page.keyboard.press('1')
      await page.keyboard.press('Enter')
      await page.getByText('Answer 2 has no place yet').waitFor()
    }
    for (let n = 0; n < PROMPTS; n++) {
      await page.getByText(`${n} answer${n === 1 ? '' : 's'} by you`).waitFor()
      const texts = await page.locator('[data-question] > .markdown').allInnerTexts()
      await page.keyboard.press('ArrowUp')
      await page.keyboard.press('ArrowUp')
      for (const text of texts) {
        await page.keyboard.press(text.startsWith('It') ? '1' : text.startsWith('On') ? '2' : '3')
        await page.keyboard.press('ArrowDown')
      }
      await page.keyboard.press('Enter')
    }
    await page.getByText('Nothing is left for you here').waitFor()
  }
  await lead.reload()
  await lead.getByText('12 pairs of answers follow from them').waitFor()
  await looksRight(lead, 'campaign-rankings')
  await lead.getByRole('button', { name: 'Keep' }).click()
  await lead.getByText('Kept 12 judgements as several-ranked@').waitFor()
})

test('a calibration round: everybody judges, a lead closes it, and those who took part see all answers and talk', async (ctx) => {
  hasBrowser(ctx)
  await newCampaign('pairs', 'Before we begin')
  await lead.getByLabel('A calibration round').check()
  await looksRight(lead, 'new-calibration')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  await lead.getByText('a calibration round').waitFor()
  for (const [i, page] of people.entries()) {
    await begin(page, /pairs to judge in Before we begin/)
    for (let n = 0; n < PROMPTS; n++) {
      await page.getByText(`${n} answer${n === 1 ? '' : 's'} by you`).waitFor()
      const isGoodLeft = (await page.getByRole('region', { name: 'Left' }).textContent())!.includes('GOOD')
      // They differ on the first prompt.
      const isFirst = (await page.getByRole('region', { name: 'Prompt' }).textContent())!.includes('41300')
      await page.keyboard.press(isFirst && i === 1 ? '5' : isGoodLeft ? '2' : '8')
      await page.keyboard.press('Enter')
    }
    await page.getByText('Nothing is left for you here').waitFor()
  }
  await lead.getByRole('button', { name: 'Close' }).click()
  await expect.poll(() => lead.getByRole('button', { name: 'Close' }).count()).toBe(0)
  const [first, second] = people as [Page, Page]
  await first.getByRole('button', { name: 'Look again' }).click()
  await first.getByRole('link', { name: 'Everybody’s answers' }).click()
  await first.getByText('on 1 of them they differ').waitFor()
  await first.getByLabel('What do you say to it?').fill('Neither gives a refund.')
  await first.getByRole('button', { name: 'Say it' }).click()
  await first.getByText('Neither gives a refund.').waitFor()
  await looksRight(first, 'discussion')
  await second.goto(`${front.served.url}/p/desk`)
  await second.getByRole('link', { name: '2 pairs to talk about in Before we begin' }).click()
  await second.getByText('Neither gives a refund.').waitFor()
  expect(await second.locator('main').textContent()).not.toContain('Ann Berg')
  await second.getByRole('button', { name: 'All 2' }).click()
  await expect.poll(() => second.getByRole('article').count()).toBe(2)
})

test('a lead pauses somebody with a reason and lets them go on', async (ctx) => {
  hasBrowser(ctx)
  await newCampaign('pairs', 'After that')
  await lead.getByRole('button', { name: 'Open the campaign' }).click()
  const [page] = people as [Page]
  await begin(page, /pairs to judge in After that/)
  await page.keyboard.press('5')
  await page.keyboard.press('Enter')
  await page.getByText('1 answer by you').waitFor()
  await lead.reload()
  await lead.getByRole('button', { name: 'Pause: Ann Berg' }).click()
  await lead.getByLabel('Why Ann Berg is paused').fill('Until we have talked.')
  await lead.getByRole('button', { name: 'Pause', exact: true }).last().click()
  await lead.getByText('Until we have talked.').waitFor()
  await looksRight(lead, 'campaign-paused')
  await page.reload()
  await page.getByText('You are paused here').waitFor()
  await lead.getByRole('button', { name: 'Let go on: Ann Berg' }).click()
  await lead.getByLabel('Why Ann Berg goes on').fill('We have.')
  await lead.getByRole('button', { name: 'Let go on', exact: true }).click()
  await lead.getByRole('button', { name: 'Pause: Ann Berg' }).waitFor()
  await page.reload()
  await page.getByRole('region', { name: 'Left' }).waitFor()
})

test('the browser had nothing to complain about', (ctx) => {
  hasBrowser(ctx)
  expect(complaints).toEqual([])
  expect(front.served.said()).not.toMatch(/Error/)
})
