// The fields of a config.json as they may come, of all families together. Which of them a family reads is said in its file;
// null is "none" everywhere, and taken out before these checks.
import { z } from 'zod'

const size = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1)
const positive = z.number().positive()
const DtypeName = z.enum(['float32', 'bfloat16', 'float16']).optional()
export const Ids = z.union([z.number().int(), z.array(z.number().int())]).nullish()

/** rope_scaling of transformers 4, rope_parameters of transformers 5. */
export const Rope = z.strictObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: positive.optional(),
  factor: z.number().min(1).optional(),
  original_max_position_embeddings: size.optional(),
  partial_rotary_factor: positive.max(1).optional(),
  // llama3
  low_freq_factor: positive.optional(),
  high_freq_factor: positive.optional(),
  // yarn
  attention_factor: positive.optional(),
  beta_fast: positive.optional(),
  beta_slow: positive.optional(),
  mscale: positive.optional(),
  mscale_all_dim: positive.optional(),
  truncate: z.boolean().optional(),
  // longrope
  short_factor: z.array(positive).optional(),
  long_factor: z.array(positive).optional(),
})
export type Rope = z.infer<typeof Rope>

/** transformers' names of the functions that hone has. The last four are one: GELU by tanh. */
const ACTIVATIONS = ['silu', 'swish', 'relu', 'gelu', 'gelu_new', 'gelu_fast', 'gelu_pytorch_tanh'] as const
export type Activation = (typeof ACTIVATIONS)[number]

export const Fields = z.object({
  architectures: z.array(z.string()).optional(),
  model_type: z.string(),
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size.optional(),
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.optional(),
  hidden_act: z.enum(ACTIVATIONS).default('silu'),
  rms_norm_eps: positive.default(1e-6),
  rope_theta: positive.optional(),
  rope_scaling: Rope.optional(),
  rope_parameters: Rope.optional(),
  tie_word_embeddings: z.boolean().default(false),
  max_position_embeddings: size.default(2048),
  bos_token_id: z.number().int().optional(),
  eos_token_id: Ids,
  pad_token_id: z.number().int().optional(),
  torch_dtype: DtypeName,
  dtype: DtypeName,
  num_labels: size.optional(),
  id2label: z.record(z.string(), z.string()).optional(),
  // of some families
  head_dim: size.optional(),
  attention_bias: z.boolean().optional(),
  mlp_bias: z.boolean().optional(),
  sliding_window: size.optional(),
  use_sliding_window: z.boolean().optional(),
  max_window_layers: z.number().int().min(0).optional(),
  sliding_window_pattern: size.optional(),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).optional(),
  query_pre_attn_scalar: positive.optional(),
  attn_logit_softcapping: positive.optional(),
  final_logit_softcapping: positive.optional(),
  rope_local_base_freq: positive.optional(),
  partial_rotary_factor: positive.max(1).optional(),
  original_max_position_embeddings: size.optional(),
  use_parallel_residual: z.boolean().optional(),
  scale_attn_weights: z.boolean().optional(),
  scale_attn_by_inverse_layer_idx: z.boolean().optional(),
})
export type Fields = z.infer<typeof Fields>

/** Fields that all families have. */
export const COMMON: ReadonlySet<string> = new Set(
  `architectures model_type vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads
  num_key_value_heads hidden_act rms_norm_eps rope_theta rope_scaling rope_parameters tie_word_embeddings
  max_position_embeddings bos_token_id eos_token_id pad_token_id torch_dtype dtype num_labels id2label`.split(/\s+/),
)

/** Fields that leave the mathematics alone: bookkeeping, initialisation, and defaults of generation. */
export const HARMLESS: ReadonlySet<string> = new Set(
  `_name_or_path _attn_implementation _commit_hash transformers_version transformers.js_config auto_map initializer_range
  use_cache label2id problem_type task_specific_params output_attentions output_hidden_states return_dict
  torchscript use_bfloat16 is_llama_config is_decoder tokenizer_class prefix chunk_size_feed_forward finetuning_task
  bad_words_ids begin_suppress_tokens decoder_start_token_id diversity_penalty do_sample early_stopping
  encoder_no_repeat_ngram_size exponential_decay_length_penalty forced_bos_token_id forced_eos_token_id length_penalty
  max_length min_length no_repeat_ngram_size num_beam_groups num_beams num_return_sequences output_scores
  remove_invalid_values repetition_penalty return_dict_in_generate sep_token_id suppress_tokens temperature
  tie_encoder_decoder top_k top_p typical_p unsloth_version unsloth_fixed cross_attention_hidden_size tf_legacy_loss`.split(
    /\s+/,
  ),
)

/** Fields of any family that would change the mathematics, with the one value under which they do not. */
export const ONLY: Readonly<Record<string, unknown>> = {
  rope_interleaved: false,
  is_encoder_decoder: false,
  add_cross_attention: false,
}
