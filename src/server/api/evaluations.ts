// Evaluations: candidate against opponent on the same prompts, judged blind by people; and those that hone evaluate wrote.
import { z } from 'zod'
import { Prompt } from '#schema'
import { AskedCriterion, CriteriaAsked } from './campaigns.ts'
import { type Endpoint, LEADS, OBSERVERS, PARAMETERS, Text } from './endpoint.ts'
import { DRAWING, ModelName } from './fills.ts'

const Figure = z.object({
  name: z.string(),
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: z.number().nullable(),
})
const WinRate = z.object({
  value: z.number(),
  low: z.number(),
  high: z.number(),
  n: z.number(),
  wins: z.number(),
  losses: z.number(),
  ties: z.number(),
  p: z.number(),
})
const Standing = z.enum(['ahead', 'behind', 'not shown'])
const Ends = { value: z.number(), low: z.number(), high: z.number() }
const Weighted = z.object({
  ...Ends,
  n: z.number(),
  standing: Standing,
  /** Shares of one by criterion, and the share of the objective's whole weight that these have. */
  weights: z.record(z.string(), z.number()),
  ofWeight: z.number(),
  /** Each weight by itself, a fifth lighter and heavier. */
  sensitivity: z.array(z.object({ ...Ends, criterion: z.string(), times: z.number(), standing: Standing })),
  /** All weights at once; `holds`: it stands the same under all of them. */
  range: z.object({ low: z.number(), high: z.number() }),
  holds: z.boolean(),
})
const Evaluation = z.object({
  id: z.string(),
  name: z.string(),
  candidate: z.string(),
  /** Of three models or more, all but the candidate. */
  opponent: z.string(),
  prompts: z.string(),
  /** What gates call it, once it is recorded. */
  suite: z.string(),
  /** `judged`: all that was wanted is there, and nothing is recorded yet. */
  state: z.enum(['drawing', 'stuck', 'judging', 'judged', 'recorded']),
  campaign: z.string().nullable(),
  samples: z.object({ drawn: z.number(), wanted: z.number() }),
  judgements: z.object({ judged: z.number(), wanted: z.number() }),
  isSimulated: z.boolean(),
  by: z.string(),
  madeAt: z.string(),
  recordedBy: z.string().nullable(),
  recordedAt: z.string().nullable(),
  artifact: z.string().nullable(),
  winRate: WinRate.nullable(),
})
const MOST_MODELS = 6
const Round = z.discriminatedUnion('state', [
  z.object({ state: z.literal('running') }),
  z.object({ state: z.literal('failed'), problem: z.string() }),
  z.object({
    state: z.literal('done'),
    /** By the paths that gates know them by: `ratings.NAME`, `controlled.ratings.NAME`, `implied.NAME`, ... */
    figures: z.array(Figure),
    /** Of each two that met, all things considered. */
    couples: z.array(z.object({ of: z.string(), over: z.string(), ...WinRate.shape })),
    /** Said where the answers bound no rating. */
    warning: z.string().nullable(),
    equal: z.number(),
    /** Pairs that nobody could judge, and those an adjudicator called wrong, are in no rating. */
    cannotJudge: z.number(),
    adjudicated: z.number(),
    excluded: z.number(),
  }),
])
const Whose = z.enum(['candidate', 'opponent', 'tie', 'both-bad', 'cannot-judge'])
const Outcome = z.enum(['win', 'loss', 'tie', 'equal', 'cannot-judge'])

export const EVALUATIONS = {
  'GET /api/projects/{project}/evaluations': {
    summary: 'Evaluations by people, newest first, and files of hone evaluate in the workspace',
    access: OBSERVERS,
    answer: z.object({
      evaluations: z.array(Evaluation),
      files: z.array(
        z.object({
          path: z.string(),
          hash: z.string(),
          metric: z.string(),
          model: z.string(),
          modelHash: z.string(),
          against: z.string().nullable(),
          suite: z.string(),
          rows: z.number(),
          isSimulated: z.boolean(),
          figures: z.array(Figure),
        }),
      ),
    }),
  },
  'POST /api/projects/{project}/evaluations': {
    summary:
      'Two models or more answer the prompts; then people judge the pairs of each two blind, in a campaign of that name',
    access: LEADS,
    body: z.strictObject({
      name: Text(80),
      candidate: ModelName,
      opponent: ModelName,
      /** More models: each two of all then meet on every prompt, and they are rated. */
      others: z
        .array(ModelName)
        .max(MOST_MODELS - 2)
        .default([]),
      prompts: PARAMETERS.dataset,
      n: z.number().int().min(1).max(16).default(1),
      overlap: z.number().int().min(1).max(9).default(1),
      criteria: CriteriaAsked,
      ...DRAWING,
    }),
    answer: z.object({ id: z.string() }),
  },
  'GET /api/projects/{project}/evaluations/{evaluation}': {
    summary: 'One evaluation; who wrote what is told once all is judged, so that nobody judges with it in mind',
    access: OBSERVERS,
    answer: Evaluation.extend({
      problem: z.string().nullable(),
      /** The candidate first; `rated`: what its ratings call it, where there are some. */
      models: z.array(z.object({ name: z.string(), hash: z.string().nullable(), rated: z.string().nullable() })),
      settings: z.object({
        n: z.number(),
        seed: z.number(),
        temperature: z.number(),
        maxTokens: z.number(),
        overlap: z.number(),
        criteria: z.array(AskedCriterion),
      }),
      /** Ratings of three models or more; null: of two, or not all is judged. */
      round: Round.nullable(),
      /** Of two models; null until all is judged. */
      result: z
        .object({
          strata: z.array(WinRate.extend({ name: z.string() })),
          /** Of each criterion that people were asked about; `cannotJudge` pairs are in no rate. */
          criteria: z.array(WinRate.extend({ name: z.string(), cannotJudge: z.number() })),
          /** Over the criteria, by their weights in the objective; null where fewer than two weigh. */
          weighted: Weighted.nullable(),
          equal: z.number(),
          cannotJudge: z.number(),
          /** Pairs that an adjudicator decided, which is what came of them; and those called wrong, which are in no rate. */
          adjudicated: z.number(),
          excluded: z.number(),
          items: z.array(
            z.object({
              item: z.string(),
              stratum: z.string().nullable(),
              prompt: Prompt,
              candidate: z.string(),
              opponent: z.string(),
              outcome: Outcome,
              /** Towards the candidate, by an adjudicator's decision, else of its judgements; null: none said anything. */
              share: z.number().nullable(),
              settled: z
                .object({ outcome: z.enum(['decided', 'subjective']), choice: Whose.nullable(), reason: z.string() })
                .nullable(),
              judgements: z.array(
                z.object({
                  id: z.string(),
                  choice: Whose,
                  strength: z.number().nullable(),
                  reason: z.string(),
                }),
              ),
            }),
          ),
        })
        .nullable(),
    }),
  },
  'POST /api/projects/{project}/evaluations/{evaluation}/record': {
    summary: 'Keep the result for good: a file that gates and lineage read, naming all it rests on by hash',
    access: LEADS,
    answer: z.object({ artifact: z.string(), file: z.string() }),
  },
} satisfies Record<string, Endpoint>
