// Best-of-n: what the best of n samples by one score is worth by another, without drawing again, and how far that policy has moved.
// Every subset of n out of the N samples counts alike, so the estimate is unbiased (Nakano et al., arXiv 2112.09332).
import { DataError } from '#errors'
import { logChoose } from './distributions.ts'
import { average } from './intervals.ts'

/**
 * Expected `value` of the sample with the highest `proxy` among n drawn without replacement from these N samples of one
 * prompt. Equal proxies share their places. 1 <= n <= N.
 */
export function bestOfN(samples: readonly { proxy: number; value: number }[], n: number): number {
  const total = samples.length
  if (!(Number.isInteger(n) && n >= 1 && n <= total))
    throw new DataError(`best-of-n needs 1 <= n <= ${total} samples of the prompt, got n = ${n}`)
  const ascending = [...samples].sort((x, y) => x.proxy - y.proxy)
  let expected = 0
  for (let start = 0; start < total; ) {
    let end = start + 1
    while (end < total && ascending[end]!.proxy === ascending[start]!.proxy) end++
    // The best lies among the `end` lowest minus among the `start` lowest.
    const chance = subsetShare(end, total, n) - subsetShare(start, total, n)
    expected += chance * average(ascending.slice(start, end).map((s) => s.value))
    start = end
  }
  return expected
}

/** KL of best-of-n from the policy it samples, nats: ln n - (n - 1) / n, exact when no two completions tie (arXiv 2401.01879 bounds the rest). */
export function bestOfNKl(n: number): number {
  return Math.log(n) - (n - 1) / n
}

/** Share of n-subsets of `total` that lie inside the first `count`. */
function subsetShare(count: number, total: number, n: number): number {
  return count < n ? 0 : Math.exp(logChoose(count, n) - logChoose(total, n))
}
