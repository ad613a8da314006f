// Data: rows from files, checks, splits, immutable versions, and the way out again.
export type { Format } from './bytes.ts'
export { type Kind, KINDS, type RowOf } from './normalise.ts'
export {
  type Outcome,
  type ReadOptions,
  type ReadResult,
  readRows,
  streamRows,
  type WrongRow,
} from './read.ts'
export {
  type Check,
  CHECKS,
  type CheckOptions,
  type CheckReport,
  checkRows,
  type Constraint,
  type Finding,
  type HeldOut,
  inspectRows,
  type Inspection,
  keptRows,
  policiesOf,
  type Policy,
  type Reason,
} from './check.ts'
export {
  planSplit,
  type Split,
  type SplitOptions,
  type SplitPlan,
  type SplitReport,
  splitRows,
  type Splittable,
} from './split.ts'
export { type Cluster, coverage, type Coverage, type CoverageOptions } from './coverage.ts'
export { type Change, type Diff, diffVersions } from './diff.ts'
export {
  type CheckSettings,
  type Difference,
  type Examined,
  examine,
  type Examination,
  type SplitSettings,
} from './examine.ts'
export { type Progress, quotaProgress, type Quotas, readQuotas } from './quotas.ts'
export { rowPieces, writeRows } from './export.ts'
export { holdsTexts, readTexts } from './text-rows.ts'
export { describePath, type Json, parseJson, placeOf } from './json.ts'
export {
  exportVersion,
  findVersion,
  findWorkspace,
  type Imported,
  importVersion,
  listDatasets,
  listVersions,
  saveVersion,
  type Version,
  versionRows,
} from './versions.ts'
