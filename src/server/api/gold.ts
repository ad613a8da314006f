// Gold items and qualification, for leads. Annotators are never told what is gold, but for the pairs of a qualification that
// they have failed.
import { z } from 'zod'
import { Prompt } from '#schema'
import { type Endpoint, LEADS } from './endpoint.ts'

export const GoldRate = z
  .number()
  .min(0)
  .max(0.5)
  .refine((rate) => rate === 0 || rate >= 0.001, 'expected 0, or at least 0.001')
export const Qualification = z.strictObject({
  /** Gold items in the round. */
  items: z.number().int().min(1).max(200),
  mark: z.union([
    z.strictObject({ right: z.number().positive().max(200) }),
    /** A 95% Wilson bound of the share of right answers. */
    z.strictObject({ low: z.number().gt(0).lt(1) }),
  ]),
  /** After reading the guideline once more, on items not met before. */
  mayRetry: z.boolean(),
})

export const GOLD = {
  'GET /api/projects/{project}/campaigns/{campaign}/items': {
    summary: 'Items of a campaign in order, twenty at a time; gold ones with how many got them right',
    access: LEADS,
    query: z.object({
      from: z.coerce.number().int().min(0).max(1_000_000).default(0),
      only: z.enum(['gold']).optional(),
    }),
    answer: z.object({
      items: z.array(
        z.object({
          id: z.string(),
          item: z.string(),
          prompt: Prompt,
          a: z.string(),
          b: z.string(),
          judged: z.number(),
          gold: z.enum(['a', 'b']).nullable(),
          note: z.string().nullable(),
          right: z.number().nullable(),
        }),
      ),
      isLast: z.boolean(),
    }),
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/gold': {
    summary: 'The answer is known: the item measures people from now on; null: no longer',
    access: LEADS,
    body: z.strictObject({ better: z.enum(['a', 'b']).nullable(), note: z.string().trim().max(2000).default('') }),
    answer: 'nothing',
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/gold': {
    summary: 'How often a gold item is mixed in, and the round that stands before the first task',
    access: LEADS,
    body: z.strictObject({ goldRate: GoldRate, qualification: Qualification.nullable() }),
    answer: 'nothing',
  },
} satisfies Record<string, Endpoint>
