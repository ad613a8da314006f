// What a screen asks of versions: how two differ, what a check finds, where a split would put the rows, what demonstrations
// cover, and the versions that a check and a split make. Plain data in and out, so that a worker can do it; rows are shown in part, long texts cut.
import {
  checkRows,
  type Check,
  type CheckReport,
  CHECKS,
  type HeldOut,
  policiesOf,
  type Policy,
  type Reason,
} from './check.ts'
import { coverage, type Coverage, type CoverageOptions } from './coverage.ts'
import { diffVersions } from './diff.ts'
import type { Kind, RowOf } from './normalise.ts'
import { type SplitReport, splitRows } from './split.ts'
import { findVersion, type Imported, saveVersion, type Version, versionRows } from './versions.ts'

type Row = RowOf[Kind]
/** A row as it is shown. */
export type Shown = Record<string, unknown>

/** Versions are given as NAME@HASH. */
export type CheckSettings = {
  version: string
  heldOut?: string | undefined
  evaluation?: string | undefined
  policy: Partial<Record<Exclude<Check, keyof typeof UNLOOKED>, Policy>>
  similarity: number
  words: number
}
export type SplitSettings = {
  version: string
  shares: Record<string, number>
  by: string
  stratified: boolean
  seed: number
}
/** `keep` makes the rows that pass the check the next version; `split` makes a version for each part. */
export type Examination =
  | { what: 'difference'; before: string; after: string }
  | ({ what: 'check' | 'keep' } & CheckSettings)
  | ({ what: 'split-plan' | 'split' } & SplitSettings)
  | ({ what: 'coverage'; version: string; demonstrations: string } & CoverageOptions)

export type Difference = {
  added: number
  removed: number
  changed: number
  same: number
  isReordered: boolean
  /** The first of each. */
  rows: {
    added: Shown[]
    removed: Shown[]
    changed: { name: string; fields: { field: string; before: unknown; after: unknown }[] }[]
  }
}
/** The row that a finding names beside its own; `among`: where it is, if not in the version itself. */
export type Clash = { row: number; among?: 'heldOut' | 'evaluation'; content: Shown }
/** Rows are counted from 1. */
export type ShownFinding = { row: number; isSetAside: boolean; detail: string; content: Shown; clash?: Clash }
export type Checked = {
  rows: number
  kept: number
  setAside: number
  noted: number
  lengths: CheckReport<Kind>['lengths']
  /** All of them, with the first rows in which each found something. */
  checks: { check: Check; means: string; policy: Policy; rows: number; findings: ShownFinding[] }[]
}
export type Examined = {
  difference: Difference
  check: Checked
  keep: Imported
  'split-plan': SplitReport
  split: { report: SplitReport; made: Record<string, Imported> }
  coverage: Coverage
}

/** Of added, removed and changed rows, and of what each check found. */
const MOST_SHOWN = 50
const MOST_CHARACTERS = 4000

/** These need a model, or rules. */
const UNLOOKED = { 'token-budget': 'off', constraint: 'off' } as const

export async function examine<T extends Examination>(workspace: string, asked: T): Promise<Examined[T['what']]> {
  return (await answerTo(workspace, asked)) as Examined[T['what']]
}

async function answerTo(workspace: string, asked: Examination): Promise<Examined[keyof Examined]> {
  switch (asked.what) {
    case 'difference':
      return differenceOf(workspace, asked)
    case 'check':
      return shownReport(check(workspace, asked))
    case 'keep':
      return keep(workspace, asked)
    case 'split-plan':
      return split(workspace, asked).report
    case 'split':
      return keepSplit(workspace, asked)
    case 'coverage':
      return coverage(rowsOf(workspace, asked.version), rowsOf(workspace, asked.demonstrations), asked)
    default:
      return asked satisfies never
  }
}

function differenceOf(workspace: string, { before, after }: { before: string; after: string }): Difference {
  const { added, removed, changed, same, isReordered } = diffVersions(workspace, before, after)
  const valueOf = (row: Row, field: string) => shown((row as Record<string, unknown>)[field])
  return {
    added: added.length,
    removed: removed.length,
    changed: changed.length,
    same,
    isReordered,
    rows: {
      added: added.slice(0, MOST_SHOWN).map(shownRow),
      removed: removed.slice(0, MOST_SHOWN).map(shownRow),
      changed: changed.slice(0, MOST_SHOWN).map(({ name, fields, before: old, after: now }) => ({
        name,
        fields: fields.map((field) => ({ field, before: valueOf(old, field), after: valueOf(now, field) })),
      })),
    },
  }
}

type Others = { heldOut: HeldOut[]; evaluation: HeldOut[] }
type Ran = { version: Version; rows: Row[]; others: Others; policies: Record<Check, Policy>; report: CheckReport<Kind> }

function check(workspace: string, settings: CheckSettings): Ran {
  const version = findVersion(workspace, settings.version)
  const rows = [...versionRows(workspace, version)]
  const othersIn = (reference: string | undefined): HeldOut[] =>
    reference === undefined ? [] : ([...rowsOf(workspace, reference)] as HeldOut[])
  const others = { heldOut: othersIn(settings.heldOut), evaluation: othersIn(settings.evaluation) }
  const { similarity, words: contaminationWords } = settings
  // Without what it looks for a check is not said to have found nothing.
  const policy = {
    ...UNLOOKED,
    ...(settings.evaluation === undefined && { contamination: 'off' as const }),
    ...settings.policy,
  }
  const report = checkRows(rows, { kind: version.kind, policy, similarity, contaminationWords, ...others })
  return { version, rows, others, policies: policiesOf(version.kind, policy), report }
}

async function keep(workspace: string, settings: CheckSettings): Promise<Examined['keep']> {
  const ran = check(workspace, settings)
  const { name, kind, version } = ran.version
  const { kept, counts } = ran.report
  return saveVersion(workspace, kept, { kind, name, parents: [version], source: { check: counts } })
}

function shownReport({ rows, others, policies, report: { kept, setAside, notes, counts, lengths } }: Ran): Checked {
  const said = ({ detail, other, among }: Reason): { detail: string; clash?: Clash } => {
    if (other === undefined) return { detail }
    const clash = { row: other + 1, content: shownRow((among ? others[among] : rows)[other] as Row) }
    return { detail, clash: among ? { ...clash, among } : clash }
  }
  const found = [
    ...setAside.map((finding) => ({ ...finding, isSetAside: true })),
    ...notes.map((finding) => ({ ...finding, isSetAside: false })),
  ]
  const first = new Map<Check, ShownFinding[]>()
  for (const { index, row, reasons, isSetAside } of found)
    for (const reason of reasons) {
      const own = first.get(reason.check) ?? []
      first.set(reason.check, own)
      if (own.length < MOST_SHOWN) own.push({ row: index + 1, isSetAside, content: shownRow(row), ...said(reason) })
    }
  return {
    rows: rows.length,
    kept: kept.length,
    setAside: setAside.length,
    noted: notes.length,
    lengths,
    checks: Object.entries(policies).map(([name, policy]) => {
      const check = name as Check
      return { check, means: CHECKS[check], policy, rows: counts[check] ?? 0, findings: first.get(check) ?? [] }
    }),
  }
}

function split(workspace: string, { version: reference, ...options }: SplitSettings) {
  const version = findVersion(workspace, reference)
  return { version, ...splitRows([...versionRows(workspace, version)], options) }
}

async function keepSplit(workspace: string, settings: SplitSettings): Promise<Examined['split']> {
  const { version, splits, report } = split(workspace, settings)
  const { by, seed, stratified, hash } = report
  const made: Record<string, Imported> = {}
  for (const [part, rows] of Object.entries(splits))
    made[part] = await saveVersion(workspace, rows, {
      kind: version.kind,
      name: `${version.name}-${part}`,
      parents: [version.version],
      source: { split: part, by, seed, stratified, hash },
    })
  return { report, made }
}

function rowsOf(workspace: string, reference: string): Iterable<Row> {
  return versionRows(workspace, findVersion(workspace, reference))
}

function shownRow(row: Row): Shown {
  return shown(row) as Shown
}

/** Long texts to their beginning. */
function shown(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS)}… (${value.length} characters)` : value
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shown(inner)]))
}
