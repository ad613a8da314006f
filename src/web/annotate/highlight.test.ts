// Places in a text and in the box it is picked in, over characters beyond the basic plane, both kinds of line ends, and
// writing from right to left.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultInHighlight } from '#schema'
import { inBox, inText, whole } from './highlight.tsx'
import { cut } from './marked.tsx'

const piece = fc.constantFrom(
  'a',
  ' ',
  '\r\n',
  '\n',
  '\r',
  '\u{1f600}',
  '\u{1f468}\u200d\u{1f469}',
  'e\u0301',
  '\u05e9\u05dc\u05d5\u05dd',
  '\u202e',
  '\u2067x\u2069',
)
const text = fc.array(piece, { minLength: 1, maxLength: 30 }).map((pieces) => pieces.join(''))
/** As a text box has it. */
const boxed = (written: string) => written.replaceAll(/\r\n?/g, '\n')

test('what is picked in the box is what stands in the text, as the server takes it', () => {
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(), (written, x, y) => {
      const box = boxed(written)
      const [from, to] = [x % (box.length + 1), y % (box.length + 1)].sort((a, b) => a - b) as [number, number]
      const picked = { start: inText(written, from), end: inText(written, to) }
      expect(boxed(written.slice(picked.start, picked.end))).toBe(box.slice(from, to))
      expect([inBox(written, picked.start), inBox(written, picked.end)]).toEqual([from, to])
      const { start, end } = whole(written, picked)
      if (start === end) return
      const highlight = { side: 'left' as const, start, end, quote: written.slice(start, end), reason: 'why' }
      expect(highlight.quote.isWellFormed()).toBe(true)
      expect(faultInHighlight(highlight, written)).toBeUndefined()
      expect(faultInHighlight({ ...highlight, quote: `${highlight.quote}x` }, written)).toMatch(/expected what stands/)
    }),
    { seed: 5, numRuns: 500 },
  )
})

test('half of a character is found wanting', () => {
  const highlight = { side: 'left' as const, start: 1, end: 2, quote: '\ud83d', reason: 'why' }
  expect(faultInHighlight(highlight, 'a\u{1f600}')).toMatch(/whole characters/)
  expect(whole('a\u{1f600}', { start: 2, end: 3 })).toEqual({ start: 1, end: 3 })
})

test('cut at its marks, a text is still itself, and each piece knows what is over it', () => {
  fc.assert(
    fc.property(text, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 6 }), (written, places) => {
      const marks = places
        .map(([x, y]) => [x % (written.length + 1), y % (written.length + 1)].sort((a, b) => a - b) as [number, number])
        .flatMap(([start, end]) => (start < end ? [{ start, end }] : []))
      const pieces = cut(written, marks)
      expect(pieces.map(({ piece }) => piece).join('')).toBe(written)
      for (const mark of marks)
        expect(
          pieces
            .filter(({ over }) => over.includes(mark))
            .map(({ piece }) => piece)
            .join(''),
        ).toBe(written.slice(mark.start, mark.end))
    }),
    { seed: 6 },
  )
})
