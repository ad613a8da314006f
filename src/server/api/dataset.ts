// One dataset: its versions, how two differ, what a check finds in one, and what is made of one.
import { z } from 'zod'
import { Kind, Version } from './data.ts'
import { type Endpoint, Hash, KEEPERS, OBSERVERS } from './endpoint.ts'

const Row = z.record(z.string(), z.unknown())
/** Of a question about whole versions: asked again, it says when it is answered. */
const Running = z.object({ state: z.literal('running') })
const Done = z.literal('done')
const of = { version: Hash.optional() }

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
    query: z.object({ ...of, format: z.enum(['jsonl', 'csv']).default('jsonl') }),
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
} satisfies Record<string, Endpoint>
