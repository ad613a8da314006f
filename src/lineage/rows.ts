// Single rows in lineage: a judgement hangs on the sentences it was made under, a preference on the judgements of its item,
// and every row is part of the versions and files that hold it.
import fs from 'node:fs'
import { hashRow } from '#files'
import { type Asked, linkAsked } from './guidelines.ts'
import { type Graph, type Kind, link, put } from './nodes.ts'

export type Row = Record<string, unknown>
/** `line` counts from 1; `dataset` is the node whose rows it is among. */
export type Place = { dataset: string; line: number; hash: string; row: Row }

const LONGEST_LABEL = 80

/** Rows of a JSONL file; a line that is no JSON object is none. */
export function rowsOf(file: string): { line: number; row: Row }[] {
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, i) => {
      try {
        const row: unknown = JSON.parse(text)
        return typeof row === 'object' && row !== null && !Array.isArray(row) ? [{ line: i + 1, row: row as Row }] : []
      } catch {
        return []
      }
    })
}

/** Rows that are named by id, item, ITEM/ANNOTATOR or hash, in every dataset or file of rows among `ids`. */
export function rowsNamed({ nodes }: Graph, ids: Iterable<string>, name: string): Place[] {
  const isHash = /^[0-9a-f]{6,64}$/.test(name)
  return [...ids].flatMap((dataset) => {
    const file = nodes.get(dataset)?.rows
    if (file === undefined || !fs.existsSync(file)) return []
    return rowsOf(file).flatMap(({ line, row }) => {
      const isNamed = row.id === name || row.item === name || `${text(row.item)}/${text(row.annotator)}` === name
      if (!isNamed && !isHash) return []
      const hash = hashRow(row)
      return isNamed || hash.startsWith(name) ? [{ dataset, line, hash, row }] : []
    })
  })
}

/** Puts a row into the graph, with what it came from and what holds it; answers its node's id. */
export function addRow(graph: Graph, place: Omit<Place, 'line'>): string {
  const { dataset, hash, row } = place
  const isKnown = graph.nodes.has(hash)
  put(graph, { id: hash, ...describeRow(row) })
  link(graph, { from: hash, to: dataset, role: 'row' })
  if (isKnown) return hash
  const isJudgement = kindOf(row) === 'judgement'
  if (isJudgement) linkAsked(graph, hash, askedOf(row))
  else if (kindOf(row) === 'demonstration') linkAsked(graph, hash, askedOf(row), 'written under')
  for (const other of ofSameItem(graph, place)) {
    addRow(graph, other)
    const [from, to] = isJudgement ? [hash, other.hash] : [other.hash, hash]
    link(graph, { from, to, role: 'aggregated' })
  }
  return hash
}

/** What a row is, in words. */
export function describeRow(row: Row): { kind: Kind; label: string; detail: string } {
  return { kind: kindOf(row), label: labelOf(row), detail: detailOf(row) }
}

/** Of a judgement the preferences that were made of it, of a preference its judgements: rows of its item a step down, or up. */
function ofSameItem(graph: Graph, { dataset, row }: Omit<Place, 'line'>): Place[] {
  const kind = kindOf(row)
  if (row.ratings !== undefined) return []
  if (typeof row.item !== 'string' || (kind !== 'judgement' && kind !== 'preference')) return []
  const near =
    kind === 'judgement'
      ? (graph.below.get(dataset) ?? []).map(({ to }) => to)
      : (graph.above.get(dataset) ?? []).map(({ from }) => from)
  const wanted = kind === 'judgement' ? 'preference' : 'judgement'
  return rowsNamed(graph, new Set(near), row.item).filter((other) => kindOf(other.row) === wanted)
}

function askedOf({ guideline, criterion, objective }: Row): Asked {
  return {
    ...(typeof objective === 'string' && { objective }),
    ...(typeof guideline === 'string' && { guideline }),
    ...(typeof criterion === 'string' && { criterion }),
  }
}

function kindOf(row: Row): Kind {
  if (row.annotator !== undefined) return 'judgement'
  if (row.probability !== undefined) return 'preference'
  if (row.a !== undefined || row.chosen !== undefined) return 'comparison'
  return row.completion === undefined ? 'row' : 'demonstration'
}

function labelOf(row: Row): string {
  const { annotator, item, id } = row
  if (typeof annotator === 'string') return `${annotator} on ${text(item)}`
  return text(item ?? id) || brief(row.prompt ?? row.text ?? row)
}

/** One sentence: of a judgement what was asked and answered. */
function detailOf(row: Row): string {
  if (typeof row.annotator === 'string') {
    const who = row.simulated === true ? ' (simulated)' : ''
    const under = row.guideline === undefined ? '' : ` under ${text(row.guideline)}`
    const by = row.criterion === undefined ? '' : ` by ${text(row.criterion)}`
    const said = row.ratings === undefined ? saidOf(text(row.choice)) : `rated ${brief(row.ratings)}`
    return `asked for ${brief(row.prompt ?? '')}, ${row.annotator}${who} ${said}${by}${under}`
  }
  if (typeof row.probability === 'number') {
    const count = typeof row.judgements === 'number' ? `, from ${row.judgements} judgements` : ''
    const weight = typeof row.weight === 'number' ? `, weight ${row.weight.toFixed(2)}` : ''
    return `probability ${row.probability.toFixed(3)} that a is better${weight}${count}`
  }
  if (kindOf(row) === 'demonstration' && typeof row.author === 'string') {
    const from = typeof row.editedWords === 'number' ? `, ${row.editedWords} words changed in a drafted answer` : ''
    const accepted = typeof row.reviewer === 'string' ? `, accepted by ${row.reviewer}` : ''
    return `written by ${row.author} for ${brief(row.prompt ?? '')}${from}${accepted}`
  }
  return brief(row)
}

function saidOf(choice: string): string {
  return choice === 'left' || choice === 'right' ? `chose the ${choice} side` : `said ${choice}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function brief(value: unknown): string {
  const json = JSON.stringify(value)
  return json.length > LONGEST_LABEL ? `${json.slice(0, LONGEST_LABEL - 3)}...` : json
}
