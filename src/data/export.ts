// Rows to files: JSONL (canonical JSON, a row a line), JSON (one array), CSV or Parquet. Each is read back to rows of the
// same hash.
import { canonicalJson, type Written, writeDurable } from '#files'
import type { Format, TextFormat } from './bytes.ts'
import { columnsOf, type KnownRow, writeHeader, writeRecord } from './csv.ts'
import { fieldsOf, type Kind, type RowOf } from './normalise.ts'
import { parquetPieces } from './parquet/write.ts'

const CHUNK_CHARACTERS = 1 << 20

/** Writes the file whole or not at all. `rows` is read twice for CSV and Parquet, whose columns need all of them. */
export function writeRows<K extends Kind>(
  file: string,
  rows: Iterable<RowOf[K]>,
  { kind, format }: { kind: K; format: Format },
): Written {
  return writeDurable(file, rowPieces(rows, { kind, format }))
}

/** The bytes of such a file in pieces, for whoever sends it on. `rows` is read twice for CSV and Parquet. */
export function rowPieces<K extends Kind>(
  rows: Iterable<RowOf[K]>,
  { kind, format }: { kind: K; format: Format },
): Generator<Uint8Array> {
  return format === 'parquet' ? parquetPieces(rows, knownFields(rows, kind)) : inBytes(linesOf(rows, kind, format))
}

/** Those of the first row's schema: rows of a file have one. */
function knownFields<K extends Kind>(rows: Iterable<RowOf[K]>, kind: K): readonly string[] {
  for (const row of rows) return fieldsOf(row, kind)
  return []
}

function* linesOf<K extends Kind>(rows: Iterable<RowOf[K]>, kind: K, format: TextFormat): Generator<string> {
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
