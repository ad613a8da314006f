// The Hugging Face Hub: models by name, into the cache that other tools share.
export { type Hub, hubOf } from './environment.ts'
export { pull, type Pulled, type PullProgress } from './pull.ts'
