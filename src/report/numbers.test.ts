import { expect, test } from 'vitest'
import {
  duration,
  fixed,
  intervalText,
  number,
  percent,
  plain,
  short,
  signed,
  tickTexts,
  upByAtMost,
} from './numbers.ts'

test('numbers have a true minus sign, and a dash where there is none', () => {
  expect([0.3135, -0.0412, 12.34, 1500, 650_000, 2e-5].map(number)).toEqual([
    '0.31',
    '\u22120.041',
    '12.3',
    '1500',
    '650\u202f000',
    '2.0e\u22125',
  ])
  for (const absent of [Number.NaN, Number.POSITIVE_INFINITY, null, undefined])
    expect([number, percent, plain, fixed(2), signed(percent)].map((f) => f(absent))).toEqual(Array(5).fill('\u2013'))
})

test('a change always has its sign, an interval its bounds and n', () => {
  expect(intervalText({ value: 0.408, low: 0.309, high: 0.503, n: 500 }, signed(fixed(2)))).toBe(
    '+0.41 [+0.31, +0.50], n\u00a0=\u00a0500',
  )
  expect(signed(percent)(-0.018)).toBe('\u22121.8%')
  expect(signed(fixed(2))(0)).toBe('0.00')
})

test('a bound below zero is a fall of at least so much', () => {
  expect([0.006, 0, -0.093].map(upByAtMost)).toEqual([
    'up by at most 0.6\u00a0points',
    'up by at most 0.0\u00a0points',
    'down by at least 9.3\u00a0points',
  ])
})

test('ticks drop the decimals that none of them needs, and keep those that tell them apart', () => {
  expect(tickTexts([0, 1, 2], fixed(2))).toEqual(['0', '1', '2'])
  expect(tickTexts([0, 0.5, 1], fixed(2))).toEqual(['0.0', '0.5', '1.0'])
  expect(tickTexts([0.5, 0.6], percent)).toEqual(['50%', '60%'])
  expect(tickTexts([0.001, 0.002], fixed(2))).toEqual(['0.001', '0.002'])
})

test('durations and hashes are cut to what is read', () => {
  expect([2.41, 71.2, 236].map(duration)).toEqual(['2.4 s', '71 s', '3 min 56 s'])
  expect([short('a'.repeat(64)), short('ppo/11')]).toEqual(['aaaaaaaaaa', 'ppo/11'])
})
