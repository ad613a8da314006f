// The activation functions of MLPs by the names that configs give them.
import { gelu, relu, silu, type Tensor } from '#torch'
import type { Activation } from './config-fields.ts'

/** `undefined` is silu, as in Llama. */
export function activate(name: Activation | undefined, x: Tensor): Tensor {
  switch (name) {
    case undefined:
    case 'silu':
    case 'swish':
      return silu(x)
    case 'relu':
      return relu(x)
    case 'gelu':
      return gelu(x)
    // Hendrycks & Gimpel's tanh form (arXiv 1606.08415), under the three names it has there.
    case 'gelu_new':
    case 'gelu_fast':
    case 'gelu_pytorch_tanh':
      return gelu(x, { approximate: 'tanh' })
    default:
      return name satisfies never
  }
}
