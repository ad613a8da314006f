// A model folder for other programs: config.json, tokenizer and weights as transformers, vLLM and llama.cpp's converter
// take them, the weights in another dtype if asked for, and nothing of a run. How score heads are read goes along in
// hone.json, which the others pass over; value heads stay behind, because no class of transformers holds one.
import { DataError } from '#errors'
import { loadTokenizer } from '#text'
import { readFolder, writeFolder, type WrittenFile } from './folder.ts'
import { BF16, F16, F32 } from './gguf/block-types.ts'
import { encodeBF16, encodeF16, encodeF32 } from './gguf/encode-blocks.ts'
import type { StoredTensor, TensorEntry } from './safetensors.ts'
import { readSidecar, SIDECAR_FILE } from './sidecar.ts'

export const EXPORT_DTYPES = ['float32', 'bfloat16', 'float16'] as const
export type ExportDtype = (typeof EXPORT_DTYPES)[number]

const OUT = {
  float32: { name: 'F32', encode: encodeF32 },
  bfloat16: { name: 'BF16', encode: encodeBF16 },
  float16: { name: 'F16', encode: encodeF16 },
} as const
const TYPES: Partial<Record<string, typeof F32>> = { F32, F16, BF16 }

/**
 * Writes `to`, which must not exist, whole or not at all. `dtype` absent: weights keep their bytes. Numbers are rounded
 * to nearest; one that the dtype cannot hold is a DataError. `onTensor` is called as each is begun.
 */
export function exportFolder(o: {
  folder: string
  to: string
  dtype?: ExportDtype
  onTensor?: (done: number, of: number) => void
}): { folder: string; files: WrittenFile[]; tensors: number } {
  const { path, config, tensors } = readFolder(o.folder)
  loadTokenizer(o.folder)
  const scores = readSidecar(path)?.scores
  let begun = 0
  const entries = [...tensors].map(([name, stored]): TensorEntry => {
    const bytes = () => {
      o.onTensor?.(begun++, tensors.size)
      return o.dtype ? convert(stored, o.dtype, { file: path, field: name }) : stored.bytes()
    }
    return { name, dtype: o.dtype ? OUT[o.dtype].name : stored.dtype, shape: stored.shape, bytes }
  })
  const files = writeFolder({
    to: o.to,
    config: o.dtype ? { ...config, dtype: o.dtype } : config,
    tensors: entries,
    copyFrom: path,
    ...(scores && { extraFiles: { [SIDECAR_FILE]: `${JSON.stringify({ scores }, null, 2)}\n` } }),
  })
  return { folder: o.to, files, tensors: entries.length }
}

function convert(stored: StoredTensor, dtype: ExportDtype, place: { file: string; field: string }): Uint8Array {
  const { name, encode } = OUT[dtype]
  const bytes = stored.bytes()
  if (stored.dtype === name) return bytes
  const type = TYPES[stored.dtype]
  if (!type) throw new DataError(`expected F32, BF16 or F16, got ${stored.dtype}`, place)
  const values = new Float32Array(bytes.length / type.bytes)
  type.decode(bytes, values)
  return encode(values, place)
}
