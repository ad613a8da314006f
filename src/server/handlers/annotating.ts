// One annotator at work. Every answer of these is the whole of what the screen needs next, so that an answer and the next
// task are one trip. An acknowledged answer is on disk.
import { HttpError, invariant } from '#errors'
import { faultInHighlight, type Highlight } from '#schema'
import {
  audit,
  type CampaignFacts,
  claim,
  flag,
  heartbeat,
  isAnswered,
  isAtLimit,
  isGold,
  findCampaignFacts,
  findGuideline,
  findShown,
  listPast,
  noteReading,
  type Guideline,
  type OfItem,
  type Project,
  type Query,
  reopen,
  reveal,
  saveDraft,
  skip,
  standing,
  submit,
  type Totals,
  type User,
} from '#store'
import type { Handlers, Service } from '../call.ts'
import type { AnswerOf } from '../contract.ts'
import { mustKnowEnough } from '../expertise.ts'
import { wantsMoreIn } from '../overlapping.ts'
import { rankByUncertainty } from '../ordering.ts'
import { pausesNow } from '../pausing.ts'
import { addAnswer, forgetProgress, progressIn } from '../progress.ts'
import { gateOf } from '../qualifying.ts'
import { Conflict } from '../refusals.ts'
import { campaignOf } from './campaigns.ts'

type Annotating = Pick<
  Handlers,
  | 'POST /api/projects/{project}/campaigns/{campaign}/claim'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/guideline-read'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/lease'
  | 'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/draft'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/judgement'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/skip'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/flag'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/reopen'
>
type Work = AnswerOf<'POST /api/projects/{project}/campaigns/{campaign}/claim'>

export const annotatingHandlers: Annotating = {
  'POST /api/projects/{project}/campaigns/{campaign}/claim': async (call) => workOf(call),

  'PUT /api/projects/{project}/campaigns/{campaign}/guideline-read': async ({ service, project, user, params }) =>
    service.store.transaction(async (query) => {
      const { id, guideline, guidelineLabel } = await campaignOf(query, project, params.campaign)
      await noteReading(query, guideline, user.id)
      const detail = { guideline: guidelineLabel }
      await audit(query, { actor: user.id, project: project.id, action: 'guideline.read', subject: id, detail })
    }),

  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/lease': async (call) => {
    await itemOf(call)
    await heartbeat(call.service.store.query, call.params.item, call.user.id)
  },

  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/draft': async (call) => {
    mustBeOfPairs(await itemOf(call))
    await saveDraft(call.service.store.query, call.params.item, call.user.id, call.body)
  },

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/judgement': async (call) => {
    const { service, project, user, params, body } = call
    const campaign = await itemOf(call)
    mustBeOfPairs(campaign)
    const { hasRead, isPaused } = await standing(service.store.query, campaign.id, user.id)
    if (!hasRead) throw new HttpError(422, 'read the guideline of this campaign first')
    mustAnswerAll(campaign, body.criteria)
    await mustPointAtText(call)
    if (isPaused && !(await isAnswered(service.store.query, user.id, body.key)))
      throw new HttpError(422, 'you are paused in this campaign; a lead lets you go on')
    await mustBeOpenTo(call, campaign)
    if (campaign.asksForExpertise && !(await isAnswered(service.store.query, user.id, body.key)))
      await mustKnowEnough(service.store.query, params.item, user.id)
    const where = { project: project.id, campaign: campaign.id, item: params.item, user: user.id }
    const wantsMore = campaign.adaptive ? await wantsMoreIn(service.store.query, project, campaign) : undefined
    const isLimited = campaign.mostEach !== null || campaign.mostShare !== null
    const submitted = await submit(service.store, where, body, { wantsMore, isLimited })
    switch (submitted.outcome) {
      case 'counted':
        addAnswer(service.store.query, campaign.id)
        await rankByUncertainty(service.store.query, project, { campaign, item: params.item })
        return { ...(await workOf(call, campaign)), revealed: await revealedBy(service, campaign, submitted.id) }
      case 'judged-before':
        throw new Conflict('you have answered this already; that answer stands, and this one is kept beside it', {
          standing: submitted.standing,
        })
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
        throw new Error(`unknown outcome ${JSON.stringify(submitted satisfies never)}`)
    }
  },

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/skip': async (call) => {
    const { service, project, user, params, body } = call
    const campaign = await itemOf(call)
    mustBeOfPairs(campaign)
    if ((await gateOf(service.store, { project, campaign, user }))?.state === 'open')
      throw new HttpError(422, 'in a qualification every pair is answered; say that you cannot judge it')
    await service.store.transaction(async (query) => {
      await skip(query, { item: params.item, user: user.id, reason: body.reason })
      await audit(query, { actor: user.id, project: project.id, action: 'item.skip', subject: params.item })
    })
    if (campaign.skipPolicy === 'drop') forgetProgress(service.store.query, campaign.id)
    return workOf(call)
  },

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/flag': async (call) => {
    const { service, project, user, params, body } = call
    await itemOf(call)
    await service.store.transaction(async (query) => {
      await flag(query, params.item, user.id, body.note)
      await audit(query, { actor: user.id, project: project.id, action: 'item.flag', subject: params.item })
    })
  },

  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/reopen': async (call) => {
    const { service, project, user, params } = call
    const campaign = await itemOf(call)
    if (campaign.state !== 'open') throw new HttpError(422, `this campaign is ${campaign.state}`)
    await service.store.transaction(async (query) => {
      if (!(await reopen(query, campaign.id, user.id, params.item)))
        throw new HttpError(404, 'only your last ten answers can be taken back')
      await audit(query, { actor: user.id, project: project.id, action: 'judgement.undo', subject: params.item })
    })
    forgetProgress(service.store.query, campaign.id)
    await rankByUncertainty(service.store.query, project, { campaign, item: params.item })
    return workOf(call)
  },
}

/** What was suggested of the pair that was just answered, where that is shown afterwards. */
async function revealedBy({ store }: Service, { suggestions }: CampaignFacts, judgement: string) {
  return suggestions ? ((await reveal(store.query, judgement)) ?? null) : null
}

type OfCampaign = { service: Service; project: Project; params: { campaign: string } }

async function itemOf({
  service,
  project,
  params: { campaign: id, item },
}: OfCampaign & { params: { item: string } }): Promise<CampaignFacts & OfItem> {
  const campaign = await findCampaignFacts(service.store.query, project.id, { id, item })
  if (!campaign) throw new HttpError(404, 'there is no such campaign')
  if (!campaign.hasItem) throw new HttpError(404, 'there is no such item')
  return campaign
}

function mustBeOfPairs({ kind }: CampaignFacts): void {
  if (kind !== 'pairs') throw new HttpError(422, `this campaign asks for ${kind}, and not which of two is better`)
}

function mustAnswerAll({ criteria }: CampaignFacts, given: Record<string, unknown>): void {
  const missing = criteria.find(({ name }) => !Object.hasOwn(given, name))
  if (missing) throw new HttpError(422, `criteria.${missing.name}: expected an answer to this question too`)
  const other = Object.keys(given).find((name) => !criteria.some((criterion) => criterion.name === name))
  if (other !== undefined) throw new HttpError(422, `criteria.${other}: this campaign does not ask about it`)
}

/** What is marked stands there, on the sides as this person was shown them. */
async function mustPointAtText({ service, user, params, body }: Marking): Promise<void> {
  if (body.highlights.length === 0) return
  const shown = await findShown(service.store.query, params.item, user.id)
  for (const [i, highlight] of body.highlights.entries()) {
    const fault = faultInHighlight(highlight, shown[highlight.side])
    if (fault !== undefined) throw new HttpError(422, `highlights.${i}: ${fault} of the ${highlight.side} completion`)
  }
}

type Marking = { service: Service; user: User; params: { item: string }; body: { highlights: readonly Highlight[] } }

/** Who has not passed the qualification answers its items and no others. The same answer sent again is known already. */
async function mustBeOpenTo(call: Judging, campaign: CampaignFacts): Promise<void> {
  const { service, project, user, params, body } = call
  const { store } = service
  if (!campaign.qualification || (await isAnswered(store.query, user.id, body.key))) return
  const gate = await gateOf(store, { project, campaign, user })
  if (gate?.state === 'failed') throw new HttpError(422, 'you have not passed the qualification of this campaign')
  if (gate?.state === 'open' && !(await isGold(store.query, params.item)))
    throw new HttpError(422, 'the qualification comes first')
}

type Judging = OfCampaign & { user: User; params: { item: string }; body: { key: string } }

/** The screen of this person now: the next task once the guideline was read, and what is done. */
async function workOf(
  { service, project, params, user }: OfCampaign & { user: User },
  known?: CampaignFacts,
): Promise<Work> {
  const { store } = service
  const id = params.campaign
  const campaign = known ?? (await findCampaignFacts(store.query, project.id, { id }))
  if (!campaign) throw new HttpError(404, 'there is no such campaign')
  mustBeOfPairs(campaign)
  const totals = await progressIn(store.query, campaign)
  const { hasRead, mine, isGoldTurn, ...stands } = await standing(store.query, id, user.id)
  const isPaused = stands.isPaused || (await pausesNow(store, { project, campaign, user }))
  const gate = hasRead ? await gateOf(store, { project, campaign, user }) : undefined
  const source = gate?.state === 'open' ? 'qualifying' : isGoldTurn ? 'gold turn' : 'ordinary'
  const [task, past, guideline] = await Promise.all([
    hasRead && gate?.state !== 'failed' && !isPaused ? claim(store, id, user.id, source) : undefined,
    listPast(store.query, id, user.id),
    guidelineOf(store.query, campaign.guideline),
  ])
  return {
    campaign,
    isPaused,
    isAtLimit: !task && (await isAtLimit(store.query, id, user.id)),
    guideline: { ...guideline, hasRead },
    task: task ?? null,
    qualification: gate ?? null,
    revealed: null,
    mine,
    ...shownProgress(campaign, totals),
    past,
  }
}

const MOST_GUIDELINES = 50
const guidelines = new Map<string, Guideline>()

/** A version never changes, and is long: it is read once. */
async function guidelineOf(query: Query, id: string): Promise<Guideline> {
  const known = guidelines.get(id)
  if (known) return known
  const guideline = await findGuideline(query, id)
  invariant(guideline, 'a campaign has its guideline')
  if (guidelines.size >= MOST_GUIDELINES) guidelines.clear()
  guidelines.set(id, guideline)
  return guideline
}

/** With the gold items that are to be expected among it: what counts and what does not moves the same figures. */
function shownProgress(
  { goldRate }: CampaignFacts,
  { wanted, judged, goldMixed }: Totals,
): { wanted: number; judged: number } {
  const expected = Math.round((wanted * goldRate) / (1 - goldRate))
  return { wanted: wanted + expected, judged: judged + Math.min(goldMixed, expected) }
}
