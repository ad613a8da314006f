// One dataset: its versions, how two differ, what a check finds in one, and what is made of one.
import { z } from 'zod'
import { type Check, CHECKS } from '#data'
import { Kind, Version } from './data.ts'
import { type Endpoint, Hash, KEEPERS, OBSERVERS, PARAMETERS } from './endpoint.ts'

const Row = z.record(z.string(), z.unknown())
/** Of a question about whole versions: asked again, it says when it is answered. */
const Running = z.object({ state: z.literal('running') })
const Done = z.literal('done')
const of = { version: Hash.optional() }
const ofOne = { version: Hash }
const CheckName = z.enum(Object.keys(CHECKS) as [Check, ...Check[]])
/** `check=what` pairs, as on the command line. */
const Policies = z
  .string()
  .regex(
    /^([a-z-]{1,30}=(set-aside|note|off)(,|$)){0,20}$/,
    'expected check=set-aside, check=note or check=off, by commas',
  )
const Shares = z
  .string()
  .regex(/^([a-z][a-z0-9-]{0,30}=0?\.[0-9]{1,9}(,|$)){2,10}$/, 'expected name=share pairs by commas, such as train=0.8')
const Similarity = z.number().min(0.01).max(1)
const Words = z.number().int().min(3).max(50)
const Seed = z.number().int().nonnegative()
const others = { heldOut: PARAMETERS.dataset.optional(), evaluation: PARAMETERS.dataset.optional() }
/** Prompts once each; `covered`: those with a demonstration like them. */
const Counts = z.object({ prompts: z.number(), demonstrations: z.number(), covered: z.number() })
const Sizes = z.object({
  rows: z.number(),
  groups: z.number(),
  share: z.number(),
  strata: z.record(z.string(), z.number()),
})

export const DATASET = {
  'GET /api/projects/{project}/datasets/{dataset}/versions': {
    summary: 'Its versions, newest first: what each came of, and the versions that it was made from',
    access: OBSERVERS,
    answer: z.object({
      name: z.string(),
      kind: Kind,
      versions: z.array(
        z.object({
          version: z.string(),
          rows: z.number(),
          created: z.string(),
          origin: z.string(),
          /** `name`: null where no dataset of the project has that version. */
          parents: z.array(z.object({ version: z.string(), name: z.string().nullable() })),
        }),
      ),
    }),
  },
  'GET /api/projects/{project}/datasets/{dataset}/file': {
    summary: 'A version, the newest unless one is named, as a file that imports to the same version',
    access: KEEPERS,
    query: z.object({ ...of, format: z.enum(['jsonl', 'csv', 'parquet']).default('jsonl') }),
    answer: 'file',
  },
  'GET /api/projects/{project}/datasets/{dataset}/difference': {
    summary:
      'Rows added, removed and changed between two of its versions: counts, and the first 50 of each. Without versions the newest against the one before',
    access: OBSERVERS,
    query: z.object({ before: Hash.optional(), after: Hash.optional() }),
    answer: z.discriminatedUnion('state', [
      Running,
      z.object({
        state: Done,
        before: Version,
        after: Version,
        added: z.number(),
        removed: z.number(),
        changed: z.number(),
        same: z.number(),
        /** Only the order of the rows differs. */
        isReordered: z.boolean(),
        rows: z.object({
          added: z.array(Row),
          removed: z.array(Row),
          changed: z.array(
            z.object({
              name: z.string(),
              fields: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
            }),
          ),
        }),
      }),
    ]),
  },
  'GET /api/projects/{project}/datasets/{dataset}/check': {
    summary:
      'What `hone data check` finds in a version: counts, and of each check the first 50 rows. `heldOut`, `evaluation`: datasets whose newest versions must not leak',
    access: OBSERVERS,
    query: z.object({
      ...of,
      ...others,
      similarity: z.coerce.number().pipe(Similarity).default(0.8),
      words: z.coerce.number().pipe(Words).default(13),
      policy: Policies.default(''),
    }),
    answer: z.discriminatedUnion('state', [
      Running,
      z.object({
        state: Done,
        rows: z.number(),
        kept: z.number(),
        setAside: z.number(),
        noted: z.number(),
        lengths: z.object({
          unit: z.enum(['tokens', 'characters']),
          least: z.number(),
          median: z.number(),
          most: z.number(),
        }),
        checks: z.array(
          z.object({
            check: CheckName,
            means: z.string(),
            policy: z.enum(['set-aside', 'note', 'off']),
            rows: z.number(),
            findings: z.array(
              z.object({
                /** From 1. */
                row: z.number(),
                isSetAside: z.boolean(),
                detail: z.string(),
                content: Row,
                /** The row that it clashes with; `among`: where that is, if not in the same version. */
                clash: z
                  .object({ row: z.number(), among: z.enum(['heldOut', 'evaluation']).optional(), content: Row })
                  .optional(),
              }),
            ),
          }),
        ),
      }),
    ]),
  },
  'POST /api/projects/{project}/datasets/{dataset}/check': {
    summary: 'Rows of the version that pass the check become the next version',
    access: KEEPERS,
    body: z.strictObject({
      ...ofOne,
      ...others,
      similarity: Similarity.default(0.8),
      words: Words.default(13),
      policy: Policies.default(''),
    }),
    answer: Version.extend({ isNew: z.boolean() }),
  },
  'GET /api/projects/{project}/datasets/{dataset}/split': {
    summary: 'Where a split by group would put the rows of a version: sizes, by stratum too. Nothing is made',
    access: OBSERVERS,
    query: z.object({
      ...of,
      shares: Shares.default('train=0.8,validation=0.1,test=0.1'),
      by: z.string().min(1).max(100).default('group'),
      stratified: z.enum(['true', 'false']).default('false'),
      seed: z.coerce.number().pipe(Seed).default(1),
    }),
    answer: z.discriminatedUnion('state', [
      Running,
      z.object({
        state: Done,
        /** Of who is where. */
        hash: z.string(),
        groups: z.number(),
        /** Rows without the field, which stay with their prompt. */
        ungrouped: z.number(),
        sizes: z.record(z.string(), Sizes),
      }),
    ]),
  },
  'POST /api/projects/{project}/datasets/{dataset}/split': {
    summary: 'That split: for each part a version of the dataset NAME-PART',
    access: KEEPERS,
    body: z.strictObject({
      ...ofOne,
      shares: Shares,
      by: z.string().min(1).max(100).default('group'),
      stratified: z.boolean().default(false),
      seed: Seed,
    }),
    answer: z.object({ made: z.array(Version.extend({ isNew: z.boolean() })) }),
  },
  'GET /api/projects/{project}/datasets/{dataset}/coverage': {
    summary:
      'Prompts of a version in clusters of like words, those without demonstrations first. `demonstrations`: the dataset whose newest version is to cover them',
    access: OBSERVERS,
    query: z.object({
      ...of,
      demonstrations: PARAMETERS.dataset.optional(),
      similarity: z.coerce.number().pipe(Similarity).default(0.3),
      seed: z.coerce.number().pipe(Seed).default(1),
    }),
    answer: z.discriminatedUnion('state', [
      Running,
      z.object({
        state: Done,
        ...Counts.shape,
        clusters: z.array(
          Counts.extend({
            words: z.array(z.string()),
            examples: z.array(z.object({ text: z.string(), isCovered: z.boolean() })),
          }),
        ),
        /** Demonstrations of no cluster: their prompts share no word with any. */
        outside: z.number(),
        strata: z.array(Counts.extend({ stratum: z.string() })),
        /** Of the project's quotas file; furthest from their quota first. */
        quotas: z.array(
          z.object({
            of: z.enum(['demonstrations', 'prompts']),
            stratum: z.string(),
            wanted: z.number(),
            have: z.number(),
          }),
        ),
      }),
    ]),
  },
} satisfies Record<string, Endpoint>
