// Campaigns: what is judged, by how many, under which words; and how far it is.
import type { Choice, Prompt, Question } from '#schema'
import { hasPlace, isAssigned } from './assignments.ts'
import { givenBy, type Limits, MOST_OF_ONE } from './caps.ts'
import { mayBeAsked } from './credentials.ts'
import { type Better, EVERYBODY, type QualificationRule } from './gold.ts'
import type { ItemOrder } from './ordering.ts'
import type { PauseRule } from './pauses.ts'
import type { Query } from './store.ts'
import type { Suggestion, SuggestionRule } from './suggestions.ts'

export type CampaignKind = 'pairs' | 'demonstrations' | 'ratings' | 'rankings'
/** What a kind needs besides: of demonstrations, whose tokens are counted; of ratings, what is asked. */
export type Asks = { tokensBy?: { name: string; folder: string }; questions?: Question[] }
/** What becomes of an item that somebody skips: see the table. */
export type SkipPolicy = 'to-others' | 'back-to-me' | 'drop'
export type CampaignState = 'open' | 'paused' | 'closed'
/** A criterion of the objective that is asked about beside the overall question, in the words of the time. */
export type AskedCriterion = { name: string; definition: string }
export type CriterionAnswer = { choice: Choice; strength?: number | undefined }
export type Adaptive = { threshold: number; cap: number }
/** What a campaign is; how far it is takes a look at each of its items. */
export type CampaignFacts = Limits & {
  id: string
  kind: CampaignKind
  asks: Asks
  name: string
  dataset: string
  version: string
  overlap: number
  /** Of the items that get the overlap, drawn by the seed; the others are judged once. */
  overlapShare: number
  state: CampaignState
  madeAt: string
  guideline: string
  guidelineNumber: number
  guidelineLabel: string
  /** Id of the objective that its guideline was written under, and the number of that version where it was saved as one. */
  objective: string | null
  objectiveNumber: number | null
  goldRate: number
  qualification: QualificationRule | null
  /** Until one side is this probable, up to so many answers; null: overlap is all. */
  adaptive: Adaptive | null
  /** Everybody answers everything, and sees the others' answers once it is closed. */
  isCalibration: boolean
  /** Who falls below it on gold is given nothing more; null: nobody is. */
  pauseRule: PauseRule | null
  /** It is closed then; null: a lead closes it. */
  deadline: string | null
  skipPolicy: SkipPolicy
  criteria: AskedCriterion[]
  seed: number
  itemOrder: ItemOrder
  /** Null: nobody is shown what a model says. */
  suggestions: SuggestionRule | null
}
export type Totals = {
  items: number
  /** Of the items, those drawn to get the overlap. */
  overlapped: number
  goldItems: number
  /** Answers to gold items, those of concluded qualifications aside. */
  goldMixed: number
  /** Judgements wanted and there, over all items but gold; a settled item wants no more than it has. */
  wanted: number
  judged: number
  /** Items that nobody more is asked about, since somebody skipped them. */
  dropped: number
  /** People at work on an item now. */
  atWork: number
}
export type Campaign = CampaignFacts & Totals

const FACTS = `campaigns.id, kind, asks, name, dataset, version, overlap, overlap_share as "overlapShare", state, campaigns.made_at as "madeAt",
    guideline_id as guideline, number as "guidelineNumber", 'guideline@' || left(sha256, 12) as "guidelineLabel",
    objective_sha256 as objective, (select max(o.number) from objectives as o
      where o.project_id = campaigns.project_id and o.sha256 = objective_sha256) as "objectiveNumber",
    gold_rate as "goldRate", qualification, adaptive, criteria, seed, is_calibration as "isCalibration",
    pause_rule as "pauseRule", deadline, skip_policy as "skipPolicy", most_each as "mostEach", most_share as "mostShare",
    is_manual as "isManual", item_order as "itemOrder", suggestions`
/** Of a calibration round everything is wanted of everybody who takes part. */
const TAKERS = `(select greatest(1, count(distinct user_id)) from judgements as j join items as own on own.id = j.item_id
    where own.campaign_id = campaigns.id and j.state = 'current')`
const TOTALS = `(select count(*) filter (where gold is null)::int as items,
    count(*) filter (where gold is null and is_overlapped)::int as overlapped, count(gold)::int as "goldItems",
    coalesce(sum(judged) filter (where gold is null), 0)::int as judged,
    (coalesce(sum(case when settled is not null or is_dropped then judged when is_calibration then 0 else wanted end)
        filter (where gold is null), 0)
      + case when is_calibration then ${TAKERS} * count(*) filter (where gold is null and settled is null and not is_dropped)
        else 0 end)::int as wanted,
    greatest(0, coalesce(sum(judged) filter (where gold is not null), 0)
      - (select coalesce(sum(answers), 0) from qualifications where campaign_id = campaigns.id))::int as "goldMixed",
    count(*) filter (where is_dropped)::int as dropped, coalesce(sum(claimed), 0)::int as "atWork" from items where campaign_id = campaigns.id) as totals`
const CAMPAIGN = `select ${FACTS}, totals.* from campaigns join guidelines on guidelines.id = guideline_id, lateral ${TOTALS}`

export function listCampaigns(query: Query, project: string): Promise<Campaign[]> {
  return query<Campaign>(`${CAMPAIGN} where campaigns.project_id = $1 order by campaigns.made_at desc`, [project])
}

export async function findCampaign(query: Query, project: string, id: string): Promise<Campaign | undefined> {
  return (await query<Campaign>(`${CAMPAIGN} where campaigns.project_id = $1 and campaigns.id = $2`, [project, id]))[0]
}

export type OfItem = { hasItem: boolean; asksForExpertise: boolean }

/** The same without how far it is, for what is asked at every answer; with `item`, only where that is one of its items. */
export async function findCampaignFacts(
  query: Query,
  project: string,
  { id, item }: { id: string; item?: string },
): Promise<(CampaignFacts & OfItem) | undefined> {
  const [row] = await query<CampaignFacts & OfItem>(
    `select ${FACTS}, exists (select from items where items.id = $3 and campaign_id = campaigns.id) as "hasItem",
       (select expertise from items where items.id = $3) is not null as "asksForExpertise"
     from campaigns join guidelines on guidelines.id = guideline_id where campaigns.project_id = $1 and campaigns.id = $2`,
    [project, id, item ?? null],
  )
  return row
}

export async function countTotals(query: Query, campaign: string): Promise<Totals> {
  const [row] = await query<Totals>(`select totals.* from campaigns, lateral ${TOTALS} where id = $1`, [campaign])
  return row!
}

export type NewItem = {
  item: string
  prompt: Prompt
  a: string
  b: string
  /** Of rankings. */
  completions?: string[] | undefined
  /** Only people who hold a credential of it are asked. */
  expertise?: string | undefined
  /** What agreement is told apart by. */
  stratum?: string | undefined
  /** How urgent, the highest first. */
  priority?: number | undefined
  /** By how much a model prefers a to b, in log-odds. */
  margin?: number | undefined
  suggestion?: Suggestion | undefined
  gold?: Better | undefined
  goldReason?: string | undefined
}
const ITEMS_AT_ONCE = 500

/** Undefined: the name is taken. Items are judged in the order given. */
export async function createCampaign(
  query: Query,
  campaign: {
    project: string
    kind?: CampaignKind
    asks?: Asks
    name: string
    dataset: string
    version: string
    guideline: string
    overlap: number
    /** Default 1: every item gets it. */
    overlapShare?: number | undefined
    adaptive?: Adaptive | undefined
    isCalibration?: boolean
    deadline?: string | undefined
    skipPolicy?: SkipPolicy
    criteria?: readonly AskedCriterion[] | undefined
    seed: number
    by: string
    items: readonly NewItem[]
  },
): Promise<string | undefined> {
  const {
    kind = 'pairs',
    asks = {},
    project,
    name,
    dataset,
    version,
    guideline,
    overlap,
    overlapShare = 1,
    adaptive,
    criteria = [],
    isCalibration = false,
    deadline,
    skipPolicy = 'to-others',
    seed,
    by,
    items,
  } = campaign
  const [made] = await query<{ id: string }>(
    `insert into campaigns (project_id, name, dataset, version, guideline_id, overlap, seed, made_by, adaptive, criteria, kind, asks,
       is_calibration, deadline, skip_policy, overlap_share)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict (project_id, name) do nothing returning id`,
    [
      project,
      name,
      dataset,
      version,
      guideline,
      overlap,
      seed,
      by,
      adaptive ? JSON.stringify(adaptive) : null,
      JSON.stringify(criteria),
      kind,
      JSON.stringify(asks),
      isCalibration,
      deadline ?? null,
      skipPolicy,
      overlapShare,
    ],
  )
  if (!made) return undefined
  for (let from = 0; from < items.length; from += ITEMS_AT_ONCE) {
    const some = items.slice(from, from + ITEMS_AT_ONCE).map((item, i) => ({ ...item, position: from + i }))
    await query(
      `with given as (select given.*, is_drawn('overlap', $6, item, $7) as is_overlapped from jsonb_to_recordset($2)
         as given (position integer, item text, prompt jsonb, a text, b text, completions jsonb, gold text,
           "goldReason" text, expertise text, stratum text, priority double precision, margin double precision, suggestion jsonb)),
       made as (
         insert into items (campaign_id, position, item, prompt, a, b, completions, gold, expertise, stratum, priority, margin, suggestion, is_overlapped, wanted)
         select $1, position, item, prompt, a, b, completions, gold, expertise, stratum, priority, margin, suggestion,
           is_overlapped,
           case when gold is not null then $4 when is_overlapped then $3::integer else 1 end from given
         returning id, item, gold)
       insert into gold (item_id, user_id, better, note)
       select id, $5, made.gold, coalesce("goldReason", '') from made join given using (item) where made.gold is not null`,
      [made.id, JSON.stringify(some), isCalibration ? EVERYBODY : overlap, EVERYBODY, by, seed, overlapShare],
    )
  }
  return made.id
}

export async function setCampaignState(query: Query, campaign: string, state: CampaignState): Promise<void> {
  await query(
    `update campaigns set state = $2, closed_at = case when $2 = 'closed' then coalesce(closed_at, now()) end where id = $1`,
    [campaign, state],
  )
}

/**
 * For each open campaign of a project: how many items this person could still judge. Gold ones that they have not met are
 * among them while there are others, so that the count falls by one with each answer.
 */
export function openFor(
  query: Query,
  project: string,
  user: string,
): Promise<{ campaign: string; kind: CampaignKind; name: string; open: number; deadline: string | null }[]> {
  return query(
    `select campaigns.id as campaign, kind, name, deadline,
       (least(count(*) filter (where gold is null), ${MOST_OF_ONE} - ${givenBy('campaigns.id', '$2')})
         + case when gold_rate > 0 then count(gold) else 0 end)::int as open
     from campaigns join items on campaign_id = campaigns.id
     where project_id = $1 and state = 'open' and judged < wanted and settled is null and not is_dropped
       and not exists (select from judgements where item_id = items.id and user_id = $2 and state = 'current')
       and not exists (select from submissions as s where item_id = items.id and user_id = $2
         and s.state in ('waiting', 'accepted', 'returned'))
       and not exists (select from answers where item_id = items.id and user_id = $2 and answers.state = 'current')
       and (skip_policy = 'back-to-me' or not exists (select from skips where item_id = items.id and user_id = $2))
       and ${mayBeAsked('items.campaign_id')}
       and (gold is not null or ${hasPlace('$2', 'judged')} and (not is_manual or ${isAssigned()}))
     group by campaigns.id having least(count(*) filter (where gold is null), ${MOST_OF_ONE} - ${givenBy('campaigns.id', '$2')}) > 0 order by campaigns.made_at`,
    [project, user],
  )
}
