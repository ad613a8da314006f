// One AdamW update of the body, the heads or both, each with its own settings, norm and clip (arXiv 1711.05101).
// Parameters that no gradient has reached are left alone, moments included, as in PyTorch.
import { EngineError } from '#errors'
import type { StepStats, UpdateGroup } from '#engine/contract'
import { adamWStep, gradientNorm, keep, scope, type Tensor, zerosLike } from '#torch'
import { describeModel, type LanguageModel } from './model.ts'
import type { Parameter } from './parameters.ts'

/** Clears all gradients. A norm that is not finite skips the whole update: nothing changes, moments and counters included. */
export function updateModel(
  model: LanguageModel,
  o: { body?: UpdateGroup | undefined; heads?: UpdateGroup | undefined },
): StepStats {
  if (model.trains === 'nothing')
    throw new EngineError(`${describeModel(model)}: step, but it was loaded to train nothing`)
  if (o.heads && model.heads.length === 0)
    throw new EngineError(`${describeModel(model)}: step with settings for heads, but it has none`)
  return scope(() => {
    const body = o.body && gradientsOf(model.body)
    const heads = o.heads && gradientsOf(model.heads)
    const bodyNorm = body && gradientNorm(body.gradients)
    const headsNorm = heads && gradientNorm(heads.gradients)
    const isFinite = Number.isFinite(bodyNorm ?? 0) && Number.isFinite(headsNorm ?? 0)
    if (isFinite) {
      if (body && body.parameters.length > 0) update(body, o.body!, { norm: bodyNorm!, step: ++model.updates.body })
      if (heads && heads.parameters.length > 0)
        update(heads, o.heads!, { norm: headsNorm!, step: ++model.updates.heads })
      model.updates.step++
      model.arithmetics.forget([...model.body, ...model.heads].map(({ tensor }) => tensor))
    }
    clearGradients(model)
    const stats: StepStats = { skipped: !isFinite, step: model.updates.step }
    if (bodyNorm !== undefined) stats.bodyNorm = bodyNorm
    if (headsNorm !== undefined) stats.headsNorm = headsNorm
    return stats
  })
}

export function clearGradients(model: LanguageModel): void {
  for (const { tensor } of [...model.body, ...model.heads]) tensor.grad = null
}

type Reached = { parameters: Parameter[]; gradients: Tensor[] }

function gradientsOf(all: Parameter[]): Reached {
  const reached: Reached = { parameters: [], gradients: [] }
  for (const parameter of all) {
    const gradient = parameter.tensor.grad
    if (!gradient) continue
    reached.parameters.push(parameter)
    reached.gradients.push(gradient)
  }
  return reached
}

function update(reached: Reached, group: UpdateGroup, o: { norm: number; step: number }): void {
  // As torch.nn.utils.clip_grad_norm_, its 1e-6 included.
  const gradientScale = Math.min(1, group.clipNorm / (o.norm + 1e-6))
  for (const isDecayed of [true, false]) {
    const chosen = reached.parameters
      .map((p, i) => ({ p, gradient: reached.gradients[i]! }))
      .filter(({ p }) => p.isDecayed === isDecayed)
    if (chosen.length === 0) continue
    const moments = chosen.map(({ p }) => (p.moments ??= freshMoments(p.tensor)))
    adamWStep(
      chosen.map(({ p }) => p.tensor),
      chosen.map(({ gradient }) => gradient),
      { first: moments.map((m) => m.first), second: moments.map((m) => m.second) },
      {
        learningRate: group.learningRate,
        beta1: group.betas[0],
        beta2: group.betas[1],
        epsilon: group.epsilon,
        weightDecay: isDecayed ? group.weightDecay : 0,
        step: o.step,
        gradientScale,
      },
    )
  }
}

function freshMoments(tensor: Tensor): { first: Tensor; second: Tensor } {
  return { first: keep(zerosLike(tensor)), second: keep(zerosLike(tensor)) }
}
