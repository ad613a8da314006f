// A run as people see it: its folder, which is the truth about itself, beside its job, which says whose turn it is. A run
// of the command line has no job.
import fs from 'node:fs'
import { join } from 'node:path'
import { HttpError } from '#errors'
import {
  findJob,
  findRunFolder,
  lastMetrics,
  listJobs,
  listRunFolders,
  type MarkCampaign,
  missingMarks,
  type Project,
  readRunConfig,
  readRunFacts,
  type RunFolder,
  type StoredJob,
} from '#store'
import type { Service } from './call.ts'
import type { AnswerOf } from './contract.ts'
import { ownershipOf } from './ownership.ts'

export type RunView = AnswerOf<'GET /api/projects/{project}/runs'>['runs'][number]

/** A run of a project: at least one of the two is there. */
export type OwnRun = {
  run: string
  folder: RunFolder | undefined
  job: StoredJob | undefined
  /** The campaign of its mark that people have not yet judged. */
  mark: MarkCampaign | undefined
}

/** Newest first. */
export async function ownRuns({ store, workspace }: Service, project: Project): Promise<OwnRun[]> {
  const jobs = new Map((await listJobs(store.query)).map((job) => [job.run, job]))
  const owns = await ownershipOf(store, project)
  const folders = new Map(listRunFolders(workspace).map((folder) => [folder.id, folder]))
  const names = new Set([...jobs.keys(), ...folders.keys()])
  const marks = new Map((await missingMarks(store.query, [...names])).map((mark) => [mark.run, mark]))
  return [...names]
    .filter((run) => owns(`runs/${run}`))
    .map((run) => ({ run, job: jobs.get(run), folder: folders.get(run), mark: marks.get(run) }))
    .map((own) => ({ own, at: madeAt(workspace, own) }))
    .sort((a, b) => b.at.localeCompare(a.at) || a.own.run.localeCompare(b.own.run))
    .map(({ own }) => own)
}

/** That run of the project; to a project that does not own it, it is not there. */
export async function ownRun(service: Service, project: Project, run: string): Promise<OwnRun> {
  const { store, workspace } = service
  const job = await findJob(store.query, run)
  const [mark] = await missingMarks(store.query, [run])
  const own = { run, job, folder: findRunFolder(workspace, run), mark }
  const owns = await ownershipOf(store, project)
  if ((!job && !own.folder) || !owns(`runs/${run}`)) throw new HttpError(404, `there is no run ${run}`)
  return own
}

function madeAt(workspace: string, { run, job }: OwnRun): string {
  if (job) return job.madeAt
  const stat = fs.statSync(join(workspace, 'runs', run, 'config.json'), { throwIfNoEntry: false })
  return new Date(stat?.mtimeMs ?? 0).toISOString()
}

/** The few figures that say how good it is, in this order. */
const FIGURES = ['heldOutLoss', 'generalRatio', 'loss', 'heldOutAccuracy', 'accuracy', 'score', 'kl']

export function viewOf(workspace: string, own: OwnRun): RunView {
  const { run, job, folder, mark } = own
  const at = join(workspace, 'runs', run)
  const metrics = lastMetrics(at)
  const state = stateOfRun(own)
  const { steps } = (readRunConfig(at).config ?? {}) as { steps?: unknown }
  const ordered = (job?.ordered as { settings?: { steps?: unknown } } | null)?.settings?.steps
  const of = steps ?? ordered
  return {
    run,
    recipe: folder?.recipe ?? job?.recipe ?? '',
    state,
    wish: job?.wish ?? null,
    reason: folder?.status === 'paused' ? reasonOfPause(at, run) : (job?.reason ?? ''),
    step: metrics?.step ?? null,
    of: typeof of === 'number' ? of : null,
    figures: FIGURES.flatMap((name) => {
      const value = metrics?.[name]
      return value === undefined ? [] : [{ name, value }]
    }),
    isSimulated: folder?.isSimulated ?? false,
    by: job?.by ?? null,
    madeAt: madeAt(workspace, own),
    attempts: job?.attempts ?? 0,
    waitsFor:
      state === 'waiting' && mark
        ? { campaign: mark.campaign, name: mark.name, step: mark.step, missing: mark.missing }
        : null,
    may: mayOf(own, state),
  }
}

function reasonOfPause(folder: string, run: string): string {
  return `${readRunFacts(folder)?.outcome?.reason ?? ''}. To go on: train a reward model on fresh judgements, then hone train ppo --resume runs/${run} --reward RUN`
}

/** The folder knows best whether it is done, and whether somebody works on it. */
export function stateOfRun({ job, folder, mark }: OwnRun): RunView['state'] {
  if (!job) return folder!.status === 'broken-off' && mark ? 'waiting' : folder!.status
  if (folder?.status === 'done' || folder?.status === 'paused') return folder.status
  const isHeld = folder?.status === 'running'
  return isHeld && ['paused', 'stopped', 'failed'].includes(job.state) ? 'running' : job.state
}

/** A run that a mark paused goes on with another reward model, by the command that its reason names. */
function mayOf({ job, folder }: OwnRun, state: RunView['state']): RunView['may'] {
  if (state === 'done' || folder?.status === 'paused') return []
  if (!job) return state === 'running' ? [] : ['resume']
  if (job.state === 'running') return job.wish === null ? ['pause', 'stop'] : job.wish === 'pause' ? ['stop'] : []
  if (job.state === 'queued' || job.state === 'waiting') return ['pause', 'stop']
  if (state === 'running') return []
  return job.state === 'paused' ? ['resume', 'stop'] : ['resume']
}
