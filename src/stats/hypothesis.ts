// Tests: binomial (exact), McNemar (exact), paired sign-flip permutation, and Holm's correction over several of them.
import { DataError } from '#errors'
import { logChoose } from './distributions.ts'
import { average } from './intervals.ts'
import { generator } from './random.ts'

/** Two-sided exact p of k successes in n at rate p: the sum of all outcomes no likelier than the one seen. */
export function binomialTest(k: number, n: number, p = 0.5): number {
  if (!(Number.isInteger(k) && Number.isInteger(n) && k >= 0 && k <= n))
    throw new DataError(`a binomial test needs whole counts 0 <= k <= n, got ${k} of ${n}`)
  const logMass = (i: number) =>
    logChoose(n, i) + (i === 0 ? 0 : i * Math.log(p)) + (i === n ? 0 : (n - i) * Math.log1p(-p))
  const seen = logMass(k)
  let sum = 0
  // 1e-7: outcomes as likely as the one seen must not be lost to rounding.
  for (let i = 0; i <= n; i++) if (logMass(i) <= seen + 1e-7) sum += Math.exp(logMass(i))
  return Math.min(1, sum)
}

/** McNemar's exact two-sided p from the discordant counts of paired yes/no outcomes. */
export function mcnemar(onlyBefore: number, onlyAfter: number): number {
  return onlyBefore + onlyAfter === 0 ? 1 : binomialTest(onlyAfter, onlyBefore + onlyAfter)
}

/**
 * Two-sided p that paired differences are symmetric about 0, by flipping their signs at random (or all of a cluster's
 * together). Counts the data themselves among the permutations, so p is never 0 and the test is valid at any size.
 */
export function pairedPermutation(
  differences: readonly number[],
  { seed, permutations = 5000, clusters }: { seed: number; permutations?: number; clusters?: readonly string[] },
): number {
  if (differences.length === 0) throw new DataError('a paired test needs at least one pair, got none')
  const sums = new Map<string, number>()
  differences.forEach((difference, i) => {
    const key = clusters ? clusters[i]! : String(i)
    sums.set(key, (sums.get(key) ?? 0) + difference)
  })
  const units = [...sums.values()]
  const seen = Math.abs(average(differences) * differences.length)
  const random = generator(seed)
  let asFar = 1
  for (let r = 0; r < permutations; r++) {
    let sum = 0
    for (const unit of units) sum += random.uniform() < 0.5 ? unit : -unit
    if (Math.abs(sum) >= seen - 1e-12 * Math.abs(seen)) asFar++
  }
  return asFar / (permutations + 1)
}

/** Holm's step-down adjusted p values, in the order given; reject where the adjusted value is below the level. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i]! - pValues[j]!)
  const adjusted = new Array<number>(pValues.length)
  let highest = 0
  order.forEach((index, rank) => {
    highest = Math.max(highest, Math.min(1, (pValues.length - rank) * pValues[index]!))
    adjusted[index] = highest
  })
  return adjusted
}
