// Datasets of a project, and its guideline.
import { z } from 'zod'
import { AgreementInPart } from './campaigns.ts'
import { type Endpoint, EVERY_ROLE, Hash, KEEPERS, LEADS, OBSERVERS } from './endpoint.ts'

export const Kind = z.enum(['prompts', 'demonstrations', 'comparisons', 'judgements', 'ratings'])
export const Version = z.object({
  name: z.string(),
  version: z.string(),
  kind: Kind,
  rows: z.number(),
  created: z.string(),
})
const Guideline = z.object({
  id: z.string(),
  number: z.number(),
  label: z.string(),
  text: z.string(),
  madeAt: z.string(),
  /** Id of the objective that it was written under; null: there was none, or it is not known. */
  objective: z.string().nullable(),
  /** Not for annotators, who see no names. */
  by: z.string().optional(),
})

const Change = z.object({
  before: z.number(),
  after: z.number(),
  change: z.object({ value: z.number(), low: z.number(), high: z.number() }),
})

export const DATA = {
  'GET /api/projects/{project}/datasets': {
    summary: 'Datasets by name, the newest version of each',
    access: OBSERVERS,
    answer: z.object({ datasets: z.array(Version.extend({ versions: z.number() })) }),
  },
  'POST /api/projects/{project}/datasets/{dataset}': {
    summary: 'A file becomes a version: JSONL, JSON or CSV, plain or gzip. One wrong row and nothing is imported',
    access: KEEPERS,
    query: z.object({ kind: Kind, file: z.string().max(200).optional() }),
    body: 'file',
    answer: Version.extend({ isNew: z.boolean() }),
  },
  'GET /api/projects/{project}/datasets/{dataset}/rows': {
    summary: 'Rows of a version, the newest unless one is named, from the one of that number on',
    access: OBSERVERS,
    query: z.object({
      version: Hash.optional(),
      from: z.coerce.number().int().min(0).max(20_000_000).default(0),
    }),
    answer: z.object({ version: Version, from: z.number(), rows: z.array(z.record(z.string(), z.unknown())) }),
  },
  'GET /api/projects/{project}/guideline': {
    summary: 'All versions of the guideline, newest first',
    access: EVERY_ROLE,
    answer: z.object({ versions: z.array(Guideline) }),
  },
  'GET /api/projects/{project}/guideline/change': {
    summary:
      'Did a later version help: agreement and accuracy on gold under two versions, with an interval of the change',
    access: OBSERVERS,
    query: z.object({ before: z.coerce.number().int().positive(), after: z.coerce.number().int().positive() }),
    answer: z.object({
      items: z.object({ before: z.number(), after: z.number(), both: z.number() }),
      /** Null where it is not defined: nothing varies, or no gold was judged under both. */
      percent: Change.nullable(),
      alpha: Change.nullable(),
      gwetAC1: Change.nullable(),
      goldAccuracy: Change.nullable(),
      /** By alpha; never shown on fewer than 12 pairs of a version. */
      verdict: z.enum(['helped', 'hurt', 'not shown']),
    }),
  },
  'GET /api/projects/{project}/guideline/agreement': {
    summary:
      'How far people agree on pairs under each version of the guideline, in all campaigns; none where one alone was judged by',
    access: OBSERVERS,
    answer: z.object({
      /** Versions of the same text are one. */
      versions: z.array(AgreementInPart.extend({ numbers: z.array(z.number()) })),
    }),
  },
  'PUT /api/projects/{project}/guideline': {
    summary: 'A new version of the guideline; campaigns keep the one they began with',
    access: LEADS,
    body: z.strictObject({ text: z.string().trim().min(1).max(100_000) }),
    answer: z.object({ isNew: z.boolean() }),
  },
} satisfies Record<string, Endpoint>
