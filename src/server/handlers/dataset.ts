// One dataset. Whole versions are looked at by a worker; an answer that is not there yet is asked for again.
import fs from 'node:fs'
import { join } from 'node:path'
import {
  type CheckSettings,
  listVersions,
  quotaProgress,
  type Quotas,
  readQuotas,
  rowPieces,
  type Version,
  versionRows,
} from '#data'
import { DataError, HttpError } from '#errors'
import { audit, type Project } from '#store'
import type { Handlers } from '../call.ts'
import { originOf } from '../origins.ts'
import { fileOf, ownDatasets, ownVersion, ownVersions, shown } from './data.ts'

type Dataset = Pick<
  Handlers,
  | 'GET /api/projects/{project}/datasets/{dataset}/versions'
  | 'GET /api/projects/{project}/datasets/{dataset}/file'
  | 'GET /api/projects/{project}/datasets/{dataset}/difference'
  | 'GET /api/projects/{project}/datasets/{dataset}/check'
  | 'POST /api/projects/{project}/datasets/{dataset}/check'
  | 'GET /api/projects/{project}/datasets/{dataset}/split'
  | 'POST /api/projects/{project}/datasets/{dataset}/split'
  | 'GET /api/projects/{project}/datasets/{dataset}/coverage'
>

const TYPES = {
  jsonl: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
}

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

  'GET /api/projects/{project}/datasets/{dataset}/check': async ({ service, project, params, query }) => {
    const version = ownVersion(service.workspace, project, params.dataset, query.version)
    const settings = checkSettings(service.workspace, project, version, query)
    const answer = service.examining.look({ what: 'check', ...settings })
    return answer ? { state: 'done', ...answer } : { state: 'running' }
  },

  'POST /api/projects/{project}/datasets/{dataset}/check': async ({ service, project, user, params, body }) => {
    const version = ownVersion(service.workspace, project, params.dataset, body.version)
    const settings = checkSettings(service.workspace, project, version, body)
    const made = await service.examining.make({ what: 'keep', ...settings })
    await service.store.transaction((query) =>
      audit(query, {
        actor: user.id,
        project: project.id,
        action: 'dataset.check',
        subject: params.dataset,
        detail: { from: version.version, version: made.version.version, rows: made.version.rows },
      }),
    )
    return { ...shown(made.version, project), isNew: made.isNew }
  },

  'GET /api/projects/{project}/datasets/{dataset}/split': async ({ service, project, params, query }) => {
    const version = ownVersion(service.workspace, project, params.dataset, query.version)
    const { shares, by, stratified, seed } = query
    const answer = service.examining.look({
      what: 'split-plan',
      version: referenceTo(version),
      shares: sharesIn(shares),
      by,
      stratified: stratified === 'true',
      seed,
    })
    return answer ? { state: 'done', ...answer } : { state: 'running' }
  },

  'POST /api/projects/{project}/datasets/{dataset}/split': async ({ service, project, user, params, body }) => {
    const version = ownVersion(service.workspace, project, params.dataset, body.version)
    const { by, stratified, seed } = body
    const shares = sharesIn(body.shares)
    for (const part of Object.keys(shares)) mustBeFree(service.workspace, project, `${params.dataset}-${part}`, version)
    const settings = { version: referenceTo(version), shares, by, stratified, seed }
    const { made, report } = await service.examining.make({ what: 'split', ...settings })
    await service.store.transaction((query) =>
      audit(query, {
        actor: user.id,
        project: project.id,
        action: 'dataset.split',
        subject: params.dataset,
        detail: { from: version.version, shares: body.shares, by, stratified, seed, hash: report.hash },
      }),
    )
    return { made: Object.values(made).map((part) => ({ ...shown(part.version, project), isNew: part.isNew })) }
  },

  'GET /api/projects/{project}/datasets/{dataset}/coverage': async ({ service, project, params, query }) => {
    const version = ownVersion(service.workspace, project, params.dataset, query.version)
    const answer = service.examining.look({
      what: 'coverage',
      version: referenceTo(version),
      demonstrations: referenceTo(demonstrationsIn(service.workspace, project, query.demonstrations)),
      similarity: query.similarity,
      seed: query.seed,
    })
    const quotas = quotasOf(service.workspace, project)
    if (!answer) return { state: 'running' }
    return { state: 'done', ...answer, quotas: quotas ? quotaProgress(answer.strata, quotas) : [] }
  },
}

/** Beside the objective: quotas.json, or NAME.quotas.json. A file that cannot be read is told, since nobody would miss its bars. */
function quotasOf(workspace: string, { objectiveFile }: Project): Quotas | undefined {
  const file = join(workspace, objectiveFile.replace(/objective\.json$/, 'quotas.json'))
  if (!fs.existsSync(file)) return undefined
  try {
    return readQuotas(file)
  } catch (error) {
    if (error instanceof DataError)
      throw new HttpError(422, error.message.replace(`${workspace}/`, ''), { cause: error })
    throw error
  }
}

function demonstrationsIn(workspace: string, project: Project, dataset: string | undefined): Version {
  if (dataset === undefined) throw new HttpError(422, 'demonstrations: expected the name of a dataset, got none')
  const version = ownVersion(workspace, project, dataset)
  if (version.kind !== 'demonstrations')
    throw new HttpError(422, `demonstrations: expected demonstrations, got ${version.kind} in ${dataset}`)
  return version
}

type GivenCheck = {
  heldOut?: string | undefined
  evaluation?: string | undefined
  policy: string
  similarity: number
  words: number
}

function checkSettings(workspace: string, project: Project, version: Version, given: GivenCheck): CheckSettings {
  const { heldOut, evaluation, similarity, words } = given
  const other = (name: 'heldOut' | 'evaluation', dataset: string | undefined) =>
    dataset === undefined ? {} : { [name]: referenceTo(withPrompts(name, ownVersion(workspace, project, dataset))) }
  return {
    version: referenceTo(version),
    ...other('heldOut', heldOut),
    ...other('evaluation', evaluation),
    policy: policyIn(given.policy),
    similarity,
    words,
  }
}

function policyIn(text: string): CheckSettings['policy'] {
  const pairs = pairsIn(text)
  const unlooked = pairs.find(([check]) => check === 'token-budget' || check === 'constraint')
  if (unlooked)
    throw new HttpError(422, `policy: ${unlooked[0]} would be ignored, it needs a model or rules: use hone data check`)
  return Object.fromEntries(pairs) as CheckSettings['policy']
}

function withPrompts(name: string, version: Version): Version {
  if (version.kind === 'judgements' || version.kind === 'ratings')
    throw new HttpError(422, `${name}: expected prompts, demonstrations or comparisons, got ${version.kind}`)
  return version
}

function sharesIn(text: string): Record<string, number> {
  return Object.fromEntries(pairsIn(text).map(([name, share]) => [name, Number(share)]))
}

/** `a=1,b=2` */
function pairsIn(text: string): [string, string][] {
  return text
    .split(',')
    .filter(Boolean)
    .map((pair) => pair.split('=') as [string, string])
}

/** Seen before any part is made. */
function mustBeFree(workspace: string, project: Project, dataset: string, { kind }: Version): void {
  const file = fileOf(project, dataset)
  const other = ownDatasets(workspace, project).includes(file) ? listVersions(workspace, file)[0]!.kind : kind
  if (other !== kind) throw new HttpError(422, `${dataset} holds ${other} already: rename the part`)
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
async function* piecesOf(workspace: string, version: Version, format: keyof typeof TYPES): AsyncGenerator<Uint8Array> {
  for (const piece of rowPieces(versionRows(workspace, version), { kind: version.kind, format })) {
    await new Promise((done) => setImmediate(done))
    yield piece
  }
}
