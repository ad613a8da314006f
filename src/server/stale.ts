// What rests on answers that are withdrawn now, read from the records of the workspace and from orders that wait; and runs that
// took the place of others, which say so themselves.
import { next, type Node, nodeOf } from '#lineage'
import { RunOrder, takesOf } from '#schema'
import { listWithdrawn, type Project } from '#store'
import type { Service } from './call.ts'
import { type OwnRun, ownRuns, stateOfRun } from './run-views.ts'
import { type Holding, type MadeOf, madeOfHolding, versionsWith } from './withdrawn.ts'

export type Stale = MadeOf & {
  workspace: string
  project: Project
  /** Ids of the withdrawn answers. */
  answers: ReadonlySet<string>
  /** Versions that hold some of them. */
  holding: Holding[]
  runs: ReadonlyMap<string, OwnRun>
  /** By the run whose place each took. */
  superseding: ReadonlyMap<string, OwnRun>
}

/** Reads the workspace anew, beside the requests, where something is withdrawn. @throws HttpError 422 where a record in it is damaged. */
export async function staleIn(service: Service, project: Project): Promise<Stale> {
  const answers = new Set(await listWithdrawn(service.store.query, project.id))
  const holding = versionsWith(service, project, answers)
  const runs = await ownRuns(service, project)
  return {
    workspace: service.workspace,
    project,
    answers,
    holding,
    ...(await madeOfHolding(service, project, holding)),
    runs: new Map(runs.map((own) => [own.run, own])),
    superseding: supersedingOf(runs),
  }
}

/** Runs by the one whose place they took. */
export function supersedingOf(runs: readonly OwnRun[]): Map<string, OwnRun> {
  return new Map(
    runs.flatMap((own): [string, OwnRun][] => {
      const before = supersededBy(own)
      return before ? [[before.run, own]] : []
    }),
  )
}

/** The run whose place this one takes; why is not known of one that was begun at the command line. */
export function supersededBy({ job, folder }: OwnRun): { run: string; why: string | null } | undefined {
  const order = RunOrder.safeParse(job?.ordered).data
  if (order?.supersedes) return order.supersedes
  return folder?.supersedes === undefined ? undefined : { run: folder.supersedes, why: null }
}

/** Whether a run rests on withdrawn answers, or will once it begins. */
export function isStale(stale: Stale, run: string): boolean {
  const own = stale.runs.get(run)
  if (!own || own.folder) return stale.below.has(`runs/${run}`)
  const order = RunOrder.safeParse(own.job?.ordered).data
  return Object.entries(order?.inputs ?? {}).some(([input, value]) => {
    const takes = takesOf(order!.recipe, input)
    if (takes === 'model' || takes === 'reward') return isStale(stale, value)
    return stale.holding.some(({ version }) => value === `${version.name}@${version.version}`)
  })
}

/** Of a model that no run of the project made: whether it rests on withdrawn answers. */
export function isModelStale({ below, graph }: Stale, name: string): boolean {
  return [...below].some((id) => nodeOf(graph, id)?.label === name)
}

/** Whether a version was made of versions that hold withdrawn answers, and holds none itself. */
export function isMadeOf({ below, holding }: Stale, version: string): boolean {
  return below.has(version) && !holding.some((each) => each.version.version === version)
}

/** The project's run that a node is, or that made it. */
export function runOf({ runs, graph }: Stale, node: Node): OwnRun | undefined {
  const makers = node.kind === 'run' ? [node.id] : next(graph, node.id, 'up').map(({ id }) => id)
  return makers.flatMap((id) => (id.startsWith('runs/') ? runs.get(id.slice('runs/'.length)) : undefined) ?? [])[0]
}

/** The last in the line of runs that took a run's place, once it is done and rests on no withdrawn answer. */
export function placeTaken(stale: Stale, run: string): { name: string } | { refusal: string } {
  let last = run
  for (let after = stale.superseding.get(last); after; after = stale.superseding.get(last)) last = after.run
  if (isStale(stale, last)) return { refusal: `${last} rests on them too; train that again first` }
  const state = stateOfRun(stale.runs.get(last)!)
  return state === 'done' ? { name: last } : { refusal: `${last}, which takes the place of ${run}, is not done yet` }
}
