// The graph of lineage as data: nodes by hash, edges from what was there to what was made of it.
import type { GuidelineVersion } from './guideline-versions.ts'

export type Kind =
  | 'objective'
  | 'criterion'
  | 'guideline'
  | 'sentence'
  | 'judgement'
  | 'preference'
  | 'comparison'
  | 'demonstration'
  | 'row'
  | 'dataset'
  | 'file'
  | 'model'
  | 'run'
  | 'checkpoint'
  | 'evaluation'
  | 'release'
/**
 * `id`: the hash of the content, of a run its folder, of a criterion OBJECTIVE#NAME. `rows`: the JSONL file with a dataset's rows.
 * `guideline`: the node that a sentence is part of.
 */
export type Node = { id: string; kind: Kind; label: string; detail?: string; rows?: string; guideline?: string }
/** `to` was made of `from`; `role` says as what. */
export type Edge = { from: string; to: string; role: string }
/** `above`, `below`: the edges that end in a node, and that begin in it. */
export type Graph = {
  nodes: Map<string, Node>
  edges: Edge[]
  above: Map<string, Edge[]>
  below: Map<string, Edge[]>
  alias: Map<string, string>
  /** Of runs: `to` took the place of `from`. It was not made of it, so no walk goes over these. */
  superseded: Edge[]
  guidelines: GuidelineVersion[]
  /** Folder from which paths are told. */
  near: string
}

/** Without edges yet. */
export function graphOf(o: Partial<Pick<Graph, 'nodes' | 'alias' | 'superseded' | 'guidelines' | 'near'>> = {}): Graph {
  const { nodes = new Map(), alias = new Map(), superseded = [], guidelines = [], near = process.cwd() } = o
  return { nodes, alias, superseded, guidelines, near, edges: [], above: new Map(), below: new Map() }
}

/** The part of a graph that these edges are. */
export function withEdges(graph: Graph, edges: Iterable<Edge>): Graph {
  const part = graphOf(graph)
  for (const edge of edges) link(part, edge)
  return part
}

/** The node of a hash, whichever of its names it is: a version's own, or that of the file that holds its rows. */
export function nodeOf({ nodes, alias }: Graph, hash: string): Node | undefined {
  return nodes.get(alias.get(hash) ?? hash)
}

export function put({ nodes }: Graph, node: Node): string {
  if (!nodes.has(node.id)) nodes.set(node.id, node)
  return node.id
}

/** Once, however often it is said; nothing is made of itself. */
export function link({ edges, above, below }: Graph, edge: Edge): void {
  const { from, to, role } = edge
  const [made, sources] = [edgesOf(below, from), edgesOf(above, to)]
  const near = made.length < sources.length ? made : sources
  if (from === to || near.some((e) => e.from === from && e.to === to && e.role === role)) return
  edges.push(edge)
  made.push(edge)
  sources.push(edge)
}

function edgesOf(index: Map<string, Edge[]>, id: string): Edge[] {
  let edges = index.get(id)
  if (!edges) index.set(id, (edges = []))
  return edges
}

export type Way = 'up' | 'down'

/** Neighbours one step up or down, each with its role. */
export function next({ above, below }: Graph, id: string, way: Way): { id: string; role: string }[] {
  const edges = (way === 'up' ? above : below).get(id) ?? []
  return edges.map(({ from, to, role }) => ({ id: way === 'up' ? from : to, role }))
}

/** Everything above or below, the start among it. */
export function reach(graph: Graph, { id: start }: Pick<Node, 'id'>, way: Way): Set<string> {
  const reached = new Set([start])
  for (const id of reached) for (const neighbour of next(graph, id, way)) reached.add(neighbour.id)
  return reached
}
