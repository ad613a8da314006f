// Who a lead wants an item answered by. A place is kept for each of them until they have answered it, or skipped it where it does
// not come back to them; where a campaign is shared out by hand, nobody else is asked.
import { givenBy } from './caps.ts'
import type { Query } from './store.ts'

/** SQL of a row of `assignments`: it is neither answered nor skipped for good. */
const isUndone = (row: string): string => `
  (select 1 from judgements as d where d.item_id = ${row}.item_id and d.user_id = ${row}.user_id and d.state = 'current') is null
  and (select 1 from submissions as d where d.item_id = ${row}.item_id and d.user_id = ${row}.user_id
    and d.state in ('waiting', 'accepted', 'returned')) is null
  and (select 1 from answers as d where d.item_id = ${row}.item_id and d.user_id = ${row}.user_id and d.state = 'current') is null
  and ((select 1 from skips as d where d.item_id = ${row}.item_id and d.user_id = ${row}.user_id) is null
    or (select skip_policy from campaigns as c where c.id = ${row}.campaign_id) = 'back-to-me')`

/** SQL of a row of `assignments`: it is to be answered yet. */
const isOwed = (row: string): string =>
  `(select is_dropped or settled is not null from items as i where i.id = ${row}.item_id) = false and ${isUndone(row)}`

/** SQL of a row of `items`: beside what is `taken` it has a place for a person that is kept for nobody else. */
export const hasPlace = (user = '$2', taken = 'judged + claimed'): string => `${taken} + (
    select count(*) from assignments as held where held.item_id = items.id and held.user_id <> ${user}
      and (select 1 from claims as c where c.item_id = held.item_id and c.user_id = held.user_id) is null
      and ${isUndone('held')}) < wanted`

/** SQL of a row of `items`: it is assigned to a person. */
export const isAssigned = (user = '$2'): string =>
  `(select 1 from assignments as mine where mine.item_id = items.id and mine.user_id = ${user}) is not null`

/** SQL of a row of `items`: a person who has no claim on it may take a place. */
export const mayTake = (user = '$2'): string => `(gold is not null and judged + claimed < wanted or ${hasPlace(user)}
  and (not (select is_manual from campaigns as own where own.id = items.campaign_id) or ${isAssigned(user)}))`

/** Takes back what this person has not done, and in a campaign shared out by hand what they are at. Call it in a transaction. */
export async function unassign(query: Query, campaign: string, user: string): Promise<number> {
  const rows = await query(
    `delete from assignments where campaign_id = $1 and user_id = $2 and ${isOwed('assignments')} returning 1`,
    [campaign, user],
  )
  await query(
    `with given as (
       delete from claims using campaigns, items where claims.campaign_id = $1 and claims.user_id = $2 and is_manual
         and campaigns.id = $1 and items.id = claims.item_id and items.gold is null returning claims.item_id)
     update items set claimed = claimed - 1 from given where items.id = given.item_id`,
    [campaign, user],
  )
  return rows.length
}

type Share = {
  user: string
  name: string
  /** Answers that count, gold's aside; assigned, and of these not done. */
  given: number
  assigned: number
  owed: number
}

/** Each member who may be given work, or has been. */
export function listShares(query: Query, project: string, campaign: string): Promise<Share[]> {
  return query<Share>(
    `select users.id as user, users.name, ${givenBy('$2', 'users.id')} as given,
       (select count(*)::int from assignments where campaign_id = $2 and user_id = users.id) as assigned,
       (select count(*)::int from assignments as held where campaign_id = $2 and user_id = users.id and ${isOwed('held')}) as owed
     from members join users on users.id = members.user_id
     where project_id = $1 and role <> 'viewer' and disabled_at is null order by users.name, users.id`,
    [project, campaign],
  )
}

const SLICES_SHOWN = 40

/** By stratum, the largest first: how many items, and how many of them want answers. */
export function listSlices(
  query: Query,
  campaign: string,
): Promise<{ stratum: string | null; items: number; open: number }[]> {
  return query(
    `select stratum, count(*)::int as items, count(*) filter (where judged < wanted and settled is null and not is_dropped)::int as open
     from items where campaign_id = $1 and gold is null group by stratum order by items desc, stratum limit ${SLICES_SHOWN}`,
    [campaign],
  )
}

type Sharing = {
  isManual: boolean
  hasAssigned: boolean
  isBegunFirst: boolean
  /** What they skip comes back to them. */
  comesBack: boolean
}

/** What a campaign and its assignments say of where this person's next item comes from. */
export async function sharingFor(query: Query, campaign: string, user: string): Promise<Sharing> {
  const [row] = await query<Sharing>(
    `select is_manual as "isManual", item_order = 'begun' as "isBegunFirst", skip_policy = 'back-to-me' as "comesBack",
       exists (select from assignments where campaign_id = $1 and user_id = $2) as "hasAssigned" from campaigns where id = $1`,
    [campaign, user],
  )
  return row!
}
