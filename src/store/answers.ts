// Ratings of one completion and rankings of several: claimed like pairs, kept as one answer with all that it says.
import type { Prompt } from '#schema'
import type { Draft } from './annotating.ts'
import { audit } from './audit.ts'
import { holdAnswers } from './caps.ts'
import { takePlace } from './claims.ts'
import type { Query, Store } from './store.ts'

/** Of ratings `values`, of rankings `places` and `shown`: see the table. */
export type Content = {
  values?: Record<string, number | boolean | string> | undefined
  places?: number[] | undefined
  shown?: number[] | undefined
}
export type AnswerDraft = Pick<Content, 'values' | 'places'> & Pick<Draft, 'reason' | 'activeSeconds'>

/** What is at hand: one completion, or several in the order of the item. */
export type AtHand = {
  id: string
  prompt: Prompt
  completions: string[]
  draft: AnswerDraft | null
}

export async function findAtHand(query: Query, campaign: string, user: string): Promise<AtHand | undefined> {
  const rows = await query<AtHand>(
    `select items.id::text as id, prompt, coalesce(completions, jsonb_build_array(a)) as completions, content as draft
     from claims join items on items.id = claims.item_id
     left join drafts on drafts.item_id = items.id and drafts.user_id = claims.user_id
     where claims.campaign_id = $1 and claims.user_id = $2`,
    [campaign, user],
  )
  return rows[0]
}

/** How many completions an item has. */
export async function countCompletions(query: Query, item: string): Promise<number> {
  const [row] = await query<{ count: number }>(
    'select coalesce(jsonb_array_length(completions), 1) as count from items where id = $1',
    [item],
  )
  return row!.count
}

/** What an item asks about. */
export async function promptOf(query: Query, item: string): Promise<Prompt> {
  const [row] = await query<{ prompt: Prompt }>('select prompt from items where id = $1', [item])
  return row!.prompt
}

type Where = { project: string; campaign: string; item: string; user: string }
type NewAnswer = { key: string; content: Content; reason: string; activeSeconds: number }
export type Answered = { outcome: 'counted' | 'answered-before' | 'complete' | 'at-limit' | 'closed'; id: string }

/** Takes an answer; when it resolves, it is on disk. The same key is the same answer, however often it is sent. */
export async function submitAnswer(store: Store, where: Where, given: NewAnswer): Promise<Answered> {
  const { project, campaign, item, user } = where
  const { key, content, reason, activeSeconds } = given
  return store.transaction(async (query) => {
    await holdAnswers(query, campaign, user)
    // Claims before items, as whoever ends expired ones takes them.
    await query('select 1 from claims where item_id = $1 and user_id = $2 for update', [item, user])
    await query('select 1 from items where id = $1 for update', [item])
    const [same] = await query<{ id: string; state: string }>(
      'select id, state from answers where user_id = $1 and key = $2',
      [user, key],
    )
    if (same && same.state !== 'surplus') return { outcome: 'counted', id: same.id }
    const isClosed = (await query("select 1 from campaigns where id = $1 and state = 'closed'", [campaign])).length > 0
    const [standing] = await query<{ id: string }>(
      "select id from answers where item_id = $1 and user_id = $2 and state = 'current'",
      [item, user],
    )
    const place = isClosed ? 'closed' : standing ? 'answered-before' : await takePlace(query, where)
    const isCounted = place === 'taken'
    const state = isCounted ? 'current' : 'surplus'
    const [made] = await query<{ id: string }>(
      `insert into answers (item_id, user_id, key, content, reason, active_seconds, guideline_id, state)
       select $1, $2, $3, $4, $5, $6, guideline_id, $7 from campaigns where id = $8
       on conflict (user_id, key) do update set state = excluded.state returning id`,
      [item, user, key, JSON.stringify(content), reason, activeSeconds, state, campaign],
    )
    const { id } = made!
    if (place !== 'taken') return { outcome: place, id }
    await query('delete from drafts where item_id = $1 and user_id = $2', [item, user])
    await audit(query, { actor: user, project, action: 'answer.submit', subject: id })
    return { outcome: 'counted', id }
  })
}

const REOPENABLE = 10

/** What this person answered last, newest first: these may be taken back. */
export function listPastAnswers(
  query: Query,
  campaign: string,
  user: string,
): Promise<{ id: string; prompt: Prompt; content: Content; at: string }[]> {
  return query(
    `select items.id::text as id, prompt, content, answered_at as at from answers join items on items.id = item_id
     where campaign_id = $1 and user_id = $2 and answers.state = 'current' order by answered_at desc limit ${REOPENABLE}`,
    [campaign, user],
  )
}

/** Takes back one of the last ten: it stays as undone, its words become the draft, its item is claimed again. Call it in a transaction. */
export async function reopenAnswer(query: Query, campaign: string, user: string, item: string): Promise<boolean> {
  const past = await listPastAnswers(query, campaign, user)
  if (!past.some(({ id }) => id === item)) return false
  await query(
    `with given as (delete from claims where campaign_id = $1 and user_id = $2 returning item_id)
     update items set claimed = claimed - 1 from given where items.id = item_id`,
    [campaign, user],
  )
  const rows = await query(
    `with undone as (
       update answers set state = 'undone' where item_id = $1 and user_id = $2 and state = 'current'
       returning item_id, content, reason),
     counted as (update items set judged = judged - 1, claimed = claimed + 1 from undone where items.id = item_id),
     kept as (
       insert into drafts (item_id, user_id, content)
       select item_id, $2, (content - 'shown') || jsonb_build_object('reason', reason) from undone
       on conflict (item_id, user_id) do update set content = excluded.content, saved_at = now())
     insert into claims (item_id, user_id, campaign_id, is_a_left, expires_at)
     select item_id, $2, $3, true, now() + lease_seconds * interval '1 second' from undone join campaigns on campaigns.id = $3
     returning 1`,
    [item, user, campaign],
  )
  return rows.length > 0
}

export async function countMine(query: Query, campaign: string, user: string): Promise<number> {
  const [row] = await query<{ count: number }>(
    `select count(*)::int as count from answers join items on items.id = item_id
     where campaign_id = $1 and user_id = $2 and answers.state = 'current'`,
    [campaign, user],
  )
  return row!.count
}

export type StoredAnswer = {
  id: string
  user: string
  name: string
  item: string
  prompt: Prompt
  /** In the order of the item; of ratings the one that was rated. */
  completions: string[]
  content: Content
  reason: string
  seconds: number
  guideline: string
  /** Id of the objective that its guideline was written under. */
  objective: string | null
  at: string
}

/** Current answers in the order in which they were given. */
export function listStoredAnswers(query: Query, campaign: string): Promise<StoredAnswer[]> {
  return query<StoredAnswer>(
    `select answers.id, user_id as user, users.name, item, prompt, coalesce(completions, jsonb_build_array(a)) as completions,
       content, reason, active_seconds as seconds, 'guideline@' || left(sha256, 12) as guideline, objective_sha256 as objective, answered_at as at
     from answers join items on items.id = item_id join users on users.id = user_id
     join guidelines on guidelines.id = answers.guideline_id
     where campaign_id = $1 and answers.state = 'current' order by answered_at, answers.id`,
    [campaign],
  )
}
