// Bodies of OpenAI's /v1/chat/completions and /v1/completions. What is read is honoured; everything else is refused by name,
// but for values that change nothing. top_k, min_p and repetition_penalty are spelled as other open servers do.
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { DataError } from '#errors'
import type { Message } from '#schema'
import { compileJsonSchema, type JsonGrammar } from '#text'
import { ApiError } from './errors.ts'

const MOST_SAMPLES_OF_A_PROMPT = 128
const MOST_PROMPTS = 128
const MOST_STOPS = 16
/** Prompts after the first count on from it. */
const LARGEST_SEED = Number.MAX_SAFE_INTEGER - MOST_PROMPTS
/** As OpenAI's. */
const MOST_TOP_LOGPROBS = 20

/** A parameter of OpenAI's that is not supported: accepted where it says what happens anyway. */
const only = (...values: unknown[]) =>
  z
    .unknown()
    .optional()
    .refine((given) => given === undefined || values.some((value) => isDeepStrictEqual(value, given)), {
      error: 'is not supported here; leave it out',
    })

const drawing = {
  model: z.string(),
  temperature: z.number().min(0).max(2).default(1),
  top_p: z.number().gt(0).max(1).optional(),
  top_k: z.number().int().min(0).optional(),
  min_p: z.number().min(0).lt(1).optional(),
  repetition_penalty: z.number().gt(0).max(100).optional(),
  seed: z.number().int().min(0).max(LARGEST_SEED).optional(),
  n: z.number().int().min(1).max(MOST_SAMPLES_OF_A_PROMPT).default(1),
  stop: z
    .union([z.string().min(1), z.array(z.string().min(1)).max(MOST_STOPS)], {
      error: `expected a text or at most ${MOST_STOPS} of them, none empty`,
    })
    .default([])
    .transform((stop) => (typeof stop === 'string' ? [stop] : stop)),
  max_tokens: z.number().int().min(1).optional(),
  stream: z.boolean().default(false),
  stream_options: z.strictObject({ include_usage: z.boolean().default(false) }).optional(),
  frequency_penalty: only(0),
  presence_penalty: only(0),
  logit_bias: only({}),
}

const Text = z.union(
  [
    z.string(),
    z
      .array(z.strictObject({ type: z.literal('text'), text: z.string() }))
      .transform((parts) => parts.map(({ text }) => text).join('')),
  ],
  { error: 'expected a text, or parts of the type text' },
)
/** An answer may be sent back as it came, with its empty fields. */
const ChatMessage = z
  .strictObject({
    role: z.enum(['system', 'developer', 'user', 'assistant']),
    content: Text,
    refusal: z.null().optional(),
  })
  .transform(({ role, content }): Message => ({ role: role === 'developer' ? 'system' : role, content }))

const ChatBody = z.strictObject({
  ...drawing,
  messages: z.array(ChatMessage).min(1),
  max_completion_tokens: z.number().int().min(1).optional(),
  logprobs: z.boolean().default(false),
  top_logprobs: z.number().int().min(0).max(MOST_TOP_LOGPROBS).optional(),
  response_format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({ type: z.literal('json_object') }),
      z.strictObject({
        type: z.literal('json_schema'),
        json_schema: z.strictObject({
          name: z.string(),
          description: z.string().nullish(),
          /** An answer always fits, whatever this says. */
          strict: z.boolean().nullish(),
          schema: z.unknown(),
        }),
      }),
    ])
    .default({ type: 'text' }),
  store: only(false),
  service_tier: only('auto', 'default'),
})

const Tokens = z.array(z.number().int().min(0)).min(1)
const TextBody = z.strictObject({
  ...drawing,
  prompt: z
    .union(
      [z.string(), z.array(z.string()).min(1).max(MOST_PROMPTS), Tokens, z.array(Tokens).min(1).max(MOST_PROMPTS)],
      { error: `expected a text, tokens, or at most ${MOST_PROMPTS} of either` },
    )
    .transform((prompt): (string | number[])[] => {
      if (typeof prompt === 'string') return [prompt]
      return typeof prompt[0] === 'number' ? [prompt as number[]] : (prompt as string[] | number[][])
    }),
  /** As OpenAI's. */
  max_tokens: z.number().int().min(1).default(16),
  logprobs: z.number().int().min(0).max(MOST_TOP_LOGPROBS).optional(),
  echo: only(false),
  best_of: z.number().int().optional(),
})

/** What both bodies ask for. `maxTokens` absent: as many as there is room for. `topLogprobs` absent: no log-probabilities are told. */
export type Asked = {
  model: string
  temperature: number
  topP?: number
  topK?: number
  minP?: number
  repetitionPenalty?: number
  seed?: number
  n: number
  stops: string[]
  maxTokens?: number
  topLogprobs?: number
  isStream: boolean
  withUsage: boolean
}
export type AskedChat = Asked & { messages: Message[]; grammar?: JsonGrammar }
export type AskedText = Asked & { prompts: (string | number[])[] }

export function readChat(body: unknown): AskedChat {
  const read = parse(ChatBody, body)
  if (read.max_tokens !== undefined && read.max_completion_tokens !== undefined)
    throw new ApiError(400, 'max_tokens is the old name of max_completion_tokens: give one of them', {
      param: 'max_tokens',
    })
  if (read.top_logprobs !== undefined && !read.logprobs)
    throw new ApiError(400, 'top_logprobs would be ignored without logprobs', { param: 'top_logprobs' })
  const grammar = grammarOf(read.response_format)
  if (grammar && read.stop.length > 0)
    throw new ApiError(400, 'stop would cut the JSON that response_format promises: give one', { param: 'stop' })
  return {
    ...common(read, read.max_completion_tokens ?? read.max_tokens),
    ...(grammar && { grammar }),
    ...(read.logprobs && { topLogprobs: read.top_logprobs ?? 0 }),
    messages: read.messages,
  }
}

export function readText(body: unknown): AskedText {
  const read = parse(TextBody, body)
  if (read.best_of !== undefined && read.best_of !== read.n)
    throw new ApiError(400, 'best_of is not supported here; leave it out', { param: 'best_of' })
  return {
    ...common(read, read.max_tokens),
    ...(read.logprobs !== undefined && { topLogprobs: read.logprobs }),
    prompts: read.prompt,
  }
}

function grammarOf(format: z.infer<typeof ChatBody>['response_format']): JsonGrammar | undefined {
  if (format.type === 'text') return undefined
  try {
    return compileJsonSchema(format.type === 'json_object' ? { type: 'object' } : format.json_schema.schema)
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    throw new ApiError(400, `response_format: ${error.message}`, { param: 'response_format' })
  }
}

function common(read: z.infer<z.ZodObject<typeof drawing>>, maxTokens: number | undefined): Asked {
  if (read.stream_options && !read.stream)
    throw new ApiError(400, 'stream_options would be ignored without stream', { param: 'stream_options' })
  return {
    model: read.model,
    temperature: read.temperature,
    ...(read.top_p !== undefined && { topP: read.top_p }),
    ...(read.top_k !== undefined && { topK: read.top_k }),
    ...(read.min_p !== undefined && { minP: read.min_p }),
    ...(read.repetition_penalty !== undefined && { repetitionPenalty: read.repetition_penalty }),
    ...(read.seed !== undefined && { seed: read.seed }),
    n: read.n,
    stops: read.stop,
    ...(maxTokens !== undefined && { maxTokens }),
    isStream: read.stream,
    withUsage: read.stream_options?.include_usage ?? false,
  }
}

/** Null says what leaving out says. */
function parse<T extends z.ZodObject>(schema: T, body: unknown): z.infer<T> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ApiError(400, 'expected a JSON object')
  const result = schema.safeParse(Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)))
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  if (issue.code === 'unrecognized_keys') {
    const param = [...issue.path, issue.keys[0]!].join('.')
    throw new ApiError(400, `${param} is not supported here and would be ignored; leave it out`, {
      param,
      code: 'unknown_parameter',
    })
  }
  const param = issue.path.join('.')
  throw new ApiError(400, `${param}: ${issue.message}`, { param })
}
