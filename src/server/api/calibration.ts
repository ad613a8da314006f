// Calibration rounds after they are closed, and people who are paused in a campaign. What others answered is told to those who
// took part and to leads, and to nobody before the round is closed.
import { z } from 'zod'
import { Choice, Prompt } from '#schema'
import { type Endpoint, JUDGES, LEADS, Text } from './endpoint.ts'

/** Fewer right than this share of gold answers, once so many were given. */
export const PauseRule = z.strictObject({
  items: z.number().int().min(3).max(200),
  below: z.number().gt(0).max(1),
})

const Discussion = z.object({
  campaign: z.object({ id: z.string(), name: z.string() }),
  people: z.number(),
  items: z.array(
    z.object({
      id: z.string(),
      prompt: Prompt,
      /** On the sides as the reader had them. */
      left: z.string(),
      right: z.string(),
      /** Everybody said the same. */
      isAgreed: z.boolean(),
      answers: z.array(
        z.object({
          /** A letter for each person, the same on every item; to leads the name. */
          person: z.string(),
          isMine: z.boolean(),
          choice: Choice,
          strength: z.number().nullable(),
          criteria: z.array(z.object({ criterion: z.string(), choice: Choice, strength: z.number().nullable() })),
          reason: z.string(),
        }),
      ),
      remarks: z.array(
        z.object({ id: z.string(), person: z.string(), isMine: z.boolean(), text: z.string(), at: z.string() }),
      ),
    }),
  ),
})

export const CALIBRATION = {
  'GET /api/projects/{project}/campaigns/{campaign}/discussion': {
    summary: 'Everybody’s answers to a closed calibration round, for those who took part and for leads',
    access: JUDGES,
    answer: Discussion,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/remarks': {
    summary: 'What I say of an item of a closed calibration round',
    access: JUDGES,
    body: z.strictObject({ key: z.uuid(), text: Text(4000) }),
    answer: Discussion,
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/pause-rule': {
    summary: 'Pause people by themselves once their gold answers fall below a share; null: never',
    access: LEADS,
    body: z.strictObject({ rule: PauseRule.nullable() }),
    answer: 'nothing',
  },
  'POST /api/projects/{project}/campaigns/{campaign}/people/{user}/pause': {
    summary: 'Give this person nothing more in this campaign until they are let go on',
    access: LEADS,
    body: z.strictObject({ reason: Text(1000) }),
    answer: 'nothing',
  },
  'POST /api/projects/{project}/campaigns/{campaign}/people/{user}/resume': {
    summary: 'Let this person go on; gold answers from before do not pause them again',
    access: LEADS,
    body: z.strictObject({ reason: Text(1000) }),
    answer: 'nothing',
  },
} satisfies Record<string, Endpoint>
