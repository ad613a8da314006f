// Engines that need no native code, and the contract's types. `embedded` lives in lm.
export type * from './contract.ts'
