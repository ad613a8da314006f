// Engines that need no native code, and the contract's types. `embedded` lives in lm.
export type * from './contract.ts'
export { tabularEngine } from './tabular/engine.ts'
export {
  completionLogprobs,
  enumerateCompletions,
  exactKl,
  exactObjective,
  exactOptimum,
  type World,
} from './tabular/exact.ts'
export { writeTabularWeights } from './tabular/files.ts'
