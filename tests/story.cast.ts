// The people of the story: each in a browser of their own, coming in by a link; and three who judge by a rule of their own,
// which knows nothing but what stands on the page.
import type { Browser, Page } from 'playwright-core'
import { type Ear, listen } from './blindness.ts'
import { somebody } from './browser.ts'
import { PASSWORD } from './serve.test-data.ts'

export type Annotator = { name: string; page: Page; ear: Ear }
/** A pair as it stands on a page. */
export type Shown = { prompt: string; left: string; right: string }
type Joining = { role: string; name: string }

/** Fills in the account that set-up and invitations ask for. */
export async function signUp(page: Page, name: string): Promise<void> {
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('E-mail address').fill(mailOf(name))
  await page.getByLabel('Password').fill(PASSWORD)
  await page.keyboard.press('Enter')
}
export const mailOf = (name: string): string => `${name.toLowerCase().replaceAll(' ', '.')}@example.org`

/** `by` makes a link under People; who opens it in a browser of their own joins. */
export async function joinByLink(browser: Browser, by: Page, joining: Joining): Promise<Page> {
  const { page } = await somebody(browser)
  await join(page, by, joining)
  return page
}

/** One who judges, whose browser is listened to from its first request on. */
export async function joinAsAnnotator(browser: Browser, by: Page, name: string): Promise<Annotator> {
  const { page, context } = await somebody(browser)
  const ear = await listen(context)
  await join(page, by, { role: 'annotator', name })
  return { name, page, ear }
}

async function join(page: Page, by: Page, { role, name }: Joining): Promise<void> {
  await by.getByRole('link', { name: 'People' }).click()
  await by.getByLabel('Invite somebody as').selectOption(role)
  await by.getByRole('button', { name: 'Make a link' }).click()
  const link = await by.getByLabel(`Invitation for one ${role}`).inputValue()
  await by.getByRole('link', { name: 'Home' }).click()
  await page.goto(link)
  await signUp(page, name)
  await page.getByText(`You are ${role} here.`).waitFor()
}

/** The reply with more of the prompt's words in it; of two alike the shorter one. Above 0: the first. */
export function liking(prompt: string, first: string, second: string): number {
  const asked = new Set(wordsOf(prompt))
  const found = (reply: string): number => new Set(wordsOf(reply).filter((word) => asked.has(word))).size
  return found(first) - found(second) || (second.length - first.length) / 1000
}
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? []

export async function pairOn(page: Page): Promise<Shown> {
  const [prompt, left, right] = await page.locator('.prompt .markdown, .pair .side .markdown').allInnerTexts()
  return { prompt: prompt!, left: left!, right: right! }
}

/** The digit for a pair: by the rule, turned round where this person is careless, which follows from name and texts alone. */
export function keyFor(name: string, { prompt, left, right }: Shown): string {
  const lot = lotOf(`${name} ${left} ${right}`)
  if (lot < 0.05) return '5'
  const liked = liking(prompt, left, right) * (lot < 0.2 ? -1 : 1)
  const strength = 1 + Math.min(3, Math.floor(Math.abs(liked)))
  return String(liked > 0 ? 5 - strength : 5 + strength)
}

/** FNV-1a, as a share of all. */
function lotOf(text: string): number {
  let hash = 2_166_136_261
  for (const unit of text) hash = Math.imul(hash ^ unit.codePointAt(0)!, 16_777_619)
  return (hash >>> 0) / 2 ** 32
}

type Answering = {
  /** Stop after so many; all that come, unless given. */
  most?: number
  key?: (pair: Shown) => string
  /** Given with each. */
  reason?: string
}

/** Answers what comes, by keyboard alone, until nothing comes or `most` are answered; how many they were. */
export async function judge(
  { name, page }: Annotator,
  { most = Infinity, key = (pair) => keyFor(name, pair), reason }: Answering = {},
): Promise<number> {
  const head = page.locator('.annotate-head p')
  const left = page.getByRole('region', { name: 'Left' })
  const nothing = page.getByRole('heading', { name: /Nothing is left|not passed/ })
  await left.or(nothing).first().waitFor()
  for (let count = 0; ; count++) {
    const mine = Number(/^(\d+) answers? by you/.exec((await head.textContent())!)![1])
    if (count >= most || (await nothing.isVisible())) return count
    await page.keyboard.press(key(await pairOn(page)))
    if (reason !== undefined) {
      await page.keyboard.press('r')
      await page.keyboard.type(reason)
    }
    await page.keyboard.press(count % 2 === 0 ? 'Control+Enter' : 'Enter')
    await page.getByText(new RegExp(`^${mine + 1} answers? by you`)).waitFor()
  }
}
