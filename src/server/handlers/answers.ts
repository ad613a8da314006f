// Ratings and rankings: claimed, drafted, answered, and taken out. On the screen completions to be ranked stand in an order
// drawn for each person; places come and go by that order and are kept by the item's own.
import { saveVersion } from '#data'
import { HttpError } from '#errors'
import { askedOf, faultIn, firstFault, type Question } from '#schema'
import {
  type AnswerDraft,
  audit,
  type Campaign,
  claimItem,
  type Content,
  countCompletions,
  countMine,
  findAtHand,
  isItemOf,
  heartbeat,
  isAtLimit,
  listGuidelines,
  listPastAnswers,
  listStoredAnswers,
  type Project,
  promptOf,
  reopenAnswer,
  saveDraft,
  skip,
  standing,
  type StoredAnswer,
  submitAnswer,
  type User,
} from '#store'
import { agreementShown, defined } from '../agreement.ts'
import { agreementOfPairs, firstByPosition, orderFor, rankingRows, ratingRows, sayOf } from '../answering.ts'
import type { Handlers, Service } from '../call.ts'
import { sourceOf } from '../campaign-report.ts'
import type { AnswerOf } from '../contract.ts'
import { mustKnowEnough } from '../expertise.ts'
import { openingOf } from '../prompts.ts'
import { Conflict } from '../refusals.ts'
import { campaignOf } from './campaigns.ts'
import { fileOf } from './data.ts'

type Answers = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns/{campaign}/answers'
  | 'GET /api/projects/{project}/campaigns/{campaign}/answers/rows'
  | 'POST /api/projects/{project}/campaigns/{campaign}/answers'
  | 'POST /api/projects/{project}/campaigns/{campaign}/answers/claim'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/answer'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer-skip'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer-reopen'
>
type Work = AnswerOf<'POST /api/projects/{project}/campaigns/{campaign}/answers/claim'>
type Report = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}/answers'>

export const answerHandlers: Answers = {
  'GET /api/projects/{project}/campaigns/{campaign}/answers': async ({ service, project, params }) => {
    const { query } = service.store
    const campaign = await answered(query, project, params.campaign)
    const answers = await listStoredAnswers(query, campaign.id)
    const rows = campaign.kind === 'rankings' ? rankingRows(project, answers) : []
    const agreement = rows.length > 0 ? agreementOfPairs(rows) : null
    return {
      questions: (campaign.asks.questions ?? []).map((question) => {
        const said = sayOf(question, answers)
        return {
          ...said,
          mean: defined(said.mean ?? undefined),
          byMessage: said.byMessage.map((part) => ({ ...part, mean: defined(part.mean ?? undefined) })),
          agreement: said.agreement && agreementShown(said.agreement),
        }
      }),
      agreement: agreement && agreementShown(agreement),
      pairs: rows.length,
      firstByPosition: firstByPosition(answers),
      people: peopleOf(answers),
    }
  },

  'GET /api/projects/{project}/campaigns/{campaign}/answers/rows': async ({ service, project, params }) => {
    const { query } = service.store
    const { id, kind } = await answered(query, project, params.campaign)
    const answers = await listStoredAnswers(query, id)
    const rows = kind === 'rankings' ? rankingRows(project, answers) : ratingRows(project, answers)
    const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    return { type: 'application/x-ndjson', name: `${kind}.jsonl`, body }
  },

  'POST /api/projects/{project}/campaigns/{campaign}/answers': async ({ service, project, user, params, body }) => {
    const { store, workspace } = service
    const campaign = await answered(store.query, project, params.campaign)
    const answers = await listStoredAnswers(store.query, campaign.id)
    if (answers.length === 0) throw new HttpError(422, 'nobody has answered yet')
    const origin = {
      name: fileOf(project, body.dataset),
      parents: [campaign.version],
      source: sourceOf(campaign),
    }
    const { version, isNew } =
      campaign.kind === 'rankings'
        ? await saveVersion(workspace, rankingRows(project, answers), { kind: 'judgements', ...origin })
        : await saveVersion(workspace, ratingRows(project, answers), { kind: 'ratings', ...origin })
    const detail = { version: version.version, rows: version.rows }
    await store.transaction((query) =>
      audit(query, { actor: user.id, project: project.id, action: 'campaign.export', subject: campaign.id, detail }),
    )
    return { name: body.dataset, file: version.name, version: version.version, rows: version.rows, isNew }
  },

  'POST /api/projects/{project}/campaigns/{campaign}/answers/claim': async (call) => workOf(call),

  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/answer': async (call) => {
    const { service, user, params, body } = call
    const { query } = service.store
    const campaign = await itemOf(call)
    const { places, ...rest } = body
    const count = places ? await countCompletions(query, params.item) : 0
    if (places && places.length !== count) throw new HttpError(422, `places: expected ${count}`)
    const order = places && orderFor(campaign.seed, { item: params.item, user: user.id, count })
    const draft = { ...rest, ...(order && { places: order.map((position) => places![position]!) }) }
    await saveDraft(query, params.item, user.id, draft)
    await heartbeat(query, params.item, user.id)
  },

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer': async (call) => {
    const { service, project, user, params, body } = call
    const { query } = service.store
    const campaign = await itemOf(call)
    if (!(await standing(query, campaign.id, user.id)).hasRead)
      throw new HttpError(422, 'read the guideline of this campaign first')
    await mustKnowEnough(query, params.item, user.id)
    const count = await countCompletions(query, params.item)
    const content =
      campaign.kind === 'ratings'
        ? ratingsIn(
            askedOf(campaign.asks.questions ?? [], await promptOf(query, params.item)).map(({ question }) => question),
            body,
          )
        : rankingIn(orderFor(campaign.seed, { item: params.item, user: user.id, count }), body)
    const where = { project: project.id, campaign: campaign.id, item: params.item, user: user.id }
    const { key, reason, activeSeconds } = body
    const { outcome } = await submitAnswer(service.store, where, { key, content, reason, activeSeconds })
    switch (outcome) {
      case 'counted':
        return workOf(call)
      case 'answered-before':
        throw new Conflict('you have answered this already; that answer stands, and this one is kept beside it', {})
      case 'complete':
        throw new Conflict('others have completed this one meanwhile; your answer is kept', {})
      case 'at-limit':
        throw new Conflict(
          'you have given all that one person may give to this campaign; your answer is kept and does not count',
          {},
        )
      case 'closed':
        throw new Conflict('this campaign is closed; your answer is kept and does not count', {})
      default:
        throw new Error(`unknown outcome ${JSON.stringify(outcome satisfies never)}`)
    }
  },

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer-skip': async (call) => {
    const { service, project, user, params, body } = call
    await itemOf(call)
    await service.store.transaction(async (query) => {
      await skip(query, { item: params.item, user: user.id, reason: body.reason })
      await audit(query, { actor: user.id, project: project.id, action: 'item.skip', subject: params.item })
    })
    return workOf(call)
  },

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer-reopen': async (call) => {
    const { service, project, user, params } = call
    const campaign = await itemOf(call)
    if (campaign.state !== 'open') throw new HttpError(422, `this campaign is ${campaign.state}`)
    await service.store.transaction(async (query) => {
      if (!(await reopenAnswer(query, campaign.id, user.id, params.item)))
        throw new HttpError(404, 'only your last ten answers can be taken back')
      await audit(query, { actor: user.id, project: project.id, action: 'answer.undo', subject: params.item })
    })
    return workOf(call)
  },
}

type Given = { values?: Record<string, number | boolean | string> | undefined; places?: number[] | undefined }

/** What was asked and nothing else, each within its range. */
function ratingsIn(questions: readonly Question[], { values = {}, places }: Given): Content {
  if (places) throw new HttpError(422, 'places: in this campaign answers are rated, not ranked')
  const fault = firstFault(questions, values)
  if (fault) throw new HttpError(422, `values.${fault.name}: ${fault.says}`)
  const other = Object.keys(values).find((name) => !questions.some((question) => question.name === name))
  if (other !== undefined) throw new HttpError(422, `values.${other}: this campaign does not ask it`)
  const kept = questions.flatMap((question): [string, number | boolean | string][] => {
    const value = values[question.name]
    // Blank text where none is asked for is no answer.
    const isAnswer = value !== undefined && faultIn({ ...question, required: true }, value) === undefined
    return isAnswer ? [[question.name, typeof value === 'string' ? value.trim() : value]] : []
  })
  return { values: Object.fromEntries(kept) }
}

/** Places as given, by the order on the screen, as places of the item's completions: 1, 2, ... without a gap. */
function rankingIn(order: readonly number[], { values, places }: Given): Content {
  if (values) throw new HttpError(422, 'values: in this campaign answers are ranked, not rated')
  if (places?.length !== order.length)
    throw new HttpError(422, `places: expected one for each of ${order.length}, got ${places?.length ?? 0}`)
  const steps = [...new Set(places)].sort((x, y) => x - y)
  return { places: order.map((position) => steps.indexOf(places[position]!) + 1), shown: [...order] }
}

async function answered(
  query: Service['store']['query'],
  project: Project,
  id: string,
): Promise<Campaign & { kind: 'ratings' | 'rankings' }> {
  const campaign = await campaignOf(query, project, id)
  const { kind } = campaign
  if (kind !== 'ratings' && kind !== 'rankings') throw new HttpError(422, 'in this campaign nothing is rated or ranked')
  return { ...campaign, kind }
}

type Looking = { service: Service; project: Project; user: User; params: { campaign: string } }

async function itemOf({
  service,
  project,
  params,
}: Omit<Looking, 'user' | 'params'> & { params: { campaign: string; item: string } }): ReturnType<typeof answered> {
  const campaign = await answered(service.store.query, project, params.campaign)
  if (!(await isItemOf(service.store.query, params.item, campaign.id)))
    throw new HttpError(404, 'there is no such item')
  return campaign
}

/** The screen of this person now. */
async function workOf({ service, project, user, params }: Looking): Promise<Work> {
  const { store } = service
  const { query } = store
  const campaign = await answered(query, project, params.campaign)
  const { hasRead } = await standing(query, campaign.id, user.id)
  const isClaimed = hasRead && (await claimItem(store, campaign.id, user.id))
  const [task, past, mine, guidelines] = await Promise.all([
    isClaimed ? findAtHand(query, campaign.id, user.id) : undefined,
    listPastAnswers(query, campaign.id, user.id),
    countMine(query, campaign.id, user.id),
    listGuidelines(query, project.id),
  ])
  const guideline = guidelines.find(({ id }) => id === campaign.guideline)!
  const count = task?.completions.length ?? 0
  return {
    campaign: { ...campaign, questions: campaign.asks.questions ?? [] },
    guideline: { ...guideline, hasRead },
    task: task ? asShown(task, orderFor(campaign.seed, { item: task.id, user: user.id, count })) : null,
    isAtLimit: !task && (await isAtLimit(query, campaign.id, user.id)),
    mine,
    wanted: campaign.wanted,
    judged: campaign.judged,
    past: past.map(({ id, prompt, at }) => ({ id, opening: openingOf(prompt), at })),
  }
}

function asShown<T extends { completions: string[]; draft: AnswerDraft | null }>(task: T, order: readonly number[]): T {
  const screen = <V>(values: readonly V[]): V[] => {
    const shown: V[] = []
    order.forEach((position, i) => (shown[position] = values[i]!))
    return shown
  }
  const { draft, completions } = task
  const isPlaced = draft?.places?.length === order.length
  return {
    ...task,
    completions: screen(completions),
    draft: draft && { ...draft, ...(isPlaced && { places: screen(draft.places!) }) },
  }
}

function peopleOf(answers: readonly StoredAnswer[]): Report['people'] {
  const byUser = new Map<string, StoredAnswer[]>()
  for (const answer of answers) byUser.set(answer.user, [...(byUser.get(answer.user) ?? []), answer])
  return [...byUser.values()].map((own) => {
    const seconds = own.map((answer) => answer.seconds).sort((x, y) => x - y)
    const { user, name } = own[0]!
    return {
      user,
      name,
      answers: own.length,
      seconds: seconds[Math.floor(seconds.length / 2)]!,
      lastAt: own.at(-1)!.at,
    }
  })
}
