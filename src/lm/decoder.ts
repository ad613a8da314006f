// A decoder-only transformer over packed rows, in transformers' order of operations. What differs between families comes from
// the config and the family's design; no family is named here. Matrices that read the same input are stored as one: fewer,
// larger products; files still hold them apart.
// Legend: T tokens of a micro-batch, R rows whose last state is read, E hidden width, H query heads, K key-value heads, D head width, M MLP width, V vocabulary.
import {
  add,
  cat,
  embedding,
  fromArray,
  mm,
  mul,
  mulScalar,
  narrow,
  reshape,
  rotary,
  rotarySplit,
  scope,
  splitWithSizes,
  swiGlu,
  t,
  type Tensor,
  view,
} from '#torch'
import { activate } from './activations.ts'
import type { Pair } from './adapters.ts'
import type { Arithmetic, Matrix } from './arithmetic.ts'
import type { Attend } from './attention.ts'
import type { ModelConfig } from './config.ts'
import { type Design, familyOf } from './families/index.ts'
import { normalise, type Norm, normPlans } from './norms.ts'
import type { PackedMatrix } from './packed-matrix.ts'
import type { ParameterPlan, Upload } from './parameters.ts'
import { rotaryWidth, type Tables, turnTables } from './rope.ts'

export type Layer = {
  attentionIn?: Norm
  qkv: Matrix
  queryNorm?: Norm
  keyNorm?: Norm
  output: Matrix
  attentionOut?: Norm
  mlpIn?: Norm
  up: Matrix
  down: Matrix
  mlpOut?: Norm
}

export type Decoder = {
  config: ModelConfig
  design: Design
  embedding_VE: Tensor
  /** Of the embedding: its A reads tokens, [R,V]; its B is [E,R]. */
  embeddingAdapter?: { scale: number; pair: Pair }
  positions_PE: Tensor | undefined
  layers: Layer[]
  norm: Norm
  /** The embedding itself when tied; absent in a reward model's folder when untied. */
  head: Matrix | undefined
  /** Of rotary positions: of all layers, and of those with a window where they have their own. */
  inverse: Tensor
  localInverse: Tensor | undefined
}

/** Keys that a checkpoint has only where the model writes. */
export function headKeys(config: ModelConfig): string[] {
  const { head } = familyOf(config).design
  return config.tieWordEmbeddings ? [] : [`${head}.weight`]
}

/** One stored matrix each, with the Hugging Face keys whose rows it holds, in order. */
export function bodyPlan(c: ModelConfig, o: { hasHead: boolean }): ParameterPlan[] {
  const { design } = familyOf(c)
  const E = c.hiddenSize
  const M = c.intermediateSize
  const [q, kv] = [c.heads * c.headDim, c.keyValueHeads * c.headDim]
  const table = (module: string, rows: number): ParameterPlan => ({
    name: `${module}.weight`,
    shape: [rows, E],
    parts: [{ key: `${module}.weight`, rows }],
    isDecayed: true,
  })
  const plan = [table(design.embedding, c.vocabSize)]
  if (design.positions) plan.push(table(design.positions, c.maxPositionEmbeddings))
  for (let i = 0; i < c.layers; i++) {
    const at = (module: string): string => `${design.layers}.${i}.${module}`
    const norm = (module: string | undefined, width = E): ParameterPlan[] =>
      module ? normPlans(design, at(module), width) : []
    const matrix = (
      modules: readonly string[],
      size: { rows: number[]; columns: number; isResidual?: boolean },
      hasBias = false,
    ) => matrixPlans(modules.map(at), { ...size, hasBias, isTransposed: design.isTransposed ?? false })
    const isFused = design.qkv.length === 1
    const queryKeyWidth =
      design.queryKeyNorm?.over === 'all' ? { query: q, key: kv } : { query: c.headDim, key: c.headDim }
    plan.push(
      ...norm(design.attentionIn),
      ...matrix(design.qkv, { rows: isFused ? [q + 2 * kv] : [q, kv, kv], columns: E }, c.biases?.qkv),
      ...norm(design.queryKeyNorm?.query, queryKeyWidth.query),
      ...norm(design.queryKeyNorm?.key, queryKeyWidth.key),
      ...matrix([design.output], { rows: [E], columns: q, isResidual: true }, c.biases?.output),
      ...norm(design.attentionOut),
      ...norm(design.mlpIn),
      ...matrix(design.up, { rows: upRows(design, M), columns: E }, c.biases?.mlp),
      ...matrix([design.down], { rows: [E], columns: M, isResidual: true }, c.biases?.mlp),
      ...norm(design.mlpOut),
    )
  }
  plan.push(...normPlans(design, design.finalNorm, E))
  if (o.hasHead && !c.tieWordEmbeddings) plan.push(table(design.head, c.vocabSize))
  return plan
}

/** Puts the stored matrices where the forward pass finds them. */
export function assembleDecoder(
  config: ModelConfig,
  get: (name: string) => Tensor | undefined,
  {
    packed,
    ...o
  }: {
    inverse: Tensor
    localInverse: Tensor | undefined
    packed: (name: string) => PackedMatrix | undefined
  },
): Decoder {
  const { design } = familyOf(config)
  const embedding_VE = get(`${design.embedding}.weight`)!
  const norm = (module: string): Norm => ({ weight: get(`${module}.weight`)!, bias: get(`${module}.bias`) })
  const head = config.tieWordEmbeddings ? embedding_VE : get(`${design.head}.weight`)
  return {
    config,
    design,
    embedding_VE,
    positions_PE: design.positions === undefined ? undefined : get(`${design.positions}.weight`),
    layers: Array.from({ length: config.layers }, (_, i) => {
      const at = (module: string): string => `${design.layers}.${i}.${module}`
      const named = (key: keyof Layer, module: string | undefined) => module && { [key]: norm(at(module)) }
      const matrix = (modules: readonly string[]): Matrix => {
        const name = matrixName(modules.map(at))
        return {
          weight: packed(`${name}.weight`) ?? get(`${name}.weight`)!,
          bias: get(`${name}.bias`),
          ...(design.isTransposed && { isTransposed: true }),
        }
      }
      return {
        ...named('attentionIn', design.attentionIn),
        qkv: matrix(design.qkv),
        ...named('queryNorm', design.queryKeyNorm?.query),
        ...named('keyNorm', design.queryKeyNorm?.key),
        output: matrix([design.output]),
        ...named('attentionOut', design.attentionOut),
        ...named('mlpIn', design.mlpIn),
        up: matrix(design.up),
        down: matrix([design.down]),
        ...named('mlpOut', design.mlpOut),
      }
    }),
    norm: norm(design.finalNorm),
    head: head && { weight: head },
    ...o,
  }
}

/** A pass's tokens: T of them at positions_T, in sequences of lengths_T tokens. */
export type Rows = { tokens_T: Int32Array; positions_T: Int32Array; lengths_T: Int32Array }

/** How a pass computes. `rows_R` (int32): the rows whose last states are read; every token's where it is left out. */
export type Pass = {
  arithmetic: Arithmetic
  attend: Attend
  upload: Upload
  rows_R?: Tensor | undefined
  /** A layer in one call, where there is one for it. */
  layerAtOnce?: (x: Tensor, layer: number, tables: Tables) => Tensor | undefined
}

/** Last hidden states after the final norm, [R,E]. The last layer's MLP and the norm run on the rows that are read only. */
export function lastHidden(decoder: Decoder, rows: Rows, pass: Pass): Tensor {
  const { begin, layers, end } = stepsOf(decoder, rows, pass)
  // What a layer makes on its way is let go after it; a pass that records keeps what its gradient needs by itself.
  const last = layers.reduce((x, layer) => {
    const next = scope(() => layer(x))
    x.free()
    return next
  }, scope(begin))
  return end(last)
}

/** A pass in steps: tokens to states [T,E], each layer on the states before it, and the final norm. */
export type Steps = { begin: () => Tensor; layers: ((x: Tensor) => Tensor)[]; end: (x: Tensor) => Tensor }

export function stepsOf(decoder: Decoder, rows: Rows, o: Pass): Steps {
  const { config: c, design } = decoder
  const tables = tablesOf(decoder, rows, o.upload)
  const begin = (): Tensor => {
    let x = embedded(decoder, o.upload(fromArray(rows.tokens_T)), o.arithmetic)
    if (design.isEmbeddingScaled) x = mulScalar(x, Math.sqrt(c.hiddenSize))
    if (decoder.positions_PE) x = add(x, embedding(decoder.positions_PE, o.upload(fromArray(rows.positions_T))))
    return x
  }
  const layers = decoder.layers.map((layer, i) => (x: Tensor): Tensor => {
    const own = tables(i)
    const whole = own && o.layerAtOnce?.(x, i, own)
    if (whole) return whole
    const norm = (y: Tensor, by: Norm | undefined): Tensor => (by ? normalise(design, y, by, c.rmsNormEps) : y)
    const block = { c, design, layer, arithmetic: o.arithmetic }
    const attended = o.attend(...queryKeyValue(block, norm(x, layer.attentionIn), own), i)
    let mixed: Tensor = reshape(attended, [attended.shape[0]!, c.heads * c.headDim])
    let residual = x
    if (o.rows_R && i === c.layers - 1) {
      // `embedding` gathers rows like `indexSelect`, with a backward that is parallel.
      residual = embedding(x, o.rows_R)
      mixed = embedding(mixed, o.rows_R)
    }
    const attention = norm(o.arithmetic.product(mixed, layer.output), layer.attentionOut)
    const between = add(residual, attention)
    const read = norm(c.isParallel ? residual : between, layer.mlpIn)
    return add(between, norm(mlp(block, read), layer.mlpOut))
  })
  return { begin, layers, end: (x) => normalise(design, x, decoder.norm, c.rmsNormEps) }
}

function embedded({ embedding_VE, embeddingAdapter }: Decoder, tokens_T: Tensor, { small }: Arithmetic): Tensor {
  const x = embedding(embedding_VE, tokens_T)
  if (!embeddingAdapter) return x
  const { scale, pair } = embeddingAdapter
  return add(x, mulScalar(small(embedding(t(pair.a_RI), tokens_T), pair.b_OR), scale))
}

/** [V,E], its adapter added. */
export function embeddingWeight({ embedding_VE, embeddingAdapter }: Decoder): Tensor {
  if (!embeddingAdapter) return embedding_VE
  const { scale, pair } = embeddingAdapter
  return add(embedding_VE, mulScalar(t(mm(pair.b_OR, pair.a_RI)), scale))
}

type Block = { c: ModelConfig; design: Design; layer: Layer; arithmetic: Arithmetic }

/** Tables by layer; undefined where nothing turns. */
function tablesOf(
  { config, design, inverse, localInverse }: Decoder,
  rows: Rows,
  upload: Upload,
): (layer: number) => Tables | undefined {
  if (design.positions) return () => undefined
  const tables = turnTables(config, { inverse, ...rows, upload })
  if (!localInverse) return () => tables
  const { ropeScaling: _, ...plain } = config
  const local = turnTables(plain, { inverse: localInverse, ...rows, upload })
  return (layer) => (config.window?.layers[layer] ? local : tables)
}

function queryKeyValue(block: Block, x: Tensor, tables: Tables | undefined): [Tensor, Tensor, Tensor] {
  const { c, design, layer } = block
  const { heads: H, keyValueHeads: K, headDim: D } = c
  const qkv = block.arithmetic.product(x, layer.qkv)
  const T = qkv.shape[0]!
  if (!design.isByHead && !design.queryKeyNorm) {
    const heads = view(qkv, [T, H + 2 * K, D])
    if (tables && rotaryWidth(c) === D) return rotarySplit(heads, tables, { queryHeads: H })
    // One rotation for queries and keys: they are neighbours. Splits, since their backward is one copy.
    const [queryKeys, values] = splitWithSizes(heads, [H + K, K], 1)
    const [queries, keys] = splitWithSizes(turn(c, queryKeys!, tables), [H, K], 1)
    return [queries!, keys!, values!]
  }
  let queries: Tensor, keys: Tensor, values: Tensor
  if (design.isByHead)
    [queries, keys, values] = splitWithSizes(view(qkv, [T, H, 3 * D]), [D, D, D], 2) as [Tensor, Tensor, Tensor]
  else {
    const [q, k, v] = splitWithSizes(qkv, [H * D, K * D, K * D], 1) as [Tensor, Tensor, Tensor]
    const normed = (y: Tensor, by: Norm, count: number): Tensor => {
      const isOverHead = design.queryKeyNorm!.over === 'head'
      const shaped = isOverHead ? reshape(y, [T, count, D]) : y
      return reshape(normalise(design, shaped, by, c.rmsNormEps), [T, count, D])
    }
    queries = normed(q, layer.queryNorm!, H)
    keys = normed(k, layer.keyNorm!, K)
    values = reshape(v, [T, K, D])
  }
  return [turn(c, queries, tables), turn(c, keys, tables), values]
}

/** Turns the first numbers of each head. */
function turn(c: ModelConfig, x: Tensor, tables: Tables | undefined): Tensor {
  if (!tables) return x
  const width = rotaryWidth(c)
  if (width === c.headDim) return rotary(x, tables)
  return cat([rotary(narrow(x, 2, 0, width), tables), narrow(x, 2, width, c.headDim - width)], 2)
}

function mlp({ c, design, layer, arithmetic }: Block, x: Tensor): Tensor {
  const wide = arithmetic.product(x, layer.up)
  return arithmetic.product(design.isGated ? gated(c, wide) : activate(c.activation, wide), layer.down)
}

function gated({ activation = 'silu', intermediateSize: M }: ModelConfig, wide: Tensor): Tensor {
  if (activation === 'silu') return swiGlu(wide)
  const [gate, up] = splitWithSizes(wide, [M, M], 1) as [Tensor, Tensor]
  return mul(activate(activation, gate), up)
}

function upRows(design: Design, M: number): number[] {
  if (!design.isGated) return [M]
  return design.up.length === 2 ? [M, M] : [2 * M]
}

/** Modules stored as one bear the name of what they have in common. */
function matrixName(modules: readonly string[]): string {
  const [first] = modules
  return modules.length === 1
    ? first!
    : `${first!.slice(0, first!.lastIndexOf('.'))}.${modules.length === 3 ? 'qkv' : 'gate_up'}`
}

function matrixPlans(
  modules: readonly string[],
  o: { rows: number[]; columns: number; isResidual?: boolean; hasBias: boolean; isTransposed: boolean },
): ParameterPlan[] {
  const name = matrixName(modules)
  const total = o.rows.reduce((sum, rows) => sum + rows, 0)
  const shape = o.isTransposed ? [o.columns, total] : [total, o.columns]
  const rowsOf = (i: number): number => (o.isTransposed ? o.columns : o.rows[i]!)
  const weight: ParameterPlan = {
    name: `${name}.weight`,
    shape,
    parts: modules.map((module, i) => ({ key: `${module}.weight`, rows: rowsOf(i) })),
    isDecayed: true,
    ...(o.isResidual && { isResidual: true }),
  }
  if (!o.hasBias) return [weight]
  const parts = modules.map((module, i) => ({ key: `${module}.bias`, rows: o.rows[i]! }))
  return [weight, { name: `${name}.bias`, shape: [total], parts, isDecayed: false, initial: 0 }]
}
