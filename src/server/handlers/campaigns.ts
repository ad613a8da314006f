// Campaigns as leads and engineers see them: made, watched, paused, and taken out as rows for the reward model.
import { createHash } from 'node:crypto'
import { saveVersion, versionRows } from '#data'
import { HttpError } from '#errors'
import { gatherItems, ratingsOf, reportAgreement, reportAnnotators } from '#feedback'
import type { Comparison, Judgement } from '#schema'
import { deriveSeed, generator } from '#stats'
import {
  audit,
  type Campaign,
  createCampaign,
  findCampaign,
  listCampaigns,
  listFlags,
  listItems,
  listJudgements,
  type NewItem,
  newestGuideline,
  progressByPerson,
  type Project,
  type Query,
  setCampaignState,
  type StoredJudgement,
} from '#store'
import type { Handlers } from '../call.ts'
import { fileOf, ownVersion } from './data.ts'

type Campaigns = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns'
  | 'POST /api/projects/{project}/campaigns'
  | 'GET /api/projects/{project}/campaigns/{campaign}'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/state'
  | 'GET /api/projects/{project}/campaigns/{campaign}/judgements'
  | 'POST /api/projects/{project}/campaigns/{campaign}/judgements'
>

/** A campaign is put to people, not to machines: more comparisons than this are a mistake, or several campaigns. */
const MOST_ITEMS = 50_000

export const campaignHandlers: Campaigns = {
  'GET /api/projects/{project}/campaigns': async ({ service, project }) => ({
    campaigns: await listCampaigns(service.store.query, project.id),
  }),

  'POST /api/projects/{project}/campaigns': async ({ service, project, user, body }) => {
    const { name, dataset, overlap, seed } = body
    const version = ownVersion(service.workspace, project, dataset)
    if (version.kind !== 'comparisons') throw new HttpError(422, `dataset: expected comparisons, got ${version.kind}`)
    if (version.rows > MOST_ITEMS)
      throw new HttpError(422, `dataset: expected at most ${MOST_ITEMS} comparisons, got ${version.rows}`)
    const items = itemsOf(versionRows(service.workspace, { ...version, kind: 'comparisons' as const }))
    const shuffled = generator(deriveSeed(seed, 'campaign-order')).shuffle(items)
    return service.store.transaction(async (query) => {
      const guideline = await newestGuideline(query, project.id)
      if (!guideline) throw new HttpError(422, 'write a guideline first: people must know what they judge by')
      const id = await createCampaign(query, {
        project: project.id,
        name,
        dataset,
        version: version.version,
        guideline: guideline.id,
        overlap,
        seed,
        by: user.id,
        items: shuffled,
      })
      if (id === undefined) throw new HttpError(422, `name: there is a campaign ${name}; choose another name`)
      const detail = { version: version.version, items: items.length, overlap, guideline: guideline.label }
      await audit(query, { actor: user.id, project: project.id, action: 'campaign.create', subject: id, detail })
      return { id }
    })
  },

  'GET /api/projects/{project}/campaigns/{campaign}': async ({ service, project, params }) => {
    const { query } = service.store
    const campaign = await campaignOf(query, project, params.campaign)
    const [people, flags, { agreement, reports }] = await Promise.all([
      progressByPerson(query, campaign.id),
      listFlags(query, campaign.id),
      reportOn(query, project, campaign),
    ])
    return {
      ...campaign,
      agreement: agreement && {
        ...agreement,
        percent: defined(agreement.percent),
        alpha: defined(agreement.alpha),
        alphaOrdinal: defined(agreement.alphaOrdinal),
        fleiss: defined(agreement.fleiss),
        gwetAC1: defined(agreement.gwetAC1),
      },
      flags,
      people: people.map((person) => {
        const report = reports.get(pseudonymOf(project, person.user))
        return {
          ...person,
          leftShare: defined(report?.leftShare),
          withOthers: defined(report?.withOthers),
          lengthLean: defined(report?.lengthLean),
        }
      }),
    }
  },

  'PUT /api/projects/{project}/campaigns/{campaign}/state': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      await setCampaignState(query, campaign.id, body.state)
      const detail = { from: campaign.state, to: body.state }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'campaign.state',
        subject: campaign.id,
        detail,
      })
    }),

  'GET /api/projects/{project}/campaigns/{campaign}/judgements': async ({ service, project, params }) => {
    const campaign = await campaignOf(service.store.query, project, params.campaign)
    const rows = await rowsOf(service.store.query, project, campaign)
    const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    return { type: 'application/x-ndjson', name: 'judgements.jsonl', body }
  },

  'POST /api/projects/{project}/campaigns/{campaign}/judgements': async ({ service, project, user, params, body }) => {
    const { store, workspace } = service
    const campaign = await campaignOf(store.query, project, params.campaign)
    const rows = await rowsOf(store.query, project, campaign)
    if (rows.length === 0) throw new HttpError(422, 'nobody has judged yet')
    const { version, isNew } = await saveVersion(workspace, rows, {
      kind: 'judgements',
      name: fileOf(project, body.dataset),
      parents: [campaign.version],
      source: { campaign: campaign.id, guideline: campaign.guidelineLabel },
    })
    const detail = { version: version.version, rows: version.rows }
    await store.transaction((query) =>
      audit(query, { actor: user.id, project: project.id, action: 'campaign.export', subject: campaign.id, detail }),
    )
    return { name: body.dataset, file: version.name, version: version.version, rows: version.rows, isNew }
  },
}

/** The campaign of that id in this project; one of another project is not found. */
export async function campaignOf(query: Query, project: Project, id: string): Promise<Campaign> {
  const campaign = await findCampaign(query, project.id, id)
  if (!campaign) throw new HttpError(404, 'there is no such campaign')
  return campaign
}

/** JSON has no NaN: a coefficient of answers that never vary is not defined. */
function defined<T extends { value: number; low: number; high: number }>(interval: T | undefined): T | null {
  return interval && [interval.value, interval.low, interval.high].every(Number.isFinite) ? interval : null
}

function itemsOf(rows: Iterable<unknown>): NewItem[] {
  const items: NewItem[] = []
  const names = new Set<string>()
  for (const row of rows as Iterable<Partial<Comparison>>) {
    const { item, prompt, a, b } = row
    if (item === undefined || prompt === undefined || a === undefined || b === undefined)
      throw new HttpError(422, 'dataset: expected rows {item, prompt, a, b}; chosen and rejected are judged already')
    if (names.has(item)) throw new HttpError(422, `dataset: item ${item} is there twice`)
    if (a === b) throw new HttpError(422, `dataset: both completions of item ${item} are the same text`)
    names.add(item)
    items.push({ item, prompt, a, b })
  }
  return items
}

/** What rows outside the database call a person: the same in all of a project's rows, and no name. */
function pseudonymOf(project: Project, user: string): string {
  return `person-${createHash('sha256').update(`${project.id} ${user}`).digest('hex').slice(0, 10)}`
}

type Row = Judgement & { id: string; reason?: string; judgedAt: string }

/** As `hone train reward` takes them, each with the id that leads back to it. */
async function rowsOf(query: Query, project: Project, campaign: Campaign): Promise<Row[]> {
  return (await listJudgements(query, campaign.id)).map((judgement) => rowOf(project, judgement))
}

function rowOf(
  project: Project,
  { id, user, item, prompt, left, right, choice, strength, reason, seconds, guideline, at }: StoredJudgement,
): Row {
  return {
    id,
    item,
    annotator: pseudonymOf(project, user),
    prompt,
    left,
    right,
    choice,
    ...(strength !== null && { strength }),
    time: seconds,
    guideline,
    ...(reason !== '' && { reason }),
    judgedAt: at,
  }
}

type Reported = {
  agreement: ReturnType<typeof reportAgreement> | null
  reports: Map<string, ReturnType<typeof reportAnnotators>[number]>
}
/** The bootstrap is worth keeping until another judgement comes. */
const reported = new Map<string, { at: string; report: Reported }>()
const MOST_REPORTS = 100

async function reportOn(query: Query, project: Project, campaign: Campaign): Promise<Reported> {
  const judgements = await listJudgements(query, campaign.id)
  const at = createHash('sha256')
    .update(judgements.map(({ id }) => id).join())
    .digest('hex')
  const kept = reported.get(campaign.id)
  if (kept?.at === at) return kept.report
  const rows = judgements.map((judgement) => rowOf(project, judgement))
  const comparisons = await listItems(query, campaign.id)
  const items = gatherItems(rows, comparisons)
  const ratings = ratingsOf(items)
  const isShared = items.some(({ votes }) => votes.filter(({ towardsA }) => towardsA !== undefined).length >= 2)
  const report: Reported = {
    agreement: isShared ? reportAgreement(ratings, { seed: 0 }) : null,
    reports: new Map(reportAnnotators(rows, comparisons).map((each) => [each.annotator, each])),
  }
  if (reported.size >= MOST_REPORTS) reported.clear()
  reported.set(campaign.id, { at, report })
  return report
}
