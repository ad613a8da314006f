// The way from the criteria of the objective to the release, down to one judgement: the walk of hone lineage over the
// records of this folder, with a guideline for its sentences and without the files that nothing here made.
import { relative, resolve } from 'node:path'
import { invariant } from '#errors'
import { hashRow, sha256File } from '#files'
import {
  addRow,
  foldSentences,
  type Graph,
  type Node,
  nodeOf,
  objectivesOn,
  reach,
  readGraph,
  readRelease,
  type Row,
  withEdges,
  withoutDetours,
} from '#lineage'
import type { LineageReport, Preference } from '#schema'
import { readRun } from '#trainer'
import { recordsOf } from './evaluation.ts'
import { keptCheckpoint } from './reinforce.ts'
import { data, readJsonl, run, type Stage } from './stage.ts'

export function lineage(stage: Pick<Stage, 'dir'>): LineageReport {
  const { dir } = stage
  const graph = without(
    readGraph(dir),
    ['ppo-no-rules', 'ppo-unbudgeted'].map((name) => run(stage, name)),
  )
  const release = nodeOf(graph, sha256File(recordsOf(stage).release))
  const checkpoint = nodeOf(graph, readRun(run(stage, 'ppo')).record.outputs.model!.hash)
  invariant(release && checkpoint, 'the evaluation wrote a release of what PPO left')
  checkpoint.detail = `the weights of ${relative(dir, keptCheckpoint(stage))}`
  const hidden = addOnePreference(graph, stage)
  const folded = foldSentences(graph, new Set())
  const { edges, nodes, above } = withoutDetours(folded)
  const reached = reach(graph, release, 'up')
  const shown = [...nodes.values()].filter(
    ({ id, kind }) => reached.has(id) && !hidden.has(id) && (kind !== 'file' || (above.get(id)?.length ?? 0) > 0),
  )
  const ids = new Map(shown.map(({ id, kind }) => [id, kind === 'run' ? relative(dir, id) : id]))
  const { objectivesDiffer: differ } = readRelease(recordsOf(stage).release)
  return {
    checkpoint: checkpoint.id,
    objectives: objectivesOn(folded, reached).map(({ id, label, made }) => ({
      id,
      name: label,
      made: countKinds(made),
    })),
    ...(differ !== undefined && { objectivesDiffer: differ }),
    nodes: shown.map((node) => reported(node, { id: ids.get(node.id)!, dir })),
    // Of several roles between two one line is drawn.
    edges: edges.flatMap(({ from, to }, i) => {
      const isFirst = edges.findIndex((edge) => edge.from === from && edge.to === to) === i
      return isFirst && ids.has(from) && ids.has(to) ? [{ from: ids.get(from)!, to: ids.get(to)! }] : []
    }),
  }
}

function countKinds(made: readonly Node[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind } of made) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** Without runs that were made to compare with: one that kept the same step as the budgeted run left the same bytes. */
function without(graph: Graph, runs: string[]): Graph {
  const gone = new Set(runs.map((folder) => resolve(folder)))
  return withEdges(
    { ...graph, nodes: new Map([...graph.nodes].filter(([id]) => !gone.has(id))) },
    graph.edges.filter(({ from, to }) => !gone.has(from) && !gone.has(to)),
  )
}

function reported(
  { kind, label, detail }: Node,
  { id, dir }: { id: string; dir: string },
): LineageReport['nodes'][number] {
  const path = relative(dir, resolve(label))
  return {
    id,
    kind,
    label: path.startsWith('..') ? label : path,
    ...(/^[0-9a-f]{64}$/.test(id) && { hash: id }),
    ...(detail !== undefined && { detail }),
  }
}

/** A decided preference, where there is any, with its judgements; answers all of these but the first, which is enough to show. */
function addOnePreference(graph: Graph, stage: Pick<Stage, 'dir'>): Set<string> {
  const file = data(stage, 'preferences-pairs')
  const rows = readJsonl<Preference & Row>(file)
  const row = rows.find(({ probability }) => probability > 0.9) ?? rows[0]!
  const dataset = nodeOf(graph, sha256File(file))
  invariant(dataset, 'the reward model was trained on these preferences')
  const id = addRow(graph, { dataset: dataset.id, hash: hashRow(row), row })
  const judgements = (graph.above.get(id) ?? []).flatMap(({ from, role }) => (role === 'aggregated' ? [from] : []))
  return new Set(judgements.slice(1))
}
