// What a handler gets and gives. It is called only after the request was authorised and parsed; what it answers is parsed
// by the endpoint's schema on the way out, so that a field the API does not name cannot leak.
import type { z } from 'zod'
import type { Role } from '#schema'
import type { SamplerLink } from '#sampler/contract'
import type { KeyHolder, Project, Store, User } from '#store'
import type { Api, BodyOf, Key, ParamsOf, QueryOf } from './contract.ts'
import type { AnswerOf, EventOf } from './contract.ts'
import type { Domain } from './domains.ts'
import type { Aggregating } from './aggregating.ts'
import type { Examining } from './examining.ts'
import type { Filling } from './filling.ts'
import type { Rating } from './rating.ts'
import type { Sending } from './webhooks/sending.ts'
import type { Feeds } from './live/feeds.ts'

/** What the server was opened with. */
export type Service = {
  readonly store: Store
  readonly workspace: string
  /** The process apart that holds models. */
  readonly sampler: SamplerLink
  readonly filling: Filling
  readonly aggregating: Aggregating
  readonly examining: Examining
  readonly rating: Rating
  /** What webhooks are told. */
  readonly sending: Sending
  /** That a new project can begin from. */
  readonly domains: readonly Domain[]
  /** Everybody in the workspace but its visitors is simulated. */
  readonly isDemo: boolean
  /** Version of hone, for what is recorded. */
  readonly hone: string
  /** The token of the set-up link; undefined once somebody has an account. */
  setUpToken: string | undefined
  /** Runs as they happen. */
  readonly feeds: Feeds
}

type AccessOf<K extends Key> = Api[K]['access']
type Who<K extends Key> = AccessOf<K> extends { scope: string } ? { holder: KeyHolder } : WhoIn<K>
type WhoIn<K extends Key> =
  AccessOf<K> extends 'anyone' | 'set-up'
    ? { user: User | undefined }
    : AccessOf<K> extends string
      ? { user: User }
      : { user: User; project: Project; role: Role }

export type Call<K extends Key> = Who<K> & {
  service: Service
  params: ParamsOf<K>
  query: QueryOf<K>
  body: BodyOf<K>
  /** Of a body that is a file. */
  upload: ReadableStream<Uint8Array> | undefined
  /** Aborted when the client is gone. */
  signal: AbortSignal
  /** The last event that a client saw which asks for events again. */
  lastEvent: string | undefined
  /** Of the client, as the socket says it. */
  address: string
  /** The session's token, where there is one. */
  session: string | undefined
  /** Gives the browser a session, or takes it. */
  setSession: (token: string | undefined) => void
}

export type FileAnswer = { type: string; name?: string; body: AsyncIterable<string | Uint8Array> | string }
type Given<K extends Key> = Api[K]['answer'] extends 'file'
  ? FileAnswer
  : Api[K]['answer'] extends 'response'
    ? Response
    : Api[K]['answer'] extends 'nothing'
      ? void
      : Api[K]['answer'] extends { events: z.ZodType }
        ? AsyncIterable<{ id: string; event: EventOf<K> }>
        : AnswerOf<K>

export type Handler<K extends Key> = (call: Call<K>) => Promise<Given<K>>
export type Handlers = { [K in Key]: Handler<K> }
