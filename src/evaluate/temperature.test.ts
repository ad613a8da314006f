// One temperature: what was planted is found, by the half of the prompts that is not measured.
import { expect, test } from 'vitest'
import { generator } from '#stats'
import { crossFitted, fitTemperature, type Judged } from './temperature.ts'

/** Labels drawn at sigmoid(logit / temperature). */
function planted(temperature: number, n = 4000): Judged[] {
  const random = generator(3)
  return Array.from({ length: n }, (_, i) => {
    const logit = 3 * random.normal()
    const probability = random.uniform() < 1 / (1 + Math.exp(-logit / temperature)) ? 1 : 0
    return { logit, probability, group: `prompt ${Math.floor(i / 2)}` }
  })
}

test('a planted temperature is found', () => {
  for (const temperature of [0.5, 1, 2.5]) {
    const found = fitTemperature(planted(temperature))
    expect(found / temperature).toBeGreaterThan(0.9)
    expect(found / temperature).toBeLessThan(1.1)
  }
})

test('soft labels that equal the probabilities ask for 1; scores that say nothing leave it there', () => {
  const exact = planted(1).map((pair) => ({ ...pair, probability: 1 / (1 + Math.exp(-pair.logit)) }))
  expect(fitTemperature(exact)).toBeCloseTo(1, 6)
  expect(fitTemperature(exact.map((pair) => ({ ...pair, logit: 0 })))).toBe(1)
})

test('a prompt is measured by a temperature that its own labels had no part in', () => {
  const pairs = planted(2.5)
  const before = crossFitted(pairs, { seed: 1 })
  const turned = pairs.map((pair) =>
    pair.group === 'prompt 7' ? { ...pair, probability: 1 - pair.probability } : pair,
  )
  const after = crossFitted(turned, { seed: 1 })
  const moved = new Set(pairs.flatMap(({ group }, i) => (after[i] === before[i] ? [] : [group])))
  expect(moved.has('prompt 7')).toBe(false)
  expect(moved.size).toBeGreaterThan(500)
  for (const [i, { logit }] of pairs.entries()) expect(logit / before[i]!).toBeCloseTo(2.5, 0)
})
