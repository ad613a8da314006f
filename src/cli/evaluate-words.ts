// What hone evaluate says of an evaluation: a line a figure, with its interval.
import type { ProbeResults, RatingAgreement, Weighted } from '#evaluate'
import type { Evaluation } from '#lineage'
import type { Interval } from '#stats'
import { figure, type Output } from './output.ts'
import { probeLines } from './reward-probes.ts'

/** What the ticket of a reward model may have besides figures. */
type OfReward = {
  probes?: ProbeResults['probes']
  probesLeftOut?: ProbeResults['leftOut']
  ratings?: RatingAgreement
}

/** Every figure in a line, and in words what is more than one. */
export function tell({ suite, metric, model, against, simulated, statistics }: Evaluation, out: Output): void {
  out.say(
    `${metric} of ${model.path}${against ? ` over ${against.path}` : ''} on ${suite.name}, ${suite.rows} rows${simulated ? ' (simulated annotators)' : ''}`,
  )
  const { probes, probesLeftOut: leftOut = [], ...figures } = statistics as OfReward
  for (const line of linesOf(figures)) out.say(`  ${line}`)
  if (figures.ratings?.kappa)
    out.say("  (kappa: scores are put on the raters' scale by rank, as many to each step as they gave it)")
  for (const line of probes ? probeLines({ probes, leftOut }) : []) out.say(`  ${line}`)
  const { 'win-rate': weighted } = (statistics.weighted ?? {}) as { 'win-rate'?: Weighted }
  if (weighted) out.say(`  ${wordsOf(weighted)}`)
}

/** What the weights are, and whether others like them would say the same. */
function wordsOf({ weights, ofWeight, standing, range, sensitivity, holds }: Weighted): string {
  const shares = Object.entries(weights).map(([name, weight]) => `${name} ${figure(weight)}`)
  const part = ofWeight < 1 ? `, ${figure(100 * ofWeight)}% of the objective's weight` : ''
  const other = sensitivity.filter((each) => each.standing !== standing)
  const turns = other.map((each) => `${each.criterion} x ${each.times} ${each.standing}`)
  const under = holds ? 'it stays so' : `it does not stay so (${turns.join(', ') || 'all weights at once'})`
  return `weighted over ${shares.join(', ')}${part}: ${standing}; weights a fifth lighter or heavier give ${figure(range.low)} to ${figure(range.high)}, and ${under}`
}

/** A line a figure; lists by the names of their rows; what has no figure for a line (reliability bins) is left to --json. */
function linesOf(statistics: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(statistics).flatMap(([key, value]) => {
    const name = `${prefix}${key}`
    if (typeof value === 'number') return [`${name.padEnd(28)} ${figure(value)}`]
    if (Array.isArray(value))
      return value.flatMap((row: { name?: string }) =>
        row.name === undefined ? [] : linesOf({ [row.name]: row }, `${name}: `),
      )
    if (typeof value !== 'object' || value === null) return []
    const { value: point, low, high, n, ceiling } = value as Partial<Interval> & { ceiling?: Interval }
    if (point === undefined) return linesOf(value as Record<string, unknown>, `${name}.`)
    const ends = low === undefined || high === undefined ? '' : ` [${figure(low)}, ${figure(high)}]`
    const of = ceiling && `  ceiling ${figure(ceiling.value)} [${figure(ceiling.low)}, ${figure(ceiling.high)}]`
    return [`${name.padEnd(28)} ${figure(point)}${ends}${n === undefined ? '' : `  n = ${n}`}${of ?? ''}`]
  })
}
