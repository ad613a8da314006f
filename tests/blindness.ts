// Everything that the browser of somebody who judges blind got from the server, whole; and what in it tells on a model, on
// gold, or on what somebody else said.
import type { BrowserContext } from 'playwright-core'

type Heard = { path: string; body: string }
export type Ear = { heard: Heard[]; asked: () => number }

/** Passes every request on and keeps every answer, but for the files that are built once and sent to all alike. Before the first page is opened. */
export async function listen(context: BrowserContext): Promise<Ear> {
  const heard: Heard[] = []
  let asked = 0
  await context.route(
    ({ pathname }) => !pathname.startsWith('/assets/'),
    async (route) => {
      asked++
      const path = new URL(route.request().url()).pathname
      const response = await route.fetch({ maxRedirects: 0 }).catch(() => undefined)
      const body = await response?.body().catch(() => undefined)
      heard.push({ path, body: body?.toString('utf8') ?? '' })
      // Where the page went on to another address meanwhile, the answer has nobody to go to.
      await (response && body ? route.fulfill({ response, body }) : route.abort()).catch(() => {})
    },
  )
  return { heard, asked: () => asked }
}

/** Fields that no answer to an annotator has a word in, wherever they stand. */
const NEVER =
  /gold|model|candidate|opponent|checkpoint|weights|hash|annotator|side|is_?a_?left|simulated|^(a|b|run|fill)$/i
/** What a person is told of their own answers: the draft, the last ones, a qualification that was not passed. */
const OWN = /^\.(task\.draft|past\[]|qualification\.wrong\[])\.(choice|strength|better|why)$/
const ANSWER = /^(choice|strength|better|why)$/

/** One line for each place that tells; `secrets`: texts that occur nowhere but there where a person is told of their own. */
export function leaksIn(heard: readonly Heard[], secrets: readonly string[]): string[] {
  return heard.flatMap(({ path, body }) => {
    const told = path.startsWith('/api/') ? jsonOf(body) : undefined
    if (told === undefined)
      return secrets.filter((secret) => body.includes(secret)).map((secret) => `${path}: ${secret}`)
    return leavesOf(told).flatMap(({ place, key, value }) => {
      const isOwn = OWN.test(place)
      const words = isOwn ? [] : secrets.filter((secret) => value.includes(secret))
      const isField = value !== 'null' && (NEVER.test(key) || (ANSWER.test(key) && !isOwn))
      return [...words, ...(isField ? [`the field ${key}`] : [])].map((what) => `${path} ${place}: ${what}`)
    })
  })
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

type Leaf = { place: string; key: string; value: string }

/** Every value with its place, such as `.past[].choice`; of an object or array the field alone. */
function leavesOf(value: unknown, place = '', key = ''): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ place, key, value: String(value) }]
  const own = { place, key, value: '' }
  if (Array.isArray(value)) return [own, ...value.flatMap((each) => leavesOf(each, `${place}[]`, key))]
  return [
    own,
    ...Object.entries(value).flatMap(([name, inner]) => [
      ...leavesOf(name, place, ''),
      ...leavesOf(inner, `${place}.${name}`, name),
    ]),
  ]
}
