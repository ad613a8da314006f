// A Hugging Face folder from a GGUF file, exact to the dequantised value: float32, unless every tensor of the file is a
// float32 or one kind of 16-bit float and all values fit that kind, then the folder has it. One tensor is in memory
// at a time.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataError } from '#errors'
import { loadTokenizer } from '#text'
import { parseConfig } from '../config.ts'
import { writeFolder, type WrittenFile } from '../folder.ts'
import type { TensorEntry } from '../safetensors.ts'
import type { Architecture, HuggingFaceConfig, TensorPlan } from './architecture.ts'
import { ARCHITECTURES } from './architectures.ts'
import { BF16, F16, F32 } from './block-types.ts'
import { fieldsOf } from './fields.ts'
import { fromBfloat16, fromHalf, narrowed, toBfloat16, toHalf } from './half.ts'
import { type Gguf, type GgufTensor, readGguf } from './read-gguf.ts'
import { readTokenizer, type TokenizerFiles } from './read-tokenizer.ts'
import { halvesApart } from './rotary-rows.ts'

export type Imported = {
  folder: string
  files: WrittenFile[]
  dtype: FolderDtype
  tensors: number
  parameters: number
  /** How many tensors of each of the file's types. */
  types: Record<string, number>
}
export type FolderDtype = 'float32' | 'bfloat16' | 'float16'

/**
 * Reads `file`, writes `to`, which must not exist, whole or not at all. A file that is no GGUF, is damaged, or holds what
 * hone does not run: a DataError that says which key or tensor. `onTensor` is called as each is begun.
 */
export function importGguf(o: { file: string; to: string; onTensor?: (done: number, of: number) => void }): Imported {
  const gguf = readGguf(o.file)
  const { architecture, config, tokenizer } = readModel(gguf)
  const plan = architecture.tensors(config)
  checkTensors(gguf, { plan, architecture, config })
  const dtype = dtypeOf([...gguf.tensors.values()])
  let begun = 0
  const entries = plan.map(({ name, key, shape, turnedHeads }): TensorEntry => {
    const tensor = gguf.tensors.get(name)!
    const bytes = () => {
      o.onTensor?.(begun++, plan.length)
      const converted = convert(tensor, dtype)
      return turnedHeads === undefined ? converted : halvesApart(converted, { rows: shape[0]!, heads: turnedHeads })
    }
    return { name: key, dtype: SAFETENSORS[dtype], shape, bytes }
  })
  const files = writeFolder({
    to: o.to,
    config: parseConfig({ ...config, ...tokenizer.ids, torch_dtype: dtype }, o.file),
    tensors: entries,
    extraFiles: tokenizerFiles(tokenizer, config),
  })
  return {
    folder: o.to,
    files,
    dtype,
    tensors: entries.length,
    parameters: plan.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    types: countTypes(gguf),
  }
}

const SAFETENSORS = { float32: 'F32', bfloat16: 'BF16', float16: 'F16' } as const

type Model = { architecture: Architecture; config: HuggingFaceConfig; tokenizer: TokenizerFiles }

function readModel(gguf: Gguf): Model {
  const fields = fieldsOf(gguf.metadata, gguf.file)
  const name = fields.text('general.architecture')
  const architecture = ARCHITECTURES.find((a) => a.name === name)
  if (!architecture)
    throw fields.refuse(
      'general.architecture',
      `expected ${ARCHITECTURES.map((a) => a.name).join(', ')}, got ${JSON.stringify(name)}`,
    )
  const config = architecture.readConfig(fields, gguf)
  const tokenizer = readTokenizer(fields)
  parseConfig({ ...config, ...tokenizer.ids }, gguf.file)
  tryTokenizer(tokenizer, gguf.file)
  return { architecture, config, tokenizer }
}

/** Every expected tensor is there in its shape, and no other. */
function checkTensors(
  { file, tensors }: Gguf,
  { plan, architecture, config }: { plan: TensorPlan[]; architecture: Architecture; config: HuggingFaceConfig },
): void {
  const expected = new Set([...plan.map(({ name }) => name), ...architecture.extraTensors(config).keys()])
  for (const field of tensors.keys())
    if (!expected.has(field))
      throw new DataError('is not a tensor of this model: it would be half read', { file, field })
  for (const { name: field, shape } of plan) {
    const found = tensors.get(field)
    if (!found) throw new DataError('is missing', { file, field })
    if (found.shape.join() !== shape.join())
      throw new DataError(`expected shape [${shape.join(', ')}], got [${found.shape.join(', ')}]`, { file, field })
  }
}

/** Written aside and loaded, so that a tokenizer that hone cannot run is refused before anything else is written. */
function tryTokenizer(tokenizer: TokenizerFiles, file: string): void {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-gguf-'))
  try {
    for (const [name, content] of Object.entries(tokenizerFiles(tokenizer, {})))
      fs.writeFileSync(join(folder, name), content)
    loadTokenizer(folder)
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    const place = { file, field: `tokenizer: ${error.place.field ?? ''}` }
    throw new DataError(error.message.slice(error.message.lastIndexOf(': ') + 2), place, { cause: error })
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

function tokenizerFiles(
  { tokenizer, settings, ids }: TokenizerFiles,
  config: HuggingFaceConfig,
): Record<string, string> {
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  const most = config.max_position_embeddings
  return {
    'tokenizer.json': json(tokenizer),
    'tokenizer_config.json': json({ ...settings, ...(most !== undefined && { model_max_length: most }) }),
    'generation_config.json': json(ids),
  }
}

function dtypeOf(tensors: GgufTensor[]): FolderDtype {
  const types = new Set(tensors.map(({ type }) => type))
  const narrow = [
    { type: BF16, dtype: 'bfloat16', round: (x: number) => fromBfloat16(toBfloat16(x)) },
    { type: F16, dtype: 'float16', round: (x: number) => fromHalf(toHalf(x)) },
  ] as const
  for (const { type, dtype, round } of narrow) {
    if (!types.has(type) || [...types].some((other) => other !== type && other !== F32)) continue
    const wide = tensors.filter((tensor) => tensor.type === F32)
    if (wide.every((tensor) => tensor.values().every((x) => round(x) === x))) return dtype
  }
  return 'float32'
}

/** Little-endian bytes of the values in the folder's dtype. */
function convert(tensor: GgufTensor, dtype: FolderDtype): Uint8Array {
  if (SAFETENSORS[dtype] === tensor.type.name) return tensor.bytes()
  const values = tensor.values()
  if (dtype === 'float32') return new Uint8Array(values.buffer)
  return new Uint8Array(narrowed(values, dtype === 'bfloat16' ? toBfloat16 : toHalf).buffer)
}

function countTypes({ tensors }: Gguf): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { type } of tensors.values()) counts[type.name] = (counts[type.name] ?? 0) + 1
  return counts
}
