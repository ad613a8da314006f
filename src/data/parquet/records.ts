// One row out of the values of its leaves: lists and structs as JSON has them. Parquet cannot leave a field out, so null
// members are absent, as an empty cell of CSV is; null elements of lists stay. Lists and maps after LogicalTypes.md, old
// two-level lists included.
import { DataError } from '#errors'
import { EXTRA_COLUMN } from '../csv.ts'
import type { Json } from '../json.ts'
import { MOST_ROW_BYTES, MOST_VALUES } from '../limits.ts'
import { damaged } from './cursor.ts'
import type { Column } from './footer.ts'
import type { Values } from './pages.ts'
import { fieldOf } from './values.ts'

type Fields = { [key: string]: Json }
/** `flaw`: why the row cannot be said; its place is a field. */
export type Row = { fields: Fields; flaw: DataError | undefined }

/** Takes the values of the next row. Throws DataError without a place where the file cannot be read on. */
export function takeRow(columns: Column[], leaves: Values[]): Row {
  const raw: Fields = {}
  const size = { bytes: 0, values: 0 }
  let flaw: DataError | undefined
  for (const leaf of leaves) {
    if (leaf.peek() !== 0) damaged('rows that begin within a list, or fewer values than rows')
    const places = new Array<number>(leaf.column.lists + 1).fill(0)
    do {
      const level = leaf.peek()
      if (level > 0) {
        places[level]!++
        places.fill(0, level + 1)
      }
      leaf.take()
      if (leaf.flaw) flaw ??= new DataError(leaf.flaw.message, { field: fieldOf(leaf.column) })
      charge(size, leaf.value)
      put(raw, leaf, places)
    } while (leaf.peek() > 0)
  }
  const fields: Fields = {}
  for (const column of columns) {
    const value = shapeOf(column, raw[column.name] ?? null)
    if (value !== null && column.name !== EXTRA_COLUMN) fields[column.name] = value
    else if (value !== null) flaw ??= addRest(fields, value)
  }
  return { fields, flaw }
}

/** Fields that have no column of their own, as hone writes them. */
function addRest(fields: Fields, rest: Json): DataError | undefined {
  if (typeof rest !== 'object' || rest === null || Array.isArray(rest))
    return new DataError('expected a JSON object of the fields that have no column', { field: EXTRA_COLUMN })
  Object.assign(fields, rest)
  return undefined
}

/** Before it is copied: a dictionary has a text once, and a list may have it a million times. */
function charge(size: { bytes: number; values: number }, value: Json): void {
  size.bytes += typeof value === 'string' ? value.length : 1
  size.values++
  if (size.bytes > MOST_ROW_BYTES)
    throw new DataError(`expected rows of at most ${MOST_ROW_BYTES / 2 ** 20} MiB, got a longer one: split it`)
  if (size.values > MOST_VALUES) throw new DataError(`expected at most ${MOST_VALUES} values in a row, got more`)
}

/** `places[n]`: which element of the nth list around the value. */
function put(raw: Fields, leaf: Values, places: number[]): void {
  let into: Fields = raw
  for (const column of leaf.column.path) {
    const isLeaf = column === leaf.column
    if (column.definition > leaf.definition) {
      into[column.name] ??= column.repetition === 'repeated' ? [] : null
      return
    }
    if (column.repetition === 'repeated') {
      const list = (into[column.name] ??= []) as Json[]
      const at = places[column.lists]!
      if (at > list.length) damaged('lists of different lengths in one column')
      if (isLeaf) list[at] = leaf.value
      else into = (list[at] ??= {}) as Fields
    } else if (isLeaf) into[column.name] = leaf.value
    else into = (into[column.name] ??= {}) as Fields
  }
}

function shapeOf(column: Column, value: Json): Json {
  if (value === null) return null
  if (column.repetition === 'repeated') return (value as Json[]).map((element) => shapeOfOne(column, element))
  return shapeOfOne(column, value)
}

function shapeOfOne(column: Column, value: Json): Json {
  if (value === null || !column.children.length) return value
  const [only] = column.children
  const fields = value as Fields
  if (column.meaning === 'list' && column.children.length === 1 && only!.repetition === 'repeated')
    return ((fields[only!.name] ?? []) as Json[]).map((element) => elementOf(column, only!, element))
  if (column.meaning === 'map' && column.children.length === 1 && only!.repetition === 'repeated')
    return mapOf(only!, (fields[only!.name] ?? []) as Fields[])
  const shaped: Fields = {}
  for (const child of column.children) {
    const member = shapeOf(child, fields[child.name] ?? null)
    if (member !== null) shaped[child.name] = member
  }
  return shaped
}

/** The middle level of a list is a wrapper, but where it is the element itself, as old writers have it. */
function elementOf(list: Column, middle: Column, value: Json): Json {
  const isElement = middle.children.length !== 1 || middle.name === 'array' || middle.name === `${list.name}_tuple`
  if (isElement) return shapeOfOne(middle, value)
  const [element] = middle.children
  return value === null ? null : shapeOf(element!, (value as Fields)[element!.name] ?? null)
}

function mapOf(entry: Column, entries: Fields[]): Json {
  const [key, value] = entry.children
  if (!key || !value || entry.children.length !== 2) damaged('a map without keys and values')
  const shaped: Fields = Object.create(null) as Fields
  for (const fields of entries) {
    const name = shapeOf(key, fields[key.name] ?? null)
    // Objects have text as keys, each once.
    shaped[typeof name === 'string' ? name : JSON.stringify(name)] = shapeOf(value, fields[value.name] ?? null)
  }
  return shaped
}
