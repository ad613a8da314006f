// Do the kernels give the bits they gave where the project's figures were taken? The order of every float32 sum is fixed (docs/decisions/016),
// so one known answer speaks for all: the kernels that sum, forward and backward, at odd sizes, over numbers that are made without libtorch. Not in it:
// those that only move numbers, and a whole layer's decoding, which is made of the same rows.
import { createHash } from 'node:crypto'
import { fromArray, toBytes } from './arrays.ts'
import { gradients } from './autograd.ts'
import * as kernels from './kernels.ts'
import { scope, type Tensor } from './tensor.ts'

/** Of x86-64 with AVX2 or AVX-512, compiled by gcc 11 or 12 as set-up does. */
export const KNOWN_BITS = '6d22149164c78219'

/** Tokens, query and key-value heads, head width, hidden width, vocabulary, MLP width. */
type Sizes = [T: number, H: number, K: number, D: number, E: number, V: number, M: number]
const SIZES: Sizes[] = [
  [61, 4, 2, 24, 136, 251, 72],
  [34, 3, 3, 10, 131, 64, 37],
]

/** The first 16 hexadecimal digits of a SHA-256 over every answer. Some milliseconds. */
export function bitsOfKernels(): string {
  const hash = createHash('sha256')
  const put = (...tensors: readonly Tensor[]) => {
    for (const tensor of tensors) hash.update(toBytes(tensor))
  }
  let state = 1
  /** Uniform in [-1, 1), 24 bits of a linear congruential generator. */
  const make = (...shape: number[]): Tensor => {
    const data = new Float32Array(shape.reduce((size, n) => size * n, 1))
    for (let i = 0; i < data.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      data[i] = (state >>> 8) / 2 ** 23 - 1
    }
    return fromArray(data, shape)
  }
  const int = (...numbers: number[]) => fromArray(Int32Array.from(numbers))
  /** An op's answers, and its gradients for `inputs`. */
  const both = (inputs: readonly Tensor[], op: () => readonly Tensor[]) => {
    for (const input of inputs) input.requiresGrad = true
    const outputs = op()
    put(
      ...outputs,
      ...gradients(
        outputs,
        inputs,
        outputs.map(({ shape }) => make(...shape)),
      ),
    )
  }
  const ofSizes = ([T, H, K, D, E, V, M]: Sizes): void => {
    const [x, weight] = [make(T, E), make(V, E)]
    both([x, weight], () => [kernels.matrixProduct(x, weight)])
    const [q, k, v] = [make(T, H, D), make(T, K, D), make(T, K, D)]
    both([q, k, v], () => [
      kernels.packedAttention(q, k, v, { offsets: int(0, 13, 28, T), stems: int(-1, -1, 0), scale: 0.2 }),
    ])
    const [hidden, head] = [make(T, E), make(V, E)]
    both([hidden, head], () => {
      const targets = int(...Array.from({ length: T }, (_, t) => (t * 37) % V))
      const { logprobs_T, entropies_T } = kernels.tokenLogprobs(hidden, head, targets, { temperature: 0.7 })
      return [logprobs_T, entropies_T]
    })
    const [row, norm] = [make(T, E), make(E)]
    both([row, norm], () => [kernels.rmsNorm(row, norm, 1e-5)])
    const gateUp = make(T, 2 * M)
    both([gateUp], () => [kernels.swiGlu(gateUp)])
    const [turned, tables] = [make(T, H, D), { cosines: make(T, D / 2), sines: make(T, D / 2) }]
    both([turned], () => [kernels.rotary(turned, tables)])
    put(
      kernels.decodeAttention(make(3, H, D), make(3, K, 30, D), make(3, K, 30, D), {
        lengths: int(1, 17, 30),
        scale: 0.2,
      }),
    )
    put(kernels.fewRows(make(5, E), make(V, E)), kernels.fewRows(make(13, E), kernels.panelCopy(make(V, E))))
  }
  scope(() => {
    for (const sizes of SIZES) ofSizes(sizes)
    const [param, grad, first] = [make(1001), make(1001), make(1001)]
    const second = fromArray(Float32Array.from({ length: 1001 }, (_, i) => (i + 1) / 4096))
    const rates = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: 3 }
    kernels.adamWStep([param], [grad], { first: [first], second: [second] }, rates)
    put(param, first, second)
    hash.update(String(kernels.gradientNorm([grad, param])))
    const rows = { temperatures: [0, 0.7, 1], seeds: [1, 2, 3], positions: [0, 5, 9], topPs: [1, 0.9, 1] }
    const { tokens, logprobs } = kernels.sampleRows(make(3, 251), rows)
    hash.update(tokens).update(logprobs)
  })
  return hash.digest('hex').slice(0, 16)
}
