// Comparing models of the annotators: asked for by a lead, looked at by all who see how the work goes.
import { HttpError } from '#errors'
import type { Handlers, Service } from '../call.ts'
import { reportOn } from '../campaign-report.ts'
import { campaignOf } from './campaigns.ts'

type Aggregation = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns/{campaign}/aggregation'
  | 'POST /api/projects/{project}/campaigns/{campaign}/aggregation'
>

export const aggregationHandlers: Aggregation = {
  'GET /api/projects/{project}/campaigns/{campaign}/aggregation': async ({ service, project, params }) => {
    const campaign = await campaignOf(service.store.query, project, params.campaign)
    const { version } = await reportOn(service.store.query, project, campaign)
    return shown(service, campaign.id, version)
  },

  'POST /api/projects/{project}/campaigns/{campaign}/aggregation': async ({ service, project, params }) => {
    const campaign = await campaignOf(service.store.query, project, params.campaign)
    if (campaign.kind !== 'pairs') throw new HttpError(422, 'in this campaign nothing is said of pairs')
    const report = await reportOn(service.store.query, project, campaign)
    void service.aggregating.compare(campaign.id, report)
    return shown(service, campaign.id, report.version)
  },
}

function shown({ aggregating }: Service, campaign: string, version: string) {
  return aggregating.look(campaign, version) ?? { state: 'none' as const }
}
