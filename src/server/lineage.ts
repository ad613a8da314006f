// Lineage beside the requests: a worker holds the graph of a project as long as nothing that it was read from has changed.
// To the files of the workspace comes what the database knows besides: guidelines that were written in the browser, released
// names, judgements that lie in no dataset yet.
import fs from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { HttpError } from '#errors'
import { hashRow, sha256 } from '#files'
import {
  type Below,
  type Extra,
  keptObjective,
  type LooseJudgement,
  type Node,
  type Walk,
  type WrittenGuideline,
} from '#lineage'
import { Objective } from '#schema'
import {
  findSubmission,
  listCandidacies,
  listGuidelines,
  listReleases,
  objectiveTexts,
  type Project,
  type Query,
  type Store,
} from '#store'
import { pseudonymOf } from './campaign-report.ts'
import { objectiveOf } from './objective.ts'

/** `made`: what was made of nodes with these ids. */
type Asked = { id?: string; loose?: LooseJudgement | undefined; made?: readonly string[] }
type Reader = {
  /** What its graph was read from. */
  state: string
  ask<T>(asked: Asked): Promise<T>
  /** Reads the graph anew before it answers what is asked from now on. */
  renew(data: object, state: string): void
  /** It ends now. */
  stop(): Promise<unknown>
}
type Where = { store: Store; workspace: string; project: Project }

/** Nobody walks for so long, and the worker ends. */
const IDLE_MILLISECONDS = 60_000
const readers = new Map<string, Reader>()

export async function beginnings(where: Where): Promise<Node[]> {
  return (await readerOf(where)).ask<Node[]>({})
}

/** Paths in it begin in the workspace: a run is `runs/NAME`. Read anew, since models are refused by it. */
export async function belowIn(where: Where, ids: readonly string[]): Promise<Below> {
  return (await readerOf(where, { isAnew: true })).ask<Below>({ made: ids })
}

export async function walkIn(where: Where, id: string): Promise<Walk> {
  const reader = await readerOf(where)
  const found = await reader.ask<Walk | undefined>({ id })
  if (found) return found
  const { query } = where.store
  const loose = /^[0-9a-f-]{36}$/.test(id)
    ? ((await looseJudgement(query, where.project, id)) ??
      (await looseAnswer(query, where.project, id)) ??
      (await looseSubmission(query, where.project, id)))
    : undefined
  const walked = loose && (await reader.ask<Walk | undefined>({ id, loose }))
  if (walked) return walked
  throw new HttpError(404, `nothing here is called ${id}: give a hash, a run, a dataset, a release or a judgement`)
}

/** A worker that nobody asks any more would keep the process until it is idle long enough. */
export async function closeLineage(workspace: string): Promise<void> {
  const own = [...readers].filter(([key]) => key.slice(0, key.lastIndexOf(' ')) === workspace)
  await Promise.all(own.map(([, reader]) => reader.stop()))
}

/** `isAnew`: also where nothing changed that is looked at to see whether something did. */
async function readerOf({ store, workspace, project }: Where, { isAnew = false } = {}): Promise<Reader> {
  const key = `${workspace} ${project.id}`
  const guidelines = await guidelinesOf(store.query, workspace, project)
  const extra = await releasesOf(store.query, project)
  const state = sha256(JSON.stringify([guidelines, extra, stampOf(workspace)]))
  const kept = readers.get(key)
  if (kept?.state === state && !isAnew) return kept
  const data = { root: workspace, guidelines, extra }
  // To start a worker takes longer than to read most workspaces.
  if (kept) {
    kept.renew(data, state)
    return kept
  }
  const reader = openReader(data, state, () => {
    if (readers.get(key) === reader) readers.delete(key)
  })
  readers.set(key, reader)
  return reader
}

function openReader(data: object, state: string, onEnd: () => void): Reader {
  const worker = new Worker(new URL('./lineage-worker.mjs', import.meta.url), { workerData: data })
  worker.unref()
  const open = new Map<number, { done: (answer: never) => void; fail: (error: Error) => void }>()
  let [count, isEnding] = [0, false]
  let idle: NodeJS.Timeout | undefined
  const end = (): void => {
    isEnding = true
    onEnd()
    if (open.size === 0) void worker.terminate()
  }
  const fail = (error: Error): void => {
    onEnd()
    for (const each of open.values()) each.fail(error)
    open.clear()
  }
  worker.on('message', ({ number, answer, problem }: { number: number; answer: never; problem?: string }) => {
    const asking = open.get(number)
    open.delete(number)
    if (problem === undefined) asking?.done(answer)
    else asking?.fail(new HttpError(422, problem))
    if (isEnding && open.size === 0) void worker.terminate()
    clearTimeout(idle)
    idle = setTimeout(end, IDLE_MILLISECONDS)
    idle.unref()
  })
  // A damaged record is said by its name; anything else is a defect.
  worker.on('error', (error: Error) =>
    fail(['DataError', 'ConfigError'].includes(error.name) ? new HttpError(422, error.message) : error),
  )
  worker.on('exit', () =>
    fail(new HttpError(503, 'the records of the workspace were not read to their end: ask again')),
  )
  return {
    state,
    renew(renewed, to) {
      this.state = to
      worker.postMessage({ renewed }, [])
    },
    stop: () => worker.terminate(),
    ask(asked) {
      const number = count++
      return new Promise((done, no) => {
        open.set(number, { done, fail: no })
        worker.postMessage({ number, ...asked }, [])
      })
    },
  }
}

/** Changes when a dataset gets a version, a run its record, or somebody writes an evaluation. */
function stampOf(workspace: string): string[] {
  const of = (folder: string, name: string): string[] => {
    const { mtimeMs, size } = fs.statSync(join(folder, name), { throwIfNoEntry: false }) ?? {}
    return mtimeMs === undefined ? [] : [`${name} ${size} ${mtimeMs}`]
  }
  const names = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [])
  const files = (folder: string): string[] =>
    names(folder)
      .filter((name) => /\.jsonl?$/.test(name))
      .flatMap((name) => of(folder, name))
  const runs = join(workspace, 'runs')
  return [
    ...files(workspace),
    ...files(join(workspace, 'datasets')),
    ...files(join(workspace, 'evaluations')),
    ...names(runs).flatMap((run) => [...of(runs, join(run, 'run.json')), ...of(runs, join(run, 'marks'))]),
  ]
}

/** Versions written in the browser, each with the objective that it was written under. */
async function guidelinesOf(query: Query, workspace: string, project: Project): Promise<WrittenGuideline[]> {
  const now = objectiveOf(workspace, project)
  const [versions, texts] = await Promise.all([listGuidelines(query, project.id), objectiveTexts(query, project.id)])
  const textOf = (id: string): Objective | undefined =>
    now && hashRow(now) === id ? now : (Objective.safeParse(texts.get(id)).data ?? keptObjective(workspace, id))
  return versions
    .map(({ text, madeAt, objective: id }) => ({
      text,
      // Where none was ever saved, the file is all that there has been.
      objective: id !== null ? (textOf(id) ?? { id }) : texts.size === 0 ? now : undefined,
      created: madeAt,
    }))
    .reverse()
}

/** Each entry of a name: the weights, the evaluations that its rules read, who signed. */
async function releasesOf(query: Query, project: Project): Promise<Extra> {
  const [entries, candidacies] = await Promise.all([
    listReleases(query, project.id),
    listCandidacies(query, project.id),
  ])
  const extra: Extra = { nodes: [], edges: [] }
  for (const { id, name, hash, candidacy: of, model, by, backTo, lapsedAt } of entries.reverse()) {
    const { gates, signedBy, evaluations, objective } = candidacies.find((each) => each.id === of)!
    const rules = `${gates.filter(({ passed }) => passed).length} of ${gates.length} rules passed`
    const made = backTo === null ? `${rules}, signed by ${signedBy}` : `back to #${backTo}, by ${by}`
    const detail = lapsedAt === null ? made : `${made}; waiver expired`
    const release = `release ${name} #${id}`
    extra.nodes.push(
      { id: release, kind: 'release', label: `${name} #${id}`, detail },
      { id: hash, kind: 'model', label: model },
      ...evaluations.map((each): Node => ({ id: each.hash, kind: 'evaluation', label: each.name })),
    )
    extra.edges.push(
      { from: hash, to: release, role: 'weights' },
      ...evaluations.map((each) => ({ from: each.hash, to: release, role: each.label ?? 'evaluation' })),
    )
    if (objective === null) continue
    extra.nodes.push({ id: objective, kind: 'objective', label: objective.slice(0, 12) })
    extra.edges.push({ from: objective, to: release, role: 'objective' })
  }
  return extra
}

async function looseJudgement(query: Query, project: Project, id: string): Promise<LooseJudgement | undefined> {
  const [row] = await query<{
    user: string
    item: string
    choice: string
    comparisons: string
    campaign: string
    guideline: string
    objective: string | null
  }>(
    `select user_id as user, item, choice, version as comparisons, campaigns.name as campaign,
       'guideline@' || left(sha256, 12) as guideline, objective_sha256 as objective
     from judgements join items on items.id = item_id join campaigns on campaigns.id = campaign_id
       join guidelines on guidelines.id = judgements.guideline_id
     where judgements.id = $1 and campaigns.project_id = $2`,
    [id, project.id],
  )
  if (!row) return undefined
  const label = `${pseudonymOf(project, row.user)} on ${row.item}`
  const detail = `said ${row.choice} in ${row.campaign}; in no dataset yet`
  return {
    node: { id, kind: 'judgement', label, detail },
    comparisons: row.comparisons,
    guideline: row.guideline,
    objective: row.objective,
  }
}

/** A rating or a ranking. */
async function looseAnswer(query: Query, project: Project, id: string): Promise<LooseJudgement | undefined> {
  const [row] = await query<{
    user: string
    item: string
    kind: string
    comparisons: string
    campaign: string
    guideline: string
    objective: string | null
  }>(
    `select user_id as user, item, kind, version as comparisons, campaigns.name as campaign,
       'guideline@' || left(sha256, 12) as guideline, objective_sha256 as objective
     from answers join items on items.id = item_id join campaigns on campaigns.id = campaign_id
       join guidelines on guidelines.id = answers.guideline_id
     where answers.id = $1 and campaigns.project_id = $2`,
    [id, project.id],
  )
  if (!row) return undefined
  const label = `${pseudonymOf(project, row.user)} on ${row.item}`
  const detail = `${row.kind === 'ratings' ? 'rated' : 'ranked'} in ${row.campaign}; in no dataset yet`
  return {
    node: { id, kind: 'judgement', label, detail },
    comparisons: row.comparisons,
    guideline: row.guideline,
    objective: row.objective,
  }
}

/** What somebody wrote and is in no dataset yet, or was not accepted. */
async function looseSubmission(query: Query, project: Project, id: string): Promise<LooseJudgement | undefined> {
  const found = await findSubmission(query, project.id, id)
  if (!found) return undefined
  const label = `${pseudonymOf(project, found.user)} on ${found.item}`
  const detail = `written in ${found.campaignName}, ${found.state}; in no dataset`
  return {
    node: { id, kind: 'demonstration', label, detail },
    comparisons: found.version,
    guideline: found.guideline,
    objective: found.objective,
  }
}
