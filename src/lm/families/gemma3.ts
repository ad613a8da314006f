// Gemma 3, text alone (arXiv 2503.19786): as Gemma 2, but queries and keys are normed instead of capped, five of six layers
// attend within a window, and those turn by frequencies of their own. Left out: images.
import { type Family, layerTypesJson, readWindow } from './family.ts'
import { GEMMA_DESIGN } from './gemma2.ts'

export const gemma3: Family = {
  modelType: 'gemma3_text',
  causal: 'Gemma3ForCausalLM',
  classifier: 'Gemma3TextForSequenceClassification',
  aliases: { hidden_activation: 'hidden_act', _sliding_window_pattern: 'sliding_window_pattern' },
  reads: [
    'head_dim',
    'attention_bias',
    'query_pre_attn_scalar',
    'sliding_window',
    'sliding_window_pattern',
    'layer_types',
    'rope_local_base_freq',
    'final_logit_softcapping',
  ],
  // transformers has a field for a cap on attention scores here and does not apply it.
  only: { attention_dropout: 0, use_bidirectional_attention: false, attn_logit_softcapping: null },
  harmless: ['cache_implementation'],
  defaults: {
    hidden_act: 'gelu_pytorch_tanh',
    head_dim: 256,
    num_key_value_heads: 4,
    max_position_embeddings: 131_072,
    tie_word_embeddings: true,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    sliding_window_pattern: 6,
    rope_theta: 1e6,
    rope_local_base_freq: 1e4,
  },
  // transformers 5 gives each kind of layer its own rope_parameters.
  normalise: (json, refuse) => {
    const { full_attention: full, sliding_attention: sliding } = (json.rope_parameters ?? {}) as {
      full_attention?: unknown
      sliding_attention?: { rope_type?: string; rope_theta?: number }
    }
    if (full === undefined && sliding === undefined) return json
    if ((sliding?.rope_type ?? 'default') !== 'default')
      throw refuse('rope_parameters.sliding_attention.rope_type', `expected default, got ${sliding?.rope_type}`)
    return {
      ...json,
      rope_parameters: full ?? null,
      ...(sliding?.rope_theta !== undefined && { rope_local_base_freq: sliding.rope_theta }),
    }
  },
  read: (fields, refuse) => ({
    ...(fields.attention_bias && { biases: { qkv: true, output: true, mlp: false } }),
    queryScalar: fields.query_pre_attn_scalar!,
    ...readWindow(fields, {
      size: fields.sliding_window,
      isWindowed: (i) => (i + 1) % fields.sliding_window_pattern! !== 0,
      refuse,
    }),
    localRopeTheta: fields.rope_local_base_freq!,
    ...(fields.final_logit_softcapping && { logitCap: fields.final_logit_softcapping }),
  }),
  write: (config) => ({
    head_dim: config.headDim,
    attention_bias: config.biases?.qkv ?? false,
    query_pre_attn_scalar: config.queryScalar ?? config.headDim,
    sliding_window: config.window?.size ?? null,
    layer_types: layerTypesJson(config),
    rope_local_base_freq: config.localRopeTheta,
    final_logit_softcapping: config.logitCap ?? null,
  }),
  design: {
    ...GEMMA_DESIGN,
    queryKeyNorm: { query: 'self_attn.q_norm', key: 'self_attn.k_norm', over: 'head' },
  },
}
