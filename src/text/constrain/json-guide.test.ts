// Random tokens among the allowed ones, which is harder than any model: whatever is drawn parses, fits its schema by
// another implementation of JSON schema (ajv), and ends within the tokens given.
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { loadTokenizer } from '../tokenizer.ts'
import { jsonGuides } from './json-guide.ts'
import { compileJsonSchema } from './json-schema.ts'

const tokenizer = loadTokenizer(join(import.meta.dirname, '../goldens/tokenizer'))

const NODE = {
  type: 'object',
  properties: { label: { type: 'string', maxLength: 5 }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
  required: ['label'],
  additionalProperties: false,
}
const SCHEMAS: Record<string, unknown> = {
  anything: {},
  object: { type: 'object' },
  scalars: { type: ['boolean', 'null', 'integer'] },
  number: { type: 'number' },
  'safe integer': { type: 'integer', minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
  string: { type: 'string', minLength: 3, maxLength: 7 },
  'long strings': { type: 'string', minLength: 40 },
  enumeration: { enum: ['red', 'grün "x"', 3, null, { a: [1, 2] }] },
  'enumeration of a type': { type: 'string', enum: ['a', 'ab', 'abc', 7] },
  constant: { const: 'exactly this' },
  lists: { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 4 },
  'empty list': { type: 'array', maxItems: 0 },
  map: { type: 'object', additionalProperties: { type: 'boolean' } },
  union: {
    anyOf: [{ type: 'integer' }, { type: 'array', items: { type: 'null' } }, { $ref: '#/$defs/word' }],
    $defs: { word: { const: 'w' } },
  },
  recursion: { $ref: '#/$defs/node', $defs: { node: NODE } },
  'recursion to the root': {
    type: 'object',
    properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
    required: ['next'],
  },
  optional: {
    type: 'object',
    properties: { a: { type: 'boolean' }, 'b/~"': { type: 'null' }, ü: { const: 1 }, d: {} },
    required: ['ü'],
  },
  record: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Ticket',
    type: 'object',
    properties: {
      id: { type: 'integer', description: 'of the order' },
      state: { type: 'string', enum: ['open', 'closed'] },
      score: { type: 'number' },
      notes: { type: 'array', items: { type: 'string', minLength: 1, maxLength: 9 }, minItems: 1, maxItems: 3 },
      parent: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    },
    required: ['id', 'state', 'notes', 'parent'],
    additionalProperties: false,
  },
}

describe.each(Object.entries(SCHEMAS))('%s', (_, schema) => {
  const fits = new Ajv2020({ strict: false }).compile(schema as object)
  const network = compileJsonSchema(schema)

  test('200 random draws parse and fit, with many tokens to spend and with few', () => {
    const random = generator(17)
    for (const maxTokens of [50, 60, 80, 120]) {
      const guides = jsonGuides(tokenizer, network, { maxTokens })
      for (let draw = 0; draw < 50; draw++) {
        const text = drawText(guides(), { maxTokens, random })
        expect(() => void JSON.parse(text), text).not.toThrow()
        expect(fits(JSON.parse(text)), text).toBe(true)
      }
    }
  })

  test('with the fewest tokens that are promised to suffice', () => {
    const least = leastTokens(network)
    const random = generator(5)
    for (let draw = 0; draw < 5; draw++) {
      const text = drawText(jsonGuides(tokenizer, network, { maxTokens: least })(), { maxTokens: least, random })
      expect(fits(JSON.parse(text)), text).toBe(true)
    }
  })
})

test.each([
  ['record', '{"id": -7, "state": "open", "score": 1.5e-3, "notes": ["a\\u00e9\\n", "ü"], "parent": null}'],
  ['record', '{"id":0,"state":"closed","notes":["😀"],"parent":12}'],
  ['optional', '{"a":true,"ü":1,"d":{"any":[1,"x",{}]}}'],
  ['optional', '{"ü": 1}'],
  ['recursion', '{"label":"","children":[{"label":"x"},{"label":"y","children":[]}]}'],
  ['enumeration', '{"a":[1,2]}'],
  ['enumeration of a type', '"ab"'],
  ['map', '{"x": true, "y": false}'],
  ['string', '"\\"\\\\\\u1234"'],
  ['number', '-0.5E+10'],
])('%s: %s can be spelled as the tokenizer would', (name, text) => {
  const guide = jsonGuides(tokenizer, compileJsonSchema(SCHEMAS[name]), { maxTokens: 200 })()
  const tokens = tokenizer.encode(text)
  const ended = Array.from(tokens, (token) => {
    expect(guide.allowed()[token], tokenizer.decode([token])).toBe(1)
    return guide.push(token)
  })
  expect(ended.slice(0, -1)).not.toContain(true)
  if (!ended.at(-1)) expect(guide.allowed()[tokenizer.eosId]).toBe(1)
})

test.each([
  ['string', '"ab"'],
  ['string', '"abcdefgh"'],
  ['string', '"\\ud83d'],
  ['string', '"\n'],
  ['lists', '[1]'],
  ['lists', '[1,2,3,4,'],
  ['lists', '[01'],
  ['optional', '{"a":true}'],
  ['optional', '{"d":1'],
  ['optional', '{,'],
  ['record', '{"id":1,"state":"lost'],
  ['enumeration of a type', '7'],
])('%s: %s cannot', (name, text) => {
  const guide = jsonGuides(tokenizer, compileJsonSchema(SCHEMAS[name]), { maxTokens: 200 })()
  const isAllowed = Array.from(Buffer.from(text), (byte) => {
    const token = tokenOfByte(byte)
    const allowed = guide.allowed()[token]
    if (allowed) guide.push(token)
    return allowed
  })
  expect(isAllowed).toContain(0)
})

test.each([
  [{ type: 'string', pattern: 'a+' }, '#/pattern: is not supported'],
  [{ type: 'integer', minimum: 3 }, '#/minimum: is not supported'],
  [{ type: 'number', minimum: 3 }, '#/minimum: is not supported'],
  [
    { type: 'object', properties: { a: { type: 'string', format: 'date' } } },
    '#/properties/a/format: is not supported',
  ],
  [{ type: 'object', properties: {}, additionalProperties: true }, '#/additionalProperties'],
  [{ type: 'object', properties: {}, required: ['x'] }, '#/required: expected names of properties, got "x"'],
  [{ oneOf: [{}] }, '#/oneOf: is not supported'],
  [{ anyOf: [{}], type: 'string' }, '#/type: is not supported in constrained decoding beside anyOf'],
  [{ $ref: 'https://elsewhere/x' }, '#/$ref: expected a place in this schema'],
  [{ $ref: '#/$defs/none' }, '#/$ref: names nothing in this schema'],
  [{ $ref: '#' }, '$ref in a circle'],
  [{ anyOf: [{ type: 'null' }, { $ref: '#' }] }, '$ref in a circle'],
  [{ type: 'text' }, '#/type: expected object, array'],
  [{ type: 'string', minLength: 3, maxLength: 2 }, '#/minLength'],
  [{ type: 'string', maxLength: 1e9 }, 'expected a smaller JSON schema'],
  [{ type: 'array', items: false }, '#/items: expected a schema that some value fits'],
  [{ type: 'array', prefixItems: [{}] }, '#/prefixItems: is not supported'],
  [{ enum: [], type: 'string' }, '#/enum: expected a value that the type allows'],
  ['string', '#: expected a schema'],
])('%j is refused by name', (schema, message) => {
  expect(() => compileJsonSchema(schema)).toThrow(message)
})

test('a schema that no finite value fits, and too few tokens for the shortest, are refused', () => {
  const endless = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }
  expect(() => jsonGuides(tokenizer, compileJsonSchema(endless), { maxTokens: 100 })).toThrow(/some finite value/)
  const long = compileJsonSchema({ type: 'string', minLength: 50 })
  expect(() => jsonGuides(tokenizer, long, { maxTokens: 51 })).toThrow(/at least 52 tokens/)
})

type Drawable = ReturnType<ReturnType<typeof jsonGuides>>

function drawText(guide: Drawable, { maxTokens, random }: { maxTokens: number; random: () => number }): string {
  const tokens: number[] = []
  while (tokens.length < maxTokens) {
    const allowed = guide.allowed()
    const choices = [...allowed.keys()].filter((token) => allowed[token])
    expect(choices.length).toBeGreaterThan(0)
    const token = choices[Math.floor(random() * choices.length)]!
    if (tokenizer.eosIds.includes(token)) break
    tokens.push(token)
    if (guide.push(token)) break
  }
  return tokenizer.decode(tokens)
}

function leastTokens(network: ReturnType<typeof compileJsonSchema>): number {
  for (let maxTokens = 1; ; maxTokens++)
    try {
      jsonGuides(tokenizer, network, { maxTokens })
      return maxTokens
    } catch {
      // one more
    }
}

function tokenOfByte(byte: number): number {
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const bytes = tokenizer.bytesOf(id)
    if (bytes.length === 1 && bytes[0] === byte) return id
  }
  throw new Error(`no token for byte ${byte}`)
}

/** Park and Miller's generator: uniform on [0, 1). */
function generator(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}
