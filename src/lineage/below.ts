// What was made of some things, as a part of the graph that can be sent from the thread that read it to one that asks.
import { type Edge, type Graph, graphOf, link, type Node, nodeOf, put, reach } from './nodes.ts'

/** `below`: ids of what was made. `edges`: those that end there; `nodes`: all that they join. */
export type Below = { below: string[]; nodes: Node[]; edges: Edge[] }

/** `ids`: of nodes, which are no part of what was made of them but where one was made of another. */
export function belowOf(graph: Graph, ids: readonly string[]): Below {
  const below = new Set(ids.flatMap((id) => [...reach(graph, { id }, 'down')].slice(1)))
  const edges = [...below].flatMap((id) => graph.above.get(id) ?? [])
  const joined = new Set([...below, ...edges.map(({ from }) => from)])
  return { below: [...below], nodes: [...joined].flatMap((id) => nodeOf(graph, id) ?? []), edges }
}

/** The part as a graph of its own. */
export function graphOfBelow({ nodes, edges }: Below): Graph {
  const graph = graphOf()
  for (const node of nodes) put(graph, node)
  for (const edge of edges) link(graph, edge)
  return graph
}
