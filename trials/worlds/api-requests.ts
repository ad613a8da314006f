// Requests drawn by fast-check from an OpenAPI 3.1 document: for each operation a valid one, or one that was made wrong in a
// place or two. Ids and names that exist stand in by the name of their field, so that many requests reach past the checks.
import * as fc from 'fast-check'
import { FILES, HOSTILE, HOSTILE_HEADERS, HOSTILE_SEGMENTS, type Json, RAW } from './hostile.ts'

export type Schema = { [keyword: string]: unknown }
type Operation = {
  operationId: string
  parameters: { name: string; in: 'path' | 'query'; required: boolean; schema: Schema }[]
  requestBody?: { content: Record<string, { schema?: Schema }> }
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>
}
export type Document = { paths: Record<string, Record<string, Operation>> }
/** What exists, by the name of a field or a parameter. Read when a request is sent, not when it is drawn. */
export type Known = Record<string, readonly string[]>

export type Drawn = {
  key: string
  operation: Operation
  method: string
  /** With `{name}`s already filled, not yet with what exists. */
  path: string
  body: Uint8Array | string | undefined
  headers: Record<string, string>
  role: string
}

/** Stands for the n-th thing that exists under a name. */
const stand = (name: string, n: number): string => `\u27e8${name}:${n}\u27e9`
const STANDS = /\u27e8(\w+):(\d+)\u27e9/g

/** With what exists in the place of what stands for it. */
export function filled(text: string, known: Known): string {
  return text.replaceAll(STANDS, (_, name: string, n: string) => {
    const there = known[name] ?? []
    return there[Number(n) % there.length] ?? 'nothing'
  })
}

const numbers = (schema: Schema): fc.Arbitrary<number> => {
  const low = Number(schema.minimum ?? schema.exclusiveMinimum ?? -1000)
  const high = Number(schema.maximum ?? schema.exclusiveMaximum ?? Math.max(low, 0) + 1000)
  if (schema.type === 'integer') {
    const first = Math.ceil(low) + Number(schema.exclusiveMinimum === low)
    return fc.oneof(
      fc.integer({ min: Math.max(first, -(2 ** 53) + 1), max: Math.min(high, first + 40) }),
      fc.constantFrom(first, high),
    )
  }
  return fc.double({
    min: low,
    max: high,
    minExcluded: schema.exclusiveMinimum !== undefined,
    maxExcluded: schema.exclusiveMaximum !== undefined,
    noNaN: true,
  })
}

const strings = (schema: Schema, name: string, known: Known): fc.Arbitrary<string> => {
  const [low, high] = [Number(schema.minLength ?? 0), Number(schema.maxLength ?? 60)]
  const drawn =
    typeof schema.pattern === 'string'
      ? fc.stringMatching(new RegExp(schema.pattern))
      : fc.string({ unit: 'grapheme', minLength: low, maxLength: Math.min(high, low + 40) })
  if (!(name in known)) return drawn
  return fc.oneof({ weight: 6, arbitrary: fc.nat(50).map((n) => stand(name, n)) }, { weight: 1, arbitrary: drawn })
}

/** Values that the schema takes. `name`: of the field. */
export function valuesOf(schema: Schema, name: string, known: Known): fc.Arbitrary<Json> {
  if ('const' in schema) return fc.constant(schema.const as Json)
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as Json[]))
  const either = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined
  if (either) return fc.oneof(...either.map((one) => valuesOf(one, name, known)))
  switch (schema.type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'number':
    case 'integer':
      return numbers(schema)
    case 'string':
      return strings(schema, name, known)
    case 'array': {
      const least = Number(schema.minItems ?? 0)
      const items = valuesOf((schema.items ?? {}) as Schema, name, known)
      return fc.array(items, { minLength: least, maxLength: Math.min(Number(schema.maxItems ?? 4), least + 3) })
    }
    case 'object': {
      const required = (schema.required ?? []) as string[]
      const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>)
      const model = Object.fromEntries(properties.map(([key, one]) => [key, valuesOf(one, key, known)]))
      const own: fc.Arbitrary<Record<string, Json>> = fc.record(model, { requiredKeys: required })
      if (typeof schema.additionalProperties !== 'object' || properties.length > 0) return own
      const keys = fc.oneof(fc.constantFrom(...(known[`${name}.keys`] ?? ['steps'])), fc.string({ maxLength: 12 }))
      return fc.dictionary(keys, valuesOf(schema.additionalProperties as Schema, `${name}.values`, known), {
        maxKeys: 4,
      })
    }
    default:
      return fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>
  }
}

type Change = { at: number; how: number; by: number }
const CHANGES: fc.Arbitrary<Change[]> = fc.array(
  fc.record({ at: fc.nat(1000), how: fc.nat(6), by: fc.nat(HOSTILE.length - 1) }),
  { minLength: 1, maxLength: 2 },
)

/** The same value with one node taken out, doubled, wrapped, or replaced by something hostile. */
function changed(value: Json, { at, how, by }: Change): Json {
  const copy = structuredClone(value)
  const holders: { holder: Json[] | Record<string, Json>; key: string | number }[] = []
  const walk = (inner: Json): void => {
    if (typeof inner !== 'object' || inner === null) return
    for (const key of Object.keys(inner)) {
      holders.push({ holder: inner, key })
      walk((inner as Record<string, Json>)[key]!)
    }
  }
  walk(copy)
  const hostile = HOSTILE[by]!
  if (holders.length === 0) return hostile
  const { holder, key } = holders[at % holders.length]!
  const there = (holder as Record<string, Json>)[key]!
  const put = (one: Json): void => void ((holder as Record<string, Json>)[key] = one)
  if (how === 0 && !Array.isArray(holder)) delete holder[key]
  else if (how === 1 && !Array.isArray(holder))
    holder[typeof hostile === 'string' && hostile !== '__proto__' ? hostile : 'extra'] = hostile
  else if (how === 2) put([there])
  else put(hostile)
  return copy
}

/** Some of OpenAI's fields, which the document leaves to the sampler. */
const OPENAI: Schema = {
  type: 'object',
  required: ['model', 'messages', 'max_tokens'],
  properties: {
    model: { type: 'string' },
    messages: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['role', 'content'],
        properties: {
          role: { enum: ['user', 'assistant', 'system', 'developer', 'tool'] },
          content: { type: 'string' },
        },
      },
    },
    prompt: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'integer', minimum: 0, maximum: 400 } }] },
    max_tokens: { type: 'integer', minimum: 1, maximum: 6 },
    n: { type: 'integer', minimum: 1, maximum: 2 },
    temperature: { type: 'number', minimum: 0, maximum: 2 },
    top_p: { type: 'number', minimum: 0, maximum: 1 },
    seed: { type: 'integer' },
    stop: { type: 'array', items: { type: 'string', maxLength: 4 } },
    stream: { type: 'boolean' },
    logprobs: { type: 'boolean' },
    response_format: {
      type: 'object',
      required: ['type'],
      properties: { type: { enum: ['text', 'json_object', 'json_schema'] }, json_schema: {} },
    },
  },
}
const without = (value: Record<string, Json>, name: string): Record<string, Json> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))

function bodies(
  key: string,
  operation: Operation,
  known: Known,
): fc.Arbitrary<{ body: Drawn['body']; type: string | undefined }> {
  const content = operation.requestBody?.content
  if (!content) return fc.constant({ body: undefined, type: undefined })
  if ('application/octet-stream' in content)
    return fc
      .constantFrom(...FILES)
      .map((text) => ({ body: Buffer.from(text, 'latin1'), type: 'application/octet-stream' }))
  const isOpenAi = key.includes(' /v1/')
  const schema = isOpenAi ? OPENAI : content['application/json']!.schema!
  const valid = valuesOf(schema, '', known).map((value) => {
    if (!isOpenAi) return value
    const given = value as Record<string, Json>
    return key.endsWith('/chat/completions')
      ? without(given, 'prompt')
      : without({ prompt: 'Hello', ...given }, 'messages')
  })
  const type = 'application/json'
  return fc.oneof(
    { weight: 5, arbitrary: valid.map((value) => ({ body: JSON.stringify(value), type })) },
    {
      weight: 5,
      arbitrary: fc
        .tuple(valid, CHANGES)
        .map(([value, changes]) => ({ body: JSON.stringify(changes.reduce(changed, value)), type })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(valid, fc.constantFrom(...RAW))
        .map(([value, raw]) => ({ body: raw(JSON.stringify(value)), type })),
    },
  )
}

function paths(path: string, { parameters }: Operation, known: Known): fc.Arbitrary<string> {
  const segment = ({ name, schema }: Operation['parameters'][number]): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 12, arbitrary: fc.nat(50).map((n) => stand(name, n)) },
      { weight: 1, arbitrary: strings(schema, '', known).map(encodeURIComponent) },
      { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_SEGMENTS) },
    )
  const places = parameters.filter((one) => one.in === 'path')
  const queries = parameters.filter((one) => one.in === 'query')
  const plain = ({ schema, name }: (typeof queries)[number]): fc.Arbitrary<string> =>
    valuesOf(schema, name, known).map((value) =>
      encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(
        /%E2%9F%A8(\w+)%3A(\d+)%E2%9F%A9/g,
        (_, of: string, n: string) => stand(of, Number(n)),
      ),
    )
  const hostile = fc.constantFrom(
    '',
    '%00',
    '%ff',
    '%',
    'null',
    '-1',
    '1e999',
    '1.5',
    '0x10',
    'x'.repeat(2000),
    '\u27e9',
    'a&from=b',
    '[]',
  )
  const query = fc.record(
    Object.fromEntries(
      queries.map((one) => [
        one.name,
        fc.oneof({ weight: 4, arbitrary: plain(one) }, { weight: 1, arbitrary: hostile }),
      ]),
    ),
    { requiredKeys: [] },
  )
  const junk = fc.constantFrom(
    ...Array.from({ length: 30 }, () => ''),
    '?',
    '?__proto__=1',
    '?a[]=1&a=2',
    '?x=%',
    '/',
    '//',
    '#x',
  )
  return fc.tuple(fc.tuple(...places.map(segment)), query, junk).map(([segments, asked, tail]) => {
    let n = 0
    const text = path.replaceAll(/\{\w+\}/g, () => segments[n++]!)
    const pairs = Object.entries(asked).map(([name, value]) => `${name}=${value}`)
    return pairs.length > 0 ? `${text}?${pairs.join('&')}` : text + tail
  })
}

/** All operations alike; three requests of four come from somebody who may, the others from anybody. */
export function requestsFrom(
  document: Document,
  known: Known,
  o: { roles: readonly string[]; own: Record<string, string> },
): fc.Arbitrary<Drawn> {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const key = `${method.toUpperCase()} ${path}`
      const own = o.own[key] ?? 'owner'
      return fc.record({
        key: fc.constant(key),
        operation: fc.constant(operation),
        method: fc.oneof(
          { weight: 30, arbitrary: fc.constant(method.toUpperCase()) },
          {
            weight: 1,
            arbitrary: fc.constantFrom('HEAD', 'OPTIONS', 'PATCH', 'POST', 'DELETE', 'PUT', 'GET', 'QUERY'),
          },
        ),
        path: paths(path, operation, known),
        given: bodies(key, operation, known),
        headers: fc.oneof(
          { weight: 6, arbitrary: fc.constant({}) },
          { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_HEADERS) },
        ),
        role: fc.oneof(
          { weight: 3, arbitrary: fc.constant(own) },
          { weight: 1, arbitrary: fc.constantFrom(...o.roles) },
        ),
      })
    }),
  )
  return fc.oneof(...all).map(({ given: { body, type }, headers, ...rest }) => ({
    ...rest,
    body,
    headers: { ...(type !== undefined && { 'content-type': type }), ...headers },
  }))
}
