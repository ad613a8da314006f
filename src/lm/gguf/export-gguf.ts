// A GGUF file from a Hugging Face folder, as llama.cpp's own converter would write it: matrices in the type asked for,
// vectors in float32, tokenizer and chat template in the metadata. One tensor is in memory at a time.
import { basename, resolve } from 'node:path'
import { DataError } from '#errors'
import { writeDurable, type Written } from '#files'
import { configJson } from '../config.ts'
import { type ModelFolder, readFolder } from '../folder.ts'
import type { StoredTensor } from '../safetensors.ts'
import type { Architecture, HuggingFaceConfig, TensorPlan } from './architecture.ts'
import { ARCHITECTURES } from './architectures.ts'
import { BF16, type BlockType, F16, F32, Q8_0 } from './block-types.ts'
import { encodeBF16, encodeF16, encodeF32, encodeQ8_0, type Encode } from './encode-blocks.ts'
import { sideBySide } from './rotary-rows.ts'
import { encodeGguf, type GgufEntry } from './write-gguf.ts'
import { text, uint32 } from './write-metadata.ts'
import { writeTokenizer } from './write-tokenizer.ts'

/** `fileType`: what llama.cpp calls a file whose matrices are of this type (llama_ftype). */
const OUT: Record<string, { type: BlockType; encode: Encode; fileType: number }> = {
  F32: { type: F32, encode: encodeF32, fileType: 0 },
  F16: { type: F16, encode: encodeF16, fileType: 1 },
  Q8_0: { type: Q8_0, encode: encodeQ8_0, fileType: 7 },
  BF16: { type: BF16, encode: encodeBF16, fileType: 32 },
}

export const GGUF_TYPES = ['F32', 'F16', 'BF16', 'Q8_0'] as const
export type GgufTypeName = (typeof GGUF_TYPES)[number]

/** `fallbacks`: matrices written as F16, because their rows are no whole blocks of the type asked for. */
export type Exported = Written & { file: string; tensors: number; fallbacks: string[] }

/**
 * Writes `to`, whole or not at all. A model that hone cannot say in GGUF: a DataError or ConfigError that says what of it.
 * `onTensor` is called as each is begun.
 */
export function exportGguf(o: {
  folder: string
  to: string
  type: GgufTypeName
  onTensor?: (done: number, of: number) => void
}): Exported {
  const folder = readFolder(o.folder)
  const config = configJson(folder.config)
  const architecture = architectureOf(config, o.folder)
  const plan = architecture.tensors(config)
  checkTensors(folder, plan)
  const wanted = OUT[o.type]!
  const fallbacks: string[] = []
  let begun = 0
  const tensors = plan.map((tensor): GgufEntry => {
    const { name, key, shape } = tensor
    const chosen = shape.length === 1 ? OUT.F32! : shape.at(-1)! % wanted.type.values === 0 ? wanted : OUT.F16!
    if (shape.length > 1 && chosen !== wanted) fallbacks.push(key)
    const bytes = () => {
      o.onTensor?.(begun++, plan.length)
      return chosen.encode(valuesOf(folder.tensors.get(key)!, tensor), { file: o.folder, field: key })
    }
    return { name, type: chosen.type, shape, bytes }
  })
  for (const [name, values] of architecture.extraTensors(config))
    tensors.push({
      name,
      type: F32,
      shape: [values.length],
      bytes: () => encodeF32(values, { file: name, field: name }),
    })
  const metadata = [
    text('general.architecture', architecture.name),
    text('general.type', 'model'),
    text('general.name', basename(resolve(o.folder))),
    uint32('general.file_type', wanted.fileType),
    uint32('general.quantization_version', 2),
    ...architecture.writeConfig(config),
    ...writeTokenizer(o.folder, folder.config.vocabSize),
  ]
  const written = writeDurable(o.to, encodeGguf(metadata, tensors))
  return { file: o.to, ...written, tensors: tensors.length, fallbacks }
}

function architectureOf({ model_type, architectures }: HuggingFaceConfig, file: string): Architecture {
  const [name] = architectures as string[]
  const found = ARCHITECTURES.find((a) => a.name === model_type)
  if (found && name?.endsWith('ForCausalLM')) return found
  throw new DataError(
    `expected ${ARCHITECTURES.map((a) => `a causal language model of type ${a.name}`).join(', ')}, got ${name}; export a folder instead`,
    { file, field: 'architectures' },
  )
}

function checkTensors({ path: file, tensors, config }: ModelFolder, plan: TensorPlan[]): void {
  for (const { key: field, shape } of plan) {
    const found = tensors.get(field)
    if (!found) throw new DataError('is missing', { file, field })
    if (found.shape.join() !== shape.join())
      throw new DataError(`expected shape [${shape.join(', ')}], got [${found.shape.join(', ')}]`, { file, field })
  }
  const known = new Set(plan.map(({ key }) => key))
  for (const field of tensors.keys()) {
    // Old checkpoints keep the frequencies, or the tied head a second time.
    const isHarmless =
      field.endsWith('.rotary_emb.inv_freq') || (field === 'lm_head.weight' && config.tieWordEmbeddings)
    if (!known.has(field) && !isHarmless)
      throw new DataError('has no place in GGUF: the model would be half written', { file, field })
  }
}

/** In float32, rows in GGUF's order. */
function valuesOf(stored: StoredTensor, { key, shape, turnedHeads }: TensorPlan): Float32Array {
  const type = { F32, F16, BF16 }[stored.dtype as string]
  if (!type) throw new DataError(`expected F32, BF16 or F16, got ${stored.dtype}`, { field: key })
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1))
  const bytes = stored.bytes()
  type.decode(turnedHeads === undefined ? bytes : sideBySide(bytes, { rows: shape[0]!, heads: turnedHeads }), values)
  return values
}
