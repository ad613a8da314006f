import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError, DataError } from '#errors'
import { sha256File } from '#files'
import { loadTokenizer } from '#text'
import { fuzzGguf } from '../../../trials/gguf-fuzz.ts'
import { readJson } from '../config.ts'
import { exportFolder } from '../export-folder.ts'
import { readFolder } from '../folder.ts'
import { exportGguf, type GgufTypeName } from './export-gguf.ts'
import { fieldsOf } from './fields.ts'
import { importGguf } from './import-gguf.ts'
import { PRE_TOKENIZERS } from './pre-tokenizers.ts'
import { readGguf } from './read-gguf.ts'
import { TEMPLATE, tinyModel } from './tiny-model.test-data.ts'

let root: string
let model: string
let made = 0
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'hone-gguf-test-'))
  model = join(root, 'model')
  tinyModel(model)
})
afterAll(() => rmSync(root, { recursive: true }))

const fresh = (ending = '') => join(root, `n${++made}${ending}`)

function toGguf(folder: string, type: GgufTypeName): string {
  const to = fresh('.gguf')
  exportGguf({ folder, to, type })
  return to
}

function toFolder(file: string): string {
  const to = fresh()
  importGguf({ file, to })
  return to
}

const weightsOf = (folder: string) => sha256File(join(folder, 'model.safetensors'))

test('a folder comes back from an F32 file with its bytes', () => {
  const back = toFolder(toGguf(model, 'F32'))
  expect(weightsOf(back)).toBe(weightsOf(model))
  expect(readJson(join(back, 'config.json'))).toEqual(readJson(join(model, 'config.json')))
})

test.each([
  ['bfloat16', 'BF16'],
  ['float16', 'F16'],
] as const)('a %s folder comes back from a %s file with its bytes and dtype', (dtype, type) => {
  const narrow = fresh()
  exportFolder({ folder: model, to: narrow, dtype })
  const back = toFolder(toGguf(narrow, type))
  expect(weightsOf(back)).toBe(weightsOf(narrow))
  expect(readFolder(back).config.dtype).toBe(dtype)
})

test('a 16-bit file with a vector that does not fit its kind becomes float32', () => {
  const file = toGguf(model, 'BF16')
  const bytes = readFileSync(file)
  // The tensor after token_embd (300 x 32 of 2 bytes) is output_norm, in float32.
  const norm = bytes.length - dataBytes(file) + 300 * 32 * 2
  expect(bytes.readFloatLE(norm)).toBe(1)
  bytes.writeFloatLE(1.1, norm)
  writeFileSync(file, bytes)
  const { tensors, config } = readFolder(toFolder(file))
  expect(config.dtype).toBe('float32')
  expect(new Float32Array(tensors.get('model.norm.weight')!.bytes().buffer)[0]).toBe(Math.fround(1.1))
})

function dataBytes(file: string): number {
  let total = 0
  for (const { bytes } of readGguf(file).tensors.values()) total += Math.ceil(bytes().length / 32) * 32
  return total
}

test('rows of queries and keys lie as rotary turns them: neighbours in GGUF, half a head apart in the folder', () => {
  const { tensors } = readGguf(toGguf(model, 'F32'))
  const stored = readFolder(model).tensors
  for (const [name, key, heads] of [
    ['blk.1.attn_q.weight', 'model.layers.1.self_attn.q_proj.weight', 4],
    ['blk.1.attn_k.weight', 'model.layers.1.self_attn.k_proj.weight', 2],
  ] as const) {
    const mine = tensors.get(name)!.values()
    const theirs = new Float32Array(stored.get(key)!.bytes().buffer)
    for (let head = 0; head < heads; head++)
      for (let j = 0; j < 8; j++)
        for (const half of [0, 1]) {
          const [a, b] = [head * 16 + 2 * j + half, head * 16 + 8 * half + j]
          expect(mine.subarray(a * 32, a * 32 + 32)).toEqual(theirs.subarray(b * 32, b * 32 + 32))
        }
  }
})

test('a Q8_0 file is read to its dequantised values, vectors stay exact', () => {
  const file = toGguf(model, 'Q8_0')
  const { tensors } = readGguf(file)
  const { tensors: stored } = readFolder(toFolder(file))
  expect(tensors.get('blk.0.ffn_down.weight')!.type.name).toBe('Q8_0')
  expect(new Float32Array(stored.get('model.layers.0.mlp.down_proj.weight')!.bytes().buffer)).toEqual(
    tensors.get('blk.0.ffn_down.weight')!.values(),
  )
  expect(tensors.get('blk.0.attn_norm.weight')!.type.name).toBe('F32')
})

test('rows that are no whole blocks are written as F16, and said', () => {
  const odd = fresh()
  tinyModel(odd, { changes: { intermediate_size: 40 } })
  const to = fresh('.gguf')
  const { fallbacks } = exportGguf({ folder: odd, to, type: 'Q8_0' })
  expect(fallbacks).toEqual(['model.layers.0.mlp.down_proj.weight', 'model.layers.1.mlp.down_proj.weight'])
  expect(readGguf(to).tensors.get('blk.0.ffn_down.weight')!.type.name).toBe('F16')
})

test('tokenizer, template and token ids come back', () => {
  const file = toGguf(model, 'F16')
  const fields = fieldsOf(readGguf(file).metadata, file)
  expect(fields.text('tokenizer.ggml.pre')).toBe('smollm')
  expect(fields.whole('tokenizer.ggml.eos_token_id')).toBe(2)
  // 280 tokens at most, the rows behind them are named and unused.
  const types = fields.numbers('tokenizer.ggml.token_type')
  expect(types.length).toBe(300)
  expect(types[0]).toBe(3)
  expect(types[4]).toBe(1)
  expect(types[299]).toBe(5)
  const [before, after] = [loadTokenizer(model), loadTokenizer(toFolder(file))]
  for (const text of ['the cat sat', 'on 2024, naïve \n\n  日本 <|end|>x', "the mat's 123"])
    expect(after.encode(text)).toEqual(before.encode(text))
  expect(after.vocabSize).toBe(before.vocabSize)
  expect([after.eosIds, after.bosId, after.padId]).toEqual([before.eosIds, before.bosId, before.padId])
  expect(after.template?.text).toBe(TEMPLATE)
})

test('three end tokens come back; a fourth has no name', () => {
  const ends = (ids: number[]) => {
    const folder = fresh()
    tinyModel(folder, { changes: { eos_token_id: ids } })
    return folder
  }
  const three = ends([2, 3, 0])
  expect(new Set(loadTokenizer(toFolder(toGguf(three, 'F16'))).eosIds)).toEqual(new Set([0, 2, 3]))
  expect(() => toGguf(ends([2, 3, 0, 1]), 'F16')).toThrow('at most 3 end tokens, got 4')
})

test.each(PRE_TOKENIZERS.map((cut) => [cut.names[0]!, cut] as const))('the %s way to cut text comes back', (name, {
  preTokenizer,
  normalises,
  ignoresMerges,
}) => {
  const folder = fresh()
  const base = fresh()
  tinyModel(base)
  const { model: bpe } = readJson(join(base, 'tokenizer.json')) as { model: object }
  const tokenizer = {
    pre_tokenizer: preTokenizer,
    normalizer: normalises ? { type: 'NFC' } : null,
    model: { ...bpe, ignore_merges: ignoresMerges },
  }
  tinyModel(folder, { tokenizer })
  const file = toGguf(folder, 'F32')
  expect(fieldsOf(readGguf(file).metadata, file).text('tokenizer.ggml.pre')).toBe(name)
  const back = readJson(join(toFolder(file), 'tokenizer.json'))
  expect(back).toMatchObject({ ...tokenizer, model: { ignore_merges: ignoresMerges } })
})

test('a way to cut text that llama.cpp has no name for is refused, not passed over', () => {
  const folder = fresh()
  tinyModel(folder, {
    tokenizer: { pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, use_regex: true } },
  })
  expect(() => exportGguf({ folder, to: fresh('.gguf'), type: 'F16' })).toThrow(ConfigError)
})

test.each([
  ['linear', { rope_type: 'linear', factor: 2.5 }],
  [
    'llama3',
    {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
  ],
])('%s rope scaling comes back', (_, rope_scaling) => {
  const folder = fresh()
  tinyModel(folder, { changes: { rope_scaling, head_dim: 64, rope_theta: 500_000, tie_word_embeddings: false } })
  const back = toFolder(toGguf(folder, 'F32'))
  expect(readJson(join(back, 'config.json'))).toEqual(readJson(join(folder, 'config.json')))
  expect(weightsOf(back)).toBe(weightsOf(folder))
})

test.each([
  ['GGUF', 'PK\x03\x04', 'does not begin with GGUF; is this a GGUF file?'],
  ['GGUF\x03', 'GGUF\x01', 'expected GGUF version 2 or 3, got 1'],
  ['GGUF\x03\x00\x00\x00', 'GGUF\x00\x00\x00\x03', 'got 50331648 (a file of a big-endian machine)'],
  ['llama\x0c', 'qwen3\x0c', 'general.architecture: expected llama, got "qwen3"'],
  ['gpt2', 'bert', 'tokenizer.ggml.model: expected gpt2, which is byte-level BPE, got "bert"'],
  ['smollm', 'viking', 'tokenizer.ggml.pre: expected one of'],
  ['llama.vocab_size', 'llama.expert_cnt', 'llama.expert_cnt: is not understood and could change the model'],
  ['llama.block_count', 'llama.block_coun2', 'llama.block_coun2: is not understood'],
  ['blk.1.ffn_up', 'blk.1.ffn_ux', 'blk.1.ffn_ux.weight: is not a tensor of this model'],
])('%j made %j is refused by name, and nothing is left behind', (from, to, message) => {
  const bytes = readFileSync(toGguf(model, 'F32'))
  const at = bytes.indexOf(from, 0, 'latin1')
  expect(at).toBeGreaterThanOrEqual(0)
  bytes.write(to, at, 'latin1')
  const file = fresh('.gguf')
  writeFileSync(file, bytes)
  const folder = fresh()
  expect(() => importGguf({ file, to: folder })).toThrow(DataError)
  expect(() => importGguf({ file, to: folder })).toThrow(message)
  expect(existsSync(folder)).toBe(false)
})

test('mutated files are read exactly or refused with one DataError', () => {
  const { files, accepted, wrong } = fuzzGguf({ count: 400, seed: 7 })
  expect(wrong).toEqual([])
  expect(files).toBe(400)
  expect(accepted).toBeGreaterThan(20)
})
