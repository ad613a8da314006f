// The sampler's side of the socket: HTTP of three requests. /load says what a model is, /draw streams samples as JSON lines,
// and everything under /v1 is OpenAI's API, by the model that the headers name. Nobody but the server reaches this socket.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { createAdaptorServer } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { ConfigError, DataError } from '#errors'
import { drawRows } from './completions.ts'
import type { DrawRequest } from './contract.ts'
import { type House, type OpenedModel, openHouse, sampleAll } from './house.ts'
import { openService } from './openai/app.ts'

export type SamplerOptions = {
  socket: string
  resolve: (name: string) => string
  device: string
  /** Models in memory at once. */
  mostModels: number
  /** Of one completion of the API. */
  maxTokens: number
  /** Completions of all clients of one model at once. */
  maxSamples: number
}

/** Listens until `close`. */
export async function serveSampler(options: SamplerOptions): Promise<{ close(): Promise<void> }> {
  const { socket, resolve, device, mostModels } = options
  const house = openHouse({ resolve, device, most: mostModels })
  const server = createAdaptorServer({ fetch: appOf(house, options).fetch })
  const mask = process.umask(0o077)
  try {
    await new Promise<void>((done, fail) => {
      server.once('error', fail)
      server.listen(socket, () => done())
    })
  } finally {
    process.umask(mask)
  }
  return {
    async close() {
      const ended = new Promise((done) => server.close(done))
      if ('closeAllConnections' in server) server.closeAllConnections()
      await ended
      await house.close()
      fs.rmSync(socket, { force: true })
    },
  }
}

function appOf(house: House, { maxTokens, maxSamples }: SamplerOptions): Hono {
  const app = new Hono()
  app.onError((error, c) =>
    c.json(errorOf(error), error instanceof ConfigError || error instanceof DataError ? 422 : 500),
  )

  app.post('/load', async (c) => {
    const { folder } = await c.req.json<{ folder: string }>()
    return house.use(folder, async ({ hash, contextTokens, tokenizer }) =>
      c.json({ hash, contextTokens, hasChatTemplate: tokenizer.template !== undefined }),
    )
  })

  app.post('/draw', async (c) => {
    const asked = await c.req.json<DrawRequest>()
    const signal = c.req.raw.signal
    const lines = drawnLines(house, asked, signal)
    const utf8 = new TextEncoder()
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { value, done } = await lines.next()
        if (done) controller.close()
        else controller.enqueue(utf8.encode(`${value}\n`))
      },
      async cancel() {
        await lines.return(undefined)
      },
    })
    return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } })
  })

  app.all('/v1/*', async (c) => {
    const [folder, hash, name] = ['folder', 'hash', 'name'].map((key) => headerOf(c, key)) as [string, string, string]
    return new Promise<Response>((answer, fail) => {
      // The model stays open until the answer, a stream perhaps, has gone to its end.
      house
        .use(folder, async (model) => {
          if (model.hash !== hash)
            throw new DataError(
              `expected the weights ${hash.slice(0, 12)}, got ${model.hash.slice(0, 12)}: changed since`,
              {
                file: folder,
              },
            )
          const { app: service } = serviceOf(model, { name, maxTokens, maxSamples })
          const { response, ended } = followed(await service.fetch(c.req.raw))
          answer(response)
          await ended
        })
        .catch(fail)
    })
  })
  return app
}

const services = new WeakMap<OpenedModel, Map<string, ReturnType<typeof openService>>>()

/** One for each name that a model has; all share its stream. */
function serviceOf(model: OpenedModel, o: { name: string; maxTokens: number; maxSamples: number }) {
  const byName = services.get(model) ?? new Map<string, ReturnType<typeof openService>>()
  services.set(model, byName)
  const service = byName.get(o.name) ?? openService({ ...model, ...o })
  byName.set(o.name, service)
  return service
}

/** Samples of all rows as JSON lines; a failure under way is the last line. */
async function* drawnLines(house: House, asked: DrawRequest, signal: AbortSignal): AsyncGenerator<string> {
  const queue: string[] = []
  let [isEnded, wake] = [false, (): void => {}]
  const left = new AbortController()
  const both = AbortSignal.any([signal, left.signal])
  const work = house
    .use(asked.folder, async ({ tokenizer, contextTokens, sampler }) => {
      const { prompts, n, seed, temperature, topP, maxTokens } = asked
      const drawing = { n, seed, temperature, topP, maxTokens, topK: 0, minP: 0, repetitionPenalty: 1, stop: [] }
      const answering = {
        tokenizer,
        maxTokens: contextTokens,
        sample: (requests: Parameters<typeof sampleAll>[1]) => sampleAll(sampler, requests, both),
      }
      for await (const { row, sample, done } of drawRows(answering, prompts, { drawing, signal: both })) {
        if (!done) continue
        queue.push(JSON.stringify({ row, sample, ...done }))
        wake()
      }
    })
    .catch((error: unknown) => queue.push(JSON.stringify(errorOf(error))))
    .finally(() => {
      isEnded = true
      wake()
    })
  try {
    for (;;) {
      yield* queue.splice(0)
      if (queue.length > 0) continue
      if (isEnded) return
      await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    left.abort()
    await work
  }
}

/** The same answer, and when its body has been read or let go. */
function followed(response: Response): { response: Response; ended: Promise<void> } {
  if (!response.body) return { response, ended: Promise.resolve() }
  const reader = response.body.getReader()
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => (end = resolve))
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await reader.read()
        if (!done) return controller.enqueue(value)
        controller.close()
        end()
      } catch (error) {
        end()
        throw error
      }
    },
    async cancel(reason) {
      end()
      await reader.cancel(reason)
    },
  })
  return { response: new Response(body, response), ended }
}

function headerOf(c: Context, key: string): string {
  const value = c.req.header(`hone-${key}`)
  if (value === undefined) throw new DataError(`expected the header hone-${key}`)
  return decodeURIComponent(value)
}

/** What the asker did wrong keeps its words; what nobody foresaw gets a name, under which standard error has the stack. */
function errorOf(error: unknown): { error: { message: string; isAskers: boolean } } {
  if (error instanceof DataError || error instanceof ConfigError)
    return { error: { message: error.message, isAskers: true } }
  const name = randomUUID().slice(0, 8)
  process.stderr.write(`${name} ${error instanceof Error ? error.stack : String(error)}\n`)
  return { error: { message: `a defect of the sampler, ${name} in its log`, isAskers: false } }
}
