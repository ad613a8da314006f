// Gates: rules over statistics, as data. What must pass is the end of an interval, not the point; a statistic that was not measured
// fails. Left out: waivers, which need a name, a reason and an expiry, and so belong to whoever keeps releases.
import { z } from 'zod'
import { ConfigError } from '#errors'
import type { GateResult, Objective } from '#schema'
import type { Levelled } from './levels.ts'

const Bound = z.enum(['value', 'low', 'high'])

/** What a statistic is held against: a number, or another statistic times a factor plus an offset. */
const Against = z.union([
  z.number(),
  z.strictObject({
    statistic: z.string(),
    bound: Bound.default('value'),
    times: z.number().default(1),
    plus: z.number().default(0),
  }),
])

export const Gate = z
  .strictObject({
    name: z.string().min(1),
    statistic: z
      .string()
      .min(1)
      .describe('path into the statistics, by dots; a list is entered by the name of its row'),
    bound: Bound.describe('which end of the interval is compared'),
    comparison: z.enum(['above', 'below', 'at-least', 'at-most']),
    value: Against,
    level: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe('coverage that the interval must have; without it, that at which it was measured'),
  })
  .refine(({ bound, value, level }) => level === undefined || readsAnEnd(bound, value), {
    path: ['level'],
    message: 'would be ignored: a point has no level',
  })
export type Gate = z.infer<typeof Gate>
export type Verdict = { verdict: 'released' | 'refused'; gates: GateResult[]; reasons: string[] }

/** Released if and only if every gate passes; no gate at all is a ConfigError, since it would release anything. */
export function decideRelease(gates: readonly Gate[], statistics: unknown): Verdict {
  if (gates.length === 0) throw new ConfigError('a release needs at least one gate, got none')
  const results = gates.map((gate) => checkGate(gate, statistics))
  const failed = results.filter((result) => !result.passed)
  return {
    verdict: failed.length === 0 ? 'released' : 'refused',
    gates: results,
    reasons: failed.map(({ name, evidence }) => `${name}: ${evidence}`),
  }
}

/** One rule against nested statistics: numbers, or intervals {value, low, high, n} that may bear their level. */
export function checkGate(gate: Gate, statistics: unknown): GateResult {
  const { name, comparison, level } = gate
  const rule = ruleOf(gate)
  const fails = (evidence: string): GateResult => ({ name, passed: false, evidence, rule })
  const measured = read(statistics, { ...gate, level })
  if ('problem' in measured) return fails(measured.problem)
  const limit = limitOf(gate, statistics)
  if ('problem' in limit) return fails(limit.problem)
  const passed = compare(measured.number, comparison, limit.number)
  return {
    name,
    passed,
    evidence: `${measured.told}: ${passed ? '' : 'not '}${words[comparison]} ${say(limit.number)}`,
    rule,
  }
}

/** The targets of an objective as gates over `<suite>.<criterion>.<statistic>`. */
export function gatesOfObjective({ criteria }: Objective): Gate[] {
  return criteria.flatMap(({ name, targets }) =>
    targets.map(({ suite, statistic, bound, comparison, value, level }) => ({
      name: `${name}: ${statistic} on ${suite}`,
      statistic: `${suite}.${name}.${statistic}`,
      bound,
      comparison,
      value,
      level,
    })),
  )
}

const words = { above: 'above', below: 'below', 'at-least': 'at least', 'at-most': 'at most' } as const

function ruleOf({ statistic, bound, comparison, value, level }: Gate): string {
  const limit =
    typeof value === 'number'
      ? say(value)
      : [
          value.times === 1 ? '' : `${value.times} times `,
          value.statistic,
          value.bound === 'value' ? '' : ` (${endOf(value.bound, level)})`,
          value.plus === 0 ? '' : ` plus ${value.plus}`,
        ].join('')
  return `${bound === 'value' ? '' : `${endOf(bound, level)} of `}${statistic} ${words[comparison]} ${limit}`
}

function endOf(bound: 'low' | 'high', level: number | undefined): string {
  return `${bound} end${level === undefined ? '' : ` of the ${percent(level)} interval`}`
}

function compare(measured: number, comparison: Gate['comparison'], limit: number): boolean {
  switch (comparison) {
    case 'above':
      return measured > limit
    case 'below':
      return measured < limit
    case 'at-least':
      return measured >= limit
    case 'at-most':
      return measured <= limit
    default:
      throw new Error(`unknown comparison ${comparison satisfies never}`)
  }
}

type Reading = { number: number; told: string } | { problem: string }

function limitOf({ value, level }: Gate, statistics: unknown): Reading {
  if (typeof value === 'number') return { number: value, told: say(value) }
  const other = read(statistics, { ...value, level })
  if ('problem' in other) return { problem: `the limit: ${other.problem}` }
  return { ...other, number: other.number * value.times + value.plus }
}

/** A plain number serves as each of its ends only when the point is asked for: a point has no interval to hide behind. */
function read(
  statistics: unknown,
  asked: { statistic: string; bound: z.infer<typeof Bound>; level: number | undefined },
): Reading {
  const { statistic, bound, level } = asked
  const found = find(statistics, statistic)
  if (found === undefined) return { problem: `${statistic} was not measured` }
  const held = bound === 'value' || level === undefined || !isRecord(found) ? found : endsAt(found, level)
  if (held === undefined)
    return {
      problem: `${statistic} ${levelHad(found as Levelled)}, and the rule asks for ${percent(level!)}: ${REMEDY}`,
    }
  const number =
    typeof held === 'number' ? (bound === 'value' ? held : undefined) : isRecord(held) ? held[bound] : undefined
  if (typeof number !== 'number' || !Number.isFinite(number))
    return { problem: `${statistic} is ${describe(held)}, which has no ${bound}` }
  const end = bound === 'value' ? '' : `, ${bound} end ${say(number)}`
  return { number, told: `${statistic} is ${describe(held)}${end}${underOtherWeights(held)}` }
}

const REMEDY = 'evaluate again at that level'

/** The interval with its ends at that level, if it was measured at it. */
function endsAt(found: Levelled, level: number): Record<string, unknown> | undefined {
  if (found.level === level) return found
  const ends = found.further?.find((other) => other.level === level)
  return ends && { ...found, ...ends }
}

function levelHad({ level, further = [], evaluation }: Levelled & { evaluation?: string }): string {
  const levels = [...(level === undefined ? [] : [level]), ...further.map((ends) => ends.level)].map(percent)
  const where = evaluation === undefined ? '' : ` in ${evaluation}`
  return levels.length === 0
    ? `was measured at a level that is not told${where}`
    : `was measured at ${levels.join(' and ')}${where}`
}

function find(statistics: unknown, path: string): unknown {
  let found: unknown = statistics
  for (const key of path.split('.')) {
    if (Array.isArray(found)) found = found.find((row: unknown) => isRecord(row) && row.name === key)
    else if (isRecord(found) && Object.hasOwn(found, key)) found = found[key]
    else return undefined
  }
  return found
}

function describe(found: unknown): string {
  if (typeof found === 'number') return say(found)
  if (!isRecord(found) || typeof found.value !== 'number') return 'not a number or an interval'
  const { value, low, high, level } = found
  const at = typeof level === 'number' ? ` at ${percent(level)}` : ''
  const ends = typeof low === 'number' && typeof high === 'number' ? ` [${say(low)}, ${say(high)}]${at}` : ''
  return `${say(value)}${ends}${typeof found.n === 'number' ? `, n = ${found.n}` : ''}`
}

/** Of a figure over weighted criteria: its range where each weight is a fifth lighter or heavier, and whether the same side wins. */
function underOtherWeights(held: unknown): string {
  if (!isRecord(held) || typeof held.holds !== 'boolean' || !isRecord(held.range)) return ''
  const { low, high } = held.range
  if (typeof low !== 'number' || typeof high !== 'number') return ''
  const so = held.holds ? 'the same side wins' : 'NOT always the same side wins'
  return `, under weights a fifth lighter or heavier ${say(low)} to ${say(high)} (${so})`
}

function say(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))
}

function percent(level: number): string {
  return `${Number((level * 100).toFixed(4))}%`
}

function readsAnEnd(bound: z.infer<typeof Bound>, value: z.infer<typeof Against>): boolean {
  return bound !== 'value' || (typeof value !== 'number' && value.bound !== 'value')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
