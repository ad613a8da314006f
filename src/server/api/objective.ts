// The objective of a project: what is asked of an answer, criterion by criterion, and every version of it.
import { z } from 'zod'
import { Objective } from '#schema'
import { type Endpoint, EVERY_ROLE, LEADS, OBSERVERS } from './endpoint.ts'

/** SHA-256 of an objective's canonical JSON. */
export const ObjectiveHash = z.string().regex(/^[0-9a-f]{64}$/, 'expected the hash of an objective, 64 hex digits')
const Version = z.object({
  number: z.number(),
  madeAt: z.string(),
  /** Null: the file was changed by other hands than the server's. Not for annotators, who see no names. */
  by: z.string().nullable().optional(),
  note: z.string(),
  hash: ObjectiveHash,
})

export const OBJECTIVE = {
  'GET /api/projects/{project}/objective': {
    summary: 'The objective of the project as its file in the workspace has it, and its versions, newest first',
    access: EVERY_ROLE,
    answer: z.object({
      criteria: z.array(z.object({ name: z.string(), definition: z.string(), constraint: z.boolean() })),
      /** Null: there is none, or the file does not hold one. */
      objective: Objective.nullable(),
      hash: ObjectiveHash.nullable(),
      /** Of the version that the file is; null: it is none. */
      version: z.number().nullable(),
      /** What is wrong with the file, in words. */
      problem: z.string().nullable(),
      versions: z.array(Version),
    }),
  },
  'GET /api/projects/{project}/objective/versions/{number}': {
    summary: 'A version of the objective, whole',
    access: EVERY_ROLE,
    answer: Version.extend({ objective: Objective }),
  },
  'GET /api/projects/{project}/objective/made': {
    summary: 'What was made under each objective: guidelines, campaigns, runs, and models that were put to the rules',
    access: OBSERVERS,
    answer: z.object({
      objectives: z.array(
        z.object({
          hash: ObjectiveHash,
          /** Null: no version of the project, such as the file before its first save. */
          number: z.number().nullable(),
          guidelines: z.array(z.object({ number: z.number() })),
          campaigns: z.array(z.object({ id: z.string(), name: z.string(), state: z.string() })),
          runs: z.array(z.object({ run: z.string(), recipe: z.string() })),
          gates: z.array(z.object({ id: z.string(), model: z.string(), release: z.string() })),
        }),
      ),
    }),
  },
  'PUT /api/projects/{project}/objective': {
    summary:
      'A new version of the objective, written to its file. Another file than what the editor began from is a 409',
    access: LEADS,
    body: z.strictObject({
      objective: Objective,
      note: z.string().trim().max(500).default(''),
      /** The hash of what the editor began from; null: there was none. */
      from: ObjectiveHash.nullable(),
    }),
    answer: z.object({ number: z.number(), isNew: z.boolean() }),
  },
} satisfies Record<string, Endpoint>
