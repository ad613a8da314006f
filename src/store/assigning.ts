// Assigning items to people: a slice of a campaign to each of them, or dealt out among them.
import { hasPlace } from './assignments.ts'
import { MINE_TO_DO } from './claims.ts'
import type { Query } from './store.ts'

export type Slice = {
  /** Names of items; absent: any. */
  items?: readonly string[] | undefined
  /** Null: those that name none; absent: any. */
  stratum?: string | null | undefined
  /** The first so many of them in the order of the campaign. */
  first?: number | undefined
}

/** Ids of the items of a slice that have room for anybody, in order; held until the transaction is over. */
async function chosen(query: Query, campaign: string, { items, stratum, first }: Slice): Promise<string[]> {
  const rows = await query<{ id: string }>(
    `select id::text as id from items where campaign_id = $1 and gold is null and settled is null and not is_dropped and judged < wanted
       and ($2::text[] is null or item = any ($2)) and ($3 = false or stratum is not distinct from $4)
     order by position limit $5 for update`,
    [campaign, items ?? null, stratum !== undefined, stratum ?? null, first ?? null],
  )
  return rows.map(({ id }) => id)
}

/** Names among these that the campaign has not. */
export async function unknownItems(query: Query, campaign: string, items: readonly string[]): Promise<string[]> {
  const rows = await query<{ item: string }>(
    `select name as item from unnest($2::text[]) as name
     where not exists (select from items where campaign_id = $1 and item = name) order by 1`,
    [campaign, items],
  )
  return rows.map(({ item }) => item)
}

/**
 * Assigns the items of a slice to each of some people, or dealt out among them one after the other. Left out is what has no
 * place left, what a person has answered or skipped, and what they may not be asked about. Call it in a transaction.
 */
export async function assignSlice(
  query: Query,
  o: { campaign: string; people: readonly string[]; slice: Slice; isDivided: boolean; by: string },
): Promise<{ user: string; assigned: number }[]> {
  const ids = await chosen(query, o.campaign, o.slice)
  const given: { user: string; assigned: number }[] = []
  for (const [place, user] of o.people.entries()) {
    const own = o.isDivided ? ids.filter((_, i) => i % o.people.length === place) : ids
    const rows = await query(
      `insert into assignments (item_id, campaign_id, user_id, assigned_by)
       select items.id, $1, $2, $4 from items where items.id = any ($3::bigint[]) and ${MINE_TO_DO}
         and (${hasPlace()} or (select 1 from claims as c where c.item_id = items.id and c.user_id = $2) is not null)
       on conflict do nothing returning 1`,
      [o.campaign, user, own, o.by],
    )
    given.push({ user, assigned: rows.length })
  }
  return given
}
