// Qwen2 and 2.5 (arXiv 2407.10671): biases on queries, keys and values; upper layers may attend within a window.
import { type Family, LLAMA_DESIGN, layerTypesJson, readWindow } from './family.ts'

export const qwen2: Family = {
  modelType: 'qwen2',
  causal: 'Qwen2ForCausalLM',
  classifier: 'Qwen2ForSequenceClassification',
  reads: ['head_dim', 'use_sliding_window', 'sliding_window', 'max_window_layers', 'layer_types'],
  only: { attention_dropout: 0, use_mrope: false, partial_rotary_factor: 1 },
  defaults: { num_key_value_heads: 32, max_position_embeddings: 32_768, sliding_window: 4096, max_window_layers: 28 },
  read: (fields, refuse) => ({ biases: { qkv: true, output: false, mlp: false }, ...readQwenWindow(fields, refuse) }),
  write: (config) => ({ head_dim: config.headDim, ...writeQwenWindow(config) }),
  design: LLAMA_DESIGN,
}

export const readQwenWindow: Family['read'] = (fields, refuse) => {
  const size = fields.use_sliding_window ? fields.sliding_window : null
  return readWindow(fields, { size, isWindowed: (i) => !!size && i >= (fields.max_window_layers ?? 0), refuse })
}

export const writeQwenWindow: Family['write'] = (config) => ({
  use_sliding_window: config.window !== undefined,
  sliding_window: config.window?.size ?? null,
  layer_types: layerTypesJson(config),
})
