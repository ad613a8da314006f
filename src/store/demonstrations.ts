// People write demonstrations, and a second person accepts them, fixes and accepts them, or sends them back with a reason.
// The row of an item counts what it has, as with judgements; what was sent back keeps its place for its author.
import type { Prompt } from '#schema'
import { holdAnswers } from './caps.ts'
import { takePlace } from './claims.ts'
import { audit } from './audit.ts'
import type { Query, Store } from './store.ts'

/** A prompt at hand. `drafted`: the answer to edit; null: an empty box. */
export type Writing = {
  id: string
  prompt: Prompt
  drafted: string | null
  draft: string | null
  /** Spent on the draft so far; null: not known. */
  activeSeconds: number | null
  /** What was sent back and why; null: not written yet. */
  returned: { completion: string; reason: string } | null
}
const WRITING = `items.id::text as id, prompt, nullif(a, '') as drafted, drafts.content->>'text' as draft,
  (drafts.content->>'activeSeconds')::float8 as "activeSeconds"`

/** What was sent back to this person, the oldest first; `first`: this item before others. */
export async function findReturned(
  query: Query,
  campaign: string,
  { user, first }: { user: string; first?: string | undefined },
): Promise<Writing | undefined> {
  const rows = await query<Writing>(
    `select ${WRITING}, jsonb_build_object('completion', s.completion, 'reason', reason) as returned
     from submissions as s join items on items.id = s.item_id join reviews on submission_id = s.id and undone_at is null
     left join drafts on drafts.item_id = items.id and drafts.user_id = s.user_id
     where campaign_id = $1 and s.user_id = $2 and s.state = 'returned' and settled is null
     order by items.id <> $3::bigint, reviewed_at limit 1`,
    [campaign, user, first ?? 0],
  )
  return rows[0]
}

/** What this person has claimed. */
export async function findWriting(query: Query, campaign: string, user: string): Promise<Writing | undefined> {
  const rows = await query<Writing>(
    `select ${WRITING}, null as returned from claims join items on items.id = claims.item_id
     left join drafts on drafts.item_id = items.id and drafts.user_id = claims.user_id
     where claims.campaign_id = $1 and claims.user_id = $2`,
    [campaign, user],
  )
  return rows[0]
}

/** The drafted answer of an item; null: there is none. */
export async function draftedAnswer(query: Query, item: string): Promise<string | null> {
  const [row] = await query<{ drafted: string | null }>(`select nullif(a, '') as drafted from items where id = $1`, [
    item,
  ])
  return row?.drafted ?? null
}

export type NewSubmission = {
  key: string
  completion: string
  editedWords: number | null
  tokens: number | null
  activeSeconds: number
}
type Where = { project: string; campaign: string; item: string; user: string }
export type Handed = { outcome: 'counted' | 'written-before' | 'complete' | 'at-limit' | 'closed'; id: string }

/** Takes a demonstration; when it resolves, it is on disk. The same key is the same demonstration, however often it is sent. */
export async function submitDemonstration(store: Store, where: Where, given: NewSubmission): Promise<Handed> {
  const { project, campaign, item, user } = where
  return store.transaction(async (query) => {
    await holdAnswers(query, campaign, user)
    // Claims before items, as whoever ends expired ones takes them.
    await query('select 1 from claims where item_id = $1 and user_id = $2 for update', [item, user])
    await query('select 1 from items where id = $1 for update', [item])
    const [same] = await query<{ id: string; state: string }>(
      'select id, state from submissions where user_id = $1 and key = $2',
      [user, given.key],
    )
    if (same && same.state !== 'surplus') return { outcome: 'counted', id: same.id }
    const isClosed = (await query("select 1 from campaigns where id = $1 and state = 'closed'", [campaign])).length > 0
    const [standing] = await query<{ id: string; state: string }>(
      `select id, state from submissions where item_id = $1 and user_id = $2 and state in ('waiting', 'accepted', 'returned')`,
      [item, user],
    )
    const isBack = standing?.state === 'returned'
    const place = isClosed ? 'closed' : isBack ? 'taken' : standing ? 'written-before' : await takePlace(query, where)
    const isCounted = place === 'taken'
    if (isCounted && isBack) await query("update submissions set state = 'replaced' where id = $1", [standing.id])
    const state = isCounted ? 'waiting' : 'surplus'
    const follows = isCounted && isBack ? standing.id : null
    const id = same?.id ?? (await insert(query, where, { ...given, state, follows }))
    if (same && isCounted)
      await query("update submissions set state = 'waiting', follows = $2 where id = $1", [id, follows])
    if (place !== 'taken') return { outcome: place, id }
    await query('delete from drafts where item_id = $1 and user_id = $2', [item, user])
    await audit(query, { actor: user, project, action: 'demonstration.submit', subject: id })
    return { outcome: 'counted', id }
  })
}

async function insert(
  query: Query,
  { campaign, item, user }: Where,
  given: NewSubmission & { state: string; follows: string | null },
): Promise<string> {
  const { key, completion, editedWords, tokens, activeSeconds, state, follows } = given
  const [made] = await query<{ id: string }>(
    `insert into submissions
       (item_id, user_id, key, completion, edited_words, tokens, active_seconds, guideline_id, state, follows)
     select $1, $2, $3, $4, $5, $6, $7, guideline_id, $8, $9 from campaigns where id = $10 returning id`,
    [item, user, key, completion, editedWords, tokens, activeSeconds, state, follows, campaign],
  )
  return made!.id
}

/** Leaves what was sent back to others; false: nothing of this person's was. Call it in a transaction. */
export async function giveUp(query: Query, item: string, user: string): Promise<boolean> {
  const rows = await query(
    `with gone as (
       update submissions set state = 'given-up' where item_id = $1 and user_id = $2 and state = 'returned' returning item_id)
     update items set judged = judged - 1 from gone where items.id = gone.item_id returning 1`,
    [item, user],
  )
  return rows.length > 0
}

/** Who wrote it is not told. */
export type ToReview = {
  id: string
  prompt: Prompt
  drafted: string | null
  completion: string
  editedWords: number | null
  tokens: number | null
  /** What was sent back before this, and why. */
  before: { completion: string; reason: string } | null
  /** What this reviewer said of it and took back; a completion where they fixed it. */
  own: { completion: string | null; reason: string } | null
}
const IS_REVIEWABLE = `campaign_id = $1 and s.state = 'waiting' and s.user_id <> $2`

/** One that somebody else wrote, each reviewer in an order of their own, `first` before others; and how many there are. */
export async function findToReview(
  query: Query,
  campaign: string,
  { user, first }: { user: string; first?: string | undefined },
): Promise<{ next: ToReview | undefined; waiting: number }> {
  const [next] = await query<ToReview & { waiting: number }>(
    `select s.id, prompt, nullif(a, '') as drafted, s.completion, s.edited_words as "editedWords", s.tokens,
       (select jsonb_build_object('completion', earlier.completion, 'reason', reason)
        from submissions as earlier join reviews on submission_id = earlier.id and undone_at is null
        where earlier.id = s.follows) as before,
       (select jsonb_build_object('completion', taken.completion, 'reason', reason) from reviews as taken
        where submission_id = s.id and taken.user_id = $2 order by reviewed_at desc limit 1) as own,
       count(*) over ()::int as waiting
     from submissions as s join items on items.id = s.item_id where ${IS_REVIEWABLE}
     order by s.id is distinct from $3::uuid, md5(s.id || ' ' || $2::uuid) limit 1`,
    [campaign, user, first ?? null],
  )
  return { next, waiting: next?.waiting ?? 0 }
}

export type NewReview = {
  submission: string
  user: string
  outcome: 'accepted' | 'fixed' | 'returned'
  completion: string | null
  editedWords: number | null
  reason: string
}

/** The word of a second person; false: it is the reviewer's own, or somebody was first. Call it in a transaction. */
export async function reviewSubmission(
  query: Query,
  { submission, user, outcome, completion, editedWords, reason }: NewReview,
): Promise<boolean> {
  const rows = await query(
    `with settled as (
       update submissions set state = case when $3 = 'returned' then 'returned' else 'accepted' end
       where id = $1 and state = 'waiting' and user_id <> $2 returning id)
     insert into reviews (submission_id, user_id, outcome, completion, edited_words, reason)
     select id, $2, $3, $4, $5, $6 from settled returning 1`,
    [submission, user, outcome, completion, editedWords, reason],
  )
  return rows.length > 0
}

export type Submission = {
  id: string
  item: string
  prompt: Prompt
  drafted: string | null
  /** As its author wrote it. */
  completion: string
  editedWords: number | null
  tokens: number | null
  seconds: number
  user: string
  name: string
  guideline: string
  /** Id of the objective that its guideline was written under. */
  objective: string | null
  state: 'waiting' | 'accepted' | 'returned' | 'replaced' | 'given-up' | 'surplus' | 'undone'
  at: string
  follows: string | null
  review: {
    user: string
    name: string
    outcome: NewReview['outcome']
    completion: string | null
    editedWords: number | null
    reason: string
    at: string
  } | null
}
const SUBMISSION = `select s.id, item, prompt, nullif(a, '') as drafted, s.completion, s.edited_words as "editedWords", s.tokens,
    s.active_seconds as seconds, s.user_id as user, authors.name, 'guideline@' || left(sha256, 12) as guideline, objective_sha256 as objective, s.state,
    submitted_at as at, follows,
    case when r.id is not null then jsonb_build_object('user', r.user_id, 'name', reviewers.name, 'outcome', outcome,
      'completion', r.completion, 'editedWords', r.edited_words, 'reason', r.reason, 'at', reviewed_at) end as review
  from submissions as s join items on items.id = s.item_id join campaigns on campaigns.id = campaign_id
  join guidelines on guidelines.id = s.guideline_id join users as authors on authors.id = s.user_id
  left join reviews as r on r.submission_id = s.id and undone_at is null left join users as reviewers on reviewers.id = r.user_id`

/** Until the transaction ends no review of the campaign is taken back, nor anything kept as a dataset, by others. */
export async function holdReviews(query: Query, campaign: string): Promise<void> {
  await query('select 1 from campaigns where id = $1 for no key update', [campaign])
}

/** All of a campaign, newest first, or one person's. */
export function listSubmissions(
  query: Query,
  campaign: string,
  { user, most = 1_000_000 }: { user?: string; most?: number } = {},
): Promise<Submission[]> {
  return query<Submission>(
    `${SUBMISSION} where campaign_id = $1 and ($2::uuid is null or s.user_id = $2) order by submitted_at desc, s.id limit $3`,
    [campaign, user ?? null, most],
  )
}

/** One of a project's, wherever it was written, and the campaign it belongs to. */
export async function findSubmission(
  query: Query,
  project: string,
  id: string,
): Promise<(Submission & { campaign: string; campaignName: string; version: string }) | undefined> {
  const rows = await query<Submission & { campaign: string; campaignName: string; version: string }>(
    `${SUBMISSION.replace('select', 'select campaigns.id as campaign, campaigns.name as "campaignName", version,')}
     where campaigns.project_id = $1 and s.id = $2`,
    [project, id],
  )
  return rows[0]
}

export type WritingProgress = { waiting: number; accepted: number; fixed: number; returned: number }

export async function writingProgress(query: Query, campaign: string): Promise<WritingProgress> {
  const [row] = await query<WritingProgress>(
    `select count(*) filter (where s.state = 'waiting')::int as waiting,
       count(*) filter (where s.state = 'accepted')::int as accepted,
       count(*) filter (where outcome = 'fixed')::int as fixed,
       count(*) filter (where s.state = 'returned')::int as returned
     from submissions as s join items on items.id = s.item_id left join reviews on submission_id = s.id and undone_at is null
     where campaign_id = $1`,
    [campaign],
  )
  return row!
}

/** For each open campaign: what was sent back to this person, and what of others' they could review. */
export function writingFor(
  query: Query,
  project: string,
  user: string,
): Promise<{ campaign: string; name: string; returned: number; reviewable: number }[]> {
  return query(
    `select campaigns.id as campaign, name,
       count(*) filter (where s.state = 'returned' and user_id = $2)::int as returned,
       count(*) filter (where s.state = 'waiting' and user_id <> $2)::int as reviewable
     from campaigns join items on campaign_id = campaigns.id join submissions as s on item_id = items.id
     where project_id = $1 and campaigns.state = 'open' and s.state in ('waiting', 'returned')
     group by campaigns.id order by campaigns.made_at`,
    [project, user],
  )
}
