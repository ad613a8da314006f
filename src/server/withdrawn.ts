// What rests on answers: dataset versions that hold them, and by lineage all that was made of those. Read from the records in
// the workspace, so that what was trained anew without them rests on them no more, with nothing to be marked or unmarked.
import { listVersions, type Version, versionRows } from '#data'
import { HttpError } from '#errors'
import { type Below, type Graph, graphOfBelow, type Node, nodeOf, reach } from '#lineage'
import { listWithdrawn, type Project } from '#store'
import type { Service } from './call.ts'
import type { AnswerOf } from './contract.ts'
import { ownDatasets } from './handlers/data.ts'
import { belowIn } from './lineage.ts'

type Dependants = AnswerOf<'GET /api/projects/{project}/withdrawals/effect'>['dependants']
/** `rows`: how many of the version's rows are the answers. */
export type Holding = { version: Version; rows: number }

const MADE = new Set(['preference', 'dataset', 'file', 'run', 'model', 'checkpoint', 'evaluation', 'release'])

/** `answers`: their ids. */
export async function dependantsOf(
  service: Service,
  project: Project,
  answers: readonly string[],
): Promise<Dependants> {
  const holding = versionsWith(service, project, new Set(answers))
  const made = madeOf(await madeOfHolding(service, project, holding))
  return [
    ...holding.map((held) => heldShown(project, held)),
    ...made.map(({ kind, label }) => ({ kind, label, rows: null })),
  ]
}

export function heldShown(project: Project, { version, rows }: Holding): Dependants[number] {
  return { kind: 'dataset', label: labelOf(project, version), rows }
}

/** Of what was made of these versions, the ids without theirs, and the part of the graph that joins them to what they came from. */
export type MadeOf = { graph: Graph; below: ReadonlySet<string> }

export async function madeOfHolding(service: Service, project: Project, holding: readonly Holding[]): Promise<MadeOf> {
  const ids = holding.map(({ version }) => version.version)
  const part = ids.length === 0 ? NOTHING : await belowIn({ ...service, project }, ids)
  return { graph: graphOfBelow(part), below: new Set(part.below.filter((id) => !ids.includes(id))) }
}

const NOTHING: Below = { below: [], nodes: [], edges: [] }

/** Of what was made, what people know by a name. */
export function madeOf({ graph, below }: MadeOf): Node[] {
  return [...below].flatMap((id) => {
    const node = nodeOf(graph, id)
    return node && MADE.has(node.kind) ? [node] : []
  })
}

/** @throws HttpError 422 where the model of that hash was trained on answers that are withdrawn now. */
export async function refuseWithdrawn(
  service: Service,
  project: Project,
  { name, hash }: { name: string; hash: string },
): Promise<void> {
  const holding = versionsWith(service, project, new Set(await listWithdrawn(service.store.query, project.id)))
  const { graph } = await madeOfHolding(service, project, holding)
  const under = holding.filter(({ version }) => reach(graph, { id: version.version }, 'down').has(hash))
  if (under.length === 0) return
  const data = under.map(({ version, rows }) => `${labelOf(project, version)}, ${rows} of ${version.rows} rows`)
  throw new HttpError(
    422,
    `${name} was trained on withdrawn answers (${data.join('; ')}): keep the judgements anew and train again on those, or take the withdrawal back`,
  )
}

/** Versions of judgements that hold any of the answers. */
export function versionsWith({ workspace }: Service, project: Project, answers: ReadonlySet<string>): Holding[] {
  if (answers.size === 0) return []
  return ownDatasets(workspace, project)
    .flatMap((name) => listVersions(workspace, name))
    .filter(({ kind }) => kind === 'judgements')
    .flatMap((version) => {
      let rows = 0
      const all: Iterable<object> = versionRows(workspace, version)
      for (const row of all) rows += Number(isAmong(answers, row))
      return rows === 0 ? [] : [{ version, rows }]
    })
}

/** Whether a row is one of the answers, or what was said in it by criterion. */
export function isAmong(answers: ReadonlySet<string>, { id }: { id?: unknown }): boolean {
  return typeof id === 'string' && answers.has(id.split('.', 1)[0]!)
}

export function labelOf({ filePrefix }: Project, { name, version }: Version): string {
  return `${name.slice(filePrefix.length)}@${version.slice(0, 12)}`
}
