// What a model says of a pair, put to people beside it: to whom it is shown and when, and what is kept of it with their answer.
import type { Query } from './store.ts'

/** `hiddenShare`: of the tasks, drawn, from which it is hidden. `isAfter`: it is shown once the answer is given. */
export type SuggestionRule = { hiddenShare: number; isAfter: boolean }
export type Suggestion = { better: 'a' | 'b'; score: number; source: string }
export type Shown = 'before' | 'after' | 'hidden'
/** On the sides as shown. `agreed` null: the answer says that the pair cannot be judged. */
export type Suggested = {
  choice: 'left' | 'right'
  score: number
  source: string
  shown: Shown
  agreed: boolean | null
}

/** SQL statement for a `with`: notes what the person $2 is shown of the item that the statement `taken` gives them. */
export const NOTE_SHOWN = `insert into suggestions_shown (item_id, user_id, shown)
  select items.id, $2, case
    when is_drawn('suggestion', seed, items.id || ' ' || $2::uuid, (suggestions->>'hiddenShare')::double precision) then 'hidden'
    when (suggestions->>'isAfter')::boolean then 'after' else 'before' end
  from taken join items on items.id = taken.item_id join campaigns on campaigns.id = items.campaign_id
  where suggestions is not null and suggestion is not null and gold is null
  on conflict do nothing`

const sideOf = (isALeft: string, item = 'items'): string =>
  `case when (${item}.suggestion->>'better' = 'a') = ${isALeft} then 'left' else 'right' end`

/** SQL of a row of `items`: what this person sees now; null: nothing. */
export const suggestionSeen = (user: string, isALeft: string): string => `(
  select jsonb_build_object('choice', ${sideOf(isALeft)}, 'score', items.suggestion->'score', 'source', items.suggestion->'source')
  from suggestions_shown as s join campaigns as own on own.id = items.campaign_id
  where s.item_id = items.id and s.user_id = ${user} and s.shown = 'before' and own.suggestions is not null)`

/** SQL: what is kept with an answer; null: nothing was suggested, or no lot was drawn for this person. */
export const suggestionKept = (o: { item: string; user: string; isALeft: string; choice: string }): string => `(
  select jsonb_build_object('choice', ${sideOf(o.isALeft, 'of_it')}, 'score', of_it.suggestion->'score', 'source', of_it.suggestion->'source',
    'shown', s.shown,
    'agreed', case when ${o.choice} = 'cannot-judge' then null else ${o.choice} = ${sideOf(o.isALeft, 'of_it')} end)
  from items as of_it join suggestions_shown as s on s.item_id = of_it.id and s.user_id = ${o.user}
  where of_it.id = ${o.item} and of_it.suggestion is not null and of_it.gold is null)`

/** What was kept with an answer that has just counted, if it is to be shown now; whoever answers anew has seen it. */
export async function reveal(query: Query, judgement: string): Promise<Suggested | undefined> {
  const [row] = await query<{ suggestion: Suggested }>(
    `with it as (select item_id, user_id, suggestion from judgements where id = $1 and suggestion->>'shown' = 'after'),
     seen as (update suggestions_shown as s set shown = 'before' from it where s.item_id = it.item_id and s.user_id = it.user_id)
     select suggestion from it`,
    [judgement],
  )
  return row?.suggestion
}

export async function setSuggestions(query: Query, campaign: string, rule: SuggestionRule | null): Promise<void> {
  await query('update campaigns set suggestions = $2 where id = $1', [campaign, rule && JSON.stringify(rule)])
}

/** How many items somebody says something of. */
export async function countSuggestions(query: Query, campaign: string): Promise<number> {
  const [row] = await query<{ count: number }>(
    'select count(suggestion)::int as count from items where campaign_id = $1 and gold is null',
    [campaign],
  )
  return row!.count
}

/** Whether the campaign judges for an evaluation, or for a mark of a run. */
export async function isEvaluating(query: Query, campaign: string): Promise<boolean> {
  const [row] = await query<{ is: boolean }>(
    `select exists (select from evaluations where campaign_id = $1)
       or exists (select from mark_campaigns where campaign_id = $1) as is`,
    [campaign],
  )
  return row!.is
}
