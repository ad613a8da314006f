// Data: rows from files, checks, splits, immutable versions, and the way out again.
export type { Format } from './bytes.ts'
export { type Kind, KINDS, type RowOf } from './normalise.ts'
export {
  type Outcome,
  readGoodRows,
  type ReadOptions,
  type ReadResult,
  readRows,
  streamRows,
  type WrongRow,
} from './read.ts'
