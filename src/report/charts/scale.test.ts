import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { extent, scale } from './scale.ts'
import { apart } from './svg.ts'

test('ticks are round, inside the domain, and in order', () => {
  expect(scale([0, 3], [0, 100]).ticks).toEqual([0, 1, 2, 3])
  expect(scale([0.28, 0.36], [0, 100]).ticks).toEqual([0.28, 0.3, 0.32, 0.34, 0.36])
  expect(scale([0.3, 8], [0, 100], { kind: 'log' }).ticks).toEqual([0.5, 1, 2, 5])
  expect(scale([0, 9], [0, 100], { kind: 'sqrt' }).at(2.25)).toBeCloseTo(50)
})

test('every domain of finite numbers gives finite places and few ticks', () => {
  const value = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 })
  fc.assert(
    fc.property(value, value, fc.constantFrom('linear', 'sqrt', 'log'), (a, b, kind) => {
      const [low, high] = extent([a, b], 0.06, kind)
      const s = scale([low, high], [0, 100], { kind })
      expect(s.ticks.length).toBeLessThan(700)
      for (const v of [low, high, ...s.ticks]) expect(Number.isFinite(s.at(v))).toBe(true)
    }),
    { seed: 1 },
  )
})

test('an extent of nothing finite is still a domain', () => {
  expect(extent([null, undefined, Number.NaN])).toEqual([0, 1])
  expect(scale([0.5, 0.5], [0, 100]).at(0.5)).toBeCloseTo(50)
})

test('labels are moved apart within their panel and keep their order', () => {
  expect(apart([50, 52, 10], 14, [0, 100])).toEqual([50, 64, 10])
  expect(apart([98, 99], 14, [0, 100])).toEqual([86, 100])
})
