// OpenAI's API by release name: who shows a key of a project is answered by the weights that the project's releases stand
// for, through the sampler. A release that rests on an expired waiver goes on answering, and every answer says so. Limits are a key's own: so many requests a minute, and so many at once.
import { HttpError } from '#errors'
import { findRelease, listReleases, type KeyHolder } from '#store'
import type { Handlers, Service } from '../call.ts'
import { TooMany } from '../refusals.ts'

type Completions = Pick<Handlers, 'GET /v1/models' | 'POST /v1/chat/completions' | 'POST /v1/completions'>

export const completionHandlers: Completions = {
  'GET /v1/models': async ({ service, holder }) => {
    const entries = await listReleases(service.store.query, holder.project)
    const newest = entries.filter(({ name }, i) => entries.findIndex((entry) => entry.name === name) === i)
    return {
      object: 'list' as const,
      data: newest.map(({ name, at, lapsedAt }) => ({
        id: name,
        object: 'model' as const,
        created: Math.floor(Date.parse(at) / 1000),
        owned_by: 'hone',
        ...(lapsedAt !== null && { waiver_expired: Math.floor(Date.parse(lapsedAt) / 1000) }),
      })),
    }
  },
  'POST /v1/chat/completions': async (call) => complete(call, '/v1/chat/completions'),
  'POST /v1/completions': async (call) => complete(call, '/v1/completions'),
}

/** Of answers by a release that rests on an expired waiver. */
const NOTICE = 'x-hone-release'

function noticed(answer: Response, notice: string): Response {
  const headers = new Headers(answer.headers)
  headers.set(NOTICE, notice)
  return new Response(answer.body, { status: answer.status, headers })
}

type Asked = { service: Service; holder: KeyHolder; body: { model: string }; signal: AbortSignal }

async function complete({ service, holder, body, signal }: Asked, path: string): Promise<Response> {
  const release = await findRelease(service.store.query, holder.project, body.model)
  if (!release) throw new HttpError(404, `there is no release ${JSON.stringify(body.model)}`)
  const leave = enter(holder)
  try {
    const { folder, hash, name, lapsedAt } = release
    const request = { method: 'POST', path, body: JSON.stringify(body), signal }
    const answer = await service.sampler.answer({ folder, hash, name }, request)
    return until(lapsedAt === null ? answer : noticed(answer, `waiver expired ${lapsedAt}`), leave)
  } catch (error) {
    leave()
    throw error
  }
}

const MINUTE = 60_000
/** A key's answers at once: one program cannot take all of the model. */
const MOST_AT_ONCE = 8
const usage = new Map<string, { times: number[]; open: number }>()

/** Counts a request of the key; 429 where there are too many. Answers what to call when it has ended. */
function enter({ key, perMinute }: KeyHolder): () => void {
  const now = Date.now()
  const used = usage.get(key) ?? { times: [], open: 0 }
  usage.set(key, used)
  used.times = used.times.filter((time) => time > now - MINUTE)
  if (used.times.length >= perMinute)
    throw new TooMany(Math.ceil((used.times[0]! + MINUTE - now) / 1000), `this key may ask ${perMinute} times a minute`)
  if (used.open >= MOST_AT_ONCE) throw new TooMany(1, `this key has ${MOST_AT_ONCE} answers under way`)
  used.times.push(now)
  used.open++
  let isIn = true
  return () => {
    if (isIn) used.open--
    isIn = false
  }
}

/** The same answer; calls `then` when its body has gone, or its reader. */
function until(response: Response, then: () => void): Response {
  const reader = response.body?.getReader()
  if (!reader) {
    then()
    return response
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await reader.read()
        if (!done) return controller.enqueue(value)
        controller.close()
        then()
      } catch (error) {
        then()
        throw error
      }
    },
    async cancel(reason) {
      then()
      await reader.cancel(reason)
    },
  })
  return new Response(body, response)
}
