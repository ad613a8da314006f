// Lineage: where to begin, and the walk from one thing. A project walks over what is its own.
import { HttpError } from '#errors'
import { hashRow } from '#files'
import type { Node, Walk } from '#lineage'
import { listRunFolders, objectiveOwners, type Project } from '#store'
import type { Handlers, Service } from '../call.ts'
import { beginnings, walkIn } from '../lineage.ts'
import { objectiveOf } from '../objective.ts'
import { type Owns, ownershipOf } from '../ownership.ts'

type Lineage = Pick<Handlers, 'GET /api/projects/{project}/lineage' | 'GET /api/projects/{project}/lineage/walk'>

export const lineageHandlers: Lineage = {
  'GET /api/projects/{project}/lineage': async ({ service, project }) => {
    const nodes = await beginnings({ ...service, project })
    const owns = await placesOf(service, project)
    return { nodes: nodes.filter((node) => isOf(owns, node, { nodes: [], edges: [] })) }
  },

  'GET /api/projects/{project}/lineage/walk': async ({ service, project, query: { id } }) => {
    const walk = await walkIn({ ...service, project }, id)
    const owns = await placesOf(service, project)
    // That there is such a thing is all that could be said of what belongs to others: so it is not there.
    if (!isOf(owns, walk.target, walk)) throw new HttpError(404, `nothing here is called ${id}`)
    const nodes = walk.nodes.filter((node) => node.way === 'target' || isOf(owns, node, walk))
    const shown = new Set(nodes.map((node) => node.id))
    return { ...walk, nodes, edges: walk.edges.filter(({ from, to }) => shown.has(from) && shown.has(to)) }
  },
}

const ROWS = ['judgement', 'preference', 'comparison', 'demonstration', 'row']
/** What a project has of them comes from its own tables and files. */
const OF_THE_PROJECT = ['guideline', 'sentence']

/** Whether files, by path, and objectives, by id, are the project's. */
type Ownership = { owns: Owns; ownsObjective: (id: string) => boolean }

/** An objective that the tables do not know was written at the command line, for the first project; its runs' are any project's own. */
async function placesOf({ store, workspace }: Service, project: Project): Promise<Ownership> {
  const owns = await ownershipOf(store, project)
  const known = new Map((await objectiveOwners(store.query, project.id)).map(({ sha256, isOwn }) => [sha256, isOwn]))
  const now = objectiveOf(workspace, project)
  if (now) known.set(hashRow(now), true)
  for (const { id, objective } of listRunFolders(workspace))
    if (objective && owns(`runs/${id}`)) known.set(objective.id, true)
  return { owns, ownsObjective: (id) => known.get(id) ?? project.filePrefix === '' }
}

type Places = Pick<Walk, 'nodes' | 'edges'>

/** A row belongs to whom a dataset or file that holds it does; one that none holds was looked up in the project itself. */
function isOf(ownership: Ownership, node: Node, { nodes, edges }: Places): boolean {
  if (ROWS.includes(node.kind)) {
    const below = new Set(edges.flatMap(({ from, to }) => (from === node.id ? [to] : [])))
    const holders = nodes.filter(({ id, kind }) => below.has(id) && !ROWS.includes(kind))
    return below.size === 0 || holders.some((holder) => isOf(ownership, holder, { nodes, edges }))
  }
  // A criterion is called by its objective's id, # and its name.
  if (node.kind === 'objective' || node.kind === 'criterion') return ownership.ownsObjective(node.id.split('#')[0]!)
  if (OF_THE_PROJECT.includes(node.kind) || node.id.startsWith('release ')) return true
  return pathsOf(node).some(ownership.owns)
}

/** A dataset is called by all its names; a model that answered, by that of its run. */
function pathsOf({ kind, label }: Node): string[] {
  if (kind === 'dataset') return label.split(', ').map((name) => `datasets/${name.split('@')[0]}`)
  return [kind === 'model' && label !== 'base' && !label.includes('/') ? `runs/${label.split('@')[0]}` : label]
}
