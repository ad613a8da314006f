// OLMo 2 (arXiv 2501.00656): norms after each block instead of before, and of queries and keys over all heads together.
import { type Family, LLAMA_NAMES } from './family.ts'

export const olmo2: Family = {
  modelType: 'olmo2',
  causal: 'Olmo2ForCausalLM',
  classifier: 'Olmo2ForSequenceClassification',
  reads: ['head_dim', 'attention_bias'],
  only: { attention_dropout: 0, partial_rotary_factor: 1 },
  defaults: { max_position_embeddings: 2048, rms_norm_eps: 1e-5 },
  read: ({ attention_bias }) => (attention_bias ? { biases: { qkv: true, output: true, mlp: false } } : {}),
  write: ({ biases, headDim }) => ({ head_dim: headDim, attention_bias: biases?.qkv ?? false }),
  design: {
    ...LLAMA_NAMES,
    norm: 'rms',
    attentionOut: 'post_attention_layernorm',
    mlpOut: 'post_feedforward_layernorm',
    queryKeyNorm: { query: 'self_attn.q_norm', key: 'self_attn.k_norm', over: 'all' },
  },
}
