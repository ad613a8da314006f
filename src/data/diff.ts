// What changed between two versions, by the rows' own names: id, or item and annotator. Rows without a name are the same
// row only when their content is the same, so for them a change shows as one removed and one added.
import { ConfigError } from '#errors'
import { canonicalJson, hashRow } from '#files'
import type { Kind, RowOf } from './normalise.ts'
import { findVersion, type Version, versionRows } from './versions.ts'

type Row = RowOf[Kind]
export type Change = { name: string; fields: string[]; before: Row; after: Row }
export type Diff = {
  before: Version
  after: Version
  added: Row[]
  removed: Row[]
  changed: Change[]
  /** Rows in both, unchanged. */
  same: number
  /** True when only the order of the rows differs. */
  isReordered: boolean
}

/** Compares two versions of one kind, each given as NAME, NAME@HASH or HASH. */
export function diffVersions(workspace: string, from: string, to: string): Diff {
  const before = findVersion(workspace, from)
  const after = findVersion(workspace, to)
  if (before.kind !== after.kind)
    throw new ConfigError(`expected two versions of one kind, got ${before.kind} and ${after.kind}`)
  const left = new Map(named(versionRows(workspace, before)))
  const diff: Diff = { before, after, added: [], removed: [], changed: [], same: 0, isReordered: false }
  for (const [name, row] of named(versionRows(workspace, after))) {
    const old = left.get(name)
    left.delete(name)
    const fields = old ? changedFields(old, row) : []
    if (!old) diff.added.push(row)
    else if (fields.length) diff.changed.push({ name, fields, before: old, after: row })
    else diff.same++
  }
  diff.removed = [...left.values()]
  const isEqual = !diff.added.length && !diff.removed.length && !diff.changed.length
  diff.isReordered = isEqual && before.version !== after.version
  return diff
}

/** Rows under unique names: a name that comes again gets a number. */
function* named(rows: Iterable<Row>): Generator<[string, Row]> {
  const seen = new Map<string, number>()
  for (const row of rows) {
    const name = nameOf(row)
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    yield [times === 1 ? name : `${name} (${times})`, row]
  }
}

function nameOf(row: Row): string {
  if ('id' in row && row.id !== undefined) return row.id
  if ('annotator' in row) return `${row.item} by ${row.annotator}`
  if ('item' in row) return row.item
  return hashRow(row)
}

function changedFields(before: Row, after: Row): string[] {
  const left = before as Record<string, unknown>
  const right = after as Record<string, unknown>
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...names].filter((name) => text(left[name]) !== text(right[name])).sort()
}

function text(value: unknown): string {
  return value === undefined ? '' : canonicalJson(value)
}
