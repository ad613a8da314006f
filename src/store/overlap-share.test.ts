// Overlap on a share of the items, on a real Postgres: which items are drawn hangs on the seed and the item alone, the draw is
// kept, and however many people claim at once no item gets more than was drawn for it.
import { createHash, randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  addGuideline,
  claim,
  createCampaign,
  createProject,
  createUser,
  findCampaign,
  markGold,
  newestGuideline,
  openStore,
  skip,
  type Store,
  submit,
} from './index.ts'

let workspace: string
let store: Store
let project: string
let crowd: string[]
const PEOPLE = 16

beforeAll(async () => {
  workspace = fs.mkdtempSync(join(tmpdir(), 'hone-overlap-'))
  store = await openStore({ workspace })
  const person = async () =>
    (await createUser(store.query, { email: `${randomUUID()}@example.org`, name: 'Somebody', passwordHash: 'none' }))!
      .id
  crowd = await Promise.all(Array.from({ length: PEOPLE }, person))
  project = (await createProject(store.query, { slug: 'desk', name: 'Desk' }))!.id
  await addGuideline(store.query, project, { text: 'Choose the better one.', by: crowd[0]! })
})
afterAll(async () => {
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })
})

type Asked = { items: readonly string[]; overlap: number; overlapShare: number; seed: number; skipPolicy?: 'drop' }

async function open({ items, ...asked }: Asked): Promise<string> {
  const guideline = (await newestGuideline(store.query, project))!.id
  const rows = items.map((item) => ({ item, prompt: `${item}?`, a: 'A', b: 'B' }))
  const of = { project, dataset: 'd', version: 'v', guideline, by: crowd[0]!, name: randomUUID() }
  return (await createCampaign(store.query, { ...of, ...asked, items: rows }))!
}
const names = (count: number) => Array.from({ length: count }, (_, i) => `pair-${i}`)
const itemsOf = (campaign: string) =>
  store.query<{ id: string; item: string; wanted: number; judged: number; claimed: number; drawn: boolean }>(
    'select id::text as id, item, wanted, judged, claimed, is_overlapped as drawn from items where campaign_id = $1',
    [campaign],
  )
/** The definition, once more and elsewhere: the first 32 bits of a hash as a share of one. */
const isDrawn = (seed: number, item: string, share: number): boolean =>
  createHash('sha256').update(`overlap ${seed} ${item}`).digest().readUInt32BE(0) / 2 ** 32 < share

/** Everybody claims and judges until nothing is left; says how many answers an item ever had at most, over what it wants. */
async function judgeAll(campaign: string): Promise<number> {
  let over = 0
  await Promise.all(
    crowd.map(async (user) => {
      for (let task = await claim(store, campaign, user); task; task = await claim(store, campaign, user)) {
        for (const { judged, claimed, wanted } of await itemsOf(campaign))
          over = Math.max(over, judged + claimed - wanted)
        const answer = { key: randomUUID(), choice: 'left' as const, strength: 1, reason: '', activeSeconds: 1 }
        await submit(store, { project, campaign, item: task.id, user }, answer)
      }
    }),
  )
  return over
}

test('16 people at once: drawn items get the overlap, the others one, and none ever has more', async () => {
  const asked = fc.record({
    count: fc.integer({ min: 1, max: 24 }),
    overlap: fc.integer({ min: 2, max: 9 }),
    overlapShare: fc.double({ min: 0.05, max: 1, noNaN: true }),
    seed: fc.integer({ min: 0, max: 1_000_000 }),
  })
  await fc.assert(
    fc.asyncProperty(asked, async ({ count, ...rest }) => {
      const campaign = await open({ items: names(count), ...rest })
      expect(await judgeAll(campaign)).toBe(0)
      for (const { item, judged, claimed, wanted, drawn } of await itemsOf(campaign)) {
        expect(drawn, item).toBe(isDrawn(rest.seed, item, rest.overlapShare))
        expect([judged, claimed, wanted]).toEqual([drawn ? rest.overlap : 1, 0, drawn ? rest.overlap : 1])
      }
    }),
    { numRuns: 12, seed: 3 },
  )
})

test('what is drawn is the share that was asked for, and hangs on no other item', async () => {
  const items = names(4000)
  const whole = await itemsOf(await open({ items, overlap: 3, overlapShare: 0.2, seed: 11 }))
  const drawn = whole.filter((each) => each.drawn).length
  // Five standard deviations of a binomial of 4000 at 0.2 are 126.
  expect(Math.abs(drawn - 800)).toBeLessThan(126)
  const drawnAlone = new Map(
    (await itemsOf(await open({ items: items.slice(0, 50), overlap: 3, overlapShare: 0.2, seed: 11 }))).map((each) => [
      each.item,
      each.drawn,
    ]),
  )
  for (const each of whole) if (drawnAlone.has(each.item)) expect(each.drawn).toBe(drawnAlone.get(each.item))
  const other = await itemsOf(await open({ items, overlap: 3, overlapShare: 0.2, seed: 12 }))
  expect(other.map((each) => each.drawn)).not.toEqual(whole.map((each) => each.drawn))
})

test('totals count what was drawn; gold that is gold no more wants what was drawn for it', async () => {
  const campaign = await open({ items: names(40), overlap: 4, overlapShare: 0.5, seed: 1 })
  const items = await itemsOf(campaign)
  const drawn = items.filter((each) => each.drawn).length
  expect(await findCampaign(store.query, project, campaign)).toMatchObject({
    overlapShare: 0.5,
    overlapped: drawn,
    wanted: 4 * drawn + (40 - drawn),
  })
  for (const { id } of items) {
    const word = { item: id, user: crowd[0]!, note: '' }
    await store.transaction((query) => markGold(query, { ...word, better: 'a' }))
    await store.transaction((query) => markGold(query, { ...word, better: null }))
  }
  const wanted = (rows: typeof items) => rows.map((each) => `${each.item} ${each.wanted}`).sort()
  expect(wanted(await itemsOf(campaign))).toEqual(wanted(items))
})

test('of what was dropped no more is wanted than it has, whether or not it was drawn', async () => {
  const campaign = await open({ items: names(20), overlap: 3, overlapShare: 0.5, seed: 1, skipPolicy: 'drop' })
  const items = await itemsOf(campaign)
  const user = crowd[0]!
  const dropped = new Set<string>()
  for (let i = 0; i < 12; i++) {
    const { id } = (await claim(store, campaign, user))!
    await store.transaction((query) => skip(query, { item: id, user, reason: '' }))
    dropped.add(id)
  }
  expect(new Set(items.filter(({ id }) => dropped.has(id)).map(({ drawn }) => drawn))).toEqual(new Set([true, false]))
  const wanted = items.reduce((sum, each) => sum + (dropped.has(each.id) ? 0 : each.wanted), 0)
  expect(await findCampaign(store.query, project, campaign)).toMatchObject({ wanted, judged: 0, dropped: 12 })
  for (const other of crowd.slice(1, 5)) expect(dropped).not.toContain((await claim(store, campaign, other))?.id)
})
