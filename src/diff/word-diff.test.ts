import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MOST_WORDS, wordDiff } from './word-diff.ts'

const join = (parts: { text: string }[]) => parts.map((p) => p.text).join('')
const kindsOf = (parts: { kind: string }[]) => new Set(parts.map((p) => p.kind))
const kept = (parts: { text: string; kind: string }[]) =>
  parts
    .filter((p) => p.kind === 'same')
    .flatMap((p) => p.text.split(/\s+/))
    .filter((w) => w !== '')

test('marks the words that only one text has', () => {
  const { before, after } = wordDiff('Hi. That is not my job. Bye.', 'Hi. Your kite ships Friday. Bye.')
  expect(before).toEqual([
    { text: 'Hi. ', kind: 'same' },
    { text: 'That is not my job. ', kind: 'only' },
    { text: 'Bye.', kind: 'same' },
  ])
  expect(after.filter((p) => p.kind === 'only')).toEqual([{ text: 'Your kite ships Friday. ', kind: 'only' }])
})

test('parts joined are the texts, and both sides keep the same words', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '\n', '\u202e', '\u{1f600}'), maxLength: 60 })
  fc.assert(
    fc.property(text, text, (a, b) => {
      const { before, after } = wordDiff(a, b)
      expect(join(before)).toBe(a)
      expect(join(after)).toBe(b)
      expect(kept(before)).toEqual(kept(after))
    }),
    { seed: 1 },
  )
})

test('equal texts have no difference, and long ones with nothing in common are not compared', () => {
  expect(wordDiff('a b', 'a b').before).toEqual([{ text: 'a b', kind: 'same' }])
  const long = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word}${i}`).join(' ')
  expect(wordDiff(long('a'), long('b')).before).toEqual([{ text: long('a'), kind: 'uncompared' }])
})

test('texts too long for one table are compared between the words that each has once', () => {
  const text = (changed: string) =>
    Array.from({ length: 6000 }, (_, i) => (i % 100 === 50 ? `${changed}${i}` : i % 7 === 0 ? `w${i}` : 'the')).join(
      ' ',
    )
  const { before, after } = wordDiff(text('old'), text('new'))
  expect(before.filter((p) => p.kind !== 'same').map((p) => p.text.trim())).toEqual(
    Array.from({ length: 60 }, (_, i) => `old${i * 100 + 50}`),
  )
  expect(kept(before)).toEqual(kept(after))
})

test('words beyond the first 20,000 are not compared, and are there', () => {
  const text = (last: string) => [...Array.from({ length: MOST_WORDS }, (_, i) => `w${i}`), last].join(' ')
  const { before, after } = wordDiff(text('one'), text('two'))
  expect(before.at(-1)).toEqual({ text: 'one', kind: 'uncompared' })
  expect(join(after)).toBe(text('two'))
  expect(kindsOf(after)).toEqual(new Set(['same', 'uncompared']))
})

test('anchors keep every part: long texts of few words, joined, are the texts', () => {
  const word = fc.constantFrom('a', 'b', 'c', 'd')
  const text = fc
    .array(
      fc.oneof(
        word,
        fc.integer({ min: 0, max: 4000 }).map((n) => `n${n}`),
      ),
      { minLength: 1100, maxLength: 1500 },
    )
    .map((all) => all.join(' '))
  fc.assert(
    fc.property(text, text, (a, b) => {
      const { before, after } = wordDiff(a, b)
      expect(join(before)).toBe(a)
      expect(join(after)).toBe(b)
      expect(kept(before)).toEqual(kept(after))
    }),
    { seed: 2, numRuns: 20 },
  )
})
