// Who is paused in a campaign. By the rule of its gold answers, or by a lead; only a lead lets somebody go on, and answers from
// before do not pause them again.
import type { Query } from './store.ts'

export type PauseRule = { items: number; below: number }
export type Pause = {
  user: string
  name: string
  /** Null: by the rule. */
  by: string | null
  right: number | null
  answers: number | null
  reason: string
  at: string
}
const PAUSE = `select user_id as user, users.name, leads.name as by, right_answers as right, answers, reason, paused_at as at
  from pauses join users on users.id = user_id left join users as leads on leads.id = paused_by`

/** Pauses that hold. */
export function listPauses(query: Query, campaign: string): Promise<Pause[]> {
  return query<Pause>(`${PAUSE} where campaign_id = $1 and resumed_at is null order by paused_at`, [campaign])
}

/**
 * Right answers of this person to gold items, halves for ties and both bad, since they were last let go on; those of concluded
 * qualifications aside.
 */
export async function goldScore(
  query: Query,
  campaign: string,
  user: string,
): Promise<{ right: number; answers: number }> {
  const [row] = await query<{ right: number; answers: number }>(
    `select count(*)::int as answers, coalesce(sum(case when choice in ('tie', 'both-bad') then 0.5
         when choice in ('left', 'right') and ((choice = 'left') = is_a_left) = (gold = 'a') then 1 else 0 end), 0)::real as right
     from judgements as j join items on items.id = item_id
     where campaign_id = $1 and j.user_id = $2 and j.state = 'current' and gold is not null
       and judged_at > coalesce((select max(resumed_at) from pauses where campaign_id = $1 and user_id = $2), '-infinity')
       and not exists (select from qualifications as q where q.campaign_id = $1 and q.user_id = $2 and j.id = any (q.judgements))`,
    [campaign, user],
  )
  return row!
}

/** Pauses somebody and gives back what they had claimed; false: they are paused already. Call it in a transaction. */
export async function pausePerson(
  query: Query,
  campaign: string,
  o: { user: string; by: string | null; right?: number; answers?: number; reason?: string },
): Promise<boolean> {
  const { user, by, right = null, answers = null, reason = '' } = o
  const made = await query(
    `insert into pauses (campaign_id, user_id, paused_by, right_answers, answers, reason) values ($1, $2, $3, $4, $5, $6)
     on conflict (campaign_id, user_id) where resumed_at is null do nothing returning 1`,
    [campaign, user, by, right, answers, reason],
  )
  if (made.length === 0) return false
  await query(
    `with given as (delete from claims where campaign_id = $1 and user_id = $2 returning item_id)
     update items set claimed = claimed - 1 from given where items.id = item_id`,
    [campaign, user],
  )
  return true
}

/** Lets somebody go on; false: they are not paused. */
export async function resumePerson(
  query: Query,
  campaign: string,
  { user, by, because }: { user: string; by: string; because: string },
): Promise<boolean> {
  const rows = await query(
    `update pauses set resumed_by = $3, resumed_at = now(), resumed_because = $4
     where campaign_id = $1 and user_id = $2 and resumed_at is null returning 1`,
    [campaign, user, by, because],
  )
  return rows.length > 0
}

export async function setPauseRule(query: Query, campaign: string, rule: PauseRule | null): Promise<void> {
  await query('update campaigns set pause_rule = $2 where id = $1', [campaign, rule && JSON.stringify(rule)])
}

/** In each campaign of a project that is open: how many are paused by the rule. */
export function pausedIn(query: Query, project: string): Promise<{ campaign: string; name: string; paused: number }[]> {
  return query(
    `select campaigns.id as campaign, name, count(*)::int as paused from pauses join campaigns on campaigns.id = campaign_id
     where project_id = $1 and state = 'open' and resumed_at is null and paused_by is null
     group by campaigns.id order by campaigns.made_at`,
    [project],
  )
}
