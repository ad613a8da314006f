// How much one person may give to a campaign: a number of answers, a share of all that it wants, or both. It is looked at
// when they are given work, and once more when an answer of theirs is counted, one of a person's answers after the other.
import type { Query } from './store.ts'

export type Limits = { mostEach: number | null; mostShare: number | null; isManual: boolean }

/** SQL: how many answers of a person count in a campaign, those to gold aside. */
export const givenBy = (campaign: string, user: string): string =>
  `((select count(*) from judgements as g join items as own on own.id = g.item_id
      where own.campaign_id = ${campaign} and own.gold is null and g.user_id = ${user} and g.state = 'current')
    + (select count(*) from submissions as g join items as own on own.id = g.item_id
      where own.campaign_id = ${campaign} and g.user_id = ${user} and g.state in ('waiting', 'accepted', 'returned'))
    + (select count(*) from answers as g join items as own on own.id = g.item_id
      where own.campaign_id = ${campaign} and g.user_id = ${user} and g.state = 'current'))::int`

/** SQL of a row of `campaigns`: the most that one person may give; null: there is no limit. A share of 0.29 of 100 is 29. */
export const MOST_OF_ONE = `least(most_each, case when most_share is not null then floor(1e-9 + most_share * (
    select coalesce(sum(case when settled is null and not is_dropped then wanted else judged end), 0) from items as all_of_it
    where all_of_it.campaign_id = campaigns.id and all_of_it.gold is null)) end)::int`

/** SQL: whether a person may give one answer more. */
export const mayGiveMore = (campaign = '$1', user = '$2'): string =>
  `(select case when most_each is null and most_share is null then true
     else ${MOST_OF_ONE} > ${givenBy(campaign, user)} end from campaigns where campaigns.id = ${campaign})`

/** Of a campaign with a limit: holds this person's other answers back until the transaction is over. */
export async function holdAnswers(query: Query, campaign: string, user: string): Promise<void> {
  await query(
    `select pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0)) from campaigns
     where id = $1::uuid and (most_each is not null or most_share is not null)`,
    [campaign, user],
  )
}

export async function isAtLimit(query: Query, campaign: string, user: string): Promise<boolean> {
  return (await query(`select 1 where not ${mayGiveMore()}`, [campaign, user])).length > 0
}

/** The most that one person may give; null: there is no limit. */
export async function mostOfOne(query: Query, campaign: string): Promise<number | null> {
  const [row] = await query<{ most: number | null }>(`select ${MOST_OF_ONE} as most from campaigns where id = $1`, [
    campaign,
  ])
  return row!.most
}

/** Sets them, and gives back what people had claimed who may not go on with it. Call it in a transaction. */
export async function setLimits(
  query: Query,
  campaign: string,
  { mostEach, mostShare, isManual }: Limits,
): Promise<void> {
  await query('update campaigns set most_each = $2, most_share = $3, is_manual = $4 where id = $1', [
    campaign,
    mostEach,
    mostShare,
    isManual,
  ])
  await query(
    `with given as (
       delete from claims using items, campaigns where items.id = claims.item_id and campaigns.id = claims.campaign_id
         and campaigns.id = $1 and items.gold is null and (not ${mayGiveMore('$1', 'claims.user_id')} or (is_manual
           and not exists (select from assignments as a where a.item_id = items.id and a.user_id = claims.user_id)))
       returning claims.item_id)
     update items set claimed = claimed - n from (select item_id, count(*)::int as n from given group by item_id) as back
     where items.id = back.item_id`,
    [campaign],
  )
}
