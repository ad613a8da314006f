// Rows as Parquet: texts, numbers, booleans and lists of {role, content} as columns of their own type, any other value, and a
// field whose values are of several types, as a column of JSON. A field that a row lacks is null there; so nulls that rows have,
// and rare fields beyond the first hundreds, travel as one JSON object in the column `$json`, as in CSV. Pages are compressed
// by gzip, which every reader knows and whose checksums tell damage. Two passes over the rows: the columns need all of them.
import { gzipSync } from 'node:zlib'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { EXTRA_COLUMN } from '../csv.ts'
import { MOST_COLUMNS } from '../limits.ts'

type Row = Record<string, unknown>
type Shape = 'text' | 'whole' | 'number' | 'boolean' | 'turns' | 'json'
type Element = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number]

/** With columns of their own. */
const MOST_FIELDS = MOST_COLUMNS / 4
const GROUP_ROWS = 10_000
/** A server's other callers wait while a group is written. */
const GROUP_CHARACTERS = 1 << 21

/** The file in pieces, a row group each. `known`: fields that come first, in that order. */
export function* parquetPieces(rows: Iterable<object>, known: readonly string[]): Generator<Uint8Array> {
  const shapes = shapesOf(rows as Iterable<Row>, known)
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaOf(shapes),
    codec: 'GZIP',
    compressors: { GZIP: (page) => gzipSync(page) },
    statistics: false,
    createdBy: 'hone',
  })
  const taken = (): Uint8Array => {
    const piece = Uint8Array.from(bytes.getBytes())
    bytes.index = 0
    return piece
  }
  for (const group of grouped(rows as Iterable<Row>)) {
    const columnData = [...shapes].map(([name, shape]) => ({
      name,
      data: group.map((row) => {
        const value = name === EXTRA_COLUMN ? restOf(row, shapes) : row[name]
        return value === undefined || value === null ? null : written(value, shape)
      }),
      // A dictionary of equal texts would let a file grow a thousandfold when it is read.
      encoding: 'PLAIN' as const,
      offsetIndex: false,
    }))
    void writer.write({ columnData, rowGroupSize: group.length })
    yield taken()
  }
  void writer.finish()
  yield taken()
}

function shapesOf(rows: Iterable<Row>, known: readonly string[]): Map<string, Shape> {
  const found = new Map<string, Shape>()
  let hasRest = false
  for (const row of rows)
    for (const [name, value] of Object.entries(row)) {
      const before = found.get(name)
      const isNew = before === undefined && !known.includes(name)
      if (value === null || name === EXTRA_COLUMN || (isNew && found.size >= MOST_FIELDS)) hasRest = true
      else if (value !== undefined && before !== 'json') found.set(name, widened(before, shapeOf(value)))
    }
  const others = [...found.keys()].filter((name) => !known.includes(name)).sort()
  const order = [...known.filter((name) => found.has(name)), ...others]
  const shapes = new Map(order.map((name) => [name, found.get(name)!]))
  return hasRest ? shapes.set(EXTRA_COLUMN, 'json') : shapes
}

/** What of a row no other column has. */
function restOf(row: Row, shapes: Map<string, Shape>): Row | undefined {
  const rest = Object.entries(row).filter(
    ([name, value]) => value === null || name === EXTRA_COLUMN || !shapes.has(name),
  )
  return rest.length ? Object.fromEntries(rest) : undefined
}

function shapeOf(value: unknown): Shape {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'whole' : 'number'
  return Array.isArray(value) && value.length > 0 && value.every(isTurn) ? 'turns' : 'json'
}

function isTurn(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false
  const { role, content } = value as Row
  return typeof role === 'string' && typeof content === 'string'
}

function widened(before: Shape | undefined, shape: Shape): Shape {
  const isNumeric = (one: Shape) => one === 'whole' || one === 'number'
  if (before === undefined || before === shape) return shape
  return isNumeric(before) && isNumeric(shape) ? 'number' : 'json'
}

function schemaOf(shapes: Map<string, Shape>): Element[] {
  return [
    { name: 'rows', num_children: shapes.size },
    ...[...shapes].flatMap(([name, shape]) => elementsOf(name, shape)),
  ]
}

function elementsOf(name: string, shape: Shape): Element[] {
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const
  switch (shape) {
    case 'text':
      return [{ name, ...text, repetition_type: 'OPTIONAL' }]
    case 'whole':
      return [{ name, type: 'INT64', repetition_type: 'OPTIONAL' }]
    case 'number':
      return [{ name, type: 'DOUBLE', repetition_type: 'OPTIONAL' }]
    case 'boolean':
      return [{ name, type: 'BOOLEAN', repetition_type: 'OPTIONAL' }]
    case 'json':
      return [{ name, type: 'BYTE_ARRAY', logical_type: { type: 'JSON' }, repetition_type: 'OPTIONAL' }]
    case 'turns':
      return [
        { name, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
        { name: 'role', ...text, repetition_type: 'REQUIRED' },
        { name: 'content', ...text, repetition_type: 'REQUIRED' },
      ]
    default:
      return shape satisfies never
  }
}

function written(value: unknown, shape: Shape): unknown {
  if (shape === 'whole') return BigInt(value as number)
  return shape === 'json' ? Buffer.from(JSON.stringify(value)) : value
}

function* grouped(rows: Iterable<Row>): Generator<Row[]> {
  let group: Row[] = []
  let characters = 0
  for (const row of rows) {
    group.push(row)
    for (const value of Object.values(row)) characters += typeof value === 'string' ? value.length : 0
    if (group.length < GROUP_ROWS && characters < GROUP_CHARACTERS) continue
    yield group
    group = []
    characters = 0
  }
  if (group.length) yield group
}
