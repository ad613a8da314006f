// Suggestions beside the pairs of a campaign, as leads set them; and the report of what they do.
import { audit, countSuggestions, listJudgements, setSuggestions } from '#store'
import type { Handlers } from '../call.ts'
import { anchoringOf, mustBeSuggestible } from '../suggesting.ts'
import { campaignOf } from './campaigns.ts'

type Suggesting = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns/{campaign}/suggestions'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/suggestions'
>

export const suggestingHandlers: Suggesting = {
  'GET /api/projects/{project}/campaigns/{campaign}/suggestions': async ({ service, project, params }) => {
    const { query } = service.store
    const { id, suggestions } = await campaignOf(query, project, params.campaign)
    const [items, judgements] = await Promise.all([countSuggestions(query, id), listJudgements(query, id)])
    return { rule: suggestions, items, ...anchoringOf(judgements) }
  },

  'PUT /api/projects/{project}/campaigns/{campaign}/suggestions': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      if (body.rule) await mustBeSuggestible(query, campaign)
      await setSuggestions(query, campaign.id, body.rule)
      const detail = { from: campaign.suggestions, to: body.rule }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'campaign.suggestions',
        subject: campaign.id,
        detail,
      })
    }),
}
