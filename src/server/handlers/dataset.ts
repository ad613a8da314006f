// One dataset. Whole versions are looked at by a worker; an answer that is not there yet is asked for again.
import { listVersions, rowPieces, type Version, versionRows } from '#data'
import type { Project } from '#store'
import type { Handlers } from '../call.ts'
import { originOf } from '../origins.ts'
import { ownDatasets, ownVersion, ownVersions, shown } from './data.ts'

type Dataset = Pick<
  Handlers,
  | 'GET /api/projects/{project}/datasets/{dataset}/versions'
  | 'GET /api/projects/{project}/datasets/{dataset}/file'
  | 'GET /api/projects/{project}/datasets/{dataset}/difference'
>

const TYPES = { jsonl: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' }

export const datasetHandlers: Dataset = {
  'GET /api/projects/{project}/datasets/{dataset}/versions': async ({ service, project, params }) => {
    const versions = ownVersions(service.workspace, project, params.dataset)
    const names = namesOfVersions(service.workspace, project)
    return {
      name: params.dataset,
      kind: versions[0]!.kind,
      versions: versions.reverse().map((version) => ({
        ...version,
        origin: originOf(version),
        parents: version.parents.map((hash) => ({ version: hash, name: names.get(hash) ?? null })),
      })),
    }
  },

  'GET /api/projects/{project}/datasets/{dataset}/file': async ({ service, project, params, query }) => {
    const version = ownVersion(service.workspace, project, params.dataset, query.version)
    const name = `${params.dataset}-${version.version.slice(0, 12)}.${query.format}`
    return { type: TYPES[query.format], name, body: piecesOf(service.workspace, version, query.format) }
  },

  'GET /api/projects/{project}/datasets/{dataset}/difference': async ({ service, project, params, query }) => {
    const { workspace, examining } = service
    const previous = ownVersions(workspace, project, params.dataset).at(-2)?.version
    const before = ownVersion(workspace, project, params.dataset, query.before ?? previous)
    const after = ownVersion(workspace, project, params.dataset, query.after)
    const answer = examining.look({ what: 'difference', before: referenceTo(before), after: referenceTo(after) })
    if (!answer) return { state: 'running' }
    return { state: 'done', before: shown(before, project), after: shown(after, project), ...answer }
  },
}

function referenceTo({ name, version }: Version): string {
  return `${name}@${version}`
}

/** Which dataset of the project has a version. */
function namesOfVersions(workspace: string, project: Project): Map<string, string> {
  const all = ownDatasets(workspace, project).flatMap((file) => listVersions(workspace, file))
  return new Map(all.map((version) => [version.version, shown(version, project).name]))
}

/** Between pieces others get their turn. */
async function* piecesOf(workspace: string, version: Version, format: 'jsonl' | 'csv'): AsyncGenerator<string> {
  for (const piece of rowPieces(versionRows(workspace, version), { kind: version.kind, format })) {
    await new Promise((done) => setImmediate(done))
    yield piece
  }
}
