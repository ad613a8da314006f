// The Llama family (Touvron et al., arXiv 2302.13971; grouped queries, arXiv 2305.13245) over packed rows, in transformers' order of operations.
// q, k, v and gate, up are stored as one matrix each: fewer, larger products; files still hold them apart.
// Legend: T tokens of a micro-batch, R rows whose last state is read, E hidden width, H query heads, K key-value heads, D head width, M MLP width, V vocabulary.
import {
  add,
  embedding,
  packedAttention,
  reshape,
  rmsNorm,
  rotary,
  rotaryTables,
  splitWithSizes,
  swiGlu,
  type Tensor,
  view,
} from '#torch'
import type { Arithmetic } from './arithmetic.ts'
import type { LlamaConfig } from './config.ts'
import type { ParameterPlan } from './parameters.ts'

export type Layer = {
  inputNorm_E: Tensor
  qkv: Tensor
  output: Tensor
  mlpNorm_E: Tensor
  gateUp: Tensor
  down: Tensor
}

export type Llama = {
  config: LlamaConfig
  embedding_VE: Tensor
  layers: Layer[]
  norm_E: Tensor
  /** The embedding itself when tied; absent in a reward model's folder when untied. */
  head_VE: Tensor | undefined
  inverseFrequencies: Tensor
}

/** One stored matrix each, with the Hugging Face keys whose rows it holds, in order. */
export function bodyPlan(c: LlamaConfig, o: { hasHead: boolean }): ParameterPlan[] {
  const E = c.hiddenSize
  const q = c.heads * c.headDim
  const kv = c.keyValueHeads * c.headDim
  const norm = (name: string): ParameterPlan => ({
    name,
    shape: [E],
    parts: [{ key: name, rows: E }],
    isDecayed: false,
  })
  const matrix = (name: string, columns: number, parts: ParameterPlan['parts']): ParameterPlan => ({
    name,
    shape: [parts.reduce((sum, part) => sum + part.rows, 0), columns],
    parts,
    isDecayed: true,
  })
  const single = (key: string, rows: number, columns: number): ParameterPlan => matrix(key, columns, [{ key, rows }])
  const plan = [single('model.embed_tokens.weight', c.vocabSize, E)]
  for (let i = 0; i < c.layers; i++) {
    const p = `model.layers.${i}`
    plan.push(
      norm(`${p}.input_layernorm.weight`),
      matrix(`${p}.self_attn.qkv`, E, [
        { key: `${p}.self_attn.q_proj.weight`, rows: q },
        { key: `${p}.self_attn.k_proj.weight`, rows: kv },
        { key: `${p}.self_attn.v_proj.weight`, rows: kv },
      ]),
      single(`${p}.self_attn.o_proj.weight`, E, q),
      norm(`${p}.post_attention_layernorm.weight`),
      matrix(`${p}.mlp.gate_up`, E, [
        { key: `${p}.mlp.gate_proj.weight`, rows: c.intermediateSize },
        { key: `${p}.mlp.up_proj.weight`, rows: c.intermediateSize },
      ]),
      single(`${p}.mlp.down_proj.weight`, E, c.intermediateSize),
    )
  }
  plan.push(norm('model.norm.weight'))
  if (o.hasHead && !c.tieWordEmbeddings) plan.push(single('lm_head.weight', c.vocabSize, E))
  return plan
}

/** Puts the stored matrices where the forward pass finds them. */
export function assembleLlama(
  config: LlamaConfig,
  get: (name: string) => Tensor | undefined,
  inverseFrequencies: Tensor,
): Llama {
  const must = (name: string): Tensor => get(name)!
  const embedding_VE = must('model.embed_tokens.weight')
  return {
    config,
    embedding_VE,
    layers: Array.from({ length: config.layers }, (_, i) => {
      const p = `model.layers.${i}`
      return {
        inputNorm_E: must(`${p}.input_layernorm.weight`),
        qkv: must(`${p}.self_attn.qkv`),
        output: must(`${p}.self_attn.o_proj.weight`),
        mlpNorm_E: must(`${p}.post_attention_layernorm.weight`),
        gateUp: must(`${p}.mlp.gate_up`),
        down: must(`${p}.mlp.down_proj.weight`),
      }
    }),
    norm_E: must('model.norm.weight'),
    head_VE: config.tieWordEmbeddings ? embedding_VE : get('lm_head.weight'),
    inverseFrequencies,
  }
}

type RotaryTables = ReturnType<typeof rotaryTables>

/** How a layer attends: packed segments in training and prefill, caches in decoding. q [T,H,D], k and v [T,K,D], answers [T,H,D]. */
export type Attend = (q: Tensor, k: Tensor, v: Tensor, layer: number) => Tensor

/** Causal attention inside each packed segment. */
export function attendPacked(c: LlamaConfig, offsets: Tensor): Attend {
  return (q, k, v) => packedAttention(q, k, v, { offsets, scale: 1 / Math.sqrt(c.headDim) })
}

/**
 * Last hidden states after the final norm, [R,E]: of rows_R when given, else of every token. The last layer's MLP and
 * the norm run on those rows only. tokens_T, positions_T and rows_R are int32.
 */
export function lastHidden(
  llama: Llama,
  o: {
    arithmetic: Arithmetic
    tokens_T: Tensor
    positions_T: Tensor
    attend: Attend
    rows_R?: Tensor | undefined
  },
): Tensor {
  const { config: c } = llama
  const { product } = o.arithmetic
  const tables = rotaryTables(o.positions_T, llama.inverseFrequencies)
  let x = embedding(llama.embedding_VE, o.tokens_T)
  llama.layers.forEach((layer, i) => {
    const attended = o.attend(
      ...queryKeyValue(c, product(rmsNorm(x, layer.inputNorm_E, c.rmsNormEps), { weight: layer.qkv }), tables),
      i,
    )
    let mixed: Tensor = reshape(attended, [attended.shape[0]!, c.heads * c.headDim])
    if (o.rows_R && i === c.layers - 1) {
      // `embedding` gathers rows like `indexSelect`, with a backward that is parallel.
      x = embedding(x, o.rows_R)
      mixed = embedding(mixed, o.rows_R)
    }
    x = add(x, product(mixed, { weight: layer.output }))
    x = add(x, mlp(c, layer, x, product))
  })
  return rmsNorm(x, llama.norm_E, c.rmsNormEps)
}

function queryKeyValue(
  { heads, keyValueHeads, headDim }: LlamaConfig,
  qkv: Tensor,
  tables: RotaryTables,
): [Tensor, Tensor, Tensor] {
  const all = view(qkv, [qkv.shape[0]!, heads + 2 * keyValueHeads, headDim])
  // One rotation for queries and keys: they are neighbours. Splits, since their backward is one copy.
  const [queryKeys, values] = splitWithSizes(all, [heads + keyValueHeads, keyValueHeads], 1) as [Tensor, Tensor]
  const turned = rotary(queryKeys, tables)
  const [queries, keys] = splitWithSizes(turned, [heads, keyValueHeads], 1) as [Tensor, Tensor]
  return [queries, keys, values]
}

function mlp(c: LlamaConfig, layer: Layer, x: Tensor, product: Arithmetic['product']): Tensor {
  const gateUp = product(rmsNorm(x, layer.mlpNorm_E, c.rmsNormEps), { weight: layer.gateUp })
  const [gate, up] = splitWithSizes(gateUp, [c.intermediateSize, c.intermediateSize], 1) as [Tensor, Tensor]
  return product(swiGlu(gate, up), { weight: layer.down })
}
