// What an architecture of GGUF must say to be read and written. One file an architecture; the list of them is in
// architectures.ts.
import type { Fields } from './fields.ts'
import type { Gguf } from './read-gguf.ts'
import type { Entry } from './write-metadata.ts'

/** A config.json, in transformers' names. */
export type HuggingFaceConfig = Record<string, unknown>

/** `turnedHeads`: heads whose rows change places, see rotary-rows.ts. */
export type TensorPlan = { name: string; key: string; shape: number[]; turnedHeads?: number }

export type Architecture = {
  /** general.architecture. */
  name: string
  /** config.json without token ids and dtype. What could change the mathematics and is not understood: a DataError. */
  readConfig: (fields: Fields, gguf: Gguf) => HuggingFaceConfig
  /** The architecture's own keys, of a complete config.json. */
  writeConfig: (config: HuggingFaceConfig) => Entry[]
  /** Every tensor that GGUF and Hugging Face both hold, by both names. */
  tensors: (config: HuggingFaceConfig) => TensorPlan[]
  /** One-dimensional tensors that only GGUF holds, in place of a setting. */
  extraTensors: (config: HuggingFaceConfig) => Map<string, Float32Array>
}
