// The page about one person in a campaign: for leads, and for oneself. To oneself gold shows once the campaign is closed, for
// before that a figure that moves would tell which pairs are gold.
import { z } from 'zod'
import { type Endpoint, JUDGES } from './endpoint.ts'

const Range = z.object({ value: z.number(), low: z.number(), high: z.number() })
const Chart = z.object({
  points: z.array(z.number()),
  centre: z.number(),
  low: z.array(z.number()),
  high: z.array(z.number()),
  alarms: z.array(z.number()),
  p: z.number(),
})
const Tally = z.object({ labels: z.array(z.string()), own: z.array(z.number()), others: z.array(z.number()) })

export const PERSON = {
  'GET /api/projects/{project}/campaigns/{campaign}/people/{user}': {
    summary: 'What the judgements of one person show; one’s own, or anybody’s for leads',
    access: JUDGES,
    answer: z.object({
      name: z.string(),
      isSelf: z.boolean(),
      judged: z.number(),
      leftShare: Range.extend({ adjusted: z.number() }).nullable(),
      lengthLean: Range.nullable(),
      withOthers: Range.nullable(),
      skill: z.number().nullable(),
      gold: Range.nullable(),
      goldChart: Chart.nullable(),
      /** Agreement with the others beyond what this person's mean and the others' certainty have it. */
      agreementChart: Chart.nullable(),
      findings: z.array(
        z.object({
          test: z.string(),
          asks: z.string(),
          says: z.string(),
          adjusted: z.number(),
          level: z.number(),
          isAccused: z.boolean(),
        }),
      ),
      /** Chance of accusing anybody at all in a crowd without faults, at most. */
      rate: z.number(),
      isLeftOut: z.boolean(),
      pace: Tally,
      answers: Tally,
    }),
  },
} satisfies Record<string, Endpoint>
