// config.json of the Llama family, as transformers 4 and 5 write it. Every field is either read, known to leave the
// mathematics alone, allowed with one value only, or refused by name: a config half understood gives a model that is
// quietly wrong. Left out: rope types yarn, dynamic and longrope; biases; quantised weights.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { DataError } from '#errors'

export type Architecture = 'LlamaForCausalLM' | 'LlamaForSequenceClassification'

/** Rotary frequencies: `linear` divides positions by `factor`; `llama3` stretches the long wavelengths (Dubey et al., arXiv 2407.21783). */
export type RopeScaling =
  | { type: 'linear'; factor: number }
  | {
      type: 'llama3'
      factor: number
      lowFreqFactor: number
      highFreqFactor: number
      originalMaxPositionEmbeddings: number
    }

export type LlamaConfig = {
  architecture: Architecture
  vocabSize: number
  hiddenSize: number
  intermediateSize: number
  layers: number
  heads: number
  keyValueHeads: number
  headDim: number
  rmsNormEps: number
  ropeTheta: number
  /** Absent: positions as they are. */
  ropeScaling?: RopeScaling
  tieWordEmbeddings: boolean
  maxPositionEmbeddings: number
  bosTokenId?: number
  /** Every token that ends a completion, of config.json and generation_config.json. */
  eosTokenIds: number[]
  padTokenId?: number
  /** Of the file's weights. */
  dtype: 'float32' | 'bfloat16' | 'float16'
  /** Names of the reward heads, row by row of score.weight; only for sequence classification. */
  labels?: string[]
}

/** Reads config.json and the token ids of generation_config.json in a Hugging Face folder. Not there, not understood or contradictory: a DataError naming file and field. */
export function readConfig(folder: string): LlamaConfig {
  const file = join(folder, 'config.json')
  const config = parseConfig(readJson(file), file)
  const generationFile = join(folder, 'generation_config.json')
  if (!fs.existsSync(generationFile)) return config
  const generation = GenerationIds.safeParse(readJson(generationFile))
  if (!generation.success) throw firstIssue(generation.error, generationFile)
  const ids = checkedIds(generation.data.eos_token_id, config.vocabSize, generationFile)
  return { ...config, eosTokenIds: [...new Set([...config.eosTokenIds, ...ids])] }
}

/** The parsed JSON of a config.json; `file` is named in errors. */
export function parseConfig(json: unknown, file: string): LlamaConfig {
  const refuse = (field: string, message: string) => new DataError(message, { file, field })
  refuseUnknown(json, refuse)
  const parsed = Fields.safeParse(json)
  if (!parsed.success) throw firstIssue(parsed.error, file)
  const c = parsed.data
  if (c.architectures && c.architectures.length !== 1) throw refuse('architectures', 'expected exactly one')
  if (c.hidden_size % c.num_attention_heads !== 0 && !c.head_dim)
    throw refuse(
      'head_dim',
      `expected hidden_size ${c.hidden_size} to divide by ${c.num_attention_heads} heads, or head_dim`,
    )
  const headDim = c.head_dim ?? c.hidden_size / c.num_attention_heads
  if (headDim % 2 !== 0) throw refuse('head_dim', `expected an even number, got ${headDim}`)
  const keyValueHeads = c.num_key_value_heads ?? c.num_attention_heads
  if (c.num_attention_heads % keyValueHeads !== 0)
    throw refuse('num_key_value_heads', `expected a divisor of ${c.num_attention_heads}, got ${keyValueHeads}`)
  const architecture = c.architectures?.[0] ?? 'LlamaForCausalLM'
  const ropeScaling = readScaling(c, refuse)
  const bos = checkedIds(c.bos_token_id, c.vocab_size, file)[0]
  // transformers writes -1 for "none" in old checkpoints.
  const pad = c.pad_token_id === -1 ? undefined : checkedIds(c.pad_token_id, c.vocab_size, file)[0]
  return {
    architecture,
    vocabSize: c.vocab_size,
    hiddenSize: c.hidden_size,
    intermediateSize: c.intermediate_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    keyValueHeads,
    headDim,
    rmsNormEps: c.rms_norm_eps,
    ropeTheta: readTheta(c, refuse),
    ...(ropeScaling && { ropeScaling }),
    tieWordEmbeddings: c.tie_word_embeddings,
    maxPositionEmbeddings: c.max_position_embeddings,
    ...(bos !== undefined && { bosTokenId: bos }),
    eosTokenIds: checkedIds(c.eos_token_id, c.vocab_size, file),
    ...(pad !== undefined && { padTokenId: pad }),
    dtype: c.dtype ?? c.torch_dtype ?? 'float32',
    ...(architecture === 'LlamaForSequenceClassification' && { labels: readLabels(c, refuse) }),
  }
}

/** The config.json of a model, in the fields that transformers 4 and 5, vLLM and llama.cpp all read. */
export function configJson(config: LlamaConfig): Record<string, unknown> {
  const { labels } = config
  return {
    architectures: [config.architecture],
    model_type: 'llama',
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headDim,
    hidden_act: 'silu',
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.ropeTheta,
    rope_scaling: scalingJson(config.ropeScaling),
    tie_word_embeddings: config.tieWordEmbeddings,
    max_position_embeddings: config.maxPositionEmbeddings,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: config.bosTokenId ?? null,
    eos_token_id: idsJson(config.eosTokenIds),
    pad_token_id: config.padTokenId ?? null,
    torch_dtype: config.dtype,
    ...(labels && {
      num_labels: labels.length,
      id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
      label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
    }),
  }
}

/** The generation_config.json of a model: its token ids, and no sampling setting of ours. */
export function generationConfigJson(config: LlamaConfig): Record<string, unknown> {
  return {
    ...(config.bosTokenId !== undefined && { bos_token_id: config.bosTokenId }),
    eos_token_id: idsJson(config.eosTokenIds),
    ...(config.padTokenId !== undefined && { pad_token_id: config.padTokenId }),
  }
}

/** A JSON file of a model folder; missing or no JSON is a DataError. */
export function readJson(file: string): unknown {
  let text: string
  try {
    text = fs.readFileSync(file, 'utf8')
  } catch (cause) {
    throw new DataError('cannot be read; expected a Hugging Face model folder', { file }, { cause })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DataError(`expected JSON: ${(cause as Error).message}`, { file }, { cause })
  }
}

type Refuse = (field: string, message: string) => DataError

const size = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1)
const Ids = z.union([z.number().int(), z.array(z.number().int())]).nullish()
const GenerationIds = z.object({ eos_token_id: Ids })
const DtypeName = z.enum(['float32', 'bfloat16', 'float16']).nullish()
const Rope = z.strictObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().min(1).optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: size.optional(),
  partial_rotary_factor: z.literal(1).optional(),
})

const Fields = z.object({
  architectures: z.array(z.enum(['LlamaForCausalLM', 'LlamaForSequenceClassification'])).nullish(),
  model_type: z.literal('llama'),
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: Rope.nullish(),
  rope_parameters: Rope.nullish(),
  tie_word_embeddings: z.boolean().default(false),
  max_position_embeddings: size.default(2048),
  bos_token_id: z.number().int().nullish(),
  eos_token_id: Ids,
  pad_token_id: z.number().int().nullish(),
  torch_dtype: DtypeName,
  dtype: DtypeName,
  num_labels: size.nullish(),
  id2label: z.record(z.string(), z.string()).nullish(),
})

/** Fields that would change the mathematics, with the one value under which they do not. */
const ONLY: Record<string, unknown> = {
  hidden_act: 'silu',
  attention_bias: false,
  mlp_bias: false,
  attention_dropout: 0,
  pretraining_tp: 1,
  partial_rotary_factor: 1,
  rope_interleaved: false,
  is_encoder_decoder: false,
  add_cross_attention: false,
  use_sliding_window: false,
}

/** Fields that leave the mathematics alone: bookkeeping, initialisation, and defaults of generation. */
const HARMLESS = new Set(
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

function refuseUnknown(json: unknown, refuse: Refuse): void {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return // said by the schema
  for (const [field, value] of Object.entries(json)) {
    const isUnset = value === null || (typeof value === 'object' && Object.keys(value).length === 0)
    if (Object.hasOwn(Fields.shape, field) || HARMLESS.has(field) || isUnset) continue
    if (!Object.hasOwn(ONLY, field))
      throw refuse(field, `is not understood and could change the model; expected a plain Llama config without it`)
    if (value !== ONLY[field])
      throw refuse(
        field,
        `expected ${JSON.stringify(ONLY[field])}, the only value supported, got ${JSON.stringify(value)}`,
      )
  }
}

type Config = z.infer<typeof Fields>

function readTheta(c: Config, refuse: Refuse): number {
  const stated = [c.rope_theta, c.rope_parameters?.rope_theta, c.rope_scaling?.rope_theta].filter(
    (t) => typeof t === 'number',
  )
  if (new Set(stated).size > 1) throw refuse('rope_theta', `expected one value, got ${stated.join(' and ')}`)
  return stated[0] ?? 10_000
}

/** transformers 4: rope_scaling, null for none. transformers 5: rope_parameters, type "default" for none. */
function readScaling(c: Config, refuse: Refuse): RopeScaling | undefined {
  const stated = (['rope_parameters', 'rope_scaling'] as const)
    .filter((field) => c[field])
    .map((field) => parseScaling(field, c[field]!, refuse))
  if (stated.length === 2 && JSON.stringify(stated[0]) !== JSON.stringify(stated[1]))
    throw refuse('rope_scaling', 'expected the same as rope_parameters')
  return stated[0]
}

function parseScaling(field: string, rope: z.infer<typeof Rope>, refuse: Refuse): RopeScaling | undefined {
  const type = rope.rope_type ?? rope.type ?? 'default'
  const need = (key: 'factor' | 'low_freq_factor' | 'high_freq_factor' | 'original_max_position_embeddings') => {
    const value = rope[key]
    if (value === undefined) throw refuse(`${field}.${key}`, `expected a number for rope type ${type}, got nothing`)
    return value
  }
  if (type === 'default') return undefined
  if (type === 'linear') return { type, factor: need('factor') }
  if (type !== 'llama3')
    throw refuse(`${field}.rope_type`, `expected default, linear or llama3, got ${JSON.stringify(type)}`)
  const scaling = {
    type: 'llama3' as const,
    factor: need('factor'),
    lowFreqFactor: need('low_freq_factor'),
    highFreqFactor: need('high_freq_factor'),
    originalMaxPositionEmbeddings: need('original_max_position_embeddings'),
  }
  if (scaling.highFreqFactor <= scaling.lowFreqFactor)
    throw refuse(`${field}.high_freq_factor`, `expected more than low_freq_factor ${scaling.lowFreqFactor}`)
  return scaling
}

function scalingJson(scaling: RopeScaling | undefined): unknown {
  if (!scaling) return null
  if (scaling.type === 'linear') return { rope_type: 'linear', factor: scaling.factor }
  return {
    rope_type: 'llama3',
    factor: scaling.factor,
    low_freq_factor: scaling.lowFreqFactor,
    high_freq_factor: scaling.highFreqFactor,
    original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
  }
}

function readLabels(c: Config, refuse: Refuse): string[] {
  const named = Object.entries(c.id2label ?? {})
  // transformers' own default is two labels, and leaves the field out then.
  const count = c.num_labels ?? (named.length > 0 ? named.length : 2)
  if (named.length > 0 && (named.length !== count || named.some(([id]) => !(Number(id) >= 0 && Number(id) < count))))
    throw refuse('id2label', `expected names for labels 0 to ${count - 1}, got ${named.map(([id]) => id).join(', ')}`)
  return Array.from({ length: count }, (_, i) => c.id2label?.[i] ?? `LABEL_${i}`)
}

function checkedIds(ids: number | number[] | null | undefined, vocabSize: number, file: string): number[] {
  const list = typeof ids === 'number' ? [ids] : (ids ?? [])
  for (const id of list)
    if (id < 0 || id >= vocabSize)
      throw new DataError(`expected token ids from 0 to ${vocabSize - 1}, got ${id}`, { file, field: 'token ids' })
  return list
}

function idsJson(ids: number[]): number | number[] | null {
  return ids.length > 1 ? ids : (ids[0] ?? null)
}

function firstIssue(error: z.ZodError, file: string): DataError {
  const issue = error.issues[0]
  const field = issue?.path.join('.')
  return new DataError(issue?.message ?? 'is not understood', field ? { file, field } : { file }, { cause: error })
}
