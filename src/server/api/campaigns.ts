// Campaigns of blind pairs. What an annotator's endpoints answer names no model, no other person and no other answer.
import { z } from 'zod'
import { Choice, Prompt } from '#schema'
import { GoldRate, Qualification } from './gold.ts'
import { type Endpoint, JUDGES, KEEPERS, LEADS, OBSERVERS, PARAMETERS, Text } from './endpoint.ts'

const Adaptive = z.strictObject({
  threshold: z.number().gt(0.5).lt(1),
  cap: z.number().int().min(2).max(9),
})
const Campaign = z.object({
  id: z.string(),
  name: z.string(),
  dataset: z.string(),
  version: z.string(),
  overlap: z.number(),
  adaptive: Adaptive.nullable(),
  state: z.enum(['open', 'paused', 'closed']),
  madeAt: z.string(),
  guidelineNumber: z.number(),
  items: z.number(),
  wanted: z.number(),
  judged: z.number(),
  atWork: z.number(),
})
/** Of a round of gold items before the first task. `better` is told of failed rounds alone, whose items are never asked again. */
const Qualifying = z.discriminatedUnion('state', [
  z.object({ state: z.literal('open'), done: z.number(), of: z.number() }),
  z.object({ state: z.literal('passed'), right: z.number(), of: z.number() }),
  z.object({
    state: z.literal('failed'),
    right: z.number(),
    of: z.number(),
    asked: z.string(),
    mayRetry: z.boolean(),
    wrong: z.array(
      z.object({
        prompt: Prompt,
        left: z.string(),
        right: z.string(),
        choice: Choice,
        strength: z.number().nullable(),
        better: z.enum(['left', 'right']),
        why: z.string(),
      }),
    ),
  }),
])
const Range = z.object({ value: z.number(), low: z.number(), high: z.number() })
const Draft = z.strictObject({
  choice: Choice.optional(),
  strength: z.number().int().min(1).max(4).optional(),
  reason: z.string().max(4000).optional(),
})
const Task = z.object({
  id: z.string(),
  prompt: Prompt,
  left: z.string(),
  right: z.string(),
  draft: Draft.nullable(),
  expiresAt: z.string(),
})
const Work = z.object({
  campaign: z.object({ id: z.string(), name: z.string(), state: z.enum(['open', 'paused', 'closed']) }),
  guideline: z.object({ id: z.string(), number: z.number(), text: z.string(), hasRead: z.boolean() }),
  /** Null: nothing is left for this person now. */
  task: Task.nullable(),
  qualification: Qualifying.nullable(),
  mine: z.number(),
  wanted: z.number(),
  judged: z.number(),
  past: z.array(
    z.object({ id: z.string(), choice: Choice, strength: z.number().nullable(), at: z.string(), opening: z.string() }),
  ),
})

export const CAMPAIGNS = {
  'GET /api/projects/{project}/campaigns': {
    summary: 'Campaigns, newest first',
    access: OBSERVERS,
    answer: z.object({ campaigns: z.array(Campaign) }),
  },
  'POST /api/projects/{project}/campaigns': {
    summary: 'Put the comparisons of a dataset to people, blind',
    access: LEADS,
    body: z.strictObject({
      name: Text(80),
      dataset: PARAMETERS.dataset,
      overlap: z.number().int().min(1).max(9),
      /** Where answers do not settle a pair one person more is asked, until one side is this probable, up to the cap. */
      adaptive: Adaptive.optional(),
      seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
      /** Share of tasks that are gold items, which rows with `gold` bring. */
      goldRate: GoldRate.default(0),
      qualification: Qualification.optional(),
    }),
    answer: z.object({ id: z.string() }),
  },
  'GET /api/projects/{project}/campaigns/{campaign}': {
    summary: 'How far it is, who did what, whether they agree',
    access: OBSERVERS,
    answer: Campaign.extend({
      goldRate: z.number(),
      goldItems: z.number(),
      qualification: Qualification.nullable(),
      people: z.array(
        z.object({
          user: z.string(),
          name: z.string(),
          judged: z.number(),
          skipped: z.number(),
          flagged: z.number(),
          seconds: z.number().nullable(),
          lastAt: z.string().nullable(),
          leftShare: Range.extend({ adjusted: z.number() }).nullable(),
          withOthers: Range.nullable(),
          lengthLean: Range.nullable(),
          gold: Range.nullable(),
          qualified: z
            .object({ passed: z.boolean(), attempt: z.number(), right: z.number(), answers: z.number() })
            .nullable(),
        }),
      ),
      /** Null: no item has two judgements yet. */
      agreement: z
        .object({
          items: z.number(),
          // Null where it is not defined: when nothing varies there is no chance agreement to be beyond.
          percent: Range.nullable(),
          alpha: Range.nullable(),
          alphaOrdinal: Range.nullable(),
          fleiss: Range.nullable(),
          gwetAC1: Range.nullable(),
          warning: z.string().optional(),
        })
        .nullable(),
      /** Of the pairs that two people both judged: the share on which they say the same. */
      matrix: z.array(Range.extend({ first: z.string(), second: z.string(), n: z.number() })),
      adjudication: z.object({
        waiting: z.number(),
        decided: z.number(),
        subjective: z.number(),
        excluded: z.number(),
      }),
      flags: z.array(z.object({ item: z.string(), by: z.string(), note: z.string(), at: z.string() })),
    }),
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/state': {
    summary:
      'Open, pause or close. Paused, what was claimed before still counts; closed, it is kept and does not count',
    access: LEADS,
    body: z.strictObject({ state: z.enum(['open', 'paused', 'closed']) }),
    answer: 'nothing',
  },
  'GET /api/projects/{project}/campaigns/{campaign}/judgements': {
    summary: 'The judgements as JSON lines that hone train reward takes',
    access: KEEPERS,
    answer: 'file',
  },
  'POST /api/projects/{project}/campaigns/{campaign}/judgements': {
    summary: 'The judgements as they stand become a dataset version',
    access: KEEPERS,
    body: z.strictObject({ dataset: PARAMETERS.dataset }),
    /** `file`: what the command line calls it, the project's prefix with it; `excluded`: items left out as wrong. */
    answer: z.object({
      name: z.string(),
      file: z.string(),
      version: z.string(),
      rows: z.number(),
      excluded: z.number(),
      isNew: z.boolean(),
    }),
  },
  'POST /api/projects/{project}/campaigns/{campaign}/claim': {
    summary: 'What I am to judge next',
    access: JUDGES,
    answer: Work,
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/guideline-read': {
    summary: 'I have read the guideline of this campaign',
    access: JUDGES,
    answer: 'nothing',
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/lease': {
    summary: 'I am still at it',
    access: JUDGES,
    answer: 'nothing',
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/draft': {
    summary: 'Keep what I have so far',
    access: JUDGES,
    body: Draft,
    answer: 'nothing',
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/judgement': {
    summary: 'My answer. The key makes it one answer however often it is sent; 409 keeps it and says what stands',
    access: JUDGES,
    body: z
      .strictObject({
        key: z.uuid(),
        choice: Choice,
        strength: z.number().int().min(1).max(4).optional(),
        reason: z.string().trim().max(4000).default(''),
        activeSeconds: z.number().min(0).max(86_400),
      })
      .refine(({ choice, strength }) => (strength !== undefined) === (choice === 'left' || choice === 'right'), {
        path: ['strength'],
        message: 'expected 1 to 4 with left or right, and none with another choice',
      }),
    answer: Work,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/skip': {
    summary: 'Leave it to others',
    access: JUDGES,
    body: z.strictObject({ reason: z.string().trim().max(1000).default('') }),
    answer: Work,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/flag': {
    summary: 'Tell the lead about it, and go on',
    access: JUDGES,
    body: z.strictObject({ note: Text(1000) }),
    answer: 'nothing',
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/reopen': {
    summary: 'Take back one of my last ten answers and answer anew; both stay in the history',
    access: JUDGES,
    answer: Work,
  },
} satisfies Record<string, Endpoint>
