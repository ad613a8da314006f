// Demonstrations: claimed, drafted, submitted, reviewed by somebody else, and kept as a dataset.
import { DataError, HttpError } from '#errors'
import {
  audit,
  type Campaign,
  claimItem,
  draftedAnswer,
  findReturned,
  findSubmission,
  findToReview,
  findWriting,
  giveUp,
  heartbeat,
  isAtLimit,
  holdReviews,
  isItemOf,
  listGuidelines,
  listPastReviews,
  listSubmissions,
  listTakenBackReviews,
  type Project,
  type Query,
  reviewSubmission,
  saveDraft,
  skip,
  standing,
  type Submission,
  submitDemonstration,
  takeBackReview,
  takeBackSubmission,
  type User,
  writingProgress,
} from '#store'
import type { Handlers, Service } from '../call.ts'
import type { AnswerOf } from '../contract.ts'
import { keepDemonstrations, versionWith, wordsChanged, writers } from '../demonstrating.ts'
import { mustKnowEnough } from '../expertise.ts'
import { openingOf } from '../prompts.ts'
import { Conflict } from '../refusals.ts'
import { tokenizerIn } from '../tokenizers.ts'
import { campaignOf } from './campaigns.ts'
import { fileOf } from './data.ts'

type Demonstrations = Pick<
  Handlers,
  | 'GET /api/projects/{project}/campaigns/{campaign}/demonstrations'
  | 'POST /api/projects/{project}/campaigns/{campaign}/demonstrations'
  | 'POST /api/projects/{project}/campaigns/{campaign}/demonstrations/claim'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration-skip'
  | 'POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/undo'
  | 'GET /api/projects/{project}/campaigns/{campaign}/review'
  | 'POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/review'
  | 'POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/review-undo'
  | 'GET /api/projects/{project}/submissions/{submission}'
>
type Writing = AnswerOf<'POST /api/projects/{project}/campaigns/{campaign}/demonstrations/claim'>
type Reviewing = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}/review'>

const SUBMISSIONS_SHOWN = 50
const MINE_SHOWN = 10
/** Why a review cannot be taken back, by what became of the submission. */
const STAYS: Record<string, string> = {
  replaced: 'its author has written it anew since: what you said of it stays',
  'given-up': 'its author has left the prompt to others since: what you said of it stays',
  waiting: 'this review is taken back already',
}

export const demonstrationHandlers: Demonstrations = {
  'GET /api/projects/{project}/campaigns/{campaign}/demonstrations': async ({ service, project, params }) => {
    const { query } = service.store
    const campaign = await writtenCampaign(query, project, params.campaign)
    const [progress, submissions] = await Promise.all([
      writingProgress(query, campaign.id),
      listSubmissions(query, campaign.id),
    ])
    return {
      ...progress,
      tokensBy: campaign.asks.tokensBy?.name ?? '',
      people: writers(submissions),
      submissions: submissions.slice(0, SUBMISSIONS_SHOWN).map((each) => ({
        ...shown(each),
        opening: openingOf(each.prompt),
      })),
    }
  },

  'POST /api/projects/{project}/campaigns/{campaign}/demonstrations': async ({
    service,
    project,
    user,
    params,
    body,
  }) => {
    const campaign = await writtenCampaign(service.store.query, project, params.campaign)
    const name = fileOf(project, body.dataset)
    return service.store.transaction(async (query) => {
      await holdReviews(query, campaign.id)
      const { version, isNew } = await keepDemonstrations(query, service.workspace, { project, campaign, name })
      const detail = { version: version.version, rows: version.rows }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'campaign.export',
        subject: campaign.id,
        detail,
      })
      return { name: body.dataset, file: version.name, version: version.version, rows: version.rows, isNew }
    })
  },

  'POST /api/projects/{project}/campaigns/{campaign}/demonstrations/claim': async (call) => writingOf(call),

  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration': async (call) => {
    const { service, user, params, body } = call
    const campaign = await itemOf(call)
    await saveDraft(service.store.query, params.item, user.id, body)
    await heartbeat(service.store.query, params.item, user.id)
    return { tokens: tokensIn(campaign, body.text) }
  },

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration': async (call) => {
    const { service, project, user, params, body } = call
    const { query } = service.store
    const campaign = await itemOf(call)
    if (!(await standing(query, campaign.id, user.id)).hasRead)
      throw new HttpError(422, 'read the guideline of this campaign first')
    await mustKnowEnough(query, params.item, user.id)
    const drafted = await draftedAnswer(query, params.item)
    const where = { project: project.id, campaign: campaign.id, item: params.item, user: user.id }
    const { outcome } = await submitDemonstration(service.store, where, {
      key: body.key,
      completion: body.text,
      editedWords: drafted === null ? null : wordsChanged(drafted, body.text),
      tokens: tokensIn(campaign, body.text),
      activeSeconds: body.activeSeconds,
    })
    switch (outcome) {
      case 'counted':
        return writingOf(call)
      case 'written-before':
        throw new Conflict(
          'you have answered this prompt already; that answer stands, and this one is kept beside it',
          {},
        )
      case 'complete':
        throw new Conflict('others have answered this prompt meanwhile; your answer is kept', {})
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

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration-skip': async (call) => {
    const { service, project, user, params, body } = call
    await itemOf(call)
    await service.store.transaction(async (query) => {
      await giveUp(query, params.item, user.id)
      await skip(query, { item: params.item, user: user.id, reason: body.reason })
      await audit(query, { actor: user.id, project: project.id, action: 'item.skip', subject: params.item })
    })
    return writingOf(call)
  },

  'POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/undo': async (call) => {
    const { service, project, user, params } = call
    const found = await findSubmission(service.store.query, project.id, params.submission)
    if (!found || found.campaign !== params.campaign || found.user !== user.id)
      throw new HttpError(404, 'there is no such submission of yours')
    const campaign = await writtenCampaign(service.store.query, project, params.campaign)
    if (campaign.state !== 'open') throw new HttpError(422, `this campaign is ${campaign.state}`)
    const item = await service.store.transaction(async (query) => {
      const { submission } = params
      const taken = await takeBackSubmission(query, { campaign: campaign.id, user: user.id, submission })
      if (taken === undefined)
        throw new Conflict('only your last ten can be taken back, and only until somebody has reviewed them', {})
      await audit(query, { actor: user.id, project: project.id, action: 'demonstration.undo', subject: submission })
      return taken
    })
    return writingOf(call, item)
  },

  'GET /api/projects/{project}/campaigns/{campaign}/review': async ({ service, project, user, params }) =>
    reviewingOf(service.store.query, { project, user, params }),

  'POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/review': async (call) =>
    call.service.store.transaction(async (query) => {
      const { project, user, params, body } = call
      const { outcome, text = null, reason } = body
      const found = await findSubmission(query, project.id, params.submission)
      if (!found || found.campaign !== params.campaign) throw new HttpError(404, 'there is no such submission')
      if (found.user === user.id) throw new HttpError(422, 'you wrote this yourself; somebody else reviews it')
      if (text !== null && text === found.completion)
        throw new HttpError(422, 'text: nothing was changed; accept it as it is')
      const editedWords = text === null ? null : wordsChanged(found.completion, text)
      const review = { submission: found.id, user: user.id, outcome, completion: text, editedWords, reason }
      if (!(await reviewSubmission(query, review)))
        throw new Conflict('somebody reviewed this meanwhile; their word stands', {})
      const detail = { outcome, campaign: params.campaign }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'demonstration.review',
        subject: found.id,
        detail,
      })
      return reviewingOf(query, call)
    }),

  'POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/review-undo': async (call) => {
    const { service, project, user, params } = call
    const { submission } = params
    const found = await findSubmission(service.store.query, project.id, submission)
    if (!found || found.campaign !== params.campaign) throw new HttpError(404, 'there is no such submission')
    const campaign = await writtenCampaign(service.store.query, project, params.campaign)
    if (campaign.state !== 'open') throw new HttpError(422, `this campaign is ${campaign.state}`)
    return service.store.transaction(async (query) => {
      await holdReviews(query, campaign.id)
      const last = await listPastReviews(query, campaign.id, user.id)
      if (!last.some((review) => review.submission === submission))
        throw new Conflict('only your last ten reviews can be taken back, each of them once', {})
      const kept = versionWith(service.workspace, campaign, submission)
      if (kept)
        throw new Conflict(
          `${kept.name.slice(project.filePrefix.length)}@${kept.version.slice(0, 12)} holds this demonstration already: what it was made of stays`,
          {},
        )
      const became = await takeBackReview(query, { user: user.id, submission })
      if (became !== 'undone') throw new Conflict(STAYS[became] ?? 'this review stays', {})
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'demonstration.review-undo',
        subject: submission,
        detail: { campaign: campaign.id },
      })
      return reviewingOf(query, call, submission)
    })
  },

  'GET /api/projects/{project}/submissions/{submission}': async ({ service, project, params }) => {
    const { query } = service.store
    const found = await findSubmission(query, project.id, params.submission)
    if (!found) throw new HttpError(404, 'there is no such submission')
    const [others, takenBack] = await Promise.all([
      listSubmissions(query, found.campaign, { user: found.user }),
      listTakenBackReviews(query, found.id),
    ])
    return {
      ...found,
      ...shown(found),
      fixed: found.review?.completion ?? null,
      earlier: before(found, others),
      takenBack: takenBack.map(({ name, completion, ...review }) => ({ ...review, by: name, fixed: completion })),
    }
  },
}

function shown(submission: Submission) {
  const { review, name } = submission
  return { ...submission, by: name, review: review && { ...review, by: review.name } }
}

function before(last: Submission, all: readonly Submission[]) {
  const earlier: { id: string; completion: string; reason: string; at: string }[] = []
  for (let id = last.follows; id !== null; ) {
    const found = all.find((each) => each.id === id)
    if (!found) break
    earlier.push({ id, completion: found.completion, reason: found.review?.reason ?? '', at: found.at })
    id = found.follows
  }
  return earlier
}

type Looking = { project: Project; user: User; params: { campaign: string } }

/** The campaign, if people write in it. */
async function writtenCampaign(query: Query, project: Project, id: string): Promise<Campaign> {
  const campaign = await campaignOf(query, project, id)
  if (campaign.kind !== 'demonstrations') throw new HttpError(422, 'in this campaign nothing is written')
  return campaign
}

async function itemOf({
  service,
  project,
  params,
}: {
  service: Service
  project: Project
  params: { campaign: string; item: string }
}): Promise<Campaign> {
  const campaign = await writtenCampaign(service.store.query, project, params.campaign)
  if (!(await isItemOf(service.store.query, params.item, campaign.id)))
    throw new HttpError(404, 'there is no such item')
  return campaign
}

/** Null where the model is gone, or has no tokens for what was written: writing goes on without the count. */
function tokensIn({ asks }: Campaign, text: string): number | null {
  try {
    return (asks.tokensBy && tokenizerIn(asks.tokensBy.folder)?.encode(text).length) ?? null
  } catch (error) {
    if (error instanceof DataError) return null
    throw error
  }
}

/** The screen of a writer now; `first`: the item that is put before what was sent back. */
async function writingOf(
  { service, project, user, params }: Looking & { service: Service },
  first?: string,
): Promise<Writing> {
  const { store } = service
  const { query } = store
  const campaign = await writtenCampaign(query, project, params.campaign)
  const { hasRead } = await standing(query, campaign.id, user.id)
  const isOpen = hasRead && campaign.state === 'open'
  const atHand = isOpen && first !== undefined ? await findWriting(query, campaign.id, user.id) : undefined
  const isFirst = atHand !== undefined && atHand.id === first
  const returned = isOpen && !isFirst ? await findReturned(query, campaign.id, { user: user.id, first }) : undefined
  const isClaimed = isOpen && !returned && (await claimItem(store, campaign.id, user.id))
  const [claimed, mine, guidelines] = await Promise.all([
    isClaimed ? findWriting(query, campaign.id, user.id) : undefined,
    listSubmissions(query, campaign.id, { user: user.id, most: MINE_SHOWN }),
    listGuidelines(query, project.id),
  ])
  const guideline = guidelines.find(({ id }) => id === campaign.guideline)!
  return {
    campaign,
    guideline: { ...guideline, hasRead },
    task: returned ?? claimed ?? null,
    isAtLimit: !returned && !claimed && (await isAtLimit(query, campaign.id, user.id)),
    tokensBy: campaign.asks.tokensBy?.name ?? '',
    wanted: campaign.wanted,
    written: campaign.judged,
    mine: mine.map(({ id, prompt, state, review, at }) => ({
      id,
      opening: openingOf(prompt),
      state,
      reason: review?.reason ?? '',
      at,
    })),
  }
}

/** The screen of a reviewer now; `first`: the submission that is put before others. */
async function reviewingOf(query: Query, { project, user, params }: Looking, first?: string): Promise<Reviewing> {
  const campaign = await writtenCampaign(query, project, params.campaign)
  const { next, waiting } = await findToReview(query, campaign.id, { user: user.id, first })
  const guideline = (await listGuidelines(query, project.id)).find(({ id }) => id === campaign.guideline)!
  const mine = await listPastReviews(query, campaign.id, user.id)
  return {
    campaign,
    guideline,
    waiting,
    next: next ?? null,
    mine: mine.map(({ prompt, ...review }) => ({ ...review, opening: openingOf(prompt) })),
  }
}
