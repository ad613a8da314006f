// What answers a question and what does not, for every type.
import { expect, test } from 'vitest'
import { faultIn, firstFault, type Question, Questions } from './index.ts'

const asked = (over: object): Question => Questions.parse([{ name: 'q', text: 'How is it?', ...over }])[0]!

test('each type takes its own values and refuses others by saying what was expected', () => {
  for (const [question, right, wrong] of [
    [asked({ type: '1-5' }), [1, 3, 5], [0, 6, 2.5, '3', true, NaN]],
    [asked({ type: '1-7' }), [1, 7], [0, 8]],
    [asked({ type: 'boolean' }), [true, false], [1, 'true', null]],
    [asked({ type: 'category', options: ['pass', 'fail', 'critical'] }), ['pass', 'critical'], ['Pass', '', 1]],
    [asked({ type: 'text', least: 3, most: 5 }), ['abc', ' abcde '], ['ab', 'abcdef', 7]],
  ] as const) {
    for (const value of right) expect(faultIn(question, value), `${question.type} ${value}`).toBeUndefined()
    for (const value of wrong) expect(faultIn(question, value), `${question.type} ${value}`).toMatch(/^expected /)
  }
})

test('what is not required may be left out, and then only left out; the first fault is named', () => {
  const optional = asked({ type: '1-5', required: false })
  expect(faultIn(optional, undefined)).toBeUndefined()
  expect(faultIn(optional, 9)).toBeDefined()
  const note = asked({ type: 'text', required: false, least: 3 })
  expect(faultIn(note, '  ')).toBeUndefined()
  expect(faultIn(note, 'a')).toBeDefined()
  const all = Questions.parse([
    { name: 'tone', text: 'Tone?', type: '1-5' },
    { name: 'safe', text: 'Safe?', type: 'boolean' },
  ])
  expect(firstFault(all, { tone: 2 })).toEqual({ name: 'safe', says: 'expected an answer' })
  expect(firstFault(all, { tone: 2, safe: false })).toBeUndefined()
})

test('questions that could not be asked are refused', () => {
  for (const [over, says] of [
    [{ type: 'category', options: ['one'] }, 'Too small'],
    [{ type: 'category', options: ['one', 'one'] }, 'different options'],
    [{ type: 'text', least: 9, most: 3 }, 'at most most'],
    [{ type: '1-9' }, 'type'],
    [{ type: '1-5', options: ['a'] }, 'options'],
    [{ type: '1-5', name: 'Not A Name' }, 'lower-case'],
  ] as const) {
    const parsed = Questions.safeParse([{ name: 'q', text: 'How?', ...over }])
    expect(JSON.stringify(parsed.error?.issues), JSON.stringify(over)).toContain(says)
  }
  const twice = [1, 2].map(() => ({ name: 'q', text: 'How?', type: '1-5' }))
  expect(Questions.safeParse(twice).success).toBe(false)
})
