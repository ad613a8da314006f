import { expect, test } from 'vitest'
import { wilson } from '#stats'
import { atLevels, markIntervals } from './levels.ts'

const measure = (level: number) => ({
  exact: wilson(30, 40, level),
  rows: 40,
  strata: [{ name: 'late', ...wilson(3, 10, level) }],
  inner: { finished: wilson(40, 40, level) },
})

test('every interval bears its level and its ends at the others; all else is as at the first', () => {
  const { exact, strata, rows, inner } = atLevels([0.95, 0.99, 0.95], measure)
  const [low, high] = [wilson(30, 40, 0.99).low, wilson(30, 40, 0.99).high]
  expect(exact).toEqual({ ...wilson(30, 40, 0.95), level: 0.95, further: [{ level: 0.99, low, high }] })
  expect(strata).toMatchObject([{ name: 'late', level: 0.95, further: [{ level: 0.99 }] }])
  expect(inner.finished).toMatchObject({ level: 0.95, further: [{ level: 0.99, high: 1 }] })
  expect(rows).toBe(40)
  expect(atLevels([0.9], measure).exact).toEqual({ ...wilson(30, 40, 0.9), level: 0.9 })
})

test('what an interval says of itself wins over what is said of all', () => {
  const tree = { old: { value: 1, low: 0, high: null }, own: { value: 1, low: 0, high: 2, level: 0.9 }, rows: 3 }
  expect(markIntervals(tree, { level: 0.95 })).toEqual({
    old: { value: 1, low: 0, high: null, level: 0.95 },
    own: { value: 1, low: 0, high: 2, level: 0.9 },
    rows: 3,
  })
})
