// GPT-NeoX and Pythia (arXiv 2204.06745): LayerNorm, biases everywhere, attention and MLP side by side, a quarter of a head
// turning, queries, keys and values fused head by head, an MLP without a gate.
import type { Family } from './family.ts'

export const gptNeox: Family = {
  modelType: 'gpt_neox',
  causal: 'GPTNeoXForCausalLM',
  classifier: 'GPTNeoXForSequenceClassification',
  aliases: { layer_norm_eps: 'rms_norm_eps', rotary_emb_base: 'rope_theta', rotary_pct: 'partial_rotary_factor' },
  reads: ['attention_bias', 'partial_rotary_factor', 'use_parallel_residual'],
  harmless: ['attention_dropout', 'hidden_dropout', 'classifier_dropout', 'gradient_checkpointing'],
  defaults: {
    hidden_act: 'gelu',
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    attention_bias: true,
    partial_rotary_factor: 0.25,
    use_parallel_residual: true,
  },
  read: ({ attention_bias, use_parallel_residual }) => ({
    biases: { qkv: attention_bias!, output: attention_bias!, mlp: true },
    ...(use_parallel_residual && { isParallel: true }),
  }),
  write: ({ biases, isParallel }) => ({
    attention_bias: biases?.qkv ?? true,
    use_parallel_residual: isParallel ?? false,
  }),
  design: {
    norm: 'layer',
    embedding: 'gpt_neox.embed_in',
    layers: 'gpt_neox.layers',
    finalNorm: 'gpt_neox.final_layer_norm',
    head: 'embed_out',
    attentionIn: 'input_layernorm',
    mlpIn: 'post_attention_layernorm',
    qkv: ['attention.query_key_value'],
    isByHead: true,
    output: 'attention.dense',
    up: ['mlp.dense_h_to_4h'],
    isGated: false,
    down: 'mlp.dense_4h_to_h',
  },
}
