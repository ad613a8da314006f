// Lineage: where to begin, and the walk from one thing. Runs and most records lie in the workspace, which its first project
// owns; another project walks over what is its own.
import { HttpError } from '#errors'
import type { Node, Walk } from '#lineage'
import type { Project } from '#store'
import type { Handlers } from '../call.ts'
import { beginnings, walkIn } from '../lineage.ts'

type Lineage = Pick<Handlers, 'GET /api/projects/{project}/lineage' | 'GET /api/projects/{project}/lineage/walk'>

export const lineageHandlers: Lineage = {
  'GET /api/projects/{project}/lineage': async ({ service, project }) => {
    const nodes = await beginnings({ ...service, project })
    return { nodes: nodes.filter((node) => isOf(project, node)) }
  },

  'GET /api/projects/{project}/lineage/walk': async ({ service, project, query: { id } }) => {
    const walk = await walkIn({ ...service, project }, id)
    // That there is such a thing is all that could be said of what belongs to others: so it is not there.
    if (!isOwnTarget(project, walk)) throw new HttpError(404, `nothing here is called ${id}`)
    const nodes = walk.nodes.filter((node) => node.way === 'target' || isOf(project, node))
    const shown = new Set(nodes.map((node) => node.id))
    return { ...walk, nodes, edges: walk.edges.filter(({ from, to }) => shown.has(from) && shown.has(to)) }
  },
}

const ROWS = ['judgement', 'preference', 'comparison', 'demonstration', 'row']

/** A row belongs to whom a dataset that holds it does; one that none holds was looked up in the project itself. */
function isOwnTarget(project: Project, { target, nodes, edges }: Walk): boolean {
  if (!ROWS.includes(target.kind)) return isOf(project, target)
  const below = edges.flatMap(({ from, to }) => (from === target.id ? nodes.filter((node) => node.id === to) : []))
  const holders = below.filter(({ kind }) => kind === 'dataset')
  return holders.length === 0
    ? below.length === 0 || project.filePrefix === ''
    : holders.some((node) => isOf(project, node))
}

/** Of the first project everything but other projects' datasets; of another one its datasets, releases and what is common. */
function isOf({ filePrefix }: Project, { id, kind, label }: Node): boolean {
  if (kind === 'dataset')
    return label.split(', ').some((name) => {
      const [plain] = name.split('@') as [string]
      return filePrefix === '' ? !plain.includes('.') : plain.startsWith(filePrefix)
    })
  if (filePrefix === '') return true
  return kind === 'release'
    ? id.startsWith('release ')
    : ['guideline', 'objective', 'criterion', 'sentence'].includes(kind)
}
