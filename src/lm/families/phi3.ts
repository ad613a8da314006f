// Phi-3 and Phi-4-mini (arXiv 2404.14219): Llama with fused projections, a window, part of a head turning, and rope factors
// that change beyond the original context.
import { type Family, LLAMA_DESIGN, readWindow } from './family.ts'

export const phi3: Family = {
  modelType: 'phi3',
  causal: 'Phi3ForCausalLM',
  classifier: 'Phi3ForSequenceClassification',
  reads: ['head_dim', 'sliding_window', 'partial_rotary_factor', 'original_max_position_embeddings'],
  // The last three are Phi-4-mini's.
  only: { attention_bias: false, mlp_bias: false, lm_head_bias: false, full_attn_mod: 1, interpolate_factor: 1 },
  harmless: ['attention_dropout', 'resid_pdrop', 'embd_pdrop'],
  defaults: { max_position_embeddings: 4096, original_max_position_embeddings: 4096, rms_norm_eps: 1e-5 },
  isLongropeByOtherNames: true,
  read: (fields, refuse) =>
    readWindow(fields, { size: fields.sliding_window, isWindowed: () => !!fields.sliding_window, refuse }),
  write: ({ headDim, window, ropeScaling, maxPositionEmbeddings }) => ({
    head_dim: headDim,
    sliding_window: window?.size ?? null,
    original_max_position_embeddings:
      ropeScaling?.type === 'longrope' ? ropeScaling.originalMaxPositionEmbeddings : maxPositionEmbeddings,
  }),
  design: { ...LLAMA_DESIGN, qkv: ['self_attn.qkv_proj'], up: ['mlp.gate_up_proj'] },
}
