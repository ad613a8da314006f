// Criteria before and after, by prompt: paired change with its interval, and whether any fell, corrected for looking at all of them.
// A gain in style must not hide a loss in truth, so the total is not computed here but in weighted.ts, beside these.
import { DataError } from '#errors'
import { average, boundedMean, bootstrapMean, deriveSeed, holm, type Interval, pairedPermutation } from '#stats'

export type CriterionScores = {
  name: string
  /** One score a prompt, the same prompts in the same order. */
  before: readonly number[]
  after: readonly number[]
  /** Width of the criterion's scale; falls are judged as shares of it, and no change is larger. Default 1. */
  scale?: number
  constraint?: boolean
}
export type CriterionChange = {
  name: string
  before: number
  after: number
  change: Interval
  /** Of the hypothesis that it did not fall, one-sided, after Holm over all criteria. */
  p: number
  /** Fell: p below 1 - level. */
  fell: boolean
  /** Change as a share of the scale. */
  relative: number
  constraint?: boolean
}

/** Changes in the order given; `clusters` names one group a prompt. */
export function compareCriteria(
  criteria: readonly CriterionScores[],
  { seed, level = 0.95, clusters }: { seed: number; level?: number; clusters?: readonly string[] },
): CriterionChange[] {
  const changes = criteria.map(({ name, before, after, scale = 1, constraint }) => {
    if (before.length !== after.length || before.length === 0)
      throw new DataError(
        `criterion ${name} needs the same prompts before and after, got ${before.length} and ${after.length}`,
      )
    const differences = after.map((score, i) => score - before[i]!)
    const grouped = clusters && { clusters }
    const options = { seed: deriveSeed(seed, 'criterion', name), level, ...grouped }
    const found = bootstrapMean(differences, options)
    // Prompts that all changed alike leave a bootstrap without doubt; the scale bounds what was not seen.
    const most = Math.max(scale, Math.abs(found.value))
    const change = found.low < found.high ? found : boundedMean(differences, { ...options, bounds: [-most, most] })
    const twoSided = pairedPermutation(differences, { seed: deriveSeed(seed, 'criterion-test', name), ...grouped })
    const row = { name, before: average(before), after: average(after), change, relative: change.value / scale }
    // The sign-flip distribution is symmetric, so half of the two-sided p lies on each side.
    return { ...row, p: change.value < 0 ? twoSided / 2 : 1 - twoSided / 2, ...(constraint && { constraint }) }
  })
  const adjusted = holm(changes.map(({ p }) => p))
  return changes.map((row, i) => ({ ...row, p: adjusted[i]!, fell: adjusted[i]! < 1 - level }))
}
