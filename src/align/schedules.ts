// Learning rates by step, and AdamW's settings for one step.
import type { UpdateGroup } from '#engine/contract'

/** Share of the learning rate at 0-based `step` of `of`: rises over the warm-up, then falls to `floor` at the last step. */
export function rateShare(
  step: number,
  of: number,
  { warmupSteps, schedule, floor }: { warmupSteps: number; schedule: 'linear' | 'cosine'; floor: number },
): number {
  if (step < warmupSteps) return (step + 1) / warmupSteps
  const done = of - 1 > warmupSteps ? (step - warmupSteps) / (of - 1 - warmupSteps) : 1
  const left = schedule === 'linear' ? 1 - done : (1 + Math.cos(Math.PI * done)) / 2
  return floor + (1 - floor) * left
}

type Optimizer = { clipNorm: number; beta1: number; beta2: number; epsilon: number; weightDecay: number }

export function updateGroup(c: Optimizer, learningRate: number): UpdateGroup {
  const { clipNorm, beta1, beta2, epsilon, weightDecay } = c
  return { learningRate, clipNorm, betas: [beta1, beta2], epsilon, weightDecay }
}
