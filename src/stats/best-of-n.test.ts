import { expect, test } from 'vitest'
import { bestOfN, bestOfNKl } from './best-of-n.ts'
import { generator } from './random.ts'

test('equals the mean over every subset', () => {
  const random = generator(6)
  const samples = Array.from({ length: 6 }, (_, i) => ({ proxy: i === 2 ? 0 : i, value: random.normal() })) // 0 and 2 tie
  for (let n = 1; n <= 6; n++) {
    let sum = 0
    let subsets = 0
    for (let mask = 0; mask < 64; mask++) {
      const subset = samples.filter((_, i) => mask & (1 << i))
      if (subset.length !== n) continue
      const best = Math.max(...subset.map((s) => s.proxy))
      const top = subset.filter((s) => s.proxy === best)
      sum += top.reduce((total, s) => total + s.value, 0) / top.length
      subsets++
    }
    expect(bestOfN(samples, n)).toBeCloseTo(sum / subsets, 12)
  }
  expect(() => bestOfN(samples, 7)).toThrow(/1 <= n <= 6/)
})

test('exact KL at the n that papers plot', () => {
  expect([2, 16, 256, 4096].map((n) => Number(bestOfNKl(n).toFixed(3)))).toEqual([0.193, 1.835, 4.549, 7.318])
})
