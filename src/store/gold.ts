// Gold items and qualification: items whose answer was known beforehand are put to everybody once, mixed in or as a round that
// comes before the first task. Words on what is gold are only added; a concluded round stays as it was.
import type { Choice, Prompt } from '#schema'
import type { Query } from './store.ts'

export type Better = 'a' | 'b'
/** What a gold item, and one of a calibration round, has room for. */
export const EVERYBODY = 1_000_000

/** False: it is so already. Null makes it an item like any other again. Call it in a transaction. */
export async function markGold(
  query: Query,
  { item, user, better, note }: { item: string; user: string; better: Better | null; note: string },
): Promise<boolean> {
  const [now] = await query<{ better: Better | null; note: string | null }>(
    `select gold as better, (select note from gold where item_id = items.id order by id desc limit 1) as note
     from items where id = $1 for update of items`,
    [item],
  )
  if (now!.better === better && (better === null || now!.note === note)) return false
  await query('insert into gold (item_id, user_id, better, note) values ($1, $2, $3, $4)', [item, user, better, note])
  await query(
    `update items set gold = $2, wanted = case when $2::text is not null or is_calibration then $3
       else greatest(case when is_overlapped then overlap else 1 end, judged + claimed) end
     from campaigns where items.id = $1 and campaigns.id = campaign_id`,
    [item, better, EVERYBODY],
  )
  return true
}

export async function isGold(query: Query, item: string): Promise<boolean> {
  return (await query('select 1 from items where id = $1 and gold is not null', [item])).length > 0
}

type ItemOnList = {
  id: string
  item: string
  prompt: Prompt
  a: string
  b: string
  judged: number
  gold: Better | null
  note: string | null
  /** Of a gold item: right answers, halves for ties, by how many people. */
  right: number | null
}

/** Items of a campaign in order, a page of them; or its gold ones alone. */
export function listItemPage(
  query: Query,
  campaign: string,
  { from, count, isGold }: { from: number; count: number; isGold: boolean },
): Promise<ItemOnList[]> {
  return query<ItemOnList>(
    `select items.id::text as id, item, prompt, a, b, judged, gold,
       (select note from gold where item_id = items.id and items.gold is not null order by id desc limit 1) as note,
       (select sum(case when choice in ('tie', 'both-bad') then 0.5
          when choice in ('left', 'right') and ((choice = 'left') = is_a_left) = (gold = 'a') then 1 else 0 end)::real
        from judgements where item_id = items.id and state = 'current' and gold is not null) as right
     from items where campaign_id = $1 and ($4 = false or gold is not null) order by position offset $2 limit $3`,
    [campaign, from, count, isGold],
  )
}

export type QualificationRule = {
  items: number
  mark: { right: number } | { low: number }
  mayRetry: boolean
}

export async function setGoldRules(
  query: Query,
  campaign: string,
  { goldRate, qualification }: { goldRate: number; qualification: QualificationRule | null },
): Promise<void> {
  await query('update campaigns set gold_rate = $2, qualification = $3 where id = $1', [
    campaign,
    goldRate,
    qualification === null ? null : JSON.stringify(qualification),
  ])
}

export type GoldJudgement = {
  id: string
  item: string
  prompt: Prompt
  left: string
  right: string
  choice: Choice
  strength: number | null
  better: 'left' | 'right'
  note: string
}
const GOLD_JUDGEMENT = `select j.id, item, prompt, choice, strength,
    case when is_a_left then a else b end as left, case when is_a_left then b else a end as right,
    case when (gold = 'a') = is_a_left then 'left' else 'right' end as better,
    coalesce((select note from gold where item_id = items.id order by id desc limit 1), '') as note
  from judgements as j join items on items.id = item_id`

/** Gold answers of a person that no concluded round has counted, oldest first. */
export function listOpenGold(query: Query, campaign: string, user: string): Promise<GoldJudgement[]> {
  return query<GoldJudgement>(
    `${GOLD_JUDGEMENT} where campaign_id = $1 and user_id = $2 and state = 'current' and gold is not null
       and not exists (select from qualifications where qualifications.campaign_id = $1 and qualifications.user_id = $2
         and j.id = any (judgements))
     order by judged_at, j.id`,
    [campaign, user],
  )
}

type Attempt = {
  user: string
  attempt: number
  passed: boolean
  right: number
  answers: number
  low: number
  judgements: string[]
  at: string
}
const ATTEMPT = `user_id as user, attempt, passed, right_answers as right, answers, low, judgements, concluded_at as at`

/** Each person's newest concluded round, or one person's. */
export function listAttempts(query: Query, campaign: string, user?: string): Promise<Attempt[]> {
  return query<Attempt>(
    `select distinct on (user_id) ${ATTEMPT} from qualifications
     where campaign_id = $1 and ($2::uuid is null or user_id = $2) order by user_id, attempt desc`,
    [campaign, user ?? null],
  )
}

/** False: another request concluded it in this moment. */
export async function concludeAttempt(
  query: Query,
  campaign: string,
  { user, attempt, passed, right, answers, low, judgements }: Omit<Attempt, 'at'>,
): Promise<boolean> {
  const rows = await query(
    `insert into qualifications (campaign_id, user_id, attempt, passed, right_answers, answers, low, judgements)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning 1`,
    [campaign, user, attempt, passed, right, answers, low, judgements],
  )
  return rows.length > 0
}

/** What a round was made of, as its author saw it; answers as they were then. */
export function listAttemptAnswers(query: Query, judgements: readonly string[]): Promise<GoldJudgement[]> {
  return query<GoldJudgement>(`${GOLD_JUDGEMENT} where j.id = any ($1) and gold is not null order by judged_at, j.id`, [
    judgements,
  ])
}

/** Gold items that this person has not met; and whether they have read the guideline again since a time. */
export async function retryState(
  query: Query,
  campaign: string,
  { user, since }: { user: string; since: string },
): Promise<{ unseen: number; hasReread: boolean }> {
  const [row] = await query<{ unseen: number; hasReread: boolean }>(
    `select count(items.id)::int as unseen, exists (select from readings join campaigns on campaigns.id = $1
         where readings.guideline_id = campaigns.guideline_id and user_id = $2 and reread_at > $3) as "hasReread"
     from items where campaign_id = $1 and gold is not null and settled is null
       and not exists (select from judgements where item_id = items.id and user_id = $2 and state = 'current')
       and not exists (select from skips where item_id = items.id and user_id = $2)`,
    [campaign, user, since],
  )
  return row!
}
