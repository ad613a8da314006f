// Frozen matrices in fewer bytes: bfloat16; int8 with one scale an output row (its largest magnitude / 127); or NF4, four
// bits that name a quantile of the normal distribution, with one scale a block of 64 (QLoRA, arXiv 2305.14314, appendix E).
// They are unpacked in runs, for one product at a time. Left out: double quantisation of the scales (it saves 0.37 bits a
// weight). Legend: O output, I input width of the stored shape; N = O I numbers, row-major.
import {
  copy_,
  embedding,
  empty,
  fromArray,
  keep,
  mul,
  narrow,
  noGrad,
  reshape,
  scope,
  type Tensor,
  toCopy,
  view,
} from '#torch'
import { toDevice } from './parameters.ts'

export type PackedDtype = 'bfloat16' | 'int8' | 'nf4'
/** How the frozen matrices under adapters are stored. */
export type BaseDtype = 'float32' | PackedDtype

export type PackedMatrix = {
  dtype: PackedDtype
  /** As stored. */
  shape: readonly [number, number]
  /** bfloat16 or int8 of the shape; of nf4 uint8 [ceil(N/2)], the earlier number in the upper half. */
  codes: Tensor
  /** Float32: int8 [O,1], or [1,O] where the matrix is stored transposed; nf4 [ceil(N/64)]. */
  scales?: Tensor
  /** Of nf4: the two numbers that a byte stands for, [256,2]. */
  pairs?: Tensor
}

export const NF4_BLOCK = 64

/** The paper's 16 levels: quantiles of N(0,1), scaled to -1..1, with a 0 of their own. */
export const NF4_LEVELS = [
  -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
] as const

/** Numbers unpacked at a time: what is made on the way stays in the cache. */
const RUN = 1 << 18

/** Lives until freed. `isTransposed`: stored [I,O]. */
export function packMatrix(
  values: Float32Array,
  shape: readonly [number, number],
  o: { dtype: PackedDtype; device: string; isTransposed?: boolean },
): PackedMatrix {
  const upload = (host: Tensor): Tensor => keep(scope(() => toDevice(host, o.device)))
  const [rows, columns] = shape
  if (o.dtype === 'bfloat16') {
    const codes = keep(scope(() => toCopy(fromArray(values, shape), { dtype: 'bfloat16', device: o.device })))
    return { dtype: o.dtype, shape, codes }
  }
  return scope(() => {
    if (o.dtype === 'int8') {
      const { codes, scales } = int8Codes(values, { columns, byColumn: o.isTransposed ?? false })
      return {
        dtype: 'int8',
        shape,
        codes: keep(scope(() => toCopy(fromArray(codes, shape), { dtype: 'int8', device: o.device }))),
        scales: upload(fromArray(scales, o.isTransposed ? [1, columns] : [rows, 1])),
      }
    }
    const { codes, scales } = nf4Codes(values)
    return {
      dtype: 'nf4',
      shape,
      codes: upload(fromArray(codes)),
      scales: upload(fromArray(scales)),
      pairs: upload(fromArray(pairTable(), [256, 2])),
    }
  })
}

export function freePacked(packed: PackedMatrix): void {
  for (const tensor of packedTensors(packed)) tensor.free()
}

export function packedTensors({ codes, scales, pairs }: PackedMatrix): Tensor[] {
  return [codes, ...(scales ? [scales] : []), ...(pairs ? [pairs] : [])]
}

/** The matrix in the dtype of a product, in the caller's scope; bfloat16 as it is where that is wanted. No gradient reaches it. */
export function unpacked(packed: PackedMatrix, dtype: 'float32' | 'bfloat16'): Tensor {
  if (packed.dtype === dtype) return packed.codes
  return noGrad(() =>
    scope(() => {
      const [rows, columns] = packed.shape
      if (packed.dtype === 'bfloat16') return toCopy(packed.codes, { dtype })
      const into = empty([rows * columns], { dtype, device: packed.codes.device })
      if (packed.dtype === 'int8') unpackInt8(packed, into)
      else unpackNf4(packed, into)
      return view(into, [rows, columns])
    }),
  )
}

function unpackInt8({ codes, scales, shape: [rows, columns] }: PackedMatrix, into_N: Tensor): void {
  const into = view(into_N, [rows, columns])
  const step = Math.max(1, Math.floor(RUN / columns))
  for (let from = 0; from < rows; from += step) {
    const count = Math.min(step, rows - from)
    scope(() => {
      const wide = toCopy(narrow(codes, 0, from, count), { dtype: 'float32' })
      const scale = scales!.shape[0] === 1 ? scales! : narrow(scales!, 0, from, count)
      copy_(narrow(into, 0, from, count), mul(wide, scale))
    })
  }
}

function unpackNf4({ codes, scales, pairs }: PackedMatrix, into_N: Tensor): void {
  const N = into_N.shape[0]!
  for (let from = 0; from < N; from += RUN) {
    const count = Math.min(RUN, N - from)
    const blocks = Math.ceil(count / NF4_BLOCK)
    scope(() => {
      const bytes = toCopy(narrow(codes, 0, from / 2, (blocks * NF4_BLOCK) / 2), { dtype: 'int32' })
      const units = view(embedding(pairs!, bytes), [blocks, NF4_BLOCK])
      const scale = view(narrow(scales!, 0, from / NF4_BLOCK, blocks), [blocks, 1])
      copy_(narrow(into_N, 0, from, count), narrow(reshape(mul(units, scale), [-1]), 0, 0, count))
    })
  }
}

function int8Codes(values: Float32Array, o: { columns: number; byColumn: boolean }) {
  const { columns, byColumn } = o
  const scaleOf = (i: number): number => (byColumn ? i % columns : Math.floor(i / columns))
  const scales = new Float32Array(byColumn ? columns : values.length / columns)
  for (let i = 0; i < values.length; i++) scales[scaleOf(i)] = Math.max(scales[scaleOf(i)]!, Math.abs(values[i]!) / 127)
  const codes = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const scale = scales[scaleOf(i)]!
    codes[i] = scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.round(values[i]! / scale)))
  }
  return { codes, scales }
}

/** Codes of whole blocks: the last one is filled with zeros. */
function nf4Codes(values: Float32Array) {
  const blocks = Math.ceil(values.length / NF4_BLOCK)
  const scales = new Float32Array(blocks)
  for (let i = 0; i < values.length; i++) {
    const block = Math.floor(i / NF4_BLOCK)
    scales[block] = Math.max(scales[block]!, Math.abs(values[i]!))
  }
  const codes = new Uint8Array((blocks * NF4_BLOCK) / 2)
  for (let i = 0; i < blocks * NF4_BLOCK; i++) {
    const scale = scales[Math.floor(i / NF4_BLOCK)]!
    const level = nearestLevel(scale === 0 ? 0 : (values[i] ?? 0) / scale)
    codes[i >> 1]! |= i % 2 === 0 ? level << 4 : level
  }
  return { codes, scales }
}

const BORDERS = NF4_LEVELS.slice(1).map((level, i) => (level + NF4_LEVELS[i]!) / 2)

function nearestLevel(unit: number): number {
  let level = 0
  while (level < BORDERS.length && unit > BORDERS[level]!) level++
  return level
}

function pairTable(): Float32Array {
  return Float32Array.from({ length: 512 }, (_, i) => NF4_LEVELS[i % 2 === 0 ? i >> 5 : (i >> 1) & 15]!)
}
