import { expect, test } from 'vitest'
import type { Demonstration } from '#schema'
import { type Check, type CheckOptions, checkRows } from './index.ts'

const TOPICS = ['parcel', 'refund', 'invoice', 'password', 'delivery window', 'warranty', 'subscription', 'voucher']

/** Rows about different things, so that none is like another. */
function sound(count: number): Demonstration[] {
  return Array.from({ length: count }, (_, i) => {
    const topic = `${TOPICS[i % TOPICS.length]} ${String.fromCharCode(97 + (i % 26))}${i}`
    return {
      id: `r${i}`,
      group: `customer ${i % 20}`,
      prompt: `I have trouble with my ${topic}; since day${i} nobody${i} could say when${i} it ends${i}.`,
      completion: `Let us look at the ${topic} together: first${i} open${i} the page${i}, then${i} tell me what it shows.`,
    }
  })
}

function reasonsOf(
  rows: Demonstration[],
  options: Partial<CheckOptions<'demonstrations'>> = {},
): Record<string, Check[]> {
  const report = checkRows(rows, { kind: 'demonstrations', ...options })
  expect(report.kept.length + report.setAside.length).toBe(rows.length)
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  return Object.fromEntries(report.setAside.map(({ row, reasons }) => [row.id, reasons.map((r) => r.check)]))
}

test('sound rows are kept', () => {
  expect(reasonsOf(sound(200))).toEqual({})
})

test('each planted fault is found, and nothing else', () => {
  const rows = sound(60)
  const [a, b] = rows as [Demonstration, Demonstration]
  const asked = (row: Demonstration) => row.prompt as string
  rows.push({ ...a, id: 'same', prompt: `${asked(a)} ` })
  rows.push({
    id: 'near',
    prompt: `${asked(b)} So I sit here and wait for an answer, as I have done all week, and I would be glad of one.`,
    completion: b.completion,
  })
  rows.push({ ...rows[2]!, id: 'near2', completion: rows[2]!.completion.replace('what it shows', 'what you see') })
  rows.push({ id: 'mail', prompt: 'Write to me.', completion: 'We wrote to jo.smith@mail.example.org yesterday.' })
  rows.push({
    id: 'token',
    prompt: 'Is that all you have to say',
    completion: 'Yes<|im_end|> that is the whole of it.',
  })
  rows.push({ id: 'role', prompt: 'Could somebody answer this one', completion: 'Assistant: somebody could, surely.' })
  rows.push({
    id: 'rule',
    prompt: 'May I have my money back now',
    completion: 'I promise you a full refund this very day.',
  })
  const constraints = [
    {
      name: 'no promised refund',
      broken: (row: Demonstration) => (/promise.*refund/.test(row.completion) ? 'promises a refund' : undefined),
    },
  ]
  expect(reasonsOf(rows, { constraints, similarity: 0.6, policy: { length: 'off' } })).toEqual({
    same: ['exact-duplicate'],
    near2: ['near-duplicate'],
    mail: ['personal-data'],
    token: ['template'],
    role: ['template'],
    rule: ['constraint'],
  })
})

test('a wrong row is never the original of a duplicate', () => {
  const [row] = sound(1) as [Demonstration]
  const long = { ...row, id: 'long', completion: `${row.completion} <|endoftext|>` }
  const report = checkRows([long, row], { kind: 'demonstrations', similarity: 0.7 })
  expect(report.kept).toEqual([row])
  expect(report.setAside[0]!.reasons.map((r) => r.check)).toEqual(['template', 'near-duplicate'])
})

test('rows that leak into held-out data or repeat evaluation texts are set aside', () => {
  const rows = sound(50)
  const heldOut = [
    { group: 'customer 3', prompt: 'Something else entirely, not asked before by any other person here.' },
    { group: 'another', prompt: `  ${(rows[11]!.prompt as string).toUpperCase()}` },
  ]
  const evaluation = [{ prompt: 'A question of its own', completion: `Well. ${rows[17]!.completion}` }]
  const reasons = reasonsOf(rows, { heldOut, evaluation, contaminationWords: 8 })
  expect(reasons).toEqual({
    r3: ['leak-group'],
    r23: ['leak-group'],
    r43: ['leak-group'],
    r11: ['leak-text'],
    r17: ['contamination'],
  })
})

test('within one file, training rows must not leak into the other splits', () => {
  const [a, b, c] = sound(3) as [Demonstration, Demonstration, Demonstration]
  const rows = [
    { ...a, split: 'train' },
    { ...b, group: a.group!, split: 'test' },
    { ...c, split: 'validation' },
  ]
  expect(reasonsOf(rows)).toEqual({ r0: ['leak-group'] })
})

test('a policy turns findings into notes or off', () => {
  const [row] = sound(1) as [Demonstration]
  const rows = [row, { ...row, id: 'again' }]
  const noted = checkRows(rows, { kind: 'demonstrations', policy: { 'exact-duplicate': 'note' } })
  expect(noted.kept).toHaveLength(2)
  expect(noted.notes.map((n) => n.row.id)).toEqual(['again'])
  expect(noted.counts).toEqual({ 'exact-duplicate': 1 })
  expect(
    checkRows(rows, { kind: 'demonstrations', policy: { 'exact-duplicate': 'off', 'near-duplicate': 'off' } }).counts,
  ).toEqual({})
})

test('token budget and odd lengths', () => {
  const rows = [...sound(40), { id: 'long', prompt: 'Tell all', completion: 'word '.repeat(9000) }]
  const countTokens = (text: string) => text.split(/\s+/).length
  expect(reasonsOf(rows, { countTokens, tokenBudget: 500 })).toEqual({ long: ['token-budget'] })
  expect(checkRows(rows, { kind: 'demonstrations' }).notes.map((n) => n.row.id)).toEqual(['long'])
  expect(() => checkRows(rows, { kind: 'demonstrations', tokenBudget: 5 })).toThrow('expected a tokenizer')
})

test('turns out of order', () => {
  const turn = (role: 'system' | 'user' | 'assistant', content = `${role} speaks`) => ({ role, content })
  const wrong = [
    [turn('user'), turn('user')],
    [turn('user'), turn('system')],
    [turn('system'), turn('assistant'), turn('user')],
    [turn('system')],
  ]
  const report = checkRows(
    wrong.map((prompt) => ({ prompt })),
    { kind: 'prompts', policy: { 'near-duplicate': 'off' } },
  )
  expect(report.counts.roles).toBe(4)
  expect(
    checkRows([{ prompt: [turn('system'), turn('user'), turn('assistant'), turn('user', 'more')] }], {
      kind: 'prompts',
    }).kept,
  ).toHaveLength(1)
})

test('comparisons and judgements that contradict each other', () => {
  const pair = { prompt: 'p', chosen: 'one answer', rejected: 'the other' }
  const comparisons = [
    pair,
    { ...pair, chosen: pair.rejected, rejected: pair.chosen },
    { ...pair },
    { prompt: 'q', chosen: 'x', rejected: ' x' },
  ]
  expect(checkRows(comparisons, { kind: 'comparisons' }).counts).toEqual({
    contradiction: 1,
    'exact-duplicate': 1,
    'identical-sides': 1,
  })
  const seen = { item: 'i', annotator: 'ann', left: 'l', right: 'r', choice: 'left' as const }
  const judgements = [
    seen,
    { ...seen, left: 'r', right: 'l', choice: 'right' as const },
    { ...seen, choice: 'right' as const },
    { ...seen, annotator: 'bo' },
  ]
  expect(checkRows(judgements, { kind: 'judgements' }).counts).toEqual({ 'exact-duplicate': 1, contradiction: 1 })
})
