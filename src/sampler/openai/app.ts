// OpenAI's HTTP API over one model: /v1/models, /v1/chat/completions, /v1/completions, and /health for those who watch it.
// All clients share one stream of samples. Left out: tools, images, several models, keys for several people.
import { createHash, randomInt, timingSafeEqual } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { DataError } from '#errors'
import type { Guide } from '#engine/contract'
import { type JsonGrammar, jsonGuides, stopGuide, tokenizePrompt, type Tokenizer } from '#text'
import type { Sampler } from '../sampler.ts'
import { answerWhole, type Job, streamAnswer } from './answer-request.ts'
import { ApiError, apiErrorOf, errorBody } from './errors.ts'
import { type Asked, readChat, readText } from './requests.ts'

export type Served = {
  /** May be shared with others, who ask under another name. */
  sampler: Sampler
  tokenizer: Tokenizer
  /** Longest sequence that the model takes. */
  contextTokens: number
  name: string
  apiKey?: string
  /** Of one completion: the most that may be asked for, and what is given where nothing is asked. */
  maxTokens: number
  /** Samples of all clients together; who would exceed them is told to come again. */
  maxSamples: number
}
export type Service = {
  app: Hono
  /** Samples that are being drawn or wait for it. */
  open(): number
  /** From now on new requests get 503. Resolves when those before have been drawn and the model is free. */
  drain(): Promise<void>
}

const LARGEST_BODY = 4 * 2 ** 20
/** crypto.randomInt's own limit. */
const SEEDS = 2 ** 48 - 1

export function openService(served: Served): Service {
  const { sampler, tokenizer, name, apiKey, contextTokens } = served
  const app = new Hono()
  const created = Math.floor(Date.now() / 1000)
  let isDraining = false

  app.onError((error, c) => {
    const known = apiErrorOf(error)
    if (known.status === 429) c.header('retry-after', '1')
    return c.json(errorBody(known), known.status)
  })
  app.notFound((c) => {
    throw new ApiError(404, `there is no ${c.req.method} ${c.req.path} here`, { code: 'unknown_url' })
  })
  app.get('/health', (c) => c.json({ status: isDraining ? 'draining' : 'ok', model: name, open: sampler.open() }))
  app.use('/v1/*', async (c, next) => {
    if (apiKey !== undefined && !isSame(c.req.header('authorization') ?? '', `Bearer ${apiKey}`))
      throw new ApiError(401, 'expected the right key in the header Authorization: Bearer KEY', {
        code: 'invalid_api_key',
      })
    if (isDraining) throw new ApiError(503, 'the server is shutting down')
    await next()
  })
  const limit = bodyLimit({
    maxSize: LARGEST_BODY,
    onError: () => {
      throw new ApiError(413, `expected a body of at most ${LARGEST_BODY} bytes`)
    },
  })

  const described = { id: name, object: 'model', created, owned_by: 'hone' }
  app.get('/v1/models', (c) => c.json({ object: 'list', data: [described] }))
  app.get('/v1/models/:name{.+}', (c) => {
    checkName(c.req.param('name'))
    return c.json(described)
  })

  app.post('/v1/chat/completions', limit, async (c) => {
    const asked = readChat(await bodyOf(c))
    checkName(asked.model)
    if (!tokenizer.template)
      throw new ApiError(400, `${name} has no chat template; ask /v1/completions instead`, { param: 'messages' })
    return answer(c, { kind: 'chat', asked, prompts: [await tokenizePrompt(tokenizer, asked.messages)] })
  })

  app.post('/v1/completions', limit, async (c) => {
    const asked = readText(await bodyOf(c))
    checkName(asked.model)
    const prompts = asked.prompts.map((prompt) =>
      typeof prompt === 'string' ? tokenizer.encodePrompt(prompt) : ids(prompt),
    )
    return answer(c, { kind: 'text', asked, prompts })
  })

  function answer(
    c: Context,
    { kind, asked, prompts }: { kind: 'chat' | 'text'; asked: Asked; prompts: Int32Array[] },
  ) {
    const samples = prompts.length * asked.n
    if (samples > served.maxSamples)
      throw new ApiError(400, `expected at most ${served.maxSamples} completions a request, got ${samples}`, {
        param: 'n',
      })
    if (sampler.open() + samples > served.maxSamples)
      throw new ApiError(429, `${sampler.open()} completions are under way; come again`, {
        code: 'rate_limit_exceeded',
      })
    const job: Job = {
      kind,
      asked,
      tokenizer,
      sampler,
      name,
      requests: prompts.map((tokens, p) => {
        const maxTokens = roomFor(tokens, asked)
        const guide = guideOf(asked, maxTokens)
        return { tokens, maxTokens, seed: (asked.seed ?? randomInt(SEEDS)) + p, ...(guide && { guide }) }
      }),
    }
    return asked.isStream ? streamAnswer(job, c.req.raw.signal) : answerWhole(job, c.req.raw.signal)
  }

  function roomFor(tokens: Int32Array, { maxTokens }: Asked): number {
    const room = contextTokens - tokens.length
    if (tokens.length === 0) throw new ApiError(400, 'expected a prompt of at least one token', { param: 'prompt' })
    if (room < (maxTokens ?? 1))
      throw new ApiError(
        400,
        `expected prompt and completion to fit ${contextTokens} tokens, got ${tokens.length} + ${maxTokens ?? 1}`,
        { code: 'context_length_exceeded' },
      )
    if (maxTokens !== undefined && maxTokens > served.maxTokens)
      throw new ApiError(400, `expected at most ${served.maxTokens} tokens a completion, got ${maxTokens}`, {
        param: 'max_tokens',
      })
    return maxTokens ?? Math.min(room, served.maxTokens)
  }

  function guideOf(
    { stops, grammar }: Asked & { grammar?: JsonGrammar },
    maxTokens: number,
  ): (() => Guide) | undefined {
    if (grammar)
      try {
        return jsonGuides(tokenizer, grammar, { maxTokens })
      } catch (error) {
        if (error instanceof DataError) throw new ApiError(400, error.message, { param: 'max_tokens' })
        throw error
      }
    return stops.length > 0 ? () => stopGuide(tokenizer, stops) : undefined
  }

  function checkName(asked: string): void {
    if (asked !== name)
      throw new ApiError(
        404,
        `the model ${JSON.stringify(asked)} is not here; this server has ${JSON.stringify(name)}`,
        {
          param: 'model',
          code: 'model_not_found',
        },
      )
  }

  function ids(prompt: number[]): Int32Array {
    const wrong = prompt.find((token) => token >= tokenizer.vocabSize)
    if (wrong !== undefined)
      throw new ApiError(400, `expected tokens below ${tokenizer.vocabSize}, got ${wrong}`, { param: 'prompt' })
    return Int32Array.from(prompt)
  }

  return {
    app,
    open: () => sampler.open(),
    drain() {
      isDraining = true
      return sampler.idle()
    },
  }
}

/** Only JSON by its name: a web page of another origin can send that to nobody without being asked first. */
async function bodyOf(c: Context): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw new ApiError(415, `expected content-type application/json, got ${type ?? 'none'}`)
  const text = await c.req.text()
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ApiError(400, `expected JSON: ${(error as Error).message}`)
  }
}

function isSame(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
