// What the judgements of a campaign say, worked out when it is asked for and kept until another judgement, flag or
// adjudication comes: a bootstrap over thousands of pairs is not done at every look.
import { createHash } from 'node:crypto'
import {
  agreementMatrix,
  type AgreementReport,
  type Dispute,
  findDisputes,
  findGiveaways,
  gatherItems,
  type Item,
  type PairAgreement,
  type PeopleReport,
  type Qualification,
  qualify,
  ratingsOf,
  reportAgreement,
  reportAgreementBy,
  reportAnnotators,
  reportPeople,
} from '#feedback'
import type { Judgement } from '#schema'
import {
  type Adjudication,
  type CampaignFacts,
  listItems,
  listJudgements,
  listModelFolders,
  listSettled,
  listTexts,
  type Project,
  type Query,
  type StoredItem,
  type StoredJudgement,
  type Suggested,
  versionOfAnswers,
} from '#store'
import { type AgreementInPart, agreementIn } from './agreement.ts'
import type { Service } from './call.ts'

export type Row = Judgement & { id: string; reason?: string; judgedAt: string }
export type CampaignReport = {
  /** Another one: an answer, flag, adjudication or state has changed. */
  version: string
  /** Overall judgements and what adjudicators settled, as `hone train reward` takes them. */
  rows: Row[]
  /** What was answered beside that, by criterion. */
  criterionRows: Row[]
  comparisons: StoredItem[]
  items: () => Item[]
  settled: Adjudication[]
  /** Items that each person judged. */
  judgedBy: Map<string, Set<string>>
  /** Null: no item has two judgements yet. */
  agreement: () => AgreementReport | null
  /** Of each criterion that is asked about. */
  agreementBy: () => ({ criterion: string } & AgreementInPart)[]
  strata: () => Strata
  annotators: () => Map<string, ReturnType<typeof reportAnnotators>[number]>
  people: () => PeopleReport
  matrix: () => PairAgreement[]
  /** What gold items say of each annotator. */
  gold: () => Map<string, Qualification>
  queue: () => Queued[]
}
/** Of what the items name, largest first, null where they name nothing; none where no item names one. */
type Strata = { count: number; largest: ({ stratum: string | null } & AgreementInPart)[] }
/** An item that waits for an adjudicator. */
export type Queued = { item: StoredItem; because: (Dispute['because'] | 'flagged')[]; answers: number }

const kept = new Map<string, { version: string; report: CampaignReport }>()
const MOST_KEPT = 30
/** A name that every item has of its own is no stratum, and each one is looked for among all items. */
const STRATA_SHOWN = 40

export async function reportOn(query: Query, project: Project, campaign: CampaignFacts): Promise<CampaignReport> {
  const version = `${campaign.state} ${await versionOfAnswers(query, campaign.id)}`
  const known = kept.get(campaign.id)
  if (known?.version === version) return known.report
  const [judgements, settled, comparisons] = await Promise.all([
    listJudgements(query, campaign.id),
    listSettled(query, campaign.id),
    listItems(query, campaign.id),
  ])
  const rows = [
    ...judgements.map((judgement) => rowOf(project, judgement)),
    ...settled.flatMap((adjudication) => rowOfAdjudication(project, adjudication)),
  ]
  const criterionRows = judgements.flatMap((judgement) => criterionRowsOf(project, judgement))
  const items = once(() => gatherItems(rows, comparisons))
  const report: CampaignReport = {
    version,
    rows,
    criterionRows,
    comparisons,
    items,
    settled,
    judgedBy: itemsByPerson(judgements),
    agreement: once(() => {
      const ratings = ratingsOf(items())
      const isShared = new Set(ratings.map(({ item }) => item)).size < ratings.length
      return isShared ? reportAgreement(ratings, { seed: 0 }) : null
    }),
    agreementBy: once(() => {
      const parts = reportAgreementBy('criterion', criterionRows, { comparisons, seed: 0 })
      return campaign.criteria.map(({ name }) => ({ criterion: name, ...agreementIn(parts, name) }))
    }),
    strata: once(() => strataOf(rows, comparisons)),
    gold: once(() => {
      const gold = items().flatMap(({ item, gold: better }) => (better === undefined ? [] : [{ item, better }]))
      return new Map(qualify({ judgements: rows, gold, comparisons }).map((each) => [each.annotator, each]))
    }),
    annotators: once(() => new Map(reportAnnotators(rows, comparisons).map((each) => [each.annotator, each]))),
    people: once(() =>
      rows.length === 0 ? { people: [], tests: [], rate: 0.05 } : reportPeople(rows, { comparisons, seed: 0 }),
    ),
    matrix: once(() => agreementMatrix(items())),
    queue: once(() => queueOf(items(), comparisons, campaign)),
  }
  if (kept.size >= MOST_KEPT) kept.clear()
  kept.set(campaign.id, { version, report })
  return report
}

export type Giveaway = { id: string; item: string; found: string[] }
const giveawaysOf = new Map<string, Giveaway[]>()

/** Answers that name their author, in the order of the campaign; its texts never change, so they are read once. */
export async function giveawaysIn({ store, workspace }: Service, campaign: string): Promise<Giveaway[]> {
  let found = giveawaysOf.get(campaign)
  if (!found) {
    const ours = listModelFolders(workspace).map(({ name }) => name)
    const texts = await listTexts(store.query, campaign)
    found = findGiveaways(texts, ours).map(({ of: { id, item }, found: words }) => ({ id, item, found: words }))
    if (giveawaysOf.size >= MOST_KEPT) giveawaysOf.clear()
    giveawaysOf.set(campaign, found)
  }
  return found
}

/** Gold items and what adjudicators settled are no votes. */
function strataOf(rows: readonly Row[], comparisons: readonly StoredItem[]): Strata {
  const stratumOf = new Map(comparisons.map(({ item, stratum }) => [item, stratum]))
  const sizes = new Map<string | undefined, number>()
  for (const stratum of stratumOf.values()) sizes.set(stratum, (sizes.get(stratum) ?? 0) + 1)
  if (![...sizes.keys()].some((stratum) => stratum !== undefined)) return { count: 0, largest: [] }
  const largest = [...sizes]
    .sort(([, x], [, y]) => y - x)
    .slice(0, STRATA_SHOWN)
    .map(([stratum]) => stratum)
  const votes = rows.filter(
    ({ item, gold, adjudication }) =>
      gold === undefined && adjudication === undefined && largest.includes(stratumOf.get(item)),
  )
  const parts = reportAgreementBy('stratum', votes, { comparisons, seed: 0 })
  return {
    count: sizes.size,
    largest: largest.map((stratum) => ({ stratum: stratum ?? null, ...agreementIn(parts, stratum) })),
  }
}

/** Flagged ones first, then the least certain. Who could still be asked is asked before an adjudicator is. */
function queueOf(items: readonly Item[], comparisons: readonly StoredItem[], { state }: CampaignFacts): Queued[] {
  const disputes = findDisputes(items)
  const whyOf = new Map(disputes.map(({ item, because }) => [item, because]))
  const order = new Map(disputes.map(({ item }, i) => [item, i]))
  const answersOf = new Map(items.map(({ item, votes }) => [item, votes.length]))
  const placeOf = ({ item }: Queued) => order.get(item.item) ?? disputes.length
  return comparisons
    .flatMap((item): Queued[] => {
      const dispute = item.settled === null && (item.isFull || state === 'closed') ? whyOf.get(item.item) : undefined
      const because = [...(item.flags > 0 ? ['flagged' as const] : []), ...(dispute ? [dispute] : [])]
      return because.length === 0 ? [] : [{ item, because, answers: answersOf.get(item.item) ?? 0 }]
    })
    .sort((x, y) => Math.sign(y.item.flags) - Math.sign(x.item.flags) || placeOf(x) - placeOf(y))
}

function itemsByPerson(judgements: readonly StoredJudgement[]): Map<string, Set<string>> {
  const people = new Map<string, Set<string>>()
  for (const { user, item } of judgements) people.set(user, (people.get(user) ?? new Set()).add(item))
  return people
}

/** What rows outside the database call a person: the same in all of a project's rows, and no name. */
export function pseudonymOf(project: Project, user: string): string {
  return `person-${createHash('sha256').update(`${project.id} ${user}`).digest('hex').slice(0, 10)}`
}

/** What a dataset version that is made of a campaign says of where it is from. */
export function sourceOf({ id, guidelineLabel, objective }: CampaignFacts): Record<string, string> {
  return { campaign: id, guideline: guidelineLabel, ...(objective !== null && { objective }) }
}

/** As `hone train reward` takes them, each with the id that leads back to it. */
export function rowOf(
  project: Project,
  { id, user, item, prompt, left, right, choice, strength, reason, highlights, ...rest }: StoredJudgement,
): Row {
  const { seconds, guideline, objective, at, gold, suggestion } = rest
  return {
    id,
    item,
    annotator: pseudonymOf(project, user),
    prompt,
    left,
    right,
    choice,
    ...(strength !== null && { strength }),
    ...(highlights.length > 0 && { highlights }),
    time: seconds,
    guideline,
    ...(objective !== null && { objective }),
    ...(reason !== '' && { reason }),
    ...(gold !== null && { gold }),
    ...(suggestion && suggestedIn(suggestion)),
    judgedAt: at,
  }
}

type SuggestedKeys = 'suggested' | 'suggestedScore' | 'suggestedBy' | 'suggestionShown' | 'agreesWithSuggestion'

function suggestedIn({ choice, score, source, shown, agreed }: Suggested): Pick<Judgement, SuggestedKeys> {
  return {
    suggested: choice,
    suggestedScore: score,
    suggestedBy: source,
    suggestionShown: shown,
    ...(agreed !== null && { agreesWithSuggestion: agreed }),
  }
}

/**
 * What else was answered, a row a criterion. Gold items are known to be better on the whole, which says nothing of a criterion,
 * and are plain: they are left out. Time, reason and highlights belong to the answer as a whole, and whether it agrees with a suggestion does.
 */
export function criterionRowsOf(project: Project, judgement: StoredJudgement): Row[] {
  if (judgement.gold !== null) return []
  return Object.entries(judgement.byCriterion).map(([criterion, { choice, strength = null }]) => {
    const {
      time: _,
      reason: __,
      highlights: ___,
      agreesWithSuggestion: ____,
      ...row
    } = rowOf(project, { ...judgement, choice, strength })
    return { ...row, id: `${judgement.id}.${criterion}`, criterion }
  })
}

/** Of a wrong item there is no row at all. */
export function rowOfAdjudication(
  project: Project,
  { id, user, item, prompt, left, right, outcome, choice, strength, reason, guideline, objective, at }: Adjudication,
): Row[] {
  if (outcome !== 'decided' && outcome !== 'subjective') return []
  return [
    {
      id,
      item,
      annotator: pseudonymOf(project, user),
      prompt,
      left,
      right,
      choice: choice ?? 'cannot-judge',
      ...(strength !== null && { strength }),
      guideline,
      ...(objective !== null && { objective }),
      adjudication: outcome,
      reason,
      judgedAt: at,
    },
  ]
}

function once<T>(work: () => T): () => T {
  let done: { value: T } | undefined
  return () => (done ??= { value: work() }).value
}
