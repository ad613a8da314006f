// What stands at the end of a Parquet file: the tree of its columns, and where the values of each lie, by row groups.
// github.com/apache/parquet-format, parquet.thrift. Left out: encryption, statistics, indexes, files in parts.
import { DataError } from '#errors'
import { MOST_COLUMNS, MOST_NESTING, MOST_ROWS } from '../limits.ts'
import { Cursor, damaged, isTrue, mustBeStruct, readInteger, readList, readStruct, readText } from './cursor.ts'

export const TYPES = ['BOOLEAN', 'INT32', 'INT64', 'INT96', 'FLOAT', 'DOUBLE', 'BYTE_ARRAY', 'FIXED'] as const
export const CODECS = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW'] as const
const REPETITIONS = ['required', 'optional', 'repeated'] as const
const CONVERTED = [
  'text',
  'map',
  'map',
  'list',
  'text',
  'decimal',
  'date',
  'time',
  'time',
  'timestamp',
  'timestamp',
  'unsigned',
  'unsigned',
  'unsigned',
  'unsigned',
  'plain',
  'plain',
  'plain',
  'plain',
  'json',
  'bson',
  'interval',
] as const
const LOGICAL: Record<number, Meaning> = {
  1: 'text',
  2: 'map',
  3: 'list',
  4: 'text',
  5: 'decimal',
  6: 'date',
  7: 'time',
  8: 'timestamp',
  11: 'plain',
  12: 'json',
  13: 'bson',
  14: 'uuid',
  15: 'float16',
  16: 'variant',
  17: 'geometry',
  18: 'geography',
}
type Meaning = (typeof CONVERTED)[number] | 'uuid' | 'float16' | 'variant' | 'geometry' | 'geography'

export type Column = {
  name: string
  repetition: (typeof REPETITIONS)[number]
  children: Column[]
  /** Of a leaf. */
  type: (typeof TYPES)[number] | undefined
  /** Bytes, of FIXED. */
  length: number
  meaning: Meaning
  scale: number
  precision: number
  /** Decimal digits of a second. */
  digits: 3 | 6 | 9
  isUtc: boolean
  /** From the column of a row to this one, which is the last. */
  path: Column[]
  /** Levels from which on a value is there, and of lists around and at it. */
  definition: number
  lists: number
}
/** Where the values of one leaf lie in the file, in bytes. */
export type Chunk = { codec: (typeof CODECS)[number]; values: number; start: number; end: number }
export type RowGroup = { rows: number; chunks: Chunk[] }
export type Footer = { columns: Column[]; leaves: Column[]; groups: RowGroup[] }

/** Of the footer's bytes; `size` is the file's. Throws DataError without a place. */
export function readFooter(bytes: Buffer, size: number): Footer {
  const cursor = new Cursor(bytes)
  const elements: Element[] = []
  const groups: RowGroup[] = []
  let rows = -1
  readStruct(cursor, (id, type) => {
    if (id === 2) readList(cursor, type, (element) => void elements.push(readElement(cursor, element)))
    else if (id === 3) rows = readInteger(cursor, type)
    else if (id === 4) readList(cursor, type, (element) => void groups.push(readRowGroup(cursor, element, size)))
    else return false
    if (elements.length > 4 * MOST_COLUMNS) damaged(`more than ${4 * MOST_COLUMNS} columns`)
    return true
  })
  const root = treeOf(elements)
  const leaves = root.children.flatMap(leavesOf)
  if (leaves.length > MOST_COLUMNS)
    throw new DataError(`expected at most ${MOST_COLUMNS} columns, got ${leaves.length}: choose those that rows need`)
  for (const { chunks } of groups) if (chunks.length !== leaves.length) damaged('a row group with other columns')
  const sum = groups.reduce((all, group) => all + group.rows, 0)
  if (sum !== rows) damaged(`${sum} rows where the footer says ${rows}`)
  if (rows > MOST_ROWS) throw new DataError(`expected at most ${MOST_ROWS} rows, got ${rows}: split the file`)
  return { columns: root.children, leaves, groups }
}

type Element = Omit<Column, 'children' | 'path' | 'definition' | 'lists'> & { count: number }

function readElement(cursor: Cursor, kind: number): Element {
  mustBeStruct(kind)
  const element: Element = {
    name: '',
    repetition: 'required',
    type: undefined,
    length: 0,
    count: 0,
    meaning: 'plain',
    scale: 0,
    precision: 0,
    digits: 3,
    isUtc: true,
  }
  readStruct(cursor, (id, type) => {
    if (id === 1) element.type = TYPES[readInteger(cursor, type)] ?? damaged('a column of an unknown type')
    else if (id === 2) element.length = readInteger(cursor, type)
    else if (id === 3) element.repetition = REPETITIONS[readInteger(cursor, type)] ?? damaged('an unknown repetition')
    else if (id === 4) element.name = readText(cursor, type)
    else if (id === 5) element.count = readInteger(cursor, type)
    else if (id === 6) {
      const converted = readInteger(cursor, type)
      // A logical type, which says more, may have been read before.
      if (element.meaning === 'plain') element.meaning = CONVERTED[converted] ?? damaged('an unknown converted type')
      if (converted === 8 || converted === 10) element.digits = 6
    } else if (id === 7) element.scale = readInteger(cursor, type)
    else if (id === 8) element.precision = readInteger(cursor, type)
    else if (id === 10) readLogical(cursor, type, element)
    else return false
    return true
  })
  return element
}

function readLogical(cursor: Cursor, kind: number, element: Element): void {
  mustBeStruct(kind)
  readStruct(cursor, (logical, type) => {
    mustBeStruct(type)
    element.meaning = LOGICAL[logical] ?? element.meaning
    readStruct(cursor, (id, inner) => {
      if (logical === 5 && id === 1) element.scale = readInteger(cursor, inner)
      else if (logical === 5 && id === 2) element.precision = readInteger(cursor, inner)
      else if ((logical === 7 || logical === 8) && id === 1) element.isUtc = isTrue(inner)
      else if ((logical === 7 || logical === 8) && id === 2) element.digits = readUnit(cursor, inner)
      else if (logical === 10 && id === 2) element.meaning = isTrue(inner) ? 'plain' : 'unsigned'
      else return false
      return true
    })
    return true
  })
}

function readUnit(cursor: Cursor, kind: number): Column['digits'] {
  mustBeStruct(kind)
  let digits: Column['digits'] = 3
  readStruct(cursor, (unit) => {
    digits = unit === 3 ? 9 : unit === 2 ? 6 : 3
    return false
  })
  return digits
}

function readRowGroup(cursor: Cursor, kind: number, size: number): RowGroup {
  mustBeStruct(kind)
  const group: RowGroup = { rows: -1, chunks: [] }
  readStruct(cursor, (id, type) => {
    if (id === 1) readList(cursor, type, (chunk) => void group.chunks.push(readChunk(cursor, chunk, size)))
    else if (id === 3) group.rows = readInteger(cursor, type)
    else return false
    return true
  })
  if (!(group.rows >= 0)) damaged('a row group without a number of rows')
  return group
}

function readChunk(cursor: Cursor, kind: number, size: number): Chunk {
  mustBeStruct(kind)
  let codec: Chunk['codec'] | undefined
  let values = -1
  let bytes = -1
  let data = -1
  let dictionary = 0
  readStruct(cursor, (id, type) => {
    if (id === 1) throw new DataError('expected one file, got columns in files of their own: write one file')
    if (id === 8) throw new DataError('expected plain Parquet, got encrypted columns: write it without encryption')
    if (id !== 3) return false
    mustBeStruct(type)
    readStruct(cursor, (field, inner) => {
      if (field === 4) codec = CODECS[readInteger(cursor, inner)]
      else if (field === 5) values = readInteger(cursor, inner)
      else if (field === 7) bytes = readInteger(cursor, inner)
      else if (field === 9) data = readInteger(cursor, inner)
      else if (field === 11) dictionary = readInteger(cursor, inner)
      else return false
      return true
    })
    return true
  })
  const start = dictionary > 0 && dictionary < data ? dictionary : data
  if (codec === undefined) damaged('an unknown compression')
  if (!(values >= 0 && bytes >= 0 && start >= 4 && start + bytes <= size))
    damaged('a column that lies outside the file')
  return { codec, values, start, end: start + bytes }
}

function treeOf(elements: Element[]): Column {
  let next = 0
  const build = (path: Column[], definition: number, lists: number): Column => {
    const element = elements[next++] ?? damaged('fewer columns than its tree names')
    if (path.length > MOST_NESTING) damaged(`columns more than ${MOST_NESTING} levels deep`)
    const { count, ...own } = element
    const isRoot = next === 1
    const column: Column = {
      ...own,
      children: [],
      path: [],
      definition: definition + (isRoot || own.repetition === 'required' ? 0 : 1),
      lists: lists + (!isRoot && own.repetition === 'repeated' ? 1 : 0),
    }
    column.path = isRoot ? [] : [...path, column]
    if (column.name === '__proto__') damaged('a column named __proto__')
    if (column.type === undefined) {
      for (let i = 0; i < count; i++) column.children.push(build(column.path, column.definition, column.lists))
      if (!isRoot && count < 1) damaged('a group without columns')
    }
    const names = new Set(column.children.map(({ name }) => name))
    if (names.size < column.children.length) damaged('two columns of one name')
    return column
  }
  const root = build([], 0, 0)
  if (root.type !== undefined || next !== elements.length) damaged('more columns than its tree names')
  return root
}

function leavesOf(column: Column): Column[] {
  return column.children.length ? column.children.flatMap(leavesOf) : [column]
}
