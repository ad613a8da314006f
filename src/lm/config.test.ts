import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { configJson, parseConfig, readConfig } from './config.ts'

/** As transformers 5 writes it, with all defaults. */
const V5 = {
  architectures: ['LlamaForCausalLM'],
  attention_bias: false,
  attention_dropout: 0.0,
  bos_token_id: 1,
  dtype: 'bfloat16',
  eos_token_id: [2, 3],
  head_dim: 8,
  hidden_act: 'silu',
  hidden_size: 32,
  initializer_range: 0.02,
  intermediate_size: 64,
  max_position_embeddings: 4096,
  mlp_bias: false,
  model_type: 'llama',
  num_attention_heads: 4,
  num_hidden_layers: 2,
  num_key_value_heads: 2,
  pad_token_id: null,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_parameters: { rope_theta: 500000.0, rope_type: 'default' },
  tie_word_embeddings: true,
  transformers_version: '5.23.0',
  use_cache: true,
  vocab_size: 300,
}
const LLAMA3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 }

const parse = (changes: Record<string, unknown>) => parseConfig({ ...V5, ...changes }, 'config.json')

test('transformers 5 and 4 spell the same model', () => {
  const five = parse({ rope_parameters: { rope_theta: 5e5, rope_type: 'llama3', ...LLAMA3 } })
  const { rope_parameters: _, dtype: __, head_dim: ___, ...common } = V5
  const four = parseConfig(
    { ...common, torch_dtype: 'bfloat16', rope_theta: 5e5, rope_scaling: { type: 'llama3', ...LLAMA3 } },
    'config.json',
  )
  expect(four).toEqual(five)
  expect(five).toEqual({
    architecture: 'LlamaForCausalLM',
    vocabSize: 300,
    hiddenSize: 32,
    intermediateSize: 64,
    layers: 2,
    heads: 4,
    keyValueHeads: 2,
    headDim: 8,
    rmsNormEps: 1e-5,
    ropeTheta: 500000,
    ropeScaling: {
      type: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositionEmbeddings: 64,
    },
    tieWordEmbeddings: true,
    maxPositionEmbeddings: 4096,
    bosTokenId: 1,
    eosTokenIds: [2, 3],
    dtype: 'bfloat16',
  })
})

test.each([
  {},
  { rope_parameters: { rope_type: 'linear', factor: 2, rope_theta: 1e4 } },
  { rope_parameters: { rope_type: 'llama3', rope_theta: 1e4, ...LLAMA3 } },
  { architectures: ['LlamaForSequenceClassification'], id2label: { 0: 'helpful', 1: 'honest' }, pad_token_id: 0 },
  { num_key_value_heads: null, head_dim: null, bos_token_id: null, eos_token_id: null },
])('what is written is read back as it was: %j', (changes) => {
  const config = parse(changes)
  expect(parseConfig(JSON.parse(JSON.stringify(configJson(config))), 'config.json')).toEqual(config)
})

test('labels of a classifier: by name, by number, or the two that transformers leaves out', () => {
  const of = (changes: Record<string, unknown>) =>
    parse({ architectures: ['LlamaForSequenceClassification'], ...changes }).labels
  expect(of({ id2label: { 0: 'reward' } })).toEqual(['reward'])
  expect(of({ num_labels: 3 })).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2'])
  expect(of({})).toEqual(['LABEL_0', 'LABEL_1'])
  expect(() => of({ id2label: { 1: 'reward' } })).toThrow('expected names for labels 0 to 0')
  expect(parse({ id2label: { 0: 'x' } }).labels).toBeUndefined()
})

test.each<[field: string, changes: Record<string, unknown>]>([
  ['model_type', { model_type: 'falcon' }],
  ['attention_bias', { model_type: 'mistral' }],
  ['architectures.0', { architectures: ['LlamaForQuestionAnswering'] }],
  ['architectures', { architectures: [] }],
  ['hidden_act', { hidden_act: 'mish' }],
  ['attention_dropout', { attention_dropout: 0.1 }],
  ['pretraining_tp', { pretraining_tp: 2 }],
  ['sliding_window', { sliding_window: 4096 }],
  ['quantization_config', { quantization_config: { bits: 4 } }],
  ['logit_scale', { logit_scale: 2 }],
  ['head_dim', { head_dim: null, num_attention_heads: 5 }],
  ['head_dim', { head_dim: 7 }],
  ['num_key_value_heads', { num_key_value_heads: 3 }],
  ['vocab_size', { vocab_size: 0 }],
  ['vocab_size', { vocab_size: 1.5 }],
  ['vocab_size', { vocab_size: undefined }],
  ['rms_norm_eps', { rms_norm_eps: '1e-5' }],
  ['rope_theta', { rope_theta: 1e4 }],
  ['rope_scaling', { rope_scaling: { type: 'linear', factor: 2 } }],
  ['rope_parameters.rope_type', { rope_parameters: { rope_type: 'mrope', factor: 2 } }],
  ['rope_parameters.factor', { rope_parameters: { rope_type: 'linear' } }],
  ['rope_parameters.high_freq_factor', { rope_parameters: { rope_type: 'llama3', ...LLAMA3, high_freq_factor: 1 } }],
  ['rope_parameters.beta_fast', { rope_parameters: { rope_type: 'default', beta_fast: 32 } }],
  ['rope_parameters', { rope_parameters: { rope_type: 'linear', factor: 2, alpha: 3 } }],
  ['rope_parameters.short_factor', { rope_parameters: { rope_type: 'longrope', short_factor: [1] } }],
  ['rope_parameters.partial_rotary_factor', { rope_parameters: { partial_rotary_factor: 0.5 } }],
  ['token ids', { eos_token_id: [2, 300] }],
  ['token ids', { bos_token_id: -1 }],
  ['dtype', { dtype: 'float8_e4m3fn' }],
])('a config that is not understood is refused naming %s: %j', (field, changes) => {
  expect(() => parse(changes)).toThrow(DataError)
  expect(() => parse(changes)).toThrow(`config.json: ${field}:`)
})

test('fields that change nothing, and unset ones, are let be', () => {
  const changes = { _name_or_path: 'x', temperature: 0.7, sliding_window: null, auto_map: {}, pad_token_id: -1 }
  expect(parse(changes)).toEqual(parse({}))
})

test('end tokens come from both files; what is no JSON or no object is a DataError', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-config-'))
  const put = (name: string, content: unknown) =>
    fs.writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  expect(() => readConfig(folder)).toThrow('config.json: cannot be read')
  put('config.json', V5)
  put('generation_config.json', { eos_token_id: [3, 4], temperature: 0.6 })
  expect(readConfig(folder).eosTokenIds).toEqual([2, 3, 4])
  put('generation_config.json', { eos_token_id: 'x' })
  expect(() => readConfig(folder)).toThrow('generation_config.json: eos_token_id')
  for (const text of ['', '{', '[]', '1', 'null', '"x"']) {
    put('config.json', text)
    expect(() => readConfig(folder), text).toThrow(DataError)
  }
  fs.rmSync(folder, { recursive: true })
})
