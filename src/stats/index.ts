// Intervals, bootstrap, paired tests, power, ratings, seeded randomness.
export { bootstrap, type BootstrapOptions, bootstrapMean, quantile } from './bootstrap.ts'
export {
  betaCdf,
  betaQuantile,
  chiSquaredCdf,
  chiSquaredQuantile,
  normalCdf,
  normalQuantile,
  tCdf,
  tQuantile,
} from './distributions.ts'
export { binomialTest, holm, mcnemar, pairedPermutation } from './hypothesis.ts'
export { average, clopperPearson, type Interval, meanInterval, wilson } from './intervals.ts'
export { deriveSeed, type Generator, generator } from './random.ts'
