// The server as a function of requests: API, web pages, nothing else. No model and no libtorch are ever loaded here.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { ConfigError, DataError, HttpError } from '#errors'
import type { SamplerLink } from '#sampler/contract'
import { hasUsers, isBusy, isDown, sealAudit, type Store } from '#store'
import type { Service } from './call.ts'
import { type DomainFolder, readDomain } from './domains.ts'
import { openAggregating } from './aggregating.ts'
import { openRating } from './rating.ts'
import { openClock } from './clock.ts'
import { openExamining } from './examining.ts'
import { openFilling } from './filling.ts'
import { HANDLERS } from './handlers/index.ts'
import { closeLineage } from './lineage.ts'
import { openFeeds } from './live/feeds.ts'
import { mount } from './mount.ts'
import { Conflict, diskTrouble, TooMany, WrongFields } from './refusals.ts'
import { checkOrigin, HEADERS } from './security.ts'
import { openSending } from './webhooks/sending.ts'
import type { Resolve } from './webhooks/addresses.ts'
import { webPages } from './web-pages.ts'

export type ServerOptions = {
  store: Store
  workspace: string
  /** Version of hone. */
  hone: string
  /** Closed by who opened it. */
  sampler: SamplerLink
  /** That a new project can begin from. */
  domains: readonly DomainFolder[]
  /** Folder of the built web pages. */
  web: string
  /** How people reach it from outside, such as https://hone.example.org. */
  origin?: string | undefined
  /** True when it listens on this machine alone: then other host names are refused. */
  isLoopback: boolean
  /** Hosts that webhooks may reach though they are not public. */
  webhookHosts?: readonly string[]
  /** How webhooks find the addresses of a host. */
  resolve?: Resolve
  /** The client's address; the socket's, which a proxy in front may know better. */
  addressOf: (c: Context) => string
  /** Where a defect goes: standard error, with its stack. */
  onDefect: (error: unknown) => void
}

export type HoneServer = {
  app: Hono
  /** Of the set-up link, while nobody has an account. Made anew at each start; the old one is dead. */
  setUpToken: string | undefined
  /** Ends what runs in the background. */
  close(): Promise<void>
}

const SEAL_MILLISECONDS = 1000

export async function createServer(options: ServerOptions): Promise<HoneServer> {
  const { store, workspace, hone, sampler, domains, web, origin, isLoopback, addressOf, onDefect } = options
  const isSetUp = await hasUsers(store.query)
  const filling = openFilling({ store, workspace, sampler, onDefect })
  const aggregating = openAggregating({ query: store.query, onDefect })
  const examining = openExamining({ workspace })
  const rating = openRating({ onDefect })
  const clock = openClock({ store, onDefect })
  const sending = openSending({
    store,
    workspace,
    version: hone,
    allowed: options.webhookHosts ?? [],
    ...(options.resolve && { resolve: options.resolve }),
    onDefect,
  })
  const service: Service = {
    store,
    workspace,
    sampler,
    filling,
    aggregating,
    examining,
    rating,
    sending,
    domains: domains.map(readDomain),
    hone,
    feeds: openFeeds({ workspace }),
    isDemo: existsSync(join(workspace, 'demo.json')),
    setUpToken: isSetUp ? undefined : randomBytes(32).toString('base64url'),
  }
  const app = new Hono()
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value)
    checkOrigin(c, { origin, isLoopback, isByKey: c.req.path.startsWith('/v1/') })
    await next()
  })
  mount(app, service, HANDLERS, addressOf)
  app.all('/v1/*', () => {
    throw new HttpError(404, 'there is no such endpoint; see /api/openapi.json')
  })
  app.all('/api/*', () => {
    throw new HttpError(404, 'there is no such endpoint; see /api/openapi.json')
  })
  app.get('/*', webPages(web))
  app.notFound((c) => c.json({ error: { message: 'not found' } }, 404))
  app.onError((error, c) => {
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value)
    const { status, after, detail, ...said } = answerTo(error, onDefect)
    // Where the workspace lies on its machine is nobody's business.
    const message = said.message.replaceAll(`${workspace}/`, '').replaceAll(workspace, 'the workspace')
    if (after !== undefined) c.header('retry-after', String(after))
    return c.json({ error: { message, ...(detail !== undefined && { detail }) } }, status as 400)
  })

  let sealing: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    sealing = sealing
      .then(() => sealAudit(store))
      .catch((error: unknown) => !isDown(error) && !isBusy(error) && onDefect(error))
  }, SEAL_MILLISECONDS)
  timer.unref()
  return {
    app,
    setUpToken: service.setUpToken,
    async close() {
      clearInterval(timer)
      await Promise.all([
        clock.close(),
        filling.close(),
        aggregating.close(),
        examining.close(),
        rating.close(),
        sending.close(),
        closeLineage(workspace),
      ])
      await sealing
      await sealAudit(store).catch(() => {})
    },
  }
}

/** A request that must be sent again, because the database went away in the middle of it. */
const AGAIN_SECONDS = 1

function answerTo(
  error: unknown,
  onDefect: (error: unknown) => void,
): { status: number; message: string; after?: number; detail?: unknown } {
  if (error instanceof TooMany) return { status: 429, message: error.message, after: error.seconds }
  if (error instanceof Conflict) return { status: 409, message: error.message, detail: error.detail }
  if (error instanceof WrongFields) return { status: 422, message: error.message, detail: error.fields }
  if (error instanceof HttpError) return { status: error.status, message: error.message }
  const trouble = diskTrouble(error)
  if (trouble !== undefined) return { status: 507, message: trouble, after: AGAIN_SECONDS }
  if (error instanceof DataError || error instanceof ConfigError) return { status: 422, message: error.message }
  if (isDown(error) || isBusy(error))
    return { status: 503, message: 'the database is restarting: send it again', after: AGAIN_SECONDS }
  onDefect(error)
  return { status: 500, message: 'a defect of hone; the server’s log says more' }
}
