// A server on a real Postgres, called as a function, and people who use it: each with a browser's cookie jar.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SamplerLink } from '#sampler/contract'
import type { Role } from '#schema'
import { openStore, type Store } from '#store'
import { createServer, type HoneServer, type ServerOptions } from './index.ts'

export const ORIGIN = 'http://localhost:4600'
const DOMAIN = join(import.meta.dirname, '../../domains/customer-service')
export const PASSWORD = 'a long enough sentence'

export type Answer = { status: number; json: unknown; headers: Headers; text: string; bytes: Uint8Array }
export type Person = {
  id: string
  email: string
  /** `POST /api/session`, body; headers of a page of this origin unless others are given. */
  ask(key: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  cookie(): string | undefined
}

export type Harness = {
  workspace: string
  store: Store
  server: HoneServer
  /** The server ends in order, and another one opens on the same store. */
  restart(): Promise<void>
  defects: unknown[]
  /** Somebody without an account. */
  stranger(address?: string): Person
  /** A new account with that role in the project. */
  join(project: string, role: Role, by: Person): Promise<Person>
  close(): Promise<void>
}

/** Where a test draws nothing: one that does gives the link to a real process. */
const NO_SAMPLER: SamplerLink = {
  load: () => Promise.reject(new Error('this harness was opened without a sampler')),
  async *draw() {
    yield await Promise.reject(new Error('this harness was opened without a sampler'))
  },
  answer: () => Promise.reject(new Error('this harness was opened without a sampler')),
  pid: () => undefined,
  close: async () => {},
}

export async function openHarness({
  sampler = NO_SAMPLER,
  databaseUrl,
  isEmpty = false,
  ...options
}: Partial<Pick<ServerOptions, 'sampler' | 'webhookHosts' | 'resolve' | 'web'>> & {
  databaseUrl?: string
  /** Without the domain's objective and guideline. */
  isEmpty?: boolean
} = {}): Promise<Harness> {
  const workspace = fs.mkdtempSync(join(tmpdir(), 'hone-server-'))
  for (const file of isEmpty ? [] : ['objective.json', 'guideline.md'])
    fs.copyFileSync(join(DOMAIN, file), join(workspace, file))
  fs.writeFileSync(join(workspace, 'hone.json'), JSON.stringify({ name: 'desk', domain: 'customer-service' }))
  const web = join(workspace, 'web')
  fs.mkdirSync(join(web, 'assets'), { recursive: true })
  fs.writeFileSync(join(web, 'index.html'), '<!doctype html><title>hone</title>')
  fs.writeFileSync(join(workspace, 'secret.html'), 'outside of the web folder')
  const store = await openStore({ workspace, databaseUrl })
  const defects: unknown[] = []
  const open = () =>
    createServer({
      store,
      workspace,
      hone: '0.0.0',
      sampler,
      domains: [{ name: 'customer-service', folder: DOMAIN }],
      web,
      ...options,
      isLoopback: true,
      addressOf: (c) => c.req.header('x-test-address') ?? '127.0.0.1',
      onDefect: (error) => defects.push(error),
    })
  let people = 0
  const stranger = (address = '127.0.0.1'): Person => {
    let cookie: string | undefined
    const person: Person = {
      id: '',
      email: `person-${++people}@example.org`,
      cookie: () => cookie,
      async ask(key, body, headers) {
        const [method, path] = key.split(' ') as [string, string]
        const isFile = body instanceof Uint8Array
        const response = await harness.server.app.request(`${ORIGIN}${path}`, {
          method,
          headers: {
            'x-test-address': address,
            ...(cookie !== undefined && { cookie }),
            ...(headers ?? { origin: ORIGIN, 'sec-fetch-site': 'same-origin' }),
            ...(body !== undefined && { 'content-type': isFile ? 'application/octet-stream' : 'application/json' }),
          },
          ...(body !== undefined && { body: isFile ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
        })
        const set = response.headers.get('set-cookie')
        if (set !== null) cookie = set.includes('Max-Age=0') ? undefined : set.split(';')[0]
        const bytes = new Uint8Array(await response.arrayBuffer())
        const text = new TextDecoder().decode(bytes)
        const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
        return {
          status: response.status,
          json: isJson ? (JSON.parse(text) as unknown) : undefined,
          headers: response.headers,
          text,
          bytes,
        }
      },
    }
    return person
  }
  const harness: Harness = {
    workspace,
    store,
    server: await open(),
    async restart() {
      await harness.server.close()
      harness.server = await open()
    },
    defects,
    stranger,
    async join(project, role, by) {
      const made = await by.ask(`POST /api/projects/${project}/invitations`, { role })
      const person = stranger()
      const { token } = made.json as { token: string }
      const account = { name: `${role} ${people}`, email: person.email, password: PASSWORD }
      const joined = await person.ask('POST /api/links/join', { token, account })
      if (joined.status !== 200) throw new Error(`could not join: ${joined.text}`)
      person.id = (joined.json as { id: string }).id
      return person
    },
    async close() {
      await harness.server.close()
      await store.close()
      fs.rmSync(workspace, { recursive: true, force: true })
    },
  }
  return harness
}

/** The first account, by the set-up link; owns project `desk`. */
export async function setUp(harness: Harness): Promise<Person> {
  const owner = harness.stranger()
  const body = {
    token: harness.server.setUpToken,
    name: 'Owner',
    email: owner.email,
    password: PASSWORD,
    project: 'Desk',
  }
  const done = await owner.ask('POST /api/set-up', body)
  if (done.status !== 200) throw new Error(`could not set up: ${done.text}`)
  owner.id = (done.json as { id: string }).id
  return owner
}
