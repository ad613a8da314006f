// The nouns of hone as zod schemas and types: the public face of the room. Imports zod only.
export * from './objective.ts'
export * from './orders.ts'
export * from './questions.ts'
export * from './recipes.ts'
export * from './report.ts'
export * from './roles.ts'
export * from './rows.ts'
export * from './rules.ts'
