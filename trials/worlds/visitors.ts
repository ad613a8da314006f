// A real `hone serve` as a child process, and people who come to it over HTTP: each with a cookie and connections of their own.
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')
const PASSWORD = 'a long enough sentence'

export type Serving = {
  url: string
  setUp: string | undefined
  process: ChildProcess
  /** What it wrote to standard error, but for where it listens and how it is set up. */
  said: () => string
  /** Ctrl-C, and the wait for its end. */
  stop(): Promise<number | null>
}

/** A workspace of the customer-service domain's guideline, with nothing in it. */
export function makeEmptyWorkspace(prefix = 'hone-trial-'): string {
  const folder = fs.mkdtempSync(join(tmpdir(), prefix))
  for (const name of ['datasets', 'artifacts', 'runs']) fs.mkdirSync(join(folder, name))
  fs.writeFileSync(join(folder, 'hone.json'), JSON.stringify({ name: 'desk', domain: 'customer-service' }))
  fs.writeFileSync(join(folder, 'guideline.md'), 'Choose the better one.\n')
  return folder
}

/** Ends with an error that has what it said where it does not come to listen. */
export async function startServing(
  workspace: string,
  { port = 0, trainers = 0, databaseUrl }: { port?: number; trainers?: number; databaseUrl?: string } = {},
): Promise<Serving> {
  const flags = ['--dir', workspace, '--port', String(port), '--trainers', String(trainers), '--json']
  const { DATABASE_URL: _, ...env } = process.env
  const child = spawn(process.execPath, [HONE, 'serve', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }) },
  })
  let said = ''
  child.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
  const closed = new Promise<number | null>((done) => child.once('close', done))
  const first = await Promise.race([
    new Promise<string>((done) => createInterface(child.stdout).once('line', done)),
    closed.then((code) => Promise.reject(new Error(`hone serve ended with ${code}: ${said}`))),
  ])
  const { url, setUp } = JSON.parse(first) as { url: string; setUp?: string }
  return {
    url,
    setUp,
    process: child,
    said: () =>
      said
        .split('\n')
        .filter((line) => !/^(hone serves|set it up|  http|$)/.test(line))
        .join('\n'),
    stop() {
      child.kill('SIGINT')
      return closed
    },
  }
}

export type Reply = { status: number; json: unknown; text: string }
export type Visitor = {
  id: string
  /** `POST /api/session` and a body. A connection that breaks is an error. */
  ask(key: string, body?: unknown): Promise<Reply>
  /** As a browser sends it. */
  cookie(): string | undefined
  close(): void
}

/** `origin`: where the server is; its port must stay the same when it is started again. */
export function visitor(origin: string): Visitor {
  const { hostname, port } = new URL(origin)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 })
  let cookie: string | undefined
  return {
    id: '',
    ask(key, body) {
      const [method, path] = key.split(' ') as [string, string]
      const isFile = body instanceof Uint8Array
      const content = body === undefined ? undefined : isFile ? body : JSON.stringify(body)
      const headers = {
        origin,
        'sec-fetch-site': 'same-origin',
        ...(cookie !== undefined && { cookie }),
        ...(content !== undefined && {
          'content-type': isFile ? 'application/octet-stream' : 'application/json',
          'content-length': Buffer.byteLength(content),
        }),
      }
      return new Promise((done, fail) => {
        const request = http.request({ hostname, port, method, path, headers, agent }, (response) => {
          const set = response.headers['set-cookie']?.[0]
          if (set !== undefined) cookie = set.split(';')[0]
          const pieces: Buffer[] = []
          response.on('data', (piece: Buffer) => pieces.push(piece))
          response.on('error', fail)
          response.on('aborted', () => fail(new Error('the answer broke off')))
          response.on('end', () => {
            const text = Buffer.concat(pieces).toString()
            const isJson = response.headers['content-type']?.startsWith('application/json') ?? false
            done({
              status: response.statusCode!,
              json: isJson && text ? (JSON.parse(text) as unknown) : undefined,
              text,
            })
          })
        })
        request.on('error', fail)
        request.end(content)
      })
    },
    cookie: () => cookie,
    close: () => agent.destroy(),
  }
}

/** What a visitor asks; anything but success is an error. */
export async function must(who: Visitor, key: string, body?: unknown): Promise<unknown> {
  const { status, json, text } = await who.ask(key, body)
  if (status >= 300) throw new Error(`${key}: ${status} ${text}`)
  return json
}

/** Asked again while the server or its database is away, with the same words; answers the first answer that is neither. */
export async function persist(who: Visitor, key: string, body: unknown, giveUp: () => boolean): Promise<Reply> {
  for (;;) {
    try {
      const reply = await who.ask(key, body)
      if (reply.status < 500 || giveUp()) return reply
    } catch (error) {
      if (giveUp()) throw error
    }
    await sleep(25)
  }
}

/** The first account, which owns project `desk`, by the set-up link. */
export async function setUpBy({ url, setUp }: Serving): Promise<Visitor> {
  const lead = visitor(url)
  const body = { token: setUp!.split('#')[1], name: 'Lead', email: 'lead@example.org', password: PASSWORD }
  const me = (await must(lead, 'POST /api/set-up', { ...body, project: 'Desk' })) as { id: string }
  lead.id = me.id
  return lead
}

/** So many annotators of project `desk`, who have read the guideline of no campaign yet. */
export async function invite(lead: Visitor, origin: string, count: number): Promise<Visitor[]> {
  const people: Visitor[] = []
  for (let i = 0; i < count; i++) {
    const { token } = (await must(lead, 'POST /api/projects/desk/invitations', { role: 'annotator' })) as {
      token: string
    }
    const person = visitor(origin)
    const account = { name: `Person ${i}`, email: `person-${i}@example.org`, password: PASSWORD }
    person.id = ((await must(person, 'POST /api/links/join', { token, account })) as { id: string }).id
    people.push(person)
  }
  return people
}

/** A campaign over new comparisons, its guideline read by everybody; answers its path. */
export async function openCampaign(
  lead: Visitor,
  people: readonly Visitor[],
  { name, items, overlap }: { name: string; items: number; overlap: number },
): Promise<string> {
  const rows = Array.from({ length: items }, (_, i) =>
    JSON.stringify({
      item: `${name}-${i}`,
      prompt: `Question ${i} of ${name}?`,
      a: `First answer ${i}.`,
      b: `Second ${i}.`,
    }),
  )
  const file = new TextEncoder().encode(`${rows.join('\n')}\n`)
  await must(lead, `POST /api/projects/desk/datasets/${name}?kind=comparisons`, file)
  const body = { name, dataset: name, overlap, seed: 1 }
  const { id } = (await must(lead, 'POST /api/projects/desk/campaigns', body)) as { id: string }
  const path = `/api/projects/desk/campaigns/${id}`
  for (const person of people) await must(person, `PUT ${path}/guideline-read`)
  return path
}
