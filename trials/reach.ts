// npm run trials -- reach [EVERY 1]: addresses of this machine and ways out of a folder, in every text field, query and path of the API as
// who may use it, as addresses of pages, and as files that are brought in. A listener and a file are the canaries: nobody may
// knock at the one, no answer may hold a word of the other, and nothing may appear beside the workspace. Exits 1 if so.
import fs from 'node:fs'
import http from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { type ApiWorld, openApiWorld, ORIGIN } from './worlds/api.ts'
import { type Document, filled, valuesOf } from './worlds/api-requests.ts'
import type { Json } from './worlds/hostile.ts'

export type Reached = { requests: number; places: number; accepted: number; wrong: string[] }

const SECRET = 'canary-7c1f0a52-nobody-may-read-this'

/** `every`: of the texts, the first and each so-many-th after it. */
export async function tryReach(world: ApiWorld, every = 1): Promise<Reached> {
  const { harness } = world
  const outside = fs.mkdtempSync(join(tmpdir(), 'hone-canary-'))
  const file = join(outside, 'secret.jsonl')
  fs.writeFileSync(file, `{"prompt":"${SECRET}"}\n`)
  let hits = 0
  const listener = http.createServer((_, response) => {
    hits++
    response.end(SECRET)
  })
  listener.on('connection', () => hits++)
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
  const { port } = listener.address() as AddressInfo
  const texts = [...addresses(port, file), ...waysOut(harness.workspace, file), ...commands(port, outside)].filter(
    (_, i) => i % every === 0,
  )
  const reached: Reached = { requests: 0, places: 0, accepted: 0, wrong: [] }
  const own = await world.idsOf('desk')
  const headers = { ...(await world.headersOf('owner')), origin: ORIGIN, 'sec-fetch-site': 'same-origin' }

  async function ask(
    what: string,
    method: string,
    path: string,
    o: { body?: unknown; file?: Uint8Array } = {},
  ): Promise<void> {
    reached.requests++
    const type = o.file ? 'application/octet-stream' : 'application/json'
    const body = o.file ?? (o.body === undefined ? undefined : JSON.stringify(o.body))
    const leaving = new AbortController()
    let request: Request
    try {
      request = new Request(ORIGIN + path, {
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-type': type }) },
        signal: leaving.signal,
        ...(body !== undefined && { body: body as string | Uint8Array<ArrayBuffer> }),
      })
    } catch {
      return
    }
    const response = await harness.server.app.request(request)
    const isLive = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
    const text = isLive ? '' : await response.text()
    leaving.abort()
    if (response.ok) reached.accepted++
    if (response.status >= 500) reached.wrong.push(`${what}: ${response.status} ${text.slice(0, 100)}`)
    if (text.includes(SECRET)) reached.wrong.push(`${what}: the answer holds the canary`)
    if (/root:.*:0:0:/.test(text)) reached.wrong.push(`${what}: the answer holds a file of this machine`)
    if (/^\/(?!p\/)/.test(response.headers.get('location') ?? '')) reached.wrong.push(`${what}: sent elsewhere`)
  }

  try {
    const document = (await world.people.owner.ask('GET /api/openapi.json')).json as Document
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods)) {
        const key = `${method.toUpperCase()} ${path}`
        const plain = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
          name === 'project' ? 'desk' : (own[name] ?? '0'),
        )
        const schema = operation.requestBody?.content['application/json']?.schema
        const [valid] = schema ? fc.sample(valuesOf(schema, '', world.known), { numRuns: 1, seed: 3 }) : [undefined]
        const body = valid === undefined ? undefined : (JSON.parse(filled(JSON.stringify(valid), world.known)) as Json)
        const places = body === undefined ? [] : stringsIn(body)
        reached.places += places.length + operation.parameters.length
        for (const text of texts) {
          for (const place of places)
            await ask(`${key} ${place.join('.')} = ${text}`, method.toUpperCase(), plain, {
              body: withText(body!, place, text),
            })
          for (const one of operation.parameters) {
            const encoded = encodeURIComponent(text)
            for (const given of one.in === 'path' ? [encoded, text.replaceAll(/[?#]/g, '')] : [encoded]) {
              const to =
                one.in === 'path'
                  ? path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
                      name === one.name ? given : name === 'project' ? 'desk' : (own[name] ?? '0'),
                    )
                  : `${plain}?${one.name}=${given}`
              await ask(`${key} ${one.name} = ${text}`, method.toUpperCase(), to, body === undefined ? {} : { body })
            }
          }
        }
      }
    for (const text of texts) {
      await ask(`page ${text}`, 'GET', `/${text.replaceAll(/[?#]/g, '')}`)
      await ask(`asset ${text}`, 'GET', `/assets/${encodeURIComponent(text)}`)
    }
    for (const [name, bytes] of Object.entries(uploads(port, file)))
      for (const given of [name, ...waysOut(harness.workspace, file).slice(0, 6)])
        for (const kind of ['prompts', 'comparisons', 'demonstrations', 'judgements'])
          await ask(
            `file ${given} of ${name}`,
            'POST',
            `/api/projects/desk/datasets/brought?kind=${kind}&file=${encodeURIComponent(given)}`,
            { file: bytes },
          )
    // Every webhook that was taken is sent to, so that what was refused was refused at the door.
    const { query } = harness.store
    await query(
      "insert into deliveries (webhook_id, event, subject, detail) select id, 'webhook.test', 'x', '{}' from webhooks where removed_at is null",
    )
    const waiting = async () =>
      (
        await query<{ n: number }>(
          'select count(*)::int as n from deliveries join webhooks on webhooks.id = webhook_id where attempts = 0 and settled_at is null and removed_at is null',
        )
      )[0]!.n
    for (let i = 0; i < 600 && (await waiting()) > 0; i++) await sleep(100)
    if ((await waiting()) > 0) reached.wrong.push('deliveries were not tried')
    if (hits > 0) reached.wrong.push(`the canary was knocked at ${hits} times`)
    if (fs.readFileSync(file, 'utf8') !== `{"prompt":"${SECRET}"}\n`) reached.wrong.push('the canary file was written')
    const beside = fs.readdirSync(outside).filter((name) => name !== 'secret.jsonl')
    for (const name of beside) reached.wrong.push(`beside the canary lies ${name}`)
    for (const defect of harness.defects) reached.wrong.push(String((defect as Error).stack))
    return reached
  } finally {
    listener.close()
    listener.closeAllConnections()
    fs.rmSync(outside, { recursive: true, force: true })
  }
}

function addresses(port: number, file: string): string[] {
  const hosts = [
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    'sub.localhost',
    'localhost.',
    '①②⑦.⓪.⓪.①',
  ]
  return [
    ...hosts.map((host) => `http://${host}:${port}/`),
    `https://127.0.0.1:${port}/`,
    `//127.0.0.1:${port}/`,
    `http://example.org@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}#@example.org/`,
    `http:127.0.0.1:${port}`,
    `http://127.0.0.1:${port}\\@example.org/`,
    `gopher://127.0.0.1:${port}/_x`,
    `dict://127.0.0.1:${port}/x`,
    `ws://127.0.0.1:${port}/`,
    `file://${file}`,
    `file://localhost${file}`,
    `data:application/jsonl,{"prompt":"x"}`,
  ]
}

function waysOut(workspace: string, file: string): string[] {
  const up = relative(workspace, file)
  const deep = `${'../'.repeat(12)}${file.slice(1)}`
  return [
    file,
    up,
    deep,
    `models/${up}`,
    `runs/../${up}`,
    `./${up}`,
    deep.replaceAll('../', '....//'),
    deep.replaceAll('/', '\\'),
    deep.replaceAll('../', '%2e%2e%2f'),
    deep.replaceAll('../', '%252e%252e%252f'),
    deep.replaceAll('../', '..%c0%af'),
    `${file}%00.jsonl`,
    '/etc/passwd',
    '../../../../../../../../etc/passwd',
    '/proc/self/environ',
    '/proc/self/fd/0',
    '~root/.bashrc',
    'webhook.key',
    '../webhook.key',
    'postgres/password',
    '../postgres/password',
  ]
}

function commands(port: number, outside: string): string[] {
  const touch = `touch ${outside}/made`
  return [
    `$(${touch})`,
    `\`${touch}\``,
    `; ${touch}`,
    `| ${touch}`,
    `&& ${touch}`,
    `--socket=${outside}/made`,
    `-o${outside}/made`,
    `@${outside}/secret.jsonl`,
    `$(curl http://127.0.0.1:${port}/)`,
    "'; copy users to program 'touch /x'; --",
    "' || pg_read_file('/etc/passwd') || '",
  ]
}

function uploads(port: number, file: string): Record<string, Uint8Array> {
  const text = (of: string): Uint8Array => new TextEncoder().encode(of)
  return {
    'entities.jsonl': text(
      `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:${port}/">]><x>&e;</x>`,
    ),
    'reference.json': text(`[{"prompt":{"$ref":"file://${file}"}}]`),
    'path.jsonl': text(`{"prompt":"@${file}"}\n`),
    'include.jsonl': text(`{"messages":[{"role":"user","content":"{% include '${file}' %}"}]}\n`),
    'formula.csv': text(`prompt,completion\n"=WEBSERVICE(""http://127.0.0.1:${port}/"")",x\n`),
    'zeros.jsonl.gz': gzipSync(
      Buffer.concat([Buffer.from('{"prompt":"'), Buffer.alloc(5_000_000, 'a'), Buffer.from('"}\n')]),
    ),
    'deep.jsonl': text(`{"prompt":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n`),
    'archive.zip': new Uint8Array([0x50, 0x4b, 3, 4, ...text('../../../../made')]),
    'link.tar': text(`${'link'.padEnd(100, '\0')}${''.padEnd(56, '0')}2${file}`),
  }
}

type Place = (string | number)[]
function stringsIn(value: Json, at: Place = []): Place[] {
  if (typeof value === 'string') return [at]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => stringsIn(inner, [...at, key]))
}

function withText(value: Json, [key, ...rest]: Place, text: string): Json {
  if (key === undefined) return text
  const copy = structuredClone(value) as Record<string, Json>
  copy[key] = withText(copy[key]!, rest, text)
  return copy
}

if (process.argv[1] === import.meta.filename) {
  const start = performance.now()
  const world = await openApiWorld({ isModelReal: false })
  const { wrong, ...counts } = await tryReach(world, Number(process.argv[2] ?? 1))
  await world.close()
  for (const line of wrong.slice(0, 30)) console.log(line.slice(0, 500))
  console.log({ ...counts, wrong: wrong.length, seconds: Math.round((performance.now() - start) / 1000) })
  process.exit(wrong.length === 0 ? 0 : 1)
}
