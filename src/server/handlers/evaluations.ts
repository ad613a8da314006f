// Evaluations: asked for, watched, recorded; and those that the command line left in the workspace.
import { relative } from 'node:path'
import { DataError, HttpError } from '#errors'
import { sha256File } from '#files'
import { findRecords, readEvaluation } from '#lineage'
import {
  audit,
  type Campaign,
  createEvaluation,
  createFill,
  type EvaluationRow,
  type Fill,
  findCampaign,
  findEvaluation,
  findFillById,
  listCampaigns,
  listEvaluations,
  listFills,
  newestGuideline,
  type Project,
  type Query,
  versionOfAnswers,
} from '#store'
import type { Handlers, Service } from '../call.ts'
import type { AnswerOf } from '../contract.ts'
import { judgedOf, LEVEL, record, RESULT_WORDS, ROUND_WORDS, roundIn } from '../evaluating.ts'
import type { Judged } from '../judged.ts'
import { criteriaNamed, objectiveOf } from '../objective.ts'
import { type Owns, ownershipOf } from '../ownership.ts'
import { promptsOf } from '../prompts.ts'
import type { Looked, RoundStatistics } from '../rating.ts'
import { roundNames } from '../round.ts'
import { slugOf } from '../slugs.ts'
import { ownVersion } from './data.ts'
import { modelNamed, MOST_SAMPLES } from './fills.ts'

type Evaluations = Pick<
  Handlers,
  | 'GET /api/projects/{project}/evaluations'
  | 'POST /api/projects/{project}/evaluations'
  | 'GET /api/projects/{project}/evaluations/{evaluation}'
  | 'POST /api/projects/{project}/evaluations/{evaluation}/record'
>
type Shown = AnswerOf<'GET /api/projects/{project}/evaluations'>['evaluations'][number]
type WinRate = NonNullable<Shown['winRate']>

export const evaluationHandlers: Evaluations = {
  'GET /api/projects/{project}/evaluations': async ({ service, project }) => {
    const { query } = service.store
    const [evaluations, fills, campaigns] = await Promise.all([
      listEvaluations(query, project.id),
      listFills(query, project.id),
      listCampaigns(query, project.id),
    ])
    return {
      evaluations: evaluations.map((evaluation) =>
        shown(evaluation, {
          fill: fills.find(({ id }) => id === evaluation.fill)!,
          campaign: campaigns.find(({ id }) => id === evaluation.campaign),
        }),
      ),
      files: evaluationFiles(service, await ownershipOf(service.store, project)),
    }
  },

  'POST /api/projects/{project}/evaluations': async ({ service, project, user, body }) => {
    const { name, candidate, opponent, others, prompts: dataset, overlap, n, seed, temperature, topP, maxTokens } = body
    const names = [candidate, opponent, ...others]
    const isRound = names.length > 2
    const criteria = criteriaNamed(service.workspace, project, body.criteria)
    const word = criteria.find((criterion) => (isRound ? ROUND_WORDS : RESULT_WORDS).has(criterion.name))
    if (word)
      throw new HttpError(422, `criteria: ${word.name} is a word of every result; give the criterion another name`)
    const prompts = ownVersion(service.workspace, project, dataset)
    const samples = prompts.rows * n * names.length
    if (samples > MOST_SAMPLES)
      throw new HttpError(422, `prompts: expected at most ${MOST_SAMPLES} samples, got ${samples}`)
    promptsOf(service.workspace, prompts.version)
    const models = await Promise.all(names.map((model) => modelNamed(service, project, model)))
    if (isRound) roundNames(models)
    const id = await service.store.transaction(async (query) => {
      if (!(await newestGuideline(query, project.id)))
        throw new HttpError(422, 'write a guideline first: people must know what they judge by')
      const fill = await createFill(query, {
        project: project.id,
        name: `evaluation-${slugOf(name)}`.slice(0, 40).replace(/-+$/, ''),
        prompts: dataset,
        promptsVersion: prompts.version,
        promptCount: prompts.rows,
        models: models.map((model) => ({ name: model.name, folder: model.folder, isSimulated: model.isSimulated })),
        n,
        seed,
        temperature,
        topP,
        maxTokens,
        byId: user.id,
      })
      const made =
        fill && (await createEvaluation(query, { project: project.id, name, fill, overlap, criteria, by: user.id }))
      if (made === undefined)
        throw new HttpError(422, `name: there is an evaluation ${name} already; choose another name`)
      const detail = {
        candidate,
        opponent,
        ...(isRound && { others }),
        prompts: prompts.version,
        overlap,
        criteria: body.criteria,
      }
      await audit(query, { actor: user.id, project: project.id, action: 'evaluation.create', subject: made, detail })
      return made
    })
    service.filling.wake()
    return { id }
  },

  'GET /api/projects/{project}/evaluations/{evaluation}': async ({ service, project, params }) => {
    const { query } = service.store
    const found = await evaluationOf(query, project, params.evaluation)
    const { fill, campaign } = found
    const { n, seed, temperature, maxTokens, problem } = fill
    const isRound = fill.models.length > 2
    const names = isRound ? roundNames(fill.models) : []
    const isOver = campaign && isJudged(campaign)
    const judged = isOver && !isRound ? await resultOf(service, project, { fill, campaign }) : undefined
    return {
      ...shown(found.evaluation, found),
      ...(judged && { winRate: judged.winRate }),
      problem,
      models: fill.models.map(({ name, hash = null }, i) => ({ name, hash, rated: names[i] ?? null })),
      round: isOver && isRound ? await roundShown(service, project, { ...found, fill, campaign }) : null,
      settings: {
        n,
        seed,
        temperature,
        maxTokens,
        overlap: found.evaluation.overlap,
        criteria: found.evaluation.criteria,
      },
      result: judged ?? null,
    }
  },

  'POST /api/projects/{project}/evaluations/{evaluation}/record': async ({ service, project, user, params }) => {
    const { evaluation, fill, campaign } = await evaluationOf(service.store.query, project, params.evaluation)
    if (evaluation.recordedAt !== null) throw new HttpError(422, 'this evaluation is recorded already')
    if (!campaign || !isJudged(campaign)) throw new HttpError(422, 'not all is judged yet')
    return record(service, { project, user: user.id, evaluation, fill, campaign, hone: service.hone })
  },
}

type Found = { evaluation: EvaluationRow; fill: Fill; campaign: Campaign | undefined }

async function evaluationOf(query: Query, project: Project, id: string): Promise<Found> {
  const evaluation = await findEvaluation(query, project.id, id)
  if (!evaluation) throw new HttpError(404, 'there is no such evaluation')
  const [fill, campaign] = await Promise.all([
    findFillById(query, evaluation.fill),
    evaluation.campaign === null ? undefined : findCampaign(query, project.id, evaluation.campaign),
  ])
  return { evaluation, fill: fill!, campaign }
}

/** Closed early counts too, when every pair has an answer: `judgedOf` decides. */
const isJudged = ({ state, judged, wanted }: Campaign): boolean => state === 'closed' || judged === wanted

function shown(evaluation: EvaluationRow, { fill, campaign }: { fill: Fill; campaign: Campaign | undefined }): Shown {
  const winRate = (evaluation.statistics?.['win-rate'] ?? null) as WinRate | null
  const isStuck = fill.state === 'failed' || fill.state === 'stopped'
  return {
    ...evaluation,
    candidate: fill.models[0]!.name,
    opponent: fill.models
      .slice(1)
      .map(({ name }) => name)
      .join(', '),
    prompts: fill.prompts,
    suite: slugOf(evaluation.name),
    state:
      evaluation.recordedAt !== null
        ? 'recorded'
        : !campaign
          ? isStuck
            ? 'stuck'
            : 'drawing'
          : isJudged(campaign)
            ? 'judged'
            : 'judging',
    samples: { drawn: fill.drawn, wanted: fill.promptCount * fill.n * fill.models.length },
    judgements: { judged: campaign?.judged ?? 0, wanted: campaign?.wanted ?? 0 },
    isSimulated: fill.models.some(({ isSimulated }) => isSimulated),
    winRate,
  }
}

type RoundShown = NonNullable<AnswerOf<'GET /api/projects/{project}/evaluations/{evaluation}'>['round']>
type Couple = Extract<RoundShown, { state: 'done' }>['couples'][number]

/** Null where some pair has no answer that says anything. What was recorded is not worked out again. */
async function roundShown(
  { store, workspace, rating }: Service,
  project: Project,
  { evaluation, fill, campaign }: Found & { campaign: Campaign },
): Promise<RoundShown | null> {
  if (evaluation.statistics !== null) return ratedShown(evaluation.statistics)
  const { query } = store
  const round = await roundIn(query, workspace, { project, fill, campaign })
  if (!round) return null
  const { rows: _, facts, ...toRate } = round
  const version = await versionOfAnswers(query, campaign.id)
  const looked: Looked = rating.look(campaign.id, version, () => ({ ...toRate, levels: [LEVEL] }))
  return looked.state === 'done' ? ratedShown({ ...looked.statistics, ...facts }) : looked
}

/** As they stand in a record. */
function ratedShown(statistics: RoundStatistics): RoundShown {
  return {
    state: 'done',
    figures: figuresOf(statistics),
    couples: statistics['win-rates'] as Couple[],
    warning: typeof statistics.warning === 'string' ? statistics.warning : null,
    equal: Number(statistics.equal),
    cannotJudge: Number(statistics['cannot-judge']),
    adjudicated: Number(statistics.adjudicated),
    excluded: Number(statistics.excluded),
  }
}

/** The bootstrap is worth keeping until another judgement or adjudication comes, or the criteria weigh otherwise. */
const results = new Map<string, { version: string; judged: Judged | undefined }>()
const MOST_RESULTS = 50

async function resultOf(
  { store, workspace }: Service,
  project: Project,
  o: { fill: Fill; campaign: Campaign },
): Promise<Judged | undefined> {
  const weights = objectiveOf(workspace, project)?.criteria.map(({ name, weight }) => `${name} ${weight}`) ?? []
  const version = `${await versionOfAnswers(store.query, o.campaign.id)} ${weights.join()}`
  const kept = results.get(o.campaign.id)
  if (kept?.version === version) return kept.judged
  const judged = await judgedOf(store.query, workspace, { project, ...o })
  if (results.size >= MOST_RESULTS) results.clear()
  results.set(o.campaign.id, { version, judged })
  return judged
}

type EvaluationFile = AnswerOf<'GET /api/projects/{project}/evaluations'>['files'][number]

/** What hone evaluate wrote into the workspace; those that people judged here are listed above. */
function evaluationFiles({ workspace }: Service, owns: Owns): EvaluationFile[] {
  return findRecords(workspace).records.flatMap((file) => {
    const path = relative(workspace, file)
    if (!owns(path)) return []
    try {
      const { metric, model, against, rated, suite, simulated, statistics, settings } = readEvaluation(file)
      if (settings.campaign !== undefined) return []
      return [
        {
          path,
          hash: sha256File(file),
          metric,
          model: relative(workspace, model.path),
          modelHash: model.hash,
          against: against
            ? relative(workspace, against.path)
            : (rated
                ?.slice(1)
                .map(({ name }) => name)
                .join(', ') ?? null),
          suite: suite.name,
          rows: suite.rows,
          isSimulated: simulated,
          figures: figuresOf(statistics),
        },
      ]
    } catch (error) {
      // A record of another kind, or one that is damaged: hone lineage names it.
      if (error instanceof DataError) return []
      throw error
    }
  })
}

/** Numbers and intervals by their path, as gates name them. */
export function figuresOf(statistics: unknown, path = ''): EvaluationFile['figures'] {
  if (typeof statistics === 'number')
    return Number.isFinite(statistics) ? [{ name: path, value: statistics, low: null, high: null, n: null }] : []
  if (Array.isArray(statistics))
    return statistics.flatMap((row: unknown) => {
      const name = (row as { name?: unknown } | null)?.name
      return typeof name === 'string' ? figuresOf(row, `${path}.${name}`) : []
    })
  if (typeof statistics !== 'object' || statistics === null) return []
  const { value, low, high, n } = statistics as Record<string, unknown>
  const number = (x: unknown): number | null => (typeof x === 'number' && Number.isFinite(x) ? x : null)
  if (number(value) !== null)
    return [{ name: path, value: number(value)!, low: number(low), high: number(high), n: number(n) }]
  return Object.entries(statistics).flatMap(([key, inner]) => figuresOf(inner, path === '' ? key : `${path}.${key}`))
}
