// Gradient checkpointing (Chen et al., arXiv 1604.06174): forward keeps the input of each layer and nothing else; backward
// takes the layers from the last to the first, computes each once more and runs its gradient through. The numbers are those
// of the plain way: the same ops in the same order.
import { backward, noGrad, scope, type Tensor } from '#torch'
import type { Steps } from './decoder.ts'

export type Kept = {
  /** Last hidden states, a leaf that gathers its gradient. */
  hidden: Tensor
  /** To be called when `hidden` has its gradient: sums those of the parameters. */
  backThrough: () => void
}

/** `reading` runs forward without gradients, `recording` again with them. In the caller's scope. */
export function keepInputs(reading: Steps, recording: Steps): Kept {
  const inputs: Tensor[] = []
  const hidden = noGrad(() => {
    let x = scope(reading.begin)
    reading.layers.forEach((layer) => {
      inputs.push(x)
      x = scope(() => layer(x))
    })
    inputs.push(x)
    return scope(() => reading.end(x))
  })
  hidden.requiresGrad = true
  const backThrough = (): void => {
    let gradient = hidden.grad
    if (!gradient) return
    const steps = [...recording.layers, recording.end]
    const begun = recording.begin()
    for (let i = steps.length - 1; i >= 0; i--) {
      const input: Tensor = inputs[i]!
      const above: Tensor = gradient
      // Nothing before the first layer trains where the embedding is frozen.
      input.requiresGrad = i > 0 || begun.requiresGrad
      scope(() => {
        const output = scope(() => steps[i]!(input))
        if (output.requiresGrad) backward([output], [above])
      })
      above.free()
      gradient = input.grad
      input.free()
      if (!gradient) return
    }
    if (begun.requiresGrad) backward([begun], [gradient])
  }
  return { hidden, backThrough }
}
