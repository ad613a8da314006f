// The project's home: the loop of seven steps as it stands, each with one figure, and what waits for whom.
import { listVersions } from '#data'
import type { Role } from '#schema'
import {
  type Campaign,
  discussionsFor,
  listCampaigns,
  listCandidacies,
  listEvaluations,
  listReleases,
  openFor,
  pausedIn,
  type Project,
  type ReleaseEntry,
  type RunFolder,
  type User,
  writingFor,
} from '#store'
import { ADJUDICATORS } from './api/adjudication.ts'
import type { Service } from './call.ts'
import { reportOn } from './campaign-report.ts'
import type { AnswerOf } from './contract.ts'
import { ownDatasets } from './handlers/data.ts'
import { verdictOf } from './handlers/releases.ts'
import { objectiveOf } from './objective.ts'
import { ownRuns } from './run-views.ts'

type Home = AnswerOf<'GET /api/projects/{project}'>
type Station = Home['steps'][number]
/** `screen`: the page of the project that it is about. */
type Step = Omit<Station, 'place'> & {
  screen: 'objective' | 'datasets' | 'campaigns' | 'runs' | 'evaluations' | 'releases'
}
type Waiting = Home['waiting'][number]

/** One and many. */
const WORK: Record<Campaign['kind'], [string, string]> = {
  pairs: ['pair to judge', 'pairs to judge'],
  demonstrations: ['prompt to answer', 'prompts to answer'],
  ratings: ['answer to rate', 'answers to rate'],
  rankings: ['prompt to rank', 'prompts to rank'],
}
const SCREENS: Record<Campaign['kind'], NonNullable<Waiting['screen']>> = {
  pairs: 'judge',
  demonstrations: 'write',
  ratings: 'rate',
  rankings: 'rate',
}
const MISSING: Record<Campaign['kind'], [string, string]> = {
  pairs: ['judgement', 'judgements'],
  demonstrations: ['demonstration', 'demonstrations'],
  ratings: ['rating', 'ratings'],
  rankings: ['ranking', 'rankings'],
}

export async function loopOf(
  service: Service,
  { project, role, user }: { project: Project; role: Role; user: User },
): Promise<Pick<Home, 'steps' | 'waiting'>> {
  const { workspace } = service
  const kinds = countRows(workspace, project)
  const campaigns = await listCampaigns(service.store.query, project.id)
  const mine = role === 'viewer' ? [] : await openFor(service.store.query, project.id, user.id)
  const own = await ownRuns(service, project)
  const runs = own.flatMap(({ folder }) => folder ?? [])
  /** Runs that wait for people, by the campaign they wait for. */
  const held = new Map(own.flatMap(({ run, mark }) => (mark ? [[mark.campaign, run] as const] : [])))
  const steps: Step[] = [
    objectiveStep(workspace, project),
    {
      step: 'demonstrations',
      state: kinds.demonstrations > 0 ? 'there' : 'empty',
      figure: kinds.demonstrations > 0 ? count(kinds.demonstrations) : '',
      note: kinds.demonstrations > 0 ? 'demonstrations' : 'no demonstrations yet',
      screen: campaigns.some(({ kind }) => kind === 'demonstrations') ? 'campaigns' : 'datasets',
    },
    runStep('sft', runs, ['sft'], 'fine-tuning'),
    comparisonStep(campaigns, kinds.judgements),
    runStep('reward', runs, ['reward'], 'reward'),
    held.size > 0
      ? {
          step: 'rl',
          state: 'waiting',
          figure: String(held.size),
          note: held.size === 1 ? 'run waits for people' : 'runs wait for people',
          screen: 'runs',
        }
      : runStep('rl', runs, ['ppo', 'grpo', 'rloo', 'dpo'], 'RL'),
    await evaluationStep(service, project),
  ]
  const waiting = mine
    .map(
      ({ campaign, kind, name, open, deadline }): Waiting => ({
        what: `${WORK[kind][open === 1 ? 0 : 1]} in ${name}`,
        count: open,
        whose: user.name,
        isMine: true,
        campaign,
        screen: SCREENS[kind],
        ...(deadline !== null && { dueAt: deadline }),
      }),
    )
    .concat(role === 'viewer' ? [] : await toRewriteAndReview(service, { project, role, user }))
    .concat(role === 'viewer' ? [] : await toDiscuss(service, { project, user }))
    .concat(await toAdjudicate(service, { project, role, user }, campaigns))
    .concat(
      role === 'annotator'
        ? []
        : campaigns.filter(isWaiting).map(({ id, kind, name, wanted, judged, deadline }) => ({
            what: `${MISSING[kind][wanted - judged === 1 ? 0 : 1]} missing in ${name}${held.has(id) ? `: the run ${held.get(id)} waits for them` : ''}`,
            count: wanted - judged,
            whose: 'annotators',
            isMine: false,
            campaign: id,
            ...(deadline !== null && { dueAt: deadline }),
          })),
    )
    .concat(role === 'owner' || role === 'lead' ? await pausedByRule(service, project) : [])
    .concat(role === 'annotator' ? [] : await lapsedReleases(service, project))
  return { steps: steps.map((step) => ({ ...step, place: placeOf(step, role, waiting) })), waiting }
}

/** Annotators read the objective and do what waits for them; to all others the pages of the project are open. */
function placeOf({ step, screen }: Step, role: Role, waiting: readonly Waiting[]): Station['place'] {
  if (role !== 'annotator' || screen === 'objective') return { screen, campaign: null }
  const own = step === 'demonstrations' ? 'write' : step === 'comparisons' ? 'judge' : undefined
  const first = waiting.find((each) => each.isMine && own !== undefined && each.screen === own)
  return first && own ? { screen: own, campaign: first.campaign } : null
}

/** Names that stand for a release whose waiver has expired. */
async function lapsedReleases({ store }: Service, project: Project): Promise<Waiting[]> {
  return newestOf(await listReleases(store.query, project.id)).flatMap(({ name, lapsedAt }): Waiting[] =>
    lapsedAt === null
      ? []
      : [
          {
            what: `waiver expired: the release ${name} still answers`,
            count: 1,
            whose: 'leads',
            isMine: false,
            campaign: null,
            screen: 'releases',
          },
        ],
  )
}

/** What each name stands for now. */
const newestOf = (entries: readonly ReleaseEntry[]): ReleaseEntry[] =>
  entries.filter(({ name }, i) => entries.findIndex((entry) => entry.name === name) === i)

const DISCUSSED_DAYS = 14

/** Closed calibration rounds in which this person took part. */
async function toDiscuss({ store }: Service, { project, user }: { project: Project; user: User }): Promise<Waiting[]> {
  const found = await discussionsFor(store.query, project.id, { user: user.id, days: DISCUSSED_DAYS })
  return found.map(({ campaign, name, items }) => ({
    what: `${items === 1 ? 'pair' : 'pairs'} to talk about in ${name}`,
    count: items,
    whose: user.name,
    isMine: true,
    campaign,
    screen: 'discuss',
  }))
}

/** People whom a rule has paused: only a lead lets them go on. */
async function pausedByRule({ store }: Service, project: Project): Promise<Waiting[]> {
  return (await pausedIn(store.query, project.id)).map(({ campaign, name, paused }) => ({
    what: `${paused === 1 ? 'person' : 'people'} paused by gold in ${name}`,
    count: paused,
    whose: 'leads',
    isMine: false,
    campaign,
  }))
}

/** What was sent back to this person, and what others wrote that they may review. */
async function toRewriteAndReview(
  { store }: Service,
  { project, role, user }: { project: Project; role: Role; user: User },
): Promise<Waiting[]> {
  const isReviewer = (ADJUDICATORS as readonly Role[]).includes(role)
  const found = await writingFor(store.query, project.id, user.id)
  return found.flatMap(({ campaign, name, returned, reviewable }): Waiting[] => {
    const mine = { whose: user.name, isMine: true, campaign }
    return [
      ...(returned > 0
        ? [{ ...mine, what: `sent back to you in ${name}`, count: returned, screen: 'write' as const }]
        : []),
      ...(isReviewer && reviewable > 0
        ? [
            {
              ...mine,
              what: `${reviewable === 1 ? 'demonstration' : 'demonstrations'} to review in ${name}`,
              count: reviewable,
              screen: 'review' as const,
            },
          ]
        : []),
    ]
  })
}

/** What reviewers and leads have to settle, but for what they judged themselves. */
async function toAdjudicate(
  { store }: Service,
  { project, role, user }: { project: Project; role: Role; user: User },
  campaigns: readonly Campaign[],
): Promise<Waiting[]> {
  if (!(ADJUDICATORS as readonly Role[]).includes(role)) return []
  const waiting: Waiting[] = []
  for (const campaign of campaigns.filter(({ kind }) => kind === 'pairs')) {
    const { queue, judgedBy } = await reportOn(store.query, project, campaign)
    const own = judgedBy.get(user.id)
    const open = queue().filter(({ item }) => !own?.has(item.item)).length
    if (open > 0)
      waiting.push({
        what: `${open === 1 ? 'pair' : 'pairs'} to adjudicate in ${campaign.name}`,
        count: open,
        whose: user.name,
        isMine: true,
        campaign: campaign.id,
        screen: 'adjudicate',
      })
  }
  return waiting
}

const isWaiting = ({ state, wanted, judged }: Campaign): boolean => state === 'open' && judged < wanted

function comparisonStep(all: readonly Campaign[], imported: number): Step {
  const screen = 'campaigns'
  const campaigns = all.filter(({ kind }) => kind === 'pairs')
  const judged = campaigns.reduce((sum, campaign) => sum + campaign.judged, 0)
  const missing = campaigns.filter(isWaiting).reduce((sum, campaign) => sum + campaign.wanted - campaign.judged, 0)
  if (missing > 0)
    return {
      step: 'comparisons',
      state: 'waiting',
      figure: count(judged),
      note: `judgements, ${count(missing)} still wanted`,
      screen,
    }
  const there = judged > 0 ? judged : imported
  if (there === 0) return { step: 'comparisons', state: 'empty', figure: '', note: 'nobody has judged yet', screen }
  return {
    step: 'comparisons',
    state: 'there',
    figure: count(there),
    note: judged > 0 ? 'judgements' : 'judgements imported',
    screen,
  }
}

function objectiveStep(workspace: string, project: Project): Step {
  const objective = objectiveOf(workspace, project)
  if (!objective)
    return { step: 'objective', state: 'empty', figure: '', note: 'no objective yet', screen: 'objective' }
  const { criteria } = objective
  const constraints = criteria.filter(({ constraint }) => constraint).length
  const note = `criteria, ${constraints} of them ${constraints === 1 ? 'a constraint' : 'constraints'}`
  return { step: 'objective', state: 'there', figure: String(criteria.length), note, screen: 'objective' }
}

function runStep(step: Step['step'], runs: readonly RunFolder[], recipes: readonly string[], name: string): Step {
  const own = runs.filter(({ recipe }) => recipes.includes(recipe))
  if (own.length === 0) return { step, state: 'empty', figure: '', note: `no ${name} run yet`, screen: 'runs' }
  const running = own.filter(({ status }) => status === 'running').length
  const note = `${own.length === 1 ? 'run' : 'runs'}${running > 0 ? `, ${running} at work` : ''}`
  return { step, state: running > 0 ? 'running' : 'there', figure: String(own.length), note, screen: 'runs' }
}

async function evaluationStep({ store }: Service, project: Project): Promise<Step> {
  const [releases, evaluations, candidacies] = await Promise.all([
    listReleases(store.query, project.id),
    listEvaluations(store.query, project.id),
    listCandidacies(store.query, project.id),
  ])
  const standing = newestOf(releases)
  const names = standing.length
  const lapsed = standing.filter(({ lapsedAt }) => lapsedAt !== null).length
  const unsigned = candidacies.filter((each) => each.signedAt === null && verdictOf(each) !== 'refused').length
  if (unsigned > 0)
    return {
      step: 'evaluation',
      state: 'waiting',
      figure: String(unsigned),
      note: `${unsigned === 1 ? 'waits' : 'wait'} for a reviewer’s signature`,
      screen: 'releases',
    }
  if (lapsed > 0)
    return {
      step: 'evaluation',
      state: 'waiting',
      figure: String(lapsed),
      note: `${lapsed === 1 ? 'release rests on a waiver that has' : 'releases rest on waivers that have'} expired`,
      screen: 'releases',
    }
  if (names > 0)
    return {
      step: 'evaluation',
      state: 'there',
      figure: String(names),
      note: names === 1 ? 'release' : 'releases',
      screen: 'releases',
    }
  if (evaluations.length === 0)
    return { step: 'evaluation', state: 'empty', figure: '', note: 'no release yet', screen: 'evaluations' }
  const word = evaluations.length === 1 ? 'evaluation' : 'evaluations'
  return {
    step: 'evaluation',
    state: 'there',
    figure: String(evaluations.length),
    note: `${word}, no release yet`,
    screen: 'evaluations',
  }
}

/** Rows of the newest version of each dataset of the project, by kind. */
function countRows(workspace: string, project: Project): Record<'demonstrations' | 'judgements', number> {
  const counts = { demonstrations: 0, judgements: 0 }
  for (const name of ownDatasets(workspace, project)) {
    const newest = listVersions(workspace, name).at(-1)
    if (newest?.kind === 'demonstrations' || newest?.kind === 'judgements') counts[newest.kind] += newest.rows
  }
  return counts
}

const count = (n: number): string => n.toLocaleString('en')
