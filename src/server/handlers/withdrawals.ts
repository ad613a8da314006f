// Withdrawing answers. What depends on them is read from the records in the workspace: dataset versions that hold them, and
// by lineage all that was made of those.
import { listVersions, versionRows } from '#data'
import { HttpError } from '#errors'
import { type Graph, nodeOf, reach, readGraph } from '#lineage'
import { audit, listMatching, listWithdrawals, type Project, undoWithdrawal, withdraw } from '#store'
import type { Handlers, Service } from '../call.ts'
import type { AnswerOf } from '../contract.ts'
import { ownDatasets } from './data.ts'

type Withdrawals = Pick<
  Handlers,
  | 'GET /api/projects/{project}/withdrawals'
  | 'GET /api/projects/{project}/withdrawals/effect'
  | 'POST /api/projects/{project}/withdrawals'
  | 'POST /api/projects/{project}/withdrawals/{withdrawal}/undo'
>
type Effect = AnswerOf<'GET /api/projects/{project}/withdrawals/effect'>

export const withdrawalHandlers: Withdrawals = {
  'GET /api/projects/{project}/withdrawals': async ({ service, project }) => ({
    withdrawals: await listWithdrawals(service.store.query, project.id),
  }),

  'GET /api/projects/{project}/withdrawals/effect': async ({ service, project, query: rule }) => {
    if (Object.values(rule).every((value) => value === undefined))
      throw new HttpError(422, 'expected a person, a time or a guideline')
    const found = await listMatching(service.store.query, project.id, rule)
    return {
      judgements: found.length,
      campaigns: tally(found, ({ campaign }) => campaign).map(([first, judgements]) => ({
        id: first.campaign,
        name: first.campaignName,
        judgements,
      })),
      people: tally(found, ({ user }) => user).map(([{ user, name }, judgements]) => ({ user, name, judgements })),
      dependants: found.length === 0 ? [] : dependantsOf(service, project, new Set(found.map(({ id }) => id))),
    }
  },

  'POST /api/projects/{project}/withdrawals': async ({ service, project, user, body }) =>
    service.store.transaction(async (query) => {
      const made = await withdraw(query, project.id, { ...body, by: user.id })
      if (!made) throw new HttpError(422, 'rule: no answer that counts is meant by it')
      const detail = { ...body.rule, judgements: made.judgements }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'judgements.withdraw',
        subject: made.id,
        detail,
      })
      return made
    }),

  'POST /api/projects/{project}/withdrawals/{withdrawal}/undo': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const made = await undoWithdrawal(query, project.id, { id: params.withdrawal, reason: body.reason, by: user.id })
      if (!made) throw new HttpError(404, 'there is no such withdrawal that stands')
      const detail = { undoes: params.withdrawal, judgements: made.judgements }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'judgements.restore',
        subject: made.id,
        detail,
      })
      return made
    }),
}

/** The first of each kind with how many there are, in order of appearance. */
function tally<T>(found: readonly T[], keyOf: (one: T) => string): [T, number][] {
  const counts = new Map<string, [T, number]>()
  for (const one of found) {
    const known = counts.get(keyOf(one))
    if (known) known[1]++
    else counts.set(keyOf(one), [one, 1])
  }
  return [...counts.values()]
}

const MADE = new Set(['preference', 'dataset', 'file', 'run', 'model', 'checkpoint', 'evaluation', 'release'])

function dependantsOf({ workspace }: Service, project: Project, ids: ReadonlySet<string>): Effect['dependants'] {
  const versions = ownDatasets(workspace, project)
    .flatMap((name) => listVersions(workspace, name))
    .filter(({ kind }) => kind === 'judgements')
    .flatMap((version) => {
      let rows = 0
      const all: Iterable<unknown> = versionRows(workspace, version)
      for (const row of all as Iterable<{ id?: unknown }>)
        rows += Number(typeof row.id === 'string' && ids.has(row.id.split('.', 1)[0]!))
      return rows === 0 ? [] : [{ version, rows }]
    })
  if (versions.length === 0) return []
  const graph: Graph = readGraph(workspace)
  const below = new Set(versions.flatMap(({ version }) => [...reach(graph, { id: version.version }, 'down')]))
  for (const { version } of versions) below.delete(version.version)
  return [
    ...versions.map(({ version, rows }) => ({
      kind: 'dataset',
      label: `${version.name.slice(project.filePrefix.length)}@${version.version.slice(0, 12)}`,
      rows,
    })),
    ...[...below].flatMap((id) => {
      const node = nodeOf(graph, id)
      return node && MADE.has(node.kind) ? [{ kind: node.kind, label: node.label, rows: null }] : []
    }),
  ]
}
