// In what order people get the items of a campaign: where it is another than the seed drew, each item's rank holds it.
import type { Choice } from '#schema'
import type { Query } from './store.ts'

export const ITEM_ORDERS = ['random', 'uncertainty', 'begun', 'priority'] as const
export type ItemOrder = (typeof ITEM_ORDERS)[number]

/** Sets it, with the ranks that follow from rows alone; those of uncertainty come by `setRanks`. Call it in a transaction. */
export async function setItemOrder(query: Query, campaign: string, order: ItemOrder): Promise<void> {
  await query('update campaigns set item_order = $2 where id = $1', [campaign, order])
  await query(
    `update items set rank = now_is.rank from (
       select id, case when $2 = 'priority' then coalesce(-priority, 'infinity') else 0 end as rank
       from items where campaign_id = $1) as now_is
     where items.id = now_is.id and items.rank <> now_is.rank`,
    [campaign, order],
  )
}

/** Ranks of some items, where they have changed. */
export async function setRanks(query: Query, ranks: readonly { id: string; rank: number }[]): Promise<void> {
  await query(
    `update items set rank = given.rank
     from (select * from unnest($1::bigint[], $2::double precision[]) as given (id, rank) order by id) as given
     where items.id = given.id and abs(items.rank - given.rank) > 1e-9`,
    [ranks.map(({ id }) => id), ranks.map(({ rank }) => rank)],
  )
}

export type Judged = {
  id: string
  /** By how much a model prefers a to b, in log-odds; null: none has scored it. */
  margin: number | null
  votes: { user: string; isALeft: boolean; choice: Choice }[]
}

/** Pairs that still want answers, with what was answered; or one of a campaign's items. */
export function listUnsettled(query: Query, campaign: string, item?: string): Promise<Judged[]> {
  return query<Judged>(
    `select items.id::text as id, margin, coalesce(jsonb_agg(jsonb_build_object(
         'user', j.user_id, 'isALeft', j.is_a_left, 'choice', j.choice) order by judged_at, j.id)
         filter (where j.id is not null), '[]') as votes
     from items left join judgements as j on j.item_id = items.id and j.state = 'current'
     where campaign_id = $1 and gold is null and settled is null and not is_dropped and judged < wanted
       and ($2::bigint is null or items.id = $2)
     group by items.id`,
    [campaign, item ?? null],
  )
}

/** What the items of a campaign can be ordered by: how many have a priority, and how many a margin. */
export async function orderable(query: Query, campaign: string): Promise<{ priorities: number; margins: number }> {
  const [row] = await query<{ priorities: number; margins: number }>(
    'select count(priority)::int as priorities, count(margin)::int as margins from items where campaign_id = $1',
    [campaign],
  )
  return row!
}
