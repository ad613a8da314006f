import { expect, test } from 'vitest'
import { precisionOfTrials, trialsForPower, trialsForPrecision } from './power.ts'

test('the figures every survey handbook gives', () => {
  expect(trialsForPrecision(0.05)).toBe(385)
  expect(trialsForPrecision(0.03)).toBe(1068)
  expect(trialsForPower(0.55)).toBe(783)
  expect(trialsForPower(0.45)).toBe(783)
})

test('a precision is what its trials give', () => {
  expect(precisionOfTrials(385)).toBeCloseTo(0.05, 3)
  expect(trialsForPrecision(precisionOfTrials(400, { level: 0.9, p: 0.3 }), { level: 0.9, p: 0.3 })).toBeCloseTo(
    400,
    -1,
  )
})
