// What a campaign has been given: answers, flags, how much each person did.
import type { Choice, Highlight, Prompt } from '#schema'
import type { CriterionAnswer, NewItem } from './campaigns.ts'
import type { Query } from './store.ts'
import type { Suggested } from './suggestions.ts'

export type PersonProgress = {
  user: string
  name: string
  judged: number
  skipped: number
  flagged: number
  seconds: number | null
  lastAt: string | null
}

/** What each person did in a campaign; who did nothing is not there. */
export function progressByPerson(query: Query, campaign: string): Promise<PersonProgress[]> {
  return query<PersonProgress>(
    `select users.id as user, users.name, count(distinct j.id)::int as judged,
       (select count(*)::int from skips join items on items.id = item_id where campaign_id = $1 and user_id = users.id) as skipped,
       (select count(*)::int from flags join items on items.id = item_id where campaign_id = $1 and user_id = users.id) as flagged,
       percentile_cont(0.5) within group (order by j.active_seconds) as seconds, max(j.judged_at) as "lastAt"
     from users join judgements as j on j.user_id = users.id join items on items.id = j.item_id
     where campaign_id = $1 and j.state = 'current' group by users.id order by users.name`,
    [campaign],
  )
}

export type Flag = { item: string; by: string; note: string; at: string }

/** Why people skipped, the commonest first; who gave no reason does not count. */
export function listSkipReasons(query: Query, campaign: string): Promise<{ reason: string; times: number }[]> {
  return query(
    `select reason, count(*)::int as times from skips join items on items.id = item_id
     where campaign_id = $1 and reason <> '' group by reason order by times desc, reason limit 20`,
    [campaign],
  )
}

export function listFlags(query: Query, campaign: string): Promise<Flag[]> {
  return query<Flag>(
    `select items.item, users.name as by, note, flagged_at as at from flags
     join items on items.id = item_id join users on users.id = user_id where campaign_id = $1 order by flagged_at desc`,
    [campaign],
  )
}

export type StoredJudgement = {
  id: string
  user: string
  item: string
  prompt: Prompt
  left: string
  right: string
  choice: Choice
  strength: number | null
  byCriterion: Record<string, CriterionAnswer>
  highlights: Highlight[]
  reason: string
  seconds: number
  guideline: string
  /** Id of the objective that its guideline was written under. */
  objective: string | null
  at: string
  /** The side that gold says is better. */
  gold: 'left' | 'right' | null
  /** What a model said of it, and whether this person saw that. */
  suggestion: Suggested | null
}

/** Current judgements in the order in which they were given; sides as shown. Not of items that were marked as wrong. */
export function listJudgements(query: Query, campaign: string): Promise<StoredJudgement[]> {
  return query<StoredJudgement>(
    `select j.id, j.user_id as user, item, prompt, case when is_a_left then a else b end as left,
       case when is_a_left then b else a end as right, choice, strength, by_criterion as "byCriterion", highlights, reason, active_seconds as seconds,
       'guideline@' || left(sha256, 12) as guideline, objective_sha256 as objective, judged_at as at,
       case when gold is not null then case when (gold = 'a') = is_a_left then 'left' else 'right' end end as gold,
       j.suggestion
     from judgements as j join items on items.id = j.item_id join guidelines on guidelines.id = j.guideline_id
     where items.campaign_id = $1 and j.state = 'current' and settled is distinct from 'excluded' order by judged_at, j.id`,
    [campaign],
  )
}

export type StoredItem = Pick<NewItem, 'item' | 'prompt' | 'a' | 'b' | 'stratum'> & {
  id: string
  /** Whether it has all the judgements that it wants. */
  isFull: boolean
  settled: 'decided' | 'subjective' | 'excluded' | null
  /** Flags since it was last settled. */
  flags: number
}

/** What is judged of each item: the two sides of a pair, the completions of a ranking, the one that is rated; empty where it is to be written. */
export function listTexts(
  query: Query,
  campaign: string,
): Promise<{ id: string; item: string; prompt: Prompt; answers: string[] }[]> {
  return query(
    `select id::text as id, item, prompt, coalesce(completions, jsonb_build_array(a, b)) as answers from items
     where campaign_id = $1 order by position`,
    [campaign],
  )
}

/** Comparisons of a campaign, in order. */
export async function listItems(query: Query, campaign: string): Promise<StoredItem[]> {
  const rows = await query<Omit<StoredItem, 'stratum'> & { stratum: string | null }>(
    `select id::text as id, item, prompt, a, b, stratum, (judged >= wanted or is_dropped) as "isFull", settled,
       (select count(*)::int from flags where flags.item_id = items.id and flagged_at > coalesce(
          (select max(settled_at) from adjudications where adjudications.item_id = items.id), '-infinity')) as flags
     from items where campaign_id = $1 order by position`,
    [campaign],
  )
  return rows.map(({ stratum, ...item }) => ({ ...item, stratum: stratum ?? undefined }))
}

/** Changes whenever a judgement, flag or adjudication of the campaign does. */
export async function versionOfAnswers(query: Query, campaign: string): Promise<string> {
  const [row] = await query<{ version: string }>(
    `select concat_ws(' ', count(*) filter (where j.state = 'current'), count(*) filter (where j.state = 'undone'),
       max(judged_at) filter (where j.state = 'current'),
       (select count(*) from flags join items on items.id = item_id where campaign_id = $1),
       (select count(*) from adjudications join items on items.id = item_id where campaign_id = $1),
       (select count(*) from items where campaign_id = $1 and is_dropped),
       (select max(gold.id) from gold join items on items.id = item_id where campaign_id = $1)) as version
     from judgements as j join items on items.id = item_id where campaign_id = $1`,
    [campaign],
  )
  return row!.version
}
