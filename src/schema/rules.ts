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
