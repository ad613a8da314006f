// Withdrawing answers of a person, a span of time or a version of the guideline: first what depends on them, then the deed,
// which can be taken back.
import { z } from 'zod'
import { type Endpoint, LEADS, Moment, Text } from './endpoint.ts'
import { Again } from './runs.ts'

const rule = {
  user: z.uuid().optional(),
  from: Moment.optional(),
  until: Moment.optional(),
  guideline: z.uuid().optional(),
}
const asksSomething = (given: object) => Object.values(given).some((value) => value !== undefined)
const NOTHING = { message: 'expected a person, a time or a guideline; everything at once is not withdrawn' }

const Dependant = z.object({ kind: z.string(), label: z.string(), rows: z.number().nullable() })
const Withdrawal = z.object({
  id: z.string(),
  person: z.string().nullable(),
  from: z.string().nullable(),
  until: z.string().nullable(),
  guidelineNumber: z.number().nullable(),
  reason: z.string(),
  by: z.string(),
  at: z.string(),
  judgements: z.number(),
  undoes: z.string().nullable(),
  isUndone: z.boolean(),
})

export const WITHDRAWALS = {
  'GET /api/projects/{project}/withdrawals': {
    summary: 'What was withdrawn and taken back, newest first, and what still rests on withdrawn answers',
    access: LEADS,
    answer: z.object({
      withdrawals: z.array(Withdrawal),
      /** `again`: what can be done about it; null: nothing by itself. */
      dependants: z.array(Dependant.extend({ again: Again.nullable() })),
    }),
  },
  'GET /api/projects/{project}/withdrawals/effect': {
    summary:
      'What a withdrawal would take away, and what was made of it: dataset versions, runs, models, evaluations, releases',
    access: LEADS,
    query: z.object(rule),
    answer: z.object({
      judgements: z.number(),
      campaigns: z.array(z.object({ id: z.string(), name: z.string(), judgements: z.number() })),
      people: z.array(z.object({ user: z.string(), name: z.string(), judgements: z.number() })),
      dependants: z.array(Dependant),
    }),
  },
  'POST /api/projects/{project}/withdrawals': {
    summary: 'These answers no longer count; their items want others in their place',
    access: LEADS,
    body: z.strictObject({ rule: z.strictObject(rule).refine(asksSomething, NOTHING), reason: Text(2000) }),
    answer: z.object({ id: z.string(), judgements: z.number() }),
  },
  'POST /api/projects/{project}/withdrawals/{withdrawal}/undo': {
    summary: 'They count again, but for those that their author has answered anew',
    access: LEADS,
    body: z.strictObject({ reason: Text(2000) }),
    answer: z.object({ id: z.string(), judgements: z.number() }),
  },
} satisfies Record<string, Endpoint>
