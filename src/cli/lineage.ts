// hone lineage: what something came from and what was made of it, from a row of a dataset to a release and back.
import fs from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { findVersion, findWorkspace } from '#data'
import { ConfigError } from '#errors'
import { hashRow, sha256File } from '#files'
import { hashModel } from '#trainer'
import type { Command } from 'commander'
import { brief } from './data-source.ts'
import { addCard, type Graph, type Node, nodeOf, readGraph, versionHashOf } from './lineage-graph.ts'
import { output } from './output.ts'

type Options = { dir?: string; up?: boolean; down?: boolean; row?: string; json?: boolean }
type Row = { dataset: string; line: number; hash: string; row: unknown }

const SHORT = 12
const MOST_ROWS = 20

export function lineageCommand(program: Command): void {
  program
    .command('lineage')
    .description('what something came from and what was made of it: datasets, runs, models, evaluations, releases')
    .argument('<id>', 'a run, model or file, NAME@VERSION of a dataset, or six digits or more of a hash')
    .option(
      '--dir <folder>',
      'where runs and datasets lie (default: the workspace around this folder, else this folder)',
    )
    .option('--up', 'only what it came from')
    .option('--down', 'only what was made of it')
    .option('--row <row>', 'show this row (its id, item, or hash) in each dataset on the way')
    .option('--json', 'events as JSON lines on standard output')
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
    ...(options.row !== undefined && { rows }),
  })
  const tree: Tree = { graph, rows, say: out.say, seen: new Set() }
  out.say(describe(target))
  tellRows(tree, target.id, 1)
  for (const way of ways) {
    out.say(way === 'up' ? 'came from' : 'made of it')
    tree.seen = new Set([target.id])
    if (tellBranches(tree, target.id, { way, depth: 1 }) === 0) out.say('  nothing that is known here')
  }
}

/** A dataset's name wins over a path, a path over a hash. */
function find(graph: Graph, id: string, dir: string): Node {
  const byName = datasetNamed(graph, id, dir)
  if (byName) return byName
  if (fs.existsSync(id)) return atPath(graph, resolve(id), dir)
  if (!/^[0-9a-f]{6,64}$/.test(id))
    throw new ConfigError(
      `expected a run, a model, a file, NAME@VERSION or at least six digits of a hash, found no ${id} in ${dir}`,
    )
  const names = [...graph.nodes.keys(), ...graph.alias.keys()].filter((name) => name.startsWith(id))
  const found = [...new Set(names.map((name) => nodeOf(graph, name)!))]
  if (found.length === 1) return found[0]!
  throw new ConfigError(
    found.length === 0
      ? `expected the beginning of a hash, found none that begins with ${id} in ${dir}: give --dir`
      : `expected one hash, got ${found.length} that begin with ${id}: ${found.map(describe).join('; ')}`,
  )
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
  if (!graph.nodes.has(hash)) addCard(graph, { id: hash, folder: path })
  return graph.nodes.get(hash)!
}

type Way = 'up' | 'down'

/** Neighbours one step up or down, each with its role. */
function next({ edges }: Graph, id: string, way: Way): { id: string; role: string }[] {
  return edges.flatMap(({ from, to, role }) => {
    if (way === 'up') return to === id ? [{ id: from, role }] : []
    return from === id ? [{ id: to, role }] : []
  })
}

function reach(graph: Graph, { id: start }: Node, way: Way): Set<string> {
  const reached = new Set([start])
  for (const id of reached) for (const neighbour of next(graph, id, way)) reached.add(neighbour.id)
  return reached
}

/** Rows whose id, item or hash is `name`, in every dataset or file of rows that was reached. */
function rowsNamed({ nodes }: Graph, reached: Set<string>, name: string): Row[] {
  return [...reached].flatMap((id) => {
    const file = nodes.get(id)?.rows
    return file !== undefined && fs.existsSync(file) ? rowsIn(file, { dataset: id, name }) : []
  })
}

function rowsIn(file: string, { dataset, name }: { dataset: string; name: string }): Row[] {
  const isHash = /^[0-9a-f]{6,64}$/.test(name)
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, i) => {
      const row = parse(text)
      if (row === undefined) return []
      const isNamed = row.id === name || row.item === name
      if (!isNamed && !isHash) return []
      const hash = hashRow(row)
      return isNamed || hash.startsWith(name) ? [{ dataset, line: i + 1, hash, row }] : []
    })
}

/** A line that is no JSON object is no row: files that are not JSONL have none. */
function parse(text: string): { id?: unknown; item?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

type Tree = { graph: Graph; rows: Row[]; say: (text: string) => void; seen: Set<string> }

/** Says what is above or below, depth first; what was said already is only named. */
function tellBranches(tree: Tree, id: string, { way, depth }: { way: Way; depth: number }): number {
  const branches = next(tree.graph, id, way)
  for (const branch of branches) {
    const isAgain = tree.seen.has(branch.id)
    tree.seen.add(branch.id)
    const node = tree.graph.nodes.get(branch.id)
    const words = node ? describe(node) : branch.id
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
  const hash = kind === 'run' || label.includes(id.slice(0, SHORT)) ? '' : ` ${id.slice(0, SHORT)}`
  return `${kind} ${label}${hash}${detail === undefined ? '' : `  ${detail}`}`
}
