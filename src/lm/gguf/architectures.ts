import { LLAMA } from './llama.ts'

/** Those that can be read and written; another one is a file beside llama.ts and a place in this list. */
export const ARCHITECTURES = [LLAMA]
