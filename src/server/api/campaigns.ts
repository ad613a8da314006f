// Campaigns of blind pairs. What an annotator's endpoints answer names no model, no other person and no other answer.
import { z } from 'zod'
import { Choice, Highlights, Prompt, Questions } from '#schema'
import { PauseRule } from './calibration.ts'
import { ModelName } from './fills.ts'
import { GoldRate, Qualification } from './gold.ts'
import { MostEach, MostShare } from './assigning.ts'
import { Suggestion, SuggestionRule } from './suggesting.ts'
import {
  ActiveSeconds,
  type Endpoint,
  Expertise,
  JUDGES,
  KEEPERS,
  LEADS,
  Moment,
  OBSERVERS,
  PARAMETERS,
  Text,
} from './endpoint.ts'

export const ItemOrder = z.enum(['random', 'uncertainty', 'begun', 'priority'])
const Adaptive = z.strictObject({
  threshold: z.number().gt(0.5).lt(1),
  cap: z.number().int().min(2).max(9),
})
export const CriterionName = z
  .string()
  .max(60)
  .regex(/^[a-z][a-z0-9-]*$/)
export const AskedCriterion = z.object({ name: z.string(), definition: z.string() })
/** Names of criteria of the objective, each asked about beside the overall question. */
export const CriteriaAsked = z
  .array(CriterionName)
  .max(12)
  .default([])
  .refine((names) => new Set(names).size === names.length, 'expected each criterion once')
/** What people are asked for: which of two is better, an answer of their own, a rating of one, an order of several. */
const CampaignKind = z.enum(['pairs', 'demonstrations', 'ratings', 'rankings'])
/** What becomes of what somebody skips: others get it, or they do too and it comes back when nothing else is left, or nobody more. */
export const SkipPolicy = z.enum(['to-others', 'back-to-me', 'drop'])
const Campaign = z.object({
  id: z.string(),
  kind: CampaignKind,
  name: z.string(),
  dataset: z.string(),
  version: z.string(),
  overlap: z.number(),
  /** Of the items that get the overlap, as it was asked for; `overlapped`: how many were drawn. */
  overlapShare: z.number(),
  overlapped: z.number(),
  adaptive: Adaptive.nullable(),
  criteria: z.array(AskedCriterion),
  isCalibration: z.boolean(),
  state: z.enum(['open', 'paused', 'closed']),
  madeAt: z.string(),
  deadline: z.string().nullable(),
  guidelineNumber: z.number(),
  /** Id of the objective that its guideline was written under; null: there was none, or it is not known. */
  objective: z.string().nullable(),
  /** Of the version that it is; null: it is none. */
  objectiveNumber: z.number().nullable(),
  items: z.number(),
  wanted: z.number(),
  judged: z.number(),
  atWork: z.number(),
  skipPolicy: SkipPolicy,
  /** Items that were skipped and are put to nobody more. */
  dropped: z.number(),
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
const Strength = z.number().int().min(1).max(4)
type OnLine = { choice: Choice; strength?: number | undefined }
const isWhole = ({ choice, strength }: OnLine): boolean =>
  (strength !== undefined) === (choice === 'left' || choice === 'right')
const WHOLE = { path: ['strength'], message: 'expected 1 to 4 with left or right, and none with another choice' }
const CriterionAnswer = z.strictObject({ choice: Choice, strength: Strength.optional() }).refine(isWhole, WHOLE)
const Agreement = z.object({
  items: z.number(),
  // Null where it is not defined: when nothing varies there is no chance agreement to be beyond.
  percent: Range.nullable(),
  alpha: Range.nullable(),
  alphaOrdinal: Range.nullable(),
  alphaInterval: Range.nullable(),
  fleiss: Range.nullable(),
  gwetAC1: Range.nullable(),
  gwetAC2: Range.nullable(),
  /** Absent unless exactly two people judged. */
  cohen: Range.nullable().optional(),
  warning: z.string().optional(),
})
/** Null: no item of the part has two judgements yet. */
export const AgreementInPart = z.object({ judgements: z.number(), agreement: Agreement.nullable() })
const Draft = z.strictObject({
  choice: Choice.optional(),
  strength: Strength.optional(),
  reason: z.string().max(4000).optional(),
  criteria: z.record(CriterionName, CriterionAnswer).optional(),
  highlights: Highlights.optional(),
  activeSeconds: ActiveSeconds.optional(),
})
const Task = z.object({
  id: z.string(),
  prompt: Prompt,
  left: z.string(),
  right: z.string(),
  draft: Draft.nullable(),
  /** What a model says of it; null also where that is hidden, or shown afterwards. */
  suggestion: Suggestion.nullable(),
  expiresAt: z.string(),
})
const Work = z.object({
  campaign: z.object({
    id: z.string(),
    name: z.string(),
    state: z.enum(['open', 'paused', 'closed']),
    criteria: z.array(AskedCriterion),
    isCalibration: z.boolean(),
    /** Nobody gets what is not assigned to them. */
    isManual: z.boolean(),
    deadline: z.string().nullable(),
    skipPolicy: SkipPolicy,
  }),
  /** This person has given all that one person may give. */
  isAtLimit: z.boolean(),
  /** Nothing comes until a lead lets this person go on. */
  isPaused: z.boolean(),
  guideline: z.object({ id: z.string(), number: z.number(), text: z.string(), hasRead: z.boolean() }),
  /** Null: nothing is left for this person now. */
  task: Task.nullable(),
  qualification: Qualifying.nullable(),
  /** What a model said of the pair that was just answered, where people are shown that afterwards. */
  revealed: Suggestion.extend({ agreed: z.boolean().nullable() }).nullable(),
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
    summary: 'Put the comparisons of a dataset to people, blind; or its prompts, to be answered, rated or ranked',
    access: LEADS,
    body: z.strictObject({
      kind: CampaignKind.default('pairs'),
      name: Text(80),
      dataset: PARAMETERS.dataset,
      overlap: z.number().int().min(1).max(9),
      /** Of the items, drawn by the seed, that get the overlap; the others are put to one person. */
      overlapShare: z.number().gt(0).max(1).default(1),
      /** The most answers that one person may give, and the largest share of all that is wanted; gold aside. */
      mostEach: MostEach.optional(),
      mostShare: MostShare.optional(),
      /** Nobody gets what is not assigned to them. */
      isManual: z.boolean().default(false),
      order: ItemOrder.default('random'),
      /** Show what a model says of the pairs; absent: nobody is shown it. */
      suggestions: SuggestionRule.optional(),
      /** Where answers do not settle a pair one person more is asked, until one side is this probable, up to the cap. */
      adaptive: Adaptive.optional(),
      criteria: CriteriaAsked,
      /** Of demonstrations: the model whose tokens are counted while people write; absent: the bundled one. */
      tokensBy: ModelName.optional(),
      /** Everybody answers every pair, whatever `overlap` says, and sees the others' answers once the round is closed. */
      isCalibration: z.boolean().default(false),
      /** Of ratings: what is asked of each completion. */
      questions: Questions.optional(),
      /** Only people with a credential of it are asked; rows with an `expertise` of their own ask for that. */
      expertise: Expertise.optional(),
      /** It is closed then by itself. */
      deadline: Moment.optional(),
      skipPolicy: SkipPolicy.default('to-others'),
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
      /** What people get first; `priorities` and `margins`: how many items bring one. */
      itemOrder: ItemOrder,
      priorities: z.number(),
      margins: z.number(),
      goldRate: z.number(),
      goldItems: z.number(),
      pauseRule: PauseRule.nullable(),
      /** What its items ask for: how many are not done, and how many people may be asked about them. */
      expertise: z.array(z.object({ expertise: z.string(), items: z.number(), open: z.number(), people: z.number() })),
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
          /** Why and since when nothing is given to this person; null: they are not paused. */
          paused: z
            .object({
              by: z.string().nullable(),
              right: z.number().nullable(),
              answers: z.number().nullable(),
              reason: z.string(),
              at: z.string(),
            })
            .nullable(),
          qualified: z
            .object({ passed: z.boolean(), attempt: z.number(), right: z.number(), answers: z.number() })
            .nullable(),
        }),
      ),
      /** Null: no item has two judgements yet. */
      agreement: Agreement.nullable(),
      /** Of each criterion that the campaign asks about. */
      agreementBy: z.array(AgreementInPart.extend({ criterion: z.string() })),
      /** Of each stratum that items name, the largest of `count`; null: of the items that name none. */
      strata: z.object({
        count: z.number(),
        largest: z.array(AgreementInPart.extend({ stratum: z.string().nullable() })),
      }),
      /** Of the pairs that two people both judged: the share on which they say the same. */
      matrix: z.array(Range.extend({ first: z.string(), second: z.string(), n: z.number() })),
      adjudication: z.object({
        waiting: z.number(),
        decided: z.number(),
        subjective: z.number(),
        excluded: z.number(),
      }),
      flags: z.array(z.object({ item: z.string(), by: z.string(), note: z.string(), at: z.string() })),
      /** Reasons given for skipping. */
      skips: z.array(z.object({ reason: z.string(), times: z.number() })),
      /** Items whose answers name a model, its maker, or themselves a machine: they may not be judged blind. */
      giveaways: z.object({
        items: z.number(),
        first: z.array(z.object({ id: z.string(), item: z.string(), found: z.array(z.string()) })),
      }),
    }),
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/state': {
    summary:
      'Open, pause or close. Paused, what was claimed before still counts; closed, it is kept and does not count',
    access: LEADS,
    body: z.strictObject({ state: z.enum(['open', 'paused', 'closed']) }),
    answer: 'nothing',
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/deadline': {
    summary: 'When the campaign is closed by itself; null: a lead closes it',
    access: LEADS,
    body: z.strictObject({ deadline: Moment.nullable() }),
    answer: 'nothing',
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/order': {
    summary: 'What people get first: drawn by the seed, the least certain, what others have begun, the most urgent',
    access: LEADS,
    body: z.strictObject({ order: ItemOrder }),
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
        strength: Strength.optional(),
        /** To every other question of the campaign, by criterion. */
        criteria: z.record(CriterionName, CriterionAnswer).default({}),
        /** Each with the words that stand there, which are compared with the text. */
        highlights: Highlights.default([]),
        reason: z.string().trim().max(4000).default(''),
        activeSeconds: ActiveSeconds.transform((seconds) => Math.round(seconds * 1000) / 1000),
      })
      .refine(isWhole, WHOLE),
    answer: Work,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/skip': {
    summary: 'Skip it; what becomes of it is the campaign’s policy',
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
