// Intervals, bootstrap, paired tests, power, ratings, seeded randomness. Knows nothing of prompts or models.
export { bestOfN, bestOfNKl } from './best-of-n.ts'
export { bootstrap, bootstrapEach, type BootstrapOptions, bootstrapMean, quantile } from './bootstrap.ts'
export { boundedMean, withinBounds } from './bounded-mean.ts'
export { bradleyTerry, type PairCount, type Ratings, winProbability } from './bradley-terry.ts'
export { expectedCalibrationError, type Prediction, reliability, type ReliabilityBin } from './calibration.ts'
export { correlationInterval, kendall, pearson, type Point, quadraticKappa, ranks, spearman } from './correlation.ts'
export {
  betaCdf,
  betaQuantile,
  chiSquaredCdf,
  chiSquaredQuantile,
  digamma,
  normalCdf,
  normalQuantile,
  tCdf,
  tQuantile,
} from './distributions.ts'
export { binomialTest, holm, mcnemar, pairedPermutation } from './hypothesis.ts'
export { average, clopperPearson, type Interval, meanInterval, wilson } from './intervals.ts'
export { minimise, type Minimum, type Objective } from './minimise.ts'
export { FEWEST_MEMBERS, type Member, type Outlier, outliers } from './outliers.ts'
export { type ControlChart, controlChart, type Fall, fallOverTime, FEWEST_OVER_TIME } from './over-time.ts'
export { type PairedCounts, pairedRateChange } from './paired-proportions.ts'
export {
  type Design,
  designEffect,
  precisionOfTrials,
  trialsForMean,
  trialsForMeanPrecision,
  trialsForPower,
  trialsForPrecision,
} from './power.ts'
export { deriveSeed, type Generator, generator } from './random.ts'
export { type PairFit, type RatedPair, ratePairs, RIDGE } from './rate-pairs.ts'
export { leastSquares, type LogisticRow, logisticRegression } from './regression.ts'
