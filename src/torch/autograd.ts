// Gradients: where they are recorded, and running them backward with given output gradients.
import { addon } from './addon.ts'
import { handles, type Tensor, wrapAll } from './tensor.ts'

/** Runs fn without recording gradients. */
export function noGrad<T>(fn: () => T): T {
  const before = addon().setGradMode(false)
  try {
    return fn()
  } finally {
    addon().setGradMode(before)
  }
}

/** Sums into `grad` of the leaves d(sum of outputs * gradients). A gradient may be left out (null) for a scalar output. */
export function backward(outputs: readonly Tensor[], gradients?: readonly (Tensor | null)[]): void {
  addon().backward(
    handles(outputs),
    outputs.map((_, i) => gradients?.[i]?.handle),
  )
}

/** The gradients themselves, without touching `grad`; the graph is freed. */
export function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  outputGradients?: readonly (Tensor | null)[],
): Tensor[] {
  const given = outputs.map((_, i) => outputGradients?.[i]?.handle)
  return wrapAll(addon().gradients(handles(outputs), given, handles(inputs)))
}
