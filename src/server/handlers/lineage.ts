// Lineage: where to begin, and the walk from one thing. A project walks over what is its own.
import { HttpError } from '#errors'
import type { Node, Walk } from '#lineage'
import type { Handlers } from '../call.ts'
import { beginnings, walkIn } from '../lineage.ts'
import { type Owns, ownershipOf } from '../ownership.ts'

type Lineage = Pick<Handlers, 'GET /api/projects/{project}/lineage' | 'GET /api/projects/{project}/lineage/walk'>

export const lineageHandlers: Lineage = {
  'GET /api/projects/{project}/lineage': async ({ service, project }) => {
    const nodes = await beginnings({ ...service, project })
    const owns = await ownershipOf(service.store, project)
    return { nodes: nodes.filter((node) => isOf(owns, node, { nodes: [], edges: [] })) }
  },

  'GET /api/projects/{project}/lineage/walk': async ({ service, project, query: { id } }) => {
    const walk = await walkIn({ ...service, project }, id)
    const owns = await ownershipOf(service.store, project)
    // That there is such a thing is all that could be said of what belongs to others: so it is not there.
    if (!isOf(owns, walk.target, walk)) throw new HttpError(404, `nothing here is called ${id}`)
    const nodes = walk.nodes.filter((node) => node.way === 'target' || isOf(owns, node, walk))
    const shown = new Set(nodes.map((node) => node.id))
    return { ...walk, nodes, edges: walk.edges.filter(({ from, to }) => shown.has(from) && shown.has(to)) }
  },
}

const ROWS = ['judgement', 'preference', 'comparison', 'demonstration', 'row']
/** What a project has of them comes from its own tables and files. */
const OF_THE_PROJECT = ['guideline', 'objective', 'criterion', 'sentence']

type Places = Pick<Walk, 'nodes' | 'edges'>

/** A row belongs to whom a dataset or file that holds it does; one that none holds was looked up in the project itself. */
function isOf(owns: Owns, node: Node, { nodes, edges }: Places): boolean {
  if (ROWS.includes(node.kind)) {
    const below = new Set(edges.flatMap(({ from, to }) => (from === node.id ? [to] : [])))
    const holders = nodes.filter(({ id, kind }) => below.has(id) && !ROWS.includes(kind))
    return below.size === 0 || holders.some((holder) => isOf(owns, holder, { nodes, edges }))
  }
  if (OF_THE_PROJECT.includes(node.kind) || node.id.startsWith('release ')) return true
  return pathsOf(node).some(owns)
}

/** A dataset is called by all its names; a model that answered, by that of its run. */
function pathsOf({ kind, label }: Node): string[] {
  if (kind === 'dataset') return label.split(', ').map((name) => `datasets/${name.split('@')[0]}`)
  return [kind === 'model' && label !== 'base' && !label.includes('/') ? `runs/${label.split('@')[0]}` : label]
}
