// The fused kernels: what plain ops do in many passes over memory, in one. Each has backward unless it says otherwise,
// and a plain-op reference beside it in its test. float32 on CPU is fused; other dtypes and devices take a path of plain
// ATen ops inside the addon (same mathematics; never run on CUDA by us so far).
// Shape legend: T packed tokens, N segments, H query heads, K key-value heads, D head width, E hidden width, V vocabulary,
// M MLP width, B rows of a decoding batch, L most positions of a cache.
import { fromArray, toFloat32, toInt32 } from './arrays.ts'
import * as ops from './kernel-ops.ts'
import { cos, outer, sin, toCopy } from './ops.ts'
import { type DType, scope, type Tensor } from './tensor.ts'

/**
 * x weight^T, plus the bias: x [T,I], weight [O,I], bias [O]. Answers [T,O]. As aten's linear, but each thread multiplies blocks
 * of its own, so that small products gain from threads; the bits do not depend on how many there are.
 */
export function matrixProduct(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  return ops.matrixProductOp(x, weight, bias ?? null)
}

/**
 * y [T,O] with parts [T,O_i] added to its columns from starts[i], each after the columns of the part before it. Of bfloat16, as products
 * leave it, float32; of others, their own dtype or float32.
 */
export function wideSum(y: Tensor, parts: readonly { start: number; values: Tensor }[]): Tensor {
  const values = parts.map((part) => part.values)
  return ops.wideSumOp(
    y,
    values,
    parts.map(({ start }) => start),
  )
}

/**
 * Causal attention inside each segment: q [T,H,D], k and v [T,K,D], H a multiple of K (query head h reads h / (H/K)).
 * offsets_N1 int32 [N+1] from 0 to T, rising: segment n is tokens offsets[n] to offsets[n+1]. Answers [T,H,D]. Memory is linear in T.
 * stems int32 [N]: the earlier segment that segment n continues, seeing all its tokens before its own; -1 for none. A stem continues none.
 */
export function packedAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: { offsets: Tensor; stems?: Tensor; scale: number },
): Tensor {
  return ops.packedAttentionOp(q, k, v, options.offsets, options.stems ?? null, options.scale)
}

/**
 * log softmax(hidden weight^T / temperature) at targets, and the entropy of the same distribution, in nats, float32.
 * hidden [T,E], weight [V,E], targets int32 or int64 [T]. Logits live for a chunk of rows at a time and are recomputed in backward.
 */
export function tokenLogprobs(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  { temperature = 1 }: { temperature?: number } = {},
): { logprobs_T: Tensor; entropies_T: Tensor } {
  const [logprobs_T, entropies_T] = ops.tokenLogprobsOp(hidden, weight, targets, temperature)
  return { logprobs_T, entropies_T }
}

/** x / sqrt(mean(x^2) + epsilon) * weight over the last axis: x [...,E], weight [E]. Zhang & Sennrich, arXiv 1910.07467. */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  return ops.rmsNormOp(x, weight, epsilon)
}

/** silu(gate) * up of gate and up side by side: [T,2M] to [T,M]. Shazeer, arXiv 2002.05202. */
export function swiGlu(gateUp: Tensor): Tensor {
  return ops.swiGluOp(gateUp)
}

/**
 * Tables for `rotary`, made once a pass and read by every layer: positions int32 [T], inverseFrequencies float32 [D/2];
 * answers cosines and sines of position * frequency, float32 [T,D/2].
 */
export function rotaryTables(positions: Tensor, inverseFrequencies: Tensor): { cosines: Tensor; sines: Tensor } {
  return scope(() => {
    const angles = outer(toCopy(positions, { dtype: 'float32' }), inverseFrequencies)
    return { cosines: cos(angles), sines: sin(angles) }
  })
}

/** Rotary position embedding in Hugging Face's rotate-half convention: x [T,H,D], tables [T,D/2]. Answers a new [T,H,D]. Su et al., arXiv 2104.09864. */
export function rotary(x: Tensor, tables: { cosines: Tensor; sines: Tensor }): Tensor {
  return ops.rotaryOp(x, tables.cosines, tables.sines)
}

/** qkv [T,H+2K,D] into queries [T,H,D] and keys [T,K,D], both as `rotary` turns them, and values [T,K,D]; backward is one pass. */
export function rotarySplit(
  qkv: Tensor,
  tables: { cosines: Tensor; sines: Tensor },
  { queryHeads }: { queryHeads: number },
): [Tensor, Tensor, Tensor] {
  return ops.rotarySplitOp(qkv, tables.cosines, tables.sines, queryHeads) as [Tensor, Tensor, Tensor]
}

/**
 * One new token a row against its cache: q [B,H,D], caches [B,K,L,D], lengths int32 [B] (positions filled, the new one
 * included; 1 to L). Answers [B,H,D]. No gradient.
 */
export function decodeAttention(
  q: Tensor,
  kCache: Tensor,
  vCache: Tensor,
  options: { lengths: Tensor; scale: number },
): Tensor {
  return ops.decodeAttentionOp(q, kCache, vCache, options.lengths, options.scale)
}

/**
 * Writes rows into a cache in place: values [T,K,D] go to cache [B,K,L,D] at [rows[t], :, positions[t]];
 * rows and positions int32 [T]. Serves decoding (T = B) and prefill (packed tokens). No gradient.
 */
export function cacheWrite_(cache: Tensor, values: Tensor, options: { rows: Tensor; positions: Tensor }): Tensor {
  ops.cacheWriteOp_(cache, values, options.rows, options.positions)
  return cache
}

/** Copies the first `length` positions of row `from` over those of row `to`, in each cache [B,K,L,D]. No gradient. */
export function cacheMove_(caches: readonly Tensor[], o: { from: number; to: number; length: number }): void {
  ops.cacheMoveOp_(caches, o.from, o.to, o.length)
}

/**
 * x [B,I] times weight^T [I,O], plus bias [O]: weight [O,I] contiguous in float32, bfloat16, or int8 with scales (float32, O numbers:
 * one an output). Read once and in its own dtype, multiplied in float32; meant for B up to some tens. `rounds`: beside bfloat16, x may be
 * rounded to bfloat16 too, and is where the processor multiplies that (AVX-512's). What a row answers does not depend on the rows beside
 * it, to the last bit. Answers [B,O]. No gradient. Panels (`panelCopy`) serve any B; of them it answers [B,P W], and takes no bias.
 */
export function fewRows(
  x: Tensor,
  weight: Tensor,
  options: { scales?: Tensor; bias?: Tensor; rounds?: boolean } = {},
): Tensor {
  return ops.fewRowsOp(x, weight, options.scales, options.bias, { rounds: options.rounds ?? false })
}

/**
 * A whole Llama layer for one new token a row, float32 rows on the CPU: x [B,E] to [B,E]. weights: queries, keys and values
 * as one, output, gate and up as one, down, each as `fewRows` takes them, panels included (scales: four, where they are int8). The caches hold B
 * rows or more; lengths int32 [B] count the new token. In plain ops it is `rmsNorm`, `fewRows`, `rotary`, `cacheWrite_`,
 * `decodeAttention`, `swiGlu`, one after the other. No gradient.
 */
export function decodeLayer(x: Tensor, layer: DecodedLayer, at: DecodingPlace): Tensor {
  const { keys, values, tables, lengths } = at
  return ops.decodeLayerOp(
    x,
    layer.norms,
    layer.weights,
    layer.scales ?? [],
    layer.qkvBias ?? null,
    keys,
    values,
    tables.cosines,
    tables.sines,
    lengths,
    at.scale,
    layer.epsilon,
    layer.rounds ?? false,
  )
}

export type DecodedLayer = {
  norms: [Tensor, Tensor]
  weights: [Tensor, Tensor, Tensor, Tensor]
  scales?: [Tensor, Tensor, Tensor, Tensor]
  qkvBias?: Tensor
  epsilon: number
  /** As of `fewRows`. */
  rounds?: boolean
}

export type DecodingPlace = {
  keys: Tensor
  values: Tensor
  tables: { cosines: Tensor; sines: Tensor }
  lengths: Tensor
  scale: number
}

/**
 * weight [O,I] (float32 on the CPU, of any strides) laid out as many rows read it: [P,I,W], panels of W outputs side by side (W is the
 * processor's), the last padded with zeroes. `fewRows` and `decodeLayer` take it in place of the weight. No gradient.
 */
export function panelCopy(weight: Tensor): Tensor {
  return ops.panelCopyOp(weight)
}

/** A contiguous copy for weights that are read again and again: in large pages of memory, where the system has them, shared with other such copies. No gradient. */
export function weightCopy(x: Tensor, dtype: DType): Tensor {
  return ops.weightCopyOp(x, dtype)
}

export type SamplingRows = {
  /** 0 = the likeliest token. */
  temperatures: ArrayLike<number>
  /** Keep the fewest likeliest tokens whose probability reaches this; 1 = all. Absent = 1. */
  topPs?: ArrayLike<number>
  /** Keep this many; 0 = all. Absent = 0. */
  topKs?: ArrayLike<number>
  /** Safe integers. */
  seeds: ArrayLike<number>
  /** Which draw of its seed this is: the token's position. */
  positions: ArrayLike<number>
}

/**
 * Draws one token a row from logits [B,V]. A row's draw depends on its logits, settings, seed and position alone, never on the batch.
 * logprobs are log softmax(logits / temperature) of the drawn token, before top-p and top-k (temperature 0: of softmax(logits)).
 */
export function sampleRows(logits: Tensor, rows: SamplingRows): { tokens: Int32Array; logprobs: Float32Array } {
  const count = rows.seeds.length
  return scope(() => {
    const [tokens, logprobs] = ops.sampleRowsOp(
      logits,
      fromArray(Float32Array.from(rows.temperatures)),
      fromArray(rows.topPs ? Float32Array.from(rows.topPs) : new Float32Array(count).fill(1)),
      fromArray(rows.topKs ? Int32Array.from(rows.topKs) : new Int32Array(count)),
      fromArray(BigInt64Array.from(Array.from(rows.seeds, BigInt))),
      fromArray(Int32Array.from(rows.positions)),
    )
    return { tokens: toInt32(tokens), logprobs: toFloat32(logprobs) }
  })
}

export type AdamWOptions = {
  learningRate: number
  beta1: number
  beta2: number
  epsilon: number
  weightDecay: number
  /** Counts from 1: bias correction of this update. */
  step: number
  /** Multiplies every gradient first (clipping, averaging). Default 1. */
  gradientScale?: number
}

/**
 * AdamW with decoupled decay, in place, over lists of equal length (parameters, gradients, first and second moments of the same shapes, float32).
 * Loshchilov & Hutter, arXiv 1711.05101, in PyTorch's order: decay, moments, bias-corrected update.
 */
export function adamWStep(
  params: readonly Tensor[],
  grads: readonly Tensor[],
  moments: { first: readonly Tensor[]; second: readonly Tensor[] },
  o: AdamWOptions,
): void {
  ops.adamwStepOp_(
    params,
    grads,
    moments.first,
    moments.second,
    o.learningRate,
    o.beta1,
    o.beta2,
    o.epsilon,
    o.weightDecay,
    o.step,
    o.gradientScale ?? 1,
  )
}

/** The joint Euclidean norm, summed in float64; NaN or Infinity says that an entry is not finite. */
export function gradientNorm(grads: readonly Tensor[]): number {
  return ops.gradientNormOp(grads)
}
