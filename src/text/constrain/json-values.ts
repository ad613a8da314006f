// JSON's own grammar (RFC 8259) as rules of a network: characters of strings, numbers, any value. Narrower than JSON where
// more would help nobody: one space after commas and colons at most, and numbers that every reader holds exactly or nearly
// (15 digits before the point, 17 after it, exponents of two digits).
import type { Builder, Rule } from './network.ts'

export type JsonRules = {
  character: Rule
  string: Rule
  integer: Rule
  number: Rule
  /** `true`, `false`. */
  boolean: Rule
  null: Rule
  /** Any object, array or scalar. */
  value: Rule
  object: Rule
  array: Rule
}

const WHOLE_DIGITS = 15
export const LARGEST_INTEGER = 10 ** WHOLE_DIGITS - 1
const FRACTION_DIGITS = 17
const EXPONENT_DIGITS = 2

export function addJsonRules(b: Builder): JsonRules {
  const character = addCharacter(b)
  const string = addString(b, character, { least: 0, most: Infinity })
  const rules = {
    character,
    string,
    integer: addInteger(b),
    number: addNumber(b),
    boolean: addTexts(b, ['true', 'false']),
    null: addTexts(b, ['null']),
    value: b.rule(),
  }
  const object = addMap(b, string, rules.value)
  const array = addList(b, rules.value, { least: 0, most: Infinity })
  for (const rule of [object, array, string, rules.number, rules.boolean, rules.null])
    b.call(rules.value.start, rule, rules.value.end)
  return { ...rules, object, array }
}

/** One of these texts, as they are. */
export function addTexts(b: Builder, texts: readonly string[]): Rule {
  const rule = b.rule()
  for (const text of texts) b.jump(b.text(rule.start, text), rule.end)
  return rule
}

/** A string of `least` to `most` characters. */
export function addString(b: Builder, character: Rule, { least, most }: { least: number; most: number }): Rule {
  const rule = b.rule()
  let at = b.byte(rule.start, QUOTE)
  for (let count = 0; count < least; count++) at = b.call(at, character)
  if (most === Infinity) b.call(at, character, at)
  else
    for (let count = least; count < most; count++) {
      b.byte(at, QUOTE, QUOTE, rule.end)
      at = b.call(at, character)
    }
  b.byte(at, QUOTE, QUOTE, rule.end)
  return rule
}

/** `least` to `most` values in brackets. */
export function addList(b: Builder, value: Rule, { least, most }: { least: number; most: number }): Rule {
  const rule = b.rule()
  const open = b.text(rule.start, '[')
  if (least === 0) b.jump(b.text(open, ']'), rule.end)
  if (most === 0) return rule
  let at = b.call(open, value)
  for (let count = 1; count < least; count++) at = b.call(addComma(b, at), value)
  if (most === Infinity) b.call(addComma(b, at), value, at)
  else
    for (let count = Math.max(least, 1); count < most; count++) {
      b.jump(b.text(at, ']'), rule.end)
      at = b.call(addComma(b, at), value)
    }
  b.jump(b.text(at, ']'), rule.end)
  return rule
}

/** Any keys with values of one kind. */
export function addMap(b: Builder, key: Rule, value: Rule): Rule {
  const rule = b.rule()
  const open = b.text(rule.start, '{')
  b.jump(b.text(open, '}'), rule.end)
  const again = b.state()
  const at = b.call(addColon(b, b.call(b.jump(open, again), key)), value)
  b.jump(addComma(b, at), again)
  b.jump(b.text(at, '}'), rule.end)
  return rule
}

export function addComma(b: Builder, from: number): number {
  return addSpace(b, b.text(from, ','))
}

export function addColon(b: Builder, from: number): number {
  return addSpace(b, b.text(from, ':'))
}

function addSpace(b: Builder, from: number): number {
  const to = b.state()
  b.jump(from, to)
  return b.byte(from, SPACE, SPACE, to)
}

const [QUOTE, BACKSLASH, SPACE] = [0x22, 0x5c, 0x20]

/** One code point: itself in UTF-8, or escaped. Surrogates are never escaped, so each of these is one character to a schema. */
function addCharacter(b: Builder): Rule {
  const { start, end } = b.rule()
  for (const [low, high] of [
    [0x20, 0x21],
    [0x23, 0x5b],
    [0x5d, 0x7f],
  ] as const)
    b.byte(start, low, high, end)
  /** `rest` continuation bytes, the first of them from `low` to `high`. */
  const follow = (first: number, rest: number, low = 0x80, high = 0xbf): void => {
    let at = first
    for (let k = 0; k < rest; k++)
      at = b.byte(at, k === 0 ? low : 0x80, k === 0 ? high : 0xbf, k === rest - 1 ? end : b.state())
  }
  // Table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF.
  follow(b.byte(start, 0xc2, 0xdf), 1)
  follow(b.byte(start, 0xe0), 2, 0xa0)
  follow(b.byte(start, 0xe1, 0xec), 2)
  follow(b.byte(start, 0xed), 2, 0x80, 0x9f)
  follow(b.byte(start, 0xee, 0xef), 2)
  follow(b.byte(start, 0xf0), 3, 0x90)
  follow(b.byte(start, 0xf1, 0xf3), 3)
  follow(b.byte(start, 0xf4), 3, 0x80, 0x8f)
  const escape = b.byte(start, BACKSLASH)
  for (const c of '"\\/bfnrt') b.byte(escape, c.charCodeAt(0), c.charCodeAt(0), end)
  const [second, third, fourth] = [b.state(), b.state(), b.state()]
  const unicode = b.text(escape, 'u')
  hex(b, unicode, second, '09', 'ac', 'AC', 'ef', 'EF')
  hex(b, hex(b, unicode, b.state(), 'dd', 'DD'), third, '07')
  hex(b, second, third, '09', 'af', 'AF')
  hex(b, third, fourth, '09', 'af', 'AF')
  hex(b, fourth, end, '09', 'af', 'AF')
  return { start, end }
}

function hex(b: Builder, from: number, to: number, ...ranges: string[]): number {
  for (const range of ranges) b.byte(from, range.charCodeAt(0), range.charCodeAt(1), to)
  return to
}

function addInteger(b: Builder): Rule {
  const rule = b.rule()
  b.jump(addWhole(b, rule.start), rule.end)
  return rule
}

function addNumber(b: Builder): Rule {
  const rule = b.rule()
  const whole = addWhole(b, rule.start)
  const beforeExponent = b.state()
  b.jump(whole, beforeExponent)
  b.jump(addDigits(b, b.text(whole, '.'), FRACTION_DIGITS), beforeExponent)
  b.jump(beforeExponent, rule.end)
  const sign = b.state()
  for (const e of ['e', 'E']) b.jump(b.text(beforeExponent, e), sign)
  const digits = b.state()
  b.jump(sign, digits)
  for (const s of ['+', '-']) b.jump(b.text(sign, s), digits)
  b.jump(addDigits(b, digits, EXPONENT_DIGITS), rule.end)
  return rule
}

/** Minus or not, and a whole number without leading zeros. */
function addWhole(b: Builder, from: number): number {
  const [positive, end] = [b.state(), b.state()]
  b.jump(from, positive)
  b.jump(b.text(from, '-'), positive)
  b.jump(b.text(positive, '0'), end)
  const first = b.byte(positive, 0x31, 0x39)
  b.jump(first, end)
  b.jump(addDigits(b, first, WHOLE_DIGITS - 1), end)
  return end
}

/** One digit to `most`. */
function addDigits(b: Builder, from: number, most: number): number {
  const end = b.state()
  let at = from
  for (let count = 0; count < most; count++) {
    at = b.byte(at, 0x30, 0x39)
    b.jump(at, end)
  }
  return end
}
