// One person at work in a campaign, beside claims and answers: drafts, skips, flags, what was answered last and can be taken
// back, and what stands between them and work.
import type { Choice, Highlight } from '#schema'
import type { CriterionAnswer } from './campaigns.ts'
import { release } from './claims.ts'
import type { Query } from './store.ts'

export type Draft = {
  choice?: Choice | undefined
  strength?: number | undefined
  reason?: string | undefined
  criteria?: Record<string, CriterionAnswer> | undefined
  highlights?: Highlight[] | undefined
  /** Spent on it so far. */
  activeSeconds?: number | undefined
}
export async function saveDraft(
  query: Query,
  item: string,
  user: string,
  draft: Draft | { text: string; activeSeconds?: number | undefined },
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

/**
 * What becomes of the item is the campaign's policy. Gold items go to others whatever it is: they measure people, and one that
 * came back or went away would show itself. Call it in a transaction.
 */
export async function skip(
  query: Query,
  { item, user, reason }: { item: string; user: string; reason: string },
): Promise<void> {
  const hadIt = await release(query, item, user)
  await query(
    `insert into skips (item_id, user_id, reason) values ($1, $2, $3)
     on conflict (item_id, user_id) do update set reason = excluded.reason, skipped_at = excluded.skipped_at`,
    [item, user, reason],
  )
  // Nobody drops what they were not given.
  if (hadIt)
    await query(
      `update items set is_dropped = true from campaigns
       where items.id = $1 and campaigns.id = campaign_id and skip_policy = 'drop' and gold is null`,
      [item],
    )
}

/** What this person was shown of the item, on the sides as they have them. */
export async function findShown(query: Query, item: string, user: string): Promise<{ left: string; right: string }> {
  const [row] = await query<{ left: string; right: string }>(
    `select case when side then a else b end as left, case when side then b else a end as right
     from items join campaigns on campaigns.id = campaign_id, lateral (select is_a_left(seed, items.id, $2) as side) as drawn
     where items.id = $1`,
    [item, user],
  )
  return row!
}

export async function flag(query: Query, item: string, user: string, note: string): Promise<void> {
  await query('insert into flags (item_id, user_id, note) values ($1, $2, $3)', [item, user, note])
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
       returning item_id, is_a_left, choice, strength, reason, by_criterion, highlights),
     counted as (update items set judged = judged - 1, claimed = claimed + 1 from undone where items.id = item_id),
     kept as (
       insert into drafts (item_id, user_id, content)
       select item_id, $2, jsonb_strip_nulls(jsonb_build_object(
         'choice', choice, 'strength', strength, 'reason', reason, 'criteria', nullif(by_criterion, '{}'),
         'highlights', nullif(highlights, '[]'))) from undone
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
