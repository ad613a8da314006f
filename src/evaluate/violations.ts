// Violations of a hard constraint before and after on the same prompts: exact intervals of both rates, and an upper bound of the
// increase that is not 0 even when nothing was seen.
import { DataError } from '#errors'
import { clopperPearson, type Interval, mcnemar, pairedRateChange } from '#stats'

export type Violations = {
  n: number
  before: Interval
  after: Interval
  /** Two-sided interval of after minus before (Tango). */
  increase: Interval
  /** One-sided upper bound of the increase at `level`. */
  increaseHigh: number
  /** McNemar, exact, two-sided. */
  p: number
}

/** One flag a prompt, true = violated, the same prompts in the same order. */
export function compareViolations(before: readonly boolean[], after: readonly boolean[], level = 0.95): Violations {
  if (before.length !== after.length || before.length === 0)
    throw new DataError(`violations need the same prompts before and after, got ${before.length} and ${after.length}`)
  const n = before.length
  const count = (flags: readonly boolean[]) => flags.filter(Boolean).length
  const onlyBefore = before.filter((flag, i) => flag && !after[i]).length
  const onlyAfter = after.filter((flag, i) => flag && !before[i]).length
  return {
    n,
    before: clopperPearson(count(before), n, level),
    after: clopperPearson(count(after), n, level),
    increase: pairedRateChange({ onlyBefore, onlyAfter, n }, level),
    increaseHigh: pairedRateChange({ onlyBefore, onlyAfter, n }, 2 * level - 1).high,
    p: mcnemar(onlyBefore, onlyAfter),
  }
}
