import { expect, test } from 'vitest'
import { ConfigError, DataError } from '#errors'
import { distinctN, selfBleu } from './diversity.ts'
import { graderOf, gradeRows } from './graders.ts'

test('each metric grades what it says', () => {
  const exact = graderOf({ metric: 'exact' })
  expect([exact(' Friday.\n', 'Friday.'), exact('friday.', 'Friday.')]).toEqual([1, 0])
  const contains = graderOf({ metric: 'contains' })
  expect([contains('It is  on Friday.', 'on Friday'), contains('Monday', 'Friday')]).toEqual([1, 0])
  const regex = graderOf({ metric: 'regex', pattern: '\\$\\d+', flags: 'u' })
  expect([regex('$30', undefined), regex('thirty', undefined), regex('$30', undefined)]).toEqual([1, 0, 1])
  const numeric = graderOf({ metric: 'numeric' })
  expect([numeric('12 + 30 is 1,042.50', '1042.5'), numeric('no number', '3'), numeric('it is -3', '3')]).toEqual([
    1, 0, 0,
  ])
  expect(graderOf({ metric: 'numeric', tolerance: 0.01 })('100.9', '100')).toBe(1)
  const json = graderOf({
    metric: 'json',
    schema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
  })
  expect([json('{"name":"x"}', undefined), json('{"name":3}', undefined), json('{', undefined)]).toEqual([1, 0, 0])
  expect(graderOf({ metric: 'json' })('[1]', undefined)).toBe(1)
})

test('what cannot be graded is said: pattern, flags, schema, missing reference with its row', () => {
  expect(() => graderOf({ metric: 'regex', pattern: '(' })).toThrow(ConfigError)
  expect(() => graderOf({ metric: 'regex', pattern: 'x', flags: 'g' })).toThrow(/no meaning/)
  expect(() => graderOf({ metric: 'json', schema: { type: 'wrong' } })).toThrow(ConfigError)
  const rows = [{ completion: 'x', reference: 'x' }, { completion: 'x' }]
  expect(() => gradeRows(rows, graderOf({ metric: 'exact' }), { seed: 1 })).toThrow(DataError)
  expect(() => gradeRows(rows, graderOf({ metric: 'exact' }), { seed: 1 })).toThrow(/line 2: .*needs a reference/)
})

test('yes-or-no scores get Wilson, grouped ones a bootstrap over groups', () => {
  const rows = Array.from({ length: 10 }, (_, i) => ({ completion: i < 8 ? 'x' : 'y', reference: 'x' }))
  const alone = gradeRows(rows, graderOf({ metric: 'exact' }), { seed: 1 })
  expect(alone.mean.low).toBeCloseTo(0.4902, 4)
  expect(alone.scores.filter((s) => s === 1)).toHaveLength(8)
  const grouped = gradeRows(
    rows.map((r, i) => ({ ...r, group: `g${i % 2}` })),
    graderOf({ metric: 'exact' }),
    { seed: 1 },
  )
  expect(grouped.mean.n).toBe(2)
})

test('grouped scores that are all alike still doubt themselves: fewer groups, wider interval', () => {
  const mean = (groups: number, completion: string) =>
    gradeRows(
      Array.from({ length: 40 }, (_, i) => ({ completion, reference: 'x', group: `g${i % groups}` })),
      graderOf({ metric: 'exact' }),
      { seed: 1 },
    ).mean
  expect(mean(20, 'x')).toMatchObject({ value: 1, high: 1, n: 20 })
  expect(mean(20, 'x').low).toBeCloseTo(0.025 ** (1 / 20), 12)
  expect(mean(5, 'x').low).toBeLessThan(mean(20, 'x').low)
  expect(mean(20, 'y')).toMatchObject({ value: 0, low: 0 })
  expect(mean(20, 'y').high).toBeGreaterThan(0.1)
})

test('diversity: equal texts are all alike, different ones are not', () => {
  const alike = ['the cat sat on the mat', 'the cat sat on the mat']
  expect(selfBleu(alike)).toBeCloseTo(1, 12)
  expect(distinctN(alike, 2)).toBeCloseTo(0.5, 12)
  expect(distinctN(['a b c', 'd e f'], 1)).toBe(1)
  expect(selfBleu(['a b c d e', 'f g h i j'])).toBeLessThan(1e-6)
  const near = selfBleu(['the cat sat on the mat', 'the cat sat on a mat'])
  expect(near > 0.3 && near < 0.9).toBe(true)
})
