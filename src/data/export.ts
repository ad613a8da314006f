// Rows to files: JSONL (canonical JSON, a row a line), JSON (one array) or CSV. Each is read back to rows of the same hash.
import { canonicalJson, type Written, writeDurable } from '#files'
import type { Format } from './bytes.ts'
import { columnsOf, type KnownRow, writeHeader, writeRecord } from './csv.ts'
import { fieldsOf, type Kind, type RowOf } from './normalise.ts'

const CHUNK_CHARACTERS = 1 << 20

/** Writes the file whole or not at all. `rows` is read twice for CSV, whose header needs all of them. */
export function writeRows<K extends Kind>(
  file: string,
  rows: Iterable<RowOf[K]>,
  { kind, format }: { kind: K; format: Format },
): Written {
  return writeDurable(file, inBytes(linesOf(rows, kind, format)))
}

/** The text of such a file in pieces, for whoever sends it on. `rows` is read twice for CSV. */
export function rowPieces<K extends Kind>(
  rows: Iterable<RowOf[K]>,
  { kind, format }: { kind: K; format: Format },
): Generator<string> {
  return chunked(linesOf(rows, kind, format))
}

function* linesOf<K extends Kind>(rows: Iterable<RowOf[K]>, kind: K, format: Format): Generator<string> {
  if (format === 'jsonl') for (const row of rows) yield `${canonicalJson(row)}\n`
  else if (format === 'json') {
    let before = '[\n'
    for (const row of rows) {
      yield before + canonicalJson(row)
      before = ',\n'
    }
    yield before === '[\n' ? '[]\n' : '\n]\n'
  } else {
    const columns = columnsOf(known(rows, kind))
    yield `${writeHeader(columns)}\r\n`
    for (const row of known(rows, kind)) yield `${writeRecord(row, columns)}\r\n`
  }
}

function* known<K extends Kind>(rows: Iterable<RowOf[K]>, kind: K): Generator<KnownRow> {
  for (const row of rows) yield { row, known: fieldsOf(row, kind) }
}

function* inBytes(lines: Iterable<string>): Generator<Uint8Array> {
  for (const piece of chunked(lines)) yield Buffer.from(piece)
}

function* chunked(lines: Iterable<string>): Generator<string> {
  let held: string[] = []
  let characters = 0
  for (const line of lines) {
    held.push(line)
    characters += line.length
    if (characters < CHUNK_CHARACTERS) continue
    yield held.join('')
    held = []
    characters = 0
  }
  if (held.length) yield held.join('')
}
