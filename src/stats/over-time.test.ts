import { expect, test } from 'vitest'
import { controlChart, fallOverTime } from './over-time.ts'
import { deriveSeed, generator } from './random.ts'

/** 0s and 1s whose rate falls from 0.85 to `after` at the middle. */
function answers(run: number, n: number, after = 0.85): number[] {
  const random = generator(deriveSeed(run, 'answers'))
  return Array.from({ length: n }, (_, t) => Number(random.uniform() < (t < n / 2 ? 0.85 : after)))
}

test('a series without change is called a fall, or leaves its limits, at the level', () => {
  let falls = 0
  let alarms = 0
  const RUNS = 600
  for (let run = 0; run < RUNS; run++) {
    falls += Number(fallOverTime(answers(run, 80), { seed: run, permutations: 199 }).p <= 0.05)
    alarms += Number(controlChart(answers(run, 80), { seed: run, permutations: 199 }).alarms.length > 0)
  }
  for (const count of [falls, alarms]) expect(count / RUNS).toBeLessThan(0.08)
  for (const count of [falls, alarms]) expect(count / RUNS).toBeGreaterThan(0.02)
})

test('a fall at the middle is found, and where; a rise is not one', () => {
  const { p, at, before, after } = fallOverTime(answers(1, 300, 0.45), { seed: 1 })
  expect(p).toBeLessThan(0.001)
  expect(Math.abs(at - 150)).toBeLessThan(30)
  expect(before).toBeGreaterThan(0.75)
  expect(after).toBeLessThan(0.6)
  expect(fallOverTime(answers(1, 300, 0.45).toReversed(), { seed: 1 }).p).toBeGreaterThan(0.5)
})

test('the chart alarms while answers are bad, and not before; a series that never varies has none', () => {
  const bad = { from: 120, to: 150 }
  const values = answers(2, 200).map((x, t) => (t >= bad.from && t < bad.to ? Number(t % 5 === 0) : x))
  const chart = controlChart(values, { seed: 2 })
  expect(chart.p).toBeLessThan(0.01)
  expect(chart.alarms.length).toBeGreaterThan(5)
  for (const t of chart.alarms) {
    expect(chart.points[t]!).toBeLessThan(chart.low[t]!)
    expect(t).toBeGreaterThan(bad.from)
    expect(t).toBeLessThan(bad.to + 10)
  }
  expect(chart.low[0]!).toBeGreaterThan(chart.low[100]!)
  const flat = controlChart(new Array<number>(50).fill(1), { seed: 1 })
  expect(flat).toMatchObject({ alarms: [], p: 1, centre: 1 })
  expect(() => controlChart([1, 0], { seed: 1 })).toThrow(/at least 20 values, got 2/)
})
