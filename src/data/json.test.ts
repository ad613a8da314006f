import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson, placeOf } from './json.ts'

const start = { file: 'f.jsonl', line: 7, column: 1 }

test('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      fc.pre(text.isWellFormed() && !/\\ud[89a-f]|\\u0000|__proto__/i.test(text))
      expect(parseJson(text)).toEqual(JSON.parse(text))
    }),
  )
})

test.each([
  ['{"a":1,"a":2}', 'f.jsonl:7:8: expected each key once, got "a" twice: keep one'],
  ['{"a":{"b":1,"b":2}}', 'f.jsonl:7:13: a: expected each key once, got "b" twice: keep one'],
  ['{"__proto__":1}', 'f.jsonl:7:2: expected an ordinary key, got __proto__: rename it'],
  ['{"\\u005f_proto__":1}', 'f.jsonl:7:2: expected an ordinary key, got __proto__: rename it'],
  ['{"a":NaN}', 'f.jsonl:7:6: a: expected a JSON value, got NaN'],
  ['{"a":-Infinity}', 'f.jsonl:7:6: a: expected a JSON value, got -Infinity'],
  ['{"a":1e400}', 'f.jsonl:7:6: a: expected a number that a double holds, got 1e400'],
  [
    '[9007199254740993]',
    'f.jsonl:7:2: [0]: expected an integer that a double holds: write it as text, got 9007199254740993',
  ],
  ['{"a":"\\ud800"}', 'f.jsonl:7:7: a: expected surrogates in pairs, got a lone \\ud800'],
  ['{"a":"\\udc00\\ud800"}', 'f.jsonl:7:7: a: expected surrogates in pairs, got a lone \\udc00'],
  ['{"a":"\\u0000"}', 'f.jsonl:7:7: a: expected text without NUL, got \\u0000'],
  ['{"a":"x\ty"}', 'f.jsonl:7:8: a: expected control characters of a string to be escaped, got U+0009'],
  ['{"a":1,}', 'f.jsonl:7:8: expected a value after the comma: remove the trailing comma, got }'],
  ['[1 2]', 'f.jsonl:7:4: expected , or ], got 2'],
  ['{"a":1', 'f.jsonl:7:7: expected , or }, got the end'],
  ['{"a":"b', 'f.jsonl:7:8: a: expected " at the end of the string, got the end'],
  ['{a:1}', 'f.jsonl:7:2: expected a key in double quotes, got a'],
  ['{} {}', 'f.jsonl:7:4: expected the end after one value, got {'],
  ['01', 'f.jsonl:7:2: expected the end after one value, got 1'],
  ['\u{feff}{}', 'f.jsonl:7:1: expected a JSON value, got U+FEFF'],
  ['{"a":"\\x"}', 'f.jsonl:7:7: a: expected one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX, got \\x'],
])('refuses %s with the place', (text, message) => {
  expect(() => parseJson(text, start)).toThrow(message)
})

test('nesting is bounded, so no text overflows the stack', () => {
  expect(parseJson(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeInstanceOf(Array)
  expect(() => parseJson('['.repeat(100_000))).toThrow('expected at most 64 levels of nesting')
  expect(() => parseJson('{"a":'.repeat(100_000))).toThrow('expected at most 64 levels of nesting')
})

test('finds a value by its path, or what is around it', () => {
  const text = '{"a":\n [1, {"b":\n  true}]}'
  expect(placeOf(text, ['a', 1, 'b'], start)).toEqual({ file: 'f.jsonl', line: 9, column: 3 })
  expect(placeOf(text, ['a', 1, 'missing'], start)).toEqual({ file: 'f.jsonl', line: 8, column: 6 })
  expect(placeOf(text, ['c'], start)).toEqual({ file: 'f.jsonl', line: 7, column: 1 })
})
