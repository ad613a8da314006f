// Which model of the annotators the judgements of a campaign support.
import { z } from 'zod'
import { AGGREGATION_METHODS } from '#feedback'
import { type Endpoint, LEADS, OBSERVERS } from './endpoint.ts'

const Method = z.enum(AGGREGATION_METHODS)
/** Not current: the answers have changed since it was asked for. */
const asked = { isCurrent: z.boolean() }
const Comparison = z.discriminatedUnion('state', [
  z.object({ state: z.literal('none') }),
  z.object({ state: z.literal('running'), ...asked }),
  z.object({ state: z.literal('failed'), ...asked, problem: z.string() }),
  z.object({
    state: z.literal('done'),
    ...asked,
    method: Method,
    evidence: z.array(
      z.object({
        method: Method,
        /** Mean natural log-probability of a left-out judgement; a coin gives -0.693. */
        heldOutLogLikelihood: z.number(),
        /** Over the majority, and its standard error. */
        gain: z.number(),
        gainError: z.number(),
        judgements: z.number(),
      }),
    ),
  }),
])

export const AGGREGATION = {
  'GET /api/projects/{project}/campaigns/{campaign}/aggregation': {
    summary:
      'The last comparison of models of the annotators, if a lead asked for one; finished ones outlive the server',
    access: OBSERVERS,
    answer: Comparison,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/aggregation': {
    summary:
      'Compare models of the annotators by held-out evidence. It goes on after the answer: GET says when it is done',
    access: LEADS,
    answer: Comparison,
  },
} satisfies Record<string, Endpoint>
