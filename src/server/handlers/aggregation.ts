// Comparing models of the annotators: asked for by a lead, looked at by all who see how the work goes.
import { HttpError } from '#errors'
import type { Handlers, Service } from '../call.ts'
import { type CampaignReport, reportOn } from '../campaign-report.ts'
import { campaignOf } from './campaigns.ts'

type Aggregation = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns/{campaign}/aggregation'
  | 'POST /api/projects/{project}/campaigns/{campaign}/aggregation'
>

export const aggregationHandlers: Aggregation = {
  'GET /api/projects/{project}/campaigns/{campaign}/aggregation': async ({ service, project, params }) => {
    const campaign = await campaignOf(service.store.query, project, params.campaign)
    return shown(service, campaign.id, await reportOn(service.store.query, project, campaign))
  },

  'POST /api/projects/{project}/campaigns/{campaign}/aggregation': async ({ service, project, params }) => {
    const campaign = await campaignOf(service.store.query, project, params.campaign)
    if (campaign.kind !== 'pairs') throw new HttpError(422, 'in this campaign nothing is said of pairs')
    const report = await reportOn(service.store.query, project, campaign)
    const known = await shown(service, campaign.id, report)
    if (known.state === 'done' && known.isCurrent) return known
    void service.aggregating.compare(campaign.id, report)
    return shown(service, campaign.id, report)
  },
}

async function shown({ aggregating }: Service, campaign: string, report: CampaignReport) {
  return (await aggregating.look(campaign, report)) ?? { state: 'none' as const }
}
