// Objectives in the graph: their nodes with the criteria, the edges to all that was made under them, and which of those edges a
// picture needs. An objective is above everything that names it, so a walk down from it meets all of that.
import type { Objective, ObjectiveStamp } from '#schema'
import { keptObjective } from './objectives.ts'
import { type Graph, graphOf, link, type Node, nodeOf, put, reach } from './nodes.ts'

/** Says only under which objective something was made; that its weights or targets were read is another role. */
export const STAMP = 'objective'

/** The node of an objective whose text is known, with its criteria; answers the criteria's nodes by name. */
export function putObjective(
  graph: Graph,
  id: string,
  { name, version, summary, criteria }: Objective,
): Map<string, string> {
  put(graph, { id, kind: 'objective', label: `${name} version ${version}`, detail: summary })
  return new Map(
    criteria.map(({ name: criterion, definition }) => {
      const node = put(graph, { id: `${id}#${criterion}`, kind: 'criterion', label: criterion, detail: definition })
      link(graph, { from: id, to: node, role: 'criterion' })
      return [criterion, node]
    }),
  )
}

/** The node of an objective that a record names, with its text where the workspace `root` has kept it. */
export function putNamedObjective(graph: Graph, root: string, { id, name }: ObjectiveStamp): string {
  if (graph.nodes.has(id)) return id
  const objective = keptObjective(root, id)
  if (objective) putObjective(graph, id, objective)
  else put(graph, { id, kind: 'objective', label: name ?? id.slice(0, 12) })
  return id
}

/** `to` was made under the objective; nothing where the record names none. */
export function linkStamp(
  graph: Graph,
  root: string,
  { to, objective }: { to: string; objective?: ObjectiveStamp | undefined },
): void {
  if (objective) link(graph, { from: putNamedObjective(graph, root, objective), to, role: STAMP })
}

/** Objectives among these nodes, and how much of the rest names each. */
export function objectivesOn(
  graph: Graph,
  ids: ReadonlySet<string>,
): (Pick<Node, 'id' | 'label'> & { made: Node[] })[] {
  return [...ids].flatMap((id) => {
    const node = graph.nodes.get(id)
    if (node?.kind !== 'objective') return []
    const edges = (graph.below.get(id) ?? []).filter(({ role, to }) => role !== 'criterion' && ids.has(to))
    const made = [...new Set(edges.map(({ to }) => to))].flatMap((to) => nodeOf(graph, to) ?? [])
    return [{ id, label: node.label, made }]
  })
}

/** For pictures: without the edge from an objective to what is below it by another way, step by step, anyhow. */
export function withoutDetours(graph: Graph): Graph {
  const objectives = [...graph.nodes.values()].filter(({ kind }) => kind === 'objective')
  const belowOf = new Map(objectives.map((node) => [node.id, reach(graph, node, 'down')]))
  const shown = graphOf(graph)
  for (const edge of graph.edges) {
    const below = edge.role === STAMP ? belowOf.get(edge.from) : undefined
    const isBelow = graph.above.get(edge.to)?.some(({ from }) => from !== edge.from && below?.has(from))
    if (!isBelow) link(shown, edge)
  }
  return shown
}
