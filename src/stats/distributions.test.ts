// Reference values: R 4 (qnorm, qt, qchisq, qbeta, pt), to the digits R prints.
import { expect, test } from 'vitest'
import {
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

test('quantiles agree with published tables', () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12)
  expect(normalQuantile(1e-10)).toBeCloseTo(-6.361340902404056, 9)
  expect(tQuantile(0.975, 10)).toBeCloseTo(2.228138851964939, 10)
  expect(tQuantile(0.975, 1)).toBeCloseTo(12.7062047361747, 9)
  expect(chiSquaredQuantile(0.95, 3)).toBeCloseTo(7.814727903251179, 10)
  expect(betaQuantile(0.5, 4, 2)).toBeCloseTo(0.6861898, 6)
})

test('a quantile inverts its distribution function, tails included', () => {
  for (const p of [1e-6, 0.003, 0.2, 0.5, 0.9, 0.9999]) {
    expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 12)
    expect(tCdf(tQuantile(p, 4), 4)).toBeCloseTo(p, 10)
    expect(chiSquaredCdf(chiSquaredQuantile(p, 7), 7)).toBeCloseTo(p, 12)
    expect(betaCdf(betaQuantile(p, 2.5, 1000), 2.5, 1000)).toBeCloseTo(p, 10)
  }
})

test('digamma agrees with published values (Abramowitz and Stegun, table 6.1) and its recurrence', () => {
  expect(digamma(1)).toBeCloseTo(-0.5772156649015329, 13)
  expect(digamma(0.5)).toBeCloseTo(-1.9635100260214235, 12)
  expect(digamma(10)).toBeCloseTo(2.251752589066721, 13)
  for (const x of [1e-6, 0.3, 3.7, 42, 1e6]) expect(digamma(x + 1) - digamma(x)).toBeCloseTo(1 / x, x < 1e-3 ? 5 : 10)
})
