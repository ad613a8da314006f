// CSV after RFC 4180 with a header: cells to a row's fields and back. What CSV cannot say is said by convention: turns are
// JSON in the prompt's cell, answers in that of ratings; an empty cell is an absent field, but for texts that a row must have;
// extra fields that are not plain text travel as one JSON object in the column `$json`. So every row comes back with the same
// hash.
import { DataError, type Place } from '#errors'
import type { Frame } from './frames.ts'
import { type Json, parseJson, type Start } from './json.ts'
import { MOST_COLUMNS } from './limits.ts'

export type Cell = { text: string; line: number; column: number }
/** A row's fields as JSON would have said them, and where each stands. */
export type RawRow = { value: Json; placeOf: (path: readonly PropertyKey[]) => Place }

export const EXTRA_COLUMN = '$json'
/** Texts that may be empty, so that an empty cell is an empty text. */
const TEXTS = new Set(['completion', 'chosen', 'rejected', 'a', 'b', 'left', 'right'])
const NUMBERS = new Set([
  'strength',
  'time',
  'probability',
  'weight',
  'judgements',
  'tie',
  'bothBad',
  'message',
  'priority',
  'margin',
  'suggestedScore',
])
const BOOLEANS: Record<string, boolean> = {
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
}
const IS_BOOLEAN = new Set(['simulated', 'label', 'agreesWithSuggestion'])

/** Cells of one record. A quote opens a cell only at its beginning. */
export function parseRecord({ text, line, column }: Frame, file: string): Cell[] {
  const cells: Cell[] = []
  let at = 0
  let lineNow = line
  let lineStart = 1 - column
  const here = () => ({ line: lineNow, column: at - lineStart + 1 })
  const fail = (message: string): never => {
    throw new DataError(message, { file, ...here() })
  }
  for (;;) {
    const place = here()
    let value = ''
    if (text[at] === '"') {
      for (;;) {
        const close = text.indexOf('"', at + 1)
        if (close < 0) fail('expected " at the end of a quoted cell')
        const part = text.slice(at + 1, close)
        for (let i = part.indexOf('\n'); i >= 0; i = part.indexOf('\n', i + 1)) {
          lineNow++
          lineStart = at + 1 + i + 1
        }
        value += part
        at = close + 1
        if (text[at] !== '"') break
        value += '"'
      }
      if (at < text.length && text[at] !== ',')
        fail(`expected a comma after the closing quote, got ${text[at]}: write a quote inside a cell twice`)
    } else {
      const comma = text.indexOf(',', at)
      const end = comma < 0 ? text.length : comma
      value = text.slice(at, end)
      const stray = value.search(/["\r]/)
      if (stray >= 0) {
        at += stray
        fail(
          text[at] === '"'
            ? 'expected no quote inside an unquoted cell: quote the cell and write the quote twice'
            : 'expected no carriage return inside a line, got one: end lines with LF or CRLF',
        )
      }
      at = end
    }
    cells.push({ text: value, ...place })
    if (cells.length > MOST_COLUMNS) fail(`expected at most ${MOST_COLUMNS} cells`)
    if (at >= text.length) return cells
    at++
  }
}

/** Names of the columns. Throws on empty and repeated ones. */
export function parseHeader(frame: Frame, file: string): string[] {
  const names = new Set<string>()
  const cells = parseRecord(frame, file)
  const separator = cells.length === 1 ? /[;\t|]/.exec(cells[0]!.text)?.[0] : undefined
  if (separator)
    throw new DataError(`expected commas between cells, got ${JSON.stringify(separator)}: export with commas`, {
      file,
      line: frame.line,
      column: frame.column,
    })
  for (const cell of cells) {
    const name = cell.text.trim()
    const place = { file, line: cell.line, column: cell.column }
    if (name === '') throw new DataError('expected a name in the header, got an empty cell', place)
    if (name === '__proto__') throw new DataError('expected an ordinary name, got __proto__: rename the column', place)
    if (names.has(name)) throw new DataError(`expected each column once, got ${name} twice: keep one`, place)
    names.add(name)
  }
  return [...names]
}

/** One record as the fields that its cells say. */
export function readRecord(frame: Frame, header: string[], file: string): RawRow {
  const cells = parseRecord(frame, file)
  if (cells.length !== header.length)
    throw new DataError(`expected ${header.length} cells as in the header, got ${cells.length}`, {
      file,
      line: frame.line,
    })
  const value: { [key: string]: Json } = {}
  const places = new Map<PropertyKey, Place>()
  for (const [i, name] of header.entries()) {
    const cell = cells[i]!
    const place = { file, line: cell.line, column: cell.column }
    if (cell.text.includes('\0')) throw new DataError('expected text without NUL', { ...place, field: name })
    places.set(name, place)
    if (cell.text === '' && !TEXTS.has(name)) continue
    if (name === EXTRA_COLUMN) Object.assign(value, readExtra(cell, place))
    else value[name] = readCell(name, cell.text, place)
  }
  return { value, placeOf: (path) => places.get(path[0]!) ?? { file, line: frame.line } }
}

function readCell(name: string, text: string, start: Start): Json {
  if (name === 'prompt' && readsAsJson(text)) return parseJson(text, start)
  if (name === 'messages' || (name === 'ratings' && /^\s*\{/.test(text))) return parseJson(text, start)
  if (NUMBERS.has(name) && /^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(text)) return Number(text)
  if (IS_BOOLEAN.has(name)) return BOOLEANS[text] ?? text
  return text
}

function readExtra(cell: Cell, start: Start): { [key: string]: Json } {
  const extra = parseJson(cell.text, start)
  if (typeof extra !== 'object' || extra === null || Array.isArray(extra))
    throw new DataError('expected a JSON object of the fields that are not plain text', {
      ...start,
      field: EXTRA_COLUMN,
    })
  return extra
}

/** True for a cell that is JSON: turns, or (so that every text can be written) a JSON string that would read as JSON. */
function readsAsJson(text: string): boolean {
  if (!/^\s*[["]/.test(text)) return false
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return false
  }
  if (typeof value === 'string') return readsAsJson(value)
  const first: unknown = Array.isArray(value) ? value[0] : undefined
  return typeof first === 'object' && first !== null && 'role' in first && 'content' in first
}

/** A row to write and the fields that its schema knows. */
export type KnownRow = { row: Record<string, unknown>; known: readonly string[] }

/** The columns that these rows need: known fields first, then others by name. */
export function columnsOf(rows: Iterable<KnownRow>): string[] {
  const found = new Set<string>()
  const order = new Set<string>()
  for (const { row, known } of rows) {
    for (const name of known) order.add(name)
    for (const name of Object.keys(row)) found.add(isPlain(name, row[name], known) ? name : EXTRA_COLUMN)
  }
  const others = [...found].filter((name) => !order.has(name) && name !== EXTRA_COLUMN).sort()
  return [
    ...[...order].filter((name) => found.has(name)),
    ...others,
    ...(found.has(EXTRA_COLUMN) ? [EXTRA_COLUMN] : []),
  ]
}

/** One line, without its line break. */
export function writeRecord({ row, known }: KnownRow, columns: readonly string[]): string {
  const extra = Object.fromEntries(Object.entries(row).filter(([name, value]) => !isPlain(name, value, known)))
  return columns
    .map((name) => {
      if (name === EXTRA_COLUMN) return Object.keys(extra).length ? quote(JSON.stringify(extra)) : ''
      const value = row[name]
      if (value === undefined || Object.hasOwn(extra, name)) return ''
      if (name === 'prompt' && (typeof value !== 'string' || readsAsJson(value))) return quote(JSON.stringify(value))
      return quote(typeof value === 'string' ? value : JSON.stringify(value))
    })
    .join(',')
}

export function writeHeader(columns: readonly string[]): string {
  return columns.map(quote).join(',')
}

/** True when a cell of its own says the same as JSON. */
function isPlain(name: string, value: unknown, known: readonly string[]): boolean {
  if (known.includes(name)) return true
  if (NUMBERS.has(name)) return typeof value === 'number'
  const isReserved = TEXTS.has(name) || IS_BOOLEAN.has(name) || name === 'messages' || name === 'ratings'
  const isName = name !== '' && name.trim() === name && name !== EXTRA_COLUMN && !isReserved
  return isName && typeof value === 'string' && value !== ''
}

function quote(text: string): string {
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
