import { expect, test } from 'vitest'
import { trialsForPower, trialsForPrecision } from './power.ts'

test('the figures every survey handbook gives', () => {
  expect(trialsForPrecision(0.05)).toBe(385)
  expect(trialsForPrecision(0.03)).toBe(1068)
  expect(trialsForPower(0.55)).toBe(783)
  expect(trialsForPower(0.45)).toBe(783)
})
