// What somebody wrote and takes back before it is reviewed, and what a reviewer said of it and takes back. Both stay in the
// history as undone.
import type { Prompt } from '#schema'
import type { Query } from './store.ts'

const REOPENABLE = 10

/**
 * Takes back one of this person's last ten that still waits for a reviewer: the prompt is theirs again, in place of what was at
 * hand and its words are the draft, or, where it had been sent back before, it is sent back once more. Answers the item; undefined: it is not among them, or
 * somebody has reviewed it. Call it in a transaction.
 */
export async function takeBackSubmission(
  query: Query,
  { campaign, user, submission }: { campaign: string; user: string; submission: string },
): Promise<string | undefined> {
  const last = await query<{ id: string; item: string }>(
    `select s.id, item_id::text as item from submissions as s join items on items.id = item_id
     where campaign_id = $1 and user_id = $2 and s.state <> 'undone' order by submitted_at desc, s.id limit ${REOPENABLE}`,
    [campaign, user],
  )
  const item = last.find(({ id }) => id === submission)?.item
  if (item === undefined) return undefined
  // Claims before items, as whoever ends expired ones takes them.
  await query('select 1 from claims where campaign_id = $1 and user_id = $2 for update', [campaign, user])
  await query('select 1 from items where id = $1 for update', [item])
  const [undone] = await query<{ follows: string | null; completion: string }>(
    `update submissions set state = 'undone' where id = $1 and state = 'waiting' returning follows, completion`,
    [submission],
  )
  if (!undone) return undefined
  if (undone.follows === null) await claimAgain(query, { campaign, user, item })
  else await query("update submissions set state = 'returned' where id = $1", [undone.follows])
  await query(
    `insert into drafts (item_id, user_id, content) values ($1, $2, $3)
     on conflict (item_id, user_id) do update set content = excluded.content, saved_at = now()`,
    [item, user, JSON.stringify({ text: undone.completion })],
  )
  return item
}

async function claimAgain(
  query: Query,
  { campaign, user, item }: { campaign: string; user: string; item: string },
): Promise<void> {
  await query(
    `with given as (delete from claims where campaign_id = $1 and user_id = $2 returning item_id)
     update items set claimed = claimed - 1 from given where items.id = item_id`,
    [campaign, user],
  )
  await query('update items set judged = judged - 1, claimed = claimed + 1 where id = $1', [item])
  await query(
    `insert into claims (item_id, user_id, campaign_id, is_a_left, expires_at)
     select $1, $2, id, true, now() + lease_seconds * interval '1 second' from campaigns where id = $3`,
    [item, user, campaign],
  )
}

export type PastReview = {
  submission: string
  prompt: Prompt
  outcome: 'accepted' | 'fixed' | 'returned'
  reason: string
  at: string
}

/** What this person said last in a campaign and did not take back, newest first: these can be taken back. */
export function listPastReviews(query: Query, campaign: string, user: string): Promise<PastReview[]> {
  return query<PastReview>(
    `select s.id as submission, prompt, outcome, r.reason, reviewed_at as at
     from reviews as r join submissions as s on s.id = submission_id join items on items.id = item_id
     where campaign_id = $1 and r.user_id = $2 and undone_at is null order by reviewed_at desc, r.id limit ${REOPENABLE}`,
    [campaign, user],
  )
}

/**
 * Takes back what this person said of a submission, which waits again for a reviewer. Answers its state where that is another:
 * `replaced` or `given-up` by its author, or `waiting` already. Call it in a transaction.
 */
export async function takeBackReview(
  query: Query,
  { user, submission }: { user: string; submission: string },
): Promise<string> {
  // Whoever sends it anew holds the item.
  await query('select 1 from items where id = (select item_id from submissions where id = $1) for update', [submission])
  const undone = await query(
    `with undone as (
       update reviews set undone_at = now() from submissions as s
       where s.id = submission_id and s.id = $1 and s.state in ('accepted', 'returned') and reviews.user_id = $2
         and undone_at is null returning submission_id)
     update submissions set state = 'waiting' from undone where id = submission_id returning 1`,
    [submission, user],
  )
  if (undone.length > 0) return 'undone'
  const [row] = await query<{ state: string }>('select state from submissions where id = $1', [submission])
  return row!.state
}

export type TakenBackReview = {
  name: string
  outcome: PastReview['outcome']
  completion: string | null
  reason: string
  at: string
  undoneAt: string
}

/** Reviews of a submission that were taken back, newest first. */
export function listTakenBackReviews(query: Query, submission: string): Promise<TakenBackReview[]> {
  return query<TakenBackReview>(
    `select name, outcome, completion, reason, reviewed_at as at, undone_at as "undoneAt"
     from reviews join users on users.id = user_id where submission_id = $1 and undone_at is not null
     order by undone_at desc`,
    [submission],
  )
}
