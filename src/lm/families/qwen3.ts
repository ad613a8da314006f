// Qwen3 (arXiv 2505.09388): queries and keys are normed over a head's width before they turn; biases are a choice.
import { type Family, LLAMA_DESIGN } from './family.ts'
import { readQwenWindow, writeQwenWindow } from './qwen2.ts'

export const qwen3: Family = {
  modelType: 'qwen3',
  causal: 'Qwen3ForCausalLM',
  classifier: 'Qwen3ForSequenceClassification',
  reads: ['head_dim', 'attention_bias', 'use_sliding_window', 'sliding_window', 'max_window_layers', 'layer_types'],
  only: { attention_dropout: 0, partial_rotary_factor: 1 },
  defaults: {
    head_dim: 128,
    num_key_value_heads: 32,
    max_position_embeddings: 32_768,
    sliding_window: 4096,
    max_window_layers: 28,
  },
  read: (fields, refuse) => ({
    ...(fields.attention_bias && { biases: { qkv: true, output: true, mlp: false } }),
    ...readQwenWindow(fields, refuse),
  }),
  write: (config) => ({
    head_dim: config.headDim,
    attention_bias: config.biases?.qkv ?? false,
    ...writeQwenWindow(config),
  }),
  design: {
    ...LLAMA_DESIGN,
    queryKeyNorm: { query: 'self_attn.q_norm', key: 'self_attn.k_norm', over: 'head' },
  },
}
