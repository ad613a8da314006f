// What hone evaluate says of an evaluation: a line a figure, with its interval.
import type { ProbeResults, RatingAgreement } from '#evaluate'
import type { Evaluation } from '#lineage'
import type { Interval } from '#stats'
import { figure, type Output } from './output.ts'
import { probeLines } from './reward-probes.ts'
import { ratingLines } from './rating-lines.ts'
import { weightedLines } from './weighted-lines.ts'

/** What the ticket of a reward model may have besides figures. */
type OfReward = {
  probes?: ProbeResults['probes']
  probesLeftOut?: ProbeResults['leftOut']
  ratings?: RatingAgreement
}

/** Every figure in a line, and in words what is more than one. */
export function tell(evaluation: Evaluation, out: Output): void {
  const { suite, metric, model, against, rated, settings, simulated, statistics } = evaluation
  const whose = rated
    ? rated.map(({ name }) => name).join(', ')
    : `${model.path}${against ? ` over ${against.path}` : ''}`
  out.say(`${metric} of ${whose} on ${suite.name}, ${suite.rows} rows${simulated ? ' (simulated annotators)' : ''}`)
  if (rated) {
    for (const line of ratingLines(statistics, String(settings.anchor))) out.say(`  ${line}`)
    return
  }
  const { probes, probesLeftOut: leftOut = [], ...figures } = statistics as OfReward
  for (const line of linesOf(figures)) out.say(`  ${line}`)
  if (figures.ratings?.kappa)
    out.say("  (kappa: scores are put on the raters' scale by rank, as many to each step as they gave it)")
  for (const line of probes ? probeLines({ probes, leftOut }) : []) out.say(`  ${line}`)
  for (const line of weightedLines(statistics)) out.say(`  ${line}`)
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
