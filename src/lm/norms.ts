// The norms of a family: RMSNorm, RMSNorm whose weight is stored less one (Gemma), LayerNorm with bias. The last is of plain
// ops: no model that we train for speed has it.
import { add, addScalar, meanDim, mul, rmsNorm, rsqrt, square, sub, type Tensor } from '#torch'
import type { Design } from './families/index.ts'
import type { ParameterPlan } from './parameters.ts'

export type Norm = { weight: Tensor; bias: Tensor | undefined }

/** Over the last axis of x. */
export function normalise({ norm }: Design, x: Tensor, { weight, bias }: Norm, epsilon: number): Tensor {
  if (norm === 'rms') return rmsNorm(x, weight, epsilon)
  if (norm === 'rms-plus-one') return rmsNorm(x, addScalar(weight, 1), epsilon)
  const centred = sub(x, meanDim(x, [-1], { keepdim: true }))
  const variance = meanDim(square(centred), [-1], { keepdim: true })
  return add(mul(mul(centred, rsqrt(addScalar(variance, epsilon))), weight), bias!)
}

export function normPlans({ norm }: Design, module: string, width: number): ParameterPlan[] {
  const plan = (name: string, initial: number): ParameterPlan => ({
    name,
    shape: [width],
    parts: [{ key: name, rows: width }],
    isDecayed: false,
    initial,
  })
  const weight = plan(`${module}.weight`, norm === 'rms-plus-one' ? 0 : 1)
  return norm === 'layer' ? [weight, plan(`${module}.bias`, 0)] : [weight]
}
