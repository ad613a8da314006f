// People at work at once, on a real Postgres: no item over what it wants, nobody twice, nothing acknowledged lost.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  addGuideline,
  type Answer,
  claim,
  createCampaign,
  createProject,
  createUser,
  findTask,
  heartbeat,
  isBusy,
  isDown,
  listJudgements,
  listPast,
  newestGuideline,
  openStore,
  releaseExpired,
  reopen,
  saveDraft,
  skip,
  type Store,
  submit,
} from './index.ts'

let workspace: string
let store: Store
let project: string
let owner: string

beforeAll(async () => {
  workspace = fs.mkdtempSync(join(tmpdir(), 'hone-annotating-'))
  store = await openStore({ workspace })
  owner = await person()
  project = (await createProject(store.query, { slug: 'desk', name: 'Desk' }))!.id
  await addGuideline(store.query, project, { text: 'Choose the better one.', by: owner })
})
afterAll(async () => {
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })
})

async function person(): Promise<string> {
  const email = `${randomUUID()}@example.org`
  return (await createUser(store.query, { email, name: 'Somebody', passwordHash: 'none' }))!.id
}
const people = (count: number) => Promise.all(Array.from({ length: count }, person))

async function campaignOf(items: number, overlap: number, seed = 1): Promise<string> {
  const guideline = (await newestGuideline(store.query, project))!.id
  const rows = Array.from({ length: items }, (_, i) => ({
    item: `pair-${i}`,
    prompt: `Question ${i}?`,
    a: `A${i}`,
    b: `B${i}`,
  }))
  const made = await store.transaction((query) =>
    createCampaign(query, {
      project,
      name: randomUUID(),
      dataset: 'd',
      version: 'v',
      guideline,
      overlap,
      seed,
      by: owner,
      items: rows,
    }),
  )
  return made!
}

const answer = (over: Partial<Answer> = {}): Answer => ({
  key: randomUUID(),
  choice: 'left',
  strength: 2,
  reason: '',
  activeSeconds: 3,
  ...over,
})
const counts = async (campaign: string) =>
  (
    await store.query<{ judged: number; claimed: number; over: number; current: number; claims: number }>(
      `select sum(judged)::int as judged, sum(claimed)::int as claimed,
         count(*) filter (where judged + claimed > wanted)::int as over,
         (select count(*)::int from judgements join items as i on i.id = item_id where i.campaign_id = $1 and state = 'current') as current,
         (select count(*)::int from claims where campaign_id = $1) as claims
       from items where campaign_id = $1`,
      [campaign],
    )
  )[0]!

test('16 people claim and judge at once: every item gets its three, no item more, nobody one twice', async () => {
  const campaign = await campaignOf(150, 3)
  const crowd = await people(16)
  let most = 0
  await Promise.all(
    crowd.map(async (user) => {
      for (;;) {
        const task = await claim(store, campaign, user)
        if (!task) break
        const { claims, over } = await counts(campaign)
        most = Math.max(most, claims)
        expect(over).toBe(0)
        await submit(store, { project, campaign, item: task.id, user }, answer())
      }
    }),
  )
  expect(most).toBeGreaterThan(1)
  expect(await counts(campaign)).toEqual({ judged: 450, claimed: 0, over: 0, current: 450, claims: 0 })
  const judged = await listJudgements(store.query, campaign)
  expect(new Set(judged.map(({ item, user }) => `${item} ${user}`)).size).toBe(450)
})

test('sides are a fair coin, fixed by the seed, and stored with the answer', async () => {
  const [row] = await store.query<{ left: number }>(
    `select count(*) filter (where is_a_left(7, item, gen_random_uuid()))::int as left from generate_series(1, 10000) as item`,
  )
  const chiSquare = (2 * (row!.left - 5000) ** 2) / 5000
  expect(chiSquare).toBeLessThan(10.83) // p > 0.001 at one degree of freedom
  const [user] = await people(1)
  const sides = new Map<string, boolean>()
  for (const seed of [1, 1, 2]) {
    const campaign = await campaignOf(1, 1, seed)
    const task = (await claim(store, campaign, user!))!
    await submit(store, { project, campaign, item: task.id, user: user! }, answer())
    const [stored] = await store.query<{ side: boolean; drawn: boolean }>(
      'select j.is_a_left as side, is_a_left($2, item_id, user_id) as drawn from judgements as j where item_id = $1',
      [task.id, seed],
    )
    expect(stored!.side).toBe(stored!.drawn)
    expect(task.left.startsWith('A')).toBe(stored!.side)
    sides.set(task.id, stored!.side)
  }
  expect(sides.size).toBe(3)
})

test('the same answer sent again, one after the other or at once, is one answer', async () => {
  const campaign = await campaignOf(2, 1)
  const [user] = await people(1)
  const task = (await claim(store, campaign, user!))!
  const where = { project, campaign, item: task.id, user: user! }
  const once = answer()
  const all = await Promise.all(Array.from({ length: 6 }, () => submit(store, where, once)))
  all.push(await submit(store, where, once))
  expect(new Set(all.map(({ id }) => id)).size).toBe(1)
  expect(all.every(({ outcome }) => outcome === 'counted')).toBe(true)
  expect(await counts(campaign)).toMatchObject({ judged: 1, claimed: 0, current: 1 })
  const [audited] = await store.query<{ count: number }>(
    "select count(*)::int as count from audit where action = 'judgement.submit' and subject = $1",
    [all[0]!.id],
  )
  expect(audited!.count).toBe(1)
})

test('two tabs: one claim; the second answer is refused, and both are kept', async () => {
  const campaign = await campaignOf(3, 2)
  const [user] = await people(1)
  const tasks = await Promise.all([
    claim(store, campaign, user!),
    claim(store, campaign, user!),
    claim(store, campaign, user!),
  ])
  expect(new Set(tasks.map((task) => task!.id)).size).toBe(1)
  const where = { project, campaign, item: tasks[0]!.id, user: user! }
  await submit(store, where, answer({ choice: 'right', strength: 4, reason: 'first' }))
  const second = await submit(store, where, answer({ choice: 'left', strength: 1, reason: 'second' }))
  expect(second).toMatchObject({
    outcome: 'judged-before',
    standing: { choice: 'right', strength: 4, reason: 'first' },
  })
  const kept = await store.query('select state, reason from judgements where item_id = $1 order by reason', [
    where.item,
  ])
  expect(kept).toEqual([
    { state: 'current', reason: 'first' },
    { state: 'surplus', reason: 'second' },
  ])
})

test('an item claimed anew in the moment its answer was given: the second answer is kept beside the first, no error', async () => {
  const campaign = await campaignOf(1, 2)
  const [user] = await people(1)
  const where = { project, campaign, item: (await claim(store, campaign, user!))!.id, user: user! }
  await submit(store, where, answer({ reason: 'first' }))
  await store.query('update items set claimed = claimed + 1 where id = $1', [where.item])
  await store.query(
    "insert into claims (item_id, user_id, campaign_id, is_a_left, expires_at) values ($1, $2, $3, true, now() + interval '1 hour')",
    [where.item, user, campaign],
  )
  const second = answer({ reason: 'second' })
  expect(await submit(store, where, second)).toMatchObject({
    outcome: 'judged-before',
    standing: { reason: 'first' },
  })
  expect(await counts(campaign)).toMatchObject({ judged: 1, claimed: 0, current: 1, claims: 0 })
})

test('a surplus answer that is sent again under a new claim counts, once', async () => {
  const campaign = await campaignOf(1, 1)
  const [slow, quick] = await people(2)
  const where = { project, campaign, item: (await claim(store, campaign, slow!))!.id, user: slow! }
  await store.query("update claims set expires_at = now() - interval '1 second' where campaign_id = $1", [campaign])
  await claim(store, campaign, quick!)
  const late = answer({ reason: 'late' })
  await submit(store, { ...where, user: quick! }, answer())
  expect((await submit(store, where, late)).outcome).toBe('complete')
  await store.transaction((query) => reopen(query, campaign, quick!, where.item))
  await store.transaction((query) => skip(query, { item: where.item, user: quick!, reason: '' }))
  await claim(store, campaign, slow!)
  expect((await submit(store, where, late)).outcome).toBe('counted')
  expect(await counts(campaign)).toMatchObject({ judged: 1, claimed: 0, current: 1, claims: 0 })
})

test('a lease that nobody keeps alive goes to others; the late answer counts while there is room, and is kept when not', async () => {
  const campaign = await campaignOf(1, 1)
  const [slow, quick] = await people(2)
  const task = (await claim(store, campaign, slow!))!
  expect(await heartbeat(store.query, task.id, slow!)).toBe(true)
  expect(await claim(store, campaign, quick!)).toBeUndefined()
  const expire = () =>
    store.query("update claims set expires_at = now() - interval '1 second' where campaign_id = $1", [campaign])
  await expire()
  expect(await releaseExpired(store.query, campaign)).toBe(1)
  expect(await heartbeat(store.query, task.id, slow!)).toBe(false)
  const late = await submit(store, { project, campaign, item: task.id, user: slow! }, answer())
  expect(late.outcome).toBe('counted')

  const other = await campaignOf(1, 1)
  const first = (await claim(store, other, slow!))!
  await store.query("update claims set expires_at = now() - interval '1 second' where campaign_id = $1", [other])
  const second = (await claim(store, other, quick!))!
  expect(second.id).toBe(first.id)
  await submit(store, { project, campaign: other, item: second.id, user: quick! }, answer())
  const tooLate = await submit(
    store,
    { project, campaign: other, item: first.id, user: slow! },
    answer({ reason: 'late' }),
  )
  expect(tooLate.outcome).toBe('complete')
  expect(await counts(other)).toMatchObject({ judged: 1, claimed: 0, current: 1, over: 0 })
})

test('what was skipped goes to others and does not come back', async () => {
  const campaign = await campaignOf(2, 1)
  const [one, two] = await people(2)
  const first = (await claim(store, campaign, one!))!
  await store.transaction((query) => skip(query, { item: first.id, user: one!, reason: 'not my field' }))
  const next = (await claim(store, campaign, one!))!
  expect(next.id).not.toBe(first.id)
  expect((await claim(store, campaign, two!))!.id).toBe(first.id)
  await submit(store, { project, campaign, item: next.id, user: one! }, answer())
  expect(await claim(store, campaign, one!)).toBeUndefined()
})

test('undo: the last ten can be taken back; both versions stay, and the words come back as the draft, on the same sides', async () => {
  const campaign = await campaignOf(14, 1)
  const [user] = await people(1)
  const done: { id: string; left: string }[] = []
  for (let i = 0; i < 12; i++) {
    const task = (await claim(store, campaign, user!))!
    await submit(store, { project, campaign, item: task.id, user: user! }, answer({ reason: `reason ${i}` }))
    done.push(task)
  }
  expect((await listPast(store.query, campaign, user!)).map(({ id }) => id)).toEqual(
    done
      .slice(2)
      .map(({ id }) => id)
      .reverse(),
  )
  const open = (await claim(store, campaign, user!))!
  await saveDraft(store.query, open.id, user!, { reason: 'half a thought' })
  expect(await store.transaction((query) => reopen(query, campaign, user!, done[0]!.id))).toBe(false)
  expect(await store.transaction((query) => reopen(query, campaign, user!, done[11]!.id))).toBe(true)
  const again = (await findTask(store.query, campaign, user!))!
  expect(again).toMatchObject({
    id: done[11]!.id,
    left: done[11]!.left,
    draft: { choice: 'left', strength: 2, reason: 'reason 11' },
  })
  expect(await counts(campaign)).toMatchObject({ judged: 11, claimed: 1, current: 11, over: 0 })
  await submit(
    store,
    { project, campaign, item: again.id, user: user! },
    answer({ choice: 'tie', strength: undefined }),
  )
  const history = await store.query('select state, choice from judgements where item_id = $1 order by judged_at', [
    again.id,
  ])
  expect(history).toEqual([
    { state: 'undone', choice: 'left' },
    { state: 'current', choice: 'tie' },
  ])
  expect(await claim(store, campaign, user!)).toMatchObject({ id: open.id, draft: { reason: 'half a thought' } })
})

test('a paused campaign gives nothing out; what was claimed before still counts', async () => {
  const campaign = await campaignOf(2, 1)
  const [user] = await people(1)
  const task = (await claim(store, campaign, user!))!
  await store.query("update campaigns set state = 'paused' where id = $1", [campaign])
  expect(await claim(store, campaign, (await people(1))[0]!)).toBeUndefined()
  expect(await submit(store, { project, campaign, item: task.id, user: user! }, answer())).toMatchObject({
    outcome: 'counted',
  })
})

test('a database killed amid submits loses no acknowledged answer and makes none twice', async () => {
  const campaign = await campaignOf(120, 1)
  const crowd = await people(8)
  const acknowledged: string[] = []
  let kills = 0
  const again = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!isDown(error) && !isBusy(error)) throw error
      }
    }
  }
  await Promise.all(
    crowd.map(async (user) => {
      for (;;) {
        const task = await again(() => claim(store, campaign, user))
        if (!task) break
        const given = answer()
        const where = { project, campaign, item: task.id, user }
        // Sent until it is acknowledged, always by the same key.
        const { outcome } = await again(() => submit(store, where, given))
        expect(outcome).toBe('counted')
        acknowledged.push(given.key)
        if (acknowledged.length === 30 * (kills + 1) && kills < 3) {
          kills++
          process.kill(
            Number(fs.readFileSync(join(workspace, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]),
            'SIGKILL',
          )
        }
      }
    }),
  )
  expect(kills).toBe(3)
  const stored = await store.query<{ key: string }>(
    `select key from judgements join items on items.id = item_id where campaign_id = $1 and state = 'current'`,
    [campaign],
  )
  expect(stored.map(({ key }) => key).sort()).toEqual([...acknowledged].sort())
  expect(new Set(acknowledged).size).toBe(120)
  const [audited] = await store.query<{ count: number }>(
    `select count(*)::int as count from audit join judgements as j on subject = j.id::text
     join items on items.id = item_id where campaign_id = $1`,
    [campaign],
  )
  expect(audited!.count).toBe(120)
})
