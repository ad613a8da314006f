// Who knows enough of what: items that ask for an expertise go to people who hold a credential of it now, and to nobody else.
import type { Query } from './store.ts'

export type Credential = {
  id: string
  user: string
  expertise: string
  proof: string
  expiresAt: string | null
  isExpired: boolean
  by: string
  at: string
}

const HOLDS = "ended_at is null and coalesce(expires_at, 'infinity') > now()"

/** SQL: of a row of `items` and a person, whose project is that of the campaign, all by their ids: they may be asked about it. */
export const mayBeAsked = (campaign: string, user = '$2'): string =>
  `(items.expertise is null or (select 1 from credentials as held where held.user_id = ${user}
     and held.project_id = (select project_id from campaigns as own where own.id = ${campaign})
     and held.expertise = items.expertise and ${HOLDS} limit 1) is not null)`

/** Those that were not ended, expired ones among them. */
export function listCredentials(query: Query, project: string): Promise<Credential[]> {
  return query<Credential>(
    `select credentials.id, user_id as user, expertise, proof, expires_at as "expiresAt",
       coalesce(expires_at, 'infinity') <= now() as "isExpired", givers.name as by, given_at as at
     from credentials join users as givers on givers.id = given_by
     where project_id = $1 and ended_at is null order by expertise, given_at`,
    [project],
  )
}

export async function giveCredential(
  query: Query,
  o: { project: string; user: string; expertise: string; proof: string; days: number | null; by: string },
): Promise<string> {
  const [made] = await query<{ id: string }>(
    `insert into credentials (project_id, user_id, expertise, proof, expires_at, given_by)
     values ($1, $2, $3, $4, now() + $5 * interval '1 day', $6) returning id`,
    [o.project, o.user, o.expertise, o.proof, o.days, o.by],
  )
  return made!.id
}

/** Ends it, and gives back what its holder had claimed and may no longer be asked about; false: there is none. Call it in a transaction. */
export async function endCredential(
  query: Query,
  o: { project: string; user: string; id: string; by: string },
): Promise<boolean> {
  const ended = await query(
    `update credentials set ended_at = now(), ended_by = $4
     where id = $1 and project_id = $2 and user_id = $3 and ended_at is null returning 1`,
    [o.id, o.project, o.user, o.by],
  )
  if (ended.length === 0) return false
  await query(
    `with given as (
       delete from claims using items, campaigns
       where claims.item_id = items.id and campaigns.id = claims.campaign_id and project_id = $1 and claims.user_id = $2
         and not ${mayBeAsked('claims.campaign_id')} returning claims.item_id)
     update items set claimed = claimed - 1 from given where items.id = given.item_id`,
    [o.project, o.user],
  )
  return true
}

/** Whether this person may be asked about the item now. */
export async function isQualifiedFor(query: Query, item: string, user: string): Promise<boolean> {
  const rows = await query(`select 1 from items where id = $1 and ${mayBeAsked('items.campaign_id')}`, [item, user])
  return rows.length > 0
}

/** What the items of a campaign ask for: how many still want answers, and how many people may give them. */
export function expertiseIn(
  query: Query,
  campaign: string,
): Promise<{ expertise: string; items: number; open: number; people: number }[]> {
  return query(
    `select expertise, count(*)::int as items, count(*) filter (where judged < wanted and settled is null and not is_dropped)::int as open,
       (select count(distinct user_id)::int from credentials as held where held.project_id = campaigns.project_id
          and held.expertise = items.expertise and ${HOLDS}) as people
     from items join campaigns on campaigns.id = campaign_id
     where campaign_id = $1 and items.expertise is not null group by items.expertise, campaigns.project_id order by 1`,
    [campaign],
  )
}
