// How matrix products are taken: in float32, or in bfloat16 between float32 on both sides (weights, gradients, residual
// stream, norms, softmax and losses stay float32; figures on what that costs: docs/log.md). The bfloat16 copy of a weight
// is made once and read by every pass until the weight changes; only passes that record gradients of it cast it anew, so
// that the gradient reaches the float32 weight. Both cast the same numbers: a pass answers the same bits either way.
// Legend: T rows, I and O input and output width.
import {
  add,
  cat,
  keep,
  linear,
  matrixProduct,
  mm,
  mulScalar,
  noGrad,
  scope,
  splitWithSizes,
  t,
  Tensor,
  toCopy,
  tokenLogprobs,
  weightCopy,
  wideSum,
  zeros,
} from '#torch'
import type { Adapter } from './adapters.ts'
import { type Decoding, decodingArithmetic } from './decoding-arithmetic.ts'
import { type PackedMatrix, unpacked } from './packed-matrix.ts'

export type Precision = 'float32' | 'bfloat16'

/** A weight as it is stored: [O,I], or [I,O] when transposed (GPT-2). A frozen one may be packed in fewer bytes. */
export type Matrix = {
  weight: Tensor | PackedMatrix
  bias?: Tensor | undefined
  isTransposed?: boolean
  adapter?: Adapter
}

export type Arithmetic = {
  /** x_TI times the matrix with its adapter, plus its bias: [T,O]. */
  product: (x_TI: Tensor, matrix: Matrix) => Tensor
  /** x_TI times a small matrix of an adapter. */
  small: (x_TI: Tensor, weight_OI: Tensor) => Tensor
  /** As torch's `tokenLogprobs`; always float32. */
  logprobs: (hidden_TI: Tensor, head: Matrix, targets_T: Tensor, o: { temperature: number }) => Logprobs
}

/** Of a product's answer, from column `start`. */
type Columns = { start: number; values: Tensor }

type Logprobs = ReturnType<typeof tokenLogprobs>

export type Arithmetics = {
  precision: Precision
  /** For passes that record gradients. */
  recording: Arithmetic
  /** For passes that only read. */
  reading: Arithmetic
  /** As `reading`, for a stream that takes many small steps (decoding-arithmetic.ts). */
  decoding: () => Decoding
  /** To be called when weights change or go. */
  forget: (weights: Iterable<Tensor>) => void
}

export function createArithmetics(precision: Precision, device = 'cpu'): Arithmetics {
  const copies = new Map<Tensor, Tensor>()
  const copyOf = (weight: Tensor): Tensor => {
    let copy = copies.get(weight)
    if (!copy) copies.set(weight, (copy = keep(scope(() => noGrad(() => weightCopy(weight, 'bfloat16'))))))
    return copy
  }
  const isExact = precision === 'float32'
  const reading = isExact ? FLOAT32 : bfloat16(copyOf)
  return {
    precision,
    recording: isExact ? FLOAT32 : bfloat16((weight) => (weight.requiresGrad ? narrowed(weight) : copyOf(weight))),
    reading,
    // A copy that already is in bfloat16 is read as it is.
    decoding: () =>
      decodingArithmetic(
        isExact ? FLOAT32 : bfloat16((weight) => (weight.dtype === 'bfloat16' ? weight : copyOf(weight))),
        {
          precision,
          device,
          copyOf: isExact ? (weight) => weight : copyOf,
          mergedWeight,
        },
      ),
    forget(weights) {
      for (const weight of weights) {
        copies.get(weight)?.free()
        copies.delete(weight)
      }
    },
  }
}

/** The matrix that matrix and adapter amount to, stored as the matrix is. */
export function mergedWeight({ weight: stored, adapter, isTransposed }: Matrix): Tensor {
  const weight = stored instanceof Tensor ? stored : unpacked(stored, 'float32')
  if (!adapter) return weight
  const deltas = adapter.parts.map(({ rows, pair }) =>
    pair
      ? mulScalar(mm(pair.b_OR, pair.a_RI), adapter.scale)
      : zeros([rows, weight.shape[isTransposed ? 0 : 1]!], { device: weight.device }),
  )
  const delta = deltas.length === 1 ? deltas[0]! : cat(deltas)
  return add(weight, isTransposed ? t(delta) : delta)
}

const FLOAT32: Arithmetic = {
  product(x, matrix) {
    const { weight, bias, isTransposed, adapter } = matrix
    const times = (w: Tensor): Tensor => matrixProduct(x, isTransposed ? t(w) : w, bias)
    const y = weight instanceof Tensor ? times(weight) : unpackedFor(weight, 'float32', times)
    return adapter ? wideSum(y, lowRank(x, adapter, FLOAT32.small)) : y
  },
  small: (x, weight) => matrixProduct(x, weight),
  logprobs: (hidden, head, targets, o) => tokenLogprobs(hidden, mergedWeight(head), targets, o),
}

function bfloat16(operand: (weight: Tensor) => Tensor): Arithmetic {
  const narrow: Arithmetic['small'] = (x, weight) => linear(x, narrowed(weight))
  return {
    product(x, { weight, bias, isTransposed, adapter }) {
      const input = narrowed(x)
      const parts = adapter ? lowRank(input, adapter, narrow) : []
      const times = (w: Tensor): Tensor => wideSum(linear(input, isTransposed ? t(w) : w), parts)
      const y = weight instanceof Tensor ? times(operand(weight)) : unpackedFor(weight, 'bfloat16', times)
      return bias ? add(y, bias) : y
    },
    small: (x, weight) => widened(narrow(narrowed(x), weight)),
    logprobs(hidden, head, targets, o) {
      const isPlain = !head.adapter && head.weight instanceof Tensor
      const weight = isPlain ? operand(head.weight as Tensor) : narrowed(mergedWeight(head))
      return tokenLogprobs(narrowed(hidden), weight, targets, o)
    },
  }
}

/** A product with a packed matrix. What was unpacked for it is let go at once; only a recorded product holds on to it. */
function unpackedFor(packed: PackedMatrix, dtype: Precision, times: (w: Tensor) => Tensor): Tensor {
  return scope(() => times(unpacked(packed, dtype)))
}

/**
 * Columns of scale x A^T B^T, for each module that has a pair: one product with the As of all, since they read the same input.
 * Scaled where it is narrowest.
 */
function lowRank(x: Tensor, { scale, parts }: Adapter, product: Arithmetic['small']): Columns[] {
  const starts = parts.reduce((all, { rows }) => [...all, all.at(-1)! + rows], [0])
  const pairs = parts.flatMap(({ pair }, i) => (pair ? { ...pair, start: starts[i]! } : []))
  const [first] = pairs
  const a = pairs.length === 1 ? first!.a_RI : cat(pairs.map(({ a_RI }) => a_RI))
  const inner = product(x, mulScalar(a, scale))
  const ranks = pairs.map(({ a_RI }) => a_RI.shape[0]!)
  const inners = pairs.length === 1 ? [inner] : splitWithSizes(inner, ranks, 1)
  return pairs.map(({ start, b_OR }, i) => ({ start, values: product(inners[i]!, b_OR) }))
}

function narrowed(x: Tensor): Tensor {
  return toCopy(x, { dtype: 'bfloat16' })
}

function widened(x: Tensor): Tensor {
  return toCopy(x, { dtype: 'float32' })
}
