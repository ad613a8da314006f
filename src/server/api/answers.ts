// Ratings of one completion and rankings of several under one prompt. Nothing that an annotator is sent says who wrote what.
import { z } from 'zod'
import { Prompt, Question } from '#schema'
import { SkipPolicy } from './campaigns.ts'
import { ActiveSeconds, type Endpoint, JUDGES, KEEPERS, OBSERVERS, PARAMETERS } from './endpoint.ts'

const MOST_RANKED = 9
const Value = z.union([z.number(), z.boolean(), z.string().max(4000)])
/** By the name of the question; of one that is asked of each message `name@2`, messages counted from 0. */
const Values = z.record(z.string().max(60), Value)
const Place = z.number().int().min(1).max(MOST_RANKED)
/** By the order on the screen. `places` of a draft may be 0: not placed yet. */
const Draft = z.strictObject({
  values: Values.optional(),
  places: z
    .array(Place.or(z.literal(0)))
    .max(MOST_RANKED)
    .optional(),
  reason: z.string().max(4000).optional(),
  activeSeconds: ActiveSeconds.optional(),
})
const Range = z.object({ value: z.number(), low: z.number(), high: z.number() })
const Agreement = z.object({
  items: z.number(),
  percent: Range.nullable(),
  alpha: Range.nullable(),
  alphaOrdinal: Range.nullable(),
  gwetAC1: Range.nullable(),
})
const Work = z.object({
  campaign: z.object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['ratings', 'rankings']),
    state: z.enum(['open', 'paused', 'closed']),
    questions: z.array(Question),
    /** Nobody gets what is not assigned to them. */
    isManual: z.boolean(),
    deadline: z.string().nullable(),
    skipPolicy: SkipPolicy,
  }),
  /** This person has given all that one person may give. */
  isAtLimit: z.boolean(),
  guideline: z.object({ id: z.string(), number: z.number(), text: z.string(), hasRead: z.boolean() }),
  /** Null: nothing is left for this person now. */
  task: z
    .object({
      id: z.string(),
      prompt: Prompt,
      /** One to be rated, or several to be ranked, in an order drawn for this person. */
      completions: z.array(z.string()),
      draft: Draft.nullable(),
    })
    .nullable(),
  mine: z.number(),
  wanted: z.number(),
  judged: z.number(),
  past: z.array(z.object({ id: z.string(), opening: z.string(), at: z.string() })),
})

export const ANSWERS = {
  'GET /api/projects/{project}/campaigns/{campaign}/answers': {
    summary: 'What the ratings or rankings say so far, how far people agree, who did how much',
    access: OBSERVERS,
    answer: z.object({
      questions: z.array(
        z.object({
          name: z.string(),
          text: z.string(),
          type: z.string(),
          answers: z.number(),
          /** Of a question that is asked of each message: by its place in the dialogue, from 0. */
          byMessage: z.array(z.object({ message: z.number(), answers: z.number(), mean: Range.nullable() })),
          /** Of scales and of yes or no (the share of yes), with its interval over items. */
          mean: Range.nullable(),
          counts: z.array(z.object({ value: z.string(), count: z.number() })),
          agreement: Agreement.nullable(),
        }),
      ),
      /** Of rankings, over their pairs. */
      agreement: Agreement.nullable(),
      pairs: z.number(),
      /** Of rankings: how often what stood at each position of the screen was put first. Without a lean all are alike. */
      firstByPosition: z.array(z.object({ shown: z.number(), first: z.number() })),
      people: z.array(
        z.object({ user: z.string(), name: z.string(), answers: z.number(), seconds: z.number(), lastAt: z.string() }),
      ),
    }),
  },
  'GET /api/projects/{project}/campaigns/{campaign}/answers/rows': {
    summary:
      'Ratings as JSON lines, those of single messages with their index; rankings as the judgements of their pairs, those of one prompt in one group',
    access: KEEPERS,
    answer: 'file',
  },
  'POST /api/projects/{project}/campaigns/{campaign}/answers': {
    summary: 'Rankings become a dataset version of judgements that the reward run takes; ratings one of ratings',
    access: KEEPERS,
    body: z.strictObject({ dataset: PARAMETERS.dataset }),
    answer: z.object({
      name: z.string(),
      file: z.string(),
      version: z.string(),
      rows: z.number(),
      isNew: z.boolean(),
    }),
  },
  'POST /api/projects/{project}/campaigns/{campaign}/answers/claim': {
    summary: 'What I am to rate or rank next',
    access: JUDGES,
    answer: Work,
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/answer': {
    summary: 'Keep what I have so far',
    access: JUDGES,
    body: Draft,
    answer: 'nothing',
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer': {
    summary: 'My ratings or my ranking. The key makes it one answer however often it is sent',
    access: JUDGES,
    body: z.strictObject({
      key: z.uuid(),
      /** Of ratings: to each question. */
      values: Values.optional(),
      /** Of rankings: by the order on the screen, from 1, the best; equal ones share a place. */
      places: z.array(Place).max(MOST_RANKED).optional(),
      reason: z.string().trim().max(4000).default(''),
      activeSeconds: ActiveSeconds,
    }),
    answer: Work,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer-skip': {
    summary: 'Leave it to others',
    access: JUDGES,
    body: z.strictObject({ reason: z.string().trim().max(1000).default('') }),
    answer: Work,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer-reopen': {
    summary: 'Take back one of my last ten and answer anew; both stay in the history',
    access: JUDGES,
    answer: Work,
  },
} satisfies Record<string, Endpoint>
