// Campaigns as leads and engineers see them: made, watched, paused, and taken out as rows for the reward model.
import { saveVersion } from '#data'
import { HttpError } from '#errors'
import {
  audit,
  type Campaign,
  expertiseIn,
  findCampaign,
  listAttempts,
  listCampaigns,
  listFlags,
  listPauses,
  listSkipReasons,
  progressByPerson,
  type Project,
  type Query,
  setCampaignState,
  setDeadline,
  orderable,
  setItemOrder,
} from '#store'
import { isOver, mustBeAhead, mustBeOrderable } from '../asking.ts'
import { agreementShown, defined, partShown } from '../agreement.ts'
import type { Handlers } from '../call.ts'
import { giveawaysIn, pseudonymOf, reportOn, sourceOf } from '../campaign-report.ts'
import { makeCampaign } from '../new-campaign.ts'
import { rankByUncertainty } from '../ordering.ts'
import { fileOf } from './data.ts'

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

const GIVEAWAYS_SHOWN = 20

export const campaignHandlers: Campaigns = {
  'GET /api/projects/{project}/campaigns': async ({ service, project }) => ({
    campaigns: await listCampaigns(service.store.query, project.id),
  }),

  'POST /api/projects/{project}/campaigns': async ({ service, project, user, body }) => {
    const id = await makeCampaign(service, { project, by: user.id, body })
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

/** The campaign of that id in this project; one of another project is not found. */
export async function campaignOf(query: Query, project: Project, id: string): Promise<Campaign> {
  const campaign = await findCampaign(query, project.id, id)
  if (!campaign) throw new HttpError(404, 'there is no such campaign')
  return campaign
}
