// Gemma 2 (arXiv 2408.00118): norms of 1 + w before and after each block, a scaled embedding, tanh caps on attention scores
// and logits, every other layer within a window, GELU in the gate.
import { type Design, type Family, LLAMA_NAMES, layerTypesJson, readWindow } from './family.ts'

export const GEMMA_DESIGN: Design = {
  ...LLAMA_NAMES,
  norm: 'rms-plus-one',
  isEmbeddingScaled: true,
  attentionIn: 'input_layernorm',
  attentionOut: 'post_attention_layernorm',
  mlpIn: 'pre_feedforward_layernorm',
  mlpOut: 'post_feedforward_layernorm',
}

export const gemma2: Family = {
  modelType: 'gemma2',
  causal: 'Gemma2ForCausalLM',
  classifier: 'Gemma2ForSequenceClassification',
  aliases: { hidden_activation: 'hidden_act' },
  reads: [
    'head_dim',
    'attention_bias',
    'query_pre_attn_scalar',
    'sliding_window',
    'layer_types',
    'attn_logit_softcapping',
    'final_logit_softcapping',
  ],
  only: { attention_dropout: 0, use_bidirectional_attention: false, partial_rotary_factor: 1 },
  harmless: ['cache_implementation', 'sliding_window_size'],
  defaults: {
    hidden_act: 'gelu_pytorch_tanh',
    head_dim: 256,
    num_key_value_heads: 4,
    max_position_embeddings: 8192,
    tie_word_embeddings: true,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
  },
  read: (fields, refuse) => ({
    ...(fields.attention_bias && { biases: { qkv: true, output: true, mlp: false } }),
    queryScalar: fields.query_pre_attn_scalar!,
    ...readWindow(fields, { size: fields.sliding_window, isWindowed: (i) => i % 2 === 0, refuse }),
    ...(fields.attn_logit_softcapping && { attentionCap: fields.attn_logit_softcapping }),
    ...(fields.final_logit_softcapping && { logitCap: fields.final_logit_softcapping }),
  }),
  write: (config) => ({
    head_dim: config.headDim,
    attention_bias: config.biases?.qkv ?? false,
    query_pre_attn_scalar: config.queryScalar ?? config.headDim,
    sliding_window: config.window?.size ?? null,
    layer_types: layerTypesJson(config),
    attn_logit_softcapping: config.attentionCap ?? null,
    final_logit_softcapping: config.logitCap ?? null,
  }),
  design: GEMMA_DESIGN,
}
