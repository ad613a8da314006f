import { expect, test } from 'vitest'
import { generator } from '#stats'
import { compareCriteria } from './criteria.ts'
import { compareViolations } from './violations.ts'

test('a fall is found among gains, corrected for looking at all; the unchanged is not accused', () => {
  const random = generator(1)
  const scores = (shift: number) => {
    const before = Array.from({ length: 300 }, () => random.normal())
    return { before, after: before.map((b) => b + shift + 0.5 * random.normal()) }
  }
  const [style, truth, form] = compareCriteria(
    [
      { name: 'style', ...scores(0.3), scale: 2 },
      { name: 'truth', ...scores(-0.15) },
      { name: 'form', ...scores(0), constraint: true },
    ],
    { seed: 1 },
  )
  expect([style!.fell, truth!.fell, form!.fell]).toEqual([false, true, false])
  expect(style!.change.low).toBeGreaterThan(0)
  expect(truth!.change.high).toBeLessThan(0)
  expect(style!.relative).toBeCloseTo(style!.change.value / 2, 12)
  expect(truth!.after - truth!.before).toBeCloseTo(truth!.change.value, 9)
  expect(form!.constraint).toBe(true)
  expect(() => compareCriteria([{ name: 'x', before: [1], after: [] }], { seed: 1 })).toThrow(
    /criterion x needs the same prompts/,
  )
})

test('nothing changed at all: no fall, and p is far from the level', () => {
  const same = Array.from({ length: 50 }, (_, i) => i % 3)
  const [row] = compareCriteria([{ name: 'same', before: same, after: same }], { seed: 1 })
  expect([row!.change.value, row!.fell]).toEqual([0, false])
  expect(row!.p).toBeGreaterThan(0.4)
  expect(row!.change.high).toBeCloseTo(1 - 0.025 ** (1 / 50), 12)
})

test('violations: exact rates, and an increase whose bound knows n', () => {
  const flags = (n: number, on: number) => Array.from({ length: n }, (_, i) => i < on)
  const none = compareViolations(flags(2000, 0), flags(2000, 0))
  expect(none.after.high).toBeCloseTo(1 - 0.025 ** (1 / 2000), 9)
  expect(none.increaseHigh).toBeCloseTo(0.00135, 5)
  const rose = compareViolations(flags(500, 5), flags(500, 20))
  expect(rose.increase.value).toBeCloseTo(0.03, 12)
  expect(rose.increase.low).toBeGreaterThan(0)
  expect(rose.increaseHigh).toBeLessThan(rose.increase.high)
  expect(rose.p).toBeLessThan(0.001)
})
