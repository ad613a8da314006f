// Suggestions of a model beside the pairs of a campaign: off by default, and what they do to people.
import { z } from 'zod'
import { type Endpoint, LEADS, OBSERVERS } from './endpoint.ts'

export const SuggestionRule = z.strictObject({
  /** Of the tasks, drawn by the seed for each pair and person: there it is hidden, which measures what showing it does. */
  hiddenShare: z.number().min(0.05).max(0.9).default(0.2),
  /** Shown once the answer is given, and not beside the task. */
  isAfter: z.boolean().default(false),
})
/** On the sides as shown; `score`: how probable it is that this side is better. */
export const Suggestion = z.object({ choice: z.enum(['left', 'right']), score: z.number(), source: z.string() })
const Range = z.object({ value: z.number(), low: z.number(), high: z.number() })

export const SUGGESTING = {
  'GET /api/projects/{project}/campaigns/{campaign}/suggestions': {
    summary: 'Whether people are shown suggestions, and how far they lean on them',
    access: OBSERVERS,
    answer: z.object({
      /** Null: nobody is shown any. */
      rule: SuggestionRule.nullable(),
      /** Pairs that somebody says something of. */
      items: z.number(),
      groups: z.array(
        z.object({
          shown: z.enum(['before', 'after', 'hidden']),
          answers: z.number(),
          /** Share of answers that agree with the suggestion, with its interval over pairs. */
          agreement: Range.nullable(),
        }),
      ),
      /** Shown before less hidden; null: fewer than ten answers of one of the two. */
      difference: Range.nullable(),
    }),
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/suggestions': {
    summary: 'Show people what a model says of the pairs; null: show it no more',
    access: LEADS,
    body: z.strictObject({ rule: SuggestionRule.nullable() }),
    answer: 'nothing',
  },
} satisfies Record<string, Endpoint>
