// Adjudication: an item on which people disagree is looked at blind by somebody who did not judge it, then with all answers,
// and settled. Rows are only added; the newest of an item holds, and items.settled says so where claims and counts look.
import type { Choice, Highlight, Prompt } from '#schema'
import type { Query } from './store.ts'

export type Outcome = 'decided' | 'subjective' | 'excluded' | 'reopened'
export type Case = {
  id: string
  item: string
  prompt: Prompt
  left: string
  right: string
  isALeft: boolean
  settled: Exclude<Outcome, 'reopened'> | null
  /** This person's own answer before the others' were shown. */
  first: { choice: Choice; strength: number | null } | null
  /** Whether this person is among those who judged it. */
  isOwn: boolean
}

/** An item as it is put to one adjudicator: sides drawn for them, as for everyone. */
export async function findCase(query: Query, campaign: string, item: string, user: string): Promise<Case | undefined> {
  const [row] = await query<Omit<Case, 'first'> & { choice: Choice | null; strength: number | null }>(
    `select items.id::text as id, item, prompt, settled, drawn.side as "isALeft", first_looks.choice, first_looks.strength,
       case when drawn.side then a else b end as left, case when drawn.side then b else a end as right,
       exists (select from judgements where item_id = items.id and user_id = $3 and state = 'current') as "isOwn"
     from items join campaigns on campaigns.id = campaign_id,
     lateral (select is_a_left(seed, items.id, $3) as side) as drawn
     left join first_looks on first_looks.item_id = $2 and first_looks.user_id = $3
     where campaign_id = $1 and items.id = $2`,
    [campaign, item, user],
  )
  if (!row) return undefined
  const { choice, strength, ...rest } = row
  return { ...rest, first: choice === null ? null : { choice, strength } }
}

/** The first answer stays; false: there was one. */
export async function noteFirstLook(
  query: Query,
  { id, isALeft }: Pick<Case, 'id' | 'isALeft'>,
  { user, choice, strength }: { user: string; choice: Choice; strength?: number | undefined },
): Promise<boolean> {
  const rows = await query(
    `insert into first_looks (item_id, user_id, is_a_left, choice, strength) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning 1`,
    [id, user, isALeft, choice, strength ?? null],
  )
  return rows.length > 0
}

export type NewAdjudication = {
  user: string
  key: string
  /** The adjudication that was there when this one was made. */
  before: string | null
  outcome: Outcome
  choice?: Exclude<Choice, 'cannot-judge'> | undefined
  strength?: number | undefined
  reason: string
}
export type Adjudicated =
  | { outcome: 'stands'; id: string; isNew: boolean }
  /** Somebody settled it meanwhile. */
  | { outcome: 'stale' }

/** Adds the next word on an item. The same key is the same word however often it is sent. Call it in a transaction. */
export async function adjudicate(
  query: Query,
  { id, isALeft }: Pick<Case, 'id' | 'isALeft'>,
  { user, key, before, outcome, choice, strength, reason }: NewAdjudication,
): Promise<Adjudicated> {
  await query('select 1 from items where id = $1 for update', [id])
  const [same] = await query<{ id: string }>('select id from adjudications where user_id = $1 and key = $2', [
    user,
    key,
  ])
  if (same) return { outcome: 'stands', id: same.id, isNew: false }
  const [newest] = await query<{ id: string }>(
    'select id from adjudications where item_id = $1 order by position desc limit 1',
    [id],
  )
  if ((newest?.id ?? null) !== before) return { outcome: 'stale' }
  const [made] = await query<{ id: string }>(
    `insert into adjudications (item_id, user_id, key, outcome, is_a_left, choice, strength, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
    [id, user, key, outcome, isALeft, choice ?? null, strength ?? null, reason],
  )
  await query('update items set settled = $2 where id = $1', [id, outcome === 'reopened' ? null : outcome])
  return { outcome: 'stands', id: made!.id, isNew: true }
}

export type AnswerToItem = {
  user: string
  name: string
  isALeft: boolean
  choice: Choice
  strength: number | null
  reason: string
  highlights: Highlight[]
  seconds: number
  at: string
}

/** What people answered to one item. */
export function listAnswers(query: Query, item: string): Promise<AnswerToItem[]> {
  return query<AnswerToItem>(
    `select users.id as user, name, is_a_left as "isALeft", choice, strength, reason, highlights,
       active_seconds as seconds, judged_at as at
     from judgements join users on users.id = user_id where item_id = $1 and state = 'current' order by judged_at`,
    [item],
  )
}

/** Flags of one item, newest first. */
export function listItemFlags(
  query: Query,
  item: string,
): Promise<{ user: string; name: string; note: string; at: string }[]> {
  return query(
    `select users.id as user, name, note, flagged_at as at from flags join users on users.id = user_id
     where item_id = $1 order by flagged_at desc`,
    [item],
  )
}

export type Adjudication = {
  id: string
  itemId: string
  item: string
  prompt: Prompt
  user: string
  name: string
  outcome: Outcome
  left: string
  right: string
  isALeft: boolean
  choice: Exclude<Choice, 'cannot-judge'> | null
  strength: number | null
  reason: string
  guideline: string
  /** Id of the objective that its guideline was written under. */
  objective: string | null
  at: string
}
const ADJUDICATION = `select adjudications.id, items.id::text as "itemId", item, prompt, users.id as user, users.name, outcome,
    case when is_a_left then a else b end as left, case when is_a_left then b else a end as right,
    is_a_left as "isALeft", choice, strength, reason, 'guideline@' || left(sha256, 12) as guideline, objective_sha256 as objective, settled_at as at
  from adjudications join items on items.id = item_id join campaigns on campaigns.id = campaign_id
  join guidelines on guidelines.id = guideline_id join users on users.id = user_id`

/** Every word on one item, newest first: the first one holds. */
export function listHistory(query: Query, item: string): Promise<Adjudication[]> {
  return query<Adjudication>(`${ADJUDICATION} where item_id = $1 order by adjudications.position desc`, [item])
}

/** What holds of each settled item of a campaign, newest first. */
export function listSettled(query: Query, campaign: string): Promise<Adjudication[]> {
  return query<Adjudication>(
    `${ADJUDICATION} where campaign_id = $1 and settled is not null and adjudications.position =
       (select max(position) from adjudications as newest where newest.item_id = items.id)
     order by adjudications.position desc`,
    [campaign],
  )
}
