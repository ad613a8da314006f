import { array, assert, constantFrom, integer, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { cutAtStop } from './stop.ts'

const text = string({ unit: constantFrom('a', 'b', 'c', '😀'), maxLength: 30 })
const stops = array(string({ unit: constantFrom('a', 'b', 'c', '😀'), minLength: 1, maxLength: 4 }), { maxLength: 4 })

/** All pieces joined, and whether a stop string was met. */
function cut(pieces: string[], stopAt: string[]): { shown: string[]; isStopped: boolean } {
  const stream = cutAtStop(stopAt)
  const shown = pieces.map((piece) => stream.push(piece))
  shown.push(stream.end())
  return { shown, isStopped: stream.isStopped }
}

test('the text ends where the stop string begins that is whole first, in whatever pieces it comes', () => {
  assert(
    property(text, stops, integer({ min: 1, max: 6 }), (whole, stopAt, size) => {
      const expected = byHand(whole, stopAt)
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
        whole.slice(i * size, (i + 1) * size),
      )
      const { shown, isStopped } = cut(pieces, stopAt)
      expect(shown.join('')).toBe(expected ?? whole)
      expect(isStopped).toBe(expected !== undefined)
    }),
    { numRuns: 500, seed: 5 },
  )
})

test('what cannot become a stop string is shown at once', () => {
  const stream = cutAtStop(['END.', 'Q:'])
  expect(stream.push('an answer EN')).toBe('an answer ')
  expect(stream.push('C')).toBe('ENC')
  expect(stream.push('E')).toBe('')
  expect(stream.push('ND')).toBe('')
  expect(stream.push('N')).toBe('ENDN')
  expect(stream.push(' Q')).toBe(' ')
  expect(stream.push(': more')).toBe('')
  expect(stream.isStopped).toBe(true)
  expect(stream.push('never')).toBe('')
  expect(stream.end()).toBe('')
})

/** Every end from left to right; undefined when nothing stops the text. */
function byHand(whole: string, stopAt: string[]): string | undefined {
  for (let end = 1; end <= whole.length; end++) {
    const ending = stopAt.filter((stop) => whole.slice(0, end).endsWith(stop))
    if (ending.length > 0) return whole.slice(0, end - Math.max(...ending.map((stop) => stop.length)))
  }
  return undefined
}
