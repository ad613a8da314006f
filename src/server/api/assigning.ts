// Who does what in a campaign: what a lead assigns to named people, and how much one person may give.
import { z } from 'zod'
import { type Endpoint, LEADS, OBSERVERS, Text } from './endpoint.ts'

export const MostEach = z.number().int().min(1).max(1_000_000)
/** Of all the judgements that a campaign wants. */
export const MostShare = z.number().gt(0).lt(1)
const MOST_NAMES = 5000

export const ASSIGNING = {
  'GET /api/projects/{project}/campaigns/{campaign}/assignments': {
    summary: 'What each member has given and is still to do, and the most that one may give',
    access: OBSERVERS,
    answer: z.object({
      mostEach: z.number().nullable(),
      mostShare: z.number().nullable(),
      /** Nobody gets what is not assigned to them. */
      isManual: z.boolean(),
      /** By both limits, as far as the campaign is now; null: there is none. `fewest`: people whom it takes at least. */
      most: z.number().nullable(),
      fewest: z.number().nullable(),
      people: z.array(
        z.object({ user: z.string(), name: z.string(), given: z.number(), assigned: z.number(), owed: z.number() }),
      ),
      /** By stratum, the largest first; null: items that name none. */
      slices: z.array(z.object({ stratum: z.string().nullable(), items: z.number(), open: z.number() })),
    }),
  },
  'POST /api/projects/{project}/campaigns/{campaign}/assignments': {
    summary: 'Assign items to people: by their names, or a slice; to each of them, or dealt out',
    access: LEADS,
    body: z.strictObject({
      people: z
        .array(z.uuid())
        .min(1)
        .max(50)
        .refine((people) => new Set(people).size === people.length, 'expected each person once'),
      items: z.array(Text(400)).min(1).max(MOST_NAMES).optional(),
      /** Items of this stratum; null: of none; absent: of any. */
      stratum: z.string().max(400).nullable().optional(),
      /** The first so many, in the order of the campaign. */
      first: z.number().int().min(1).max(50_000).optional(),
      isDivided: z.boolean().default(false),
    }),
    /** Of each person what is new to them: what has no place left, or is done or skipped, is left out. */
    answer: z.object({ assigned: z.array(z.object({ user: z.string(), assigned: z.number() })) }),
  },
  'DELETE /api/projects/{project}/campaigns/{campaign}/people/{user}/assignments': {
    summary: 'Take back what this person was assigned and has not done',
    access: LEADS,
    answer: 'nothing',
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/limits': {
    summary: 'The most that one person may give, and whether only what is assigned is given out',
    access: LEADS,
    body: z.strictObject({
      mostEach: MostEach.nullable(),
      mostShare: MostShare.nullable(),
      isManual: z.boolean(),
    }),
    answer: 'nothing',
  },
} satisfies Record<string, Endpoint>
