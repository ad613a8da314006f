// The fused kernels written with plain ops, in any dtype: what tests hold them to and benches race. Not for models.
import { noGrad } from './autograd.ts'
import type { AdamWOptions } from './kernels.ts'
import * as ops from './ops.ts'
import { scope, type Tensor } from './tensor.ts'

/** As `packedAttention`, a segment at a time with a mask; offsets as numbers. */
export function plainAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: { offsets: readonly number[]; scale: number },
): Tensor {
  const group = q.shape[1]! / k.shape[1]!
  const parts = options.offsets.slice(1).map((end, n) => {
    const start = options.offsets[n]!
    const part = (x: Tensor) => ops.transpose(ops.narrow(x, 0, start, end - start), 0, 1)
    const spread = (x: Tensor) => ops.repeatInterleave(part(x), group, 0)
    const isAfter = ops.triu(ops.ones([end - start, end - start], { dtype: 'bool' }), 1)
    const scores = ops.mulScalar(ops.matmul(part(q), ops.transpose(spread(k), 1, 2)), options.scale)
    const p = ops.softmax(ops.maskedFill(scores, isAfter, -Infinity), -1)
    return ops.transpose(ops.matmul(p, spread(v)), 0, 1)
  })
  return ops.cat(parts)
}

/** As `tokenLogprobs`, with all logits at once. targets int64. */
export function plainLogprobs(hidden: Tensor, weight: Tensor, targets: Tensor, temperature: number): [Tensor, Tensor] {
  const logp = ops.logSoftmax(ops.divScalar(ops.mm(hidden, ops.t(weight)), temperature), -1)
  const logprobs = ops.squeeze(ops.gather(logp, 1, ops.unsqueeze(targets, 1)), 1)
  return [logprobs, ops.neg(ops.sumDim(ops.mul(ops.exp(logp), logp), [1]))]
}

export function plainRmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  const meanSquare = ops.meanDim(ops.square(x), [-1], { keepdim: true })
  return ops.mul(ops.mul(x, ops.rsqrt(ops.addScalar(meanSquare, epsilon))), weight)
}

export function plainSwiGlu(gate: Tensor, up: Tensor): Tensor {
  return ops.mul(ops.silu(gate), up)
}

export function plainRotary(x: Tensor, tables: { cosines: Tensor; sines: Tensor }): Tensor {
  const half = x.shape[2]! / 2
  const [a, b] = [ops.narrow(x, 2, 0, half), ops.narrow(x, 2, half, half)]
  const [c, s] = [ops.unsqueeze(tables.cosines, 1), ops.unsqueeze(tables.sines, 1)]
  return ops.cat([ops.sub(ops.mul(a, c), ops.mul(b, s)), ops.add(ops.mul(b, c), ops.mul(a, s))], 2)
}

/** As `decodeAttention`, a row at a time. */
export function plainDecodeAttention(
  q: Tensor,
  kCache: Tensor,
  vCache: Tensor,
  options: { lengths: readonly number[]; scale: number },
): Tensor {
  const [, heads, width] = q.shape as [number, number, number]
  const kvHeads = kCache.shape[1]!
  const rows = options.lengths.map((length, b) => {
    const cached = (cache: Tensor) => ops.narrow(ops.select(cache, 0, b), 1, 0, length)
    const query = ops.reshape(ops.select(q, 0, b), [kvHeads, heads / kvHeads, width])
    const p = ops.softmax(ops.mulScalar(ops.matmul(query, ops.transpose(cached(kCache), 1, 2)), options.scale), -1)
    return ops.reshape(ops.matmul(p, cached(vCache)), [heads, width])
  })
  return ops.stack(rows)
}

/** As `adamWStep`, a tensor at a time. */
export function plainAdamW(
  params: readonly Tensor[],
  grads: readonly Tensor[],
  moments: { first: readonly Tensor[]; second: readonly Tensor[] },
  o: AdamWOptions,
): void {
  const rate = o.learningRate / (1 - o.beta1 ** o.step)
  const root = Math.sqrt(1 - o.beta2 ** o.step)
  noGrad(() =>
    scope(() => {
      for (const [i, p] of params.entries()) {
        const g = ops.mulScalar(grads[i]!, o.gradientScale ?? 1)
        const m = ops.add_(ops.mulScalar_(moments.first[i]!, o.beta1), g, { alpha: 1 - o.beta1 })
        const v = ops.add_(ops.mulScalar_(moments.second[i]!, o.beta2), ops.square(g), { alpha: 1 - o.beta2 })
        const denominator = ops.addScalar(ops.divScalar(ops.sqrt(v), root), o.epsilon)
        ops.mulScalar_(p, 1 - o.learningRate * o.weightDecay)
        ops.sub_(p, ops.div(m, denominator), { alpha: rate })
      }
    }),
  )
}

/** As `fewRows`: the weight unpacked whole. */
export function plainFewRows(x: Tensor, weight: Tensor, o: { scales?: Tensor; bias?: Tensor } = {}): Tensor {
  const wide = ops.toCopy(weight, { dtype: x.dtype })
  const scaled = o.scales ? ops.mul(wide, ops.reshape(ops.toCopy(o.scales, { dtype: x.dtype }), [-1, 1])) : wide
  return ops.linear(x, scaled, o.bias && ops.toCopy(o.bias, { dtype: x.dtype }))
}
