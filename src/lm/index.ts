// Causal language models on torch: families, heads, Hugging Face folders, generation, and the embedded engine over them.
export type { Precision } from './arithmetic.ts'
export { type LlamaConfig, type ModelConfig, readConfig, type RopeScaling } from './config.ts'
export { createFolder } from './create-folder.ts'
export { choosePrecision, createEmbeddedEngine, type EmbeddedOptions } from './embedded.ts'
export { type ModelFolder, readFolder } from './folder.ts'
export { EXPORT_DTYPES, type ExportDtype, exportFolder } from './export-folder.ts'
export { type Exported, exportGguf, GGUF_TYPES, type GgufTypeName } from './gguf/export-gguf.ts'
export { type Imported, importGguf } from './gguf/import-gguf.ts'
