// A loaded model: parameters in two groups (body, heads), the wiring that the passes use, AdamW's counters, and what is
// under way on it. Nothing here computes.
import type { Affine, HeadSpec, ModelSpec } from '#engine/contract'
import type { Tensor } from '#torch'
import type { Arithmetics } from './arithmetic.ts'
import type { ModelConfig } from './config.ts'
import type { Decoder } from './decoder.ts'
import { familyOf } from './families/index.ts'
import type { ValueHead } from './heads.ts'
import type { BaseDtype } from './packed-matrix.ts'
import type { Parameter } from './parameters.ts'
import type { AdapterConfig } from './peft-folder.ts'

export type LanguageModel = {
  readonly id: number
  readonly engine: 'embedded'
  config: ModelConfig
  device: string
  arithmetics: Arithmetics
  trains: ModelSpec['trains']
  /** Folder of the weights it stands on: an adapter's base. */
  origin: string
  /** Tokenizer, template and generation files of the folder it came from, by name: they go along when it is saved. */
  sideFiles: Record<string, Uint8Array>
  decoder: Decoder
  /** The stored matrices of the decoder, perhaps another model's. */
  weights: Parameter[]
  /** What trains of the body: the weights, or the adapter. */
  body: Parameter[]
  adapter?: { config: Omit<AdapterConfig, 'isClassifier'>; baseHash: string; parameters: Parameter[] }
  heads: Parameter[]
  value?: { spec: NonNullable<HeadSpec['value']>; head: ValueHead }
  scores?: { names: string[]; read: 'last' | 'sum'; affine: Affine[]; weight_HE: Tensor }
  /** Tokens of a micro-batch. */
  budget: number
  /** Backward computes each layer once more instead of remembering it. */
  recomputes: boolean
  /** How the matrices of layers are stored. */
  baseDtype: BaseDtype
  /** Updates done, for AdamW's bias correction; `step` counts calls that changed anything. */
  updates: { body: number; heads: number; step: number }
  /** Open sample streams and passes under way: `step` and `release` are refused meanwhile. */
  streams: number
  passes: number
  /** The model whose weights these are, and how many others use this one's. */
  base: LanguageModel | undefined
  sharers: number
  isReleased: boolean
}

/** `model 3 (llama 128x3, cpu)`: how messages name it. */
export function describeModel(model: LanguageModel): string {
  const { hiddenSize, layers } = model.config
  return `model ${model.id} (${familyOf(model.config).modelType} ${hiddenSize}x${layers}, ${model.device})`
}
