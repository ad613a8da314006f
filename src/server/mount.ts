// Mounts the API table on a hono app. Every endpoint goes the same way: known, allowed, parsed, done, parsed again.
import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { stream, streamSSE } from 'hono/streaming'
import type { z } from 'zod'
import { HttpError } from '#errors'
import { findKeyHolder, findMembership, findSession, hasUsers, type KeyHolder, type Project, type User } from '#store'
import type { Role } from '#schema'
import type { Access, Endpoint, KeyScope } from './api/endpoint.ts'
import { PARAMETERS } from './api/endpoint.ts'
import type { FileAnswer, Handlers, Service } from './call.ts'
import { API, type Key } from './contract.ts'
import { HEADERS, readSession, writeSession } from './security.ts'

const MOST_BODY_BYTES = 1 << 20
/** Of values in a body; what walks deeper runs out of stack. */
const MOST_DEPTH = 64

/** `METHOD /path/{name}` as method and hono's path. */
export function routeOf(key: string): { method: string; path: string } {
  const [method, path] = key.split(' ') as [string, string]
  return { method, path: path.replaceAll(/\{(\w+)\}/g, ':$1') }
}

/** What a handler sees, without the types that tie it to one endpoint. */
type AnyHandler = (call: object) => Promise<unknown>

export function mount(app: Hono, service: Service, handlers: Handlers, addressOf: (c: Context) => string): void {
  const limit = bodyLimit({
    maxSize: MOST_BODY_BYTES,
    onError: () => {
      throw new HttpError(413, `expected at most ${MOST_BODY_BYTES} bytes`)
    },
  })
  for (const key of Object.keys(API) as Key[]) {
    const endpoint: Endpoint = API[key]
    const { method, path } = routeOf(key)
    const handler = handlers[key] as AnyHandler
    const pass = endpoint.body === 'file' ? [] : [limit]
    app.on([method], [path], ...pass, async (c: Context) => {
      const session = readSession(c)
      const { access } = endpoint
      const allowed = () => (isByKey(access) ? holderOf(c, service, access) : authorise(c, service, access, session))
      // Before anybody is looked up by them.
      const params = paramsOf(c, path)
      const who = await allowed()
      const body = await bodyOf(c, endpoint)
      const query = endpoint.query && parse(endpoint.query, c.req.query(), 'query')
      // A stream that has begun is ended by its client's leaving; before that there is nobody to tell.
      const gone = new AbortController()
      c.req.raw.signal.addEventListener('abort', () => gone.abort())
      const answer = await handler({
        ...who,
        service,
        params,
        query,
        body,
        upload: endpoint.body === 'file' ? (c.req.raw.body ?? undefined) : undefined,
        signal: gone.signal,
        lastEvent: c.req.header('last-event-id'),
        address: addressOf(c),
        session,
        setSession: (token: string | undefined) => writeSession(c, token),
      })
      if (typeof endpoint.answer === 'object' && 'events' in endpoint.answer)
        return respondLive(c, answer as Lives, {
          schema: endpoint.answer.events,
          gone,
          isAllowed: () => allowed().then(Boolean, isNoRefusal),
        })
      return respond(c, endpoint, answer)
    })
  }
}

/** By key and not by session. */
function isByKey(access: Access): access is { scope: KeyScope } {
  return typeof access === 'object' && 'scope' in access
}

async function holderOf(c: Context, service: Service, { scope }: { scope: KeyScope }): Promise<{ holder: KeyHolder }> {
  const [, key] = /^Bearer (hone_[\w-]{43})$/.exec(c.req.header('authorization') ?? '') ?? []
  const holder = key === undefined ? undefined : await findKeyHolder(service.store.query, key)
  if (!holder) throw new HttpError(401, 'expected a key that holds, in the header Authorization: Bearer KEY')
  if (!holder.scopes.includes(scope)) throw new HttpError(403, `this key is not for ${scope}`)
  return { holder }
}

type Allowed = { user: User | undefined; project?: Project; role?: Role }

/** Deny by default: each way to pass is named here, and there is no other. */
async function authorise(
  c: Context,
  service: Service,
  access: Exclude<Access, { scope: KeyScope }>,
  session: string | undefined,
): Promise<Allowed> {
  const { query } = service.store
  if (access === 'set-up') {
    if (await hasUsers(query)) throw new HttpError(404, 'this installation is set up already')
    return { user: undefined }
  }
  const user = session === undefined ? undefined : await findSession(query, session)
  if (access === 'anyone') return { user }
  if (!user)
    throw new HttpError(
      401,
      (await hasUsers(query)) ? 'sign in first' : 'this installation is not set up yet: open its set-up link',
    )
  if (access === 'signed-in') return { user }
  if (access === 'administrator') {
    if (!user.isAdministrator) throw new HttpError(403, 'this is for administrators of the installation')
    return { user }
  }
  const membership = await findMembership(query, c.req.param('project')!, user.id)
  if (!membership) throw new HttpError(404, 'there is no such project, or you are not in it')
  if (!access.includes(membership.role))
    throw new HttpError(403, `this is for ${access.join(', ')}; you are ${membership.role} here`)
  return { user, ...membership }
}

function paramsOf(c: Context, path: string): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [, name] of path.matchAll(/:(\w+)/g)) {
    const parsed = PARAMETERS[name as keyof typeof PARAMETERS].safeParse(c.req.param(name!))
    if (!parsed.success) throw new HttpError(404, `there is no such ${name}`)
    params[name!] = parsed.data
  }
  return params
}

async function bodyOf(c: Context, { body }: Endpoint): Promise<unknown> {
  if (body === undefined) return undefined
  const type = c.req.header('content-type')?.split(';')[0]?.trim()
  if (body === 'file') {
    if (type !== 'application/octet-stream') throw new HttpError(415, 'expected content type application/octet-stream')
    return undefined
  }
  if (type !== 'application/json') throw new HttpError(415, 'expected content type application/json')
  let value: unknown
  try {
    value = await c.req.json()
  } catch (error) {
    if (error instanceof HttpError) throw error
    throw new HttpError(400, 'expected JSON', { cause: error })
  }
  return parse(body, value, 'body')
}

/** Refused with the field's name and what was expected there. Text that Postgres cannot hold is refused here too. */
function parse(schema: z.ZodType, value: unknown, place: string): unknown {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw new HttpError(422, `${path.map(String).join('.') || place}: ${message}`)
  }
  const field = unstorable(parsed.data, place)
  if (field !== undefined) throw new HttpError(422, `${field}: expected text without NUL and lone surrogates`)
  return parsed.data
}

function unstorable(value: unknown, place: string, depth = 0): string | undefined {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? place : undefined
  if (typeof value !== 'object' || value === null) return undefined
  if (depth === MOST_DEPTH) throw new HttpError(422, `${place}: expected values nested at most ${MOST_DEPTH} deep`)
  for (const [key, inner] of Object.entries(value)) {
    const found = unstorable(key, place) ?? unstorable(inner, key, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function respond(c: Context, { answer }: Endpoint, value: unknown): Response | Promise<Response> {
  c.header('cache-control', 'no-store')
  if (answer === 'nothing') return c.body(null, 204)
  if (answer === 'response') {
    const response = value as Response
    for (const [name, given] of Object.entries(HEADERS)) response.headers.set(name, given)
    return response
  }
  if (answer !== 'file') return c.json((answer as z.ZodType).parse(value) as object)
  const { type, name, body } = value as FileAnswer
  c.header('content-type', type)
  if (name !== undefined) c.header('content-disposition', `attachment; filename="${name}"`)
  if (c.req.method === 'HEAD') return c.body(null)
  if (typeof body === 'string') return c.body(body)
  return stream(c, async (out) => {
    for await (const piece of body) await out.write(piece)
  })
}

type Lives = AsyncIterable<{ id: string; event: { event: string; data: unknown } }>

/** A silent stream is told apart from a dead one; and whoever lost the right to watch is shown out. */
const BEAT_MILLISECONDS = 15_000
const LOOK_MILLISECONDS = 800

function respondLive(
  c: Context,
  lives: Lives,
  { schema, gone, isAllowed }: { schema: z.ZodType; gone: AbortController; isAllowed: () => Promise<boolean> },
): Response {
  c.header('cache-control', 'no-store')
  c.header('x-accel-buffering', 'no')
  // Nobody would read it, and nothing would end it.
  if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' })
  return streamSSE(c, async (out) => {
    out.onAbort(() => gone.abort())
    let quiet = 0
    let isTold = true
    const looking = setInterval(() => {
      quiet += LOOK_MILLISECONDS
      if (quiet >= BEAT_MILLISECONDS) {
        quiet = 0
        // To who does not read, one is under way already.
        if (isTold) {
          isTold = false
          void out.write(': still here\n\n').then(() => (isTold = true))
        }
      }
      void isAllowed().then((isIn) => isIn || gone.abort())
    }, LOOK_MILLISECONDS)
    try {
      await out.write(': live\n\n')
      for await (const { id, event } of lives) {
        const { event: name, data } = schema.parse(event) as { event: string; data: unknown }
        await out.writeSSE({ id, event: name, data: JSON.stringify(data) })
        quiet = 0
      }
    } finally {
      clearInterval(looking)
    }
  })
}

/** A database that is away for a moment takes nobody's right. */
function isNoRefusal(error: unknown): boolean {
  return !(error instanceof HttpError)
}
