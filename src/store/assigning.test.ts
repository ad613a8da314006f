// Limits of what one person may give and what a lead assigns, on a real Postgres with many people at once: nobody gives more than
// they may, kept places are taken by whom they are kept for, and what is shared out by hand goes to nobody else.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  addGuideline,
  type Answer,
  assignSlice,
  claim,
  claimItem,
  createCampaign,
  createProject,
  createUser,
  listShares,
  listSlices,
  listUnsettled,
  mostOfOne,
  newestGuideline,
  openFor,
  openStore,
  removeMember,
  reopen,
  setItemOrder,
  setLimits,
  setRole,
  skip,
  type Store,
  submit,
  submitAnswer,
  unassign,
} from './index.ts'

let workspace: string
let store: Store
let project: string
let owner: string

beforeAll(async () => {
  workspace = fs.mkdtempSync(join(tmpdir(), 'hone-assigning-'))
  store = await openStore({ workspace })
  owner = (await people(1))[0]!
  project = (await createProject(store.query, { slug: 'desk', name: 'Desk' }))!.id
  await addGuideline(store.query, project, { text: 'Choose the better one.', by: owner })
})
afterAll(async () => {
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })
})

async function people(count: number): Promise<string[]> {
  const made = Array.from({ length: count }, async () => {
    const email = `${randomUUID()}@example.org`
    return (await createUser(store.query, { email, name: 'Somebody', passwordHash: 'none' }))!.id
  })
  return Promise.all(made)
}
type Over = { kind?: 'ratings'; skipPolicy?: 'back-to-me' | 'drop' }
async function open(count: number, overlap: number, over: Over = {}): Promise<string> {
  const guideline = (await newestGuideline(store.query, project))!.id
  const stratumOf = (i: number) => (i % 2 === 0 ? 'even' : 'odd')
  const items = Array.from({ length: count }, (_, i) => ({
    item: `pair-${i}`,
    prompt: `${i}?`,
    a: 'A',
    b: 'B',
    stratum: stratumOf(i),
  }))
  const of = { project, dataset: 'd', version: 'v', guideline, by: owner, name: randomUUID(), seed: 1, ...over }
  return (await createCampaign(store.query, { ...of, overlap, items }))!
}
const FREE = { mostEach: null, mostShare: null, isManual: false }
const limit = (campaign: string, over: Partial<typeof FREE> | { mostEach: number } | { mostShare: number }) =>
  store.transaction((query) => setLimits(query, campaign, { ...FREE, ...over }))
const answer = (): Answer => ({ key: randomUUID(), choice: 'left', strength: 1, reason: '', activeSeconds: 1 })
const judge = (campaign: string, user: string, item: string, isLimited = false) =>
  submit(store, { project, campaign, item, user }, answer(), { isLimited })
const assign = (campaign: string, to: string[], slice: object, isDivided = false) =>
  store.transaction((query) => assignSlice(query, { campaign, people: to, slice, isDivided, by: owner }))
/** Names of what a person judges, in order, until nothing is left for them. */
async function work(campaign: string, user: string, most = Infinity): Promise<string[]> {
  const done: string[] = []
  while (done.length < most) {
    const task = await claim(store, campaign, user)
    if (!task) break
    expect((await judge(campaign, user, task.id, true)).outcome).toBe('counted')
    done.push(await nameOf(task.id))
  }
  return done
}
const nameOf = async (item: string) =>
  (await store.query<{ item: string }>('select item from items where id = $1', [item]))[0]!.item
const idOf = async (campaign: string, item: string) =>
  (
    await store.query<{ id: string }>('select id::text as id from items where campaign_id = $1 and item = $2', [
      campaign,
      item,
    ])
  )[0]!.id
const givenBy = (campaign: string) =>
  store.query<{ user: string; count: number }>(
    `select user_id as user, count(*)::int as count from judgements join items on items.id = item_id
     where campaign_id = $1 and judgements.state = 'current' group by user_id`,
    [campaign],
  )
const range = (count: number) => Array.from({ length: count }, (_, i) => `pair-${i}`)

test('a number and a share each hold: 16 people at once, two tabs each, and nobody gives more', async () => {
  for (const [over, most] of [
    [{ mostEach: 7 }, 7],
    [{ mostShare: 0.03 }, 6],
    [{ mostEach: 5, mostShare: 0.03 }, 5],
  ] as const) {
    // More is wanted than all of them may give: so each gives exactly that.
    const campaign = await open(100, 2)
    await limit(campaign, over)
    const crowd = await people(16)
    await Promise.all(
      [...crowd, ...crowd].map(async (user) => {
        for (let task = await claim(store, campaign, user); task; task = await claim(store, campaign, user))
          await judge(campaign, user, task.id, true)
      }),
    )
    expect((await givenBy(campaign)).map(({ count }) => count)).toEqual(Array(16).fill(most))
  }
})

test('an answer that comes without a claim is held to the limit too, is kept, and counts once there is room', async () => {
  const campaign = await open(6, 2)
  await limit(campaign, { mostEach: 1 })
  const [user] = await people(1)
  expect(await work(campaign, user!)).toEqual(['pair-0'])
  expect(await claim(store, campaign, user!)).toBeUndefined()
  const items = await Promise.all([1, 2, 3, 4].map((i) => idOf(campaign, `pair-${i}`)))
  const late = await Promise.all(items.map((item) => judge(campaign, user!, item)))
  expect(late.map(({ outcome }) => outcome)).toEqual(Array(4).fill('at-limit'))
  expect(await givenBy(campaign)).toEqual([{ user, count: 1 }])
  await store.transaction((query) => reopen(query, campaign, user!, items[0]!))
  await limit(campaign, { mostEach: 3 })
  const more = await Promise.all(items.map((item) => judge(campaign, user!, item)))
  expect(more.map(({ outcome }) => outcome).sort()).toEqual(['at-limit', 'at-limit', 'counted', 'counted'])
})

test('what is taken back frees its place under the limit; a lower limit gives back what was claimed', async () => {
  const campaign = await open(6, 1)
  const [user] = await people(1)
  await limit(campaign, { mostEach: 2 })
  await work(campaign, user!)
  await store.transaction(async (query) => reopen(query, campaign, user!, await idOf(campaign, 'pair-0')))
  const [held] = await store.query<{ claimed: number }>(
    'select sum(claimed)::int as claimed from items where campaign_id = $1',
    [campaign],
  )
  expect(held!.claimed).toBe(1)
  await limit(campaign, { mostEach: 1 })
  const [back] = await store.query<{ claimed: number }>(
    'select sum(claimed)::int as claimed from items where campaign_id = $1',
    [campaign],
  )
  expect(back!.claimed).toBe(0)
  expect(await claim(store, campaign, user!)).toBeUndefined()
})

test('ratings are held to the limit as judgements are', async () => {
  const campaign = await open(5, 1, { kind: 'ratings' })
  await limit(campaign, { mostEach: 2 })
  const [user] = await people(1)
  const rate = async (item: string) => {
    const given = { key: randomUUID(), content: { values: { tone: 3 } }, reason: '', activeSeconds: 1 }
    return (await submitAnswer(store, { project, campaign, item, user: user! }, given)).outcome
  }
  const sent = await Promise.all(range(5).map(async (name) => rate(await idOf(campaign, name))))
  expect(sent.filter((outcome) => outcome === 'counted')).toHaveLength(2)
  expect(sent.filter((outcome) => outcome === 'at-limit')).toHaveLength(3)
  expect(await claimItem(store, campaign, user!)).toBe(false)
})

test('what is assigned comes first, its place is kept, and the other places go to everybody', async () => {
  const campaign = await open(6, 2)
  const [one, two, three, four] = (await people(4)) as [string, string, string, string]
  expect(await assign(campaign, [one, two], { items: ['pair-3', 'pair-5'] })).toEqual([
    { user: one, assigned: 2 },
    { user: two, assigned: 2 },
  ])
  // Both places of these are kept: nobody else gets them, and no third person can be assigned.
  expect(await assign(campaign, [three], { items: ['pair-3', 'pair-5'] })).toEqual([{ user: three, assigned: 0 }])
  expect(await assign(campaign, [three], { items: ['pair-4'] })).toEqual([{ user: three, assigned: 1 }])
  expect(await work(campaign, four)).toEqual(['pair-0', 'pair-1', 'pair-2', 'pair-4'])
  expect((await judge(campaign, four, await idOf(campaign, 'pair-3'))).outcome).toBe('complete')
  expect(await work(campaign, three)).toEqual(['pair-4', 'pair-0', 'pair-1', 'pair-2'])
  expect(await work(campaign, one)).toEqual(['pair-3', 'pair-5'])
  // What somebody skips is kept for them no longer.
  const next = (await claim(store, campaign, two))!
  expect(await nameOf(next.id)).toBe('pair-3')
  await store.transaction((query) => skip(query, { item: next.id, user: two, reason: '' }))
  expect(await work(campaign, four)).toEqual(['pair-3'])
  expect(await work(campaign, two)).toEqual(['pair-5'])
})

test('shared out by hand, nobody gets what is not assigned to them, and home says so', async () => {
  const campaign = await open(8, 2)
  const [one, two, other] = (await people(3)) as [string, string, string]
  await limit(campaign, { isManual: true })
  expect(await claim(store, campaign, one)).toBeUndefined()
  await assign(campaign, [one, two], { stratum: 'odd', first: 3 }, true)
  const openTo = async (user: string) =>
    (await openFor(store.query, project, user)).find((each) => each.campaign === campaign)?.open ?? 0
  expect([await openTo(one), await openTo(two), await openTo(other)]).toEqual([2, 1, 0])
  expect((await judge(campaign, other, await idOf(campaign, 'pair-0'))).outcome).toBe('complete')
  expect(await work(campaign, other)).toEqual([])
  expect(await work(campaign, one)).toEqual(['pair-1', 'pair-5'])
  // Taken back, what they are at goes with it.
  const task = (await claim(store, campaign, two))!
  expect(await nameOf(task.id)).toBe('pair-3')
  expect(await store.transaction((query) => unassign(query, campaign, two))).toBe(1)
  expect(await claim(store, campaign, two)).toBeUndefined()
  const [row] = await store.query<{ claimed: number }>(
    'select sum(claimed)::int as claimed from items where campaign_id = $1',
    [campaign],
  )
  expect(row!.claimed).toBe(0)
})

test('16 people at once: every kept place is taken by whom it was kept for, and no item gets more than it wants', async () => {
  const campaign = await open(60, 3)
  const crowd = await people(16)
  for (const [i, user] of crowd.entries()) {
    const items = range(60).filter((_, item) => item % 8 === i % 8)
    expect((await assign(campaign, [user], { items }))[0]!.assigned).toBe(items.length)
  }
  await Promise.all(crowd.map((user) => work(campaign, user)))
  const rows = await store.query<{ judged: number; kept: number; missed: number }>(
    `select judged, (select count(*)::int from assignments where item_id = items.id) as kept,
       (select count(*)::int from assignments as a where item_id = items.id and not exists (
         select from judgements as j where j.item_id = a.item_id and j.user_id = a.user_id)) as missed
     from items where campaign_id = $1`,
    [campaign],
  )
  expect(rows.map(({ judged, kept, missed }) => [judged, kept, missed])).toEqual(Array.from(rows, () => [3, 2, 0]))
})

test('whoever leaves the project keeps no place; shares tell what is given, assigned and still to do', async () => {
  const campaign = await open(4, 1)
  const [stays, leaves] = (await people(2)) as [string, string]
  for (const user of [stays, leaves]) await setRole(store.query, project, user, 'annotator')
  await assign(campaign, [stays, leaves], {}, true)
  expect(await work(campaign, stays, 1)).toEqual(['pair-0'])
  const shares = async () =>
    (await listShares(store.query, project, campaign)).map(({ user, given, assigned, owed }) => [
      user,
      given,
      assigned,
      owed,
    ])
  expect(await shares()).toEqual(
    expect.arrayContaining([
      [stays, 1, 2, 1],
      [leaves, 0, 2, 2],
    ]),
  )
  await removeMember(store.query, project, leaves)
  expect(await shares()).toEqual([[stays, 1, 2, 1]])
  expect(await work(campaign, stays)).toEqual(['pair-2', 'pair-1', 'pair-3'])
})

/** Skips what is next for a person, and says what that is. */
async function skipNext(campaign: string, user: string): Promise<string> {
  const task = (await claim(store, campaign, user))!
  await store.transaction((query) => skip(query, { item: task.id, user, reason: '' }))
  return nameOf(task.id)
}

test('what is assigned and comes back keeps its place, and comes after all else', async () => {
  const campaign = await open(4, 1, { skipPolicy: 'back-to-me' })
  const [one, other] = (await people(2)) as [string, string]
  await assign(campaign, [one], { items: ['pair-1', 'pair-2'] })
  expect(await skipNext(campaign, one)).toBe('pair-1')
  expect(await work(campaign, other)).toEqual(['pair-0', 'pair-3'])
  expect((await judge(campaign, other, await idOf(campaign, 'pair-1'))).outcome).toBe('complete')
  expect(await work(campaign, one)).toEqual(['pair-2', 'pair-1'])
})

test('what comes back does so within the limit', async () => {
  const campaign = await open(4, 2, { skipPolicy: 'back-to-me' })
  await limit(campaign, { mostEach: 3 })
  const [user] = (await people(1)) as [string]
  expect(await skipNext(campaign, user)).toBe('pair-0')
  expect(await work(campaign, user)).toEqual(['pair-1', 'pair-2', 'pair-3'])
  await limit(campaign, { mostEach: 4 })
  expect(await work(campaign, user)).toEqual(['pair-0'])
})

test('shared out by hand, what was skipped comes back to whom it is assigned, until that is taken back', async () => {
  const campaign = await open(4, 2, { skipPolicy: 'back-to-me' })
  const [one, other] = (await people(2)) as [string, string]
  expect(await skipNext(campaign, other)).toBe('pair-0')
  await limit(campaign, { isManual: true })
  expect(await claim(store, campaign, other)).toBeUndefined()
  await assign(campaign, [one], { items: ['pair-0', 'pair-2', 'pair-3'] })
  expect(await skipNext(campaign, one)).toBe('pair-0')
  expect(await skipNext(campaign, one)).toBe('pair-2')
  expect(await work(campaign, one, 2)).toEqual(['pair-3', 'pair-0'])
  expect(await store.transaction((query) => unassign(query, campaign, one))).toBe(1)
  expect(await claim(store, campaign, one)).toBeUndefined()
})

test('what was dropped is wanted no more: not of a share of all, owed by nobody, in no slice, without a rank', async () => {
  const campaign = await open(10, 2, { skipPolicy: 'drop' })
  await limit(campaign, { mostShare: 0.3 })
  expect(await mostOfOne(store.query, campaign)).toBe(6)
  const [one, other, third] = (await people(3)) as [string, string, string]
  for (const user of [one, other]) await setRole(store.query, project, user, 'annotator')
  await assign(campaign, [one], { items: range(4) })
  await assign(campaign, [other], { items: ['pair-0'] })
  expect(await skipNext(campaign, one)).toBe('pair-0')
  expect(await mostOfOne(store.query, campaign)).toBe(5)
  const shares = await listShares(store.query, project, campaign)
  expect(shares.find(({ user }) => user === one)).toMatchObject({ given: 0, assigned: 4, owed: 3 })
  expect(shares.find(({ user }) => user === other)).toMatchObject({ given: 0, assigned: 1, owed: 0 })
  expect(await listSlices(store.query, campaign)).toEqual([
    { stratum: 'even', items: 5, open: 4 },
    { stratum: 'odd', items: 5, open: 5 },
  ])
  expect(await listUnsettled(store.query, campaign)).toHaveLength(9)
  expect(await assign(campaign, [third], { items: ['pair-0'] })).toEqual([{ user: third, assigned: 0 }])
  expect(await assign(campaign, [third], { first: 1 })).toEqual([{ user: third, assigned: 1 }])
  expect(await work(campaign, one)).toEqual(['pair-1', 'pair-2', 'pair-3', 'pair-4', 'pair-5'])
})

test('begun first passes over what was dropped and what the person skipped, which comes back last', async () => {
  for (const skipPolicy of ['drop', 'back-to-me'] as const) {
    const campaign = await open(3, 3, { skipPolicy })
    await store.transaction((query) => setItemOrder(query, campaign, 'begun'))
    const [first, second] = (await people(2)) as [string, string]
    await work(campaign, first, 2)
    expect(await skipNext(campaign, second)).toBe('pair-0')
    const rest = skipPolicy === 'drop' ? [] : ['pair-0']
    expect(await work(campaign, second)).toEqual(['pair-1', 'pair-2', ...rest])
  }
})
