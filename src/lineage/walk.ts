// The walk from one thing, up to what it came from and down to what was made of it, as a screen shows it: a guideline stands
// for its sentences, and of a dataset the first rows can be walked from.
import fs from 'node:fs'
import { hashRow } from '#files'
import { foldSentences, linkAsked } from './guidelines.ts'
import { type Edge, type Graph, graphOf, link, type Node, nodeOf, put, reach } from './nodes.ts'
import { addRow, describeRow, rowsNamed, rowsOf } from './rows.ts'
import { withoutDetours } from './stamps.ts'

/** What somebody else than the files knows: nodes, and edges whose ends may be named by any hash of theirs. */
export type Extra = { nodes: Node[]; edges: Edge[] }
/** A judgement that lies in no dataset yet: the comparisons that it is of, the guideline's label, and the objective that was written under. */
export type LooseJudgement = { node: Node; comparisons: string; guideline: string; objective: string | null }

export type Walk = {
  target: Node
  /** `beside`: a run that one of the others supersedes, or is superseded by, and nothing more to it. */
  nodes: (Node & { way: 'up' | 'down' | 'target' | 'beside' })[]
  edges: { from: string; to: string; roles: string[] }[]
  rows: Node[]
  rowsInAll: number
}

const BEGINNINGS = ['release', 'evaluation', 'model', 'run', 'dataset', 'guideline']
const ROWS_SHOWN = 20

export function addExtra(graph: Graph, { nodes, edges }: Extra): void {
  const known = (id: string): string => nodeOf(graph, id)?.id ?? id
  for (const node of nodes) if (!nodeOf(graph, node.id)) put(graph, node)
  for (const { from, to, role } of edges) link(graph, { from: known(from), to: known(to), role })
}

/** Where a walk may begin: what has a name, the newest of each kind first. */
export function beginningsOf(graph: Graph): Node[] {
  const all = [...graph.nodes.values()].reverse()
  return BEGINNINGS.flatMap((kind) => all.filter((node) => node.kind === kind))
}

/** Undefined: nothing is called so. `loose`: a judgement to be put in before. */
export function walkFrom(kept: Graph, id: string, loose?: LooseJudgement): Walk | undefined {
  // Rows that are asked for are put into a copy: the kept graph is for the next one too.
  const graph = copyOf(kept)
  if (loose) addLoose(graph, loose)
  const target = find(graph, id)
  if (!target) return undefined
  const folded = withoutDetours(foldSentences(graph, new Set(target.kind === 'sentence' ? [target.id] : [])))
  const [up, down] = [reach(folded, target, 'up'), reach(folded, target, 'down')]
  const wayOf = (node: string): Walk['nodes'][number]['way'] =>
    node === target.id ? 'target' : up.has(node) ? 'up' : down.has(node) ? 'down' : 'beside'
  const walked = new Set([...up, ...down])
  const superseded = folded.superseded.filter(
    ({ from, to }) => (walked.has(from) || walked.has(to)) && folded.nodes.has(from) && folded.nodes.has(to),
  )
  const shown = new Set([...walked, ...superseded.flatMap(({ from, to }) => [from, to])])
  const roles = new Map<string, string[]>()
  for (const { from, to, role } of folded.edges) {
    // Not what goes around the target, from above it to below it.
    if (!walked.has(from) || !walked.has(to) || (wayOf(from) === 'up' && wayOf(to) === 'down')) continue
    const key = `${from}\n${to}`
    roles.set(key, [...(roles.get(key) ?? []), role])
  }
  for (const { from, to, role } of superseded) roles.set(`${from}\n${to}`, [role])
  return {
    target,
    nodes: [...shown].flatMap((node) => {
      const found = folded.nodes.get(node)
      return found ? [{ ...found, way: wayOf(node) }] : []
    }),
    edges: [...roles].map(([key, of]) => {
      const [from, to] = key.split('\n') as [string, string]
      return { from, to, roles: of }
    }),
    ...firstRows(target),
  }
}

/** A node, DATASET#LINE, a run or dataset by its name, the beginning of a hash, a row by its id, item or hash. */
function find(graph: Graph, id: string): Node | undefined {
  const exact = nodeOf(graph, id)
  if (exact) return exact
  const [, dataset, line] = /^([0-9a-f]{64})#(\d+)$/.exec(id) ?? []
  if (dataset !== undefined) return rowAt(graph, nodeOf(graph, dataset), Number(line))
  const all = [...graph.nodes.values()]
  const isNamed = ({ kind, label }: Node): boolean =>
    label === id || (kind === 'dataset' && label.split(', ').some((name) => name.split('@')[0] === id))
  const named = all.findLast(isNamed)
  if (named) return named
  if (/^[0-9a-f]{6,64}$/.test(id)) {
    // Criteria bear the hash of their objective.
    const begun = all.filter((node) => node.id.startsWith(id) && node.kind !== 'criterion')
    if (begun.length === 1) return begun[0]
  }
  const hashes = rowsNamed(graph, graph.nodes.keys(), id).map((place) => addRow(graph, place))
  return hashes.length > 0 ? graph.nodes.get(hashes[0]!) : undefined
}

function rowAt(graph: Graph, dataset: Node | undefined, line: number): Node | undefined {
  if (dataset?.rows === undefined || !fs.existsSync(dataset.rows)) return undefined
  const found = rowsOf(dataset.rows).find((each) => each.line === line)
  if (!found) return undefined
  return graph.nodes.get(addRow(graph, { dataset: dataset.id, hash: hashRow(found.row), row: found.row }))
}

function firstRows({ id, kind, rows: file }: Node): Pick<Walk, 'rows' | 'rowsInAll'> {
  if ((kind !== 'dataset' && kind !== 'file') || file === undefined || !fs.existsSync(file))
    return { rows: [], rowsInAll: 0 }
  const all = rowsOf(file)
  return {
    rowsInAll: all.length,
    rows: all.slice(0, ROWS_SHOWN).map(({ line, row }) => ({ id: `${id}#${line}`, ...describeRow(row) })),
  }
}

function addLoose(graph: Graph, { node, comparisons, guideline, objective }: LooseJudgement): void {
  put(graph, node)
  const of = nodeOf(graph, comparisons)?.id
  if (of !== undefined) link(graph, { from: of, to: node.id, role: 'compared' })
  linkAsked(graph, node.id, { guideline, ...(objective !== null && { objective }) })
}

function copyOf(graph: Graph): Graph {
  const copy = graphOf({ ...graph, nodes: new Map(graph.nodes) })
  copy.edges.push(...graph.edges)
  for (const [id, edges] of graph.above) copy.above.set(id, [...edges])
  for (const [id, edges] of graph.below) copy.below.set(id, [...edges])
  return copy
}
