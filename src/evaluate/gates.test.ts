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

test('a rule that asks for a level reads the ends of that level, and is refused where it was not measured', () => {
  const change = {
    value: 0.01,
    low: -0.03,
    high: 0.05,
    n: 40,
    level: 0.95,
    further: [{ level: 0.9, low: -0.02, high: 0.04 }],
  }
  const measured = {
    natural: { fact: { change: { ...change, evaluation: 'evaluation.json' }, old: { value: 1, low: 0, high: 2 } } },
  }
  const at = (level: number | undefined, over: Partial<Gate> = {}) =>
    checkGate(gate({ statistic: 'natural.fact.change', value: -0.025, level, ...over }), measured)
  expect(at(0.9)).toMatchObject({
    passed: true,
    evidence: 'natural.fact.change is 0.01 [-0.02, 0.04] at 90%, n = 40, low end -0.02: above -0.025',
    rule: 'low end of the 90% interval of natural.fact.change above -0.025',
  })
  expect(at(undefined)).toMatchObject({
    passed: false,
    evidence: 'natural.fact.change is 0.01 [-0.03, 0.05] at 95%, n = 40, low end -0.03: not above -0.025',
  })
  expect(at(0.95).evidence).toBe(at(undefined).evidence)
  expect(at(0.99)).toMatchObject({
    passed: false,
    evidence:
      'natural.fact.change was measured at 95% and 90% in evaluation.json, and the rule asks for 99%: evaluate again at that level',
  })
  expect(at(0.99, { statistic: 'natural.fact.old' }).evidence).toMatch(
    /^natural\.fact\.old was measured at a level that is not told, and/,
  )
  const limit = { statistic: 'natural.fact.change', bound: 'high' as const, times: 1, plus: 0 }
  const against = { statistic: 'natural.fact.old', bound: 'value' as const, value: limit }
  expect(at(0.9, against).evidence).toBe('natural.fact.old is 1 [0, 2]: above 0.04')
  expect(at(0.99, against).evidence).toMatch(/^the limit: natural\.fact\.change was measured at 95% and 90%/)
  expect(() => Gate.parse(gate({ bound: 'value', level: 0.9 }))).toThrow(/would be ignored: a point has no level/)
})

test('evidence of a weighted figure says what becomes of it under other weights', () => {
  const weighted = { value: 0.6, low: 0.55, high: 0.65, n: 40, level: 0.95, range: { low: 0.58, high: 0.61 } }
  const evidence = (holds: boolean) =>
    checkGate(gate({ statistic: 'weighted', value: 0.5 }), { weighted: { ...weighted, holds } }).evidence
  expect(evidence(true)).toBe(
    'weighted is 0.6 [0.55, 0.65] at 95%, n = 40, low end 0.55, under weights a fifth lighter or heavier 0.58 to 0.61 (the same side wins): above 0.5',
  )
  expect(evidence(false)).toContain('0.58 to 0.61 (NOT always the same side wins): above 0.5')
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
        level: 0.9,
        suite: 'natural',
      },
    ],
  }
  const [target] = gatesOfObjective({ name: 'o', version: '1', summary: 's', criteria: [criterion] })
  const passed = (low: number) =>
    checkGate(target!, { natural: { fact: { change: { value: 0, low, high: 1, level: 0.9 } } } }).passed
  expect([passed(-0.04), passed(-0.06)]).toEqual([true, false])
  const wider = { natural: { fact: { change: { value: 0, low: -0.04, high: 1, level: 0.8 } } } }
  expect(checkGate(target!, wider).passed).toBe(false)
})
