import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataError } from '#errors'
import { sha256File } from '#files'
import { type ModelConfig, parseConfig } from './config.ts'
import { readFolder, writeFolder } from './folder.ts'
import type { TensorEntry } from './safetensors.ts'

let root: string
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-model-'))
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const config: ModelConfig = parseConfig(
  {
    model_type: 'llama',
    vocab_size: 10,
    hidden_size: 4,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    eos_token_id: 1,
  },
  'config.json',
)
const tensors: TensorEntry[] = ['embed', 'up', 'down', 'norm'].map((name, i) => ({
  name,
  dtype: 'F32',
  shape: [10, i + 1],
  bytes: new Uint8Array(40 * (i + 1)).fill(i),
}))

test.each([1e9, 100])('a folder is read back as it was written, weights in files of at most %s bytes', (shardBytes) => {
  const to = join(root, 'model')
  const written = writeFolder({ to, config, tensors, shardBytes, extraFiles: { 'tokenizer.json': '{}' } })
  expect(written.map((f) => f.path)).toEqual(fs.readdirSync(to).sort())
  for (const { path, sha256 } of written) expect(sha256File(join(to, path))).toBe(sha256)
  expect(written.some((f) => f.path === 'model.safetensors.index.json')).toBe(shardBytes === 100)

  const folder = readFolder(to)
  expect(folder.config).toEqual(config)
  expect(folder.metadata).toEqual({ format: 'pt' })
  expect(Object.keys(folder.sideFiles)).toEqual(['tokenizer.json', 'generation_config.json'])
  expect([...folder.tensors.keys()].sort()).toEqual(['down', 'embed', 'norm', 'up'])
  for (const { name, bytes } of tensors) expect(folder.tensors.get(name)!.bytes()).toEqual(bytes)

  const copy = join(root, 'copy')
  writeFolder({ to: copy, config, tensors, copyFrom: to, extraFiles: { 'chat_template.jinja': 'x' } })
  expect(Object.keys(readFolder(copy).sideFiles)).toEqual([
    'tokenizer.json',
    'chat_template.jinja',
    'generation_config.json',
  ])
})

test('a folder that holds something is left alone; a write that fails leaves nothing', () => {
  const to = join(root, 'model')
  const broken: TensorEntry = {
    name: 'broken',
    dtype: 'F32',
    shape: [1],
    bytes: () => {
      throw new Error('the device is gone')
    },
  }
  expect(() => writeFolder({ to, config, tensors: [...tensors, broken] })).toThrow('the device is gone')
  expect(fs.readdirSync(root)).toEqual([])
  fs.mkdirSync(to)
  writeFolder({ to, config, tensors })
  expect(() => writeFolder({ to, config, tensors })).toThrow('already exists and is not empty')
  expect(readFolder(to).tensors.size).toBe(4)
})

test('pickles are never opened, and every lack says what to do', () => {
  expect(() => readFolder(join(root, 'none'))).toThrow('does not exist')
  expect(() => readFolder(root)).toThrow('expected model.safetensors or model.safetensors.index.json, got neither')
  fs.writeFileSync(join(root, 'adapter_config.json'), '{}')
  expect(() => readFolder(root)).toThrow('adapter_config.json: peft_type')
  fs.rmSync(join(root, 'adapter_config.json'))
  fs.writeFileSync(join(root, 'pytorch_model.bin'), 'x')
  expect(() => readFolder(root)).toThrow('pytorch_model.bin: is a pickle')
  expect(() => readFolder(root)).toThrow('safe_serialization=True')
})

test.each<[said: string, change: (map: Record<string, string>) => void]>([
  ['holds it, but the index says nothing', (map) => delete map['up']],
  ['does not hold it', (map) => (map['extra'] = map['up']!)],
  ['but the index says', (map) => (map['up'] = map['norm']!)],
  ['expected the plain name', (map) => (map['up'] = '../model.safetensors')],
  ['cannot be opened', (map) => (map['up'] = 'none.safetensors')],
])('an index that lies is refused: %s', (said, change) => {
  const to = join(root, 'model')
  writeFolder({ to, config, tensors, shardBytes: 130 }) // embed and up share a file
  const file = join(to, 'model.safetensors.index.json')
  const index = JSON.parse(fs.readFileSync(file, 'utf8')) as { weight_map: Record<string, string> }
  change(index.weight_map)
  fs.writeFileSync(file, JSON.stringify(index))
  expect(() => readFolder(to)).toThrow(DataError)
  expect(() => readFolder(to)).toThrow(said)
})
