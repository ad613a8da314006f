// Rule terms of a reward: what a rule can know without learning. A file holds a JSON array of them; each is logged by
// its name beside the learned reward.
import { z } from 'zod'

const named = {
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens'),
  weight: z.number().describe('factor in the reward; negative to punish'),
}

export const RuleTerm = z.discriminatedUnion('kind', [
  z.strictObject({
    ...named,
    kind: z.literal('regex').describe('1 where the completion matches, else 0'),
    pattern: z.string().min(1),
    flags: z
      .string()
      .regex(/^[imsuv]*$/, 'expected some of i, m, s, u, v')
      .default(''),
  }),
  z.strictObject({
    ...named,
    kind: z
      .literal('length')
      .describe('minus the share by which the completion is longer than `most` or shorter than `least`, in characters'),
    least: z.number().int().nonnegative().default(0),
    most: z.number().int().positive(),
  }),
  z.strictObject({
    ...named,
    kind: z.literal('json-schema').describe('1 where the completion is JSON that the schema in `file` accepts, else 0'),
    file: z.string(),
  }),
  z.strictObject({
    ...named,
    kind: z
      .literal('module')
      .describe('a TypeScript or JavaScript module: (row: {prompt, completion, finished}) => number'),
    file: z.string(),
    export: z.string().default('default'),
  }),
])
export type RuleTerm = z.infer<typeof RuleTerm>

/** Of a text that holds them; `fault`: what is wrong with it, by term and field. */
export function ruleTermsOf(text: string): { terms: RuleTerm[] } | { fault: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    return { fault: `expected a JSON array of rule terms: ${String(cause)}` }
  }
  const parsed = z
    .array(RuleTerm, 'expected a JSON array of rule terms')
    .min(1, 'expected at least one rule term, got none')
    .safeParse(value)
  if (!parsed.success) return { fault: parsed.error.issues.map((issue) => faultOf(issue, value)).join('; ') }
  const terms = parsed.data
  const names = terms.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i || name === 'learned')
  if (twice !== undefined) return { fault: `expected each name once and none called learned, got ${twice}` }
  const faults = terms.flatMap((term) => {
    const compiled = term.kind === 'regex' ? compiledOrFault(term) : undefined
    return typeof compiled === 'string' ? [compiled] : []
  })
  return faults.length > 0 ? { fault: faults.join('; ') } : { terms }
}

/** A term by its place from 1 and, where it has one, its name. */
function faultOf({ path, message }: z.core.$ZodIssue, value: unknown): string {
  const [place, ...field] = path
  if (typeof place !== 'number') return message
  const { name } = ((value as unknown[])[place] ?? {}) as { name?: unknown }
  const called = typeof name === 'string' ? ` (${name.slice(0, 40)})` : ''
  return [`term ${place + 1}${called}`, ...(field.length > 0 ? [field.map(String).join('.')] : []), message].join(': ')
}

function compiledOrFault({ name, pattern, flags }: { name: string; pattern: string; flags: string }): RegExp | string {
  try {
    return new RegExp(pattern, flags)
  } catch (cause) {
    return `${name}: expected a regular expression, got ${pattern}: ${String(cause)}`
  }
}
