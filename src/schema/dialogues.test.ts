// What is asked of a dialogue and where an answer to one message is kept: nothing of one message comes to stand at another.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { askedOf, byMessage, indexOfCompletion, messageAt, type Prompt, Questions, ratedMessages } from './index.ts'

const QUESTIONS = Questions.parse([
  { name: 'solved', text: 'Solved?', type: 'boolean' },
  { name: 'tone', text: 'Tone?', type: '1-5', each: 'message' },
  { name: 'fact', text: 'True?', type: 'boolean', each: 'message', required: false },
])
const DIALOGUE: Prompt = [
  { role: 'system', content: 'S' },
  { role: 'user', content: 'U1' },
  { role: 'assistant', content: 'A2' },
  { role: 'user', content: 'U3' },
]

test('what the assistant said is asked about message by message, the completion last, and then the whole', () => {
  expect(ratedMessages(DIALOGUE)).toEqual([2, 4])
  expect(ratedMessages('Hi')).toEqual([1])
  expect(
    askedOf(QUESTIONS, DIALOGUE).map(({ question, message }) => [question.name, message, question.required]),
  ).toEqual([
    ['tone@2', 2, true],
    ['fact@2', 2, false],
    ['tone@4', 4, true],
    ['fact@4', 4, false],
    ['solved', undefined, true],
  ])
})

test('values come apart by message, the whole last, and each message is a completion of what stood before it', () => {
  expect(byMessage({ solved: false, 'tone@10': 3, 'tone@2': 5, 'fact@2': true })).toEqual([
    { message: 2, values: { tone: 5, fact: true } },
    { message: 10, values: { tone: 3 } },
    { values: { solved: false } },
  ])
  const whole = { prompt: DIALOGUE, completion: 'A4' }
  expect(messageAt(whole, 2)).toEqual({ prompt: DIALOGUE.slice(0, 2), completion: 'A2' })
  expect(messageAt(whole, 4)).toEqual(whole)
  expect(messageAt({ prompt: [{ role: 'assistant', content: 'A0' }], completion: 'A1' }, 0)).toEqual({
    prompt: '',
    completion: 'A0',
  })
})

test('every answer that is asked for comes apart into the message it was asked of', () => {
  const role = fc.constantFrom('system', 'user', 'assistant', 'tool')
  const prompts = fc.oneof(
    fc.string(),
    fc.array(fc.record({ role, content: fc.string() }), { minLength: 1, maxLength: 30 }),
  )
  fc.assert(
    fc.property(prompts, (prompt) => {
      const dialogue = prompt as Prompt
      const asked = askedOf(QUESTIONS, dialogue)
      // The value says where it belongs.
      const values = Object.fromEntries(asked.map(({ question, message }) => [question.name, String(message)]))
      const parts = byMessage(values)
      expect(parts.flatMap(({ message }) => (message === undefined ? [] : [message]))).toEqual(ratedMessages(dialogue))
      for (const part of parts) expect(new Set(Object.values(part.values))).toEqual(new Set([String(part.message)]))
      expect(Math.max(...ratedMessages(dialogue))).toBe(indexOfCompletion(dialogue))
    }),
    { numRuns: 200, seed: 1 },
  )
})
