// Figures over weighted criteria, in words: what the weights are, and whether others like them would say the same.
import type { Weighted } from '#evaluate'
import { figure } from './output.ts'

/** A line for each such figure among statistics, wherever it lies. */
export function weightedLines(statistics: unknown): string[] {
  if (typeof statistics !== 'object' || statistics === null) return []
  return isWeighted(statistics) ? [wordsOf(statistics)] : Object.values(statistics).flatMap(weightedLines)
}

function isWeighted(value: object): value is Weighted {
  return 'weights' in value && 'sensitivity' in value && 'holds' in value
}

function wordsOf({ weights, ofWeight, standing, range, sensitivity, holds }: Weighted): string {
  const shares = Object.entries(weights).map(([name, weight]) => `${name} ${figure(weight)}`)
  const part = ofWeight < 1 ? `, ${figure(100 * ofWeight)}% of the objective's weight` : ''
  const other = sensitivity.filter((each) => each.standing !== standing)
  const turns = other.map((each) => `${each.criterion} x ${each.times} ${each.standing}`)
  const under = holds ? 'it stays so' : `it does not stay so (${turns.join(', ') || 'all weights at once'})`
  return `weighted over ${shares.join(', ')}${part}: ${standing}; weights a fifth lighter or heavier give ${figure(range.low)} to ${figure(range.high)}, and ${under}`
}
