// Makes a campaign of a dataset's rows: what it takes is checked, its items are put in an order of the seed's, and all of it
// is written with its audit in one transaction.
import { type Kind, versionRows } from '#data'
import { HttpError } from '#errors'
import { deriveSeed, generator } from '#stats'
import {
  audit,
  type Campaign,
  type CampaignKind,
  createCampaign,
  findCampaign,
  type NewItem,
  newestGuideline,
  orderable,
  type Project,
  type Query,
  setGoldRules,
  setItemOrder,
  setLimits,
  setSuggestions,
} from '#store'
import { mustBeAhead, mustBeAskable, mustBeOrderable, mustBeReachable } from './asking.ts'
import type { Service } from './call.ts'
import { pairItems, promptItems, rankedItems, ratedItems } from './campaign-items.ts'
import type { BodyOf } from './contract.ts'
import { ownVersion } from './handlers/data.ts'
import { modelNamed } from './handlers/fills.ts'
import { criteriaNamed } from './objective.ts'
import { faultOf } from './qualifying.ts'
import { mustBeSuggestible } from './suggesting.ts'

type Asked = BodyOf<'POST /api/projects/{project}/campaigns'>

/** A campaign is put to people, not to machines: more comparisons than this are a mistake, or several campaigns. */
const MOST_ITEMS = 50_000

/** The id of the new campaign. @throws HttpError 422 naming the field that cannot be */
export async function makeCampaign(
  service: Service,
  { project, by, body }: { project: Project; by: string; body: Asked },
): Promise<string> {
  mustBeAhead(body.deadline)
  const criteria = criteriaNamed(service.workspace, project, body.criteria)
  mustBeAskable(body)
  const { version, items, goldItems } = itemsOf(service, project, body)
  const asks = await asksOf(service, project, body)
  return service.store.transaction(async (query) => {
    const guideline = await newestGuideline(query, project.id)
    if (!guideline) throw new HttpError(422, 'write a guideline first: people must know what they judge by')
    const { kind, name, dataset, overlap, overlapShare, adaptive, isCalibration, deadline, skipPolicy, seed } = body
    const id = await createCampaign(query, {
      project: project.id,
      kind,
      asks,
      name,
      dataset,
      version,
      guideline: guideline.id,
      overlap,
      overlapShare,
      adaptive,
      criteria,
      isCalibration,
      deadline,
      skipPolicy,
      seed,
      by,
      items: generator(deriveSeed(seed, 'campaign-order')).shuffle(items),
    })
    if (id === undefined) throw new HttpError(422, `name: there is a campaign ${name}; choose another name`)
    const { overlapped } = await setRules(query, id, { project, body })
    const sizes = { items: items.length, goldItems, overlapped }
    const detail = { ...detailOf(body, { version, ...sizes }), guideline: guideline.label }
    await audit(query, { actor: by, project: project.id, action: 'campaign.create', subject: id, detail })
    return id
  })
}

/** The rows of the dataset as items, of which not all may be gold. */
function itemsOf(
  service: Service,
  project: Project,
  body: Asked,
): { version: string; items: NewItem[]; goldItems: number } {
  const { kind, dataset, expertise, goldRate, qualification } = body
  const version = ownVersion(service.workspace, project, dataset)
  const takes = TAKES[kind]
  if (!takes.some((each) => each === version.kind))
    throw new HttpError(422, `dataset: expected ${takes.join(' or ')}, got ${version.kind}`)
  if (version.rows > MOST_ITEMS)
    throw new HttpError(422, `dataset: expected at most ${MOST_ITEMS} rows, got ${version.rows}`)
  const rows = versionRows(service.workspace, version)
  const items = ITEMS[kind](rows).map((item) => ({ ...item, expertise: item.expertise ?? expertise }))
  const goldItems = items.filter(({ gold }) => gold !== undefined).length
  if (goldRate > 0 && goldItems === 0)
    throw new HttpError(422, 'goldRate: no row of the dataset has gold; import some, or mark items afterwards')
  const fault = qualification && faultOf(qualification, goldItems)
  if (fault) throw new HttpError(422, `qualification.${fault}`)
  if (goldItems === items.length) throw new HttpError(422, 'dataset: all its rows are gold; nothing is left to judge')
  return { version: version.version, items, goldItems }
}

/** Gold, limits, order and suggestions of a campaign that was just made; what its items cannot bear is refused. */
async function setRules(
  query: Query,
  id: string,
  { project, body }: { project: Project; body: Asked },
): Promise<{ overlapped: number }> {
  const { kind, overlap, overlapShare, adaptive = null, goldRate, qualification = null, order, suggestions } = body
  const { mostEach = null, mostShare = null, isManual } = body
  await setGoldRules(query, id, { goldRate, qualification })
  const { overlapped, wanted } = (await findCampaign(query, project.id, id))!
  if (overlapShare < 1 && overlapped === 0)
    throw new HttpError(422, 'overlapShare: no item was drawn; ask for a larger share, or take another seed')
  const limits = { mostEach, mostShare, isManual }
  mustBeReachable(limits, wanted)
  await setLimits(query, id, limits)
  mustBeOrderable(order, { kind, overlap, adaptive }, await orderable(query, id))
  await setItemOrder(query, id, order)
  if (suggestions) {
    await mustBeSuggestible(query, (await findCampaign(query, project.id, id))!)
    await setSuggestions(query, id, suggestions)
  }
  return { overlapped }
}

/** What the audit log keeps: settings that differ from the usual ones, and how much there is to do. */
function detailOf(
  body: Asked,
  { version, items, goldItems, overlapped }: { version: string; items: number; goldItems: number; overlapped: number },
): Record<string, unknown> {
  const { kind, overlap, overlapShare, adaptive, criteria, isCalibration, deadline, expertise, skipPolicy } = body
  const { mostEach = null, mostShare = null, isManual, order, suggestions } = body
  return {
    kind,
    version,
    items,
    goldItems,
    overlap,
    ...(overlapShare < 1 && { overlapShare, overlapped }),
    adaptive,
    criteria,
    ...(isCalibration && { isCalibration }),
    ...(mostEach !== null && { mostEach }),
    ...(mostShare !== null && { mostShare }),
    ...(isManual && { isManual }),
    ...(order !== 'random' && { order }),
    ...(suggestions && { suggestions }),
    ...(deadline !== undefined && { deadline }),
    ...(expertise !== undefined && { expertise }),
    ...(skipPolicy !== 'to-others' && { skipPolicy }),
  }
}

/** Datasets that a campaign of a kind is made of. */
const TAKES: Record<CampaignKind, readonly Kind[]> = {
  pairs: ['comparisons'],
  demonstrations: ['prompts', 'demonstrations'],
  ratings: ['demonstrations'],
  rankings: ['prompts', 'demonstrations'],
}
const ITEMS: Record<CampaignKind, (rows: Iterable<unknown>) => NewItem[]> = {
  pairs: pairItems,
  demonstrations: promptItems,
  ratings: ratedItems,
  rankings: rankedItems,
}

/** What the kind needs besides; a setting of another kind is refused. */
async function asksOf(service: Service, project: Project, body: Asked): Promise<Campaign['asks']> {
  const { kind, tokensBy, questions, adaptive, isCalibration, criteria, goldRate, qualification } = body
  const ofPairs = { adaptive, isCalibration, criteria: criteria.length > 0, goldRate: goldRate > 0, qualification }
  const strange = {
    ...(kind !== 'pairs' && ofPairs),
    ...(kind !== 'demonstrations' && { tokensBy }),
    ...(kind !== 'ratings' && { questions }),
  }
  const wrong = Object.entries(strange).find(([, given]) => Boolean(given))
  if (wrong) throw new HttpError(422, `${wrong[0]}: a campaign of ${kind} has none`)
  if (kind === 'ratings' && !questions) throw new HttpError(422, 'questions: expected what is asked of each completion')
  if (kind !== 'demonstrations') return questions ? { questions } : {}
  const { name, folder } = await modelNamed(service, project, tokensBy ?? 'base')
  return { tokensBy: { name, folder } }
}
