// Mistral 7B (Jiang et al., arXiv 2310.06825): Llama with a sliding window in every layer, where the config has one.
import { type Family, LLAMA_DESIGN, readWindow } from './family.ts'

export const mistral: Family = {
  modelType: 'mistral',
  causal: 'MistralForCausalLM',
  classifier: 'MistralForSequenceClassification',
  reads: ['head_dim', 'sliding_window'],
  only: { attention_dropout: 0, partial_rotary_factor: 1 },
  defaults: { num_key_value_heads: 8, max_position_embeddings: 131_072, sliding_window: 4096 },
  read: (fields, refuse) =>
    readWindow(fields, { size: fields.sliding_window, isWindowed: () => !!fields.sliding_window, refuse }),
  write: ({ headDim, window }) => ({ head_dim: headDim, sliding_window: window?.size ?? null }),
  design: LLAMA_DESIGN,
}
