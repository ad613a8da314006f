// What a family of models is to hone: how its config.json differs from Llama's, how its blocks are built, and the keys of its
// weights. The forward pass (decoder.ts) knows no family by name; a family's file is all there is of it.
import type { ModelConfig } from '../config.ts'
import type { Fields } from '../config-fields.ts'

export type Family = {
  modelType: string
  /** transformers' classes. */
  causal: string
  classifier: string
  /** Its own names for fields that all families have, for instance n_embd for hidden_size. */
  aliases?: Readonly<Record<string, keyof Fields>>
  /** Fields it reads besides those that all have. */
  reads: readonly (keyof Fields)[]
  /** Fields that would change the mathematics, with the one value that is understood. */
  only?: Readonly<Record<string, unknown>>
  /** More fields that leave the mathematics alone. Dropout is among them: hone trains without. */
  harmless?: readonly string[]
  /** transformers' values for fields that config.json leaves out. */
  defaults: Readonly<Partial<Fields>>
  /** Brings a config.json of another shape into this one. */
  normalise?: (json: Record<string, unknown>, refuse: Refuse) => Record<string, unknown>
  /** Calls its longrope `su` or `yarn` too. */
  isLongropeByOtherNames?: boolean
  /** What its fields say beyond those that all have. */
  read: (fields: Fields, refuse: Refuse) => Partial<ModelConfig>
  /** The same, the other way. */
  write: (config: ModelConfig) => Record<string, unknown>
  design: Design
}

export type Refuse = (field: string, message: string) => Error

/** Names are those of Hugging Face's modules: with `.weight` and `.bias` they are keys. Those of a layer follow `layers.<i>.`. */
export type Design = {
  /** rms: x / rms(x) * w. rms-plus-one: times 1 + w. layer: LayerNorm with bias. */
  norm: 'rms' | 'rms-plus-one' | 'layer'
  embedding: string
  /** Learned positions, added to the embedding; then nothing is rotated. */
  positions?: string
  isEmbeddingScaled?: boolean
  layers: string
  finalNorm: string
  head: string
  /** Norms of what goes into a block and of what comes out of it, before it is added. */
  attentionIn?: string
  attentionOut?: string
  mlpIn?: string
  mlpOut?: string
  /** Three modules, or one that holds them: queries, keys, values one below the other, or by head. */
  qkv: readonly string[]
  isByHead?: boolean
  /** Norms of queries and keys: over a head's width, or over all heads together. */
  queryKeyNorm?: { query: string; key: string; over: 'head' | 'all' }
  output: string
  /** [gate, up], one module that holds both, or the one of an MLP without a gate. */
  up: readonly string[]
  isGated: boolean
  down: string
  /** Matrices are stored [in, out] (Conv1D). */
  isTransposed?: boolean
}

/** The names that Llama gave and most others took over. */
export const LLAMA_NAMES = {
  embedding: 'model.embed_tokens',
  layers: 'model.layers',
  finalNorm: 'model.norm',
  head: 'lm_head',
  qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  output: 'self_attn.o_proj',
  up: ['mlp.gate_proj', 'mlp.up_proj'],
  isGated: true,
  down: 'mlp.down_proj',
} as const

export const LLAMA_DESIGN: Design = {
  ...LLAMA_NAMES,
  norm: 'rms',
  attentionIn: 'input_layernorm',
  mlpIn: 'post_attention_layernorm',
}

/** Layers that attend within a window, from `layer_types` or, where that is left out, by the family's rule. */
export function readWindow(
  fields: Fields,
  o: { size: number | null | undefined; isWindowed: (layer: number) => boolean; refuse: Refuse },
): Pick<ModelConfig, 'window'> {
  const count = fields.num_hidden_layers
  const types = fields.layer_types
  if (types && types.length !== count)
    throw o.refuse('layer_types', `expected one for each of ${count} layers, got ${types.length}`)
  const layers = types
    ? types.map((type) => type === 'sliding_attention')
    : Array.from({ length: count }, (_, i) => o.isWindowed(i))
  if (!layers.includes(true)) return {}
  if (!o.size) throw o.refuse('sliding_window', 'expected a number, since layers attend within a window; got nothing')
  return { window: { size: o.size, layers } }
}

/** `layer_types` of a config, as transformers 5 writes them. */
export function layerTypesJson(config: ModelConfig): string[] {
  return Array.from({ length: config.layers }, (_, i) =>
    config.window?.layers[i] ? 'sliding_attention' : 'full_attention',
  )
}
