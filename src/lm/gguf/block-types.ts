// The tensor types of GGUF that hone reads, by the number that stands for them in a file, and the names of the others,
// so that one of them is refused by its name. Numbers and sizes: ggml.h of ggml-org/ggml.
import { type Decode, decodeQ4_0, decodeQ4_1, decodeQ5_0, decodeQ5_1, decodeQ8_0, halfAt } from './decode-blocks.ts'
import { decodeQ2_K, decodeQ3_K, decodeQ4_K, decodeQ5_K, decodeQ6_K, decodeQ8_K } from './decode-k-blocks.ts'
import { fromBfloat16 } from './half.ts'

/** Values are stored in blocks of `values`, `bytes` long each; rows are whole blocks. */
export type BlockType = { name: string; values: number; bytes: number; decode: Decode }

export const F32: BlockType = {
  name: 'F32',
  values: 1,
  bytes: 4,
  decode: (blocks, into) => new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(blocks),
}
export const F16: BlockType = {
  name: 'F16',
  values: 1,
  bytes: 2,
  decode: (blocks, into) => {
    for (let i = 0; i < into.length; i++) into[i] = halfAt(blocks, 2 * i)
  },
}
export const BF16: BlockType = {
  name: 'BF16',
  values: 1,
  bytes: 2,
  decode: (blocks, into) => {
    for (let i = 0; i < into.length; i++) into[i] = fromBfloat16(blocks[2 * i]! | (blocks[2 * i + 1]! << 8))
  },
}
export const Q8_0: BlockType = { name: 'Q8_0', values: 32, bytes: 34, decode: decodeQ8_0 }

export const BLOCK_TYPES: ReadonlyMap<number, BlockType> = new Map([
  [0, F32],
  [1, F16],
  [2, { name: 'Q4_0', values: 32, bytes: 18, decode: decodeQ4_0 }],
  [3, { name: 'Q4_1', values: 32, bytes: 20, decode: decodeQ4_1 }],
  [6, { name: 'Q5_0', values: 32, bytes: 22, decode: decodeQ5_0 }],
  [7, { name: 'Q5_1', values: 32, bytes: 24, decode: decodeQ5_1 }],
  [8, Q8_0],
  [10, { name: 'Q2_K', values: 256, bytes: 84, decode: decodeQ2_K }],
  [11, { name: 'Q3_K', values: 256, bytes: 110, decode: decodeQ3_K }],
  [12, { name: 'Q4_K', values: 256, bytes: 144, decode: decodeQ4_K }],
  [13, { name: 'Q5_K', values: 256, bytes: 176, decode: decodeQ5_K }],
  [14, { name: 'Q6_K', values: 256, bytes: 210, decode: decodeQ6_K }],
  [15, { name: 'Q8_K', values: 256, bytes: 292, decode: decodeQ8_K }],
  [30, BF16],
])

/** Known to ggml, not to hone. */
export const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [9, 'Q8_1'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [20, 'IQ4_NL'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, 'IQ4_XS'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [29, 'IQ1_M'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [39, 'MXFP4'],
  [40, 'NVFP4'],
])

/** A block type's number in the file. */
export function numberOfType(type: BlockType): number {
  for (const [number, { name }] of BLOCK_TYPES) if (name === type.name) return number
  throw new Error(`invariant: ${type.name} has a number`)
}
