// Datasets and the guideline. An upload is spooled to disk and imported by the same code as the command line; it becomes
// a version whole, or the answer says which line and field is wrong and nothing is there.
import fs from 'node:fs'
import { basename, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { importVersion, type Kind, listDatasets, listVersions, type Version, versionRows } from '#data'
import { ConfigError, DataError, HttpError } from '#errors'
import { addGuideline, audit, dropUnsaved, listGuidelines, type Project } from '#store'
import { partShown } from '../agreement.ts'
import type { Handlers } from '../call.ts'
import { agreementByVersion, changeBetween, changeShown } from '../guideline-changes.ts'
import { objectiveKept } from '../objective.ts'
import { diskTrouble } from '../refusals.ts'

type Data = Pick<
  Handlers,
  | 'GET /api/projects/{project}/datasets'
  | 'POST /api/projects/{project}/datasets/{dataset}'
  | 'GET /api/projects/{project}/datasets/{dataset}/rows'
  | 'GET /api/projects/{project}/guideline'
  | 'GET /api/projects/{project}/guideline/change'
  | 'GET /api/projects/{project}/guideline/agreement'
  | 'PUT /api/projects/{project}/guideline'
>

const MOST_UPLOAD_BYTES = 2 * 2 ** 30
const ROWS_AT_ONCE = 50
/** Of a dataset in the workspace, its project's prefix with it. */
const MOST_NAME = 64

export const dataHandlers: Data = {
  'GET /api/projects/{project}/datasets': async ({ service, project }) => ({
    datasets: ownDatasets(service.workspace, project).map((file) => {
      const versions = listVersions(service.workspace, file)
      return { ...shown(versions.at(-1)!, project), versions: versions.length }
    }),
  }),

  'POST /api/projects/{project}/datasets/{dataset}': async ({ service, project, user, params, query, upload }) => {
    if (!upload) throw new HttpError(422, 'expected a file as the body')
    const folder = fs.mkdtempSync(join(service.workspace, '.upload-'))
    try {
      const file = join(folder, fileName(query.file))
      await spool(upload, file)
      const imported = await importUpload(service.workspace, file, fileOf(project, params.dataset), query.kind)
      await service.store.transaction((statement) =>
        audit(statement, {
          actor: user.id,
          project: project.id,
          action: 'dataset.import',
          subject: params.dataset,
          detail: { version: imported.version.version, rows: imported.version.rows },
        }),
      )
      return { ...shown(imported.version, project), isNew: imported.isNew }
    } finally {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  },

  'GET /api/projects/{project}/datasets/{dataset}/rows': async ({ service, project, params, query }) => {
    const version = ownVersion(service.workspace, project, params.dataset, query.version)
    const { from } = query
    const rows: Record<string, unknown>[] = []
    let at = 0
    for (const row of versionRows(service.workspace, version)) {
      if (at++ < from) continue
      rows.push(row)
      if (rows.length === ROWS_AT_ONCE) break
    }
    return { version: shown(version, project), from, rows }
  },

  'GET /api/projects/{project}/guideline': async ({ service, project, role }) => {
    const versions = await listGuidelines(service.store.query, project.id)
    return { versions: role === 'annotator' ? versions.map((version) => ({ ...version, by: undefined })) : versions }
  },

  'GET /api/projects/{project}/guideline/change': async ({ service, project, query: { before, after } }) => {
    const { query } = service.store
    const versions = await listGuidelines(query, project.id)
    const [first, second] = [before, after].map((number) => versions.find((version) => version.number === number))
    if (!first || !second)
      throw new HttpError(422, `expected versions from 1 to ${versions.length}, got ${before} and ${after}`)
    const { items, verdict, percent, alpha, gwetAC1, goldAccuracy } = await changeBetween(query, project, [
      first,
      second,
    ])
    return {
      items,
      verdict,
      percent: changeShown(percent),
      alpha: changeShown(alpha),
      gwetAC1: changeShown(gwetAC1),
      goldAccuracy: goldAccuracy ? changeShown(goldAccuracy) : null,
    }
  },

  'GET /api/projects/{project}/guideline/agreement': async ({ service, project }) => {
    const { query } = service.store
    const versions = await agreementByVersion(query, project, await listGuidelines(query, project.id))
    return { versions: versions.map(partShown) }
  },

  'PUT /api/projects/{project}/guideline': async ({ service, project, user, body }) =>
    service.store.transaction(async (query) => {
      await dropUnsaved(query, { project: project.id, user: user.id, editor: 'guideline' })
      const isNew = await addGuideline(query, project.id, {
        text: body.text,
        by: user.id,
        objective: objectiveKept(service.workspace, project),
      })
      if (isNew)
        await audit(query, { actor: user.id, project: project.id, action: 'guideline.change', subject: project.slug })
      return { isNew }
    }),
}

/** Dataset files of a project. The first project's have plain names, so those that begin with another's prefix are not its. */
export function ownDatasets(workspace: string, { filePrefix }: Project): string[] {
  return listDatasets(workspace).filter((name) =>
    filePrefix === '' ? !name.includes('.') : name.startsWith(filePrefix),
  )
}

/** What a project's dataset is called among the workspace's files. */
export function fileOf({ filePrefix }: Project, dataset: string): string {
  if (dataset.includes('.')) throw new HttpError(422, 'dataset: expected a name of a-z, 0-9, _ and -')
  const most = MOST_NAME - filePrefix.length
  if (dataset.length > most) throw new HttpError(422, `dataset: expected a name of at most ${most} characters`)
  return `${filePrefix}${dataset}`
}

/** All versions of a dataset of the project, oldest first. */
export function ownVersions(workspace: string, project: Project, dataset: string): Version[] {
  const file = fileOf(project, dataset)
  if (!ownDatasets(workspace, project).includes(file)) throw new HttpError(404, `there is no dataset ${dataset}`)
  return listVersions(workspace, file)
}

/** The version of that hash; without one the newest. */
export function ownVersion(workspace: string, project: Project, dataset: string, hash?: string): Version {
  const versions = ownVersions(workspace, project, dataset)
  const found = hash === undefined ? versions.at(-1) : versions.find(({ version }) => version === hash)
  if (!found) throw new HttpError(404, `${dataset} has no version ${hash?.slice(0, 12)}`)
  return found
}

export function shown(version: Version, { filePrefix }: Project): Version {
  return { ...version, name: version.name.slice(filePrefix.length) }
}

/** The name of an upload, fit for a folder of its own. */
export function fileName(given: string | undefined): string {
  const name = basename(given ?? 'upload').replaceAll(/[^\w.() -]/g, '_')
  return /^[.]*$/.test(name) ? 'upload' : name
}

/** @throws HttpError 413 above `most` bytes. */
export async function spool(upload: ReadableStream<Uint8Array>, file: string, most = MOST_UPLOAD_BYTES): Promise<void> {
  let bytes = 0
  const limit = new Transform({
    transform(piece: Uint8Array, _, done) {
      bytes += piece.byteLength
      if (bytes > most) done(new HttpError(413, `expected at most ${most / 2 ** 20} MiB: split the file`))
      else done(null, piece)
    },
  })
  await pipeline(
    Readable.fromWeb(upload as Parameters<typeof Readable.fromWeb>[0]),
    limit,
    fs.createWriteStream(file, { flags: 'wx' }),
  ).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ECONNRESET') throw new HttpError(400, 'the upload ended before its end', { cause })
    throw cause
  })
}

async function importUpload(
  workspace: string,
  file: string,
  name: string,
  kind: Kind,
): Promise<Awaited<ReturnType<typeof importVersion>>> {
  try {
    return await importVersion(workspace, file, { kind, name })
  } catch (error) {
    if (diskTrouble(error) !== undefined) throw error
    // The uploader knows the file by its own name.
    if (error instanceof DataError || error instanceof ConfigError)
      throw new HttpError(422, error.message.replaceAll(file, basename(file)), { cause: error })
    throw error
  }
}
