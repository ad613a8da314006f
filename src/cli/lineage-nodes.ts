// The graph of lineage as data: nodes by hash, edges from what was there to what was made of it.
import type { GuidelineVersion } from './guideline-file.ts'

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
export type Graph = {
  nodes: Map<string, Node>
  edges: Edge[]
  alias: Map<string, string>
  guidelines: GuidelineVersion[]
}

/** The node of a hash, whichever of its names it is: a version's own, or that of the file that holds its rows. */
export function nodeOf({ nodes, alias }: Graph, hash: string): Node | undefined {
  return nodes.get(alias.get(hash) ?? hash)
}

export function put({ nodes }: Graph, node: Node): string {
  if (!nodes.has(node.id)) nodes.set(node.id, node)
  return node.id
}

export function link(graph: Graph, edge: Edge): void {
  if (edge.from === edge.to) return
  if (!graph.edges.some((e) => e.from === edge.from && e.to === edge.to && e.role === edge.role)) graph.edges.push(edge)
}
