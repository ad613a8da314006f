// Judgements that were given elsewhere and are brought into a campaign whole, with the order of their sides.
import type { Choice } from '#schema'
import type { Query } from './store.ts'

export type ImportedJudgement = {
  item: string
  user: string
  isALeft: boolean
  choice: Choice
  strength: number | null
  reason: string
  seconds: number
}

/** Never more than an item wants: the statement fails, and with it the transaction that it is called in. */
export async function importJudgements(
  query: Query,
  campaign: string,
  judgements: readonly ImportedJudgement[],
): Promise<void> {
  await query(
    `with given as (
       select items.id as item_id, g."user", g."isALeft", g.choice, g.strength, g.reason, g.seconds, g.place
       from jsonb_to_recordset($2) as g (item text, "user" uuid, "isALeft" boolean, choice text, strength smallint, reason text, seconds real, place integer)
       join items on items.item = g.item and items.campaign_id = $1),
     made as (
       insert into judgements (item_id, user_id, key, is_a_left, choice, strength, reason, active_seconds, guideline_id, judged_at)
       select item_id, "user", gen_random_uuid(), "isALeft", choice, strength, reason, seconds, guideline_id,
         now() - (select count(*) from given) * interval '40 second' + place * interval '40 second'
       from given join campaigns on campaigns.id = $1 returning item_id)
     update items set judged = judged + n from (select item_id, count(*)::int as n from made group by item_id) as counted
     where items.id = counted.item_id`,
    [campaign, JSON.stringify(judgements.map((judgement, place) => ({ ...judgement, place })))],
  )
}
