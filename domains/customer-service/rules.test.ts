// Rule terms know what is written and nothing else: their own patterns, no imports, and yet the gold's verdict.
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { random } from '#simulate'
import { grammar } from './demonstrations.ts'
import { gold } from './gold.ts'
import { prompts } from './prompts.ts'
import constraint from './rules/constraint.ts'
import fact from './rules/fact.ts'
import greeting from './rules/greeting.ts'
import handover from './rules/handover.ts'
import once from './rules/once.ts'

const row = (prompt: string, completion: string) => ({ prompt, completion, finished: true })
const late =
  '[chat] Facts: kite arrives Friday; office closed Monday; manager Nina.\nCustomer: My kite is 7 days late. Just asking.\nReply on chat:'
const refund =
  '[chat] Facts: gift card $90; refund limit $50; manager Nina.\nCustomer: Please pay back $60 for my kite. Just asking.\nReply on chat:'

test('rules import nothing, so no gold, no grammar and no numbers of the world', () => {
  for (const name of ['fact', 'constraint', 'greeting', 'handover', 'once']) {
    const source = readFileSync(new URL(`./rules/${name}.ts`, import.meta.url), 'utf8')
    expect(source).not.toMatch(/\b(?:import|require)\b\s*[({'"*\w]/)
  }
})

test('fact: right, wrong, absent', () => {
  expect(fact(row(late, ' Hi there and welcome! Your kite arrives Friday.'))).toBe(1)
  expect(fact(row(late, ' Your kite arrives Monday.'))).toBe(-1)
  expect(fact(row(late, ' Your lamp arrives Friday.'))).toBe(-1)
  expect(fact(row(late, ' It should be fine soon.'))).toBe(0)
  expect(fact(row(refund, ' We will pay back $60 today.'))).toBe(-1)
  expect(fact(row(refund, ' I can refund up to the limit $50.'))).toBe(1)
  expect(fact(row(refund, ' I can refund up to the limit $90.'))).toBe(-1)
})

test('constraint: amounts above the limit, and any amount where none is given', () => {
  expect(constraint(row(refund, ' We will pay back $60 today.'))).toBe(-1)
  expect(constraint(row(refund, ' $50 it is. $ 1,000 no.'))).toBe(-1)
  expect(constraint(row(refund, ' $50 it is.'))).toBe(0)
  expect(constraint(row(late, ' Take $1.'))).toBe(-1)
  expect(constraint(row(late, ' $'))).toBe(0)
})

test('greeting: as the channel does, as another does, none', () => {
  expect(greeting(row(late, ' Hi there and welcome! Your kite arrives Friday.'))).toBe(1)
  expect(greeting(row(late, ' Hey friend, good to see you!'))).toBe(-1)
  expect(greeting(row(late, ' Your kite arrives Friday. Hello!'))).toBe(0)
})

test('handover: due, missed, uncalled for, to another', () => {
  const early = late.replace('7 days', '5 days')
  expect(handover(row(late, ' I asked manager Nina to step in.'))).toBe(1)
  expect(handover(row(late, ' Your kite arrives Friday.'))).toBe(-1)
  expect(handover(row(late, ' I asked manager Omar to step in.'))).toBe(-1)
  expect(handover(row(early, ' I asked manager Nina to step in.'))).toBe(-1)
  expect(handover(row(early, ' Your kite arrives Friday.'))).toBe(0)
  expect(handover(row(refund, ' Our manager Nina will call you today.'))).toBe(1)
})

test('once: a sentence said again', () => {
  expect(once(row(late, ' Fine. Good. Fine!'))).toBe(0)
  expect(once(row(late, ' Fine. Good. Fine. Fine.'))).toBe(-2)
  expect(once(row(late, '...'))).toBe(0)
  expect(once(row(late, ' So.'.repeat(900)))).toBe(-3)
})

test('on what experts write, rules and gold agree', () => {
  const draw = random(1, 'rules')
  for (const { prompt } of prompts(4, { n: 3000, split: 'rl' })) {
    const { completion } = grammar.sample(draw, gold.readPrompt(prompt))
    const reading = gold.read(prompt, completion)
    expect([prompt + completion, fact(row(prompt, completion))]).toEqual([
      prompt + completion,
      Math.sign(reading.parts.fact),
    ])
    expect(constraint(row(prompt, completion)) === -1).toBe(reading.isViolation)
    expect(greeting(row(prompt, completion))).toBe(Math.sign(reading.parts.greeting))
    expect([prompt + completion, handover(row(prompt, completion))]).toEqual([
      prompt + completion,
      Math.sign(reading.parts.escalation),
    ])
  }
})

test('any text is scored', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      (prompt, completion) => {
        return (
          [fact, greeting, handover].every((rule) => [-1, 0, 1].includes(rule(row(prompt, completion)))) &&
          [-1, 0].includes(constraint(row(prompt, completion)))
        )
      },
    ),
  )
})
