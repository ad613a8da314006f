// hone serve: the workspace's API and web pages, on its own Postgres or a team's. Ctrl-C lets open requests end.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serve, type ServerType } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Command } from 'commander'
import { bucketOf, keepSending, probeBucket } from '#bucket'
import { ConfigError } from '#errors'
import { holdFolder } from '#files'
import { openSamplerLink } from '#sampler'
import { createServer } from '#server'
import { openStore, type Store } from '#store'
import { supervise } from '#trainer'
import { type Common, numberOf, workspaceOf } from './data-source.ts'
import { bundledDomains } from './domains.ts'
import { output } from './output.ts'
import { version } from './version.ts'

const HONE = fileURLToPath(new URL('../../scripts/hone.mjs', import.meta.url))
const WEB = fileURLToPath(new URL('../../.hone/web', import.meta.url))

type Options = Common & {
  host: string
  port: string
  origin?: string
  webhookHost?: string[]
  device: string
  trainers: string
}

export function serveCommand(program: Command): void {
  program
    .command('serve')
    .description('people judge, runs are started and watched: the web application of a workspace, and its trainer')
    .option('--dir <folder>', 'workspace (default: the one around this folder)')
    .option('--host <address>', 'to listen on; 0.0.0.0 lets the network in', '127.0.0.1')
    .option('--port <n>', 'to listen on; 0 takes a free one', '4600')
    .option('--trainers <n>', 'runs at once; 0 starts none here', '1')
    .option('--origin <url>', 'how people reach it, where a proxy with TLS stands before it')
    .option('--webhook-host <name...>', 'hosts that webhooks may reach though their addresses are not public')
    .option('--device <device>', 'where models answer: cpu, or cuda:0', 'cpu')
    .option('--json', 'events as JSON lines')
    .addHelpText(
      'after',
      '\nDATABASE_URL names a Postgres of your own, 15 or newer; without it the workspace has its own.',
    )
    .action((options: Options) => serveWorkspace(options))
}

/** `prepare`: what is done before anybody is let in; `link`: where its caller should be sent. */
export async function serveWorkspace(
  options: Options,
  prepare: (store: Store) => Promise<{ link: string } | undefined> = async () => undefined,
): Promise<void> {
  const out = output(options)
  const port = numberOf('--port', options.port, { low: 0, high: 65_535, isWhole: true })
  const trainers = numberOf('--trainers', options.trainers, { low: 0, high: 64, isWhole: true })
  const origin = options.origin === undefined ? undefined : originOf(options.origin)
  const workspace = resolve(workspaceOf(options))
  if (!existsSync(join(workspace, 'hone.json')))
    throw new ConfigError(`expected a workspace, a folder with hone.json, got ${workspace}: make one with hone init`)
  const bucket = bucketOf(workspace)
  if (bucket) await probeBucket(bucket)
  const hold = holdFolder(workspace)
  try {
    const store = await openStore({ workspace, databaseUrl: process.env.DATABASE_URL })
    try {
      const prepared = await prepare(store)
      const isLoopback = /^(127\.|localhost$|::1$)/.test(options.host)
      const sampler = openSamplerLink({ command: [process.execPath, HONE, 'sampler', '--device', options.device] })
      try {
        const server = await createServer({
          store,
          workspace,
          hone: version(),
          sampler,
          domains: bundledDomains(),
          web: WEB,
          origin,
          isLoopback,
          webhookHosts: options.webhookHost ?? [],
          addressOf: (c) => getConnInfo(c).remote.address ?? '',
          onDefect,
        })
        const { listener, url } = await listen(server.app.fetch, { host: options.host, port })
        const supervisor = supervise({ store, workspace, trainers, hone: [process.execPath, HONE], onDefect })
        const sending = keepSending(workspace, out.warn)
        const base = origin ?? url
        const setUp = server.setUpToken === undefined ? undefined : `${base}/set-up#${server.setUpToken}`
        const link = prepared && `${base}${prepared.link}`
        const artifacts = bucket?.url ?? join(workspace, 'artifacts')
        out.event({ event: 'listening', url: base, artifacts, ...(setUp && { setUp }), ...(link && { link }) })
        out.say(`hone serves ${workspace} on ${base}; Ctrl-C ends`)
        if (bucket) out.say(`artifacts are in ${artifacts}, which can be read and written`)
        if (setUp) out.say(`set it up here (this link works once, until the next start):\n  ${setUp}`)
        if (link) out.say(`come in here, as an owner (this link works once):\n  ${link}`)
        if (!isLoopback && origin === undefined)
          out.say('without TLS browsers keep no session beyond this machine: put a proxy before it and give --origin')
        await signalled()
        // Runs save and end; the next start goes on with them.
        await Promise.all([closed(listener), supervisor.close(), sending.close()])
        await server.close()
      } finally {
        await sampler.close()
      }
    } finally {
      await store.close()
    }
  } finally {
    hold.release()
  }
}

function onDefect(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new ConfigError(`--origin: expected something like https://hone.example.org, got ${text}`)
  return url.origin
}

function listen(
  fetch: (request: Request, env: object) => Response | Promise<Response>,
  { host, port }: { host: string; port: number },
): Promise<{ listener: ServerType; url: string }> {
  return new Promise((done, fail) => {
    const listener = serve({ fetch, hostname: host, port }, ({ port: taken }) => {
      const name = host === '127.0.0.1' || host === '::1' ? 'localhost' : host
      done({ listener, url: `http://${name.includes(':') ? `[${name}]` : name}:${taken}` })
    })
    listener.once('error', (cause: NodeJS.ErrnoException) =>
      fail(new ConfigError(`cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
    )
  })
}

function signalled(): Promise<void> {
  return new Promise((done) => {
    let isEnding = false
    const onSignal = (): void => {
      if (isEnding) process.exit(130)
      isEnding = true
      done()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

/** Open requests get their answer, for some seconds; what streams is cut. */
const ENDING_MILLISECONDS = 3000

async function closed(listener: ServerType): Promise<void> {
  const ended = new Promise((done) => listener.close(done))
  const timer = setTimeout(
    () => 'closeAllConnections' in listener && listener.closeAllConnections(),
    ENDING_MILLISECONDS,
  )
  if ('closeIdleConnections' in listener) listener.closeIdleConnections()
  await ended
  clearTimeout(timer)
}
