// The objective: criteria with statistical targets, and constraints that may never be traded.
import { z } from 'zod'

/** A statistical statement: the bound of the interval, not the point, must pass. */
export const Target = z.strictObject({
  statistic: z.enum(['mean', 'rate', 'change', 'win-rate']),
  bound: z.enum(['low', 'high']).describe('which end of the interval is compared'),
  comparison: z.enum(['above', 'below']),
  value: z.number(),
  level: z.number().gt(0).lt(1).default(0.95).describe('coverage of the interval'),
  suite: z.string(),
})
export type Target = z.infer<typeof Target>

export const Criterion = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens, a letter first'),
  definition: z.string().min(1, 'expected a definition'),
  good: z.string(),
  bad: z.string(),
  borderline: z.string(),
  scale: z.strictObject({ low: z.number(), high: z.number() }),
  weight: z.number().nonnegative(),
  owner: z.string(),
  source: z.enum(['business need', 'regulation', 'user promise']),
  constraint: z.boolean().default(false).describe('true: may never be traded for another criterion'),
  targets: z.array(Target),
})
export type Criterion = z.infer<typeof Criterion>

export const Objective = z.strictObject({
  name: z.string(),
  version: z.string(),
  summary: z.string(),
  criteria: z.array(Criterion).min(1, 'expected at least one criterion'),
})
export type Objective = z.infer<typeof Objective>

/** The one name of a version of an objective: SHA-256 of its canonical JSON (RFC 8785), hex; its first 12 digits are shown. */
export const ObjectiveId = z.string().regex(/^[0-9a-f]{64}$/, 'expected the id of an objective, 64 hex digits')

/** Under which objective a record was made. */
export const ObjectiveStamp = z.strictObject({ id: ObjectiveId, name: z.string().optional() })
export type ObjectiveStamp = z.infer<typeof ObjectiveStamp>

const CriterionDraft = Criterion.omit({ scale: true }).extend({
  name: z.string(),
  definition: z.string(),
  constraint: z.boolean(),
  low: z.string(),
  high: z.string(),
  weight: z.string(),
  targets: z.array(Target.extend({ value: z.string(), level: z.string() })),
})
/** An objective while it is written: numbers are texts, what is wrong may stand, and the note of the change is part of it. */
export const ObjectiveDraft = Objective.extend({ criteria: z.array(CriterionDraft), note: z.string().max(500) })
export type ObjectiveDraft = z.infer<typeof ObjectiveDraft>

/** A statistic with its interval; `n` counts what was resampled. */
export const Interval = z.strictObject({
  value: z.number(),
  low: z.number(),
  high: z.number(),
  n: z.number().int().optional(),
})
export type Interval = z.infer<typeof Interval>
