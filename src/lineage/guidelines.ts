// The beginning of lineage: objective -> criterion -> sentence of the guideline -> judgements. Rows name the guideline they
// were made under, and the criterion when only one was asked about; a sentence is about the criterion of its tag, or all.
import fs from 'node:fs'
import { DataError } from '#errors'
import { hashRow, sha256 } from '#files'
import type { Objective } from '#schema'
import {
  type GuidelineVersion,
  guidelineLabel,
  guidelineNamed,
  listGuidelines,
  readGuideline,
  type Sentence,
  sentencesWithIds,
} from './guideline-versions.ts'
import { type Graph, graphOf, link, put } from './nodes.ts'
import { putNamedObjective, putObjective } from './stamps.ts'

/** What a judgement was made under; `objective`: its id, where the words of the guideline served several. */
export type Asked = { guideline?: string; criterion?: string; objective?: string }

/** Nodes of every guideline version of a workspace, with its objective, criteria and sentences. */
export function addGuidelines(graph: Graph, root: string, others: readonly WrittenGuideline[]): void {
  const own = listGuidelines(root)
  for (const version of own) addGuideline(graph, version, readOrSay(root, version))
  for (const { text, objective, created } of others) {
    const id = objective === undefined ? NOT_KNOWN : 'id' in objective ? objective.id : hashRow(objective)
    const version = { guideline: sha256(text), name: 'guideline', objective: id, created }
    const isThere = ({ guideline, name, objective: of }: GuidelineVersion): boolean =>
      guideline === version.guideline && name === version.name && (of === id || id === NOT_KNOWN)
    if (own.some(isThere)) continue
    const sentences = sentencesWithIds(version.guideline, text)
    const whole = objective === undefined || 'id' in objective ? undefined : objective
    addGuideline(graph, version, { root, sentences, ...(whole && { objective: whole }) })
  }
}

/** A version that is kept elsewhere than in the workspace's files: its text, and the objective that it serves, as far as that is known. */
export type WrittenGuideline = { text: string; objective: Objective | { id: string } | undefined; created: string }
/** The objective of a version that was written before versions said so. */
const NOT_KNOWN = ''

type Read = { root: string; objective?: Objective; sentences: Sentence[] }

function addGuideline(graph: Graph, version: GuidelineVersion, read: Read | string): void {
  const { guideline, objective: hash } = version
  graph.guidelines.push(version)
  if (typeof read === 'string') {
    put(graph, { id: guideline, kind: 'guideline', label: guidelineLabel(version), detail: read })
    return
  }
  const { root, objective, sentences } = read
  const criterionOf = objective ? putObjective(graph, hash, objective) : new Map<string, string>()
  if (!objective && hash !== NOT_KNOWN) putNamedObjective(graph, root, { id: hash })
  put(graph, { id: guideline, kind: 'guideline', label: guidelineLabel(version) })
  if (hash !== NOT_KNOWN) link(graph, { from: hash, to: guideline, role: 'objective' })
  for (const { id, text, criterion } of sentences) {
    put(graph, { id, kind: 'sentence', label: text, guideline })
    link(graph, { from: guideline, to: id, role: 'sentence' })
    const own = criterion === undefined ? undefined : criterionOf.get(criterion)
    const about = own === undefined ? [...criterionOf.values()] : [own]
    for (const from of about) link(graph, { from, to: id, role: 'criterion' })
  }
}

/** What is wrong with a version whose texts are damaged or gone: the rest of the graph is as true without them. */
function readOrSay(root: string, version: GuidelineVersion): Read | string {
  try {
    return { root, ...readGuideline(root, version) }
  } catch (error) {
    if (error instanceof DataError) return error.message
    throw error
  }
}

/** Links `to`, a judgement or a file of them, to what it was judged under. */
export function linkAsked(
  graph: Graph,
  to: string,
  { guideline: name, criterion, objective }: Asked,
  role = 'judged under',
): void {
  if (name === undefined) return
  const ofObjective = graph.guidelines.filter((each) => each.objective === objective)
  const version = guidelineNamed(ofObjective, name) ?? guidelineNamed(graph.guidelines, name)
  if (!version) {
    const from = put(graph, { id: `guideline ${name}`, kind: 'guideline', label: name, detail: 'its text is not here' })
    link(graph, { from, to, role })
    return
  }
  const ownOf = criterion === undefined ? undefined : `${version.objective}#${criterion}`
  const sentences = [...graph.nodes.values()].filter((node) => node.guideline === version.guideline)
  const about = sentences.filter(
    ({ id }) =>
      ownOf === undefined || graph.above.get(id)?.some((edge) => edge.from === ownOf && edge.role === 'criterion'),
  )
  for (const { id } of about) link(graph, { from: id, to, role })
  if (ownOf !== undefined && graph.nodes.has(ownOf)) link(graph, { from: ownOf, to, role })
  if (about.length === 0) link(graph, { from: version.guideline, to, role })
}

/** Links every file and version of judgements that the graph has to what its rows name. */
export function linkJudgements(graph: Graph): void {
  for (const { id, rows } of graph.nodes.values()) {
    if (rows === undefined || !fs.existsSync(rows)) continue
    for (const asked of askedIn(rows)) linkAsked(graph, id, asked)
  }
}

/** The different questions that rows of judgements answer; none of other rows. */
function askedIn(file: string): Asked[] {
  const lines = fs.readFileSync(file, 'utf8').split('\n')
  if (!lines[0]?.includes('"annotator"')) return []
  const asked = new Map<string, Asked>()
  for (const line of lines) {
    if (line === '') continue
    const { guideline, criterion, objective } = JSON.parse(line) as Asked
    if (guideline === undefined) continue
    const own = { ...(criterion !== undefined && { criterion }), ...(objective !== undefined && { objective }) }
    asked.set(`${guideline} ${criterion} ${objective}`, { guideline, ...own })
  }
  return [...asked.values()]
}

/**
 * The graph for people and pictures: a guideline stands for its sentences, so that twenty of them are one line. Sentences in
 * `kept` stay, and then speak for what was judged under them.
 */
export function foldSentences(graph: Graph, kept: ReadonlySet<string>): Graph {
  const nodes = new Map([...graph.nodes].filter(([id, { kind }]) => kind !== 'sentence' || kept.has(id)))
  const shown = (id: string) => (nodes.has(id) ? id : (graph.nodes.get(id)?.guideline ?? id))
  const folded = graphOf({ ...graph, nodes })
  for (const { from, to, role } of graph.edges) {
    const isOfAnother = !nodes.has(from) && graph.nodes.has(from)
    if (!isOfAnother || kept.size === 0) link(folded, { from: shown(from), to: shown(to), role })
  }
  return folded
}
