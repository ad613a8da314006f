// Who is working on what: claims on lease. The row of an item counts what it has and what is being done, and its check holds it
// to what is wanted; so two people can race for the last place and one gets it.
import type { Prompt } from '#schema'
import type { Draft } from './annotating.ts'
import { hasPlace, isAssigned, mayTake, sharingFor } from './assignments.ts'
import { isAtLimit, mayGiveMore } from './caps.ts'
import { mayBeAsked } from './credentials.ts'
import type { Query, Store } from './store.ts'
import { NOTE_SHOWN, type Suggested, suggestionSeen } from './suggestions.ts'

/** As it is put to a person: sides drawn, nothing that says who wrote what. */
export type Task = {
  id: string
  prompt: Prompt
  left: string
  right: string
  draft: Draft | null
  /** What a model says of it, where this person is shown that before they answer. */
  suggestion: Pick<Suggested, 'choice' | 'score' | 'source'> | null
  expiresAt: string
}

const TASK = `select claims.item_id::text as id, prompt, case when is_a_left then a else b end as left,
    case when is_a_left then b else a end as right, content as draft, expires_at as "expiresAt",
    ${suggestionSeen('claims.user_id', 'is_a_left')} as suggestion
  from claims join items on items.id = claims.item_id
  left join drafts on drafts.item_id = claims.item_id and drafts.user_id = claims.user_id`

/**
 * Where a task is taken from. `qualifying`: gold items. `gold turn`: a gold item while there is an ordinary one too, for gold
 * alone is no work; each person meets gold in an order of their own.
 */
export type Source = 'ordinary' | 'gold turn' | 'qualifying'
/**
 * They may be asked, and nothing of this person's is there: no judgement, demonstration or answer. Asked of one item after the
 * other, each time by a key: as `not exists` Postgres joins whole tables before it takes the first item, which in a campaign of
 * 2,000 cost 160 ms a claim.
 */
const OPEN_TO_ME = `settled is null and not is_dropped
  and (select 1 from judgements where item_id = items.id and user_id = $2 and state = 'current') is null
  and (select 1 from submissions where item_id = items.id and user_id = $2
    and state in ('waiting', 'accepted', 'returned')) is null
  and (select 1 from answers where item_id = items.id and user_id = $2 and state = 'current') is null
  and ${mayBeAsked('$1')}`
const MY_SKIP = '(select skipped_at from skips where item_id = items.id and user_id = $2)'
/** Nor have they skipped it. */
export const MINE_TO_DO = `${MY_SKIP} is null and ${OPEN_TO_ME}`
const HAS_ROOM = `${mayGiveMore()} and ${hasPlace()}`
const ORDINARY = `gold is null and ${MINE_TO_DO} and ${HAS_ROOM}`
const ASSIGNED = `${ORDINARY} and ${isAssigned()}`
const leftOf = (what: string): string =>
  `exists (select from items where campaign_id = $1 and judged + claimed < wanted and ${what})`
const IN_AN_ORDER_OF_THEIR_OWN = `order by md5(items.id || ' ' || $2::uuid)`
const IN_MINE = 'items.id in (select item_id from assignments where campaign_id = $1 and user_id = $2)'
const OF_MINE = `${IN_MINE} and ${ORDINARY}`
/** What lacks the fewest answers, of what others have begun. */
const BEGUN_FIRST = 'order by judged + claimed > 0 desc, wanted - judged - claimed, position'
const COME_BACK = `gold is null and ${MY_SKIP} is not null and ${OPEN_TO_ME} and ${HAS_ROOM}`
type From =
  | Source
  | 'begun'
  | 'assigned'
  | 'assigned, begun first'
  | 'gold beside assigned'
  | 'come back'
  | 'assigned come back'
/**
 * `assigned`: what a lead wants this person to answer; and where nothing else is given out, gold only beside such. `come back`:
 * what they skipped, where the campaign gives it back to them, longest ago first.
 */
const FROM: Record<From, string> = {
  ordinary: `${ORDINARY} order by rank, position`,
  begun: `${ORDINARY} and judged + claimed > 0 ${BEGUN_FIRST}`,
  assigned: `${OF_MINE} order by rank, position`,
  'assigned, begun first': `${OF_MINE} ${BEGUN_FIRST}`,
  'gold turn': `gold is not null and ${MINE_TO_DO} and ${leftOf(ORDINARY)} ${IN_AN_ORDER_OF_THEIR_OWN}`,
  'gold beside assigned': `gold is not null and ${MINE_TO_DO} and ${leftOf(ASSIGNED)} ${IN_AN_ORDER_OF_THEIR_OWN}`,
  qualifying: `gold is not null and ${MINE_TO_DO} ${IN_AN_ORDER_OF_THEIR_OWN}`,
  'come back': `${COME_BACK} order by ${MY_SKIP}`,
  'assigned come back': `${IN_MINE} and ${COME_BACK} order by ${MY_SKIP}`,
}

/**
 * The task of this person: the one they have, on a new lease, else the first item with room that they have neither judged
 * nor skipped, claimed in the same statement. Undefined: none is left for them, or the campaign is not open.
 */
export async function claim(
  store: Store,
  campaign: string,
  user: string,
  source: Source = 'ordinary',
): Promise<Task | undefined> {
  return (await claimItem(store, campaign, user, source)) ? findTask(store.query, campaign, user) : undefined
}

/** The same, whatever is to be done with the item; says whether this person has one. */
export async function claimItem(
  store: Store,
  campaign: string,
  user: string,
  source: Source = 'ordinary',
): Promise<boolean> {
  await releaseExpired(store.query, campaign)
  const groups = await sourcesFor(store, { campaign, user, source })
  // Items that somebody is claiming in this moment are passed over; when only such are left, they are waited for.
  for (const group of groups)
    for (const wait of ['skip locked', ''] as const)
      for (const each of group)
        if ((await take(store, { campaign, user, source: each }, wait)) !== undefined) return true
  return source === 'gold turn' ? claimItem(store, campaign, user) : false
}

/** Where this person's next item may come from, in the order in which that is tried; what is locked is waited for group by group. */
async function sourcesFor(
  store: Store,
  { campaign, user, source }: { campaign: string; user: string; source: Source },
): Promise<From[][]> {
  if (source === 'qualifying') return [[source]]
  const { isManual, hasAssigned, isBegunFirst, comesBack } = await sharingFor(store.query, campaign, user)
  if (source === 'gold turn') return [[isManual ? 'gold beside assigned' : 'gold turn']]
  const assigned: From = isBegunFirst ? 'assigned, begun first' : 'assigned'
  const others: From[] = isBegunFirst ? ['begun', 'ordinary'] : ['ordinary']
  const fresh = [...(hasAssigned ? [assigned] : []), ...(isManual ? [] : others)]
  return comesBack ? [fresh, [isManual ? 'assigned come back' : 'come back']] : [fresh]
}

async function take(
  store: Store,
  from: { campaign: string; user: string; source: From },
  wait: 'skip locked' | '',
): Promise<number | undefined> {
  const { campaign, user, source } = from
  try {
    const [row] = await store.query<{ item: number }>(
      `with open as (select id, seed, lease_seconds * interval '1 second' as lease from campaigns where id = $1 and state = 'open'),
       mine as (
         update claims set expires_at = now() + lease from open
         where campaign_id = open.id and user_id = $2 returning item_id),
       picked as (
         select items.id from items
         where campaign_id = $1 and judged + claimed < wanted and exists (select from open) and not exists (select from mine)
           and ${FROM[source]}
         limit 1 for update of items ${wait}),
       counted as (update items set claimed = claimed + 1 from picked where items.id = picked.id returning items.id),
       taken as (
         insert into claims (item_id, user_id, campaign_id, is_a_left, expires_at)
         select counted.id, $2, open.id, is_a_left(seed, counted.id, $2), now() + lease from counted, open returning item_id),
       shown as (${NOTE_SHOWN})
       select item_id as item from mine union all select item_id from taken`,
      [campaign, user],
    )
    return row?.item
  } catch (error) {
    // Two tabs of one person at once: the other has the claim, which the next look finds.
    if ((error as { code?: string }).code !== UNIQUE) throw error
    return take(store, from, wait)
  }
}

/** Postgres: a row of that key is there. */
export const UNIQUE = '23505'

/** What this person has claimed. */
export async function findTask(query: Query, campaign: string, user: string): Promise<Task | undefined> {
  return (await query<Task>(`${TASK} where claims.campaign_id = $1 and claims.user_id = $2`, [campaign, user]))[0]
}

/** Gives back what nobody kept alive, and what its holder may no longer be asked about; answers how many. */
export async function releaseExpired(query: Query, campaign: string): Promise<number> {
  const rows = await query(
    `with over as (
       select item_id, user_id from claims join items on items.id = item_id
       where claims.campaign_id = $1 and (expires_at < now() or not ${mayBeAsked('$1', 'claims.user_id')})
       for update of claims skip locked),
     ended as (delete from claims using over where claims.item_id = over.item_id and claims.user_id = over.user_id returning claims.item_id)
     update items set claimed = claimed - n from (select item_id, count(*)::int as n from ended group by item_id) as given
     where items.id = given.item_id returning items.id`,
    [campaign],
  )
  return rows.length
}

/** Keeps the claim for another lease; false: it has expired and gone to others. */
export async function heartbeat(query: Query, item: string, user: string): Promise<boolean> {
  const rows = await query(
    `update claims set expires_at = now() + lease_seconds * interval '1 second' from campaigns
     where item_id = $1 and user_id = $2 and campaigns.id = campaign_id returning 1`,
    [item, user],
  )
  return rows.length > 0
}

/**
 * From being claimed to being there; without a claim, as long as there is room for this person. Call it in a transaction that
 * holds their answers.
 */
export async function takePlace(
  query: Query,
  { campaign, item, user }: { campaign: string; item: string; user: string },
): Promise<'taken' | 'complete' | 'at-limit'> {
  if (await isAtLimit(query, campaign, user)) {
    await release(query, item, user)
    return 'at-limit'
  }
  const claimed = await query('delete from claims where item_id = $1 and user_id = $2 returning 1', [item, user])
  const rows = await query(
    claimed.length > 0
      ? 'update items set claimed = claimed - 1, judged = judged + 1 where id = $1 returning 1'
      : `update items set judged = judged + 1 where id = $1 and judged + claimed < wanted and ${mayTake()} returning 1`,
    claimed.length > 0 ? [item] : [item, user],
  )
  return rows.length > 0 ? 'taken' : 'complete'
}

/** Gives back what this person has claimed of the item; false: nothing. */
export async function release(query: Query, item: string, user: string): Promise<boolean> {
  const rows = await query(
    `with given as (delete from claims where item_id = $1 and user_id = $2 returning item_id)
     update items set claimed = claimed - 1 from given where items.id = item_id returning 1`,
    [item, user],
  )
  return rows.length > 0
}
