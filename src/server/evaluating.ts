// Evaluations on their way: a campaign opens as soon as the samples are there, and the result is recorded once, as a file
// that names everything behind it by hash.
import { join } from 'node:path'
import { sendArtifact } from '#bucket'
import { findVersion, saveVersion, type Version } from '#data'
import { HttpError, invariant } from '#errors'
import { atLevels, levelsOfTargets } from '#evaluate'
import { artifactPath, makeFolder, putArtifact } from '#files'
import {
  type Evaluation,
  objectivesBehind,
  objectivesDiffer,
  opponentsOf,
  stampOf,
  type Under,
  writeEvaluation,
} from '#lineage'
import { deriveSeed, generator } from '#stats'
import {
  audit,
  type Campaign,
  createCampaign,
  type EvaluationRow,
  type Fill,
  findFillById,
  listJudgements,
  listSamples,
  listSettled,
  newestGuideline,
  nextToOpen,
  noteCampaign,
  type Project,
  type Query,
  recordEvaluation,
  type Store,
} from '#store'
import { criterionRowsOf, type Row, rowOf, rowOfAdjudication, sourceOf } from './campaign-report.ts'
import { type Judged, judge } from './judged.ts'
import { objectiveKept, objectiveOf } from './objective.ts'
import { pairsOf } from './pairs.ts'
import { promptsOf } from './prompts.ts'
import type { Rating } from './rating.ts'
import { type Round, roundOf } from './round.ts'
import { slugOf } from './slugs.ts'

/** Opens the campaigns of evaluations whose samples are drawn, each with its row in one transaction. */
export async function openCampaigns(store: Store, workspace: string): Promise<void> {
  for (;;) {
    const isOpened = await store.transaction(async (query) => {
      const evaluation = await nextToOpen(query)
      if (!evaluation) return false
      const { id, project, name, overlap, criteria, by } = evaluation
      const fill = (await findFillById(query, evaluation.fill))!
      const guideline = await newestGuideline(query, project)
      invariant(
        guideline && fill.version !== null,
        'an evaluation is asked for under a guideline, and its fill is done',
      )
      const pairs = pairsOf(fill, promptsOf(workspace, fill.promptsVersion), await listSamples(query, fill.id))
      const items = pairs.flatMap(({ comparison: { item, prompt, a, b, stratum } }) =>
        a === b ? [] : [{ item, prompt, a, b, stratum }],
      )
      const asked = {
        project,
        dataset: fill.name,
        version: fill.version,
        guideline: guideline.id,
        overlap,
        criteria,
        seed: fill.seed,
        by,
        items: generator(deriveSeed(fill.seed, 'campaign-order')).shuffle(items),
      }
      // Where somebody took the name meanwhile, the evaluation's own id tells the two apart.
      const made =
        (await createCampaign(query, { ...asked, name })) ??
        (await createCampaign(query, { ...asked, name: `${name} (${id.slice(0, 8)})` }))
      invariant(made !== undefined, 'an id names one campaign')
      await noteCampaign(query, id, made)
      await audit(query, { actor: by, project, action: 'campaign.create', subject: made, detail: { evaluation: id } })
      return true
    })
    if (!isOpened) return
  }
}

type Asked = { project: Project; fill: Fill; campaign: Campaign }

/** What people said so far, if all pairs have an answer. */
export async function judgedOf(query: Query, workspace: string, o: Asked): Promise<Judged | undefined> {
  return (await judging(query, workspace, o))(LEVEL)
}

/** Of an evaluation of three models or more: what its ratings are worked out of, if all pairs have an answer. */
export async function roundIn(query: Query, workspace: string, o: Asked): Promise<Round | undefined> {
  const { pairs, judgements, given } = await answersOf(query, workspace, o)
  return roundOf(pairs, judgements, { ...given, models: o.fill.models })
}

/** The same at any level. */
async function judging(query: Query, workspace: string, o: Asked): Promise<(level: number) => Judged | undefined> {
  const { pairs, judgements, given } = await answersOf(query, workspace, o)
  return (level) => judge(pairs, judgements, { ...given, level })
}

async function answersOf(query: Query, workspace: string, { project, fill, campaign }: Asked) {
  const pairs = pairsOf(fill, promptsOf(workspace, fill.promptsVersion), await listSamples(query, fill.id))
  const judgements = await listJudgements(query, campaign.id)
  const settled = await listSettled(query, campaign.id)
  const given = {
    seed: fill.seed,
    rows: [
      ...judgements.map((judgement) => rowOf(project, judgement)),
      ...settled.flatMap((word) => rowOfAdjudication(project, word)),
    ],
    criterionRows: judgements.flatMap((judgement) => criterionRowsOf(project, judgement)),
    criteria: campaign.criteria.map(({ name }) => name),
    settled,
    objective: objectiveOf(workspace, project),
  }
  return { pairs, judgements, given }
}

/** Of the intervals that are shown. */
export const LEVEL = 0.95
/** What stands in a result beside the criteria, which stand there by their names. */
export const RESULT_WORDS = new Set([
  'win-rate',
  'strata',
  'equal',
  'cannot-judge',
  'adjudicated',
  'excluded',
  'weighted',
])

/** The same beside ratings. */
export const ROUND_WORDS = new Set([
  'ratings',
  'implied',
  'controlled',
  'style',
  'win-rates',
  'warning',
  'equal',
  'cannot-judge',
  'adjudicated',
  'excluded',
])

/** Writes the evaluation: a file of the workspace that hone gate and hone lineage read, the same as an artifact, its row. */
export async function record(
  { store, workspace, rating }: { store: Store; workspace: string; rating: Rating },
  o: { project: Project; user: string; evaluation: EvaluationRow; fill: Fill; campaign: Campaign; hone: string },
): Promise<{ artifact: string; file: string }> {
  const { project, user, evaluation, fill, campaign, hone } = o
  const objective = objectiveOf(workspace, project)
  const levels = [LEVEL, ...(objective ? levelsOfTargets(objective) : [])]
  const result = await (fill.models.length > 2 ? roundResult : winRateResult)({ store, workspace, rating }, o, levels)
  const judgements = await listJudgements(store.query, campaign.id)
  const settled = await listSettled(store.query, campaign.id)
  const rows: Row[] = judgements.flatMap((each) => [rowOf(project, each), ...criterionRowsOf(project, each)])
  const kept = await saveVersion(workspace, [...rows, ...settled.flatMap((word) => rowOfAdjudication(project, word))], {
    kind: 'judgements',
    name: `${project.filePrefix}${fill.name}-judged`,
    parents: [campaign.version],
    source: sourceOf(campaign),
  })
  const [prompts, pairs] = [fill.promptsVersion, campaign.version].map((version) =>
    findVersion(workspace, version),
  ) as [Version, Version]
  const fileOf = (version: Version) => ({ path: artifactPath(workspace, version.content), hash: version.content })
  const [model, ...others] = fill.models.map(({ folder, hash }) => ({ path: folder, hash: hash! }))
  const { n, seed, temperature, topP, maxTokens } = fill
  const { statistics, rows: judgedRows, ...contest } = result
  const id = objectiveKept(workspace, project)
  const own = id !== undefined &&
    objective && { id, name: objective.name, path: join(workspace, project.objectiveFile) }
  const judgedUnder: Under[] =
    campaign.objective === null
      ? []
      : [{ what: `judgements of ${campaign.name}`, objective: stampOf(workspace, campaign.objective) }]
  const behind = { model: model!, ...opponentsOf(contest) }
  const models = objectivesBehind(behind, { near: workspace, withRows: false })
  const differ = objectivesDiffer({ what: 'this evaluation', objective: own || undefined }, [...judgedUnder, ...models])
  const written: Evaluation = {
    kind: 'evaluation',
    hone,
    ...contest,
    model: model!,
    pairs: fileOf(pairs),
    judgements: [fileOf(kept.version)],
    ...(own && { objective: own }),
    ...(differ !== undefined && { objectivesDiffer: differ }),
    suite: { name: slugOf(evaluation.name), ...fileOf(prompts), rows: judgedRows },
    settings: {
      n,
      seed,
      temperature,
      topP,
      maxTokens,
      level: LEVEL,
      overlap: evaluation.overlap,
      judgements: judgements.length,
      guideline: campaign.guidelineLabel,
      campaign: campaign.id,
    },
    simulated: fill.models.some(({ isSimulated }) => isSimulated),
    statistics,
  }
  const name = `${project.filePrefix}${slugOf(evaluation.name)}-${evaluation.id.slice(0, 8)}.json`
  const file = join('evaluations', name)
  makeFolder(join(workspace, 'evaluations'))
  writeEvaluation(join(workspace, file), written)
  const artifact = putArtifact(workspace, `${JSON.stringify(written, null, 2)}\n`)
  await sendArtifact(workspace, artifact)
  await store.transaction(async (query) => {
    if (!(await recordEvaluation(query, evaluation.id, { by: user, artifact, statistics })))
      throw new HttpError(422, 'this evaluation is recorded already')
    const detail = { artifact, model: model!.hash, against: others.map(({ hash }) => hash).join(', ') }
    await audit(query, {
      actor: user,
      project: project.id,
      action: 'evaluation.record',
      subject: evaluation.id,
      detail,
    })
  })
  return { artifact, file }
}

type Result = Pick<Evaluation, 'metric' | 'against' | 'rated' | 'statistics'> & { rows: number }
type Workplace = { store: Store; workspace: string; rating: Rating }

async function winRateResult({ store, workspace }: Workplace, o: Asked, levels: number[]): Promise<Result> {
  const judgedAt = await judging(store.query, workspace, o)
  const judged = judgedAt(LEVEL)
  if (!judged) throw new HttpError(422, NOT_YET)
  const { folder, hash } = o.fill.models[1]!
  return {
    metric: 'win-rate',
    against: { path: folder, hash: hash! },
    rows: judged.items.length,
    statistics: atLevels(levels, (level) => statisticsOf(level === LEVEL ? judged : judgedAt(level)!)),
  }
}

async function roundResult({ store, workspace, rating }: Workplace, o: Asked, levels: number[]): Promise<Result> {
  const round = await roundIn(store.query, workspace, o)
  if (!round) throw new HttpError(422, NOT_YET)
  const { rows, facts, ...toRate } = round
  return {
    metric: 'ratings',
    rated: o.fill.models.map(({ folder, hash }, i) => ({ name: round.models[i]!, path: folder, hash: hash! })),
    rows,
    statistics: { ...(await rating.rate({ ...toRate, levels })), ...facts },
  }
}

const NOT_YET = 'some pairs have no judgement that says anything: let them be judged first'

function statisticsOf(judged: Judged) {
  return {
    'win-rate': judged.winRate,
    ...(judged.strata.length > 0 && { strata: judged.strata }),
    equal: judged.equal,
    'cannot-judge': judged.cannotJudge,
    adjudicated: judged.adjudicated,
    excluded: judged.excluded,
    ...Object.fromEntries(judged.criteria.map(({ name, ...rate }) => [name, { 'win-rate': rate }])),
    ...(judged.weighted && { weighted: { 'win-rate': judged.weighted } }),
  }
}
