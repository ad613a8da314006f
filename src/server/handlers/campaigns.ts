// Campaigns as leads and engineers see them: made, watched, paused, and taken out as rows for the reward model.
import { type Kind, saveVersion, versionRows } from '#data'
import { HttpError } from '#errors'
import { deriveSeed, generator } from '#stats'
import {
  audit,
  type Campaign,
  type CampaignKind,
  createCampaign,
  expertiseIn,
  findCampaign,
  listAttempts,
  listCampaigns,
  listFlags,
  listPauses,
  listSkipReasons,
  type NewItem,
  newestGuideline,
  progressByPerson,
  type Project,
  type Query,
  setCampaignState,
  setDeadline,
  setGoldRules,
  orderable,
  setItemOrder,
  setLimits,
  setSuggestions,
} from '#store'
import { mustBeAskable, mustBeOrderable, mustBeReachable } from '../asking.ts'
import { agreementShown, defined, partShown } from '../agreement.ts'
import type { Handlers, Service } from '../call.ts'
import { giveawaysIn, pseudonymOf, reportOn, sourceOf } from '../campaign-report.ts'
import { pairItems, promptItems, rankedItems, ratedItems } from '../campaign-items.ts'
import { criteriaNamed } from '../objective.ts'
import type { BodyOf } from '../contract.ts'
import { rankByUncertainty } from '../ordering.ts'
import { mustBeSuggestible } from '../suggesting.ts'
import { faultOf } from '../qualifying.ts'
import { fileOf, ownVersion } from './data.ts'
import { modelNamed } from './fills.ts'

type Campaigns = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns'
  | 'POST /api/projects/{project}/campaigns'
  | 'GET /api/projects/{project}/campaigns/{campaign}'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/state'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/deadline'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/order'
  | 'GET /api/projects/{project}/campaigns/{campaign}/judgements'
  | 'POST /api/projects/{project}/campaigns/{campaign}/judgements'
>

/** A campaign is put to people, not to machines: more comparisons than this are a mistake, or several campaigns. */
const MOST_ITEMS = 50_000
const GIVEAWAYS_SHOWN = 20

export const campaignHandlers: Campaigns = {
  'GET /api/projects/{project}/campaigns': async ({ service, project }) => ({
    campaigns: await listCampaigns(service.store.query, project.id),
  }),

  'POST /api/projects/{project}/campaigns': async ({ service, project, user, body }) => {
    const { kind, name, dataset, overlap, adaptive, isCalibration, seed, goldRate, qualification = null } = body
    const { deadline, expertise, overlapShare, mostEach = null, mostShare = null, isManual, order, suggestions } = body
    const { skipPolicy } = body
    mustBeAhead(deadline)
    const criteria = criteriaNamed(service.workspace, project, body.criteria)
    mustBeAskable(body)
    const version = ownVersion(service.workspace, project, dataset)
    const takes = TAKES[kind]
    if (!takes.some((each) => each === version.kind))
      throw new HttpError(422, `dataset: expected ${takes.join(' or ')}, got ${version.kind}`)
    if (version.rows > MOST_ITEMS)
      throw new HttpError(422, `dataset: expected at most ${MOST_ITEMS} rows, got ${version.rows}`)
    const asks = await asksOf(service, project, body)
    const rows = versionRows(service.workspace, version)
    const items = ITEMS[kind](rows).map((item) => ({ ...item, expertise: item.expertise ?? expertise }))
    const goldItems = items.filter(({ gold }) => gold !== undefined).length
    if (goldRate > 0 && goldItems === 0)
      throw new HttpError(422, 'goldRate: no row of the dataset has gold; import some, or mark items afterwards')
    const fault = qualification && faultOf(qualification, goldItems)
    if (fault) throw new HttpError(422, `qualification.${fault}`)
    if (goldItems === items.length) throw new HttpError(422, 'dataset: all its rows are gold; nothing is left to judge')
    const shuffled = generator(deriveSeed(seed, 'campaign-order')).shuffle(items)
    const id = await service.store.transaction(async (query) => {
      const guideline = await newestGuideline(query, project.id)
      if (!guideline) throw new HttpError(422, 'write a guideline first: people must know what they judge by')
      const id = await createCampaign(query, {
        project: project.id,
        kind,
        asks,
        name,
        dataset,
        version: version.version,
        guideline: guideline.id,
        overlap,
        overlapShare,
        adaptive,
        criteria,
        isCalibration,
        deadline,
        skipPolicy,
        seed,
        by: user.id,
        items: shuffled,
      })
      if (id === undefined) throw new HttpError(422, `name: there is a campaign ${name}; choose another name`)
      await setGoldRules(query, id, { goldRate, qualification })
      const { overlapped, wanted } = await campaignOf(query, project, id)
      if (overlapShare < 1 && overlapped === 0)
        throw new HttpError(422, 'overlapShare: no item was drawn; ask for a larger share, or take another seed')
      const limits = { mostEach, mostShare, isManual }
      mustBeReachable(limits, wanted)
      await setLimits(query, id, limits)
      mustBeOrderable(order, { kind, overlap, adaptive: adaptive ?? null }, await orderable(query, id))
      await setItemOrder(query, id, order)
      if (suggestions) {
        await mustBeSuggestible(query, await campaignOf(query, project, id))
        await setSuggestions(query, id, suggestions)
      }
      const detail = {
        kind,
        version: version.version,
        items: items.length,
        goldItems,
        overlap,
        ...(overlapShare < 1 && { overlapShare, overlapped }),
        adaptive,
        criteria: body.criteria,
        ...(isCalibration && { isCalibration }),
        ...(mostEach !== null && { mostEach }),
        ...(mostShare !== null && { mostShare }),
        ...(isManual && { isManual }),
        ...(order !== 'random' && { order }),
        ...(suggestions && { suggestions }),
        ...(deadline !== undefined && { deadline }),
        ...(expertise !== undefined && { expertise }),
        ...(skipPolicy !== 'to-others' && { skipPolicy }),
        guideline: guideline.label,
      }
      await audit(query, { actor: user.id, project: project.id, action: 'campaign.create', subject: id, detail })
      return id
    })
    const { query } = service.store
    await rankByUncertainty(query, project, { campaign: await campaignOf(query, project, id) })
    return { id }
  },

  'GET /api/projects/{project}/campaigns/{campaign}': async ({ service, project, params }) => {
    const { query } = service.store
    const campaign = await campaignOf(query, project, params.campaign)
    const [people, attempts, flags, pauses, report, expertise, giveaways, skips, orders] = await Promise.all([
      progressByPerson(query, campaign.id),
      listAttempts(query, campaign.id),
      listFlags(query, campaign.id),
      listPauses(query, campaign.id),
      reportOn(query, project, campaign),
      expertiseIn(query, campaign.id),
      giveawaysIn(service, campaign.id),
      listSkipReasons(query, campaign.id),
      orderable(query, campaign.id),
    ])
    const agreement = report.agreement()
    const reports = report.annotators()
    const userOf = new Map(people.map(({ user }) => [pseudonymOf(project, user), user]))
    const settledAs = (outcome: string) => report.settled.filter((word) => word.outcome === outcome).length
    return {
      ...campaign,
      ...orders,
      expertise,
      agreement: agreement && agreementShown(agreement),
      agreementBy: report.agreementBy().map(partShown),
      strata: { ...report.strata(), largest: report.strata().largest.map(partShown) },
      adjudication: {
        waiting: report.queue().length,
        decided: settledAs('decided'),
        subjective: settledAs('subjective'),
        excluded: settledAs('excluded'),
      },
      flags,
      skips,
      giveaways: { items: giveaways.length, first: giveaways.slice(0, GIVEAWAYS_SHOWN) },
      matrix: report.matrix().flatMap(({ first, second, agreed }) => {
        const [one, other] = [first, second].map((annotator) => userOf.get(annotator))
        return one && other ? [{ first: one, second: other, ...agreed, n: agreed.n ?? 0 }] : []
      }),
      people: people.map((person) => {
        const own = reports.get(pseudonymOf(project, person.user))
        return {
          ...person,
          leftShare: defined(own?.leftShare),
          withOthers: defined(own?.withOthers),
          lengthLean: defined(own?.lengthLean),
          gold: report.gold().get(pseudonymOf(project, person.user))?.accuracy ?? null,
          paused: pauses.find(({ user }) => user === person.user) ?? null,
          qualified: attempts.find(({ user }) => user === person.user) ?? null,
        }
      }),
    }
  },

  'PUT /api/projects/{project}/campaigns/{campaign}/state': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      if (campaign.isCalibration && campaign.state === 'closed' && body.state !== 'closed')
        throw new HttpError(422, 'state: everybody has seen the others’ answers; open another round instead')
      if (body.state !== 'closed' && campaign.deadline !== null && isOver(campaign.deadline))
        throw new HttpError(422, 'state: its deadline has passed; set another one first, or none')
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

  'PUT /api/projects/{project}/campaigns/{campaign}/deadline': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      mustBeAhead(body.deadline ?? undefined)
      await setDeadline(query, campaign.id, body.deadline)
      const detail = { from: campaign.deadline, to: body.deadline }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'campaign.deadline',
        subject: campaign.id,
        detail,
      })
    }),

  'PUT /api/projects/{project}/campaigns/{campaign}/order': async ({ service, project, user, params, body }) => {
    const campaign = await service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      const { order } = body
      mustBeOrderable(order, campaign, await orderable(query, campaign.id))
      await setItemOrder(query, campaign.id, order)
      const detail = { from: campaign.itemOrder, to: order }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'campaign.order',
        subject: campaign.id,
        detail,
      })
      return { ...campaign, itemOrder: order }
    })
    await rankByUncertainty(service.store.query, project, { campaign })
  },

  'GET /api/projects/{project}/campaigns/{campaign}/judgements': async ({ service, project, params }) => {
    const campaign = await campaignOf(service.store.query, project, params.campaign)
    const { rows, criterionRows } = await reportOn(service.store.query, project, campaign)
    const body = [...rows, ...criterionRows].map((row) => `${JSON.stringify(row)}\n`).join('')
    return { type: 'application/x-ndjson', name: 'judgements.jsonl', body }
  },

  'POST /api/projects/{project}/campaigns/{campaign}/judgements': async ({ service, project, user, params, body }) => {
    const { store, workspace } = service
    const campaign = await campaignOf(store.query, project, params.campaign)
    const { rows, criterionRows, settled } = await reportOn(store.query, project, campaign)
    if (rows.length === 0) throw new HttpError(422, 'nobody has judged yet')
    const excluded = settled.filter(({ outcome }) => outcome === 'excluded').length
    const { version, isNew } = await saveVersion(workspace, [...rows, ...criterionRows], {
      kind: 'judgements',
      name: fileOf(project, body.dataset),
      parents: [campaign.version],
      source: { ...sourceOf(campaign), ...(excluded > 0 && { excluded }) },
    })
    const detail = { version: version.version, rows: version.rows, excluded }
    await store.transaction((query) =>
      audit(query, { actor: user.id, project: project.id, action: 'campaign.export', subject: campaign.id, detail }),
    )
    return { name: body.dataset, file: version.name, version: version.version, rows: version.rows, excluded, isNew }
  },
}

const isOver = (deadline: string): boolean => Date.parse(deadline) <= Date.now()

function mustBeAhead(deadline: string | undefined): void {
  if (deadline !== undefined && isOver(deadline))
    throw new HttpError(422, `deadline: expected a time to come, got ${deadline}`)
}

/** The campaign of that id in this project; one of another project is not found. */
export async function campaignOf(query: Query, project: Project, id: string): Promise<Campaign> {
  const campaign = await findCampaign(query, project.id, id)
  if (!campaign) throw new HttpError(404, 'there is no such campaign')
  return campaign
}

/** Datasets that a campaign of a kind is made of. */
const TAKES: Record<CampaignKind, readonly Kind[]> = {
  pairs: ['comparisons'],
  demonstrations: ['prompts', 'demonstrations'],
  ratings: ['demonstrations'],
  rankings: ['prompts', 'demonstrations'],
}
const ITEMS: Record<CampaignKind, (rows: Iterable<unknown>) => NewItem[]> = {
  pairs: pairItems,
  demonstrations: promptItems,
  ratings: ratedItems,
  rankings: rankedItems,
}

type Asked = BodyOf<'POST /api/projects/{project}/campaigns'>

/** What the kind needs besides; a setting of another kind is refused. */
async function asksOf(service: Service, project: Project, body: Asked): Promise<Campaign['asks']> {
  const { kind, tokensBy, questions, adaptive, isCalibration, criteria, goldRate, qualification } = body
  const ofPairs = { adaptive, isCalibration, criteria: criteria.length > 0, goldRate: goldRate > 0, qualification }
  const strange = {
    ...(kind !== 'pairs' && ofPairs),
    ...(kind !== 'demonstrations' && { tokensBy }),
    ...(kind !== 'ratings' && { questions }),
  }
  const wrong = Object.entries(strange).find(([, given]) => Boolean(given))
  if (wrong) throw new HttpError(422, `${wrong[0]}: a campaign of ${kind} has none`)
  if (kind === 'ratings' && !questions) throw new HttpError(422, 'questions: expected what is asked of each completion')
  if (kind !== 'demonstrations') return questions ? { questions } : {}
  const { name, folder } = await modelNamed(service, project, tokensBy ?? 'base')
  return { tokensBy: { name, folder } }
}
