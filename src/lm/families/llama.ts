// Llama (Touvron et al., arXiv 2302.13971; grouped queries, arXiv 2305.13245): the family that all others are told by their differences from.
import { type Family, LLAMA_DESIGN } from './family.ts'

export const llama: Family = {
  modelType: 'llama',
  causal: 'LlamaForCausalLM',
  classifier: 'LlamaForSequenceClassification',
  reads: ['head_dim', 'attention_bias', 'mlp_bias'],
  only: { attention_dropout: 0, pretraining_tp: 1, partial_rotary_factor: 1, use_sliding_window: false },
  defaults: {},
  read: ({ attention_bias = false, mlp_bias = false }) =>
    attention_bias || mlp_bias ? { biases: { qkv: attention_bias, output: attention_bias, mlp: mlp_bias } } : {},
  write: ({ biases, headDim }) => ({
    head_dim: headDim,
    attention_bias: biases?.qkv ?? false,
    mlp_bias: biases?.mlp ?? false,
  }),
  design: LLAMA_DESIGN,
}
