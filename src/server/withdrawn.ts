// What rests on answers: dataset versions that hold them, and by lineage all that was made of those. Read from the records in
// the workspace, so that what was trained anew without them rests on them no more, with nothing to be marked or unmarked.
import { listVersions, type Version, versionRows } from '#data'
import { HttpError } from '#errors'
import { nodeOf, reach, readGraph } from '#lineage'
import { listWithdrawn, type Project } from '#store'
import type { Service } from './call.ts'
import type { AnswerOf } from './contract.ts'
import { ownDatasets } from './handlers/data.ts'

type Dependants = AnswerOf<'GET /api/projects/{project}/withdrawals'>['dependants']
type Holding = { version: Version; rows: number }

const MADE = new Set(['preference', 'dataset', 'file', 'run', 'model', 'checkpoint', 'evaluation', 'release'])

/** `answers`: their ids. */
export function dependantsOf(service: Service, project: Project, answers: readonly string[]): Dependants {
  const holding = versionsWith(service, project, answers)
  if (holding.length === 0) return []
  const graph = readGraph(service.workspace)
  const below = new Set(holding.flatMap(({ version }) => [...reach(graph, { id: version.version }, 'down')]))
  for (const { version } of holding) below.delete(version.version)
  return [
    ...holding.map(({ version, rows }) => ({ kind: 'dataset', label: labelOf(project, version), rows })),
    ...[...below].flatMap((id) => {
      const node = nodeOf(graph, id)
      if (!node || !MADE.has(node.kind)) return []
      // Where the workspace lies on its machine is nobody's business.
      return [{ kind: node.kind, label: node.label.replaceAll(`${service.workspace}/`, ''), rows: null }]
    }),
  ]
}

/** @throws HttpError 422 where the model of that hash was trained on answers that are withdrawn now. */
export async function refuseWithdrawn(
  service: Service,
  project: Project,
  { name, hash }: { name: string; hash: string },
): Promise<void> {
  const holding = versionsWith(service, project, await listWithdrawn(service.store.query, project.id))
  if (holding.length === 0) return
  const graph = readGraph(service.workspace)
  const under = holding.filter(({ version }) => reach(graph, { id: version.version }, 'down').has(hash))
  if (under.length === 0) return
  const data = under.map(({ version, rows }) => `${labelOf(project, version)}, ${rows} of ${version.rows} rows`)
  throw new HttpError(
    422,
    `${name} was trained on withdrawn answers (${data.join('; ')}): keep the judgements anew and train again on those, or take the withdrawal back`,
  )
}

/** Versions of judgements that hold any of them, and how many rows of each are theirs. */
function versionsWith({ workspace }: Service, project: Project, answers: readonly string[]): Holding[] {
  const ids = new Set(answers)
  if (ids.size === 0) return []
  return ownDatasets(workspace, project)
    .flatMap((name) => listVersions(workspace, name))
    .filter(({ kind }) => kind === 'judgements')
    .flatMap((version) => {
      let rows = 0
      const all: Iterable<unknown> = versionRows(workspace, version)
      for (const row of all as Iterable<{ id?: unknown }>)
        rows += Number(typeof row.id === 'string' && ids.has(row.id.split('.', 1)[0]!))
      return rows === 0 ? [] : [{ version, rows }]
    })
}

function labelOf({ filePrefix }: Project, { name, version }: Version): string {
  return `${name.slice(filePrefix.length)}@${version.slice(0, 12)}`
}
