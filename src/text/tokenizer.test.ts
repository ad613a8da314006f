import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, integer, property, string, uint8Array } from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataError } from '#errors'
import { fuzzTokenizer } from '../../trials/tokenizer-fuzz.ts'
import { streamText } from './stream.ts'
import { loadTokenizer } from './tokenizer.ts'

const GOLDENS = join(import.meta.dirname, 'goldens')
const read = (name: string) => JSON.parse(fs.readFileSync(join(GOLDENS, name), 'utf8')) as unknown
const inputs = read('inputs.json') as { texts: string[]; preTokenizers: Record<string, unknown> }
const expected = read('expected.json') as { ids: Record<string, number[][]>; decoded: Record<string, string[]> }

let folder: string
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-tokenizer-'))
  fs.cpSync(join(GOLDENS, 'tokenizer'), folder, { recursive: true })
})
afterEach(() => fs.rmSync(folder, { recursive: true }))

/** Changes one JSON file of the folder; undefined removes a field. */
function change(name: string, changes: Record<string, unknown>): void {
  const file = join(folder, name)
  const before = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as object) : {}
  fs.writeFileSync(file, JSON.stringify({ ...before, ...changes }))
}

test.each(Object.keys(inputs.preTokenizers))("ids and texts are those of Python's tokenizers: %s", (name) => {
  change('tokenizer.json', { pre_tokenizer: inputs.preTokenizers[name] })
  const tokenizer = loadTokenizer(folder)
  inputs.texts.forEach((text, i) => {
    expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(expected.ids[name]![i])
    expect(tokenizer.decode(expected.ids[name]![i]!), JSON.stringify(text)).toBe(expected.decoded[name]![i])
  })
})

test('any text comes back as it was; a lone surrogate as U+FFFD', () => {
  const tokenizer = loadTokenizer(folder)
  assert(
    property(string({ unit: 'binary', maxLength: 60 }), (text) => {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.toWellFormed())
    }),
    { numRuns: 500, seed: 3 },
  )
  expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb')
  expect(tokenizer.encode('')).toHaveLength(0)
  expect(tokenizer.decode([])).toBe('')
})

test('streamed in any parts, text is that of decoding at once, and no part holds half a character', () => {
  const tokenizer = loadTokenizer(folder)
  assert(
    property(string({ unit: 'binary', maxLength: 40 }), integer({ min: 1, max: 5 }), (text, size) => {
      const tokens = tokenizer.encode(text)
      const stream = streamText(tokenizer, { skipSpecial: false })
      const parts: string[] = []
      for (let i = 0; i < tokens.length; i += size) parts.push(stream.push(tokens.subarray(i, i + size)))
      for (const part of parts) expect(part.isWellFormed()).toBe(true)
      expect(parts.join('') + stream.end()).toBe(tokenizer.decode(tokens))
    }),
    { numRuns: 300, seed: 4 },
  )
  // Sampled tokens need not be text at all.
  assert(
    property(uint8Array({ maxLength: 20 }), (ids) => {
      const stream = streamText(tokenizer, { skipSpecial: false })
      const parts = Array.from(ids, (id) => stream.push([id]))
      expect(parts.join('') + stream.end()).toBe(tokenizer.decode(ids))
    }),
    { numRuns: 300, seed: 5 },
  )
})

test('special tokens: found in text, skipped on request, none of them lost', () => {
  const tokenizer = loadTokenizer(folder)
  const tokens = tokenizer.encode('<|user|>\nhi<|end|>')
  expect(tokenizer.decode(tokens)).toBe('<|user|>\nhi<|end|>')
  expect(tokenizer.decode(tokens, { skipSpecial: true })).toBe('\nhi')
  expect(streamText(tokenizer).push(tokens)).toBe('\nhi')
  expect([...tokenizer.specialIds]).toEqual([0, 1, 2, 3, 4])
  expect(tokenizer).toMatchObject({ padId: 0, bosId: 1, eosId: 2, eosIds: [2], vocabSize: 620 })
  expect(tokenizer.decode([620, 1e6])).toBe('')
})

test('end tokens are gathered from every file that names some; the padding token is never one of them', () => {
  change('config.json', { eos_token_id: [2, 3], pad_token_id: 3 })
  change('generation_config.json', { eos_token_id: 4 })
  expect(loadTokenizer(folder)).toMatchObject({ eosId: 2, eosIds: [2, 4, 3], padId: 0 })
  change('tokenizer_config.json', { eos_token: { content: '<|user|>' }, pad_token: '<|user|>' })
  expect(loadTokenizer(folder)).toMatchObject({ eosId: 3 })
  expect(loadTokenizer(folder).padId).toBeUndefined()
})

test('text begins with the beginning-of-sequence token only where the tokenizer says so', () => {
  const starts = () => loadTokenizer(folder).encodePrompt('a')[0] === 1
  expect(starts()).toBe(false)
  const template = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<|begin|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  }
  change('tokenizer.json', { post_processor: { type: 'Sequence', processors: [{ type: 'ByteLevel' }, template] } })
  expect(starts()).toBe(true)
  change('tokenizer_config.json', { add_bos_token: false })
  expect(starts()).toBe(false)
  change('tokenizer.json', { post_processor: null })
  change('tokenizer_config.json', { add_bos_token: true })
  expect(starts()).toBe(true)
})

test('a byte without a token is said, never dropped', () => {
  const json = JSON.parse(fs.readFileSync(join(folder, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number> }
  }
  delete json.model.vocab['~']
  change('tokenizer.json', json)
  const tokenizer = loadTokenizer(folder)
  expect(tokenizer.encode('a')).toHaveLength(1)
  expect(() => tokenizer.encode('a ~')).toThrow('has tokens for 2 of the 3 bytes of "a ~"')
})

const MODEL = (changes: object) => {
  const { model } = read('tokenizer/tokenizer.json') as { model: object }
  return { model: { ...model, ...changes } }
}
test.each<[said: string, changes: Record<string, unknown>]>([
  ['pre_tokenizer', { pre_tokenizer: { type: 'Metaspace' } }],
  ['pre_tokenizer', { pre_tokenizer: null }],
  [
    'pre_tokenizer',
    {
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [{ type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated' }],
      },
    },
  ],
  [
    'ByteLevel once',
    { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }] } },
  ],
  ['normalizer', { normalizer: { type: 'Lowercase' } }],
  ['decoder', { decoder: null }],
  ['model.type', MODEL({ type: 'WordPiece' })],
  ['model.byte_fallback', MODEL({ byte_fallback: true })],
  ['model.vocab', MODEL({ vocab: [] })],
  ['is given to both', MODEL({ vocab: { a: 5, b: 5 }, merges: [] })],
  ['not spelled in bytes', MODEL({ vocab: { 'a b': 5 }, merges: [] })],
  ['model.vocab', MODEL({ vocab: { a: 2 ** 30 } })],
  ['model.merges[0]', MODEL({ merges: [['a', 'zzz']] })],
  ['model.merges[0]', MODEL({ merges: ['a'] })],
  ['model.merges[0]', MODEL({ merges: ['__proto__ a'] })],
  ['added_tokens', { added_tokens: [{ id: 5, content: '<|end|>', special: true }] }],
  ['added_tokens', { added_tokens: [{ id: 999, content: '' }] }],
])('a tokenizer.json that is not understood is refused: %s', (said, changes) => {
  change('tokenizer.json', changes)
  expect(() => loadTokenizer(folder)).toThrow(DataError)
  expect(() => loadTokenizer(folder)).toThrow(said)
})

test('missing and contradictory files are DataErrors', () => {
  change('tokenizer_config.json', { eos_token: '<|none|>' })
  expect(() => loadTokenizer(folder)).toThrow('tokenizer_config.json: eos_token: "<|none|>" is no token')
  fs.rmSync(join(folder, 'tokenizer_config.json'))
  fs.rmSync(join(folder, 'special_tokens_map.json'))
  expect(() => loadTokenizer(folder)).toThrow('names no end-of-sequence token')
  fs.rmSync(join(folder, 'tokenizer.json'))
  expect(() => loadTokenizer(folder)).toThrow('tokenizer.json: is missing')
})

test('a word named __proto__ is a token as any other', () => {
  const words = [
    '_',
    'p',
    'r',
    'o',
    't',
    '<e>',
    '__',
    '__p',
    '__pr',
    '__pro',
    '__prot',
    '__proto',

    '__proto__',
  ]
  // As text: an object literal could not hold the name.
  const vocab = `{${words.map((word, id) => `"${word}":${id}`).join()}}`
  const merges = ['_ _', '__ p', '__p r', '__pr o', '__pro t', '__prot o', '__proto __']
  change('tokenizer.json', {
    added_tokens: [{ id: 5, content: '<e>', special: true }],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: false }, // uncut
    ...MODEL({ merges }),
  })
  const file = join(folder, 'tokenizer.json')
  const json = fs.readFileSync(file, 'utf8').replace(/"vocab":\{.*?\},"merges"/s, () => `"vocab":${vocab},"merges"`)
  fs.writeFileSync(file, json)
  for (const name of ['tokenizer_config.json', 'special_tokens_map.json'])
    fs.writeFileSync(join(folder, name), '{"eos_token":"<e>"}')
  const tokenizer = loadTokenizer(folder)
  expect([...tokenizer.encode('__proto__')]).toEqual([12])
})

test('mutated tokenizer files are used exactly or refused', () => {
  const { accepted, refused, wrong } = fuzzTokenizer({ from: join(GOLDENS, 'tokenizer'), count: 400, seed: 2 })
  expect(wrong).toEqual([])
  expect(accepted).toBeGreaterThan(20)
  expect(refused).toBeGreaterThan(200)
})
