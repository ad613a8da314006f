// Causal language models on torch: the Llama family, its heads, Hugging Face folders, generation, and the embedded engine over them.
export type { Precision } from './arithmetic.ts'
export { type Architecture, type LlamaConfig, readConfig, type RopeScaling } from './config.ts'
export { createFolder } from './create-folder.ts'
export { choosePrecision, createEmbeddedEngine, type EmbeddedOptions } from './embedded.ts'
export { type ModelFolder, readFolder } from './folder.ts'
