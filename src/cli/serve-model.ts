// hone serve-model: one model behind OpenAI's HTTP API, for programs that speak it already. Ctrl-C lets open requests end.
import type { EventEmitter } from 'node:events'
import { basename, resolve } from 'node:path'
import { serve, type ServerType } from '@hono/node-server'
import { ConfigError } from '#errors'
import { openSampler, openService, type Service } from '#sampler'
import type { Command } from 'commander'
import { withModel } from './completions.ts'
import { numberOf } from './data-source.ts'
import { DTYPE_FLAG } from './dtype.ts'
import { type Output, output } from './output.ts'

type Options = {
  host: string
  port: string
  name?: string
  apiKey?: string
  maxTokens: string
  maxSamples: string
  device: string
  dtype?: string
  json?: boolean
}

export function serveModelCommand(program: Command): void {
  program
    .command('serve-model')
    .description("answer OpenAI's /v1/models, /v1/chat/completions and /v1/completions with a model")
    .argument('<model>', 'folder, run, or base, the bundled one')
    .option('--host <address>', 'to listen on; 0.0.0.0 lets the network in', '127.0.0.1')
    .option('--port <n>', 'to listen on; 0 takes a free one', '8080')
    .option('--name <name>', 'what clients call the model (default: the name of its folder)')
    .option('--api-key <key>', 'what clients must show (default: HONE_API_KEY from the environment, else nothing)')
    .option('--max-tokens <n>', 'most tokens of a completion, given where a chat asks for no number', '1024')
    .option('--max-samples <n>', 'most completions at once; a client beyond them is told to come again', '128')
    .option('--device <device>', 'cpu, or cuda:0', 'cpu')
    .option(...DTYPE_FLAG)
    .option('--json', 'events as JSON lines on standard output')
    .action(serveModel)
}

async function serveModel(model: string, options: Options): Promise<void> {
  const out = output(options)
  const port = numberOf('--port', options.port, { low: 0, high: 65_535, isWhole: true })
  const maxTokens = numberOf('--max-tokens', options.maxTokens, { low: 1, isWhole: true })
  const maxSamples = numberOf('--max-samples', options.maxSamples, { low: 1, isWhole: true })
  const apiKey = options.apiKey ?? process.env.HONE_API_KEY
  if (apiKey === '') throw new ConfigError('--api-key: expected a key, got an empty one; leave it out for none')
  const { device, dtype, host } = options
  await withModel({ name: model, device, ...(dtype && { dtype }), flag: '<model>' }, async (opened) => {
    const service = openService({
      sampler: openSampler(opened.engine, opened.model),
      tokenizer: opened.tokenizer,
      contextTokens: opened.maxTokens,
      name: options.name ?? basename(resolve(model)),
      maxTokens,
      maxSamples,
      ...(apiKey !== undefined && { apiKey }),
    })
    await listen(service, { host, port, hasKey: apiKey !== undefined, out })
  })
}

/** Until Ctrl-C or SIGTERM, and then until every open request has its answer. A second Ctrl-C ends at once. */
async function listen(
  service: Service,
  { host, port, hasKey, out }: { host: string; port: number; hasKey: boolean; out: Output },
): Promise<void> {
  const server = await new Promise<ServerType>((resolve, reject) => {
    const opened = serve({ fetch: service.app.fetch, hostname: host, port }, ({ port: taken }) => {
      const url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}/v1`
      out.event({ event: 'listening', url })
      out.say(`listening on ${url}; Ctrl-C ends`)
      if (!hasKey && !/^(127\.|localhost$|::1$)/.test(host))
        out.say('no key is asked for and the network may reach this: consider --api-key')
      resolve(opened)
    })
    opened.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new ConfigError(`cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
    )
  })
  // Node would close a connection whose answer has been made and not yet sent; so answers are counted until they are gone.
  const answers = new Set<object>()
  let onGone = (): void => {}
  server.on('request', (_request: object, answer: EventEmitter) => {
    answers.add(answer)
    answer.once('close', () => {
      answers.delete(answer)
      onGone()
    })
  })
  await new Promise<void>((resolve) => {
    let isDraining = false
    const onSignal = (): void => {
      if (isDraining) process.exit(130)
      isDraining = true
      process.stderr.write(`\nletting ${answers.size} requests end; Ctrl-C again ends at once\n`)
      const drained = service.drain()
      onGone = () => answers.size === 0 && resolve(drained)
      onGone()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
  server.close()
  if ('closeAllConnections' in server) server.closeAllConnections()
}
