// An answer to a pair: from claim to judgement in one statement, counted once however often it is sent, kept when it comes too
// late to count.
import type { Choice, Highlight } from '#schema'
import type { CriterionAnswer } from './campaigns.ts'
import { mayTake } from './assignments.ts'
import { holdAnswers, isAtLimit, mayGiveMore } from './caps.ts'
import { release, UNIQUE } from './claims.ts'
import type { Query, Store } from './store.ts'
import { suggestionKept } from './suggestions.ts'

/** Whether this key of this person came before and counted. */
export async function isAnswered(query: Query, user: string, key: string): Promise<boolean> {
  const rows = await query("select 1 from judgements where user_id = $1 and key = $2 and state <> 'surplus'", [
    user,
    key,
  ])
  return rows.length > 0
}

export type Answer = {
  key: string
  choice: Choice
  strength?: number | undefined
  /** To the campaign's other questions, by criterion. */
  criteria?: Record<string, CriterionAnswer> | undefined
  highlights?: readonly Highlight[] | undefined
  reason: string
  activeSeconds: number
}
export type Submitted =
  /** Counted, now or when the same key came before. */
  | { outcome: 'counted'; id: string }
  /** Kept, not counted: this person's other answer stands. */
  | {
      outcome: 'judged-before'
      id: string
      standing: { choice: Choice; strength: number | null; reason: string; at: string }
    }
  /** Kept, not counted: the lease had ended and others have given all that was wanted. */
  | { outcome: 'complete'; id: string }
  /** Kept, not counted: this person has given all that one person may give here. */
  | { outcome: 'at-limit'; id: string }
  /** Kept, not counted: the campaign is closed. The same key counts when it is opened again and sent once more. */
  | { outcome: 'closed'; id: string }

type Where = { project: string; campaign: string; item: string; user: string }

/** What an item has when its last wanted answer is in; says whether one person more is asked. */
export type WantsMore = (
  votes: { user: string; isALeft: boolean; choice: Choice; strength: number | null }[],
) => boolean

export type Rules = {
  /** The item that the answer completes is put to one person more in the same transaction where this says so, up to the campaign's cap. */
  wantsMore?: WantsMore | undefined
  /** The campaign has a limit for one person: their answers are counted one after the other. */
  isLimited?: boolean
}

/** Takes an answer; when it resolves, the answer is on disk. */
export async function submit(store: Store, where: Where, answer: Answer, rules: Rules = {}): Promise<Submitted> {
  const { wantsMore } = rules
  const id = await submitClaimed(store, where, { answer, rules })
  if (id !== undefined) return { outcome: 'counted', id }
  // The same answer, sent again: it takes nothing from what this person does now.
  const before = await store.query<{ id: string }>(
    `select id from judgements where user_id = $1 and key = $2 and state <> 'surplus'`,
    [where.user, answer.key],
  )
  if (before[0]) return { outcome: 'counted', id: before[0].id }
  return store.transaction(async (query) => {
    await holdAnswers(query, where.campaign, where.user)
    await release(query, where.item, where.user)
    const submitted = await submitUnclaimed(query, where, answer)
    if (wantsMore && submitted.outcome === 'counted') await raise(query, where.item, wantsMore)
    return submitted
  })
}

/** The row of the item is locked by the answer that was just counted, so two last answers do not raise it twice. */
async function raise(query: Query, item: string, wantsMore: WantsMore): Promise<void> {
  const [full] = await query(
    `select 1 from items join campaigns on campaigns.id = campaign_id
     where items.id = $1 and gold is null and settled is null and not is_dropped and judged >= wanted and wanted < (adaptive->>'cap')::integer`,
    [item],
  )
  if (!full) return
  const votes = await query<Parameters<WantsMore>[0][number]>(
    `select user_id as user, is_a_left as "isALeft", choice, strength from judgements
     where item_id = $1 and state = 'current' order by judged_at, id`,
    [item],
  )
  if (wantsMore(votes)) await query('update items set wanted = wanted + 1 where id = $1', [item])
}

const JUDGEMENT =
  'item_id, user_id, key, is_a_left, choice, strength, reason, active_seconds, guideline_id, by_criterion, highlights, suggestion'

const valuesOf = (
  { project, campaign, item, user }: Where,
  { key, choice, strength, criteria = {}, highlights = [], reason, activeSeconds }: Answer,
) => [
  item,
  user,
  campaign,
  key,
  choice,
  strength ?? null,
  reason,
  activeSeconds,
  project,
  JSON.stringify(criteria),
  JSON.stringify(highlights),
]

/**
 * The usual way, one statement (two where an item may want more): claim to judgement, counts, draft and audit. Undefined: there is no claim, the campaign is
 * closed, this person is at their limit, or their answer is there already, because the item was claimed anew in the moment it was given.
 */
async function submitClaimed(
  store: Store,
  where: Where,
  { answer, rules: { wantsMore, isLimited = false } }: { answer: Answer; rules: Rules },
): Promise<string | undefined> {
  try {
    if (!wantsMore && !isLimited) return await turnIntoJudgement(store.query, where, answer)
    return await store.transaction(async (query) => {
      if (isLimited) await holdAnswers(query, where.campaign, where.user)
      const id = await turnIntoJudgement(query, where, answer)
      if (id !== undefined && wantsMore) await raise(query, where.item, wantsMore)
      return id
    })
  } catch (error) {
    if ((error as { code?: string }).code !== UNIQUE) throw error
    return undefined
  }
}

/** Gold counts for no limit. */
const IS_WITHIN_LIMIT = `((select gold from items where id = $1) is not null or ${mayGiveMore('$3', '$2')})`

async function turnIntoJudgement(query: Query, where: Where, answer: Answer): Promise<string | undefined> {
  const rows = await query<{ id: string }>(
    `with claim as (
       delete from claims using campaigns
       where item_id = $1 and user_id = $2 and campaign_id = $3 and campaigns.id = $3 and state <> 'closed'
         and ${IS_WITHIN_LIMIT}
       returning item_id, is_a_left),
     made as (
       insert into judgements (${JUDGEMENT})
       select item_id, $2, $4, is_a_left, $5, $6, $7, $8, guideline_id, $10::jsonb, $11::jsonb,
         ${suggestionKept({ item: '$1', user: '$2', isALeft: 'is_a_left', choice: '$5::text' })}
       from claim join campaigns on campaigns.id = $3 returning id, item_id),
     counted as (update items set claimed = claimed - 1, judged = judged + 1 from made where items.id = item_id),
     dropped as (delete from drafts where item_id = $1 and user_id = $2),
     logged as (insert into audit (actor, project_id, action, subject) select $2, $9, 'judgement.submit', id::text from made)
     select id from made`,
    valuesOf(where, answer),
  )
  return rows[0]?.id
}

async function submitUnclaimed(query: Query, where: Where, answer: Answer): Promise<Submitted> {
  const { item, user, campaign } = where
  await query('select 1 from items where id = $1 for update', [item])
  // The same answer, sent twice at once: the other one was first.
  const [same] = await query<{ id: string; state: string }>(
    'select id, state from judgements where user_id = $1 and key = $2',
    [user, answer.key],
  )
  if (same && same.state !== 'surplus') return { outcome: 'counted', id: same.id }
  type Standing = { choice: Choice; strength: number | null; reason: string; at: string }
  const [standing] = await query<Standing>(
    `select choice, strength, reason, judged_at as at from judgements where item_id = $1 and user_id = $2 and state = 'current'`,
    [item, user],
  )
  const isClosed = (await query("select 1 from campaigns where id = $1 and state = 'closed'", [campaign])).length > 0
  const isOver =
    (await query('select 1 from items where id = $1 and gold is null', [item])).length > 0 &&
    (await isAtLimit(query, campaign, user))
  const room =
    standing || isClosed || isOver
      ? []
      : await query(
          `update items set judged = judged + 1 where id = $1 and judged + claimed < wanted and ${mayTake()} returning 1`,
          [item, user],
        )
  const state = room.length > 0 ? 'current' : 'surplus'
  const id = same?.id ?? (await insert(query, where, answer, state))
  if (state === 'current') {
    await query('delete from drafts where item_id = $1 and user_id = $2', [item, user])
    if (same) await query("update judgements set state = 'current' where id = $1", [id])
    return { outcome: 'counted', id }
  }
  if (standing) return { outcome: 'judged-before', id, standing }
  return { outcome: isClosed ? 'closed' : isOver ? 'at-limit' : 'complete', id }
}

async function insert(query: Query, where: Where, answer: Answer, state: 'current' | 'surplus'): Promise<string> {
  const [made] = await query<{ id: string }>(
    `with made as (
       insert into judgements (${JUDGEMENT}, state)
       select $1, $2, $4, is_a_left(seed, $1, $2), $5, $6, $7, $8, guideline_id, $10::jsonb, $11::jsonb,
         ${suggestionKept({ item: '$1', user: '$2', isALeft: 'is_a_left(seed, $1, $2)', choice: '$5::text' })}, $12
       from campaigns where id = $3 returning id),
     logged as (insert into audit (actor, project_id, action, subject, detail)
       select $2, $9, 'judgement.submit', id::text, jsonb_build_object('state', $12::text) from made)
     select id from made`,
    [...valuesOf(where, answer), state],
  )
  return made!.id
}
