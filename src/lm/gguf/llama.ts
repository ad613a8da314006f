// The Llama architecture of GGUF and the Llama family of Hugging Face, each from the other: metadata and config.json, names
// and shapes of tensors. GGUF keeps the two numbers that rotary turns beside each other where Hugging Face keeps them
// half a head apart: so rows of the query and key matrices change places. Frequencies stretched as in Llama 3 lie in
// GGUF as a tensor and not as settings. Left out: experts, biases, yarn; each is refused by name.
import { z } from 'zod'
import { DataError } from '#errors'
import type { Architecture, HuggingFaceConfig, TensorPlan } from './architecture.ts'
import type { Fields } from './fields.ts'
import type { Gguf } from './read-gguf.ts'
import { float32, type Entry, text, uint32 } from './write-metadata.ts'

export const LLAMA: Architecture = { name: 'llama', readConfig, writeConfig, tensors, extraTensors }

const FREQUENCIES = 'rope_freqs.weight'

/** Keys that are read, or that leave the mathematics alone; any other would be passed over in silence. */
const KNOWN = new Set(
  `block_count context_length embedding_length feed_forward_length vocab_size attention.head_count
  attention.head_count_kv attention.key_length attention.value_length attention.layer_norm_rms_epsilon rope.freq_base
  rope.dimension_count rope.scaling.type rope.scaling.factor rope.scaling.original_context_length
  rope.scaling.finetuned`
    .split(/\s+/)
    .map((key) => `llama.${key}`),
)

function readConfig(fields: Fields, { tensors: stored }: Gguf): HuggingFaceConfig {
  for (const key of fields.keys())
    if (key.startsWith('llama.') && !KNOWN.has(key))
      throw fields.refuse(key, 'is not understood and could change the model; expected a plain Llama without it')
  const hidden = fields.whole('llama.embedding_length')
  const heads = fields.whole('llama.attention.head_count')
  if (hidden < 1 || heads < 1) throw fields.refuse('llama.attention.head_count', 'expected a width and heads above 0')
  const layers = fields.whole('llama.block_count')
  if (layers > stored.size)
    throw fields.refuse(
      'llama.block_count',
      `expected layers that have tensors, got ${layers} and ${stored.size} tensors`,
    )
  const headDim = fields.whole('llama.attention.key_length', hidden / heads)
  for (const key of ['llama.attention.value_length', 'llama.rope.dimension_count'])
    if (fields.whole(key, headDim) !== headDim)
      throw fields.refuse(key, `expected the width of a head, ${headDim}, got ${fields.whole(key)}`)
  const theta = fields.positive('llama.rope.freq_base', 10_000)
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: stored.get('token_embd.weight')?.shape[0],
    hidden_size: hidden,
    intermediate_size: fields.whole('llama.feed_forward_length'),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: fields.whole('llama.attention.head_count_kv', heads),
    head_dim: headDim,
    hidden_act: 'silu',
    rms_norm_eps: fields.positive('llama.attention.layer_norm_rms_epsilon'),
    rope_theta: theta,
    rope_scaling: stored.has(FREQUENCIES)
      ? stretched(stored.get(FREQUENCIES)!.values(), { theta, headDim, file: fields.file })
      : linear(fields),
    tie_word_embeddings: !stored.has('output.weight'),
    max_position_embeddings: fields.whole('llama.context_length'),
  }
}

const Config = z.object({
  model_type: z.literal('llama', 'is the only model type that is written as GGUF'),
  vocab_size: z.number(),
  hidden_size: z.number(),
  intermediate_size: z.number(),
  num_hidden_layers: z.number(),
  num_attention_heads: z.number(),
  num_key_value_heads: z.number(),
  head_dim: z.number(),
  rms_norm_eps: z.number(),
  rope_theta: z.number(),
  rope_scaling: z
    .discriminatedUnion('rope_type', [
      z.object({ rope_type: z.literal('linear'), factor: z.number() }),
      z.object({
        rope_type: z.literal('llama3'),
        factor: z.number(),
        low_freq_factor: z.number(),
        high_freq_factor: z.number(),
        original_max_position_embeddings: z.number(),
      }),
    ])
    .nullable(),
  tie_word_embeddings: z.boolean(),
  max_position_embeddings: z.number(),
})
type Config = z.infer<typeof Config>
type Scaling = NonNullable<Config['rope_scaling']>
type Llama3 = Extract<Scaling, { rope_type: 'llama3' }>

function writeConfig(json: HuggingFaceConfig): Entry[] {
  const c = Config.parse(json)
  const scaling = c.rope_scaling
  return [
    uint32('llama.block_count', c.num_hidden_layers),
    uint32('llama.context_length', c.max_position_embeddings),
    uint32('llama.embedding_length', c.hidden_size),
    uint32('llama.feed_forward_length', c.intermediate_size),
    uint32('llama.attention.head_count', c.num_attention_heads),
    uint32('llama.attention.head_count_kv', c.num_key_value_heads),
    uint32('llama.attention.key_length', c.head_dim),
    uint32('llama.attention.value_length', c.head_dim),
    float32('llama.attention.layer_norm_rms_epsilon', c.rms_norm_eps),
    float32('llama.rope.freq_base', c.rope_theta),
    uint32('llama.rope.dimension_count', c.head_dim),
    ...(scaling?.rope_type === 'linear'
      ? [text('llama.rope.scaling.type', 'linear'), float32('llama.rope.scaling.factor', scaling.factor)]
      : []),
    uint32('llama.vocab_size', c.vocab_size),
  ]
}

function tensors(json: HuggingFaceConfig): TensorPlan[] {
  const c = Config.parse(json)
  const width = c.hidden_size
  const q = c.num_attention_heads * c.head_dim
  const kv = c.num_key_value_heads * c.head_dim
  const plan: TensorPlan[] = [
    { name: 'token_embd.weight', key: 'model.embed_tokens.weight', shape: [c.vocab_size, width] },
    { name: 'output_norm.weight', key: 'model.norm.weight', shape: [width] },
  ]
  if (!c.tie_word_embeddings) plan.push({ name: 'output.weight', key: 'lm_head.weight', shape: [c.vocab_size, width] })
  for (let i = 0; i < c.num_hidden_layers; i++) {
    const add = (name: string, key: string, shape: number[], turnedHeads?: number) =>
      plan.push({
        name: `blk.${i}.${name}.weight`,
        key: `model.layers.${i}.${key}.weight`,
        shape,
        ...(turnedHeads !== undefined && { turnedHeads }),
      })
    add('attn_norm', 'input_layernorm', [width])
    add('attn_q', 'self_attn.q_proj', [q, width], c.num_attention_heads)
    add('attn_k', 'self_attn.k_proj', [kv, width], c.num_key_value_heads)
    add('attn_v', 'self_attn.v_proj', [kv, width])
    add('attn_output', 'self_attn.o_proj', [width, q])
    add('ffn_norm', 'post_attention_layernorm', [width])
    add('ffn_gate', 'mlp.gate_proj', [c.intermediate_size, width])
    add('ffn_up', 'mlp.up_proj', [c.intermediate_size, width])
    add('ffn_down', 'mlp.down_proj', [width, c.intermediate_size])
  }
  return plan
}

function extraTensors(json: HuggingFaceConfig): Map<string, Float32Array> {
  const { rope_scaling: scaling, rope_theta: theta, head_dim: headDim } = Config.parse(json)
  return new Map(scaling?.rope_type === 'llama3' ? [[FREQUENCIES, divisors(scaling, { theta, headDim })] as const] : [])
}

function linear(fields: Fields): Scaling | null {
  const type = fields.text('llama.rope.scaling.type', 'none')
  if (type === 'none') return null
  if (type !== 'linear')
    throw fields.refuse('llama.rope.scaling.type', `expected none or linear, got ${JSON.stringify(type)}`)
  return { rope_type: 'linear', factor: fields.positive('llama.rope.scaling.factor') }
}

/**
 * The settings that give these divisors, one for each frequency. Only ratios of the two bounds and the length matter, so
 * the low bound is set to 1, as published models have it; between the bounds the share left undivided is a line over
 * the frequency, which gives the other two.
 */
function stretched(
  found: Float32Array,
  { theta, headDim, file }: { theta: number; headDim: number; file: string },
): Scaling {
  const fail = () =>
    new DataError('divides frequencies otherwise than Llama 3 does, and config.json has no words for that', {
      file,
      field: FREQUENCIES,
    })
  if (found.length * 2 !== headDim) throw fail()
  const factor = found.reduce((a, b) => Math.max(a, b), 0)
  const line = [...found].flatMap((d, i) =>
    d > 1 && d < factor
      ? [{ x: 1 / wavelength(i, { theta, headDim }), y: (1 / d - 1 / factor) / (1 - 1 / factor) }]
      : [],
  )
  const first = line[0]
  const last = line.at(-1)
  if (first && last && first !== last) {
    const slope = (first.y - last.y) / (first.x - last.x)
    const high = Number((1 - 1 / (first.y - slope * first.x)).toPrecision(4))
    const scaling: Llama3 = {
      rope_type: 'llama3',
      factor,
      low_freq_factor: 1,
      high_freq_factor: high,
      original_max_position_embeddings: Math.round(slope * (high - 1)),
    }
    const expected = divisors(scaling, { theta, headDim })
    if (expected.every((d, i) => Math.abs(d - found[i]!) <= 1e-5 * d)) return scaling
  }
  throw fail()
}

/** What each frequency is divided by: 1 for short wavelengths, `factor` for long ones, between them smoothly (Dubey et al., arXiv 2407.21783). */
function divisors(scaling: Llama3, { theta, headDim }: { theta: number; headDim: number }): Float32Array {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: length } = scaling
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const turns = length / wavelength(i, { theta, headDim })
    if (turns > high) return 1
    if (turns < low) return factor
    const smooth = (turns - low) / (high - low)
    return 1 / ((1 - smooth) / factor + smooth)
  })
}

/** Positions after which frequency i has turned once. */
function wavelength(i: number, { theta, headDim }: { theta: number; headDim: number }): number {
  return 2 * Math.PI * theta ** ((2 * i) / headDim)
}
