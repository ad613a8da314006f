// Adjudication: items on which people disagree, or which somebody flagged, are looked at blind and then settled. People are
// pseudonyms here but for leads. Rows are only added: a new word on an item takes the place of the one before.
import { z } from 'zod'
import { Choice, Highlights, Prompt } from '#schema'
import { type Endpoint, LEADS, Text } from './endpoint.ts'

/** Who settles what others disagree on. */
export const ADJUDICATORS = [...LEADS, 'reviewer'] as const

const Outcome = z.enum(['decided', 'subjective', 'excluded', 'reopened'])
const Strength = z.number().int().min(1).max(4)
const isWhole = ({ choice, strength }: { choice?: Choice | undefined; strength?: number | undefined }) =>
  (strength !== undefined) === (choice === 'left' || choice === 'right')
const WHOLE = { path: ['strength'], message: 'expected 1 to 4 with left or right, and none with another choice' }

const Because = z.array(z.enum(['flagged', 'split', 'cannot judge']))
const Case = z.object({
  id: z.string(),
  prompt: Prompt,
  left: z.string(),
  right: z.string(),
  /** Whether I judged it myself, and so leave it to others. */
  isOwn: z.boolean(),
  /** What I said before I saw what others said. */
  first: z.object({ choice: Choice, strength: z.number().nullable() }).nullable(),
  /** Null until then: who knows the answers does not look with their own eyes. */
  shown: z
    .object({
      item: z.string(),
      answers: z.array(
        z.object({
          person: z.string(),
          choice: Choice,
          strength: z.number().nullable(),
          reason: z.string(),
          /** On the sides as I have them. */
          highlights: Highlights,
          seconds: z.number(),
          at: z.string(),
        }),
      ),
      flags: z.array(z.object({ person: z.string(), note: z.string(), at: z.string() })),
      /** Newest first: the first one holds. */
      history: z.array(
        z.object({
          id: z.string(),
          by: z.string(),
          outcome: Outcome,
          choice: Choice.nullable(),
          strength: z.number().nullable(),
          reason: z.string(),
          at: z.string(),
        }),
      ),
    })
    .nullable(),
})

export const ADJUDICATION = {
  'GET /api/projects/{project}/campaigns/{campaign}/adjudication': {
    summary: 'What waits for an adjudicator, flagged and least certain first; and what was settled',
    access: ADJUDICATORS,
    answer: z.object({
      waiting: z.array(
        z.object({
          id: z.string(),
          opening: z.string(),
          because: Because,
          answers: z.number(),
          flags: z.number(),
          isOwn: z.boolean(),
        }),
      ),
      settled: z.array(
        z.object({
          id: z.string(),
          item: z.string(),
          opening: z.string(),
          outcome: Outcome,
          choice: Choice.nullable(),
          /** How the completion that was decided for begins: sides are each person's own. */
          better: z.string().nullable(),
          by: z.string(),
          reason: z.string(),
          at: z.string(),
        }),
      ),
    }),
  },
  'GET /api/projects/{project}/campaigns/{campaign}/items/{item}/adjudication': {
    summary: 'One item: blind until I have answered, then with everybody’s answers',
    access: ADJUDICATORS,
    answer: Case,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/first-look': {
    summary: 'My own answer to an item before I see the others’; the first one stays',
    access: ADJUDICATORS,
    body: z.strictObject({ choice: Choice, strength: Strength.optional() }).refine(isWhole, WHOLE),
    answer: Case,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/adjudication': {
    summary:
      'Settle an item, or put it back: decided, subjective (its distribution holds), excluded (it is wrong), reopened',
    access: ADJUDICATORS,
    body: z
      .strictObject({
        key: z.uuid(),
        /** The newest adjudication that I saw; 409 where somebody was faster. */
        before: z.uuid().nullable(),
        outcome: Outcome,
        choice: Choice.exclude(['cannot-judge']).optional(),
        strength: Strength.optional(),
        reason: Text(4000),
      })
      .refine(({ outcome, choice }) => (choice !== undefined) === (outcome === 'decided'), {
        path: ['choice'],
        message: 'expected a choice with decided, and none with another outcome',
      })
      .refine(isWhole, WHOLE),
    answer: Case,
  },
} satisfies Record<string, Endpoint>
