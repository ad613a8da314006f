import { expect, test } from 'vitest'
import { ConfigError } from '#errors'
import { checkGate, decideRelease, Gate, gatesOfObjective } from './gates.ts'

const statistics = {
  sft: { heldOutLoss: 0.35, floor: 0.32 },
  evaluation: {
    winRate: { value: 0.62, low: 0.55, high: 0.69, n: 400 },
    criteria: [{ name: 'fact', change: { value: -0.01, low: -0.06, high: 0.04, n: 500 } }],
  },
}
const gate = (over: Partial<Gate>): Gate => ({
  name: 'wins',
  statistic: 'evaluation.winRate',
  bound: 'low',
  comparison: 'above',
  value: 0.5,
  ...over,
})

test('it is the end of the interval that must pass, and the evidence says so', () => {
  expect(checkGate(gate({}), statistics)).toEqual({
    name: 'wins',
    passed: true,
    evidence: 'evaluation.winRate is 0.62 [0.55, 0.69], n = 400, low end 0.55: above 0.5',
    rule: 'low end of evaluation.winRate above 0.5',
  })
  const strict = checkGate(gate({ value: 0.6 }), statistics)
  expect([strict.passed, strict.evidence]).toEqual([
    false,
    'evaluation.winRate is 0.62 [0.55, 0.69], n = 400, low end 0.55: not above 0.6',
  ])
})

test('rows of a list are entered by name; a limit may be another statistic', () => {
  const fact = gate({ statistic: 'evaluation.criteria.fact.change', value: -0.05 })
  expect(checkGate(fact, statistics).passed).toBe(false)
  const floor = Gate.parse({
    name: 'sft',
    statistic: 'sft.heldOutLoss',
    bound: 'value',
    comparison: 'at-most',
    value: { statistic: 'sft.floor', times: 1.15 },
  })
  expect(checkGate(floor, statistics)).toMatchObject({
    passed: true,
    evidence: 'sft.heldOutLoss is 0.35: at most 0.368',
    rule: 'sft.heldOutLoss at most 1.15 times sft.floor',
  })
})

test('what was not measured does not pass, and a point has no ends', () => {
  expect(checkGate(gate({ statistic: 'evaluation.nothing' }), statistics).evidence).toBe(
    'evaluation.nothing was not measured',
  )
  expect(checkGate(gate({ statistic: 'sft.floor' }), statistics).evidence).toBe('sft.floor is 0.32, which has no low')
  expect(checkGate(gate({ statistic: 'constructor.name' }), statistics).passed).toBe(false)
  const nan = { evaluation: { winRate: { value: NaN, low: NaN, high: NaN } } }
  expect(checkGate(gate({ comparison: 'below' }), nan).passed).toBe(false)
})

test('released only if every gate passes; reasons name those that did not', () => {
  expect(decideRelease([gate({})], statistics)).toMatchObject({ verdict: 'released', reasons: [] })
  const refused = decideRelease([gate({}), gate({ name: 'wins clearly', value: 0.6 })], statistics)
  expect(refused.verdict).toBe('refused')
  expect(refused.reasons).toHaveLength(1)
  expect(refused.reasons[0]).toMatch(/^wins clearly: .*not above 0.6$/)
  expect(() => decideRelease([], statistics)).toThrow(ConfigError)
})

test('targets of an objective are gates', () => {
  const criterion = {
    name: 'fact',
    definition: 'd',
    good: 'g',
    bad: 'b',
    borderline: 'l',
    scale: { low: 0, high: 1 },
    weight: 1,
    owner: 'o',
    source: 'user promise' as const,
    constraint: false,
    targets: [
      {
        statistic: 'change' as const,
        bound: 'low' as const,
        comparison: 'above' as const,
        value: -0.05,
        level: 0.95,
        suite: 'natural',
      },
    ],
  }
  const [target] = gatesOfObjective({ name: 'o', version: '1', summary: 's', criteria: [criterion] })
  const passed = (low: number) =>
    checkGate(target!, { natural: { fact: { change: { value: 0, low, high: 1 } } } }).passed
  expect([passed(-0.04), passed(-0.06)]).toEqual([true, false])
})
