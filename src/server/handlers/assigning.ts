// Who does what in a campaign, as leads set it and as everybody who watches it sees it.
import { HttpError } from '#errors'
import {
  assignSlice,
  audit,
  type Campaign,
  findMember,
  listShares,
  listSlices,
  mostOfOne,
  setLimits,
  unassign,
  unknownItems,
} from '#store'
import { mustBeReachable } from '../asking.ts'
import type { Handlers } from '../call.ts'
import { campaignOf } from './campaigns.ts'

type Assigning = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns/{campaign}/assignments'
  | 'POST /api/projects/{project}/campaigns/{campaign}/assignments'
  | 'DELETE /api/projects/{project}/campaigns/{campaign}/people/{user}/assignments'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/limits'
>
const NAMED_IN_ERRORS = 3

export const assigningHandlers: Assigning = {
  'GET /api/projects/{project}/campaigns/{campaign}/assignments': async ({ service, project, params }) => {
    const { query } = service.store
    const { id, mostEach, mostShare, isManual, wanted } = await campaignOf(query, project, params.campaign)
    const [people, slices, most] = await Promise.all([
      listShares(query, project.id, id),
      listSlices(query, id),
      mostOfOne(query, id),
    ])
    const fewest = most === null ? null : Math.ceil(wanted / Math.max(1, most))
    return { mostEach, mostShare, isManual, most, fewest, people, slices }
  },

  'POST /api/projects/{project}/campaigns/{campaign}/assignments': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      mustShareOut(campaign)
      const { people, isDivided, ...slice } = body
      for (const each of people) {
        const member = await findMember(query, project.id, each)
        if (!member || member.role === 'viewer')
          throw new HttpError(422, `people: expected members who may be given work, ${each} is none`)
      }
      const unknown = slice.items ? await unknownItems(query, campaign.id, slice.items) : []
      if (unknown.length > 0)
        throw new HttpError(422, `items: this campaign has none called ${unknown.slice(0, NAMED_IN_ERRORS).join(', ')}`)
      const assigned = await assignSlice(query, { campaign: campaign.id, people, slice, isDivided, by: user.id })
      if (assigned.every((each) => each.assigned === 0))
        throw new HttpError(422, 'people: none of these items has a place left for them, or they have them already')
      const most = await mostOfOne(query, campaign.id)
      const shares = await listShares(query, project.id, campaign.id)
      const over = shares.find((each) => people.includes(each.user) && most !== null && each.given + each.owed > most)
      if (over)
        throw new HttpError(
          422,
          `people: ${over.name} would be to give ${over.given + over.owed}, and one person may give ${most}`,
        )
      const { items, ...rest } = slice
      const detail = { assigned, isDivided, ...rest, ...(items && { items: items.length }) }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'campaign.assign',
        subject: campaign.id,
        detail,
      })
      return { assigned }
    }),

  'DELETE /api/projects/{project}/campaigns/{campaign}/people/{user}/assignments': async (call) =>
    call.service.store.transaction(async (query) => {
      const { project, user, params } = call
      const campaign = await campaignOf(query, project, params.campaign)
      if (!(await findMember(query, project.id, params.user))) throw new HttpError(404, 'there is no such member')
      const items = await unassign(query, campaign.id, params.user)
      if (items === 0) throw new HttpError(422, 'nothing is assigned to this person that is not done')
      const detail = { user: params.user, items }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'campaign.unassign',
        subject: campaign.id,
        detail,
      })
    }),

  'PUT /api/projects/{project}/campaigns/{campaign}/limits': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      mustShareOut(campaign)
      mustBeReachable(body, campaign.wanted)
      await setLimits(query, campaign.id, body)
      const { mostEach, mostShare, isManual } = campaign
      const detail = { from: { mostEach, mostShare, isManual }, to: body }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'campaign.limits',
        subject: campaign.id,
        detail,
      })
    }),
}

function mustShareOut({ isCalibration }: Campaign): void {
  if (isCalibration) throw new HttpError(422, 'in a calibration round everybody is asked about everything')
}
