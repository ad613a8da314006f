// The project's home: the loop of seven steps as it stands, each with one figure, and what waits for whom.
import fs from 'node:fs'
import { join } from 'node:path'
import { listVersions } from '#data'
import { Objective, type Role } from '#schema'
import {
  type Campaign,
  listCampaigns,
  listCandidacies,
  listEvaluations,
  listReleases,
  openFor,
  type Project,
  type RunFolder,
  type User,
} from '#store'
import { ADJUDICATORS } from './api/adjudication.ts'
import type { Service } from './call.ts'
import { reportOn } from './campaign-report.ts'
import type { AnswerOf } from './contract.ts'
import { ownDatasets } from './handlers/data.ts'
import { verdictOf } from './handlers/releases.ts'
import { ownRuns } from './run-views.ts'

type Home = AnswerOf<'GET /api/projects/{project}'>
type Step = Home['steps'][number]
type Waiting = Home['waiting'][number]

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
  return {
    steps: [
      objectiveStep(workspace),
      {
        step: 'demonstrations',
        state: kinds.demonstrations > 0 ? 'there' : 'empty',
        figure: kinds.demonstrations > 0 ? count(kinds.demonstrations) : '',
        note: kinds.demonstrations > 0 ? 'demonstrations' : 'no demonstrations yet',
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
          }
        : runStep('rl', runs, ['ppo', 'grpo', 'rloo', 'dpo'], 'RL'),
      await evaluationStep(service, project),
    ],
    waiting: mine
      .map(
        ({ campaign, name, open }): Waiting => ({
          what: `${open === 1 ? 'pair' : 'pairs'} to judge in ${name}`,
          count: open,
          whose: user.name,
          isMine: true,
          campaign,
          screen: 'judge',
        }),
      )
      .concat(await toAdjudicate(service, { project, role, user }, campaigns))
      .concat(
        role === 'annotator'
          ? []
          : campaigns.filter(isWaiting).map(({ id, name, wanted, judged }) => ({
              what: `${wanted - judged === 1 ? 'judgement' : 'judgements'} missing in ${name}${held.has(id) ? `: the run ${held.get(id)} waits for them` : ''}`,
              count: wanted - judged,
              whose: 'annotators',
              isMine: false,
              campaign: id,
            })),
      ),
  }
}

/** What reviewers and leads have to settle, but for what they judged themselves. */
async function toAdjudicate(
  { store }: Service,
  { project, role, user }: { project: Project; role: Role; user: User },
  campaigns: readonly Campaign[],
): Promise<Waiting[]> {
  if (!(ADJUDICATORS as readonly Role[]).includes(role)) return []
  const waiting: Waiting[] = []
  for (const campaign of campaigns) {
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

function comparisonStep(campaigns: readonly Campaign[], imported: number): Step {
  const judged = campaigns.reduce((sum, campaign) => sum + campaign.judged, 0)
  const missing = campaigns.filter(isWaiting).reduce((sum, campaign) => sum + campaign.wanted - campaign.judged, 0)
  if (missing > 0)
    return {
      step: 'comparisons',
      state: 'waiting',
      figure: count(judged),
      note: `judgements, ${count(missing)} still wanted`,
    }
  const all = judged > 0 ? judged : imported
  if (all === 0) return { step: 'comparisons', state: 'empty', figure: '', note: 'nobody has judged yet' }
  return {
    step: 'comparisons',
    state: 'there',
    figure: count(all),
    note: judged > 0 ? 'judgements' : 'judgements imported',
  }
}

function objectiveStep(workspace: string): Step {
  try {
    const { criteria } = Objective.parse(JSON.parse(fs.readFileSync(join(workspace, 'objective.json'), 'utf8')))
    const constraints = criteria.filter(({ constraint }) => constraint).length
    const note = `criteria, ${constraints} of them ${constraints === 1 ? 'a constraint' : 'constraints'}`
    return { step: 'objective', state: 'there', figure: String(criteria.length), note }
  } catch {
    return { step: 'objective', state: 'empty', figure: '', note: 'no objective yet' }
  }
}

function runStep(step: Step['step'], runs: readonly RunFolder[], recipes: readonly string[], name: string): Step {
  const own = runs.filter(({ recipe }) => recipes.includes(recipe))
  if (own.length === 0) return { step, state: 'empty', figure: '', note: `no ${name} run yet` }
  const running = own.filter(({ status }) => status === 'running').length
  const note = `${own.length === 1 ? 'run' : 'runs'}${running > 0 ? `, ${running} at work` : ''}`
  return { step, state: running > 0 ? 'running' : 'there', figure: String(own.length), note }
}

async function evaluationStep({ store }: Service, project: Project): Promise<Step> {
  const [releases, evaluations, candidacies] = await Promise.all([
    listReleases(store.query, project.id),
    listEvaluations(store.query, project.id),
    listCandidacies(store.query, project.id),
  ])
  const names = new Set(releases.map(({ name }) => name)).size
  const unsigned = candidacies.filter((each) => each.signedAt === null && verdictOf(each) !== 'refused').length
  if (unsigned > 0)
    return {
      step: 'evaluation',
      state: 'waiting',
      figure: String(unsigned),
      note: `${unsigned === 1 ? 'waits' : 'wait'} for a reviewer’s signature`,
    }
  if (names > 0)
    return { step: 'evaluation', state: 'there', figure: String(names), note: names === 1 ? 'release' : 'releases' }
  if (evaluations.length === 0) return { step: 'evaluation', state: 'empty', figure: '', note: 'no release yet' }
  const word = evaluations.length === 1 ? 'evaluation' : 'evaluations'
  return { step: 'evaluation', state: 'there', figure: String(evaluations.length), note: `${word}, no release yet` }
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
