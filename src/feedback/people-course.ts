// What changes over a person's judgements: agreement with the others (drift) and accuracy on gold items.
import { type ControlChart, controlChart, deriveSeed, fallOverTime, FEWEST_OVER_TIME, holm } from '#stats'
import type { Measured } from './people.ts'
import type { HeldVote } from './peers.ts'

/** Enough for the smallest level that many people and tests leave. */
const PERMUTATIONS = 9_999

export function courseFindings(
  votes: ReadonlyMap<string, readonly HeldVote[]>,
  outcomes: ReadonlyMap<string, readonly number[]>,
  seed: number,
): Record<'drift' | 'gold', Measured[]> {
  const drift = [...votes].flatMap(([annotator, own]) => {
    const residuals = agreementOverTime(own)
    if (residuals.length < 2 * FEWEST_OVER_TIME) return []
    const { p, at, before, after } = fallOverTime(residuals, {
      seed: deriveSeed(seed, 'drift', annotator),
      permutations: PERMUTATIONS,
    })
    const says = `from judgement ${at + 1} of ${residuals.length} on, agreement falls by ${(before - after).toFixed(2)}`
    return [{ annotator, value: after - before, p, says }]
  })
  const gold = [...outcomes].flatMap(([annotator, own]) => {
    if (own.length < FEWEST_OVER_TIME) return []
    const { p, at, before, after } = fallOverTime(own, {
      seed: deriveSeed(seed, 'gold', annotator),
      permutations: PERMUTATIONS,
    })
    const says = `from gold item ${at + 1} of ${own.length} on, accuracy falls from ${before.toFixed(2)} to ${after.toFixed(2)}`
    return [{ annotator, value: after - before, p, says }]
  })
  return { drift: corrected(drift), gold: corrected(gold) }
}

/** The course of a person's agreement; undefined where it is too short to have one. */
export function agreementCourse(
  own: readonly HeldVote[],
  { seed, rate }: { seed: number; rate: number },
): ControlChart | undefined {
  const residuals = agreementOverTime(own)
  return residuals.length < 2 * FEWEST_OVER_TIME ? undefined : controlChart(residuals, { seed, rate })
}

/** Agreement beyond what the person's own mean agreement and the others' certainty about the item would have it. */
function agreementOverTime(own: readonly HeldVote[]): number[] {
  const certain = own.map(({ leftBetter }) => 2 * leftBetter - 1)
  const agreed = own.map(({ saidLeft }, i) => (2 * saidLeft - 1) * certain[i]!)
  const mean =
    agreed.reduce((x, y) => x + y, 0) /
    Math.max(
      1e-9,
      certain.reduce((sum, c) => sum + c * c, 0),
    )
  return agreed.map((x, i) => x - mean * certain[i]! ** 2)
}

function corrected(measured: readonly (Omit<Measured, 'adjusted'> & { p: number })[]): Measured[] {
  const adjusted = holm(measured.map(({ p }) => p))
  return measured.map(({ annotator, value, says }, i) => ({ annotator, value, says, adjusted: adjusted[i]! }))
}
