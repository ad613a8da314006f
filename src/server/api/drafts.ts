// What a lead has begun to write in an editor and not saved as a version: kept for that person alone, on any device.
import { z } from 'zod'
import { ObjectiveDraft } from '#schema'
import { type Endpoint, LEADS } from './endpoint.ts'
import { ObjectiveHash } from './objective.ts'

const OfObjective = z.strictObject({
  objective: ObjectiveDraft,
  /** The hash of what was there when it was begun; null: nothing. */
  from: ObjectiveHash.nullable(),
})
const OfGuideline = z.strictObject({
  text: z.string().max(100_000),
  /** The number of what was newest when it was begun; null: there was none. */
  from: z.number().int().positive().nullable(),
})
const Kept = z.object({ savedAt: z.string() })
/** Both null: nothing was left. */
const left = <Content extends z.ZodType>(content: Content) =>
  z.object({ draft: content.nullable(), savedAt: z.string().nullable() })

export const DRAFTS = {
  'GET /api/projects/{project}/objective/draft': {
    summary: 'The objective as you left it half written, if you did',
    access: LEADS,
    answer: left(OfObjective),
  },
  'PUT /api/projects/{project}/objective/draft': {
    summary: 'Keep a half-written objective, in place of the one kept before; it need not be valid',
    access: LEADS,
    body: OfObjective,
    answer: Kept,
  },
  'DELETE /api/projects/{project}/objective/draft': {
    summary: 'Discard your half-written objective',
    access: LEADS,
    answer: 'nothing',
  },
  'GET /api/projects/{project}/guideline/draft': {
    summary: 'The guideline as you left it half written, if you did',
    access: LEADS,
    answer: left(OfGuideline),
  },
  'PUT /api/projects/{project}/guideline/draft': {
    summary: 'Keep a half-written guideline, in place of the one kept before',
    access: LEADS,
    body: OfGuideline,
    answer: Kept,
  },
  'DELETE /api/projects/{project}/guideline/draft': {
    summary: 'Discard your half-written guideline',
    access: LEADS,
    answer: 'nothing',
  },
} satisfies Record<string, Endpoint>
