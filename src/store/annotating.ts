// One person at work in a campaign: claim, lease, draft, answer, skip, undo. The row of an item counts what it has and what
// is being done, and its check holds it to what is wanted; so two people can race for the last place and one gets it.
import type { Choice, Prompt } from '#schema'
import type { CriterionAnswer } from './campaigns.ts'
import type { Query, Store } from './store.ts'

export type Draft = {
  choice?: Choice | undefined
  strength?: number | undefined
  reason?: string | undefined
  criteria?: Record<string, CriterionAnswer> | undefined
}
/** As it is put to a person: sides drawn, nothing that says who wrote what. */
export type Task = {
  id: string
  prompt: Prompt
  left: string
  right: string
  draft: Draft | null
  expiresAt: string
}

const TASK = `select claims.item_id::text as id, prompt, case when is_a_left then a else b end as left,
    case when is_a_left then b else a end as right, content as draft, expires_at as "expiresAt"
  from claims join items on items.id = claims.item_id
  left join drafts on drafts.item_id = claims.item_id and drafts.user_id = claims.user_id`

/**
 * Where a task is taken from. `qualifying`: gold items. `gold turn`: a gold item while there is an ordinary one too, for gold
 * alone is no work; each person meets gold in an order of their own.
 */
export type Source = 'ordinary' | 'gold turn' | 'qualifying'
/**
 * Nothing of this person's is there: no judgement, demonstration, answer or skip. Asked of one item after the other, each time
 * by a key: as `not exists` Postgres joins whole tables before it takes the first item, which in a campaign of 2,000 cost 160 ms
 * a claim.
 */
const MINE_TO_DO = `settled is null
  and (select 1 from judgements where item_id = items.id and user_id = $2 and state = 'current') is null
  and (select 1 from submissions where item_id = items.id and user_id = $2
    and state in ('waiting', 'accepted', 'returned')) is null
  and (select 1 from answers where item_id = items.id and user_id = $2 and state = 'current') is null
  and (select 1 from skips where item_id = items.id and user_id = $2) is null`
const IS_ORDINARY_LEFT = `exists (select from items where campaign_id = $1 and gold is null
  and judged + claimed < wanted and ${MINE_TO_DO})`
const FROM: Record<Source, string> = {
  ordinary: `gold is null and ${MINE_TO_DO} order by position`,
  'gold turn': `gold is not null and ${MINE_TO_DO} and ${IS_ORDINARY_LEFT} order by md5(items.id || ' ' || $2::uuid)`,
  qualifying: `gold is not null and ${MINE_TO_DO} order by md5(items.id || ' ' || $2::uuid)`,
}

/**
 * The task of this person: the one they have, on a new lease, else the first item with room that they have neither judged
 * nor skipped, claimed in the same statement. Undefined: none is left for them, or the campaign is not open.
 */
export async function claim(
  store: Store,
  campaign: string,
  user: string,
  source: Source = 'ordinary',
): Promise<Task | undefined> {
  return (await claimItem(store, campaign, user, source)) ? findTask(store.query, campaign, user) : undefined
}

/** The same, whatever is to be done with the item; says whether this person has one. */
export async function claimItem(
  store: Store,
  campaign: string,
  user: string,
  source: Source = 'ordinary',
): Promise<boolean> {
  await releaseExpired(store.query, campaign)
  const from = { campaign, user, source }
  // Items that somebody is claiming in this moment are passed over; when only such are left, they are waited for.
  const taken = (await take(store, from, 'skip locked')) ?? (await take(store, from, ''))
  if (taken !== undefined) return true
  return source === 'gold turn' ? claimItem(store, campaign, user) : false
}

type From = { campaign: string; user: string; source: Source }

async function take(store: Store, from: From, wait: 'skip locked' | ''): Promise<number | undefined> {
  const { campaign, user, source } = from
  try {
    const [row] = await store.query<{ item: number }>(
      `with open as (select id, seed, lease_seconds * interval '1 second' as lease from campaigns where id = $1 and state = 'open'),
       mine as (
         update claims set expires_at = now() + lease from open
         where campaign_id = open.id and user_id = $2 returning item_id),
       picked as (
         select items.id from items
         where campaign_id = $1 and judged + claimed < wanted and exists (select from open) and not exists (select from mine)
           and ${FROM[source]}
         limit 1 for update of items ${wait}),
       counted as (update items set claimed = claimed + 1 from picked where items.id = picked.id returning items.id),
       taken as (
         insert into claims (item_id, user_id, campaign_id, is_a_left, expires_at)
         select counted.id, $2, open.id, is_a_left(seed, counted.id, $2), now() + lease from counted, open returning item_id)
       select item_id as item from mine union all select item_id from taken`,
      [campaign, user],
    )
    return row?.item
  } catch (error) {
    // Two tabs of one person at once: the other has the claim, which the next look finds.
    if ((error as { code?: string }).code !== UNIQUE) throw error
    return take(store, from, wait)
  }
}

const UNIQUE = '23505'

/** What this person has claimed. */
export async function findTask(query: Query, campaign: string, user: string): Promise<Task | undefined> {
  return (await query<Task>(`${TASK} where claims.campaign_id = $1 and claims.user_id = $2`, [campaign, user]))[0]
}

/** Gives back what nobody kept alive; answers how many. */
export async function releaseExpired(query: Query, campaign: string): Promise<number> {
  const rows = await query(
    `with over as (
       select item_id, user_id from claims where campaign_id = $1 and expires_at < now() for update skip locked),
     ended as (delete from claims using over where claims.item_id = over.item_id and claims.user_id = over.user_id returning claims.item_id)
     update items set claimed = claimed - n from (select item_id, count(*)::int as n from ended group by item_id) as given
     where items.id = given.item_id returning items.id`,
    [campaign],
  )
  return rows.length
}

/** Keeps the claim for another lease; false: it has expired and gone to others. */
export async function heartbeat(query: Query, item: string, user: string): Promise<boolean> {
  const rows = await query(
    `update claims set expires_at = now() + lease_seconds * interval '1 second' from campaigns
     where item_id = $1 and user_id = $2 and campaigns.id = campaign_id returning 1`,
    [item, user],
  )
  return rows.length > 0
}

export async function saveDraft(
  query: Query,
  item: string,
  user: string,
  draft: Draft | { text: string },
): Promise<void> {
  await query(
    `insert into drafts (item_id, user_id, content) values ($1, $2, $3)
     on conflict (item_id, user_id) do update set content = excluded.content, saved_at = now()`,
    [item, user, JSON.stringify(draft)],
  )
}

/** Whether the item belongs to that campaign. */
export async function isItemOf(query: Query, item: string, campaign: string): Promise<boolean> {
  return (await query('select 1 from items where id = $1 and campaign_id = $2', [item, campaign])).length > 0
}

/** Whether this key of this person came before and counted. */
export async function isAnswered(query: Query, user: string, key: string): Promise<boolean> {
  const rows = await query("select 1 from judgements where user_id = $1 and key = $2 and state <> 'surplus'", [
    user,
    key,
  ])
  return rows.length > 0
}

export type Answer = {
  key: string
  choice: Choice
  strength?: number | undefined
  /** To the campaign's other questions, by criterion. */
  criteria?: Record<string, CriterionAnswer> | undefined
  reason: string
  activeSeconds: number
}
export type Submitted =
  /** Counted, now or when the same key came before. */
  | { outcome: 'counted'; id: string }
  /** Kept, not counted: this person's other answer stands. */
  | {
      outcome: 'judged-before'
      id: string
      standing: { choice: Choice; strength: number | null; reason: string; at: string }
    }
  /** Kept, not counted: the lease had ended and others have given all that was wanted. */
  | { outcome: 'complete'; id: string }
  /** Kept, not counted: the campaign is closed. The same key counts when it is opened again and sent once more. */
  | { outcome: 'closed'; id: string }

type Where = { project: string; campaign: string; item: string; user: string }

/** What an item has when its last wanted answer is in; says whether one person more is asked. */
export type WantsMore = (
  votes: { user: string; isALeft: boolean; choice: Choice; strength: number | null }[],
) => boolean

/**
 * Takes an answer; when it resolves, the answer is on disk. With `wantsMore`, the item it completes is put to one person more
 * in the same transaction where that says so, up to the campaign's cap.
 */
export async function submit(store: Store, where: Where, answer: Answer, wantsMore?: WantsMore): Promise<Submitted> {
  const id = await submitClaimed(store, where, { answer, wantsMore })
  if (id !== undefined) return { outcome: 'counted', id }
  // The same answer, sent again: it takes nothing from what this person does now.
  const before = await store.query<{ id: string }>(
    `select id from judgements where user_id = $1 and key = $2 and state <> 'surplus'`,
    [where.user, answer.key],
  )
  if (before[0]) return { outcome: 'counted', id: before[0].id }
  return store.transaction(async (query) => {
    await release(query, where.item, where.user)
    const submitted = await submitUnclaimed(query, where, answer)
    if (wantsMore && submitted.outcome === 'counted') await raise(query, where.item, wantsMore)
    return submitted
  })
}

/** The row of the item is locked by the answer that was just counted, so two last answers do not raise it twice. */
async function raise(query: Query, item: string, wantsMore: WantsMore): Promise<void> {
  const [full] = await query(
    `select 1 from items join campaigns on campaigns.id = campaign_id
     where items.id = $1 and gold is null and settled is null and judged >= wanted and wanted < (adaptive->>'cap')::integer`,
    [item],
  )
  if (!full) return
  const votes = await query<Parameters<WantsMore>[0][number]>(
    `select user_id as user, is_a_left as "isALeft", choice, strength from judgements
     where item_id = $1 and state = 'current' order by judged_at, id`,
    [item],
  )
  if (wantsMore(votes)) await query('update items set wanted = wanted + 1 where id = $1', [item])
}

const JUDGEMENT =
  'item_id, user_id, key, is_a_left, choice, strength, reason, active_seconds, guideline_id, by_criterion'

const valuesOf = (
  { project, campaign, item, user }: Where,
  { key, choice, strength, criteria = {}, reason, activeSeconds }: Answer,
) => [item, user, campaign, key, choice, strength ?? null, reason, activeSeconds, project, JSON.stringify(criteria)]

/**
 * The usual way, one statement (two where an item may want more): claim to judgement, counts, draft and audit. Undefined: there is no claim, the campaign is
 * closed, or this person's answer is there already, because the item was claimed anew in the moment it was given.
 */
async function submitClaimed(
  store: Store,
  where: Where,
  { answer, wantsMore }: { answer: Answer; wantsMore: WantsMore | undefined },
): Promise<string | undefined> {
  try {
    if (!wantsMore) return await turnIntoJudgement(store.query, where, answer)
    return await store.transaction(async (query) => {
      const id = await turnIntoJudgement(query, where, answer)
      if (id !== undefined) await raise(query, where.item, wantsMore)
      return id
    })
  } catch (error) {
    if ((error as { code?: string }).code !== UNIQUE) throw error
    return undefined
  }
}

async function turnIntoJudgement(query: Query, where: Where, answer: Answer): Promise<string | undefined> {
  const rows = await query<{ id: string }>(
    `with claim as (
       delete from claims using campaigns
       where item_id = $1 and user_id = $2 and campaign_id = $3 and campaigns.id = $3 and state <> 'closed'
       returning item_id, is_a_left),
     made as (
       insert into judgements (${JUDGEMENT})
       select item_id, $2, $4, is_a_left, $5, $6, $7, $8, guideline_id, $10::jsonb from claim join campaigns on campaigns.id = $3 returning id, item_id),
     counted as (update items set claimed = claimed - 1, judged = judged + 1 from made where items.id = item_id),
     dropped as (delete from drafts where item_id = $1 and user_id = $2),
     logged as (insert into audit (actor, project_id, action, subject) select $2, $9, 'judgement.submit', id::text from made)
     select id from made`,
    valuesOf(where, answer),
  )
  return rows[0]?.id
}

async function submitUnclaimed(query: Query, where: Where, answer: Answer): Promise<Submitted> {
  const { item, user, campaign } = where
  await query('select 1 from items where id = $1 for update', [item])
  // The same answer, sent twice at once: the other one was first.
  const [same] = await query<{ id: string; state: string }>(
    'select id, state from judgements where user_id = $1 and key = $2',
    [user, answer.key],
  )
  if (same && same.state !== 'surplus') return { outcome: 'counted', id: same.id }
  type Standing = { choice: Choice; strength: number | null; reason: string; at: string }
  const [standing] = await query<Standing>(
    `select choice, strength, reason, judged_at as at from judgements where item_id = $1 and user_id = $2 and state = 'current'`,
    [item, user],
  )
  const isClosed = (await query("select 1 from campaigns where id = $1 and state = 'closed'", [campaign])).length > 0
  const room =
    standing || isClosed
      ? []
      : await query('update items set judged = judged + 1 where id = $1 and judged + claimed < wanted returning 1', [
          item,
        ])
  const state = room.length > 0 ? 'current' : 'surplus'
  const id = same?.id ?? (await insert(query, where, answer, state))
  if (state === 'current') {
    await query('delete from drafts where item_id = $1 and user_id = $2', [item, user])
    if (same) await query("update judgements set state = 'current' where id = $1", [id])
    return { outcome: 'counted', id }
  }
  if (standing) return { outcome: 'judged-before', id, standing }
  return { outcome: isClosed ? 'closed' : 'complete', id }
}

async function insert(query: Query, where: Where, answer: Answer, state: 'current' | 'surplus'): Promise<string> {
  const [made] = await query<{ id: string }>(
    `with made as (
       insert into judgements (${JUDGEMENT}, state)
       select $1, $2, $4, is_a_left(seed, $1, $2), $5, $6, $7, $8, guideline_id, $10::jsonb, $11 from campaigns where id = $3 returning id),
     logged as (insert into audit (actor, project_id, action, subject, detail)
       select $2, $9, 'judgement.submit', id::text, jsonb_build_object('state', $11::text) from made)
     select id from made`,
    [...valuesOf(where, answer), state],
  )
  return made!.id
}

/** From being claimed to being there; without a claim, as long as there is room. Call it in a transaction. */
export async function takePlace(query: Query, { item, user }: { item: string; user: string }): Promise<boolean> {
  const claimed = await query('delete from claims where item_id = $1 and user_id = $2 returning 1', [item, user])
  const rows = await query(
    claimed.length > 0
      ? 'update items set claimed = claimed - 1, judged = judged + 1 where id = $1 returning 1'
      : 'update items set judged = judged + 1 where id = $1 and judged + claimed < wanted returning 1',
    [item],
  )
  return rows.length > 0
}

/** The item goes to others; this person does not see it again. */
export async function skip(
  query: Query,
  { item, user, reason }: { item: string; user: string; reason: string },
): Promise<void> {
  await release(query, item, user)
  await query('insert into skips (item_id, user_id, reason) values ($1, $2, $3) on conflict do nothing', [
    item,
    user,
    reason,
  ])
}

export async function flag(query: Query, item: string, user: string, note: string): Promise<void> {
  await query('insert into flags (item_id, user_id, note) values ($1, $2, $3)', [item, user, note])
}

async function release(query: Query, item: string, user: string): Promise<void> {
  await query(
    `with given as (delete from claims where item_id = $1 and user_id = $2 returning item_id)
     update items set claimed = claimed - 1 from given where items.id = item_id`,
    [item, user],
  )
}

export type Past = { id: string; choice: Choice; strength: number | null; at: string; opening: string }
const REOPENABLE = 10

/** What this person answered last, newest first: these may be reopened. Not what a concluded qualification was made of. */
export function listPast(query: Query, campaign: string, user: string): Promise<Past[]> {
  return query<Past>(
    `select item_id::text as id, choice, strength, judged_at as at, left(coalesce(prompt #>> '{}', ''), 80) as opening
     from judgements join items on items.id = item_id
     where campaign_id = $1 and user_id = $2 and state = 'current'
       and not exists (select from qualifications as q where q.campaign_id = $1 and q.user_id = $2
         and judgements.id = any (q.judgements))
     order by judged_at desc, judgements.id limit ${REOPENABLE}`,
    [campaign, user],
  )
}

/**
 * Takes back an answer of the last ten: it stays in the history as undone, its words become the draft, and the item is
 * claimed again in place of what was at hand. False: it is not among them. Call it in a transaction.
 */
export async function reopen(query: Query, campaign: string, user: string, item: string): Promise<boolean> {
  const past = await listPast(query, campaign, user)
  if (!past.some(({ id }) => id === item)) return false
  const [current] = await query<{ item: string }>(
    'select item_id::text as item from claims where campaign_id = $1 and user_id = $2',
    [campaign, user],
  )
  if (current) await release(query, current.item, user)
  const undone = await query(
    `with undone as (
       update judgements set state = 'undone' where item_id = $1 and user_id = $2 and state = 'current'
       returning item_id, is_a_left, choice, strength, reason, by_criterion),
     counted as (update items set judged = judged - 1, claimed = claimed + 1 from undone where items.id = item_id),
     kept as (
       insert into drafts (item_id, user_id, content)
       select item_id, $2, jsonb_strip_nulls(jsonb_build_object(
         'choice', choice, 'strength', strength, 'reason', reason, 'criteria', nullif(by_criterion, '{}'))) from undone
       on conflict (item_id, user_id) do update set content = excluded.content, saved_at = now())
     insert into claims (item_id, user_id, campaign_id, is_a_left, expires_at)
     select item_id, $2, $3, is_a_left, now() + lease_seconds * interval '1 second' from undone join campaigns on campaigns.id = $3
     returning 1`,
    [item, user, campaign],
  )
  return undone.length > 0
}

type Standing = { hasRead: boolean; isPaused: boolean; mine: number; isGoldTurn: boolean }

/** What stands between this person and work: whether they are paused, whether the campaign's guideline was read, how much is done, and what is next. */
export async function standing(query: Query, campaign: string, user: string): Promise<Standing> {
  const [row] = await query<Standing>(
    `select exists (select from readings where readings.guideline_id = campaigns.guideline_id and user_id = $2) as "hasRead",
       exists (select from pauses where pauses.campaign_id = $1 and user_id = $2 and resumed_at is null) as "isPaused",
       mine, gold_rate > 0 and is_gold_turn(seed, $2, mine, gold_rate) as "isGoldTurn"
     from campaigns, lateral (select count(*)::int as mine from judgements join items on items.id = item_id
       where campaign_id = campaigns.id and user_id = $2 and state = 'current') as done
     where id = $1`,
    [campaign, user],
  )
  return row!
}

/** Read to the end; read once more, that is kept beside the first time. */
export async function noteReading(query: Query, guideline: string, user: string): Promise<void> {
  await query(
    `insert into readings (guideline_id, user_id) values ($1, $2)
     on conflict (guideline_id, user_id) do update set reread_at = now()`,
    [guideline, user],
  )
}
