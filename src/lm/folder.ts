// Hugging Face model folders: read as they come, written so that transformers, vLLM and llama.cpp load them unchanged;
// whole or not at all. Weights are safetensors, in one file or in shards with an index. No pickle is ever opened.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { DataError } from '#errors'
import { type Content, writeNewFiles, writeWholeFolder } from '#files'
import { configText, generationConfigJson, type ModelConfig, readConfig, readJson } from './config.ts'
import { ADAPTER_WEIGHTS, type AdapterConfig, isAdapterFolder, readAdapterConfig } from './peft-folder.ts'
import { DTYPE_BYTES, encodeSafetensors, readSafetensors, type StoredTensor, type TensorEntry } from './safetensors.ts'

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
/** As the ecosystem shards. */
const SHARD_BYTES = 5e9
/** What goes along with the weights from folder to folder. */
const SIDE_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'generation_config.json',
]

export type ModelFolder = {
  path: string
  config: ModelConfig
  /** By Hugging Face key; bytes are read when asked for. */
  tensors: Map<string, StoredTensor>
  /** Of the safetensors header; of the first shard when there are several. */
  metadata: Record<string, string>
  /** Tokenizer, template and generation files that are there, by name. */
  sideFiles: Record<string, Uint8Array>
  /** Of an adapter's folder; config and tensors are then those of its base, and its score head. */
  adapter?: AdapterConfig & { tensors: Map<string, StoredTensor> }
}

/** Opens a model folder: config parsed, headers checked, no weight read yet. */
export function readFolder(path: string): ModelFolder {
  if (!fs.existsSync(path)) throw new DataError('does not exist; expected a Hugging Face model folder', { file: path })
  if (isAdapterFolder(path)) return readAdapterFolder(path)
  const weights = readWeights(path)
  return { path, config: readConfig(path), ...weights, sideFiles: readSideFiles(path) }
}

/** Keys of heads in an adapter's file. */
const SCORE_KEY = 'base_model.model.score.weight'

function readAdapterFolder(path: string): ModelFolder {
  const adapter = readAdapterConfig(path)
  const { metadata, tensors: own } = readSafetensors(join(path, ADAPTER_WEIGHTS))
  const tensors = new Map(readWeights(adapter.base).tensors)
  const score = own.get(SCORE_KEY)
  tensors.delete('score.weight')
  if (score) tensors.set('score.weight', score)
  own.delete(SCORE_KEY)
  return {
    path,
    config: readConfig(path),
    tensors,
    metadata,
    sideFiles: { ...readSideFiles(adapter.base), ...readSideFiles(path) },
    adapter: { ...adapter, tensors: own },
  }
}

function readSideFiles(path: string): Record<string, Uint8Array> {
  const names = SIDE_FILES.filter((name) => fs.existsSync(join(path, name)))
  return Object.fromEntries(names.map((name) => [name, fs.readFileSync(join(path, name))]))
}

export type WriteFolderOptions = {
  /** Must not exist, or be empty. */
  to: string
  config: ModelConfig
  tensors: Iterable<TensorEntry>
  /** A model folder whose tokenizer, template and generation files are copied. */
  copyFrom?: string
  /** More files by name; they win over copied ones. */
  extraFiles?: Record<string, Content>
  /** Largest weights file in bytes; beyond it the weights are sharded. */
  shardBytes?: number
}

export type WrittenFile = { path: string; sha256: string }

/** Writes the folder durably and answers its files with their hashes, paths relative to it. On failure nothing of that name is there. */
export function writeFolder(o: WriteFolderOptions): WrittenFile[] {
  const { to, config, tensors, copyFrom, extraFiles = {}, shardBytes = SHARD_BYTES } = o
  return writeWholeFolder(to, (temporary) => {
    const files: Record<string, Content> = {
      'config.json': configText(config),
      'generation_config.json': json(generationConfigJson(config)),
    }
    for (const name of copyFrom ? SIDE_FILES : []) {
      const source = join(copyFrom!, name)
      if (fs.existsSync(source)) files[name] = fs.readFileSync(source)
    }
    return writeNewFiles(temporary, { ...files, ...extraFiles, ...weightFiles([...tensors], shardBytes) })
  })
}

const WeightIndex = z.object({
  weight_map: z.record(
    z.string(),
    z.string().regex(/^[\w.-]+\.safetensors$/, 'expected the plain name of a .safetensors file'),
  ),
})

function readWeights(folder: string): Pick<ModelFolder, 'tensors' | 'metadata'> {
  const single = join(folder, SINGLE)
  if (fs.existsSync(single)) return readSafetensors(single)
  const indexFile = join(folder, INDEX)
  if (!fs.existsSync(indexFile)) throw noWeights(folder)
  const index = WeightIndex.safeParse(readJson(indexFile))
  if (!index.success) {
    const issue = index.error.issues[0]
    throw new DataError(issue?.message ?? 'is not understood', { file: indexFile, field: issue?.path.join('.') ?? '' })
  }
  const placeOf = new Map(Object.entries(index.data.weight_map))
  const shards = [...new Set(placeOf.values())].sort().map((name) => ({ name, ...readSafetensors(join(folder, name)) }))
  const tensors = new Map<string, StoredTensor>()
  for (const shard of shards)
    for (const [key, tensor] of shard.tensors) {
      if (placeOf.get(key) !== shard.name)
        throw new DataError(`${shard.name} holds it, but the index says ${placeOf.get(key) ?? 'nothing of it'}`, {
          file: indexFile,
          field: key,
        })
      tensors.set(key, tensor)
    }
  for (const [key, name] of placeOf)
    if (!tensors.has(key)) throw new DataError(`${name} does not hold it`, { file: indexFile, field: key })
  return { tensors, metadata: shards[0]?.metadata ?? {} }
}

function noWeights(folder: string): DataError {
  const names = fs.readdirSync(folder)
  const pickle = names.find((name) => /\.(bin|pt|pth|ckpt|pkl)$/.test(name))
  if (pickle)
    return new DataError(
      `is a pickle, which can run any code and is never opened; save the model with safe_serialization=True and use its ${SINGLE}`,
      { file: join(folder, pickle) },
    )
  return new DataError(`expected ${SINGLE} or ${INDEX}, got neither`, { file: folder })
}

function weightFiles(tensors: TensorEntry[], shardBytes: number): Record<string, Content> {
  // transformers refuses a file that does not say which framework's layout it has.
  const metadata = { format: 'pt' }
  const shards = splitShards(tensors, shardBytes)
  if (shards.length === 1) return { [SINGLE]: encodeSafetensors(tensors, metadata) }
  const number = (n: number) => String(n).padStart(5, '0')
  const weightMap: Record<string, string> = {}
  const files: Record<string, Content> = {}
  shards.forEach((shard, i) => {
    const name = `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`
    files[name] = encodeSafetensors(shard, metadata)
    for (const tensor of shard) weightMap[tensor.name] = name
  })
  const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
  return { ...files, [INDEX]: json({ metadata: { total_size: total }, weight_map: weightMap }) }
}

/** In the order given; a tensor larger than a shard gets one of its own. */
function splitShards(tensors: TensorEntry[], shardBytes: number): TensorEntry[][] {
  const shards: TensorEntry[][] = [[]]
  let filled = 0
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor)
    if (filled > 0 && filled + bytes > shardBytes) {
      shards.push([])
      filled = 0
    }
    shards.at(-1)!.push(tensor)
    filled += bytes
  }
  return shards
}

function bytesOf({ dtype, shape }: TensorEntry): number {
  return shape.reduce((product, n) => product * n, DTYPE_BYTES[dtype])
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
