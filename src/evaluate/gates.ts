// Gates: rules over statistics, as data. What must pass is the end of an interval, not the point; a statistic that was not measured
// fails. Left out: waivers, which need a name, a reason and an expiry, and so belong to whoever keeps releases.
import { z } from 'zod'
import { ConfigError } from '#errors'
import type { GateResult, Objective } from '#schema'

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

export const Gate = z.strictObject({
  name: z.string().min(1),
  statistic: z.string().min(1).describe('path into the statistics, by dots; a list is entered by the name of its row'),
  bound: Bound.describe('which end of the interval is compared'),
  comparison: z.enum(['above', 'below', 'at-least', 'at-most']),
  value: Against,
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

/** One rule against nested statistics: numbers, or intervals {value, low, high, n}. */
export function checkGate(gate: Gate, statistics: unknown): GateResult {
  const rule = ruleOf(gate)
  const found = find(statistics, gate.statistic)
  const fails = (evidence: string): GateResult => ({ name: gate.name, passed: false, evidence, rule })
  if (found === undefined) return fails(`${gate.statistic} was not measured`)
  const measured = read(found, gate.bound)
  if (measured === undefined) return fails(`${gate.statistic} is ${describe(found)}, which has no ${gate.bound}`)
  const limit = limitOf(gate.value, statistics)
  if (limit === undefined)
    return fails(`${(gate.value as { statistic: string }).statistic}, the limit, was not measured`)
  const passed = compare(measured, gate.comparison, limit)
  const end = gate.bound === 'value' ? '' : `, ${gate.bound} end ${say(measured)}`
  return {
    name: gate.name,
    passed,
    evidence: `${gate.statistic} is ${describe(found)}${end}: ${passed ? '' : 'not '}${words[gate.comparison]} ${say(limit)}`,
    rule,
  }
}

/** The targets of an objective as gates over `<suite>.<criterion>.<statistic>`. */
export function gatesOfObjective({ criteria }: Objective): Gate[] {
  return criteria.flatMap(({ name, targets }) =>
    targets.map(({ suite, statistic, bound, comparison, value }) => ({
      name: `${name}: ${statistic} on ${suite}`,
      statistic: `${suite}.${name}.${statistic}`,
      bound,
      comparison,
      value,
    })),
  )
}

const words = { above: 'above', below: 'below', 'at-least': 'at least', 'at-most': 'at most' } as const

function ruleOf({ statistic, bound, comparison, value }: Gate): string {
  const limit =
    typeof value === 'number'
      ? say(value)
      : [
          value.times === 1 ? '' : `${value.times} times `,
          value.statistic,
          value.bound === 'value' ? '' : ` (${value.bound} end)`,
          value.plus === 0 ? '' : ` plus ${value.plus}`,
        ].join('')
  return `${bound === 'value' ? '' : `${bound} end of `}${statistic} ${words[comparison]} ${limit}`
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

function limitOf(value: Gate['value'], statistics: unknown): number | undefined {
  if (typeof value === 'number') return value
  const other = read(find(statistics, value.statistic), value.bound)
  return other === undefined ? undefined : other * value.times + value.plus
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

/** A plain number serves as each of its ends only when the point is asked for: a point has no interval to hide behind. */
function read(found: unknown, bound: z.infer<typeof Bound>): number | undefined {
  const number =
    typeof found === 'number' ? (bound === 'value' ? found : undefined) : isRecord(found) ? found[bound] : undefined
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function describe(found: unknown): string {
  if (typeof found === 'number') return say(found)
  if (!isRecord(found) || typeof found.value !== 'number') return 'not a number or an interval'
  const ends =
    typeof found.low === 'number' && typeof found.high === 'number' ? ` [${say(found.low)}, ${say(found.high)}]` : ''
  return `${say(found.value)}${ends}${typeof found.n === 'number' ? `, n = ${found.n}` : ''}`
}

function say(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
