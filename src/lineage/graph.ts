// What came from what, read from the records that lie in a folder: guidelines, dataset versions, what label commands made,
// run.json, marks, evaluations, releases and the cards of models. Everything is known by the hash of its content, so a moved
// or copied file keeps its place.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { listDatasets, listVersions, type Version } from '#data'
import { artifactPath, hashRow, sha256File } from '#files'
import {
  type Evaluation,
  PairsKey,
  opponentsOf,
  readEvaluation,
  readJsonFile,
  readRelease,
  RoundKey,
} from './evaluations.ts'
import { addGuidelines, linkJudgements, type WrittenGuideline } from './guidelines.ts'
import { type Graph, graphOf, type Kind, link, nodeOf, put } from './nodes.ts'
import { readMade } from './made.ts'
import { judgedMarks, readCardOf, readRunRecord } from './runs.ts'
import { linkStamp, putNamedObjective, STAMP } from './stamps.ts'

const DEEPEST = 6
const SKIPPED = new Set([
  'node_modules',
  'artifacts',
  'datasets',
  'checkpoints',
  'model',
  'fresh',
  'marks',
  'answers',
  'postgres',
])
/** A record of an evaluation or a release is smaller. */
const LARGEST_RECORD = 8 << 20
/** Files of rows beyond this are known by their bytes alone, not by their rows. */
const LARGEST_ROWS = 64 << 20

/** The graph of everything under `folder`; paths are told from `near` on. `guidelines`: versions that lie elsewhere. */
export function readGraph(
  folder: string,
  { near = process.cwd(), guidelines = [] }: { near?: string; guidelines?: readonly WrittenGuideline[] } = {},
): Graph {
  const graph = graphOf({ near })
  const root = resolve(folder)
  addGuidelines(graph, root, guidelines)
  if (fs.existsSync(join(root, 'hone.json'))) addVersions(graph, root)
  const { runs, records } = findRecords(root)
  for (const run of runs) addRun(graph, root, run)
  tellSuperseded(graph)
  for (const record of records) addRecord(graph, root, record)
  addCards(graph, root)
  linkJudgements(graph)
  return graph
}

/** The hash that a dataset version of these JSONL rows would have; undefined when the file is not such rows. */
export function versionHashOf(file: string): string | undefined {
  if (fs.statSync(file).size > LARGEST_ROWS) return undefined
  const hash = createHash('sha256')
  try {
    for (const line of fs.readFileSync(file, 'utf8').split('\n'))
      if (line.trim() !== '') hash.update(Buffer.from(hashRow(JSON.parse(line)), 'hex'))
  } catch {
    return undefined
  }
  return hash.digest('hex')
}

function shortPath({ near }: Graph, path: string): string {
  const short = relative(near, path)
  return short === '' ? '.' : short.startsWith('..') ? path : short
}

function addVersions(graph: Graph, root: string): void {
  const versions = listDatasets(root).flatMap((name) => listVersions(root, name))
  for (const version of versions) addVersion(graph, root, version)
  for (const version of versions) linkVersion(graph, version)
}

function addVersion(graph: Graph, root: string, version: Version): void {
  const { version: id, content, kind, rows, source } = version
  const known = graph.nodes.get(id)
  if (known) known.label += `, ${version.name}`
  const detail = `${rows} ${kind}, ${JSON.stringify(source)}`
  put(graph, {
    id,
    kind: 'dataset',
    label: `${version.name}@${id.slice(0, 12)}`,
    detail,
    rows: artifactPath(root, content),
  })
  graph.alias.set(content, id)
}

/** Of comparisons that a server's models drew. */
const Drawn = z.object({ models: z.array(z.object({ name: z.string(), hash: z.string() })) })

/** To the versions, the models and the file that it was made from. */
function linkVersion(graph: Graph, { version: id, content, parents, source }: Version): void {
  for (const { name, hash } of Drawn.safeParse(source).data?.models ?? [])
    link(graph, { from: put(graph, { id: hash, kind: 'model', label: name }), to: id, role: 'answered' })
  for (const parent of parents) {
    put(graph, { id: parent, kind: 'dataset', label: `${parent.slice(0, 12)}, not in this workspace` })
    link(graph, { from: parent, to: id, role: graph.nodes.get(parent)!.kind === 'guideline' ? 'guideline' : 'parent' })
  }
  if (typeof source.sha256 !== 'string' || source.sha256 === content) return
  const file = typeof source.import === 'string' ? source.import : 'a file'
  link(graph, { from: put(graph, { id: source.sha256, kind: 'file', label: file }), to: id, role: 'imported' })
}

/** Folders of runs, and files that hone evaluate, gate and label wrote. */
export function findRecords(root: string): { runs: string[]; records: string[] } {
  const found = { runs: [] as string[], records: [] as string[] }
  const look = (folder: string, depth: number) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isFile() && entry.name === 'run.json') found.runs.push(folder)
      else if (entry.isFile() && isRecord(path)) found.records.push(path)
      else if (entry.isDirectory() && depth < DEEPEST && !entry.name.startsWith('.') && !SKIPPED.has(entry.name))
        look(path, depth + 1)
    }
  }
  look(root, 0)
  return found
}

/** By its first bytes: what hone evaluate and hone gate write begins with its kind. */
function isRecord(path: string): boolean {
  if (!path.endsWith('.json') || fs.statSync(path).size > LARGEST_RECORD) return false
  const head = Buffer.alloc(64)
  const fd = fs.openSync(path, 'r')
  try {
    fs.readSync(fd, head)
  } finally {
    fs.closeSync(fd)
  }
  return /^\{\s*"kind": "(evaluation|release|made|pairs)"/.test(head.toString())
}

const MODEL_ROLES = ['model', 'reference', 'reward']

/** The node of something that a record names by path and hash; files of rows are recognised as the version they hold. */
function artifact(graph: Graph, { path, hash }: { path: string; hash: string }, kind: Kind): string {
  const known = nodeOf(graph, hash)
  if (known) return known.id
  if (kind === 'file' && fs.existsSync(path) && sha256File(path) === hash) {
    const version = versionHashOf(path)
    if (version !== undefined && graph.nodes.has(version)) {
      graph.alias.set(hash, version)
      return version
    }
    return put(graph, { id: hash, kind, label: shortPath(graph, path), rows: path })
  }
  return put(graph, { id: hash, kind, label: shortPath(graph, path) })
}

function addRun(graph: Graph, root: string, folder: string): void {
  const record = readRunRecord(folder)
  put(graph, { id: folder, kind: 'run', label: shortPath(graph, folder), detail: describeRun(record) })
  linkStamp(graph, root, { to: folder, objective: record.objective })
  if (record.supersedes !== undefined)
    graph.superseded.push({ from: resolve(folder, record.supersedes), to: folder, role: 'superseded by' })
  for (const [role, input] of Object.entries(record.inputs)) {
    const isCheckpoint = role === 'branchedFrom'
    const isModel = MODEL_ROLES.includes(role) || (role === 'judge' && !input.path.endsWith('.json'))
    const kind: Kind = isCheckpoint ? 'checkpoint' : isModel ? 'model' : 'file'
    const from = artifact(graph, input, kind)
    link(graph, { from, to: folder, role })
    if (isCheckpoint) link(graph, { from: dirname(dirname(input.path)), to: from, role: 'checkpoint' })
  }
  for (const [role, output] of Object.entries(record.outputs))
    link(graph, { from: folder, to: artifact(graph, output, 'model'), role })
  for (const { step, file: path } of judgedMarks(folder)) {
    const judged = artifact(graph, { path, hash: sha256File(path) }, 'file')
    link(graph, { from: folder, to: judged, role: `judged at the mark of step ${step}` })
  }
}

/** On both runs, as far as they are here. */
function tellSuperseded({ nodes, superseded }: Graph): void {
  for (const { from, to } of superseded) {
    const [before, after] = [nodes.get(from), nodes.get(to)!]
    if (before) before.detail = `${before.detail}; superseded by ${after.label}`
    after.detail = `${after.detail}; supersedes ${before?.label ?? `${basename(from)}, not here`}`
  }
}

function describeRun(record: ReturnType<typeof readRunRecord>): string {
  const { recipe, status, simulated, outcome, objectivesDiffer } = record
  const reason = typeof outcome?.reason === 'string' ? `: ${outcome.reason}` : ''
  const warning = objectivesDiffer === undefined ? '' : `; ${objectivesDiffer}`
  return `${recipe}, ${status}${reason}${simulated ? ' (simulated annotators)' : ''}${warning}`
}

function addRecord(graph: Graph, root: string, path: string): void {
  const id = sha256File(path)
  const { kind } = readJsonFile(path) as { kind: 'evaluation' | 'release' | 'made' | 'pairs' }
  if (kind === 'made') return addMade(graph, root, path)
  if (kind === 'pairs') return addPairs(graph, path)
  if (kind === 'evaluation') return addWholeEvaluation(graph, root, { path, id })
  const { verdict, reasons, model, rules, objective, objectivesDiffer, evaluations } = readRelease(path)
  const [first, ...others] = reasons
  const why = [...(first === undefined ? [] : [first]), ...(others.length > 0 ? [`${others.length} more reasons`] : [])]
  const told = [verdict, ...why, ...(objectivesDiffer === undefined ? [] : [objectivesDiffer])]
  put(graph, { id, kind: 'release', label: shortPath(graph, path), detail: told.join('; ') })
  link(graph, { from: artifact(graph, model, 'model'), to: id, role: 'model' })
  if (rules) link(graph, { from: artifact(graph, rules, 'file'), to: id, role: 'rules' })
  linkObjective(graph, root, { to: id, objective, role: 'targets' })
  for (const evaluation of evaluations) {
    addEvaluation(graph, evaluation)
    link(graph, { from: evaluation.hash, to: id, role: evaluation.label ?? 'evaluation' })
  }
}

function addWholeEvaluation(graph: Graph, root: string, { path, id }: { path: string; id: string }): void {
  const evaluation = readEvaluation(path)
  const { metric, model, suite, pairs, judgements = [], samples, ratings } = evaluation
  const { objective, objectivesDiffer } = evaluation
  const warning = objectivesDiffer === undefined ? '' : `; ${objectivesDiffer}`
  addEvaluation(graph, { path, hash: id }, `${metric} on ${suite.name}, ${suite.rows} rows${warning}`)
  link(graph, { from: artifact(graph, model, 'model'), to: id, role: 'model' })
  link(graph, { from: artifact(graph, suite, 'file'), to: id, role: 'suite' })
  for (const other of Object.values(opponentsOf(evaluation)))
    link(graph, { from: artifact(graph, other, 'model'), to: id, role: 'against' })
  linkObjective(graph, root, { to: id, objective, role: 'weights' })
  for (const [role, files] of Object.entries({ pairs: [pairs], judgements, samples: [samples], ratings: [ratings] }))
    for (const file of files) if (file) link(graph, { from: artifact(graph, file, 'file'), to: id, role })
}

/** `role`: of an objective whose file was read for it. */
function linkObjective(
  graph: Graph,
  root: string,
  { to, objective, role }: { to: string; objective: Evaluation['objective']; role: string },
): void {
  if (!objective) return
  const { id, name, path } = objective
  const label = name ?? (path === undefined ? undefined : shortPath(graph, path))
  const from = putNamedObjective(graph, root, { id, ...(label !== undefined && { name: label }) })
  link(graph, { from, to, role: path === undefined ? STAMP : role })
}

/** A file that a label command wrote: its parents by role, models among them, and the guidelines behind its judgements. */
function addMade(graph: Graph, root: string, path: string): void {
  const { by, output, parents, guidelines, objective } = readMade(path)
  const to = artifact(graph, output, 'file')
  linkStamp(graph, root, { to, objective })
  const node = graph.nodes.get(to)!
  node.detail ??= `by hone ${by}`
  for (const [role, parent] of Object.entries(parents))
    link(graph, { from: artifact(graph, parent, MODEL_ROLES.includes(role) ? 'model' : 'file'), to, role })
  // Rows of judgements name their guideline themselves, sentence by sentence.
  for (const guideline of guidelines)
    if (!graph.nodes.has(guideline))
      link(graph, {
        from: put(graph, { id: guideline, kind: 'guideline', label: guideline.slice(0, 12) }),
        to,
        role: 'guideline',
      })
}

function addPairs(graph: Graph, path: string): void {
  const read = readJsonFile(path)
  const key = PairsKey.safeParse(read).data ?? RoundKey.safeParse(read).data
  if (!key) return
  const [model, ...others] = 'models' in key ? key.models : [key.model, key.against]
  const to = artifact(graph, key.pairs, 'file')
  link(graph, { from: artifact(graph, model!, 'model'), to, role: 'model' })
  for (const other of others) link(graph, { from: artifact(graph, other, 'model'), to, role: 'against' })
  link(graph, { from: artifact(graph, key.prompts, 'file'), to, role: 'prompts' })
}

function addEvaluation(graph: Graph, { path, hash }: { path: string; hash: string }, detail?: string): void {
  const known = graph.nodes.get(hash)
  if (known && detail !== undefined) known.detail = detail
  put(graph, { id: hash, kind: 'evaluation', label: shortPath(graph, path), ...(detail !== undefined && { detail }) })
}

/** A model whose run is not here still tells its parents by its card. */
function addCards(graph: Graph, root: string): void {
  const models = [...graph.nodes.values()].filter(({ kind }) => kind === 'model')
  for (const { id, label } of models) {
    if (graph.above.get(id)?.length) continue
    addCard(graph, { id, folder: resolve(graph.near, label), root })
  }
}

/** `root`: the workspace that keeps the texts of objectives. */
export function addCard(graph: Graph, { id, folder, root }: { id: string; folder: string; root: string }): void {
  const card = fs.existsSync(folder) ? readCardOf(folder) : undefined
  put(graph, {
    id,
    kind: 'model',
    label: shortPath(graph, folder),
    ...(card && { detail: `${card.recipe}, by its card` }),
  })
  linkStamp(graph, root, { to: id, objective: card?.objective })
  for (const [role, hash] of Object.entries(card?.parents ?? {})) {
    const isModel = MODEL_ROLES.includes(role)
    const known = nodeOf(graph, hash)
    const from =
      known?.id ?? put(graph, { id: hash, kind: isModel ? 'model' : 'file', label: `${basename(role)}, not here` })
    link(graph, { from, to: id, role })
  }
}
