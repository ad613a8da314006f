// Gold items of a campaign and its qualification, as leads set them.
import { HttpError } from '#errors'
import { audit, isItemOf, listItemPage, markGold, setGoldRules } from '#store'
import type { Handlers } from '../call.ts'
import { faultOf } from '../qualifying.ts'
import { campaignOf } from './campaigns.ts'

type Gold = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns/{campaign}/items'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/gold'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/gold'
>
const ITEMS_AT_ONCE = 20

export const goldHandlers: Gold = {
  'GET /api/projects/{project}/campaigns/{campaign}/items': async ({ service, project, params, query }) => {
    const campaign = await campaignOf(service.store.query, project, params.campaign)
    const page = { from: query.from, count: ITEMS_AT_ONCE + 1, isGold: query.only === 'gold' }
    const items = await listItemPage(service.store.query, campaign.id, page)
    return { items: items.slice(0, ITEMS_AT_ONCE), isLast: items.length <= ITEMS_AT_ONCE }
  },

  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/gold': async ({
    service,
    project,
    user,
    params,
    body,
  }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      if (campaign.kind !== 'pairs') throw new HttpError(422, 'only pairs can be gold')
      if (body.better !== null && campaign.suggestions)
        throw new HttpError(
          422,
          'gold shows what people know by themselves; turn the suggestions of this campaign off first',
        )
      if (!(await isItemOf(query, params.item, campaign.id))) throw new HttpError(404, 'there is no such item')
      if (!(await markGold(query, { item: params.item, user: user.id, ...body }))) return
      const left = (await campaignOf(query, project, campaign.id)).goldItems
      if (body.better === null && campaign.qualification && left < campaign.qualification.items)
        throw new HttpError(422, `the qualification needs ${campaign.qualification.items} gold items; change it first`)
      const detail = { better: body.better, campaign: campaign.id }
      await audit(query, { actor: user.id, project: project.id, action: 'item.gold', subject: params.item, detail })
    }),

  'PUT /api/projects/{project}/campaigns/{campaign}/gold': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      const { goldRate, qualification } = body
      if (goldRate > 0 && campaign.goldItems === 0)
        throw new HttpError(422, 'goldRate: this campaign has no gold item; mark some first')
      const fault = qualification && faultOf(qualification, campaign.goldItems)
      if (fault) throw new HttpError(422, `qualification.${fault}`)
      await setGoldRules(query, campaign.id, body)
      const detail = { goldRate, qualification }
      await audit(query, { actor: user.id, project: project.id, action: 'campaign.gold', subject: campaign.id, detail })
    }),
}
