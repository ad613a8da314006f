import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { wordDiff } from './word-diff.ts'

const join = (parts: { text: string }[]) => parts.map((p) => p.text).join('')
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

test('equal texts have no difference, and unlike long texts are shown whole', () => {
  expect(wordDiff('a b', 'a b').before).toEqual([{ text: 'a b', kind: 'same' }])
  const long = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word}${i}`).join(' ')
  expect(wordDiff(long('a'), long('b')).before).toHaveLength(1)
})
