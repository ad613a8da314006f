// Whether probabilities mean what they say: reliability bins and the expected calibration error (Guo et al., arXiv 1706.04599).
import { DataError } from '#errors'
import { average, type Interval, wilson } from './intervals.ts'

/** A predicted probability and what happened: 1, 0, or a share in between. */
export type Prediction = { probability: number; outcome: number }
/** `predicted` is the mean probability of the bin's predictions; `observed` their mean outcome with a Wilson interval. */
export type ReliabilityBin = { low: number; high: number; n: number; predicted: number; observed: Interval }

/** Bins of equal width over [0, 1]; empty bins are left out. */
export function reliability(predictions: readonly Prediction[], bins = 10): ReliabilityBin[] {
  if (predictions.length === 0) throw new DataError('calibration needs at least one prediction, got none')
  const groups = Array.from({ length: bins }, (): Prediction[] => [])
  for (const prediction of predictions) {
    if (!(prediction.probability >= 0 && prediction.probability <= 1))
      throw new DataError(`a probability must lie in [0, 1], got ${prediction.probability}`)
    groups[Math.min(bins - 1, Math.floor(prediction.probability * bins))]!.push(prediction)
  }
  return groups.flatMap((group, i) => {
    if (group.length === 0) return []
    const happened = group.reduce((sum, p) => sum + p.outcome, 0)
    const predicted = average(group.map((p) => p.probability))
    return [
      { low: i / bins, high: (i + 1) / bins, n: group.length, predicted, observed: wilson(happened, group.length) },
    ]
  })
}

/** Mean distance of predicted from observed over bins, weighted by their size. Biased upwards on few predictions. */
export function expectedCalibrationError(predictions: readonly Prediction[], bins = 10): number {
  const filled = reliability(predictions, bins)
  return filled.reduce((sum, bin) => sum + bin.n * Math.abs(bin.predicted - bin.observed.value), 0) / predictions.length
}
