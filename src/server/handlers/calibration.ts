// Calibration rounds and pauses.
import { HttpError } from '#errors'
import type { Choice, Role } from '#schema'
import {
  addRemark,
  audit,
  type Campaign,
  findMember,
  isItemOf,
  listDiscussion,
  pausePerson,
  type Project,
  type Query,
  resumePerson,
  setPauseRule,
  tookPart,
  type User,
} from '#store'
import type { Handlers } from '../call.ts'
import type { AnswerOf } from '../contract.ts'
import { campaignOf } from './campaigns.ts'

type Calibration = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns/{campaign}/discussion'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/remarks'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/pause-rule'
  | 'POST /api/projects/{project}/campaigns/{campaign}/people/{user}/pause'
  | 'POST /api/projects/{project}/campaigns/{campaign}/people/{user}/resume'
>
type Discussion = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}/discussion'>
type Looking = { project: Project; user: User; role: Role; params: { campaign: string } }

export const calibrationHandlers: Calibration = {
  'GET /api/projects/{project}/campaigns/{campaign}/discussion': async (call) =>
    discussionOf(call.service.store.query, call),

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/remarks': async (call) =>
    call.service.store.transaction(async (query) => {
      const { project, user, params, body } = call
      const campaign = await discussed(query, call)
      if (!(await isItemOf(query, params.item, campaign.id))) throw new HttpError(404, 'there is no such item')
      if (await addRemark(query, { item: params.item, user: user.id, ...body }))
        await audit(query, { actor: user.id, project: project.id, action: 'item.remark', subject: params.item })
      return discussionOf(query, call)
    }),

  'PUT /api/projects/{project}/campaigns/{campaign}/pause-rule': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      if (campaign.kind !== 'pairs') throw new HttpError(422, 'only pairs can be gold')
      if (body.rule && campaign.goldItems < body.rule.items)
        throw new HttpError(
          422,
          `rule.items: expected at most the campaign's ${campaign.goldItems} gold items, got ${body.rule.items}`,
        )
      await setPauseRule(query, campaign.id, body.rule)
      const detail = { rule: body.rule }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'campaign.pause-rule',
        subject: campaign.id,
        detail,
      })
    }),

  'POST /api/projects/{project}/campaigns/{campaign}/people/{user}/pause': async ({
    service,
    project,
    user,
    params,
    body,
  }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      await mustBeMember(query, project, params.user)
      if (!(await pausePerson(query, campaign.id, { user: params.user, by: user.id, reason: body.reason })))
        throw new HttpError(422, 'this person is paused already')
      const detail = { user: params.user, reason: body.reason }
      await audit(query, { actor: user.id, project: project.id, action: 'person.pause', subject: campaign.id, detail })
    }),

  'POST /api/projects/{project}/campaigns/{campaign}/people/{user}/resume': async ({
    service,
    project,
    user,
    params,
    body,
  }) =>
    service.store.transaction(async (query) => {
      const campaign = await campaignOf(query, project, params.campaign)
      await mustBeMember(query, project, params.user)
      const resumed = { user: params.user, by: user.id, because: body.reason }
      if (!(await resumePerson(query, campaign.id, resumed))) throw new HttpError(422, 'this person is not paused')
      const detail = { user: params.user, reason: body.reason }
      await audit(query, { actor: user.id, project: project.id, action: 'person.resume', subject: campaign.id, detail })
    }),
}

async function mustBeMember(query: Query, project: Project, user: string): Promise<void> {
  if (!(await findMember(query, project.id, user))) throw new HttpError(404, 'there is no such member')
}

const isLead = (role: Role): boolean => role === 'owner' || role === 'lead'

/** The round, if it may be talked about and by this person. */
async function discussed(query: Query, { project, user, role, params }: Looking): Promise<Campaign> {
  const campaign = await campaignOf(query, project, params.campaign)
  if (!campaign.isCalibration) throw new HttpError(422, 'this campaign is no calibration round')
  if (campaign.state !== 'closed') throw new HttpError(403, 'the answers of others are shown once the round is closed')
  if (!isLead(role) && !(await tookPart(query, campaign.id, user.id)))
    throw new HttpError(403, 'this is for those who took part')
  return campaign
}

const LETTERS = 26

async function discussionOf(query: Query, looking: Looking): Promise<Discussion> {
  const campaign = await discussed(query, looking)
  const { user, role } = looking
  const items = await listDiscussion(query, campaign.id, user.id)
  // By the first answer that each gave in the order of items: nobody can tell whose letter is whose from it.
  const people = new Map<string, string>()
  for (const { answers } of items)
    for (const { user: each } of answers) if (!people.has(each)) people.set(each, letterOf(people.size))
  const personOf = ({ user: each, name }: { user: string; name: string }): string =>
    isLead(role) ? name : (people.get(each) ?? 'a lead')
  return {
    campaign,
    people: people.size,
    items: items.map(({ id, prompt, a, b, isALeft, answers, remarks }) => {
      const towards = answers.map((answer) => seen(answer.choice, answer.isALeft === isALeft))
      return {
        id,
        prompt,
        left: isALeft ? a : b,
        right: isALeft ? b : a,
        isAgreed: new Set(towards).size <= 1,
        answers: answers.map((answer, i) => ({
          person: personOf(answer),
          isMine: answer.user === user.id,
          choice: towards[i]!,
          strength: answer.strength,
          criteria: campaign.criteria.flatMap(({ name }) => {
            const own = answer.byCriterion[name]
            const isSame = answer.isALeft === isALeft
            return own ? [{ criterion: name, choice: seen(own.choice, isSame), strength: own.strength ?? null }] : []
          }),
          reason: answer.reason,
        })),
        remarks: remarks.map((remark) => ({
          ...remark,
          person: personOf(remark),
          isMine: remark.user === user.id,
        })),
      }
    }),
  }
}

/** An answer on the sides as the reader had them. */
function seen(choice: Choice, isSameSide: boolean): Choice {
  if (isSameSide) return choice
  return choice === 'left' ? 'right' : choice === 'right' ? 'left' : choice
}

function letterOf(place: number): string {
  const letter = String.fromCharCode(65 + (place % LETTERS))
  return place < LETTERS ? `Person ${letter}` : `Person ${letter}${Math.floor(place / LETTERS)}`
}
