// A calibration round after it was closed: every item with everybody's answers, and what people say of them.
import type { Choice, Prompt } from '#schema'
import type { CriterionAnswer } from './campaigns.ts'
import type { Query } from './store.ts'

export type DiscussedItem = {
  id: string
  prompt: Prompt
  a: string
  b: string
  /** How the reader had the sides. */
  isALeft: boolean
  answers: {
    user: string
    name: string
    isALeft: boolean
    choice: Choice
    strength: number | null
    byCriterion: Record<string, CriterionAnswer>
    reason: string
  }[]
  remarks: { id: string; user: string; name: string; text: string; at: string }[]
}

/** Items in order, each with all current answers and all remarks. Who may see them is for the caller to say. */
export function listDiscussion(query: Query, campaign: string, reader: string): Promise<DiscussedItem[]> {
  return query<DiscussedItem>(
    `select items.id::text as id, prompt, a, b, is_a_left(seed, items.id, $2) as "isALeft",
       coalesce((select jsonb_agg(jsonb_build_object('user', j.user_id, 'name', name, 'isALeft', is_a_left, 'choice', choice,
           'strength', strength, 'byCriterion', by_criterion, 'reason', reason) order by judged_at, j.id)
         from judgements as j join users on users.id = j.user_id where j.item_id = items.id and j.state = 'current'), '[]') as answers,
       coalesce((select jsonb_agg(jsonb_build_object('id', r.id, 'user', r.user_id, 'name', name, 'text', text, 'at', made_at)
           order by made_at, r.id)
         from remarks as r join users on users.id = r.user_id where r.item_id = items.id), '[]') as remarks
     from items join campaigns on campaigns.id = campaign_id where campaign_id = $1 order by position`,
    [campaign, reader],
  )
}

/** Whether this person has an answer in the campaign that counts. */
export async function tookPart(query: Query, campaign: string, user: string): Promise<boolean> {
  const rows = await query(
    `select 1 from judgements as j join items on items.id = item_id
     where campaign_id = $1 and user_id = $2 and j.state = 'current' limit 1`,
    [campaign, user],
  )
  return rows.length > 0
}

/** The same key is the same remark; false: it was there. */
export async function addRemark(
  query: Query,
  { item, user, key, text }: { item: string; user: string; key: string; text: string },
): Promise<boolean> {
  const rows = await query(
    'insert into remarks (item_id, user_id, key, text) values ($1, $2, $3, $4) on conflict (user_id, key) do nothing returning 1',
    [item, user, key, text],
  )
  return rows.length > 0
}

/** Closed rounds of the last weeks in which this person took part: there is something to talk about. */
export function discussionsFor(
  query: Query,
  project: string,
  { user, days }: { user: string; days: number },
): Promise<{ campaign: string; name: string; items: number }[]> {
  return query(
    `select campaigns.id as campaign, name, count(distinct items.id)::int as items
     from campaigns join items on campaign_id = campaigns.id
     where project_id = $1 and is_calibration and campaigns.state = 'closed' and closed_at > now() - $3 * interval '1 day'
       and exists (select from judgements as j join items as own on own.id = j.item_id
         where own.campaign_id = campaigns.id and j.user_id = $2 and j.state = 'current')
     group by campaigns.id order by campaigns.made_at`,
    [project, user, days],
  )
}
