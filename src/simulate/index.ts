// Simulated worlds: a gold score and annotators for trials without people. Whatever leaves this room says `simulated`.
export * from './annotators.ts'
export * from './gold.ts'
export { type Random, random } from './random.ts'
export * from './service-tables.ts'
