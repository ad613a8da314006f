// Claimers at work at once on 16 connections of a real Postgres, and one person in two tabs.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import {
  addGuideline,
  claim,
  createCampaign,
  createProject,
  createUser,
  newestGuideline,
  openStore,
  type Store,
  submit,
} from '#store'
import { openHarness, setUp } from '../../src/server/harness.test-data.ts'
import { makeEmptyWorkspace } from '../worlds/visitors.ts'
import { compare, type Outcome } from './outcome.ts'

/** Never more leases than wanted, nobody one item twice, all done. */
export async function claims({
  claimers,
  items,
  overlap,
  databaseUrl,
}: {
  claimers: number
  items: number
  overlap: number
  databaseUrl?: string | undefined
}): Promise<Outcome> {
  const workspace = makeEmptyWorkspace()
  const store = await openStore({ workspace, databaseUrl })
  const failures: string[] = []
  const [campaign, people, project] = await campaignOf(store, { claimers, items, overlap })
  let [most, looks] = [0, 0]
  const over = new AbortController()
  const watching = (async () => {
    while (!over.signal.aborted) {
      const [seen] = await store.query<{ over: number; leases: number; most: number }>(
        `select (select count(*)::int from items where campaign_id = $1 and judged + claimed > wanted) as over,
           (select count(*)::int from claims where campaign_id = $1) as leases,
           (select coalesce(max(n), 0)::int from (select count(*) as n from claims where campaign_id = $1 group by item_id) as each) as most`,
        [campaign],
      )
      looks++
      most = Math.max(most, seen!.leases)
      if (seen!.over > 0 || seen!.most > overlap) failures.push(`leases beyond what is wanted: ${JSON.stringify(seen)}`)
    }
  })()
  await Promise.all(
    people.map(async (user) => {
      for (;;) {
        const task = await claim(store, campaign, user)
        if (!task) return
        const answer = { key: randomUUID(), choice: 'tie', reason: '', activeSeconds: 1 } as const
        const { outcome } = await submit(store, { project, campaign, item: task.id, user }, answer)
        if (outcome !== 'counted') failures.push(`an answer to a claimed item: ${outcome}`)
      }
    }),
  )
  over.abort()
  await watching
  const [counts] = await store.query(
    `select (select count(*)::int from judgements where state = 'current') as answers,
       (select count(distinct (item_id, user_id))::int from judgements) as pairs,
       (select count(*)::int from items where judged = wanted and claimed = 0) as done,
       (select count(*)::int from claims) as claims`,
  )
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })
  const all = items * overlap
  compare(failures, 'what is there', counts, { answers: all, pairs: all, done: items, claims: 0 })
  const figure = `${claimers} claimers, ${items} items, overlap ${overlap}: ${JSON.stringify(counts)}; at most ${most} leases at once, none beyond, in ${looks} looks`
  return { figures: [figure], failures }
}

async function campaignOf(
  store: Store,
  { claimers, items, overlap }: { claimers: number; items: number; overlap: number },
): Promise<[campaign: string, people: string[], project: string]> {
  const people = await Promise.all(
    Array.from({ length: claimers }, async () => {
      const email = `${randomUUID()}@example.org`
      return (await createUser(store.query, { email, name: 'Somebody', passwordHash: '' }))!.id
    }),
  )
  const project = (await createProject(store.query, { slug: 'desk', name: 'Desk' }))!.id
  await addGuideline(store.query, project, { text: 'Choose.', by: people[0]! })
  const guideline = (await newestGuideline(store.query, project))!.id
  const rows = Array.from({ length: items }, (_, i) => ({ item: `pair-${i}`, prompt: `Q${i}`, a: 'a', b: 'b' }))
  const of = { dataset: 'd', version: 'v', guideline, overlap, seed: 1, by: people[0]!, items: rows }
  const campaign = (await createCampaign(store.query, { project, name: 'first', ...of }))!
  return [campaign, people, project]
}

/** The same task in two tabs: one answer counts, the other is told what stands (409), and both are kept. */
export async function tabs({ races }: { races: number }): Promise<Outcome> {
  const harness = await openHarness()
  const owner = await setUp(harness)
  const person = await harness.join('desk', 'annotator', owner)
  const rows = Array.from({ length: races }, (_, i) => ({ item: `pair-${i}`, prompt: 'Q', a: 'a', b: 'b' }))
  const file = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const made = await owner.ask('POST /api/projects/desk/campaigns', {
    name: 'x',
    dataset: 'pairs',
    overlap: 2,
    seed: 1,
  })
  const path = `/api/projects/desk/campaigns/${(made.json as { id: string }).id}`
  await person.ask(`PUT ${path}/guideline-read`)
  const failures: string[] = []
  const seen = new Map<string, number>()
  for (let race = 0; race < races; race++) {
    const tasks = await Promise.all([0, 1].map(async () => (await person.ask(`POST ${path}/claim`)).json))
    const [one, other] = tasks.map((work) => (work as { task: { id: string } }).task.id)
    compare(failures, 'the task of both tabs', other, one)
    const answers = [
      { key: randomUUID(), choice: 'left', strength: 2, reason: 'first tab', activeSeconds: 1 },
      { key: randomUUID(), choice: 'tie', reason: 'second tab', activeSeconds: 1 },
    ]
    // Every other time the second tab is stale, else they race.
    const submitted = []
    if (race % 2 === 0)
      submitted.push(
        ...(await Promise.all(answers.map((body) => person.ask(`POST ${path}/items/${one}/judgement`, body)))),
      )
    else for (const body of answers) submitted.push(await person.ask(`POST ${path}/items/${one}/judgement`, body))
    const statuses = submitted.map(({ status }) => status)
    const which = statuses.join(' then ')
    seen.set(which, (seen.get(which) ?? 0) + 1)
    compare(
      failures,
      'statuses',
      statuses.toSorted((a, b) => a - b),
      [200, 409],
    )
    const kept = await harness.store.query<{ reason: string; state: string }>(
      'select reason, state from judgements where item_id = $1 order by state',
      [one],
    )
    const winner = submitted.findIndex(({ status }) => status === 200)
    const expected = [
      { reason: answers[winner]?.reason, state: 'current' },
      { reason: answers[1 - winner]?.reason, state: 'surplus' },
    ]
    compare(failures, 'answers kept', kept, expected)
    const refused = submitted[1 - winner]?.json as { error: { detail: { standing: { reason: string } } } } | undefined
    compare(failures, 'the answer that stands', refused?.error.detail.standing.reason, answers[winner]?.reason)
  }
  compare(failures, 'defects', harness.defects.map(String), [])
  await harness.close()
  const split = [...seen].map(([which, count]) => `${which}: ${count}`).join(', ')
  return { figures: [`${races} tasks in two tabs: ${split}; both answers kept each time`], failures }
}
