// hone lineage: what something came from and what was made of it, from a sentence of the guideline and a row of a dataset to
// a release and back.
import fs from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { findVersion, findWorkspace } from '#data'
import { ConfigError } from '#errors'
import { hashRow, sha256File } from '#files'
import {
  addCard,
  addRow,
  foldSentences,
  objectivesDiffer,
  objectivesOn,
  type Graph,
  next,
  type Node,
  nodeOf,
  type Place,
  reach,
  readGraph,
  rowsNamed,
  rowsOf,
  versionHashOf,
  type Way,
  withEdges,
} from '#lineage'
import { hashModel } from '#trainer'
import type { Command } from 'commander'
import { brief } from './data-source.ts'
import { output } from './output.ts'

type Options = { dir?: string; up?: boolean; down?: boolean; row?: string; json?: boolean }

const SHORT = 12
const MOST_ROWS = 20
const HELP = `
What can be asked for:
  a file, run, model, evaluation or release       hone lineage release.json
  a dataset's version, or the beginning of a hash hone lineage judgements@3fa94c00
  a row: DATASET or FILE, #, then its line, id, item, ITEM/ANNOTATOR or hash
                                                  hone lineage judgements#pair-7/ann
  a criterion of the objective                    hone lineage criterion:fact
  a sentence of the guideline, by words of it     hone lineage "states the right fact"

The way is read from files alone: objective -> criterion -> sentence of the guideline -> judgement -> preference -> run ->
model -> evaluation -> release. A judgement was made under the sentences of the guideline that it names; one that names a
criterion under those about it. In guideline.md a sentence or list item that ends with [CRITERION] is about that one.`

export function lineageCommand(program: Command): void {
  program
    .command('lineage')
    .description(
      'what something came from and what was made of it, from a sentence of the guideline to a release and back',
    )
    .argument('<id>', 'see below')
    .option(
      '--dir <folder>',
      'where runs and datasets lie (default: the workspace around this folder, else this folder)',
    )
    .option('--up', 'only what it came from')
    .option('--down', 'only what was made of it')
    .option('--row <row>', 'show this row (its id, item, or hash) in each dataset on the way')
    .option('--json', 'the graph as one event: nodes, and edges from what was there to what was made of it')
    .addHelpText('after', HELP)
    .action(lineage)
}

function lineage(id: string, options: Options): void {
  const out = output(options)
  if (options.up && options.down) throw new ConfigError('--up and --down: leave both out to see both ways')
  const dir = options.dir ?? findWorkspace(process.cwd()) ?? process.cwd()
  if (!fs.existsSync(dir)) throw new ConfigError(`--dir: expected a folder, found none at ${dir}`)
  const graph = readGraph(dir)
  const target = find(graph, id, dir)
  const ways = [...(options.down ? [] : ['up' as const]), ...(options.up ? [] : ['down' as const])]
  const reached = new Set(ways.flatMap((way) => [...reach(graph, target, way)]))
  const objectives = objectivesOn(graph, reached)
  const differ = options.down ? undefined : differAbove(graph, target)
  const rows = options.row === undefined ? [] : rowsNamed(graph, reached, options.row)
  if (options.row !== undefined && rows.length === 0)
    throw new ConfigError(
      `--row: expected the id, item or hash of a row of a dataset on the way, found no ${options.row}`,
    )
  out.event({
    event: 'done',
    target,
    nodes: [...reached].map((reachedId) => graph.nodes.get(reachedId)),
    edges: graph.edges.filter(({ from, to }) => reached.has(from) && reached.has(to)),
    objectives: objectives.map(({ id: hash, label, made }) => ({ id: hash, label, made: made.map((node) => node.id) })),
    ...(differ !== undefined && { objectivesDiffer: differ }),
    ...(options.row !== undefined && { rows }),
  })
  const shown = within(foldSentences(graph, new Set(target.kind === 'sentence' ? [target.id] : [])), reached)
  if (differ !== undefined) out.warn(differ)
  const tree: Tree = { graph: shown, rows, say: out.say, seen: new Set() }
  out.say(describe(target))
  for (const { id: hash, label, made } of objectives) out.say(`  ${sayMade({ id: hash, label, made }, target)}`)
  tellRows(tree, target.id, 1)
  for (const way of ways) {
    out.say(way === 'up' ? 'came from' : 'made of it')
    tree.seen = new Set([target.id])
    if (tellBranches(tree, target.id, { way, depth: 1 }) === 0) out.say('  nothing that is known here')
  }
}

/** Of an objective all that names it; of anything else, what on the way does. */
function sayMade({ id, label, made }: ReturnType<typeof objectivesOn>[number], target: Node): string {
  const counts = new Map<string, string[]>()
  for (const node of made) counts.set(node.kind, [...(counts.get(node.kind) ?? []), node.label])
  const isTarget = id === target.id
  const kinds = [...counts].map(([kind, labels]) =>
    isTarget ? `${kind} ${labels.join(', ')}` : labels.length === 1 ? `1 ${kind}` : `${labels.length} ${kind}s`,
  )
  const named = kinds.length === 0 ? 'nothing that is known here' : kinds.join(isTarget ? '; ' : ', ')
  return isTarget ? `made under it: ${named}` : `under objective ${label} ${id.slice(0, SHORT)}: ${named}`
}

/** The sentence for what something came from; undefined where all of it, as far as is known, was made under one objective. */
function differAbove(graph: Graph, target: Node): string | undefined {
  const above = objectivesOn(graph, reach(graph, target, 'up'))
  const under = above.flatMap(({ id, label, made }) =>
    made.map(({ kind, label: of }) => ({ what: `${kind} ${of}`, objective: { id, name: label } })),
  )
  return objectivesDiffer({ what: target.label }, under)
}

/** A dataset's name wins over a path, a path over a row, a criterion, a hash, words of a sentence. */
function find(graph: Graph, id: string, dir: string): Node {
  const found = datasetNamed(graph, id, dir) ?? (fs.existsSync(id) ? atPath(graph, resolve(id), dir) : undefined)
  if (found) return found
  const hashed = id.lastIndexOf('#')
  if (hashed > 0) return rowOf(graph, find(graph, id.slice(0, hashed), dir), id.slice(hashed + 1))
  const criteria = [...graph.nodes.values()].filter(
    ({ kind, label }) => kind === 'criterion' && label === id.replace(/^criterion:/, ''),
  )
  // Of an objective that was edited, the newest version's.
  if (criteria.length > 0) return criteria.at(-1)!
  return /^[0-9a-f]{6,64}$/.test(id) ? byHash(graph, id, dir) : bySentence(graph, id, dir)
}

function byHash(graph: Graph, id: string, dir: string): Node {
  // A criterion bears the hash of its objective before its name: it is the objective that is meant.
  const names = [...graph.nodes.keys(), ...graph.alias.keys()].filter(
    (name) => name.startsWith(id) && !name.includes('#'),
  )
  const found = [...new Set(names.map((name) => nodeOf(graph, name)!))]
  if (found.length === 0) {
    const places = rowsNamed(graph, [...graph.nodes.keys()], id)
    const hashes = new Set(places.map(({ hash }) => hash))
    if (hashes.size === 1) return addPlaces(graph, places)
  }
  if (found.length === 1) return found[0]!
  throw new ConfigError(
    found.length === 0
      ? `expected the beginning of a hash, found none that begins with ${id} in ${dir}: give --dir`
      : `expected one hash, got ${found.length} that begin with ${id}: ${found.map(describe).join('; ')}`,
  )
}

function bySentence(graph: Graph, words: string, dir: string): Node {
  const sentences = [...graph.nodes.values()].filter(
    ({ kind, label }) => kind === 'sentence' && label.toLowerCase().includes(words.toLowerCase()),
  )
  if (sentences.length === 1) return sentences[0]!
  throw new ConfigError(
    sentences.length === 0
      ? `expected a run, a model, a file, NAME@VERSION, a row, a criterion, words of a guideline or at least six digits of a hash, found no ${words} in ${dir}`
      : `expected words of one sentence, got those of ${sentences.length}: ${sentences.map(({ id, label }) => `${id.slice(0, SHORT)} ${label}`).join('; ')}`,
  )
}

/** A row of a dataset or a file of rows, by its line, id, item or hash; of several, the first. */
function rowOf(graph: Graph, { id, rows }: Node, name: string): Node {
  if (rows === undefined || !fs.existsSync(rows))
    throw new ConfigError(`expected rows before #, ${describe(graph.nodes.get(id)!)} has none here`)
  const named = rowsNamed(graph, [id], name)
  const first = named[0]
  if (first) return addPlaces(graph, rowsNamed(graph, [...graph.nodes.keys()], first.hash))
  const byLine = rowsOf(rows).find(({ line }) => String(line) === name)
  if (!byLine) throw new ConfigError(`expected a line, id, item or hash of a row after #, found no ${name}`)
  return addPlaces(graph, rowsNamed(graph, [...graph.nodes.keys()], hashRow(byLine.row)))
}

/** One row, wherever it is. */
function addPlaces(graph: Graph, places: Place[]): Node {
  for (const place of places) addRow(graph, place)
  return graph.nodes.get(places[0]!.hash)!
}

function datasetNamed(graph: Graph, id: string, dir: string): Node | undefined {
  const name = /^([^@]+)(@[0-9a-f]*)?$/.exec(id)?.[1]
  if (name === undefined || !fs.existsSync(join(dir, 'datasets', `${name}.jsonl`))) return undefined
  return graph.nodes.get(findVersion(dir, id).version)
}

function atPath(graph: Graph, path: string, dir: string): Node {
  const unknown = () =>
    new ConfigError(`no record in ${dir} knows ${path}: give --dir, or the folder of a run or a model`)
  if (fs.statSync(path).isFile()) {
    const version = versionHashOf(path)
    const found = nodeOf(graph, sha256File(path)) ?? (version === undefined ? undefined : nodeOf(graph, version))
    if (!found) throw unknown()
    return found
  }
  const run = basename(dirname(path)) === 'checkpoints' ? dirname(dirname(path)) : path
  if (graph.nodes.has(run)) return graph.nodes.get(run)!
  if (!fs.existsSync(join(path, 'config.json'))) throw unknown()
  const hash = hashModel(path)
  if (!graph.nodes.has(hash)) addCard(graph, { id: hash, folder: path, root: dir })
  return graph.nodes.get(hash)!
}

/** What was reached, and the guidelines that stand for sentences that were. */
function within(graph: Graph, reached: ReadonlySet<string>): Graph {
  const isIn = (id: string) => reached.has(id) || graph.nodes.get(id)?.kind === 'guideline'
  return withEdges(
    graph,
    graph.edges.filter(({ from, to }) => isIn(from) && isIn(to)),
  )
}

type Tree = { graph: Graph; rows: Place[]; say: (text: string) => void; seen: Set<string> }

/** Says what is above or below, depth first; what was said already is only named. */
function tellBranches(tree: Tree, id: string, { way, depth }: { way: Way; depth: number }): number {
  const branches = next(tree.graph, id, way)
  for (const branch of branches) {
    const isAgain = tree.seen.has(branch.id)
    tree.seen.add(branch.id)
    const node = tree.graph.nodes.get(branch.id)
    const words = node ? describe(isAgain ? { id: node.id, kind: node.kind, label: node.label } : node) : branch.id
    tree.say(`${'  '.repeat(depth)}${branch.role}: ${words}${isAgain ? ' (as above)' : ''}`)
    if (isAgain) continue
    tellRows(tree, branch.id, depth + 1)
    tellBranches(tree, branch.id, { way, depth: depth + 1 })
  }
  return branches.length
}

function tellRows({ rows, say }: Tree, id: string, depth: number): void {
  const own = rows.filter(({ dataset }) => dataset === id)
  for (const { line, hash, row } of own.slice(0, MOST_ROWS))
    say(`${'  '.repeat(depth)}row ${line} ${hash.slice(0, SHORT)}  ${brief(row)}`)
  if (own.length > MOST_ROWS) say(`${'  '.repeat(depth)}and ${own.length - MOST_ROWS} more rows`)
}

function describe({ id, kind, label, detail }: Node): string {
  const isNamed = kind === 'run' || kind === 'criterion' || label.includes(id.slice(0, SHORT))
  const hash = isNamed ? '' : ` ${id.slice(0, SHORT)}`
  return `${kind} ${label}${hash}${detail === undefined ? '' : `  ${detail}`}`
}
