// How matrix products are taken: in float32, or in bfloat16 between float32 on both sides (weights, gradients, residual
// stream, norms, softmax and losses stay float32; figures on what that costs: docs/log.md). The bfloat16 copy of a weight
// is made once and read by every pass until the weight changes; only passes that record gradients of it cast it anew, so
// that the gradient reaches the float32 weight. Both cast the same numbers: a pass answers the same bits either way.
// Legend: T rows, I and O input and output width.
import { add, keep, linear, noGrad, scope, t, type Tensor, toCopy, tokenLogprobs } from '#torch'

export type Precision = 'float32' | 'bfloat16'

/** A weight as it is stored: [O,I], or [I,O] when transposed (GPT-2). */
export type Matrix = { weight: Tensor; bias?: Tensor | undefined; isTransposed?: boolean }

export type Arithmetic = {
  /** x_TI times the matrix, plus its bias: [T,O]. */
  product: (x_TI: Tensor, matrix: Matrix) => Tensor
  /** As torch's `tokenLogprobs`; always float32. */
  logprobs: (hidden_TI: Tensor, head: Matrix, targets_T: Tensor, o: { temperature: number }) => Logprobs
}

type Logprobs = ReturnType<typeof tokenLogprobs>

export type Arithmetics = {
  precision: Precision
  /** For passes that record gradients. */
  recording: Arithmetic
  /** For passes that only read. */
  reading: Arithmetic
  /** To be called when weights change or go. */
  forget: (weights: Iterable<Tensor>) => void
}

export function createArithmetics(precision: Precision): Arithmetics {
  if (precision === 'float32') return { precision, recording: FLOAT32, reading: FLOAT32, forget: () => {} }
  const copies = new Map<Tensor, Tensor>()
  const copyOf = (weight: Tensor): Tensor => {
    let copy = copies.get(weight)
    if (!copy) copies.set(weight, (copy = keep(scope(() => noGrad(() => narrowed(weight))))))
    return copy
  }
  return {
    precision,
    recording: bfloat16((weight) => (weight.requiresGrad ? narrowed(weight) : copyOf(weight))),
    reading: bfloat16(copyOf),
    forget(weights) {
      for (const weight of weights) {
        copies.get(weight)?.free()
        copies.delete(weight)
      }
    },
  }
}

const FLOAT32: Arithmetic = {
  product: (x, { weight, bias, isTransposed }) => linear(x, isTransposed ? t(weight) : weight, bias),
  logprobs: (hidden, { weight }, targets, o) => tokenLogprobs(hidden, weight, targets, o),
}

function bfloat16(operand: (weight: Tensor) => Tensor): Arithmetic {
  return {
    product(x, { weight, bias, isTransposed }) {
      const copy = operand(weight)
      const y = toCopy(linear(narrowed(x), isTransposed ? t(copy) : copy), { dtype: 'float32' })
      return bias ? add(y, bias) : y
    },
    logprobs: (hidden, { weight }, targets, o) => tokenLogprobs(narrowed(hidden), operand(weight), targets, o),
  }
}

function narrowed(x: Tensor): Tensor {
  return toCopy(x, { dtype: 'bfloat16' })
}
