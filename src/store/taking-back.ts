// What somebody wrote and takes back before it is reviewed. It stays in the history as undone; its words become the draft.
import type { Query } from './store.ts'

const REOPENABLE = 10

/**
 * Takes back one of this person's last ten that still waits for a reviewer: the prompt is theirs again, in place of what was at
 * hand, or, where it had been sent back before, it is sent back once more. Answers the item; undefined: it is not among them, or
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
