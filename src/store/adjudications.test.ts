// Adjudication on a real Postgres: rows are only added, the newest holds, a stale word is refused, and what is settled is put
// to nobody any more.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  addGuideline,
  adjudicate,
  claim,
  createCampaign,
  createProject,
  createUser,
  findCampaign,
  findCase,
  flag,
  listHistory,
  listItems,
  listJudgements,
  listSettled,
  newestGuideline,
  noteFirstLook,
  openFor,
  openStore,
  type Store,
  submit,
  versionOfAnswers,
} from './index.ts'

let workspace: string
let store: Store
let project: string
let campaign: string
let people: string[]

beforeAll(async () => {
  workspace = fs.mkdtempSync(join(tmpdir(), 'hone-adjudications-'))
  store = await openStore({ workspace })
  people = await Promise.all(
    Array.from({ length: 4 }, async (_, i) => {
      const email = `${randomUUID()}@example.org`
      return (await createUser(store.query, { email, name: `Person ${i}`, passwordHash: 'none' }))!.id
    }),
  )
  project = (await createProject(store.query, { slug: 'desk', name: 'Desk' }))!.id
  await addGuideline(store.query, project, { text: 'Choose the better one.', by: people[0]! })
  campaign = (await createCampaign(store.query, {
    project,
    name: 'Round',
    dataset: 'd',
    version: 'v',
    guideline: (await newestGuideline(store.query, project))!.id,
    overlap: 2,
    seed: 1,
    by: people[0]!,
    items: Array.from({ length: 3 }, (_, i) => ({ item: `pair-${i}`, prompt: `Q${i}`, a: `A${i}`, b: `B${i}` })),
  }))!
})
afterAll(async () => {
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })
})

const settle = (item: string, over: Partial<Parameters<typeof adjudicate>[2]> = {}) =>
  store.transaction(async (query) => {
    const found = (await findCase(query, campaign, item, people[3]!))!
    const word = { user: people[3]!, key: randomUUID(), before: null, outcome: 'excluded' as const, reason: 'garbled' }
    return adjudicate(query, found, { ...word, ...over })
  })
const itemNamed = async (name: string) => (await listItems(store.query, campaign)).find(({ item }) => item === name)!

test('what is settled is claimed and counted as wanted no more; put back, it is', async () => {
  const { id } = await itemNamed('pair-0')
  const answer = { key: randomUUID(), choice: 'left' as const, strength: 2, reason: '', activeSeconds: 1 }
  const first = (await claim(store, campaign, people[0]!))!
  expect(first.id).toBe(id)
  await submit(store, { project, campaign, item: id, user: people[0]! }, answer)
  expect(await findCampaign(store.query, project, campaign)).toMatchObject({ wanted: 6, judged: 1 })
  const made = await settle(id)
  expect(made).toMatchObject({ outcome: 'stands', isNew: true })
  expect(await findCampaign(store.query, project, campaign)).toMatchObject({ wanted: 5, judged: 1 })
  expect((await openFor(store.query, project, people[1]!))[0]!.open).toBe(2)
  expect((await claim(store, campaign, people[1]!))!.id).not.toBe(id)
  expect(await listJudgements(store.query, campaign)).toEqual([])
  const before = (made as { id: string }).id
  await settle(id, { outcome: 'reopened', before })
  expect((await listJudgements(store.query, campaign)).map(({ item }) => item)).toEqual(['pair-0'])
  expect(await findCampaign(store.query, project, campaign)).toMatchObject({ wanted: 6 })
  expect((await claim(store, campaign, people[2]!))!.id).toBe(id)
})

test('rows are only added: the newest holds, the same key is one word, a stale one is refused', async () => {
  const { id } = await itemNamed('pair-1')
  const key = randomUUID()
  const first = await settle(id, { key, outcome: 'decided', choice: 'right', strength: 3, reason: 'it answers' })
  const again = await settle(id, { key, outcome: 'decided', choice: 'right', strength: 3, reason: 'it answers' })
  expect(again).toEqual({ ...first, isNew: false })
  expect(await settle(id, { outcome: 'subjective', reason: 'taste' })).toEqual({ outcome: 'stale' })
  const both = await Promise.all(
    ['one', 'two'].map((reason) => settle(id, { outcome: 'subjective', before: (first as { id: string }).id, reason })),
  )
  expect(both.map(({ outcome }) => outcome).sort()).toEqual(['stale', 'stands'])
  const history = await listHistory(store.query, id)
  expect(history.map(({ outcome }) => outcome)).toEqual(['subjective', 'decided'])
  expect(history[1]).toMatchObject({ choice: 'right', strength: 3, left: history[0]!.left })
  expect((await listSettled(store.query, campaign)).map(({ item, outcome }) => [item, outcome])).toEqual([
    ['pair-1', 'subjective'],
  ])
})

test('the first look stays as it was; sides are drawn for each adjudicator; who judged it is known', async () => {
  const { id } = await itemNamed('pair-0')
  const found = (await findCase(store.query, campaign, id, people[3]!))!
  expect(found).toMatchObject({ first: null, isOwn: false })
  expect(found.left.startsWith('A')).toBe(found.isALeft)
  expect(await noteFirstLook(store.query, found, { user: people[3]!, choice: 'left', strength: 1 })).toBe(true)
  expect(await noteFirstLook(store.query, found, { user: people[3]!, choice: 'tie' })).toBe(false)
  expect(await findCase(store.query, campaign, id, people[3]!)).toMatchObject({
    first: { choice: 'left', strength: 1 },
  })
  expect(await findCase(store.query, campaign, id, people[0]!)).toMatchObject({ isOwn: true, first: null })
  expect(await findCase(store.query, randomUUID(), id, people[3]!)).toBeUndefined()
})

test('flags count from the last adjudication on, and every change changes the version of the answers', async () => {
  const { id } = await itemNamed('pair-2')
  const versions = [await versionOfAnswers(store.query, campaign)]
  await flag(store.query, id, people[0]!, 'two languages')
  versions.push(await versionOfAnswers(store.query, campaign))
  expect((await itemNamed('pair-2')).flags).toBe(1)
  await settle(id)
  versions.push(await versionOfAnswers(store.query, campaign))
  expect(await itemNamed('pair-2')).toMatchObject({ flags: 0, settled: 'excluded' })
  await flag(store.query, id, people[1]!, 'it was right')
  expect(await itemNamed('pair-2')).toMatchObject({ flags: 1, settled: 'excluded' })
  expect(new Set(versions).size).toBe(3)
})
