// How somebody has the judging screen: kept by person, and data: known actions, keys of a list, none twice, nothing else.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ACTION_KEYS, keysOf, Settings } from '#schema'
import { PAYLOADS } from '../../trials/worlds/payloads.ts'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let ann: Person
let bob: Person
const KEEP = 'PUT /api/me/settings'
const settingsOf = async (person: Person) =>
  ((await person.ask('GET /api/state')).json as { me: { settings: Settings } }).me.settings

beforeAll(async () => {
  harness = await openHarness()
  const owner = await setUp(harness)
  ann = await harness.join('desk', 'annotator', owner)
  bob = await harness.join('desk', 'annotator', owner)
})
afterAll(() => harness.close())

test('as it comes every action has a key of its own; what one person chose is theirs alone', async () => {
  const keys = Object.values(keysOf({}))
  expect(new Set(keys).size).toBe(Object.keys(ACTION_KEYS).length)
  expect(await settingsOf(ann)).toEqual({ view: 'rendered', scrollsTogether: true, keys: {} })
  const chosen = { view: 'source', scrollsTogether: false, keys: { skip: 'k', 'left-4': '9', 'right-4': '1' } }
  expect((await ann.ask(KEEP, chosen)).status).toBe(204)
  expect(await settingsOf(ann)).toEqual(chosen)
  expect(await settingsOf(bob)).toMatchObject({ keys: {} })
  expect((await ann.ask(KEEP, {})).status).toBe(204)
  expect(await settingsOf(ann)).toMatchObject({ keys: {} })
  expect((await harness.stranger().ask(KEEP, {})).status).toBe(401)
})

test('keys that are not data are refused: another key, another action, one key twice, a text that would run', async () => {
  const before = await settingsOf(bob)
  const refused: [unknown, RegExp][] = [
    [{ keys: { skip: 's', flag: 's' } }, /flag.*a key of its own/],
    [{ keys: { skip: 'u' } }, /a key of its own: u is that of/],
    [{ keys: { skip: 'Escape' } }, /skip/],
    [{ keys: { skip: ' ' } }, /skip/],
    [{ keys: { skip: 'ab' } }, /skip/],
    [{ keys: { run: 'k' } }, /run/],
    [{ keys: { constructor: 'k' } }, /constructor/],
    [{ keys: [['skip', 'k']] }, /keys/],
    [{ view: 'html' }, /view/],
    [{ theme: 'x' }, /theme/],
  ]
  for (const [body, words] of refused) {
    const { status, text } = await bob.ask(KEEP, body)
    expect(status, JSON.stringify(body)).toBe(422)
    expect(text).toMatch(words)
  }
  for (const text of PAYLOADS) {
    expect((await bob.ask(KEEP, { keys: { skip: text } })).status).toBe(422)
    expect((await bob.ask(KEEP, { keys: { [text]: 'k' } })).status).toBe(422)
  }
  expect(await settingsOf(bob)).toEqual(before)
})

test('what another hone stored and this one does not know is read as if nothing had been chosen', async () => {
  await harness.store.query('insert into settings (user_id, content) values ($1, $2)', [
    bob.id,
    JSON.stringify({ view: 'hologram' }),
  ])
  expect(await settingsOf(bob)).toEqual(Settings.parse({}))
})
