// What a row shows by itself: blank texts, turns out of order, template tokens, personal data, broken constraints, length.
import type { Check, Constraint, Reason } from './check.ts'
import type { Kind, RowOf } from './normalise.ts'
import { findPersonal } from './personal.ts'
import { type ComparedTexts, folded } from './texts.ts'

/** Lengths whose logarithm lies further than this many robust standard deviations from the median are outliers. */
const OUTLIER_DEVIATIONS = 6
/** Fewer rows have no usual length. */
const LEAST_ROWS = 20
const CONTROL = /<\|[a-z_]{2,30}\|>|\[\/?INST\]|<\/?s>|<(?:start|end)_of_turn>|<<\/?SYS>>/i
const ROLE_LABEL = /^\s*(?:assistant|user|system|human|ai|bot)\s*:/i

/** What a row shows by itself. Patterns of personal data are slow: they are not looked for where nobody asks. */
export function* ownReasons<R extends RowOf[Kind]>(
  row: R,
  texts: ComparedTexts,
  { constraints, isOn }: { constraints: Constraint<R>[]; isOn: (check: Check) => boolean },
): Generator<Reason> {
  const { prompt, replies, whole } = texts
  if ((row.prompt !== undefined && !prompt.trim()) || replies.some((reply) => !reply.trim()))
    yield { check: 'empty', detail: 'a text is blank' }
  const order = Array.isArray(row.prompt) ? wrongTurn(row.prompt) : undefined
  if (order) yield { check: 'roles', detail: order }
  const token = whole.includes('<') || whole.includes('[') ? CONTROL.exec(whole)?.[0] : undefined
  if (token) yield { check: 'template', detail: `has the control token ${token}` }
  const label = replies.map((reply) => ROLE_LABEL.exec(reply)?.[0].trim()).find(Boolean)
  if (label) yield { check: 'template', detail: `a completion begins with ${label}` }
  const personal = isOn('personal-data') ? findPersonal(whole) : []
  if (personal.length)
    yield { check: 'personal-data', detail: personal.map(({ kind, masked }) => `${kind} ${masked}`).join(', ') }
  if (replies.length === 2 && folded(replies[0]!) === folded(replies[1]!))
    yield { check: 'identical-sides', detail: 'both completions are the same' }
  for (const { name, broken } of constraints) {
    const why = broken(row)
    if (why !== undefined) yield { check: 'constraint', detail: `${name}: ${why}` }
  }
}

function wrongTurn(turns: { role: string }[]): string | undefined {
  for (const [i, { role }] of turns.entries()) {
    const before = turns[i - 1]?.role
    if (role === 'system' && i > 0) return `turn ${i + 1} is system; it must be the first`
    if (role === 'user' && before === 'user') return `turns ${i} and ${i + 1} are both user`
    if (role === 'assistant' && (before === undefined || before === 'system' || before === 'assistant'))
      return `turn ${i + 1} is assistant with no user before it`
    if (role === 'tool' && before !== 'assistant' && before !== 'tool')
      return `turn ${i + 1} is tool with no assistant before it`
  }
  const last = turns.at(-1)?.role
  return last === 'user' || last === 'tool' ? undefined : `the last turn is ${last}; it must be user or tool`
}

export type LengthLimits = { low: number; high: number; median: number }

export function lengthLimits(lengths: Float64Array): LengthLimits {
  if (lengths.length < LEAST_ROWS) return { low: 0, high: Infinity, median: 0 }
  const logs = lengths.map((n) => Math.log(n + 1)).sort()
  const median = middle(logs)
  const deviation = middle(logs.map((v) => Math.abs(v - median)).sort())
  // 1.4826: the median absolute deviation of a normal distribution, in standard deviations. A floor of 10 % keeps
  // rows of nearly one length from accusing each other.
  const reach = OUTLIER_DEVIATIONS * Math.max(1.4826 * deviation, 0.1)
  return { low: Math.exp(median - reach) - 1, high: Math.exp(median + reach) - 1, median: Math.exp(median) - 1 }
}

export function* lengthReasons(
  length: number,
  { low, high, median, tokenBudget, unit }: LengthLimits & { tokenBudget: number | undefined; unit: string },
): Generator<Reason> {
  if (tokenBudget !== undefined && length > tokenBudget)
    yield { check: 'token-budget', detail: `${length} ${unit}, over the budget of ${tokenBudget}` }
  else if (length < low || length > high)
    yield { check: 'length', detail: `${length} ${unit}; the median is ${Math.round(median)}` }
}

/** Of sorted numbers; 0 for none. */
export function middle(sorted: Float64Array): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
