// Products of a sample stream: many small steps over weights that stay as they are meanwhile. A product of few rows is bound by
// reading the matrix, so it reads the bytes that are stored (torch's `fewRows`: float32 rows against bfloat16, int8 or
// float32) and unpacks nothing. More rows than that are bound by arithmetic: a float32 matrix is laid out for them once, as panels.
// Adapters are added into copies of their matrices; where the matrix is packed, a whole copy
// is what packing is to spare, so their own two matrices are laid side by side instead. Copies go with the stream.
// Legend: B rows, I and O input and output width, R ranks of an adapter's parts together.
import {
  add,
  cat,
  describe,
  fewRows,
  keep,
  mulScalar,
  narrow,
  noGrad,
  panelCopy,
  scope,
  t,
  Tensor,
  weightCopy,
  zeros,
} from '#torch'
import type { Adapter } from './adapters.ts'
import type { Arithmetic, Matrix, Precision } from './arithmetic.ts'

/**
 * Rows up to which reading bounds a product, beside libtorch's own float32, or bfloat16 with units for it; and up to which our own
 * use of such units is ahead: measured by bench/few-rows.ts.
 */
const FEW_ROWS = { float32: 8, units: 16, pairs: 128 }

/** A matrix as `fewRows` reads it, or as `decodeLayer` reads panels. */
export type Stored = { weight: Tensor; scales?: Tensor; rounds?: boolean }
/** `stored`: what is read for so many rows, panels included; undefined where libtorch's own product serves them better, or an adapter lies beside. */
export type Decoding = {
  arithmetic: Arithmetic
  stored: (matrix: Matrix, rows: number) => Stored | undefined
  free: () => void
}
type LowRank = { a_RI: Tensor; b_OR: Tensor }

/** `copyOf`: a weight in the dtype of the products; `mergedWeight`: what matrix and adapter amount to. */
export function decodingArithmetic(
  reading: Arithmetic,
  o: {
    precision: Precision
    device: string
    copyOf: (weight: Tensor) => Tensor
    mergedWeight: (matrix: Matrix) => Tensor
  },
): Decoding {
  const merged = new Map<Adapter, Tensor>()
  const panels = new Map<Tensor | Adapter, Tensor>()
  const lowRanks = new Map<Adapter, LowRank>()
  const { features, instructionSets } = describe()
  const hasUnits = o.device !== 'cpu' || features.bfloat16Units
  // Products in bfloat16 round both sides, as training does.
  const rounds = o.precision === 'bfloat16' && o.device === 'cpu' && instructionSets.includes('avx512_bf16')
  const mostRows = (dtype: string): number => {
    if (o.device !== 'cpu') return 0
    if (dtype === 'float32') return FEW_ROWS.float32
    if (rounds && dtype === 'bfloat16') return FEW_ROWS.pairs
    return hasUnits ? FEW_ROWS.units : Infinity
  }
  const mergedOf = (matrix: Matrix, adapter: Adapter): Tensor => {
    let copy = merged.get(adapter)
    if (!copy) merged.set(adapter, (copy = kept(() => weightCopy(o.mergedWeight(matrix), o.precision))))
    return copy
  }
  const lowRankOf = (adapter: Adapter): LowRank => {
    let pair = lowRanks.get(adapter)
    if (!pair) lowRanks.set(adapter, (pair = laidOut(adapter)))
    return pair
  }

  const hasPanels = o.precision === 'float32' && o.device === 'cpu'
  /** Of a matrix in float32, its adapter added. */
  const panelsOf = (matrix: Matrix, rows: number): Tensor | undefined => {
    const { weight, adapter, isTransposed } = matrix
    if (!hasPanels || rows <= FEW_ROWS.float32 || !(weight instanceof Tensor)) return undefined
    const key = adapter ?? weight
    let made = panels.get(key)
    if (!made)
      panels.set(
        key,
        (made = kept(() => {
          const whole = adapter ? o.mergedWeight(matrix) : weight
          return panelCopy(isTransposed ? t(whole) : whole)
        })),
      )
    return made
  }

  const product: Arithmetic['product'] = (x, matrix) => {
    const { adapter, bias, ...bare } = matrix
    const isPacked = !(matrix.weight instanceof Tensor)
    const wide = panelsOf(matrix, x.shape[0]!)
    if (wide) {
      const y = narrow(fewRows(x, wide), 1, 0, outputsOf(matrix))
      return bias ? add(y, bias) : y
    }
    const stored = storedOf(matrix, { ...o, mergedOf })
    if (stored && x.shape[0]! <= mostRows(stored.weight.dtype)) {
      const { scales } = stored
      const y = fewRows(x, stored.weight, { ...(scales && { scales }), ...(bias && { bias }), rounds })
      if (!adapter || !isPacked) return y
      const { a_RI, b_OR } = lowRankOf(adapter)
      return add(y, fewRows(fewRows(x, a_RI), b_OR))
    }
    if (!adapter || isPacked) return reading.product(x, matrix)
    return reading.product(x, { ...bare, bias, weight: mergedOf(matrix, adapter) })
  }
  const stored: Decoding['stored'] = (matrix, rows) => {
    if (matrix.adapter && !(matrix.weight instanceof Tensor)) return undefined
    const wide = panelsOf(matrix, rows)
    if (wide) return { weight: wide }
    const found = storedOf(matrix, { ...o, mergedOf })
    return found && rows <= mostRows(found.weight.dtype) ? { ...found, rounds } : undefined
  }
  const free = (): void => {
    for (const copy of [...merged.values(), ...panels.values()]) copy.free()
    for (const { a_RI, b_OR } of lowRanks.values()) for (const tensor of [a_RI, b_OR]) tensor.free()
    merged.clear()
    panels.clear()
    lowRanks.clear()
  }
  return { arithmetic: { ...reading, product }, stored, free }
}

/** What `fewRows` reads; undefined where it cannot: NF4, and matrices that are stored transposed. */
function storedOf(
  matrix: Matrix,
  o: { copyOf: (weight: Tensor) => Tensor; mergedOf: (matrix: Matrix, adapter: Adapter) => Tensor },
): Stored | undefined {
  const { weight, adapter, isTransposed } = matrix
  if (isTransposed) return undefined
  if (weight instanceof Tensor) return { weight: adapter ? o.mergedOf(matrix, adapter) : o.copyOf(weight) }
  if (weight.dtype === 'nf4') return undefined
  return { weight: weight.codes, ...(weight.scales && { scales: weight.scales }) }
}

function outputsOf({ weight, isTransposed }: Matrix): number {
  return weight.shape[isTransposed ? 1 : 0]!
}

/** scale B A of all parts as one pair: the As one below the other, the Bs along a diagonal, scaled. */
function laidOut({ scale, parts }: Adapter): LowRank {
  const pairs = parts.flatMap(({ pair }) => pair ?? [])
  const ranks = pairs.reduce((sum, { a_RI }) => sum + a_RI.shape[0]!, 0)
  const device = pairs[0]!.a_RI.device
  const pad = (rows: number, columns: number): Tensor => zeros([rows, columns], { device })
  return {
    a_RI: kept(() => weightCopy(cat(pairs.map(({ a_RI }) => a_RI)), 'float32')),
    b_OR: kept(() => {
      let before = 0
      const rows = parts.map((part) => {
        if (!part.pair) return pad(part.rows, ranks)
        const rank = part.pair.a_RI.shape[0]!
        const row = cat([pad(part.rows, before), part.pair.b_OR, pad(part.rows, ranks - before - rank)], 1)
        before += rank
        return row
      })
      return weightCopy(mulScalar(cat(rows), scale), 'float32')
    }),
  }
}

function kept(make: () => Tensor): Tensor {
  return keep(scope(() => noGrad(make)))
}
