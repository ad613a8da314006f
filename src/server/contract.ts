// The HTTP API as one table: the server mounts it, the permission test walks it, OpenAPI is written from it, and the web
// calls by its keys with types alone. An endpoint without access, or a handler without an endpoint, does not compile.
import type { z } from 'zod'
import { ACCOUNT } from './api/account.ts'
import { ADJUDICATION } from './api/adjudication.ts'
import { AGGREGATION } from './api/aggregation.ts'
import { ANSWERS } from './api/answers.ts'
import { ASSIGNING } from './api/assigning.ts'
import { CALIBRATION } from './api/calibration.ts'
import { CAMPAIGNS } from './api/campaigns.ts'
import { DATA } from './api/data.ts'
import { DATASET } from './api/dataset.ts'
import { DEMONSTRATIONS } from './api/demonstrations.ts'
import { DRAFTS } from './api/drafts.ts'
import type { Endpoint } from './api/endpoint.ts'
import { GOLD } from './api/gold.ts'
import { EVALUATIONS } from './api/evaluations.ts'
import { FILLS } from './api/fills.ts'
import { OBJECTIVE } from './api/objective.ts'
import { PERSON } from './api/person.ts'
import { LINEAGE } from './api/lineage.ts'
import { PROJECTS } from './api/projects.ts'
import { WITHDRAWALS } from './api/withdrawals.ts'
import { WEBHOOKS } from './api/webhooks.ts'
import { RELEASES } from './api/releases.ts'
import { SUGGESTING } from './api/suggesting.ts'
import { RUNS } from './api/runs.ts'

export const API = {
  ...ACCOUNT,
  ...PROJECTS,
  ...DATA,
  ...DATASET,
  ...OBJECTIVE,
  ...DRAFTS,
  ...CAMPAIGNS,
  ...ASSIGNING,
  ...SUGGESTING,
  ...DEMONSTRATIONS,
  ...ANSWERS,
  ...AGGREGATION,
  ...CALIBRATION,
  ...ADJUDICATION,
  ...GOLD,
  ...PERSON,
  ...WITHDRAWALS,
  ...FILLS,
  ...EVALUATIONS,
  ...RUNS,
  ...RELEASES,
  ...LINEAGE,
  ...WEBHOOKS,
  'GET /api/openapi.json': { summary: 'This API as an OpenAPI 3.1 document', access: 'anyone', answer: 'file' },
} satisfies Record<string, Endpoint>

export type Api = typeof API
export type Key = keyof Api

/** The {names} of a path. */
export type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [N in Name]: string } & ParamsOf<Rest>
  : unknown
type Parsed<T> = T extends z.ZodType ? z.output<T> : never
type Given<T> = T extends z.ZodType ? z.input<T> : never

/** As a handler sees it, after parsing. */
export type BodyOf<K extends Key> = Api[K] extends { body: infer B } ? Parsed<B> : undefined
export type QueryOf<K extends Key> = Api[K] extends { query: infer Q } ? Parsed<Q> : undefined
/** As a client gives and gets it. */
export type BodyGiven<K extends Key> = Api[K] extends { body: infer B }
  ? B extends 'file'
    ? Blob
    : Given<B>
  : undefined
export type QueryGiven<K extends Key> = Api[K] extends { query: infer Q } ? Given<Q> : undefined
export type AnswerOf<K extends Key> = Api[K]['answer'] extends z.ZodType ? z.output<Api[K]['answer']> : undefined
/** Of an endpoint that answers with events: one of them. */
export type EventOf<K extends Key> = Api[K]['answer'] extends { events: infer E extends z.ZodType }
  ? z.output<E>
  : never
