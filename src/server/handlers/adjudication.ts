// Adjudication. What others answered leaves the server only after the adjudicator has answered the item too, and nobody
// settles what they judged themselves.
import { HttpError } from '#errors'
import type { Choice, Role } from '#schema'
import {
  adjudicate,
  audit,
  findCase,
  listAnswers,
  listHistory,
  listItemFlags,
  noteFirstLook,
  type Project,
  type Query,
  type User,
} from '#store'
import type { Handlers } from '../call.ts'
import { pseudonymOf, reportOn } from '../campaign-report.ts'
import type { AnswerOf } from '../contract.ts'
import { openingOf } from '../prompts.ts'
import { Conflict } from '../refusals.ts'
import { campaignOf } from './campaigns.ts'

type Handled = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns/{campaign}/adjudication'
  | 'GET /api/projects/{project}/campaigns/{campaign}/items/{item}/adjudication'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/first-look'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/adjudication'
>
type CaseAnswer = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}/items/{item}/adjudication'>
type Looking = { project: Project; user: User; role: Role; params: { campaign: string; item: string } }

export const adjudicationHandlers: Handled = {
  'GET /api/projects/{project}/campaigns/{campaign}/adjudication': async ({ service, project, user, params }) => {
    const { query } = service.store
    const { queue, settled, judgedBy } = await reportOn(
      query,
      project,
      await campaignOf(query, project, params.campaign),
    )
    const own = judgedBy.get(user.id)
    return {
      waiting: queue().map(({ item, because, answers }) => ({
        id: item.id,
        opening: openingOf(item.prompt),
        because,
        answers,
        flags: item.flags,
        isOwn: own?.has(item.item) ?? false,
      })),
      settled: settled.map((word) => ({
        ...word,
        id: word.itemId,
        opening: openingOf(word.prompt),
        better: word.choice === 'left' || word.choice === 'right' ? openingOf(word[word.choice]) : null,
        by: word.name,
      })),
    }
  },

  'GET /api/projects/{project}/campaigns/{campaign}/items/{item}/adjudication': async (call) =>
    caseOf(call.service.store.query, call),

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/first-look': async (call) =>
    call.service.store.transaction(async (query) => {
      const { project, user, body } = call
      const found = await settleable(query, call)
      if (await noteFirstLook(query, found, { user: user.id, ...body }))
        await audit(query, { actor: user.id, project: project.id, action: 'item.first-look', subject: found.id })
      return caseOf(query, call)
    }),

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/adjudication': async (call) =>
    call.service.store.transaction(async (query) => {
      const { project, user, body } = call
      const found = await settleable(query, call)
      if (!found.first) throw new HttpError(422, 'answer the item yourself first, before you see the others')
      if (body.outcome === 'reopened' && found.settled === null)
        throw new HttpError(422, 'outcome: nothing is settled that could be put back')
      const done = await adjudicate(query, found, { user: user.id, ...body })
      if (done.outcome === 'stale')
        throw new Conflict('somebody settled this meanwhile; look at what they said', {
          standing: (await listHistory(query, found.id))[0]?.id ?? null,
        })
      const detail = { outcome: body.outcome, campaign: call.params.campaign }
      if (done.isNew)
        await audit(query, {
          actor: user.id,
          project: project.id,
          action: 'item.adjudicate',
          subject: found.id,
          detail,
        })
      return caseOf(query, call)
    }),
}

async function found(query: Query, { project, user, params }: Looking) {
  const campaign = await campaignOf(query, project, params.campaign)
  const item = await findCase(query, campaign.id, params.item, user.id)
  if (!item) throw new HttpError(404, 'there is no such item')
  return item
}

async function settleable(query: Query, looking: Looking) {
  const item = await found(query, looking)
  if (item.isOwn) throw new HttpError(422, 'you judged this item yourself; somebody else settles it')
  return item
}

async function caseOf(query: Query, looking: Looking): Promise<CaseAnswer> {
  const item = await found(query, looking)
  const { first, isALeft } = item
  if (!first) return { ...item, shown: null }
  // One after the other: in a transaction there is one connection.
  const answers = await listAnswers(query, item.id)
  const flags = await listItemFlags(query, item.id)
  const history = await listHistory(query, item.id)
  const isLead = looking.role === 'owner' || looking.role === 'lead'
  const personOf = ({ user, name }: { user: string; name: string }) =>
    isLead ? name : pseudonymOf(looking.project, user)
  return {
    ...item,
    shown: {
      item: item.item,
      answers: answers.map((answer) => ({
        ...answer,
        person: personOf(answer),
        choice: asSeen(answer, isALeft),
        highlights: answer.highlights.map((each) => ({
          ...each,
          side: asSeen({ choice: each.side, isALeft: answer.isALeft }, isALeft),
        })),
      })),
      flags: flags.map((flag) => ({ ...flag, person: personOf(flag) })),
      history: history.map((word) => ({
        ...word,
        by: word.name,
        choice: word.choice && asSeen({ choice: word.choice, isALeft: word.isALeft }, isALeft),
      })),
    },
  }
}

/** Somebody's answer on the sides as this reader has them. */
function asSeen<Side extends Choice>(
  { choice, isALeft }: { choice: Side; isALeft: boolean },
  isMineALeft: boolean,
): Side | 'left' | 'right' {
  if (isALeft === isMineALeft) return choice
  return choice === 'left' ? 'right' : choice === 'right' ? 'left' : choice
}
