// npm run trials -- api-fuzz [REQUESTS] [SEED]: requests drawn from the server's own OpenAPI document, valid and made wrong, as
// every role, of another project, without an account and by key. None may be answered with 5xx, with a stack trace, a path of
// this machine or words of the database, or with JSON that the document does not name. Exits 1 if one is.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import * as fc from 'fast-check'
import { type ApiWorld, openApiWorld, ORIGIN, type RoleName, ROLES } from './worlds/api.ts'
import { type Document, type Drawn, filled, requestsFrom } from './worlds/api-requests.ts'

export type FuzzedApi = {
  requests: number
  statuses: Record<string, number>
  /** Operations that answered 2xx at least once. */
  reached: string[]
  unreached: string[]
  /** What should not have happened, and the request that made it. */
  wrong: { what: string; request: string }[]
}

const REPOSITORY = new URL('..', import.meta.url).pathname.replace(/\/$/, '')
const DATABASE =
  /syntax error at or near|violates [\w-]+ constraint|relation "|column "|invalid input (syntax|value) for|22P02|23505/
const LOOK_EVERY = 200

export async function fuzzApi(world: ApiWorld, { count, seed }: { count: number; seed: number }): Promise<FuzzedApi> {
  const document = (await world.people.owner.ask('GET /api/openapi.json')).json as Document
  const keys = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const own = Object.fromEntries(keys.map((key) => [key, usualRole(key)]))
  const drawn = fc.sample(requestsFrom(document, world.known, { roles: ROLES, own }), { numRuns: count, seed })
  const judge = judgeOf(world)
  const fuzzed: FuzzedApi = { requests: 0, statuses: {}, reached: [], unreached: [], wrong: [] }
  const reached = new Set<string>()
  for (const request of drawn) {
    if (fuzzed.requests++ % LOOK_EVERY === LOOK_EVERY - 1) await world.look()
    const { status, wrong, told } = await judge(request, fuzzed.requests)
    fuzzed.statuses[status] = (fuzzed.statuses[status] ?? 0) + 1
    if (status >= 200 && status < 300) reached.add(request.key)
    for (const what of wrong) fuzzed.wrong.push({ what, request: told })
  }
  return { ...fuzzed, reached: [...reached], unreached: keys.filter((key) => !reached.has(key)) }
}

/** Somebody who may call it and for whom it makes sense. */
function usualRole(key: string): RoleName {
  if (key.includes(' /v1/')) return 'program'
  if (/\/(claim|guideline-read|lease|draft|judgement|skip|flag|reopen)$/.test(key)) return 'annotator'
  return /\/(signature|first-look|adjudication)$/.test(key) ? 'reviewer' : 'owner'
}

function judgeOf({ harness, known, headersOf }: ApiWorld) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const validators = new Map<string, ValidateFunction>()
  const documented = ({ key, operation }: Drawn, answer: unknown): string | undefined => {
    const schema = operation.responses['200']?.content?.['application/json']?.schema
    if (!schema) return undefined
    const validate = validators.get(key) ?? ajv.compile(schema)
    validators.set(key, validate)
    return validate(answer) ? undefined : ajv.errorsText(validate.errors)
  }
  return async (request: Drawn, number: number): Promise<{ status: number; wrong: string[]; told: string }> => {
    const { key, method, role } = request
    const path = filled(request.path, known)
    const body = typeof request.body === 'string' ? filled(request.body, known) : request.body
    const told = `${method} ${path.slice(0, 300)} as ${role} ${JSON.stringify(request.headers).slice(0, 200)} ${String(body ?? '').slice(0, 600)}`
    const headers = {
      origin: ORIGIN,
      'sec-fetch-site': 'same-origin',
      // Each from elsewhere: too many attempts is not what is looked for.
      'x-test-address': `198.51.${number >> 8}.${number & 255}`,
      ...(await headersOf(role as RoleName)),
      ...request.headers,
    }
    const before = harness.defects.length
    const leaving = new AbortController()
    const isBodiless = method === 'GET' || method === 'HEAD'
    let asked: Request
    try {
      asked = new Request(`${ORIGIN}${path}`, {
        method,
        headers,
        signal: leaving.signal,
        ...(!isBodiless && body !== undefined && { body: body as string | Uint8Array<ArrayBuffer> }),
      })
    } catch {
      return { status: 0, wrong: [], told } // nothing that a client could send
    }
    const response = await harness.server.app.request(asked)
    const text = await textOf(response, leaving)
    const wrong: string[] = []
    const say = (what: string): void => void wrong.push(`${key}: ${response.status} ${what}`)
    if (response.status >= 500) say(text.slice(0, 200))
    for (const defect of harness.defects.slice(before))
      say(`defect ${(defect instanceof Error && defect.stack) || String(defect)}`)
    if (/\n\s+at \S+.*:\d+:\d+/.test(text)) say('a stack trace')
    for (const place of [REPOSITORY, harness.workspace, '/node_modules/'])
      if (text.includes(place)) say(`the path ${place}`)
    if (DATABASE.test(text)) say(`words of the database: ${DATABASE.exec(text)![0]}`)
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    if (isJson && text !== '' && !key.startsWith('POST /v1/')) {
      const answer: unknown = JSON.parse(text)
      const fault = response.status === 200 && method === key.split(' ')[0] ? documented(request, answer) : undefined
      if (fault !== undefined) say(`not as documented: ${fault}`)
      if (response.status >= 400 && typeof (answer as Failure).error?.message !== 'string')
        say('an error without words')
    }
    const isAnotherProject = role === 'outsider' && /^\/api\/projects\/desk(?=$|[/?])/.test(path)
    if (isAnotherProject && response.status < 400) say('let in from another project')
    return { status: response.status, wrong, told }
  }
}

type Failure = { error?: { message?: unknown } }

/** Whole; of events the first that comes. */
async function textOf(response: Response, leaving: AbortController): Promise<string> {
  const isLive = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  if (!isLive || !response.body) return response.text()
  const reader = response.body.getReader()
  const { value } = await reader.read()
  leaving.abort()
  await reader.cancel().catch(() => {})
  return new TextDecoder().decode(value)
}

if (process.argv[1] === import.meta.filename) {
  const [count, seed] = [Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 1)]
  const world = await openApiWorld({ isModelReal: true })
  const start = performance.now()
  const { wrong, reached, ...counts } = await fuzzApi(world, { count, seed })
  const seconds = Math.round((performance.now() - start) / 1000)
  await world.close()
  const kinds = new Map<string, { n: number; request: string }>()
  for (const { what, request } of wrong) {
    const kind = what.replaceAll(/[0-9a-f]{8}-[0-9a-f-]+|\d{3,}/g, '#').slice(0, 900)
    kinds.set(kind, { n: (kinds.get(kind)?.n ?? 0) + 1, request })
  }
  for (const [kind, { n, request }] of kinds) console.log(`${n} times ${kind}\n    ${request}`)
  console.log({ ...counts, reached: reached.length, wrong: wrong.length, kinds: kinds.size, seconds })
  process.exit(wrong.length === 0 ? 0 : 1)
}
