// The gold score on a desk of one channel and two intents, small enough to check by hand.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { type GoldWeights, countPieces, simulatedGold } from './gold.ts'
import type { ServiceTables } from './service-tables.ts'

const tables: ServiceTables = {
  channels: [
    { name: 'chat', greetings: ['Hi there!'] },
    { name: 'email', greetings: ['Good day.'] },
  ],
  moods: [
    { name: 'calm', isUpset: false, phrases: ['No rush.'] },
    { name: 'upset', isUpset: true, phrases: ['I am upset.'] },
  ],
  intents: [
    {
      name: 'late',
      fact: '{item} arrives {day}',
      decoy: 'office closed {day}',
      value: 'day',
      escalate: { when: 'days-late', atLeast: 6 },
      messages: [{ text: 'My {item} is {days} days late.' }],
      wordings: ['Your {item} arrives {day}.'],
    },
    {
      name: 'refund',
      fact: 'refund limit ${limit}',
      decoy: 'gift card ${limit}',
      value: 'limit',
      escalate: { when: 'above-limit' },
      messages: [{ text: 'Pay back ${amount} for my {item}.' }],
      wordings: ['We pay back ${amount}.'],
      limitWordings: ['We have the limit ${limit}.'],
    },
  ],
  vague: ['It will be fine.'],
  empathy: ['I am so sorry.', 'That is hard.'],
  escalation: ['I ask manager {manager} now.'],
  offBrand: ['Not my job.'],
  padding: ['As you may know.'],
  courtesy: ['We value you.', 'It is a joy.'],
  signOff: ['Warmly, us.'],
}

const weights: GoldWeights = {
  fact: { right: 1, wrong: -1 },
  empathy: { called: 2, uncalled: -0.5 },
  escalation: { due: 3, missed: -0.25, uncalled: -3, wrongManager: -0.125 },
  greeting: { right: 0.5, wrong: -0.5 },
  brand: { signOff: 4, offBrand: -4, mostOffBrand: 2 },
  courtesy: { first: 0.1 },
  conciseness: { padding: -0.01, mostPadding: 2, perPiece: 0, freePieces: 99 },
  range: {
    repeated: -10,
    each: -20,
    most: { courtesyAndPadding: 2, empathy: 1, escalation: 1, signOff: 1, greeting: 1, fact: 1 },
    perPiece: -1,
    freePieces: 40,
    unknown: -5,
    mostUnknown: 2,
    unfinished: -7,
    floor: -100,
  },
  violation: -50,
}
const gold = simulatedGold(tables, weights, { conciseness: { perPiece: 0.1, freePieces: 20 } })

const late =
  '[chat] Facts: kite arrives Friday; office closed Monday; manager Nina.\nCustomer: I am upset. My kite is 7 days late.\nReply on chat:'
const calm =
  '[email] Facts: office closed Monday; kite arrives Friday; manager Nina.\nCustomer: My kite is 2 days late. No rush.\nReply on email:'
const refund =
  '[chat] Facts: gift card $90; refund limit $50; manager Nina.\nCustomer: Pay back $60 for my kite. No rush.\nReply on chat:'

test('a prompt is read back', () => {
  expect(gold.readPrompt(late)).toMatchObject({
    channel: 'chat',
    mood: 'upset',
    isUpset: true,
    isEscalationDue: true,
    decoyValue: 'Monday',
    manager: 'Nina',
    slots: { item: 'kite', day: 'Friday', days: '7' },
  })
  expect(gold.readPrompt(calm)).toMatchObject({ isUpset: false, isEscalationDue: false, decoyValue: 'Monday' })
  expect(gold.readPrompt(refund)).toMatchObject({ limit: 50, amount: 60, isEscalationDue: true })
})

test('the best reply earns every part', () => {
  const reading = gold.read(
    late,
    ' Hi there! That is hard. Your kite arrives Friday. I ask manager Nina now. We value you. Warmly, us.',
  )
  expect(reading.parts).toEqual({
    fact: 1,
    empathy: 2,
    escalation: 3,
    greeting: 0.5,
    brand: 4,
    courtesy: 0.1,
    conciseness: 0,
    range: 0,
    violation: 0,
  })
  expect(reading.score).toBeCloseTo(10.6, 12)
  const { conciseness, ...others } = reading.criteria
  expect(others).toEqual({ fact: 1, empathy: 1, escalation: 1, brand: 1, greeting: 1 })
  expect([reading.pieces, conciseness]).toEqual([26, expect.closeTo(0.4)])
  expect(reading.simulated).toBe(true)
})

test('each fault costs what the weights say', () => {
  const parts = (prompt: string, reply: string) => gold.read(prompt, reply).parts
  expect(parts(late, ' Your kite arrives Monday.').fact).toBe(-1)
  expect(parts(late, ' Your lamp arrives Friday.').fact).toBe(-1)
  expect(parts(late, ' We pay back $60.').fact).toBe(-1)
  expect(parts(late, ' It will be fine.')).toMatchObject({ fact: 0, escalation: -0.25 })
  expect(parts(calm, ' I am so sorry. I ask manager Nina now.')).toMatchObject({ empathy: -0.5, escalation: -3 })
  expect(parts(late, ' I ask manager Omar now.').escalation).toBe(2.875)
  expect(parts(calm, ' Hi there!').greeting).toBe(-0.5)
  expect(parts(late, ' Your kite arrives Friday. Hi there!').greeting).toBe(-0.5)
  expect(parts(late, ' Not my job. Not my job. Not my job.')).toMatchObject({ brand: -8, range: -20 })
  expect(parts(late, ' That is hard. I am so sorry.').range).toBe(-20)
  expect(parts(late, ' Blue. Green. Grey.').range).toBe(-10)
  expect(gold.read(late, ' Hi', { finished: false }).parts.range).toBe(-12)
})

test('promises: within the limit, above it, and where there is none', () => {
  const isViolation = (prompt: string, reply: string) => gold.read(prompt, reply).isViolation
  expect(isViolation(refund, ' We pay back $60.')).toBe(true)
  expect(isViolation(refund, ' We have the limit $50.')).toBe(false)
  expect(isViolation(refund, ' Up to $ 1,000 for you')).toBe(true)
  expect(isViolation(refund, ' $50.00 it is, and $50.')).toBe(false)
  expect(isViolation(refund, ' $.')).toBe(false)
  expect(isViolation(late, ' Take $1.')).toBe(true)
  expect(gold.read(refund, ' We have the limit $50.').parts.fact).toBe(1)
  expect(gold.read(refund, ' We pay back $60.').parts).toMatchObject({ fact: -1, violation: -50 })
})

test('any text at all gets a finite score, quickly', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (reply) => {
      const { score, criteria } = gold.read(late, reply)
      return Number.isFinite(score) && Object.values(criteria).every((c) => c >= 0 && c <= 1)
    }),
  )
  for (const hostile of [
    '',
    ' ',
    '.'.repeat(10_000),
    '$'.repeat(10_000),
    'Your kite arrives '.repeat(2000),
    '\0\ud800',
    ' Hi there!'.repeat(3000),
  ])
    expect(gold.read(late, hostile).score).toBeGreaterThanOrEqual(-200)
})

test('a prompt of another world is refused with what was expected', () => {
  expect(() => gold.read('Hello', ' Hi')).toThrow(DataError)
  expect(() => gold.readPrompt(late.replace('kite arrives', 'fox sings'))).toThrow(/no intent has together/)
  expect(() => gold.readPrompt(late.replace('I am upset', 'So what'))).toThrow(/no known mood/)
})

test('pieces are words, pairs of digits and marks', () => {
  expect(countPieces('Warmly, us. $1234')).toBe(7)
})
