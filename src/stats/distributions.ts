// Distribution functions and quantiles of the normal, t, chi-squared, beta and binomial. Continued fractions by the modified
// Lentz method; quantiles by bisection on the distribution function, which is slow (about 20 us) and right to the last digits.
import { invariant } from '#errors'

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
]
const MOST_TERMS = 10_000
const TINY = 1e-300

/** ln Gamma(x), x > 0; Lanczos with g = 7, about 15 digits. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x)
  const t = x + 6.5
  let sum = 0.9999999999998099
  for (let i = 0; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (x + i)
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

/** Digamma, the slope of ln Gamma, x > 0: recurrence up to 8, then the asymptotic series; about 14 digits. */
export function digamma(x: number): number {
  invariant(x > 0, `digamma needs an argument above 0, got ${x}`)
  let sum = 0
  let at = x
  for (; at < 8; at++) sum -= 1 / at
  const f = 1 / (at * at)
  const series =
    f * (1 / 12 - f * (1 / 120 - f * (1 / 252 - f * (1 / 240 - f * (1 / 132 - f * (691 / 32760 - f / 12))))))
  return sum + Math.log(at) - 0.5 / at - series
}

/** ln of n over k. */
export function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
}

/** Regularised incomplete beta I_x(a, b): the distribution function of Beta(a, b) at x. */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b
}

/** Regularised upper incomplete gamma Q(a, x). */
export function gammaUpper(a: number, x: number): number {
  if (x <= 0) return 1
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < MOST_TERMS && Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
      term *= x / (a + n)
      sum += term
    }
    return 1 - front * sum
  }
  let b = x + 1 - a
  let c = 1 / TINY
  let d = 1 / b
  let h = d
  for (let i = 1; i < MOST_TERMS; i++) {
    const an = -i * (i - a)
    b += 2
    d = 1 / away(an * d + b)
    c = away(b + an / c)
    h *= d * c
    if (Math.abs(d * c - 1) < 1e-16) break
  }
  return front * h
}

export function normalCdf(x: number): number {
  const tail = gammaUpper(0.5, (x * x) / 2) / 2
  return x < 0 ? tail : 1 - tail
}

export function normalQuantile(p: number): number {
  checkProbability(p)
  return p > 0.5 ? -normalQuantile(1 - p) : p === 0.5 ? 0 : bisect((x) => normalCdf(x), p, -40, 0)
}

export function tCdf(t: number, degrees: number): number {
  const tail = betaCdf(degrees / (degrees + t * t), degrees / 2, 0.5) / 2
  return t < 0 ? tail : 1 - tail
}

export function tQuantile(p: number, degrees: number): number {
  checkProbability(p)
  if (p === 0.5) return 0
  if (p > 0.5) return -tQuantile(1 - p, degrees)
  let low = -8
  while (tCdf(low, degrees) > p) low *= 8
  return bisect((t) => tCdf(t, degrees), p, low, 0)
}

export function chiSquaredCdf(x: number, degrees: number): number {
  return 1 - gammaUpper(degrees / 2, x / 2)
}

export function chiSquaredQuantile(p: number, degrees: number): number {
  checkProbability(p)
  let high = degrees + 10
  while (chiSquaredCdf(high, degrees) < p) high *= 2
  return bisect((x) => chiSquaredCdf(x, degrees), p, 0, high)
}

export function betaQuantile(p: number, a: number, b: number): number {
  checkProbability(p)
  return bisect((x) => betaCdf(x, a, b), p, 0, 1)
}

/** The x in [low, high] where a rising function reaches the target. */
export function bisect(rising: (x: number) => number, target: number, low: number, high: number): number {
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (rising(middle) < target) low = middle
    else high = middle
  }
  return (low + high) / 2
}

function betaFraction(x: number, a: number, b: number): number {
  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let h = d
  for (let m = 1; m < MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    h *= d * c
    if (Math.abs(d * c - 1) < 1e-16) break
  }
  return h
}

function away(x: number): number {
  return Math.abs(x) < TINY ? TINY : x
}

function checkProbability(p: number): void {
  invariant(p > 0 && p < 1, `a quantile needs a probability inside (0, 1), got ${p}`)
}
