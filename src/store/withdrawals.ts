// Withdrawing answers: of a person, a span of time, a version of the guideline. They stay, no longer count, and their items
// want others in their place; a withdrawal can be taken back. Both are rows that are only added.
import type { Query } from './store.ts'

/** What is absent is not asked; at least one is there. */
type WithdrawalRule = {
  user?: string | undefined
  from?: string | undefined
  until?: string | undefined
  guideline?: string | undefined
}

/** Of judgements j joined to items and campaigns, with the values of a rule. */
const IS_MEANT = `project_id = $1 and j.state = 'current' and ($2::uuid is null or j.user_id = $2)
  and ($3::timestamptz is null or judged_at >= $3) and ($4::timestamptz is null or judged_at < $4)
  and ($5::uuid is null or j.guideline_id = $5)`
const valuesOf = (project: string, { user, from, until, guideline }: WithdrawalRule) => [
  project,
  user ?? null,
  from ?? null,
  until ?? null,
  guideline ?? null,
]

/** Answers that a rule would take away, with where and whose they are. */
export function listMatching(
  query: Query,
  project: string,
  rule: WithdrawalRule,
): Promise<{ id: string; campaign: string; campaignName: string; user: string; name: string }[]> {
  return query(
    `select j.id, campaigns.id as campaign, campaigns.name as "campaignName", users.id as user, users.name
     from judgements as j join users on users.id = j.user_id join items on items.id = j.item_id
     join campaigns on campaigns.id = campaign_id
     where ${IS_MEANT}
     order by judged_at`,
    valuesOf(project, rule),
  )
}

/** Ids of the answers that are withdrawn now. */
export async function listWithdrawn(query: Query, project: string): Promise<string[]> {
  const rows = await query<{ id: string }>(
    `select j.id from judgements as j join items on items.id = j.item_id join campaigns on campaigns.id = campaign_id
     where project_id = $1 and j.state = 'withdrawn'`,
    [project],
  )
  return rows.map(({ id }) => id)
}

/** Takes the answers away and counts them; undefined: there is none. One statement. */
export async function withdraw(
  query: Query,
  project: string,
  { rule, reason, by }: { rule: WithdrawalRule; reason: string; by: string },
): Promise<{ id: string; judgements: number } | undefined> {
  const [made] = await query<{ id: string; judgements: number }>(
    `with taken as (update judgements as j set state = 'withdrawn' from items, campaigns
       where items.id = j.item_id and campaigns.id = campaign_id and ${IS_MEANT} returning j.id, j.item_id),
     counted as (
       update items set judged = judged - n from (select item_id, count(*)::int as n from taken group by item_id) as gone
       where items.id = gone.item_id),
     found as (select array_agg(id) as ids from taken having count(*) > 0)
     insert into withdrawals (project_id, user_id, given_from, given_until, guideline_id, reason, made_by, judgements)
     select $1, $2, $3, $4, $5, $6, $7, ids from found returning id, cardinality(judgements) as judgements`,
    [...valuesOf(project, rule), reason, by],
  )
  return made
}

/**
 * Lets them count again, but for those whose author has answered the item anew; who is about to is spared it. Undefined: there is no such withdrawal, or it
 * was taken back before.
 */
export async function undoWithdrawal(
  query: Query,
  project: string,
  { id, reason, by }: { id: string; reason: string; by: string },
): Promise<{ id: string; judgements: number } | undefined> {
  const [made] = await query<{ id: string; judgements: number }>(
    `with standing as (
       select judgements from withdrawals where project_id = $1 and id = $2 and undoes is null
         and not exists (select from withdrawals as later where later.undoes = $2)),
     back as (
       update judgements as j set state = 'current' from standing
       where j.id = any (judgements) and j.state = 'withdrawn' and not exists (
         select from judgements as anew where anew.item_id = j.item_id and anew.user_id = j.user_id and anew.state = 'current')
       returning j.id, j.item_id, j.user_id),
     freed as (
       delete from claims using back where claims.item_id = back.item_id and claims.user_id = back.user_id
       returning claims.item_id),
     given as (
       select item_id, count(*)::int as n, (select count(*)::int from freed where freed.item_id = back.item_id) as free
       from back group by item_id),
     counted as (
       update items set judged = judged + n, claimed = claimed - free, wanted = greatest(wanted, judged + n + claimed - free)
       from given where items.id = given.item_id)
     insert into withdrawals (project_id, reason, made_by, judgements, undoes)
     select $1, $3, $4, coalesce((select array_agg(id) from back), '{}'), $2 from standing
     returning id, cardinality(judgements) as judgements`,
    [project, id, reason, by],
  )
  return made
}

type Withdrawal = {
  id: string
  /** Whose answers; null: everybody's. */
  person: string | null
  from: string | null
  until: string | null
  guidelineNumber: number | null
  reason: string
  by: string
  at: string
  judgements: number
  undoes: string | null
  isUndone: boolean
}

export function listWithdrawals(query: Query, project: string): Promise<Withdrawal[]> {
  return query<Withdrawal>(
    `select w.id, whose.name as person, given_from as from, given_until as until, number as "guidelineNumber", reason,
       users.name as by, w.made_at as at, cardinality(judgements) as judgements, undoes,
       exists (select from withdrawals as later where later.undoes = w.id) as "isUndone"
     from withdrawals as w join users on users.id = w.made_by left join users as whose on whose.id = w.user_id
     left join guidelines on guidelines.id = w.guideline_id
     where w.project_id = $1 order by w.made_at desc, w.id`,
    [project],
  )
}
