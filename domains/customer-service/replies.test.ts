// Probabilities are exact: they sum to one on a desk that can be listed whole, and agree with draws on the real one.
import { expect, test } from 'vitest'
import { type ServiceTables, random } from '#simulate'
import { demonstrations, entropyFloor, grammar, heldOutDemonstrations } from './demonstrations.ts'
import { gold } from './gold.ts'
import { tables } from './grammar.ts'
import { EXPERTS } from './knobs.ts'
import { replyGrammar } from './replies.ts'

const above =
  '[chat] Facts: gift card $90; refund limit $20; manager Nina.\nCustomer: I am upset. Please pay back $60 for my kite.\nReply on chat:'
const plain =
  '[email] Facts: kite arrives Friday; office closed Monday; manager Nina.\nCustomer: My kite is 7 days late. Just asking.\nReply on email:'

/** One sentence a kind, so that all replies can be listed. */
const small = {
  ...tables,
  channels: tables.channels.map((c) => ({ ...c, greetings: c.greetings.slice(0, 1) })),
  intents: tables.intents.map((i) => ({ ...i, wordings: i.wordings.slice(0, 1) })),
  vague: tables.vague.slice(0, 1),
  empathy: tables.empathy.slice(0, 1),
  escalation: tables.escalation.slice(0, 1),
  offBrand: tables.offBrand.slice(0, 1),
  padding: tables.padding.slice(0, 1),
  courtesy: tables.courtesy.slice(0, 3),
  signOff: tables.signOff.slice(0, 1),
} satisfies ServiceTables

function allReplies(prompt: string): string[] {
  const { intent, slots, decoyValue } = gold.readPrompt(prompt)
  const fill = (t: string, value: string) =>
    t.replaceAll(/\{(\w+)\}/g, (_, slot: string) => (slot === intent.value ? value : slots[slot]!))
  const facts = [...intent.wordings, ...(intent.limitWordings ?? [])]
    .flatMap((w) => [fill(w, slots[intent.value]!), fill(w, decoyValue)])
    .concat(small.vague)
  const courtesies = ['']
  for (const a of small.courtesy) {
    courtesies.push(a)
    for (const b of small.courtesy) {
      if (b === a) continue
      courtesies.push(`${a} ${b}`)
      for (const c of small.courtesy) if (c !== a && c !== b) courtesies.push(`${a} ${b} ${c}`)
    }
  }
  const choices = [
    ['', ...small.channels.flatMap((c) => c.greetings)],
    ['', ...small.empathy],
    [...new Set(facts)],
    ['', ...small.escalation.map((t) => fill(t, ''))],
    ['', ...small.offBrand],
    ['', ...small.padding],
    courtesies,
    ['', ...small.signOff],
  ]
  return choices.reduce((made, options) => made.flatMap((m) => options.map((o) => (o ? `${m} ${o}` : m))), [''])
}

test.each([
  ['above the limit', above],
  ['without a limit', plain],
])('probabilities of all replies sum to one, raw and curated: %s', (_, prompt) => {
  const desk = replyGrammar({ ...small, intents: small.intents }, EXPERTS)
  const situation = gold.readPrompt(prompt)
  situation.intent = { ...situation.intent, wordings: situation.intent.wordings.slice(0, 1) }
  const sum = (curated: boolean) =>
    allReplies(prompt).reduce((total, r) => total + Math.exp(desk.logProbability(situation, r, { curated })), 0)
  expect(sum(false)).toBeCloseTo(1, 10)
  expect(sum(true)).toBeCloseTo(1, 10)
})

test('draws agree with probabilities: every reply drawn is possible, and the mean surprise is the entropy', () => {
  const situation = gold.readPrompt(above)
  const draw = random(1, 'agreement')
  let violations = 0
  let nats = 0
  let square = 0
  let ratio = 0
  const n = 4000
  for (let i = 0; i < n; i++) {
    const { completion, isViolation } = grammar.sample(draw, situation)
    const raw = grammar.logProbability(situation, completion, { curated: false })
    const curated = grammar.logProbability(situation, completion, { curated: true })
    expect(raw).toBeGreaterThan(Number.NEGATIVE_INFINITY)
    expect(isViolation).toBe(gold.read(above, completion).isViolation)
    expect(curated === Number.NEGATIVE_INFINITY).toBe(isViolation)
    if (isViolation) violations++
    else ratio = Math.exp(raw - curated)
    nats -= raw
    square += raw * raw
  }
  // Kept share = P(raw) / P(curated), the same for every kept reply.
  expect(1 - violations / n).toBeCloseTo(ratio, 1.5)
  // Importance check: E[P'/P] = 1 for any other distribution P' on the same support.
  const other = replyGrammar(
    tables,
    EXPERTS.map((e) => ({ ...e, weight: 0.2 })),
  )
  const again = random(2, 'agreement')
  let weight = 0
  for (let i = 0; i < n; i++) {
    const { completion } = grammar.sample(again, situation)
    weight += Math.exp(
      other.logProbability(situation, completion, { curated: false }) -
        grammar.logProbability(situation, completion, { curated: false }),
    )
  }
  expect(weight / n).toBeCloseTo(1, 1)
  expect(Math.sqrt(square / n - (nats / n) ** 2)).toBeLessThan(6)
})

test('texts that the grammar never makes are impossible', () => {
  const situation = gold.readPrompt(plain)
  const log = (reply: string) => grammar.logProbability(situation, reply, { curated: false })
  expect(log(' Your kite arrives Friday.')).toBeGreaterThan(-12)
  for (const reply of [
    '',
    ' ',
    'Your kite arrives Friday.',
    ' Your kite arrives Friday',
    ' Your kite arrives Sunday.',
    ' Warmly, Larkspur. Your kite arrives Friday.',
    ' Your kite arrives Friday. We truly value you. We truly value you.',
  ])
    expect(log(reply)).toBe(Number.NEGATIVE_INFINITY)
})

test('the floor: a word-counting tokenizer, a training row refused, equal on two halves', () => {
  const rows = heldOutDemonstrations(1, 1200)
  const count = (completion: string) => completion.trim().split(' ').length + 1
  const floor = entropyFloor(rows, count)
  expect(floor.tokens).toBe(rows.reduce((sum, r) => sum + count(r.completion), 0))
  expect(floor.perReply).toBeCloseTo((floor.perToken * floor.tokens) / rows.length, 10)
  const halves = [rows.slice(0, 600), rows.slice(600)].map((half) => entropyFloor(half, count).perReply)
  expect(Math.abs(halves[0]! - halves[1]!)).toBeLessThan(0.7)
  const { rows: training, planted } = demonstrations(1, 500)
  const broken = training.filter((r) => planted.some((p) => p.id === r.id && p.fault === 'violation'))
  expect(() => entropyFloor(broken, count)).toThrow(/curated grammar/)
})
